"""SPEC 10: disclosures."""

from .catalogue import Catalogue
from .commitments import commitment
from .fault import need
from .group import read_scalar
from .log import Checkpoint, included, leaf_hash
from .note import Note
from .notation import Opt, hex32, number, one_of, text, unit_id
from .registry import walk_registries
from .statement import Statement, field_digest

MAX_FIELDS = 64


def is_list(v):
    return isinstance(v, list)


DISCLOSURE = {
    "format": one_of("countersign-disclosure-v1"),
    "unit": unit_id,
    "index": number,
    "statement": text,
    "proof": [hex32],
    "checkpoint": text,
    "registries": [text],
    "catalogue": text,
    "fields": [{"field": is_list, "position": number, "of": number, "proof": [hex32]}],
    "row": Opt({"columns": [text], "blinding": hex32}),
}


class Disclosure:
    """A disclosure on its way through the steps."""

    def __init__(self, doc, root):
        self.doc, self.root, self.unit = doc, root, doc["unit"]
        self.roots = self.newest = self.checkpoint = self.statement = None


def registry_chain(d):
    """Step 1."""
    notes = [Note(n.encode()) for n in d.doc["registries"]]
    chain, d.roots = walk_registries(notes, d.root)
    d.newest = chain[-1]
    need(d.unit in d.newest.units, "the registry does not know the unit")


def checkpoint_of_unit(d):
    """Step 2."""
    d.checkpoint = Checkpoint(d.doc["checkpoint"].encode())
    need(d.checkpoint.unit == d.unit, "a checkpoint of another log")
    d.checkpoint.note.verify(d.newest.keys_over(d.unit, d.checkpoint.size))


def statement_included(d):
    """Step 3."""
    index, proof = d.doc["index"], unhex(d.doc["proof"])
    leaf = leaf_hash(d.doc["statement"].encode())
    there = included(leaf, index, d.checkpoint.size, proof, d.checkpoint.root)
    need(there, "the statement is not in the log at %d" % index)


def statement_of_unit(d):
    """Step 4."""
    s = d.statement = Statement(Note(d.doc["statement"].encode()))
    need(s.unit == d.unit, "a statement of another unit")
    shows = d.doc["fields"] or d.doc["row"]
    need(s.form == "sealed" or not shows, "a statement without a record")


def fields_in_record(d):
    """Step 5."""
    for f in d.doc["fields"]:
        need(f["of"] <= MAX_FIELDS, "a record of more than 64 fields")
        leaf, proof = leaf_hash(field_digest(f["field"])), unhex(f["proof"])
        record = bytes.fromhex(d.statement.record)
        there = included(leaf, f["position"], f["of"], proof, record)
        need(there, "the field %s is not in the record" % f["field"][1])


def row_opens(d):
    """Step 6."""
    note = Note(d.doc["catalogue"].encode())
    catalogue = Catalogue(note)
    signed = d.newest.signed_by_roots(note.verify(d.roots))
    need(signed and note.digest == d.statement.catalogue, "not the statement's catalogue")
    if not d.doc["row"]:
        return
    schema, columns = catalogue.schema(d.statement.type), d.doc["row"]["columns"]
    known = schema is not None and all(c in schema.index for c in columns)
    need(known and len(set(columns)) == len(columns), "the row's columns")
    for block in schema.blocks:
        shown = sum(c in block.columns for c in columns)
        need(not block.counting or shown == 1, "not exactly one column in a block")
    terms = [(1, schema.base(schema.index[c])) for c in columns]
    opened = commitment(terms, read_scalar(d.doc["row"]["blinding"]))
    same = opened == bytes.fromhex(d.statement.row)
    need(same, "the row does not open the commitment")


STEPS = (
    registry_chain,
    checkpoint_of_unit,
    statement_included,
    statement_of_unit,
    fields_in_record,
    row_opens,
)


def unhex(hashes):
    return [bytes.fromhex(h) for h in hashes]


def check_disclosure(doc, root):
    """Returns (period, detail) or raises the first fault."""
    d = Disclosure(doc, root)
    for step in STEPS:
        step(d)
    shown = "leaf %d, %d fields" % (doc["index"], len(doc["fields"]))
    return d.statement.period, shown + (" and the row" if doc["row"] else "")
