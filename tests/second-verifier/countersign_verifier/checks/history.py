"""`history`: the log only grew, and months and revisions follow each other without a gap."""

from ..fault import need
from .case import month_after, month_before


def log_extends(case):
    """Step 1."""
    r, log = case.rollup, case.log
    there = len(log.entries) >= r.size
    need(there, "only %d of %d leaves are there" % (len(log.entries), r.size))
    need(log.root(r.size).hex() == r.log["root"], "the leaves give another root")
    for k in case.known:
        if k.size > r.size:
            continue  # step 6 says so
        on_the_way = log.root(k.size).hex() == k.log["root"]
        need(on_the_way, "%s.%d is not on the way" % k.key)
    same = case.checkpoint is not None and case.checkpoint.is_of(r)
    need(same, "the checkpoint is another")


def leaves_in_order(case):
    """Step 2."""
    case.no_fault("history")


def unbroken_chain(case):
    """Step 3."""
    end = case.chain_end
    need(end is None, "the chain breaks: %s is not there" % end)
    single = all(k.key != case.rollup.key for k in case.known)
    need(single, "a second rollup of this month and revision")


def last_of(case, period):
    """The last revision of a month on the chain, or None."""
    return max((k for k in case.known if k.period == period), key=lambda k: k.key, default=None)


def revision_chain(case):
    """Step 4."""
    r = case.rollup
    if r.revision == 1:
        first = r.period == case.since
        in_order = all(k.period < r.period and not first for k in case.known)
        need(in_order, "the first revision of a month follows another month's out of order")
        return
    last = last_of(case, r.period)
    follows = last is not None and last.revision == r.revision - 1
    need(follows and last.digest == r.supersedes, "the revision before is not the superseded one")


def previous_month(case):
    """Step 5."""
    r = case.rollup
    first = r.period == case.since
    need((r.previous is None) == first, "previous is null in another month than the first")
    if r.previous is None:
        return
    last = last_of(case, month_before(r.period))
    need(last is not None, "the rollup of the month before is not there")
    need(last.digest == r.previous, "it does not build on the last revision of the month before")


def never_back(case):
    """Step 6."""
    r = case.rollup
    for k in case.known:
        back = k.size > r.size or k.registry["version"] > r.registry["version"]
        need(not back, "log or registry is older than in %s.%d" % k.key)


# Months behind the newest that may have begun, while what is closed waits for its signatures.
BEGUN = 3


def months_reported(case):
    """Step 7."""
    r, since = case.rollup, case.since
    last = month_after(max([r.period] + [k.period for k in case.known]), BEGUN)
    for i in range(r.size):
        period = case.log.periods[i]
        if period is None:
            continue
        begun = since is None or period >= since
        reported = period <= last
        reported = reported and (case.until is None or period <= case.until)
        need(begun and reported, "leaf %d is of a month that nobody reports" % i)


def sealed_months(case):
    """Step 8."""
    r, log = case.rollup, case.log
    earlier = sorted((k for k in case.known if k.period < r.period), key=lambda k: k.key)
    sealed = {k.period: k.size for k in earlier}  # of each month its last revision
    for i in range(min(sealed.values(), default=r.size), r.size):
        end = sealed.get(log.periods[i], r.size)
        need(i < end, "leaf %d is of a sealed month" % i)


STEPS = (
    log_extends,
    leaves_in_order,
    unbroken_chain,
    revision_chain,
    previous_month,
    never_back,
    months_reported,
    sealed_months,
)


def verdict(case):
    r = case.rollup
    return "holds", "log of %d leaves, revision %d" % (r.size, r.revision)
