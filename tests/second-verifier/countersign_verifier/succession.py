"""SPEC 5, Succession: whether a catalogue follows another one."""

from .fault import Fault, need

EVENT = ("code", "subject", "key", "system")
INDICATOR = ("kind", "subject", "unit", "tables", "per")


def later_version(old, new):
    """Step 1."""
    need(new.version > old.version, "version %d after %d" % (new.version, old.version))


def event_types(old, new):
    """Step 2."""
    for name, was in old.events.items():
        now = new.events.get(name)
        need(now is not None, "the event type %s is gone" % name)
        same = all(was[m] == now[m] for m in EVENT)
        same = same and was["effect"]["baseline"] == now["effect"]["baseline"]
        need(same and (was["pi"] == "P0") == (now["pi"] == "P0"), "%s is another type" % name)
        kinds = {f["name"]: f["kind"] for f in now["fields"]}
        for field in was["fields"]:
            same = kinds.get(field["name"], field["kind"]) == field["kind"]
            need(same, "%s.%s is of another kind" % (name, field["name"]))


def codes(old, new):
    """Step 3."""
    tables = [t for i in new.figures.values() for t in i["tables"]]
    for dimension in {d for table in tables for d in table}:
        gone = set(old.codes.get(dimension, ())) - set(new.codes[dimension])
        need(not gone, "dimension %s lost %s" % (dimension, sorted(gone)))


def indicators(old, new):
    """Step 4."""
    now = {i["id"]: i for i in new.figures.values()}
    for was in old.figures.values():
        i = now.get(was["id"], was)
        same = all(was[m] == i[m] for m in INDICATOR)
        need(same and was["windows"][:1] == i["windows"][:1], "%s is another" % was["id"])


STEPS = (later_version, event_types, codes, indicators)


def need_follows(old, new):
    """Refuses a catalogue that does not follow the old one."""
    for step in STEPS:
        step(old, new)


def comparable(a, b):
    """Whether figures of both can be added."""
    if a.digest == b.digest:
        return True
    older, newer = sorted((a, b), key=lambda c: c.version)
    try:
        need_follows(older, newer)
    except Fault:
        return False
    return True
