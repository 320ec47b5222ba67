"""SPEC 7: figures from sums, from last month's stocks and from the figures below."""

from .catalogue import COUNTED, STOCKS
from .fault import need
from .notation import BIG, Opt, signed_number

COUNTS = {
    "value": Opt(signed_number),
    "cells": Opt([[signed_number]]),
    "num": Opt(signed_number),
    "den": Opt(signed_number),
    "declared": Opt(signed_number),
}


class Counts:
    """The counts of one figure: all zero when new."""

    def __init__(self, catalogue, figure, doc=None):
        indicator = catalogue.figures[figure]
        self.counted = indicator["kind"] in COUNTED
        self.cells, self.value, self.num, self.den, self.declared = [], 0, 0, 0, 0
        if self.counted:
            self.cells = [[0] * len(catalogue.cells(t)) for t in indicator["tables"]]
        if doc is not None:
            self._read(figure, doc)

    def _read(self, figure, doc):
        need((doc["value"] is not None) == self.counted, "%s: value" % figure)
        quotient = not self.counted
        there = [doc[m] is not None for m in ("num", "den")]
        need(there == [quotient, quotient], "%s: num and den" % figure)
        cells = [list(t) for t in doc["cells"] or []]
        need(widths(cells) == widths(self.cells), "%s: a table of another shape" % figure)
        self.cells = cells
        self.value, self.num = doc["value"] or 0, doc["num"] or 0
        self.den, self.declared = doc["den"] or 0, doc["declared"] or 0
        self.in_range(figure)

    def named(self, old, new, figure):
        """The same counts in the cells of catalogue `new`, by their names in catalogue `old`."""
        if old.digest == new.digest:
            return self
        tables = old.figures[figure]["tables"]
        moved = Counts(new, figure)
        need(moved.counted == self.counted, "%s: counts of another kind" % figure)
        moved.value, moved.num, moved.den = self.value, self.num, self.den
        moved.declared = self.declared
        for t, table in enumerate(new.figures[figure]["tables"]):
            need(table in tables, "%s: a table that was not there before" % figure)
            counts = dict(zip(old.cells(table), self.cells[tables.index(table)]))
            moved.cells[t] = [counts.pop(name, 0) for name in new.cells(table)]
            need(not any(counts.values()), "%s: a count in a cell without a place" % figure)
        return moved

    def tuple(self):
        return self.value, self.num, self.den, self.declared, self.cells

    def add(self, other):
        need(widths(other.cells) == widths(self.cells), "a table of another shape")
        self.value, self.declared = self.value + other.value, self.declared + other.declared
        self.num, self.den = self.num + other.num, self.den + other.den
        tables = zip(self.cells, other.cells)
        self.cells = [[a + b for a, b in zip(mine, theirs)] for mine, theirs in tables]

    def in_range(self, figure):
        """Step 6."""
        flat = [self.value, self.num, self.den, self.declared]
        flat += [c for table in self.cells for c in table]
        need(all(abs(n) < BIG for n in flat), "%s: a number of 2^53 or more" % figure)


def widths(tables):
    return [len(t) for t in tables]


def own_figures(catalogue, tier, previous, sums):
    """Steps 1 to 3: figure -> Counts, in the catalogue's order.

    `previous` is last month's catalogue and its figures by id, or None; `sums` are pairs of a
    schema and its column sums, sealed and clear.
    """
    own = start(catalogue, previous)
    for schema, columns in sums:
        add_blocks(catalogue, schema, columns, own)
    quotients(catalogue, tier, own)
    return own


def start(catalogue, previous):
    """Step 1: flows at 0, stocks at the last month's own counts."""
    old, before = previous or (catalogue, {})
    own = {}
    for figure, indicator in catalogue.figures.items():
        own[figure] = Counts(catalogue, figure)
        if indicator["kind"] in STOCKS and figure in before and figure in old.figures:
            carried = Counts(old, figure, before[figure]["own"])
            own[figure] = carried.named(old, catalogue, figure)
    return own


def add_blocks(catalogue, schema, columns, own):
    """Step 2: the sums of one schema."""
    old = schema.catalogue
    for block in schema.blocks:
        if block.figure in own:
            counts = Counts(old, block.figure)
            count_block(counts, block, columns[block.start : block.end], schema)
            own[block.figure].add(counts.named(old, catalogue, block.figure))


def count_block(counts, block, x, schema):
    if not block.counting:
        if block.table == 0:
            counts.value += sum(v << bit for bit, v in enumerate(x))
        return
    sign, x = (-1 if block.direction == "out" else 1), x[:-1]
    if block.table == 0:
        counts.value += sign * sum(x)
        if schema.event["effect"]["baseline"]:
            counts.declared += sum(x)
    if counts.cells:
        counts.cells[block.table] = [sign * b for b in x]


def quotients(catalogue, tier, own):
    """Step 3, and the range of every own figure."""
    for figure, indicator in catalogue.figures.items():
        counts, kind = own[figure], indicator["kind"]
        if kind == "ratio" or (kind == "coverage" and indicator["per"] is None):
            counts.num = own[indicator["num"]].value
            counts.den = own[indicator["den"]].value
        elif indicator["per"] == tier:
            counts.num, counts.den = int(own[indicator["met"]].value >= 1), 1
        counts.in_range(figure)


def with_children(catalogue, figure, own, scopes, missing_units):
    """Step 4: own and the children's scope, member by member.

    `missing_units` is tier -> number of units that report already in the missing subtrees.
    """
    indicator = catalogue.figures[figure]
    total = Counts(catalogue, figure, own)
    for scope in scopes:
        if figure in scope:
            total.add(scope[figure])
    if indicator["kind"] == "coverage":
        total.den += missing_units.get(indicator["per"], 0)
    total.in_range(figure)
    return total


def basis_of(catalogue, figure, own, total):
    """Step 5."""
    indicator = catalogue.figures[figure]
    named = [indicator[m] for m in ("num", "den", "met") if indicator[m] is not None]
    for counts in (own, total):
        if any(counts[f].declared for f in [figure] + named if f in counts):
            return "declared"
    return "proven" if indicator["kind"] in COUNTED else "derived"


STEPS = (start, add_blocks, quotients, with_children, basis_of)
