"""The command line.

    FILE --root VKEY [--json]

FILE is an evidence zip (SPEC 11) or a disclosure (SPEC 10). Nothing is trusted but the file and
the root key. Exit code: 0 no check fails, 1 a check fails, 2 the file cannot be verified at all.

Not checked: that `counts` of a clear statement follow from its fields (SPEC 7, Clear rows: CEL
conditions), the targets of plans, who stands in `frozen`, and what SPEC 12 says version 1 does not show.
"""

import argparse
import json
import re

from .disclosure import DISCLOSURE, check_disclosure
from .evidence import Evidence
from .fault import Fault
from .note import Key
from .notation import parse_json, shape

NOT_CHECKED = (
    "counts of clear statements are summed as signed, "
    "not derived from their fields (CEL conditions are out of scope)"
)

# What would move a terminal's cursor, clear it, or turn the direction of writing; and what no
# encoding has. A file that is to be checked must not paint "No check fails." itself.
WILD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escaped(text):
    """The text with its controls written as in JSON."""
    return WILD.sub(lambda found: "\\u%04x" % ord(found.group()), text)


def print_line(text):
    """Prints one line: what stands in it begins none of its own."""
    print(escaped(text).replace("\n", "\\n"))


def verify(data, vkey):
    """The report of a file: {"units": [...], "error": null or why it cannot be verified}."""
    try:
        root = Key.of(vkey)
        if data[:2] == b"PK":
            units = Evidence(data, root).verify()
        else:
            units = [verify_disclosure(data, root)]
        return {"units": units, "error": None, "not_checked": NOT_CHECKED}
    except Fault as e:
        return {"units": [], "error": str(e), "not_checked": NOT_CHECKED}


def verify_disclosure(data, root):
    """A disclosure is reported as one unit with one verdict."""
    try:
        line = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Fault("neither an evidence file nor a disclosure")
    doc = shape(parse_json(line), DISCLOSURE, "disclosure")
    try:
        period, detail = check_disclosure(doc, root)
        outcome = "holds"
    except Fault as e:
        period, outcome, detail = None, "fails", str(e)
    verdict = {"check": "disclosure", "outcome": outcome, "detail": detail}
    month = {"period": period, "revision": None, "verdicts": [verdict]}
    return {"unit": doc["unit"], "months": [month]}


def verdicts(report):
    """(unit, month, verdict) of everything in a report."""
    for unit in report["units"]:
        for month in unit["months"]:
            for verdict in month["verdicts"]:
                yield unit, month, verdict


def exit_code(report):
    if report["error"] is not None:
        return 2
    return int(any(v["outcome"] == "fails" for _, _, v in verdicts(report)))


def print_report(report):
    for unit in report["units"]:
        for m in unit["months"]:
            revision = " revision %d" % m["revision"] if m["revision"] else ""
            print_line("%s %s%s" % (unit["unit"], m["period"] or "", revision))
            for v in m["verdicts"]:
                print_line("  %-11s %-6s %s" % (v["check"], v["outcome"], v["detail"]))
    print_line("Not checked: %s." % NOT_CHECKED)
    ends = {
        0: "No check fails.",
        1: "A check FAILS.",
        2: "Cannot be verified: %s" % report["error"],
    }
    print_line(ends[exit_code(report)])


def report_of(path, vkey):
    """The report of a file on disk; whatever goes wrong is told, and is no verification."""
    try:
        with open(path, "rb") as f:
            return verify(f.read(), vkey)
    except Exception as e:  # not only a Fault: an unexpected error must not look like a verdict
        error = "%s: %s" % (type(e).__name__, e)
        return {"units": [], "error": error, "not_checked": NOT_CHECKED}


def main():
    parser = argparse.ArgumentParser(
        description="Second verifier of Countersign evidence and disclosures"
    )
    parser.add_argument("file")
    parser.add_argument(
        "--root", required=True, metavar="VKEY", help="the root key, known from outside"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report = report_of(args.file, args.root)
    if args.json:
        print(escaped(json.dumps(report, ensure_ascii=False, indent=2)))
    else:
        print_report(report)
    return exit_code(report)
