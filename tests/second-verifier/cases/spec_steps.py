"""The steps of the checks have one name in the specification, in Python and in Rust."""

import os
import re

from countersign_verifier import disclosure, evidence, figures, reading, receipt, registry
from countersign_verifier.checks import CHECKS

from .results import ROOT, VERIFIER, check
from .spec_examples import files

# A step: its number, then its name in backquotes; a second name may follow on a line of its own.
NUMBERED = re.compile(r"^([0-9]+)\. `([a-z_]+)`", re.MULTILINE)
NAMED = re.compile(r"^(?:[0-9]+\.|  ) `([a-z_]+)`(?: \([^)]*\))?:", re.MULTILINE)
HEADING = re.compile(r"^## 8\.[0-9] ([a-z]+)$", re.MULTILINE)
MAX_COLUMNS = 120
OTHER_STEPS = {
    2: registry.STEPS,
    4: reading.STEPS,
    7: figures.STEPS,
    9: receipt.STEPS,
    10: disclosure.STEPS,
}
SOURCES = os.path.join(ROOT, "protocol", "src")
RUST = os.path.join(SOURCES, "verify")
PACKAGE = os.path.join(VERIFIER, "countersign_verifier")


def section(number):
    with open(files()[number], encoding="utf-8") as f:
        return f.read()


def steps_of_checks():
    """check -> names of its steps in section 8, in the order of their numbers."""
    parts = HEADING.split(section(8))
    found = {}
    for name, text in zip(parts[1::2], parts[2::2]):
        steps = NUMBERED.findall(text)
        numbers = [int(n) for n, _ in steps]
        check(numbers == list(range(1, len(steps) + 1)), "spec: the steps of %s count on" % name)
        found[name] = [step for _, step in steps]
    return found


def names(steps):
    return [step.__name__ for step in steps]


def python_steps():
    spec = steps_of_checks()
    check(list(spec) == list(CHECKS), "spec: the checks in their order")
    for name, module in CHECKS.items():
        check(spec.get(name) == names(module.STEPS), "spec: the steps of %s in Python" % name)
    for number, steps in OTHER_STEPS.items():
        told = [n for n in NAMED.findall(section(number)) if n in names(steps)]
        check(told == names(steps), "spec: the steps of section %d in Python" % number)
    text = section(11)
    for name in names(evidence.STEPS):
        check("`%s`" % name in text, "spec: the step %s of section 11" % name)


def rust_steps():
    """Each step of a check is a function of its file, whose doc comment names section and step."""
    for part, (name, steps) in enumerate(steps_of_checks().items(), 1):
        with open(os.path.join(RUST, name + ".rs"), encoding="utf-8") as f:
            source = f.read()
        for number, step in enumerate(steps, 1):
            function = re.search(
                r"((?:^ *///.*\n)+)(?: *#\[.*\n)*(?: *pub(?:\(.*?\))? )? *fn %s\b" % step,
                source,
                re.MULTILINE,
            )
            check(function, "spec: %s.rs has %s with a doc comment" % (name, step))
            if function:
                said = " ".join(re.sub("^ *///", "", function.group(1), flags=re.MULTILINE).split())
                named = "SPEC 8.%d, step %d" % (part, number) in said
                check(named, "spec: %s.rs: %s is 8.%d, step %d" % (name, step, part, number))


def rust_codes():
    """The code of a failed step is the check and the step's name with dashes."""
    with open(os.path.join(SOURCES, "verdict", "code.rs"), encoding="utf-8") as f:
        source = f.read()
    for name, steps in steps_of_checks().items():
        for step in steps if name != "timeliness" else ():
            code = "%s.%s" % (name, step.replace("_", "-"))
            check('"%s"' % code in source, "spec: the code %s in Rust" % code)


def index():
    """The index names every section's file, and modules that are there."""
    with open(os.path.join(ROOT, "protocol", "SPEC.md"), encoding="utf-8") as f:
        text = f.read()
    check(not wide_lines(text), "spec: the index has wide lines: %s" % wide_lines(text))
    rows = re.findall(r"^\| \[[0-9]+ .*?\]\((.*?)\) \|(.*?)\|(.*?)\|", text, re.MULTILINE)
    named = [os.path.join(ROOT, "protocol", path) for path, _, _ in rows]
    check(named == list(files().values()), "spec: the index has the sections in order")
    for _, rust, python in rows:
        for folder, ending, modules in ((SOURCES, ".rs", rust), (PACKAGE, ".py", python)):
            for name in re.findall("`(.*?)`", modules):
                place = os.path.join(folder, name)
                there = os.path.exists(place) or os.path.exists(place + ending)
                check(there, "spec: the module %s of the index" % name)


def wide_lines(text):
    return [i for i, line in enumerate(text.split("\n"), 1) if len(line) > MAX_COLUMNS]


def form():
    """Lines that can be read, and the number that others cite."""
    for number, path in files().items():
        with open(path, encoding="utf-8") as f:
            text = f.read()
        wide = wide_lines(text)
        check(not wide, "spec: %d has wide lines: %s" % (number, wide))
        check(text.startswith("# %d " % number), "spec: %d begins with its number" % number)
