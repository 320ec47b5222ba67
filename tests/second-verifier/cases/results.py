"""Counts what passes and fails, and reads the vectors."""

import json
import os

from countersign_verifier.command import verdicts
from countersign_verifier.fault import Fault

HERE = os.path.dirname(os.path.abspath(__file__))
VERIFIER = os.path.normpath(os.path.join(HERE, ".."))
VECTORS = os.path.normpath(os.path.join(VERIFIER, "..", "vectors"))
ROOT = os.path.normpath(os.path.join(VERIFIER, "..", ".."))
# What only CEL can tell (SPEC 7, Clear rows): the reference fails these words, this one cannot.
# What the reference says of clear leaves by evaluating CEL conditions.
OUT_OF_SCOPE = (
    "counts do not follow from its fields",
    "the month lacks the recount of",
    "the hard rule",
    "does not hold and is not explained",
    "explains ",
)


def out_of_scope(detail):
    return any(part in detail for part in OUT_OF_SCOPE)



class Results:
    passed = failed = 0
    verbose = False


def check(good, what):
    Results.passed += bool(good)
    Results.failed += not good
    if Results.verbose or not good:
        print("%s %s" % ("ok  " if good else "FAIL", what))


def refused(action):
    try:
        action()
        return False
    except Fault:
        return True


def vector(name):
    with open(os.path.join(VECTORS, name), "rb") as f:
        return f.read() if name.endswith(".zip") else json.load(f)


def fails(report):
    """The names of the checks that fail, with their details."""
    return {v["check"]: v["detail"] for _, _, v in verdicts(report) if v["outcome"] == "fails"}
