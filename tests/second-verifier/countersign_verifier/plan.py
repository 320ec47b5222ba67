"""SPEC 5: plans, as far as a verifier reads them: whose plan it is, and the days of reporting."""

import re

from .notation import text

PLAN = {"id": text, "toml": text}
DAYS = re.compile("[0-9]{1,9}")  # more than any calendar has
DEFAULT_DAYS = {"county": 5, "city": 10, "province": 15}
WANTED = re.compile(r'(area_code|(county|city|province)_days)\s*=\s*"?([^"]*?)"?')


def read_plan(toml):
    """(area_code of [plan], tier -> days of [reporting]).

    A reader of `key = value` lines is enough; tomllib is younger than Python 3.9.
    """
    area, days, section = None, {}, None
    for line in toml.split("\n"):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            section = line
        found = WANTED.fullmatch(line)
        if not found:
            continue
        name, of_tier, value = found.groups()
        if section == "[plan]" and name == "area_code":
            area = value
        elif section == "[reporting]" and of_tier and DAYS.fullmatch(value):
            days[of_tier] = int(value)
    return area, days
