"""`binding`: the figures are exactly what the month's leaves give."""

from ..commitments import commitment
from ..fault import need
from ..figures import Counts, basis_of, own_figures
from ..notation import BIG
from ..reading import Month
from ..succession import need_follows


def month_of(case):
    return case.log.months.get(case.rollup.period) or Month()


def leaves_by_catalogue(case):
    """Step 1."""
    r = case.rollup
    known = r.catalogue in case.file.catalogues
    need(known, "the catalogue %s is not known" % r.catalogue)
    case.no_fault("binding")
    same = month_of(case).catalogue in (None, r.catalogue)
    need(same, "the leaves of the month name another catalogue")


def opened_sums(case):
    """Step 2."""
    sums, leaves = case.rollup.opening["sums"], month_of(case).sealed
    need(set(sums) == set(leaves), "opening.sums has other types than the month")
    for event_type, columns in sums.items():
        schema = case.schema(event_type)
        whole = schema is not None and len(columns) == len(schema.columns)
        need(whole, "%s: number of columns" % event_type)
        in_range = all(abs(x) < BIG for x in columns)
        need(in_range, "%s: a sum that is out of range" % event_type)
        for block in schema.blocks:
            net = sum(columns[block.start : block.end])
            adds_up = not block.counting or net == leaves[event_type]
            need(adds_up, "%s: a block does not add up to the leaves" % block.columns[0])
        schema.check_tables(columns)


def opening_holds(case):
    """Step 3."""
    r, terms = case.rollup, []
    for event_type, columns in r.opening["sums"].items():
        schema = case.schema(event_type)
        terms += [(x, schema.base(j)) for j, x in enumerate(columns) if x]
    opened = commitment(terms, r.blinding)
    need(opened == month_of(case).sum, "the opening does not open the sum")


def own_figures_of_leaves(case):
    """figure -> the own counts that the leaves give."""
    r = case.rollup
    both = dict(r.opening["sums"])
    for event_type, counts in month_of(case).clear.items():
        columns = case.schema(event_type).columns
        both[event_type] = [counts.get(c, 0) for c in columns]
        in_range = all(abs(x) < BIG for x in both[event_type])
        need(in_range, "%s: a sum of clear rows that is out of range" % event_type)
    previous = None
    if r.previous is not None:
        before = next((k for k in case.known if k.digest == r.previous), None)
        need(before is not None, "the previous rollup is not there")
        need(before.digest not in case.file.unbound, "the previous rollup fails binding")
        old = case.file.catalogues.get(before.catalogue)
        need(old is not None, "the catalogue of the previous rollup is not known")
        if before.catalogue != r.catalogue:
            need_follows(old, case.catalogue)
        previous = (old, {f["id"]: f for f in before.figures})
    sums = [(case.schema(name), columns) for name, columns in both.items()]
    return own_figures(case.catalogue, r.tier, previous, sums)


def figures_follow(case):
    """Step 4."""
    own, published = own_figures_of_leaves(case), case.rollup.figures
    in_order = [f["id"] for f in published] == list(own)
    need(in_order, "not exactly the catalogue's figures in its order")
    for f in published:
        figure = f["id"]
        mine = Counts(case.catalogue, figure, f["own"])
        same = mine.tuple() == own[figure].tuple()
        need(same, "%s: own is not what the leaves give" % figure)
        if f["sum"] is None:
            basis = basis_of(case.catalogue, figure, own, {})
            need(f["basis"] == basis, "%s: basis" % figure)


def numbers_of_leaves(case):
    """Step 5."""
    r, month = case.rollup, month_of(case)
    need(r.voided == month.voided, "voided is not the leaves' number")
    need(r.late == month.late, "late is not the leaves' numbers")
    first = r.size if month.first is None else month.first
    need(r.first == first, "log.first is another leaf")


def frozen_lists(case):
    """Step 6."""
    figures = case.catalogue.figures.items()
    due = {f for f, i in figures if i["kind"] == "coverage" and i["per"] is None}
    need(set(case.rollup.frozen) == due, "frozen is not of exactly the coverages")


STEPS = (leaves_by_catalogue, opened_sums, opening_holds, figures_follow)
STEPS += (numbers_of_leaves, frozen_lists)


def verdict(case):
    return "holds", "%(sealed)d sealed and %(clear)d clear leaves" % month_of(case).leaves
