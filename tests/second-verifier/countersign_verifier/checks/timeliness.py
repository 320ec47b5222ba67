"""`timeliness`: whether the rollup arrived by its deadline. It never fails."""

import datetime

from ..notation import instant
from ..plan import DEFAULT_DAYS, read_plan
from .case import last_day

CHINA = datetime.timedelta(hours=8)


def day_of_arrival(case):
    """Step 1: finds the day of arrival in China, or None; it never raises."""
    r, arrivals = case.rollup, case.file.arrivals
    arrived = None
    if arrivals and arrivals["by"] in case.newest.ancestors(r.unit, r.period):
        arrived = arrivals["received"].get(r.digest)
    arrived = arrived or case.received
    case.arrived = None if arrived is None else later(instant(arrived), CHINA).date()


def deadline(case):
    """The last day on which the rollup is in time, by the first plan of the topmost unit.

    The rollup need not name the plan: nobody chooses its own deadline.
    """
    r = case.rollup
    above = case.newest.ancestors(r.unit, r.period) or [r.unit]
    plans = [read_plan(p["toml"]) for p in case.file.plans]
    default = DEFAULT_DAYS[r.tier]
    days = [days.get(r.tier, default) for unit, days in plans if unit == above[-1]]
    end = datetime.datetime(*last_day(r.period))
    return later(end, datetime.timedelta((days or [default])[0])).date()


def later(time, span):
    """Python knows no day behind the year 9999."""
    try:
        return time + span
    except OverflowError:
        return datetime.datetime.max


STEPS = (day_of_arrival,)


def verdict(case):
    if case.arrived is None:
        return "noted", "not known when it arrived"
    due = deadline(case)
    outcome = "holds" if case.arrived <= due else "noted"
    return outcome, "arrived %s, due %s" % (case.arrived, due)
