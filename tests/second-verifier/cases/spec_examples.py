"""The worked examples of protocol/spec: each is computed again from tests/vectors.

A section's example stands in its file between ```example and ```, one `label = value` a line; a
line that begins with four spaces continues the value. `python3 test.py --write-examples` writes
them anew, which is right only where a format has changed on purpose.
"""

import datetime
import glob
import hashlib
import hmac
import json
import os
import re
import struct
import zlib

from countersign_verifier import archive, commitments, group, notation
from countersign_verifier.catalogue import Catalogue
from countersign_verifier.checks.case import last_day
from countersign_verifier.evidence import Parts
from countersign_verifier.figures import basis_of, own_figures
from countersign_verifier.log import included
from countersign_verifier.note import Key, Note
from countersign_verifier.plan import DEFAULT_DAYS
from countersign_verifier.receipt import RECEIPT
from countersign_verifier.rollup import Rollup
from countersign_verifier.statement import Statement

from .results import ROOT, VECTORS, check, vector

BEGIN, END, WIDTH = "```example\n", "```\n", 112
BLOCK = re.compile("```example\n(.*?)```\n", re.DOTALL)


def files():
    """Section number -> path of its file."""
    paths = glob.glob(os.path.join(ROOT, "protocol", "spec", "*.md"))
    return {int(os.path.basename(p)[:2]): p for p in sorted(paths)}


def world_catalogue():
    parts = Parts(vector("evidence-world.zip"))
    return Catalogue(parts.catalogues[0])


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def section_1():
    d = vector("notes.json")
    key = Key(d["keys"][0]["vkey"])
    key_id = hashlib.sha256(key.name.encode() + b"\n\1" + key.public).digest()[:4]
    note = Note(d["note"].encode())
    return {
        "name": key.name,
        "algorithm": "01",
        "public key": key.public.hex(),
        "key id": key_id.hex(),
        "vkey": key.vkey,
        "note (JSON)": json.dumps(d["note"], ensure_ascii=False),
        "text (hex)": note.text.hex(),
        "digest": "sha256:" + sha256_hex(note.text),
        "signed by": ", ".join(k.name for k in note.verify([key])),
    }


def section_2():
    note = Note(vector("period.json")["registry"].encode())
    doc = json.loads(note.text.split(b"\n")[1])
    unit = doc["units"][-1]
    keys = [Key(k) for k in doc["roots"]]
    return {
        "roots": ", ".join(doc["roots"]),
        "threshold": str(doc["threshold"]),
        "a unit (JSON)": notation.compact(unit),
        "digest": "sha256:" + sha256_hex(note.text),
        "signed by": ", ".join(k.name for k in note.verify(keys)),
    }


def section_3():
    d = vector("record.json")
    lines, digests = {}, []
    for field in d["record"]["fields"]:
        written = notation.compact(field)
        digest = hashlib.sha256(b"countersign/field/v1\n" + written.encode()).digest()
        digests.append(digest)
        lines["field %s" % field[1]] = written
        lines["digest of %s" % field[1]] = digest.hex()
    first, second, third, fourth = (leaf(x) for x in digests)
    lines["record"] = node(node(first, second), node(third, fourth)).hex()
    return lines


def section_4():
    d = vector("log.json")
    raw = [bytes.fromhex(x) for x in d["leaves"][:3]]
    a, b, c = (leaf(x) for x in raw)
    bundle = b"".join(struct.pack(">H", len(x)) + x for x in raw)
    checkpoint = d["checkpoint"]["text"]
    time = d["cosignature"]["time"]
    return {
        "empty tree": sha256_hex(b""),
        "leaf 0": a.hex(),
        "leaf 1": b.hex(),
        "leaf 2": c.hex(),
        "root of 2": node(a, b).hex(),
        "root of 3": node(node(a, b), c).hex(),
        "proof that leaf 2 is in 3": node(a, b).hex(),
        "proof that 2 is on the way to 3": c.hex(),
        "bundle of the three": bundle.hex(),
        "checkpoint (JSON)": json.dumps(checkpoint),
        "witness signs (JSON)": json.dumps("cosignature/v1\ntime %d\n%s" % (time, checkpoint)),
    }


def section_5():
    schema = world_catalogue().schema("training.held")
    named = "countersign-schema-v1\ntraining.held\n" + "".join(c + "\n" for c in schema.columns)
    return {
        "columns": ", ".join(schema.columns),
        "hashed (JSON)": json.dumps(named),
        "schema digest": "sha256:" + sha256_hex(named.encode()),
    }


def training():
    """The schema of training.held, its two generators and a blinding."""
    d, schema = vector("groups.json"), world_catalogue().schema("training.held")
    event, key = d["commitments"][0]["id"], bytes.fromhex(d["period_key"])
    code = hmac.new(key, event.encode(), hashlib.sha512).digest()
    r = int.from_bytes(code, "little") % group.ORDER
    return schema, event, key, code, r


def section_6():
    schema, event, key, code, r = training()
    uniform = commitments.expand_message_xmd(
        b"blind", b"countersign-V1-blind-ristretto255_XMD:SHA-512_R255MAP_RO_"
    )
    return {
        "64 uniform bytes of B": uniform.hex(),
        "B": commitments.BLIND.hex(),
        "message of G0 (JSON)": json.dumps(schema.digest + "\n" + schema.columns[0]),
        "G0": schema.base(0).hex(),
        "G1": schema.base(1).hex(),
        "key of the month": key.hex(),
        "event id": event,
        "HMAC": code.hex(),
        "r": r.to_bytes(32, "little").hex(),
        "row": "1, 0",
        "C = G0 + r B": commitments.commitment([(1, schema.base(0))], r).hex(),
    }


def month_figures():
    """The rollup of period.json, and the figures that its sums and clear leaves give."""
    d, catalogue = vector("period.json"), world_catalogue()
    sums = dict(d["opening"]["sums"])
    for entry in d["entries"]:
        s = Statement(Note(entry.encode()))
        if s.form == "clear" and s.counts:
            columns = catalogue.schema(s.type).columns
            before = sums.get(s.type, [0] * len(columns))
            sums[s.type] = [n + s.counts.get(c, 0) for n, c in zip(before, columns)]
    pairs = [(catalogue.schema(name), columns) for name, columns in sums.items()]
    return Rollup(d["rollup"].encode()), catalogue, own_figures(catalogue, "county", None, pairs)


def section_7():
    r, catalogue, own = month_figures()
    columns = catalogue.schema("employment.started").columns
    sums = r.opening["sums"]["employment.started"]
    bits = [x for c, x in zip(columns, sums) if c.startswith("I3:bit:")]
    moved = [(c, x) for c, x in zip(columns, sums) if c.startswith("I1:in:")]
    basis = [f + " " + basis_of(catalogue, f, own, {}) for f in ("I1", "I3", "I5")]
    return {
        "sums of I1": ", ".join("%s %d" % pair for pair in moved),
        "I1": "value %d, cells %s" % (own["I1"].value, own["I1"].cells[0]),
        "sums of I3, bits 0 to 39": " ".join(map(str, bits)),
        "I3": "value %d" % own["I3"].value,
        "I2": "value %d, declared %d" % (own["I2"].value, own["I2"].declared),
        "I5": "num %d, den %d" % (own["I5"].num, own["I5"].den),
        "basis": ", ".join(basis),
    }


def section_8():
    d, catalogue = vector("period.json"), world_catalogue()
    r = Rollup(d["rollup"].encode())
    terms = []
    for event_type, sums in r.opening["sums"].items():
        schema = catalogue.schema(event_type)
        terms += [(x, schema.base(j)) for j, x in enumerate(sums)]
    total = group.IDENTITY
    for entry in d["entries"]:
        s = Statement(Note(entry.encode()))
        if s.form == "sealed":
            total = group.point_add(total, bytes.fromhex(s.row))
        elif s.form == "void":
            target = Statement(Note(d["entries"][s.voids["index"]].encode()))
            total = group.point_add(total, bytes.fromhex(target.row), -1)
    end = datetime.date(*last_day(r.period))
    return {
        "digest": "sha256:" + sha256_hex(r.note.text),
        "registry": notation.compact(r.registry),
        "log": notation.compact(r.log),
        "opening.sums of person.registered": str(r.opening["sums"]["person.registered"]),
        "opening.blinding": r.opening["blinding"],
        "S, from the leaves": total.hex(),
        "S, from the opening": commitments.commitment(terms, r.blinding).hex(),
        "signatories": notation.compact(r.signatories),
        "due, where no plan says": str(end + datetime.timedelta(DEFAULT_DAYS[r.tier])),
    }


def section_9():
    parts = Parts(vector("evidence-small.zip"))
    note = parts.arrivals_note
    units = json.loads(parts.registries[0].text.split(b"\n")[1])["units"]
    unit = next(u for u in units if u["id"] == parts.arrivals["by"])
    key = Key(unit["keys"][0]["vkey"])
    receipt = parts.units["140311"].receipts[("2026-01", 1)][0]
    receipt.update(receipt["note"].document("receipt", RECEIPT))
    return {
        "arrivals (JSON text)": note.text.split(b"\n")[1].decode(),
        "digest": "sha256:" + sha256_hex(note.text),
        "signed by": ", ".join(k.name for k in note.verify([key])),
        "receipt: rollup": receipt["rollup"],
        "receipt: decision": receipt["decision"],
        "receipt: signed by": ", ".join(k.name for k in receipt["note"].verify([key])),
    }


def section_10():
    d = vector("record.json")
    shown = d["disclosure"]["fields"][0]
    written = notation.compact(shown["field"])
    digest = hashlib.sha256(b"countersign/field/v1\n" + written.encode()).digest()
    one, two = (bytes.fromhex(h) for h in shown["proof"])
    return {
        "field": written,
        "position, of": "%d, %d" % (shown["position"], shown["of"]),
        "digest": digest.hex(),
        "leaf": leaf(digest).hex(),
        "proof, first": one.hex(),
        "proof, second": two.hex(),
        "record": node(node(leaf(digest), one), two).hex(),
    }


def section_11():
    name = archive.MARK.encode()
    zeros = struct.pack("<HHHHHIIIHH", 10, 0, 0, 0, 0x21, zlib.crc32(b""), 0, 0, len(name), 0)
    local = b"PK\3\4" + zeros + name
    behind = struct.pack("<HHHII", 0, 0, 0, 0x81A40000, 0)
    central = b"PK\1\2" + struct.pack("<H", 0x030A) + zeros + behind + name
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    check(local + central + end == archive.write_zip([(archive.MARK, b"")]), "spec: 11: the zip")
    return {"local": local.hex(), "central": central.hex(), "end": end.hex()}


def section_12():
    schema, _, _, _, r = training()
    row = [-1, 2]
    opened = commitments.commitment([(x, schema.base(j)) for j, x in enumerate(row)], r)
    minus = group.point_add(opened, schema.base(0))
    legal = commitments.commitment([(2, schema.base(1))], r)
    check(minus == legal, "spec: 12: -1 and +2 differ from 0 and +2 by G0")
    return {
        "columns": ", ".join(schema.columns),
        "row": ", ".join(map(str, row)),
        "the block adds up to": str(sum(row)),
        "r": r.to_bytes(32, "little").hex(),
        "C = -G0 + 2 G1 + r B": opened.hex(),
    }


def section_13():
    lines = {}
    for path in sorted(glob.glob(os.path.join(VECTORS, "*.*"))):
        with open(path, "rb") as f:
            lines["SHA-256 of %s" % os.path.basename(path)] = sha256_hex(f.read())
    return lines


def section_14():
    a, b, c = (leaf(bytes.fromhex(x)) for x in vector("log.json")["leaves"][:3])
    root = node(node(a, b), c)
    lines = {"leaf 0": a.hex(), "proof, first": b.hex(), "proof, second": c.hex()}
    lines["root"] = root.hex()
    for of in (3, 4):
        holds = included(a, 0, of, [b, c], root)
        lines["position 0 of %d" % of] = "holds" if holds else "does not hold"
    return lines


SECTIONS = {
    1: section_1,
    2: section_2,
    3: section_3,
    4: section_4,
    5: section_5,
    6: section_6,
    7: section_7,
    8: section_8,
    9: section_9,
    10: section_10,
    11: section_11,
    12: section_12,
    13: section_13,
    14: section_14,
}


def written(lines):
    """An example as it stands in the text."""
    out = ""
    for label, value in lines.items():
        row = "%s = %s" % (label, value)
        while row:
            out += row[:WIDTH] + "\n"
            row = row[WIDTH:] and "    " + row[WIDTH:]
    return BEGIN + out + END


def examples():
    """Every section has one example, and it is what the vectors give."""
    found = files()
    check(list(found) == list(SECTIONS), "spec: one file for each section")
    for number, path in found.items():
        with open(path, encoding="utf-8") as f:
            text = f.read()
        check(len(BLOCK.findall(text)) == 1, "spec: %d has one example" % number)
        right = written(SECTIONS[number]()) in text
        check(right, "spec: the example of section %d is what the vectors give" % number)


def write():
    """Puts the examples of today's vectors into the text."""
    for number, path in files().items():
        with open(path, encoding="utf-8") as f:
            text = f.read()
        block = written(SECTIONS[number]())
        with open(path, "w", encoding="utf-8") as f:
            f.write(BLOCK.sub(lambda _: block, text))
