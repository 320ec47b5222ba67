"""SPEC 5: the catalogue and the schema of each event type."""

import itertools

from .commitments import column_generator
from .fault import need
from .notation import BIG, Map, Opt, boolean, compact, number, sha256, text, tier

CODE = {"code": text, "zh": text, "en": text}
FIELD = {
    "name": text,
    "zh": text,
    "en": text,
    "kind": text,
    "optional": boolean,
    "dimension": Opt(text),
    "codes": Opt([CODE]),
    "max": Opt(number),
}
EFFECT = {
    "begin": boolean,
    "end": boolean,
    "set": Map(text, text),
    "open": Opt(text),
    "close": Opt(text),
    "spell_key": Opt(text),
    "spell_set": Map(text, text),
    "baseline": boolean,
    "former": Opt(text),
    "confirms": Opt(text),
}
EVENT = {
    "code": text,
    "type": text,
    "zh": text,
    "en": text,
    "subject": text,
    "key": text,
    "pi": text,
    "levels": [tier],
    "fields": [FIELD],
    "effect": EFFECT,
    "system": boolean,
}
INDICATOR = {
    "id": text,
    "key": text,
    "zh": text,
    "en": text,
    "unit": text,
    "kind": text,
    "subject": Opt(text),
    "where": Opt(text),
    "events": [text],
    "tables": [[text]],
    "windows": [text],
    "field": Opt(text),
    "num": Opt(text),
    "den": Opt(text),
    "per": Opt(tier),
    "met": Opt(text),
}
RULE = {"id": text, "severity": text, "figure": text, "check": text, "zh": text, "en": text}
CATALOGUE = {
    "id": text,
    "version": number,
    "windows": [{"id": text, "from": text, "to": text}],
    "defines": [{"name": text, "expr": text}],
    "dimensions": [{"id": text, "zh": text, "en": text, "value": text, "codes": [CODE]}],
    "events": [EVENT],
    "indicators": [INDICATOR],
    "rules": [RULE],
}
COUNTED = ("times", "distinct", "sum", "amount", "stock", "milestone")
QUOTIENTS = ("ratio", "coverage")
STOCKS = ("stock", "milestone")
AMOUNT_BITS = 40
MAX_DIMENSIONS = 2
MAX_CELLS = 400
MAX_COLUMNS = 4096


def in_order(value, of):
    """Writes a document again: members in the order of the shape, maps by key, null left out."""
    if isinstance(of, Opt):
        return in_order(value, of.of)
    if isinstance(of, dict):
        there = [n for n in of if value[n] is not None]
        return {n: in_order(value[n], of[n]) for n in there}
    if isinstance(of, list):
        return [in_order(v, of[0]) for v in value]
    if isinstance(of, Map):
        return dict(sorted(value.items()))
    return value


class Catalogue:
    """A catalogue, its figures in order, and the schemas of its event types."""

    def __init__(self, note):
        doc = note.document("catalogue", CATALOGUE)
        self.digest, self.version = note.digest, doc["version"]
        again = "countersign/catalogue/v1\n%s\n" % compact(in_order(doc, CATALOGUE))
        need(note.text == again.encode(), "a catalogue that is written in another way")
        self.events = {e["type"]: e for e in doc["events"]}
        once = len(self.events) == len(doc["events"])
        need(once, "one event type twice in the catalogue")
        self.codes = {d["id"]: [c["code"] for c in d["codes"]] for d in doc["dimensions"]}
        self.rules = doc["rules"]
        self.figures, self._schemas = {}, {}
        for indicator in doc["indicators"]:
            self._add_indicator(indicator)

    def _add_indicator(self, indicator):
        kind = indicator["kind"]
        need(kind in COUNTED + QUOTIENTS, "an indicator of kind %s" % kind)
        for table in indicator["tables"]:
            known = 1 <= len(table) <= MAX_DIMENSIONS and all(d in self.codes for d in table)
            need(known, "a table of %s" % indicator["id"])
            need(len(self.cells(table)) <= MAX_CELLS, "a table of more than 400 cells")
        for window in [None] + indicator["windows"][1:]:
            figure = indicator["id"] + ("@" + window if window else "")
            need(figure not in self.figures, "the figure %s twice" % figure)
            self.figures[figure] = indicator

    def cells(self, table):
        """The names of a table's cells, the first dimension slowest."""
        if not table:
            return ["total"]
        return ["*".join(c) for c in itertools.product(*(self.codes[d] for d in table))]

    def schema(self, event_type):
        """The schema of an event type, or None where the catalogue does not know the type."""
        if event_type not in self.events:
            return None
        if event_type not in self._schemas:
            self._schemas[event_type] = Schema(self, self.events[event_type])
        return self._schemas[event_type]


class Block:
    """The columns of one figure, direction and table."""

    def __init__(self, figure, direction, table, name, cells, start):
        self.figure, self.direction, self.table, self.start = figure, direction, table, start
        self.cells = cells
        self.columns = ["%s:%s:%s:%s" % (figure, direction, name, c) for c in cells]
        self.counting = direction != "bit"
        self.end = start + len(cells)

    def marginals(self, dimensions, weights):
        """The net weight of each (dimension, code) of the table, and of each bit of an amount."""
        sums = {}
        for cell, weight in zip(self.cells, weights):
            if not self.counting:
                sums["bit", cell] = weight
            elif cell != "-":
                for pair in zip(dimensions, cell.split("*")):
                    sums[pair] = sums.get(pair, 0) + weight
                sums["total", ""] = sums.get(("total", ""), 0) + weight
        return sums


def directions_of(kind, event):
    if kind == "amount":
        return ["bit"]
    if kind in ("times", "sum"):
        return ["n"]
    if event["effect"]["baseline"] or (kind == "distinct" and not event["system"]):
        return ["in"]
    return ["in", "out"]


class Schema:
    """The columns of an event type's row."""

    def __init__(self, catalogue, event):
        self.catalogue, self.event, self.blocks, self.columns = catalogue, event, [], []
        for figure, indicator in catalogue.figures.items():
            if indicator["kind"] in COUNTED and event["code"] in indicator["events"]:
                self._add_figure(catalogue, figure, indicator)
        need(len(self.columns) <= MAX_COLUMNS, "a schema of more than 4096 columns")
        self.index = {c: i for i, c in enumerate(self.columns)}
        need(len(self.index) == len(self.columns), "one column twice in a schema")
        lines = "".join(c + "\n" for c in self.columns)
        named = "countersign-schema-v1\n%s\n" % event["type"] + lines
        self.digest = "sha256:" + sha256(named.encode()).hex()
        self._bases = {}

    def _add_figure(self, catalogue, figure, indicator):
        for direction in directions_of(indicator["kind"], self.event):
            for t, table in enumerate(indicator["tables"] or [[]]):
                if direction == "bit":
                    cells = [str(b) for b in range(AMOUNT_BITS)]
                else:
                    cells = catalogue.cells(table) + ["-"]
                name = "*".join(table) or "total"
                block = Block(figure, direction, t, name, cells, len(self.columns))
                block.dimensions = table
                self.blocks.append(block)
                self.columns += block.columns

    def base(self, j):
        """The generator of column j."""
        if j not in self._bases:
            self._bases[j] = column_generator(self.digest, self.columns[j])
        return self._bases[j]

    def check_tables(self, columns):
        """All tables of a figure and direction count the same leaves, code by code."""
        of_figure = {}
        for block in self.blocks:
            weights = columns[block.start : block.end]
            before = of_figure.setdefault((block.figure, block.direction), {})
            for name, weight in block.marginals(block.dimensions, weights).items():
                same = before.setdefault(name, weight) == weight
                need(same, "%s: the tables contradict one another" % block.figure)

    def check_fields(self, clear):
        """No number is above the maximum that its field has."""
        for field in self.event["fields"]:
            value = clear.get(field["name"])
            weighs = field["max"] is not None and type(value) is int
            need(not weighs or value <= field["max"], "%s is above its maximum" % field["name"])

    def check_counts(self, counts):
        """The form of a clear row: columns of the schema, no zero, no "-", one cell a block."""
        for column, value in counts.items():
            counts_something = column in self.index and not column.endswith(":-")
            in_range = counts_something and 0 < value < BIG
            need(in_range, "counts has %s: %d" % (column, value))
        for block in self.blocks:
            moved = [c for c in block.columns if c in counts]
            one = not block.counting or len(moved) <= 1
            need(one, "counts has two cells of one block")
            bits = block.counting or all(counts[c] == 1 for c in moved)
            need(bits, "counts has a bit that is not 1")
        self.check_tables([counts.get(c, 0) for c in self.columns])
