"""The words of the specification's notation: digests, base64, JSON and the forms of members."""

import base64
import datetime
import hashlib
import json
import re

from .fault import Fault, need

TIERS = {"county": 0, "city": 1, "province": 2}
BIG = 1 << 53  # figures and weights stay below it in magnitude
# Unicode's White_Space; `str.strip` without an argument strips U+001C to U+001F as well
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def sha256(data):
    return hashlib.sha256(data).digest()


def unbase64(encoded):
    """RFC 4648 section 4; every other spelling of the same bytes is refused."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError as e:
        raise Fault("base64: %s" % e)
    need(base64.b64encode(raw).decode() == encoded, "base64 with another spelling")
    return raw


# Forms: functions that tell whether a JSON value is of the form.


def matches(pattern):
    compiled = re.compile(pattern)
    return lambda v: isinstance(v, str) and compiled.fullmatch(v) is not None


def integer(low, high):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def one_of(*words):
    return lambda v: isinstance(v, str) and v in words


def text(v):
    return isinstance(v, str)


def boolean(v):
    return isinstance(v, bool)


# A document is malformed only outside of 64 bits; the check that uses a number judges its range.
number = integer(0, (1 << 64) - 1)
signed_number = integer(-(1 << 63), (1 << 63) - 1)
small = integer(1, (1 << 32) - 1)
digest = matches("sha256:[0-9a-f]{64}")
hex32 = matches("[0-9a-f]{64}")
month = matches("(19|[2-9][0-9])[0-9]{2}-(0[1-9]|1[0-2])")
unit_id = matches("[0-9A-Za-z]{1,16}")
event_id = matches("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
time_of_form = matches("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
day_of_form = matches("[0-9]{4}-[0-9]{2}-[0-9]{2}")
tier = one_of(*TIERS)


def scalar_value(v):
    return isinstance(v, (str, bool)) or signed_number(v)


def instant(written):
    return datetime.datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ")


def seconds(written):
    """Seconds since 1970."""
    return int((instant(written) - datetime.datetime(1970, 1, 1)).total_seconds())


def is_time(v):
    if not time_of_form(v):
        return False
    try:
        return bool(instant(v))
    except ValueError:
        return False


def is_day(v):
    return day_of_form(v) and is_time(v + "T00:00:00Z")


def says_something(v):
    """Whether a text is not empty and not only white space."""
    return v.strip(WHITE_SPACE) != ""


def explained(v):
    """A reason or an explanation: 1-500 characters and not only white space."""
    return isinstance(v, str) and says_something(v) and len(v) <= 500


class Opt:
    """An optional or nullable member: absent and null are the same."""

    def __init__(self, of):
        self.of = of


class Map:
    """An object with free keys of one form and values of one form."""

    def __init__(self, key, of):
        self.key, self.of = key, of


def shape(value, of, at="document"):
    """Checks a JSON value against a shape and fills absent optional members with None."""
    if isinstance(of, dict):
        _members(value, of, at)
    elif isinstance(of, list):
        need(isinstance(value, list), "%s is no list" % at)
        for i, item in enumerate(value):
            shape(item, of[0], "%s[%d]" % (at, i))
    elif isinstance(of, Map):
        need(isinstance(value, dict), "%s is no object" % at)
        for key, item in value.items():
            need(of.key(key), "%s has the key %r" % (at, key))
            shape(item, of.of, "%s.%s" % (at, key))
    else:
        need(of(value), "%s is not of its form: %r" % (at, value))
    return value


def _members(value, of, at):
    need(isinstance(value, dict), "%s is no object" % at)
    for name in value:
        need(name in of, "%s has an unknown member %s" % (at, name))
    for name, inner in of.items():
        if isinstance(inner, Opt):
            if value.setdefault(name, None) is not None:
                shape(value[name], inner.of, "%s.%s" % (at, name))
        else:
            need(name in value, "%s lacks %s" % (at, name))
            shape(value[name], inner, "%s.%s" % (at, name))


def _unique_members(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs), "a member stands twice")
    return members


def _whole_number(digits):
    need(digits != "-0" and len(digits) < 21, "a number that is no integer of 64 bits")
    return int(digits)


def _not_whole(word):
    raise Fault("a number that is not whole: %s" % word)


def parse_json(line):
    """JSON without duplicate members, fractions, exponents, -0 or lone surrogates."""
    try:
        value = json.loads(
            line,
            object_pairs_hook=_unique_members,
            parse_int=_whole_number,
            parse_float=_not_whole,
            parse_constant=_not_whole,
        )
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
        return value
    except (ValueError, RecursionError) as e:
        raise Fault("JSON: %s" % e)


def compact(value):
    """The compact JSON text: no spaces, non-ASCII as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
