"""SPEC 8: the rollup's form."""

from .fault import need
from .figures import COUNTS
from .group import read_scalar
from .note import Note
from .notation import (
    Map,
    Opt,
    digest,
    explained,
    hex32,
    month,
    number,
    one_of,
    signed_number,
    small,
    text,
    tier,
    unit_id,
)

ROLLUP = {
    "unit": unit_id,
    "tier": tier,
    "period": month,
    "revision": small,
    "after": Opt({"period": month, "revision": small, "rollup": digest}),
    "supersedes": Opt(digest),
    "previous": Opt(digest),
    "catalogue": digest,
    "plans": [text],
    "registry": {"version": number, "digest": digest},
    "log": {"size": number, "root": hex32, "first": number},
    "children": [{"unit": unit_id, "rollup": digest, "revision": number}],
    "missing": [{"unit": unit_id, "reason": explained}],
    "figures": [
        {
            "id": text,
            "basis": one_of("proven", "derived", "declared"),
            "own": COUNTS,
            "sum": Opt(COUNTS),
        }
    ],
    "opening": {"sums": Map(text, [signed_number]), "blinding": hex32},
    "frozen": Map(text, digest),
    "late": Map(month, number),
    "voided": number,
    "explanations": [{"rule": text, "figure": text, "text": explained}],
    "signatories": {"preparer": text, "reviewer": text, "head": text},
}


class Rollup:
    """A rollup that is right in itself; `key` is its month and revision."""

    def __init__(self, data):
        self.note = Note(data)
        self.digest = self.note.digest
        doc = self.note.document("rollup", ROLLUP)
        self.unit, self.tier = doc["unit"], doc["tier"]
        self.period, self.revision = doc["period"], doc["revision"]
        self.key = (self.period, self.revision)
        self.after = doc["after"]
        self.supersedes, self.previous = doc["supersedes"], doc["previous"]
        self.catalogue, self.plans, self.registry = doc["catalogue"], doc["plans"], doc["registry"]
        self.log, self.size, self.first = doc["log"], doc["log"]["size"], doc["log"]["first"]
        self.children, self.missing = doc["children"], doc["missing"]
        self.explanations = doc["explanations"]
        self.figures, self.opening = doc["figures"], doc["opening"]
        self.late, self.voided, self.frozen = doc["late"], doc["voided"], doc["frozen"]
        self.signatories = doc["signatories"]
        need((self.supersedes is None) == (self.revision == 1), "rollup: supersedes")
        builds = self.supersedes is not None or self.previous is not None
        need(self.after is not None or not builds, "rollup: it follows none, but builds on one")
        need(self.first <= self.size, "rollup: log.first")
        need(len(set(self.plans)) == len(self.plans), "rollup: a plan twice")
        named = self.units_named()
        need(len(set(named)) == len(named), "rollup: a child twice")
        self.blinding = read_scalar(self.opening["blinding"])
        persons = set(self.signatories.values())
        need(len(persons) == 3, "rollup: the three signatories are not three persons")

    def units_named(self):
        """The units that stand in `children` or in `missing`."""
        return [c["unit"] for c in self.children + self.missing]
