"""Evidence that must hold, files that must not, and changed bytes."""

import hashlib
import os

from countersign_verifier.archive import MARK, read_zip, write_zip
from countersign_verifier.command import exit_code, verify

from .results import VECTORS, check, fails, out_of_scope, vector


def evidence():
    d = vector("evidence.json")
    for name in ("evidence-small.zip", "evidence-world.zip"):
        data = vector(name)
        check(
            "sha256:" + hashlib.sha256(data).hexdigest() == d[name]["sha256"],
            "evidence: digest of %s" % name,
        )
        report = verify(data, d["root_vkey"])
        check(
            report["error"] is None and exit_code(report) == 0,
            "evidence: %s %s" % (name, report["error"] or fails(report)),
        )
        mine = {
            (u["unit"], m["period"], m["revision"]): m for u in report["units"] for m in u["months"]
        }
        check(
            len(mine) == len(d[name]["report"]["rollups"]),
            "evidence: number of rollups of %s" % name,
        )
        for r in d[name]["report"]["rollups"]:
            m = mine.get((r["unit"], r["period"], r["revision"]), {"rollup": None, "verdicts": []})
            outcomes = {x["check"]: x["outcome"] for x in m["verdicts"]}
            check(
                m["rollup"] == r["rollup"] and outcomes == r["checks"],
                "evidence: %s %s: %s" % (r["unit"], r["period"], outcomes),
            )
        check(
            exit_code(verify(data, d["root_vkey"].replace("AXP", "AXQ"))) == 2,
            "evidence: %s with no key" % name,
        )


def flips():
    """Bytes of the file as it stands, and of its parts in a file written anew with right sums."""
    root = vector("evidence.json")["root_vkey"]
    data = vector("evidence-small.zip")
    for at in range(0, len(data), 61):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 8)
        check(exit_code(verify(bytes(changed), root)) != 0, "flip: byte %d of the file" % at)
    for name, step in (("evidence-small.zip", 29), ("evidence-world.zip", 211)):
        parts = [(MARK, b"")] + read_zip(vector(name))
        for i, (path, part) in enumerate(parts):
            for at in range(i % step, len(part), step):
                changed = bytearray(part)
                changed[at] ^= 1 << (at % 7)
                again = write_zip(parts[:i] + [(path, bytes(changed))] + parts[i + 1 :])
                check(
                    exit_code(verify(again, root)) != 0,
                    "flip: byte %d of %s in %s" % (at, path, name),
                )


def refuse_files():
    folder = os.path.join(VECTORS, "refuse")
    for listing, good in (("controls.json", True), ("manifest.json", False)):
        if os.path.exists(os.path.join(folder, listing)):
            for case in vector(os.path.join("refuse", listing)):
                with open(os.path.join(folder, case["file"]), "rb") as f:
                    yield case, good, verify(f.read(), case["root"])


def refusals():
    """A reader may refuse the file where another fails a check; it may not accept it."""
    for case, good, report in refuse_files():
        found = fails(report)
        what = "refuse: %s: %s (%s)" % (
            case["file"],
            case["case"],
            report["error"] or found or "accepted",
        )
        if good:
            check(report["error"] is None and not found, what)
        elif out_of_scope(case["detail"]) and not found and report["error"] is None:
            print("skip %s: only CEL conditions can tell" % what)
        else:
            disclosure = case["file"].endswith(".json") and "disclosure" in found
            check(
                report["error"] is not None or case["expect"] in found or disclosure,
                what + " expected %s" % case["expect"],
            )
