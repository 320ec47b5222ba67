"""`history`: the log only grew, and months and revisions follow each other without a gap."""

from ..fault import need
from .case import month_before


def log_extends(case):
    """Step 1."""
    r, log = case.rollup, case.log
    there = len(log.entries) >= r.size
    need(there, "only %d of %d leaves are there" % (len(log.entries), r.size))
    need(log.root(r.size).hex() == r.log["root"], "the leaves give another root")
    for k in case.known:
        on_the_way = k.size <= r.size and log.root(k.size).hex() == k.log["root"]
        need(on_the_way, "%s.%d is not on the way" % k.key)
    same = case.checkpoint is not None and case.checkpoint.is_of(r)
    need(same, "the checkpoint is another")


def leaves_in_order(case):
    """Step 2."""
    case.no_fault("history")


def one_rollup_a_revision(case):
    """Step 3."""
    single = all(k.key != case.rollup.key for k in case.known)
    need(single, "a second rollup of this month and revision")


def superseded(case):
    """The revision that the rollup supersedes, where it is known."""
    r = case.rollup
    key = (r.period, r.revision - 1)
    return next((k for k in case.known if k.key == key and k.digest == r.supersedes), None)


def revision_chain(case):
    """Step 4."""
    if case.rollup.revision > 1:
        need(superseded(case), "the revision that it supersedes is not there")


def rollup_before(case):
    """The rollup of the month before that this one names, where it is known."""
    r = case.rollup
    before = month_before(r.period)
    named = (k for k in case.known if k.digest == r.previous and k.period == before)
    return next(named, None)


def previous_month(case):
    """Step 5."""
    r = case.rollup
    first = r.period == case.since
    need((r.previous is None) == first, "previous is null in another month than the first")
    if r.previous is None:
        return
    before = rollup_before(case)
    need(before is not None, "the rollup of the month before is not there")
    for k in case.known:
        later = k.period == before.period and k.revision > before.revision
        replaced = later and k.size < r.size
        need(not replaced, "it builds on a revision that was replaced")


def never_back(case):
    """Step 6."""
    r = case.rollup
    followed = [superseded(case) if r.revision > 1 else None]
    followed.append(rollup_before(case) if r.previous is not None else None)
    for k in followed:
        if k is not None:
            back = k.size > r.size or k.registry["version"] > r.registry["version"]
            need(not back, "log or registry is older than in %s.%d" % k.key)


def months_reported(case):
    """Step 7."""
    r, since = case.rollup, case.since
    last = max([r.period] + [k.period for k in case.known])
    for i in range(r.size):
        period = case.log.periods[i]
        if period is None:
            continue
        begun = since is None or period >= since
        reported = period <= last or month_before(period) == last
        reported = reported and (case.until is None or period <= case.until)
        need(begun and reported, "leaf %d is of a month that nobody reports" % i)


def sealed_months(case):
    """Step 8."""
    r, log = case.rollup, case.log
    earlier = sorted((k for k in case.known if k.period < r.period), key=lambda k: k.key)
    sealed = {k.period: k.size for k in earlier}  # of each month its last revision
    named = rollup_before(case)
    if named is not None:
        sealed[named.period] = named.size
    for i in range(min(sealed.values(), default=r.size), r.size):
        end = sealed.get(log.periods[i], r.size)
        need(i < end, "leaf %d is of a sealed month" % i)


STEPS = (
    log_extends,
    leaves_in_order,
    one_rollup_a_revision,
    revision_chain,
    previous_month,
    never_back,
    months_reported,
    sealed_months,
)


def verdict(case):
    r = case.rollup
    return "holds", "log of %d leaves, revision %d" % (r.size, r.revision)
