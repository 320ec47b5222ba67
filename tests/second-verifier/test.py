#!/usr/bin/env python3
"""Tests the second verifier against tests/vectors, and the reference verifier against the second one.

    test.py [--countersign PATH] [--also FILE VKEY]... [--verbose]

With --countersign, every file is also given to `PATH verify FILE --root VKEY --json`, and the outcomes of both are compared by unit, month,
revision and check. --also adds files of one's own, for example the evidence of `countersign demo`. The last line is `N passed, N failed`.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import verify as v  # noqa: E402

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors")
# What only CEL can tell (SPEC 7, "Clear rows"): the reference fails these words, the second verifier cannot.
OUT_OF_SCOPE = "counts do not follow from its fields"
passed, failed = 0, 0
verbose = False


def check(good, what):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if verbose or not good:
        print("%s %s" % ("ok  " if good else "FAIL", what))


def refused(action):
    try:
        action()
        return False
    except v.Fault:
        return True


def vector(name):
    with open(os.path.join(VECTORS, name), "rb") as f:
        return f.read() if name.endswith(".zip") else json.load(f)


def fails(report):
    """The names of the checks that fail, with their details."""
    return {r["check"]: r["detail"] for u in report["units"] for m in u["months"] for r in m["verdicts"] if r["outcome"] == "fails"}


def notes():
    d = vector("notes.json")
    for k in d["keys"]:
        key = v.Key(k["vkey"])
        check((key.name, key.algorithm, key.id.hex()) == (k["name"], k["alg"], k["key_id"]), "notes: key %s" % k["name"])
    keys = [v.Key.of(k["vkey"]) for k in d["keys"][:2]]
    note = v.Note(d["note"].encode())
    check(note.text.decode() == d["text"] and note.digest == d["digest"], "notes: text and digest")
    check(note.verify(keys, every=True) == keys, "notes: both keys signed")
    for r in d["refused"]:
        check(refused(lambda: v.Note(r["note"].encode())) != r["form"], "notes: form of: %s" % r["why"])
        check(refused(lambda: v.Note(r["note"].encode()).verify(keys)), "notes: %s" % r["why"])


def keys():
    """What the strict rule refuses (SPEC 1)."""
    order8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    small = ["01" + "00" * 31, "ec" + "ff" * 30 + "7f", "00" * 32, "00" * 31 + "80", order8, order8[:-2] + "fa"]
    uncanonical = ["ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", "01" + "00" * 30 + "80"]
    for public in small + uncanonical:
        check(not v.ed25519_key_ok(bytes.fromhex(public)), "keys: %s" % public)
    note = v.Note(vector("notes.json")["note"].encode())
    key, blob = v.Key.of(vector("notes.json")["keys"][0]["vkey"]), note.lines[0][2]
    check(v.ed25519_key_ok(key.public) and key.holds(note.text, blob), "keys: a good one")
    later = int.from_bytes(blob[32:], "little") + v.ORDER
    check(not key.holds(note.text, blob[:32] + later.to_bytes(32, "little")), "keys: s of the order or more")
    point = bytearray(v.BLIND)
    point[31] |= 0x80
    check(v.point_ok(v.BLIND) and not v.point_ok(bytes(point)), "keys: a point with its highest bit set")


def log():
    d = vector("log.json")
    leaves, unhex = [bytes.fromhex(x) for x in d["leaves"]], bytes.fromhex
    hashes = [v.leaf_hash(x) for x in leaves]
    check([h.hex() for h in hashes] == d["leaf_hashes"], "log: leaf hashes")
    roots = [v.tree_root(hashes[:n]) for n in range(len(hashes) + 1)]
    check([r.hex() for r in roots] == d["roots"], "log: roots")
    wrong = bytes(32)
    for p in d["inclusion"]:
        proof, leaf, root = [unhex(h) for h in p["proof"]], hashes[p["index"]], roots[p["size"]]
        good = v.included(leaf, p["index"], p["size"], proof, root)
        bad = [v.included(leaf, p["index"], p["size"], proof + [wrong], root), v.included(wrong, p["index"], p["size"], proof, root),
               proof and v.included(leaf, p["index"], p["size"], proof[:-1], root)]
        check(good and not any(bad), "log: inclusion of %(index)d in %(size)d" % p)
    for p in d["consistency"]:
        proof, old, new = [unhex(h) for h in p["proof"]], roots[p["old"]], roots[p["new"]]
        good = v.consistent(p["old"], p["new"], old, new, proof)
        bad = [v.consistent(p["old"], p["new"], old, new, proof + [wrong]), v.consistent(p["old"], p["new"], wrong, new, proof),
               proof and v.consistent(p["old"], p["new"], old, new, proof[:-1])]
        check(good and not any(bad), "log: consistency of %(old)d and %(new)d" % p)
    check(v.read_bundle(unhex(d["bundle"])) == leaves, "log: bundle")
    check(refused(lambda: v.read_bundle(unhex(d["bundle"])[:-1])) and refused(lambda: v.read_bundle(b"")), "log: bundles refused")
    c = v.Checkpoint(d["checkpoint"]["note"].encode())
    check(c.note.text.decode() == d["checkpoint"]["text"] and c.note.verify([v.Key.of(d["checkpoint"]["vkey"])]), "log: checkpoint")
    check((c.unit, c.size, c.root) == ("140321", len(leaves), roots[-1]), "log: checkpoint's lines")
    c, witness = v.Checkpoint(d["cosignature"]["note"].encode()), v.Key.of(d["cosignature"]["witness"])
    check(c.note.verify([witness]) == [witness], "log: cosignature")
    blob = next(blob for name, _, blob in c.note.lines if name == witness.name)
    check(int.from_bytes(blob[:8], "big") == d["cosignature"]["time"], "log: cosignature's time")
    check(not witness.holds(c.note.text, bytes(8) + blob[8:]), "log: cosignature with another time")


def the_catalogue():
    parts = dict(v.read_zip(vector("evidence-world.zip")))
    return v.Catalogue(v.Note(next(data for path, data in parts.items() if path.startswith("catalogue/"))))


def groups():
    d, catalogue = vector("groups.json"), the_catalogue()
    check(catalogue.digest == d["catalogue"]["digest"], "groups: the catalogue's digest")
    for g in d["generators"]:
        check(v.generator(g["role"], g["message"].encode()).hex() == g["point"], "groups: generator %(role)s %(message)r" % g)
    check(set(catalogue.events) == {s["event"] for s in d["schemas"]}, "groups: event types")
    for s in d["schemas"]:
        schema = catalogue.schema(s["event"])
        check(schema.columns == s["columns"] and schema.digest == s["digest"], "groups: schema of %(event)s" % s)
        bases = [schema.base(j).hex() for j in range(len(schema.columns))] if schema.event["pi"] != "P0" else []  # clear rows have none
        check(bases == s["bases"], "groups: bases of %(event)s" % s)
    for c in d["commitments"]:
        r, schema = v.blinding(bytes.fromhex(d["period_key"]), c["id"]), catalogue.schema(c["event"])
        check(r.to_bytes(32, "little").hex() == c["blinding"], "groups: blinding of %(id)s" % c)
        check(v.commitment([(1, schema.base(j)) for j in c["columns"]], r).hex() == c["commitment"], "groups: commitment of %(id)s" % c)
    for p in d["refused_points"]:
        check(not v.point_ok(bytes.fromhex(p)), "groups: refused point %s" % p)
    for s in d["refused_scalars"]:
        check(refused(lambda: v.read_scalar(s)), "groups: refused scalar %s" % s)


def period():
    d, catalogue = vector("period.json"), the_catalogue()
    for vkey in d["root_vkeys"]:
        chain, _ = v.walk_registries([v.Note(d["registry"].encode())], v.Key.of(vkey))
    other = v.Key.of(vector("notes.json")["keys"][0]["vkey"])
    check(refused(lambda: v.walk_registries([v.Note(d["registry"].encode())], other)), "period: registry under another root")
    book = v.Log(d["unit"], [e.encode() for e in d["entries"]], chain[0], {catalogue.digest: catalogue})
    rollup = v.Rollup(d["rollup"].encode())
    book.read_to(rollup.size)
    m = book.months[d["period"]]
    check(not book.faults and book.root(rollup.size).hex() == rollup.log["root"], "period: leaves")
    check(m.sum.hex() == d["sum"], "period: S")
    terms = [(x, catalogue.schema(t).base(j)) for t, xs in d["opening"]["sums"].items() for j, x in enumerate(xs)]
    check(v.commitment(terms, v.read_scalar(d["opening"]["blinding"])) == m.sum, "period: opening")
    check(v.commitment(terms, v.read_scalar(d["refused_blinding"])) != m.sum, "period: refused blinding")
    check(rollup.digest == d["digest"] and rollup.opening == d["opening"], "period: rollup")


def record():
    d = vector("record.json")
    root = v.Key.of(d["root_vkey"])
    hashes = [v.leaf_hash(v.field_digest(f)) for f in d["record"]["fields"]]
    check(v.tree_root(hashes).hex() == d["root"], "record: root")
    raw = json.dumps(d["disclosure"], ensure_ascii=False).encode()
    check(v.exit_code(v.verify(raw, root.vkey)) == 0, "record: disclosure")
    for old, new in (("300001", "300002"), ('"position": 0', '"position": 1'), ('"index": 7', '"index": 8'), ("bit:total:18", "bit:total:19"),
                     ('"unit": "140321"', '"unit": "140311"'), ('"format"', '"x": 1, "format"')):
        changed = raw.replace(old.encode(), new.encode())
        check(changed != raw and v.exit_code(v.verify(changed, root.vkey)) != 0, "record: %s for %s" % (new, old))


def evidence():
    d = vector("evidence.json")
    for name in ("evidence-small.zip", "evidence-world.zip"):
        data = vector(name)
        check("sha256:" + hashlib.sha256(data).hexdigest() == d[name]["sha256"], "evidence: digest of %s" % name)
        report = v.verify(data, d["root_vkey"])
        check(report["error"] is None and v.exit_code(report) == 0, "evidence: %s %s" % (name, report["error"] or fails(report)))
        mine = {(u["unit"], m["period"], m["revision"]): m for u in report["units"] for m in u["months"]}
        check(len(mine) == len(d[name]["report"]["rollups"]), "evidence: number of rollups of %s" % name)
        for r in d[name]["report"]["rollups"]:
            m = mine.get((r["unit"], r["period"], r["revision"]), {"rollup": None, "verdicts": []})
            outcomes = {x["check"]: x["outcome"] for x in m["verdicts"]}
            check(m["rollup"] == r["rollup"] and outcomes == r["checks"], "evidence: %s %s: %s" % (r["unit"], r["period"], outcomes))
        check(v.exit_code(v.verify(data, d["root_vkey"].replace("AXP", "AXQ"))) == 2, "evidence: %s with no key" % name)


def flips():
    """Bytes of the file as it stands, and bytes of its parts in a file written anew with right checksums."""
    root = vector("evidence.json")["root_vkey"]
    data = vector("evidence-small.zip")
    for at in range(0, len(data), 61):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 8)
        check(v.exit_code(v.verify(bytes(changed), root)) != 0, "flip: byte %d of the file" % at)
    for name, step in (("evidence-small.zip", 29), ("evidence-world.zip", 211)):
        parts = [(v.MARK, b"")] + v.read_zip(vector(name))
        for i, (path, part) in enumerate(parts):
            for at in range(i % step, len(part), step):
                changed = bytearray(part)
                changed[at] ^= 1 << (at % 7)
                again = v.write_zip(parts[:i] + [(path, bytes(changed))] + parts[i + 1:])
                check(v.exit_code(v.verify(again, root)) != 0, "flip: byte %d of %s in %s" % (at, path, name))


def refuse_files():
    folder = os.path.join(VECTORS, "refuse")
    for listing, good in (("controls.json", True), ("manifest.json", False)):
        if os.path.exists(os.path.join(folder, listing)):
            for case in vector(os.path.join("refuse", listing)):
                with open(os.path.join(folder, case["file"]), "rb") as f:
                    yield case, good, v.verify(f.read(), case["root"])


def refusals():
    """SPEC allows a reader to refuse the file where another fails a check; what it may not do is accept it."""
    for case, good, report in refuse_files():
        found = fails(report)
        what = "refuse: %s: %s (%s)" % (case["file"], case["case"], report["error"] or found or "accepted")
        if good:
            check(report["error"] is None and not found, what)
        elif OUT_OF_SCOPE in case["detail"] and not found and report["error"] is None:
            print("skip %s: only CEL conditions can tell" % what)
        else:
            disclosure = case["file"].endswith(".json") and "disclosure" in found
            check(report["error"] is not None or case["expect"] in found or disclosure, what + " expected %s" % case["expect"])


def outcomes(report):
    return {(u["unit"], m["period"], m["revision"], x["check"]): (x["outcome"], x["detail"])
            for u in report["units"] for m in u["months"] for x in m["verdicts"]}


def compare(program, path, vkey, name):
    with open(path, "rb") as f:
        mine = v.verify(f.read(), vkey)
    run = subprocess.run([program, "verify", path, "--root", vkey, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    theirs = json.loads(run.stdout)
    if "report" not in theirs:  # refused, or a disclosure
        check(bool(theirs.get("holds")) == (v.exit_code(mine) == 0) == (run.returncode == 0),
              "compare: %s: refused by one only: %s / %s" % (name, theirs.get("error", {}).get("message"), mine["error"]))
        return
    theirs = outcomes(theirs["report"])
    if mine["error"] is not None:
        check(any(o == "fails" for o, _ in theirs.values()), "compare: %s: refused here only: %s" % (name, mine["error"]))
        return
    ours = outcomes(mine)
    check(set(ours) == set(theirs), "compare: %s: units, months and checks" % name)
    for key in sorted(set(ours) & set(theirs)):
        if ours[key][0] == "holds" and OUT_OF_SCOPE in theirs[key][1]:
            continue  # skipped above
        check(ours[key][0] == theirs[key][0], "compare: %s: %s: %s there, %s here" % (name, " ".join(map(str, key)), theirs[key], ours[key]))


def comparisons(program, also):
    root = vector("evidence.json")["root_vkey"]
    for name in ("evidence-small.zip", "evidence-world.zip"):
        compare(program, os.path.join(VECTORS, name), root, name)
    for case, _, _ in refuse_files():
        compare(program, os.path.join(VECTORS, "refuse", case["file"]), case["root"], case["file"])
    for path, vkey in also:
        compare(program, path, vkey, path)


def main():
    global verbose
    parser = argparse.ArgumentParser(description="Tests the second verifier")
    parser.add_argument("--countersign", metavar="PATH", help="the reference program, to compare with")
    parser.add_argument("--also", nargs=2, action="append", default=[], metavar=("FILE", "VKEY"), help="one more file that is right")
    parser.add_argument("--verbose", action="store_true", help="show what passed as well")
    args = parser.parse_args()
    verbose = args.verbose
    for group in (notes, keys, log, groups, period, record, evidence, refusals, flips):
        group()
    for path, vkey in args.also:
        with open(path, "rb") as f:
            report = v.verify(f.read(), vkey)
        check(v.exit_code(report) == 0, "also: %s %s" % (path, report["error"] or fails(report)))
    if args.countersign:
        comparisons(args.countersign, args.also)
    print("%d passed, %d failed" % (passed, failed))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
