"""The JSON vectors: known answers of each section."""

import json

from countersign_verifier.archive import read_zip
from countersign_verifier.catalogue import Catalogue
from countersign_verifier.command import exit_code, verify
from countersign_verifier.commitments import BLIND, blinding, commitment, generator
from countersign_verifier.edwards import public_key_ok
from countersign_verifier.group import ORDER, point_ok, read_scalar
from countersign_verifier.log import (
    Checkpoint,
    consistent,
    included,
    leaf_hash,
    read_bundle,
    tree_root,
)
from countersign_verifier.note import Key, Note
from countersign_verifier.reading import Log
from countersign_verifier.registry import walk_registries
from countersign_verifier.rollup import Rollup
from countersign_verifier.statement import field_digest

from .results import check, refused, vector


def notes():
    d = vector("notes.json")
    for k in d["keys"]:
        key = Key(k["vkey"])
        check(
            (key.name, key.algorithm, key.id.hex()) == (k["name"], k["alg"], k["key_id"]),
            "notes: key %s" % k["name"],
        )
    keys = [Key.of(k["vkey"]) for k in d["keys"][:2]]
    note = Note(d["note"].encode())
    check(note.text.decode() == d["text"] and note.digest == d["digest"], "notes: text and digest")
    check(note.verify(keys, every=True) == keys, "notes: both keys signed")
    for r in d["refused"]:
        check(
            refused(lambda: Note(r["note"].encode())) != r["form"], "notes: form of: %s" % r["why"]
        )
        check(refused(lambda: Note(r["note"].encode()).verify(keys)), "notes: %s" % r["why"])


def keys():
    """What the strict rule refuses (SPEC 1)."""
    order8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    small = [
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "00" * 32,
        "00" * 31 + "80",
        order8,
        order8[:-2] + "fa",
    ]
    uncanonical = ["ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", "01" + "00" * 30 + "80"]
    for public in small + uncanonical:
        check(not public_key_ok(bytes.fromhex(public)), "keys: %s" % public)
    note = Note(vector("notes.json")["note"].encode())
    key, blob = Key.of(vector("notes.json")["keys"][0]["vkey"]), note.lines[0][2]
    check(public_key_ok(key.public) and key.holds(note.text, blob), "keys: a good one")
    later = int.from_bytes(blob[32:], "little") + ORDER
    check(
        not key.holds(note.text, blob[:32] + later.to_bytes(32, "little")),
        "keys: s of the order or more",
    )
    point = bytearray(BLIND)
    point[31] |= 0x80
    check(point_ok(BLIND) and not point_ok(bytes(point)), "keys: a point with its highest bit set")


def log():
    d = vector("log.json")
    leaves, unhex = [bytes.fromhex(x) for x in d["leaves"]], bytes.fromhex
    hashes = [leaf_hash(x) for x in leaves]
    check([h.hex() for h in hashes] == d["leaf_hashes"], "log: leaf hashes")
    roots = [tree_root(hashes[:n]) for n in range(len(hashes) + 1)]
    check([r.hex() for r in roots] == d["roots"], "log: roots")
    wrong = bytes(32)
    for p in d["inclusion"]:
        proof, leaf, root = [unhex(h) for h in p["proof"]], hashes[p["index"]], roots[p["size"]]
        good = included(leaf, p["index"], p["size"], proof, root)
        bad = [
            included(leaf, p["index"], p["size"], proof + [wrong], root),
            included(wrong, p["index"], p["size"], proof, root),
            proof and included(leaf, p["index"], p["size"], proof[:-1], root),
        ]
        check(good and not any(bad), "log: inclusion of %(index)d in %(size)d" % p)
    for p in d["consistency"]:
        proof, old, new = [unhex(h) for h in p["proof"]], roots[p["old"]], roots[p["new"]]
        good = consistent(p["old"], p["new"], old, new, proof)
        bad = [
            consistent(p["old"], p["new"], old, new, proof + [wrong]),
            consistent(p["old"], p["new"], wrong, new, proof),
            proof and consistent(p["old"], p["new"], old, new, proof[:-1]),
        ]
        check(good and not any(bad), "log: consistency of %(old)d and %(new)d" % p)
    check(read_bundle(unhex(d["bundle"])) == leaves, "log: bundle")
    check(
        refused(lambda: read_bundle(unhex(d["bundle"])[:-1])) and refused(lambda: read_bundle(b"")),
        "log: bundles refused",
    )
    c = Checkpoint(d["checkpoint"]["note"].encode())
    check(
        c.note.text.decode() == d["checkpoint"]["text"]
        and c.note.verify([Key.of(d["checkpoint"]["vkey"])]),
        "log: checkpoint",
    )
    check((c.unit, c.size, c.root) == ("140321", len(leaves), roots[-1]), "log: checkpoint's lines")
    c, witness = Checkpoint(d["cosignature"]["note"].encode()), Key.of(d["cosignature"]["witness"])
    check(c.note.verify([witness]) == [witness], "log: cosignature")
    blob = next(blob for name, _, blob in c.note.lines if name == witness.name)
    check(int.from_bytes(blob[:8], "big") == d["cosignature"]["time"], "log: cosignature's time")
    check(not witness.holds(c.note.text, bytes(8) + blob[8:]), "log: cosignature with another time")


def the_catalogue():
    parts = dict(read_zip(vector("evidence-world.zip")))
    return Catalogue(
        Note(next(data for path, data in parts.items() if path.startswith("catalogue/")))
    )


def groups():
    d, catalogue = vector("groups.json"), the_catalogue()
    check(catalogue.digest == d["catalogue"]["digest"], "groups: the catalogue's digest")
    for g in d["generators"]:
        check(
            generator(g["role"], g["message"].encode()).hex() == g["point"],
            "groups: generator %(role)s %(message)r" % g,
        )
    check(set(catalogue.events) == {s["event"] for s in d["schemas"]}, "groups: event types")
    for s in d["schemas"]:
        schema = catalogue.schema(s["event"])
        check(
            schema.columns == s["columns"] and schema.digest == s["digest"],
            "groups: schema of %(event)s" % s,
        )
        bases = (
            [schema.base(j).hex() for j in range(len(schema.columns))]
            if schema.event["pi"] != "P0"
            else []
        )  # clear rows have none
        check(bases == s["bases"], "groups: bases of %(event)s" % s)
    for c in d["commitments"]:
        r, schema = blinding(bytes.fromhex(d["period_key"]), c["id"]), catalogue.schema(c["event"])
        check(r.to_bytes(32, "little").hex() == c["blinding"], "groups: blinding of %(id)s" % c)
        check(
            commitment([(1, schema.base(j)) for j in c["columns"]], r).hex() == c["commitment"],
            "groups: commitment of %(id)s" % c,
        )
    for p in d["refused_points"]:
        check(not point_ok(bytes.fromhex(p)), "groups: refused point %s" % p)
    for s in d["refused_scalars"]:
        check(refused(lambda: read_scalar(s)), "groups: refused scalar %s" % s)


def period():
    d, catalogue = vector("period.json"), the_catalogue()
    for vkey in d["root_vkeys"]:
        chain, _ = walk_registries([Note(d["registry"].encode())], Key.of(vkey))
    other = Key.of(vector("notes.json")["keys"][0]["vkey"])
    check(
        refused(lambda: walk_registries([Note(d["registry"].encode())], other)),
        "period: registry under another root",
    )
    book = Log(
        d["unit"], [e.encode() for e in d["entries"]], chain[0], {catalogue.digest: catalogue}
    )
    rollup = Rollup(d["rollup"].encode())
    book.read_to(rollup.size)
    m = book.months[d["period"]]
    check(not book.faults and book.root(rollup.size).hex() == rollup.log["root"], "period: leaves")
    check(m.sum.hex() == d["sum"], "period: S")
    terms = [
        (x, catalogue.schema(t).base(j))
        for t, xs in d["opening"]["sums"].items()
        for j, x in enumerate(xs)
    ]
    check(commitment(terms, read_scalar(d["opening"]["blinding"])) == m.sum, "period: opening")
    check(
        commitment(terms, read_scalar(d["refused_blinding"])) != m.sum, "period: refused blinding"
    )
    check(rollup.digest == d["digest"] and rollup.opening == d["opening"], "period: rollup")


def record():
    d = vector("record.json")
    root = Key.of(d["root_vkey"])
    hashes = [leaf_hash(field_digest(f)) for f in d["record"]["fields"]]
    check(tree_root(hashes).hex() == d["root"], "record: root")
    raw = json.dumps(d["disclosure"], ensure_ascii=False).encode()
    check(exit_code(verify(raw, root.vkey)) == 0, "record: disclosure")
    for old, new in (
        ("300001", "300002"),
        ('"position": 0', '"position": 1'),
        ('"index": 7', '"index": 8'),
        ("bit:total:18", "bit:total:19"),
        ('"unit": "140321"', '"unit": "140311"'),
        ('"format"', '"x": 1, "format"'),
    ):
        changed = raw.replace(old.encode(), new.encode())
        check(
            changed != raw and exit_code(verify(changed, root.vkey)) != 0,
            "record: %s for %s" % (new, old),
        )
