"""`arithmetic`: tables add up, and so do the units below."""

from ..fault import need
from ..figures import Counts, basis_of, with_children
from ..succession import comparable


def cells_add_up(case):
    """Step 1."""
    known = all(f["id"] in case.catalogue.figures for f in case.rollup.figures)
    need(known, "a figure that the catalogue does not have")
    for counts in (case.own, case.total):
        for figure, c in counts.items():
            adds_up = all(sum(t) == c.value for t in c.cells)
            need(adds_up, "%s: the cells of a table do not add up" % figure)


def every_child_named(case):
    """Step 2."""
    r = case.rollup
    due = case.registry.reporting_below(r.unit, r.period)
    need(sorted(r.units_named()) == due, "children and missing are not the units below it")


def child_rollups(case):
    """Step 3."""
    r = case.rollup
    for c in r.children:
        unit = c["unit"]
        child = case.children.get(unit)
        need(child is not None, "the rollup of %s is not there" % unit)
        named = (unit, r.period, c["revision"])
        found = (child.unit, child.period, child.revision)
        need(found == named, "the rollup of %s is another one" % unit)
        theirs = case.file.catalogues.get(child.catalogue)
        added = theirs is not None and comparable(theirs, case.catalogue)
        need(added, "%s counted by a catalogue that cannot be added to this one" % unit)
        below = case.registry.reporting_below(unit, r.period)
        same = sorted(child.units_named()) == below
        need(same, "%s counted other units than the registry named here puts below it" % unit)


def figures_add_up(case):
    """Step 4."""
    r = case.rollup
    if not r.units_named():
        need(not case.total, "a sum without children")
        return
    scopes = [scope_of(case, c["unit"]) for c in r.children]
    missing = missing_units(case)
    for f in r.figures:
        figure = f["id"]
        expected = with_children(case.catalogue, figure, f["own"], scopes, missing)
        same = figure in case.total and expected.tuple() == case.total[figure].tuple()
        need(same, "%s: the sum is not own and children" % figure)
    for f in r.figures:
        basis = basis_of(case.catalogue, f["id"], case.own, case.total)
        need(f["basis"] == basis, "%s: basis" % f["id"])


def scope_of(case, unit):
    """figure -> the child's sum, else its own counts, of those that both catalogues have."""
    child = case.children[unit]
    old, new = case.file.catalogues[child.catalogue], case.catalogue
    mine, theirs = {f["id"] for f in case.rollup.figures}, {f["id"] for f in child.figures}
    need(mine & set(old.figures) <= theirs, "the figures of %s" % unit)
    scope = {}
    for f in child.figures:
        counts = f["own"] if f["sum"] is None else f["sum"]
        there = f["id"] in old.figures and f["id"] in new.figures
        if there:
            scope[f["id"]] = Counts(old, f["id"], counts).named(old, new, f["id"])
    return scope


def missing_units(case):
    """tier -> number of units in the missing subtrees that report in the month."""
    registry, number = case.registry, {}
    for m in case.rollup.missing:
        for unit in registry.subtree(m["unit"], case.rollup.period):
            tier = registry.units[unit]["tier"]
            number[tier] = number.get(tier, 0) + 1
    return number


def children_hold(case):
    """Step 5."""
    for c in case.rollup.children:
        failed = case.file.failed.get(c["rollup"])
        need(failed is None, "the rollup of %s does not hold: %s fails" % (c["unit"], failed))


def rules_explained(case):
    """Step 6, without the conditions: what is explained is a soft rule, of its figure, once."""
    soft = {r["id"]: r["figure"] for r in case.catalogue.rules if r["severity"] == "soft"}
    explained = [e["rule"] for e in case.rollup.explanations]
    need(len(set(explained)) == len(explained), "explains one rule twice")
    for e in case.rollup.explanations:
        fits = soft.get(e["rule"]) == e["figure"]
        need(fits, "explains %s, which is no soft rule of this figure" % e["rule"])


STEPS = (cells_add_up, every_child_named, child_rollups, figures_add_up)
STEPS += (children_hold, rules_explained)


def verdict(case):
    figures, children = len(case.own), len(case.rollup.children)
    if not case.rollup.units_named():
        return "holds", "%d figures" % figures
    return "holds", "%d figures, %d children" % (figures, children)
