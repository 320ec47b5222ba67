"""The bundle for auditors: made of exactly the package, and enough in itself."""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import zipfile

from .results import VECTORS, VERIFIER, check, vector

PACKAGE = "countersign_verifier"
# Runs the bundle as a program, then tells where each of its modules came from.
PROBE = """
import json, os, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
places = {n: getattr(m, "__file__", None) for n, m in sys.modules.items()}
print(json.dumps({"code": code, "places": places}))
"""


def make():
    """Bundles the package into a new file and returns its path."""
    out = os.path.join(tempfile.mkdtemp(), "countersign-verify.pyz")
    bundler = runpy.run_path(os.path.join(VERIFIER, "bundle"))
    check(bundler["make"](out) == bundler["make"](out), "bundle: made twice with the same bytes")
    return out


def sources():
    """Path in the package -> its bytes."""
    found = {}
    for at, _, files in os.walk(os.path.join(VERIFIER, PACKAGE)):
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(at, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, VERIFIER)] = f.read()
    return found


def content(path):
    """The bundle has the package's sources and an entry point, nothing else."""
    expected = sources()
    expected["__main__.py"] = expected[PACKAGE + "/__main__.py"]
    with zipfile.ZipFile(path) as z:
        found = {n: z.read(n) for n in z.namelist() if not n.endswith("/")}
    check(found == expected, "bundle: its content is the package")


def alone(path):
    """In an empty folder, with no environment and without site packages, it verifies a file."""
    evidence = os.path.join(VECTORS, "evidence-small.zip")
    root = vector("evidence.json")["root_vkey"]
    with tempfile.TemporaryDirectory() as empty:
        run = subprocess.run(
            [sys.executable, "-I", "-S", "-c", PROBE, path, evidence, "--root", root],
            cwd=empty,
            env={},
            stdout=subprocess.PIPE,
        )
        lines = run.stdout.decode().splitlines()
        direct = subprocess.run(
            [sys.executable, path, evidence, "--root", root], cwd=empty, stdout=subprocess.DEVNULL
        )
    told = json.loads(lines[-1])
    check(told["code"] == 0 and "No check fails." in lines, "bundle: verifies a file alone")
    check(direct.returncode == 0, "bundle: runs as a program")
    library = os.path.dirname(os.__file__)
    for name, place in sorted(told["places"].items()):
        inside = place is None or place.startswith((path, library))
        check(inside and "site-packages" not in (place or ""), "bundle: %s from %s" % (name, place))
    mine = [n for n in told["places"] if n.startswith(PACKAGE)]
    check(len(mine) > 10, "bundle: its modules were loaded")


def bundled():
    path = make()
    content(path)
    alone(path)
    return path
