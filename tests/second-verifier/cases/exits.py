"""What the program ends with: 0 no check fails, 1 a check fails, 2 it cannot be verified at all."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile

from countersign_verifier import command

from .results import VECTORS, VERIFIER, check, vector

PROGRAM = os.path.join(VERIFIER, "verify.py")


def ends(path, vkey, *more):
    run = subprocess.run(
        [sys.executable, PROGRAM, path, "--root", vkey, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return run.returncode, run.stdout.decode()


def exits():
    root = vector("evidence.json")["root_vkey"]
    good = os.path.join(VECTORS, "evidence-small.zip")
    code, told = ends(good, root)
    check(code == 0 and "No check fails." in told, "exit: 0 where everything holds")
    failing = os.path.join(VECTORS, "refuse", "previous-forked.zip")
    code, told = ends(failing, root)
    check(code == 1 and "A check FAILS." in told, "exit: 1 where a check fails")
    painting = os.path.join(VECTORS, "refuse", "rule-paints.zip")
    for more in ((), ("--json",)):
        code, told = ends(painting, root, *more)
        plain = all(c.isprintable() or c == "\n" for c in told)
        check(code == 1 and plain and "\\u202e" in told, "exit: no control is printed %s" % (more,))
        own = any(line.startswith("\u2713") for line in told.splitlines())
        check(not own, "exit: what a file says begins no line %s" % (more,))
    with tempfile.TemporaryDirectory() as folder:
        empty = os.path.join(folder, "empty")
        open(empty, "w").close()
        for path, vkey, what in (
            (os.path.join(folder, "none.zip"), root, "a file that is not there"),
            (folder, root, "a folder"),
            (empty, root, "an empty file"),
            (good, "nobody", "a root key that is none"),
            (os.path.join(VECTORS, "refuse", "registry-none.zip"), root, "no registry"),
        ):
            code, told = ends(path, vkey)
            check(code == 2 and "Cannot be verified: " in told, "exit: 2 for %s" % what)
            code, told = ends(path, vkey, "--json")
            check(code == 2 and '"units": []' in told, "exit: 2 for %s, as JSON" % what)
    unexpected(good, root)


def unexpected(path, root):
    """An error that nobody thought of is no verdict and no trace of the program."""

    def broken(*_):
        raise RuntimeError("unforeseen")

    real, arguments = command.verify, sys.argv
    out = io.StringIO()
    command.verify, sys.argv = broken, ["verify.py", path, "--root", root]
    try:
        with contextlib.redirect_stdout(out):
            code = command.main()
    finally:
        command.verify, sys.argv = real, arguments
    said = "Cannot be verified: RuntimeError: unforeseen" in out.getvalue()
    check(code == 2 and said, "exit: 2 for an error that nobody thought of")
