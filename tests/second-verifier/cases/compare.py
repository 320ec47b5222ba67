"""The reference program and the second verifier, outcome by outcome."""

import json
import os
import subprocess

from countersign_verifier.command import exit_code, verify

from .evidence import refuse_files
from .results import VECTORS, check, fails, out_of_scope, refused, vector


def outcomes(report):
    return {
        (u["unit"], m["period"], m["revision"], x["check"]): (x["outcome"], x["detail"])
        for u in report["units"]
        for m in u["months"]
        for x in m["verdicts"]
    }


def compare(program, path, vkey, name):
    with open(path, "rb") as f:
        mine = verify(f.read(), vkey)
    run = subprocess.run(
        [program, "verify", path, "--root", vkey, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    theirs = json.loads(run.stdout)
    if "report" not in theirs:  # refused, or a disclosure
        check(
            bool(theirs.get("holds")) == (exit_code(mine) == 0) == (run.returncode == 0),
            "compare: %s: refused by one only: %s / %s"
            % (name, theirs.get("error", {}).get("message"), mine["error"]),
        )
        return
    theirs = outcomes(theirs["report"])
    if mine["error"] is not None:
        check(
            any(o == "fails" for o, _ in theirs.values()),
            "compare: %s: refused here only: %s" % (name, mine["error"]),
        )
        return
    ours = outcomes(mine)
    check(set(ours) == set(theirs), "compare: %s: units, months and checks" % name)
    for key in sorted(set(ours) & set(theirs)):
        if ours[key][0] == "holds" and out_of_scope(theirs[key][1]):
            continue  # skipped above
        check(
            ours[key][0] == theirs[key][0],
            "compare: %s: %s: %s there, %s here"
            % (name, " ".join(map(str, key)), theirs[key], ours[key]),
        )


def comparisons(program, also):
    root = vector("evidence.json")["root_vkey"]
    for name in ("evidence-small.zip", "evidence-world.zip"):
        compare(program, os.path.join(VECTORS, name), root, name)
    for case, _, _ in refuse_files():
        compare(program, os.path.join(VECTORS, "refuse", case["file"]), case["root"], case["file"])
    for path, vkey in also:
        compare(program, path, vkey, path)
