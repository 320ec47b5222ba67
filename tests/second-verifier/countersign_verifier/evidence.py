"""SPEC 11: the evidence file."""

import re

from .archive import read_zip
from .catalogue import Catalogue
from .checks import judge
from .checks.case import Case
from .fault import need
from .log import MAX_BUNDLE, Checkpoint, read_bundle
from .note import Note
from .notation import TIERS
from .plan import PLAN
from .reading import Log
from .receipt import ARRIVALS
from .registry import walk_registries
from .rollup import Rollup

# kind -> the paths of its parts
PATHS = {
    "arrivals": re.compile(r"arrivals\.note"),
    "catalogue": re.compile(r"catalogue/sha256-([0-9a-f]{64})\.note"),
    "plan": re.compile(r"plan/sha256-([0-9a-f]{64})\.note"),
    "registry": re.compile(r"registry/([0-9]{6})\.note"),
    "checkpoint": re.compile(r"unit/([0-9A-Za-z]{1,16})/checkpoint/(0|[1-9][0-9]*)\.note"),
    "entries": re.compile(r"unit/([0-9A-Za-z]{1,16})/entries/([0-9]{6})"),
    "receipt": re.compile(
        r"unit/([0-9A-Za-z]{1,16})/receipt"
        r"/([0-9]{4}-[0-9]{2})\.([1-9][0-9]*)\.(0|[1-9][0-9]*)\.note"
    ),
    "rollup": re.compile(
        r"unit/([0-9A-Za-z]{1,16})/rollup/([0-9]{4}-[0-9]{2})\.([1-9][0-9]*)\.note"
    ),
}


class UnitParts:
    """The parts of one unit."""

    def __init__(self):
        self.entries = []
        self.checkpoints = {}  # size -> checkpoint
        self.rollups = {}  # (month, revision) -> rollup
        self.receipts = {}  # (month, revision) -> receipts in their order


class Parts:
    """Steps 1 and 5: the parts of a file, each of the form and the name that its path says."""

    def __init__(self, data):
        self.registries, self.catalogues, self.plans = [], [], []
        self.arrivals_note = self.arrivals = None
        self.units = {}
        for path, part in read_zip(data):
            kind, words = kind_of(path)
            getattr(self, "_add_" + kind)(path, part, *words)
        for unit in self.units.values():
            for receipts in unit.receipts.values():
                receipts.sort(key=lambda receipt: receipt["n"])

    def _unit(self, unit):
        return self.units.setdefault(unit, UnitParts())

    def _add_registry(self, path, part, _number):
        self.registries.append(Note(part))
        due = "registry/%06d.note" % len(self.registries)
        need(path == due, "registries are not numbered one by one")

    def _add_catalogue(self, path, part, hexadecimal):
        self.catalogues.append(note_of_digest(path, part, hexadecimal))

    def _add_plan(self, path, part, hexadecimal):
        self.plans.append(note_of_digest(path, part, hexadecimal))

    def _add_arrivals(self, _path, part):
        self.arrivals_note = Note(part)
        self.arrivals = self.arrivals_note.document("arrivals", ARRIVALS)

    def _add_entries(self, _path, part, unit, n):
        entries = self._unit(unit).entries
        due = len(entries) == MAX_BUNDLE * int(n)
        need(due, "bundles are not full or not numbered one by one")
        entries += read_bundle(part)

    def _add_checkpoint(self, path, part, unit, size):
        checkpoint = Checkpoint(part)
        need(str(checkpoint.size) == size, "%s is another checkpoint" % path)
        self._unit(unit).checkpoints[checkpoint.size] = checkpoint

    def _add_rollup(self, path, part, unit, period, revision):
        r = Rollup(part)
        named = (r.unit, r.period, str(r.revision)) == (unit, period, revision)
        need(named, "%s is another rollup" % path)
        self._unit(unit).rollups[r.key] = r

    def _add_receipt(self, _path, part, unit, period, revision, n):
        need(int(n) < 1 << 32, "a receipt's number of more than 32 bits")
        receipt = {"note": Note(part), "n": int(n)}
        key = (period, int(revision))
        self._unit(unit).receipts.setdefault(key, []).append(receipt)


def kind_of(path):
    for kind, pattern in PATHS.items():
        found = pattern.fullmatch(path)
        if found:
            return kind, found.groups()
    need(False, "a part that does not belong here: %s" % path)


def note_of_digest(path, part, hexadecimal):
    note = Note(part)
    need(note.digest == "sha256:" + hexadecimal, "%s has another digest" % path)
    return note


class Evidence:
    """An evidence file whose documents are signed by whom they must be."""

    def __init__(self, data, root):
        """Steps 1 to 5: what is wrong here refuses the file."""
        parts = parts_read(data)
        self.units, self.arrivals = parts.units, parts.arrivals
        self.chain, self.roots = registries_walked(parts, root)
        self.newest = self.chain[-1]
        self.catalogues, self.plans = published_signed(self, parts)
        for unit in self.units:
            need(unit in self.newest.units, "the registry does not know the unit %s" % unit)
        arrivals_signed(self, parts)
        everything_asked_for(self)
        self.by_digest = {}
        for unit in self.units.values():
            self.by_digest.update((r.digest, r) for r in unit.rollups.values())
        self.failed = {}  # digest -> the first check that fails
        self.unbound = set()  # digests of rollups that fail binding

    def checkpoint_keys(self, unit):
        """Who may sign a checkpoint of the unit: its node, and the witnesses above it."""
        above = sorted(self.newest.ancestors_of_any_month(unit))
        witnesses = [key for a in above for key, _ in self.newest.witnesses(a)]
        return self.newest.node_keys(unit) + witnesses

    def verify(self):
        """Steps 6 and 7. Returns the units of the report, top first."""

        def top_first(unit):
            return -TIERS[self.newest.units[unit]["tier"]], unit

        report = []
        for unit in sorted(self.units, key=top_first, reverse=True):
            parts = self.units[unit]
            log = Log(unit, parts.entries, self.newest, self.catalogues)
            months = rollups_judged(self, parts, log)
            entries_end_at_checkpoint(parts, log)
            other_checkpoints(self, parts, log)
            report.append({"unit": unit, "months": months})
        need(report, "the file has no unit")
        return report[::-1]


def parts_read(data):
    """Steps 1 and 5."""
    return Parts(data)


def registries_walked(parts, root):
    """Step 2."""
    return walk_registries(parts.registries, root)


def published_signed(file, parts):
    """Steps 3 and 4 for catalogues and plans."""
    for note in parts.catalogues + parts.plans:
        signed = file.newest.signed_by_roots(note.verify(file.roots, every=True))
        need(signed, "a catalogue or plan lacks signatures of the roots")
    catalogues = {note.digest: Catalogue(note) for note in parts.catalogues}
    return catalogues, [note.document("plan", PLAN) for note in parts.plans]


def arrivals_signed(file, parts):
    """Step 4 for the arrivals."""
    if parts.arrivals:
        by = parts.arrivals["by"]
        need(by in file.newest.units, "arrivals of an unknown unit")
        parts.arrivals_note.verify(file.newest.node_keys(by), every=True)


def chain_of(rollup, rollups):
    """SPEC 8: the rollups before this one, newest first, and what is missing, or None."""
    chain, after = [], rollup.after
    while after is not None:
        before = rollups.get((after["period"], after["revision"]))
        if before is None or before.digest != after["rollup"]:
            return chain, "%s.%d" % (after["period"], after["revision"])
        chain.append(before)
        after = before.after
    return chain, None


def rollups_judged(file, parts, log):
    """Step 6: the checks of each rollup of a unit, in the order in which they were sealed."""
    chains = {r.key: chain_of(r, parts.rollups) for r in parts.rollups.values()}
    months = []
    for r in sorted(parts.rollups.values(), key=lambda r: (r.size, len(chains[r.key][0])) + r.key):
        log.read_to(r.size)
        known, end = chains[r.key]
        case = Case(file, r, log, known, parts.checkpoints.get(r.size))
        case.chain_end = end
        verdicts = judge(case, parts.receipts.get(r.key, []))
        fails = [check for check, (outcome, _) in verdicts.items() if outcome == "fails"]
        if fails:
            file.failed[r.digest] = fails[0]
        if "binding" in fails:
            file.unbound.add(r.digest)
        months.append(month_of_report(r, verdicts))
    return sorted(months, key=lambda m: (m["period"], m["revision"]))


def month_of_report(r, verdicts):
    listed = [{"check": c, "outcome": o, "detail": d} for c, (o, d) in verdicts.items()]
    month = {"period": r.period, "revision": r.revision, "rollup": r.digest}
    return {**month, "verdicts": listed}


def everything_asked_for(file):
    """Step 7: no entry behind the last checkpoint, no receipt without its rollup."""
    for unit, parts in file.units.items():
        last = max(parts.checkpoints, default=0)
        need(len(parts.entries) <= last, "%s: entries behind the last checkpoint" % unit)
        for key in parts.receipts:
            need(key in parts.rollups, "a receipt of %s without its rollup" % unit)


def entries_end_at_checkpoint(parts, log):
    """Step 7: entries behind the last rollup."""
    last = max((r.size for r in parts.rollups.values()), default=0)
    end = len(log.entries)
    if end <= last:
        return
    ends = end in parts.checkpoints
    need(ends, "%s: entries behind the last rollup end at no checkpoint" % log.unit)
    before = log.faults.get("authorship")
    log.read_to(end)
    after = log.faults.get("authorship")
    need(after == before, "%s: %s" % (log.unit, after))


def other_checkpoints(file, parts, log):
    """Step 7: checkpoints that no rollup asks for."""
    unit, asked = log.unit, {r.size for r in parts.rollups.values()}
    for size, c in parts.checkpoints.items():
        if size in asked:
            continue
        right = c.unit == unit and size <= len(log.entries) and log.root(size) == c.root
        need(right, "%s: checkpoint %d is wrong" % (unit, size))
        valid = file.newest.keys_over(unit, size)
        signed = c.note.verify(file.checkpoint_keys(unit), every=True)
        need(any(k in valid for k in signed), "%s: checkpoint %d is not signed" % (unit, size))


STEPS = (
    parts_read,
    registries_walked,
    published_signed,
    arrivals_signed,
    rollups_judged,
    everything_asked_for,
    entries_end_at_checkpoint,
    other_checkpoints,
)
