"""SPEC 2: who exists, whose keys count, and the chain of the registry's versions."""

from .fault import need
from .note import COSIGNATURE, ED25519, Key, is_vkey, known_keys
from .notation import TIERS, Opt, digest, integer, is_time, month, number, text, tier, unit_id

MAX_UNITS = 20000
REGISTRY = {
    "version": integer(1, (1 << 63) - 1),
    "previous": Opt(digest),
    "from": Opt(month),
    "roots": [is_vkey],
    "threshold": number,
    "units": [
        {
            "id": unit_id,
            "name": text,
            "tier": tier,
            "parent": Opt(unit_id),
            "area": Opt(text),
            "since": month,
            "until": Opt(month),
            "successors": Opt([unit_id]),
            "former": Opt(
                [{"until": month, "name": text, "parent": Opt(unit_id), "area": Opt(text)}]
            ),
            "keys": [
                {
                    "vkey": is_vkey,
                    "from_index": number,
                    "revoked": Opt({"at_index": number, "reason": text}),
                }
            ],
            "witness": is_vkey,
            "former_witnesses": Opt([{"vkey": is_vkey, "until": is_time}]),
        }
    ],
}


class Registry:
    """One version of the registry, right in itself."""

    def __init__(self, note):
        doc = note.document("registry", REGISTRY)
        self.note, self.digest = note, note.digest
        self.version, self.previous = doc["version"], doc["previous"]
        self.roots, self.threshold = [Key.of(k) for k in doc["roots"]], doc["threshold"]
        self.changes_from = doc["from"]
        self.units = {u["id"]: u for u in doc["units"]}
        self.possible_children = {}  # in any month
        roots_and_threshold(self)
        units_and_keys(self, doc["units"])
        for u in doc["units"]:
            for parent in {entry["parent"] for entry in entries(u)} - {None}:
                self.possible_children.setdefault(parent, []).append(u["id"])

    def signed_by_roots(self, signed):
        """Whether the threshold of this version's roots is among the keys that signed."""
        own = {k.public for k in self.roots}
        return len({k.public for k in signed} & own) >= self.threshold

    def listed(self):
        """Every key that the version lists."""
        keys = list(self.roots)
        for unit in self.units:
            keys += self.node_keys(unit) + [key for key, _ in self.witnesses(unit)]
        return keys

    def node_keys(self, unit):
        """All node keys that the version lists for the unit."""
        return [Key.of(k["vkey"]) for k in self.units[unit]["keys"]]

    def keys_for_leaf(self, unit, index):
        """The node keys that may sign the leaf at this index."""
        return self._keys(unit, index, index)

    def keys_over(self, unit, size):
        """The node keys that may sign a checkpoint or rollup over so many leaves."""
        return self._keys(unit, size, size - 1)

    def _keys(self, unit, first, last):
        def valid(k):
            revoked = k["revoked"]
            return k["from_index"] <= first and not (revoked and revoked["at_index"] <= last)

        return [Key.of(k["vkey"]) for k in self.units[unit]["keys"] if valid(k)]

    def exists(self, unit, period):
        return unit in self.units and in_months(self.units[unit], period)

    def parent(self, unit, period):
        """Whom the unit reports to in this month, or None."""
        if not self.exists(unit, period):
            return None
        return entry_of(self.units[unit], period)["parent"]

    def ancestors(self, unit, period):
        """Those above the unit in this month, the nearest first."""
        found = []
        unit = self.parent(unit, period)
        while unit is not None:
            found.append(unit)
            unit = self.parent(unit, period)
        return found

    def ancestors_of_any_month(self, unit):
        found, todo = set(), [unit]
        while todo:
            above = {entry["parent"] for entry in entries(self.units[todo.pop()])}
            above -= found | {None}
            found |= above
            todo += above
        return found

    def witnesses(self, unit):
        """(key, the time before which it cosigns or None) of the unit."""
        u = self.units[unit]
        former = [(Key.of(w["vkey"]), w["until"]) for w in u["former_witnesses"] or ()]
        return former + [(Key.of(u["witness"]), None)]

    def subtree(self, unit, period):
        yield unit
        for child in self.reporting_below(unit, period):
            yield from self.subtree(child, period)

    def reporting_below(self, unit, period):
        """The unit's children that report in this month, sorted."""
        children = self.possible_children.get(unit, ())
        return sorted(c for c in children if self.parent(c, period) == unit)


def in_months(unit, period):
    """Whether a unit exists in a month."""
    return unit["since"] <= period and (unit["until"] is None or period <= unit["until"])


def entries(unit):
    """What a unit was, in order, and last what it is."""
    return (unit["former"] or []) + [unit]


def entry_of(unit, period):
    """The entry that holds in a month."""
    return next((e for e in unit["former"] or () if period <= e["until"]), unit)


def place(entry):
    return entry["name"], entry["parent"], entry["area"]


def month_after(period):
    """Months are compared as texts: behind the last of all stands one that there is not."""
    if period == "9999-12":
        return "9999-13"
    year, of_year = int(period[:4]), int(period[5:])
    return "%04d-%02d" % (year + (of_year == 12), of_year % 12 + 1)


def terms(unit):
    """(first month, last month or None, entry) for each entry of the unit."""
    first, found = unit["since"], []
    for entry in entries(unit):
        found.append((first, entry["until"], entry))
        first = entry["until"] and month_after(entry["until"])
    return found


def roots_and_threshold(registry):
    """Step 1."""
    first = registry.version == 1
    need((registry.previous is None) == first, "registry: previous")
    need(not first or registry.changes_from is None, "registry: from in version 1")
    need(1 <= registry.threshold <= len(registry.roots), "registry: threshold")
    ed25519 = all(k.algorithm == ED25519 for k in registry.roots)
    need(ed25519, "registry: a root that is not Ed25519")
    publics = {k.public for k in registry.roots}
    need(len(publics) == len(registry.roots), "registry: one root key twice")


def units_and_keys(registry, units):
    """Step 2."""
    need(len(units) <= MAX_UNITS, "registry: more than 20,000 units")
    need(len(registry.units) == len(units), "registry: one unit twice")
    for u in units:
        keys = [Key.of(k["vkey"]) for k in u["keys"]]
        named = all(k.algorithm == ED25519 and k.name == u["id"] for k in keys)
        need(keys and named, "registry: keys of %s" % u["id"])
        differ = len({k.public for k in keys}) == len(keys)
        need(differ, "registry: one key of %s twice" % u["id"])
        witnesses_of(registry, u["id"])
        months_of(u)
        successors_of(registry, u)
        for first, last, entry in terms(u):
            parent_of(registry, u, first, last, entry["parent"])
    known_keys(registry.listed())


def witnesses_of(registry, unit):
    keys = [key for key, _ in registry.witnesses(unit)]
    named = all(k.algorithm == COSIGNATURE and k.name == unit + "/witness" for k in keys)
    need(named, "registry: witness of %s" % unit)
    need(len({k.public for k in keys}) == len(keys), "registry: one witness of %s twice" % unit)
    times = [until for _, until in registry.witnesses(unit) if until is not None]
    need(rising(times), "registry: times of the witnesses of %s" % unit)


def rising(values):
    return all(a < b for a, b in zip(values, values[1:]))


def months_of(u):
    until, changes = u["until"], [e["until"] for e in u["former"] or ()]
    need(until is None or u["since"] <= until, "registry: %s ends before it begins" % u["id"])
    inside = all(u["since"] <= c < (until or "9999-12") for c in changes)
    need(inside and rising(changes), "registry: former entries of %s" % u["id"])


def successors_of(registry, u):
    ids = u["successors"] or []
    need(not ids or u["until"] is not None, "registry: successors of %s" % u["id"])
    for i in ids:
        good = i != u["id"] and u["until"] != "9999-12"
        good = good and registry.exists(i, month_after(u["until"]))
        need(good, "registry: the successor %s of %s" % (i, u["id"]))
    need(len(set(ids)) == len(ids), "registry: a successor of %s twice" % u["id"])


def parent_of(registry, u, first, last, parent):
    if parent is None:
        return
    need(parent in registry.units, "registry: parent of %s" % u["id"])
    above = registry.units[parent]
    higher = TIERS[above["tier"]] > TIERS[u["tier"]]
    need(higher, "registry: tier of %s's parent" % u["id"])
    lasts = above["until"] is None or (last is not None and last <= above["until"])
    whole = above["since"] <= first and lasts
    need(whole, "registry: %s does not exist in all months of %s" % (parent, u["id"]))


def first_version(registry, root, signed):
    """Step 3."""
    given = any(k.public == root.public for k in signed)
    need(given, "the registry is not signed by the root key")


def next_version(registry, before, signed):
    """Step 4."""
    need(registry.previous == before.digest, "registry %d does not follow" % registry.version)
    enough = before.signed_by_roots(signed)
    need(enough, "registry %d lacks signatures of the roots before it" % registry.version)


def past_stays(registry, before, roots):
    """Step 5. `roots` are those of all versions so far."""
    known_keys(roots + before.listed() + registry.listed())
    since = registry.changes_from
    if before.changes_from is not None:
        later = since is not None and since >= before.changes_from
        need(later, "registry %d: changes what is settled" % registry.version)
    for unit, old in before.units.items():
        need(unit in registry.units, "registry: %s is left out" % unit)
        new = registry.units[unit]
        same = (old["tier"], old["since"]) == (new["tier"], new["since"])
        need(same, "registry: tier or first month of %s" % unit)
        need(settled(old, since) == settled(new, since), "registry: the past of %s" % unit)
        if old["until"] and (since is None or month_after(old["until"]) < since):
            same = (old["successors"] or []) == (new["successors"] or [])
            need(same, "registry: successors of %s" % unit)
        keys_stay(unit, old["keys"], new["keys"])
        witnesses_stay(unit, before.witnesses(unit), registry.witnesses(unit))
    for unit, new in registry.units.items():
        begins = since is not None and new["since"] >= since
        need(unit in before.units or begins, "registry: %s is new in the past" % unit)


def settled(unit, since):
    """What held in the months before `since`, as (first month, what) of each change."""
    found = []
    for first, _, entry in terms(unit):
        if since is not None and first >= since:
            break
        if not found or found[-1][1] != place(entry):
            found.append((first, place(entry)))
    until = unit["until"]
    if until is not None and (since is None or month_after(until) < since):
        found.append((month_after(until), None))
    return found


def keys_stay(unit, old, new):
    def began(keys):
        return [(k["vkey"], k["from_index"]) for k in keys]

    def end(key):
        return float("inf") if key["revoked"] is None else key["revoked"]["at_index"]

    kept, more = new[: len(old)], new[len(old) :]
    need(began(kept) == began(old), "registry: a key of %s is gone" % unit)
    sooner = all(end(n) <= end(o) for o, n in zip(old, kept))
    need(sooner, "registry: a revocation of %s is taken back" % unit)
    last = max([k["from_index"] for k in kept if k["from_index"] < end(k)], default=0)
    need(all(k["from_index"] >= last for k in more), "registry: a new key of %s is early" % unit)


def witnesses_stay(unit, old, new):
    former, kept = old[:-1], new[: len(old) - 1]
    same = [k for k, _ in former] == [k for k, _ in kept]
    sooner = all(n is not None and n <= o for (_, o), (_, n) in zip(former, kept))
    goes_on = len(new) >= len(old) and new[len(old) - 1][0] == old[-1][0]
    need(same and sooner and goes_on, "registry: a witness key of %s is gone" % unit)


STEPS = (roots_and_threshold, units_and_keys, first_version, next_version, past_stays)


def walk_registries(notes, root):
    """Versions one by one. Returns the chain and all root keys that may sign in this file."""
    need(root.algorithm == ED25519, "the root key is not Ed25519")
    chain, roots = [], [root]
    for note in notes:
        registry = Registry(note)
        roots += [k for k in registry.roots if k not in roots]
        signed = note.verify(roots, every=True)
        due = len(chain) + 1
        number = registry.version
        need(number == due, "registry: version %d where %d is due" % (number, due))
        if chain:
            next_version(registry, chain[-1], signed)
        else:
            first_version(registry, root, signed)
        enough = registry.signed_by_roots(signed)
        need(enough, "registry %d lacks signatures of its roots" % number)
        if chain:
            past_stays(registry, chain[-1], roots)
        chain.append(registry)
    need(chain, "no registry")
    return chain, roots
