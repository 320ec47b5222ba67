"""What the checks of one rollup look at, and what several steps ask for."""

import calendar
from functools import cached_property

from ..fault import need
from ..figures import Counts


class Case:
    """One rollup in its evidence file.

    `known` are the rollups on its chain, `chain_end` what is missing of it, or None; `log` is read
    up to its size; `checkpoint` is the one of its size, or None. Where several steps need one thing, the first to ask finds its fault.
    """

    def __init__(self, file, rollup, log, known, checkpoint):
        self.file, self.rollup, self.log = file, rollup, log
        self.known, self.checkpoint = known, checkpoint
        self.newest = file.chain[-1]
        self.chain_end = None
        self.received = None  # of the first receipt, where it holds

    def no_fault(self, check):
        need(check not in self.log.faults, self.log.faults.get(check))

    @cached_property
    def registry_of_number(self):
        """The registry of the version number that the rollup names, or None."""
        version = self.rollup.registry["version"]
        return next((g for g in self.file.chain if g.version == version), None)

    @cached_property
    def registry(self):
        """The named registry."""
        found = self.registry_of_number
        need(found is not None, "the registry that it names is not in the chain")
        return found

    @cached_property
    def catalogue(self):
        named = self.rollup.catalogue
        catalogue = self.file.catalogues.get(named)
        need(catalogue is not None, "the catalogue %s is not known" % named)
        return catalogue

    def schema(self, name):
        """The schema of a type, or of `type@digest` an earlier one; None where it is unknown."""
        event_type, _, digest = name.partition("@")
        if not digest:
            return self.catalogue.schema(event_type)
        schemas = (c.schema(event_type) for c in self.file.catalogues.values())
        return next((s for s in schemas if s is not None and s.digest == digest), None)

    @cached_property
    def signed(self):
        """The keys that signed the rollup; no line of another key is allowed (SPEC 11.4)."""
        allowed = self.newest.node_keys(self.rollup.unit) + list(self.log.ever.values())
        return self.rollup.note.verify(allowed, every=True)

    @cached_property
    def valid_node_keys(self):
        return self.log.of_nobody(self.newest.keys_over(self.rollup.unit, self.rollup.size))

    @cached_property
    def own(self):
        """figure -> its own counts as published."""
        return self._published("own")

    @cached_property
    def total(self):
        """figure -> its sum as published, where it has one."""
        return self._published("sum")

    def _published(self, member):
        figures = [f for f in self.rollup.figures if f[member] is not None]
        return {f["id"]: Counts(self.catalogue, f["id"], f[member]) for f in figures}

    @cached_property
    def since(self):
        """The first month that the unit reports."""
        unit, registry = self.rollup.unit, self.registry_of_number
        if registry is None:
            return self.newest.units[unit]["since"]
        return registry.units.get(unit, {}).get("since")

    @cached_property
    def until(self):
        """The last month that the unit reports, or None."""
        registry = self.registry_of_number or self.newest
        return registry.units.get(self.rollup.unit, {}).get("until")

    @cached_property
    def children(self):
        """The rollups that are named in `children` and are there, by unit."""
        found = {c["unit"]: self.file.by_digest.get(c["rollup"]) for c in self.rollup.children}
        return {unit: child for unit, child in found.items() if child is not None}


def month_before(period):
    year, month = int(period[:4]), int(period[5:])
    return "%04d-%02d" % (year - (month == 1), month - 1 or 12)


def month_after(period, months):
    """So many months later; the calendar ends with 9999-12."""
    year, month = int(period[:4]), int(period[5:])
    n = min(year * 12 + month - 1 + months, 9999 * 12 + 11)
    return "%04d-%02d" % (n // 12, n % 12 + 1)


def last_day(period):
    """(year, month, day) of the month's last day."""
    year, month = int(period[:4]), int(period[5:])
    return year, month, calendar.monthrange(year, month)[1]
