"""SPEC 2: who exists, whose keys count, and the chain of the registry's versions."""

from .fault import need
from .note import COSIGNATURE, ED25519, Key, is_vkey
from .notation import TIERS, Opt, digest, integer, month, number, text, tier, unit_id

MAX_UNITS = 20000
REGISTRY = {
    "version": integer(1, (1 << 63) - 1),
    "previous": Opt(digest),
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
            "keys": [
                {
                    "vkey": is_vkey,
                    "from_index": number,
                    "revoked": Opt({"at_index": number, "reason": text}),
                }
            ],
            "witness": is_vkey,
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
        self.units = {u["id"]: u for u in doc["units"]}
        self.children = {}
        roots_and_threshold(self)
        units_and_keys(self, doc["units"])
        for u in doc["units"]:
            if u["parent"] is not None:
                self.children.setdefault(u["parent"], []).append(u["id"])

    def signed_by_roots(self, signed):
        """Whether the threshold of this version's roots is among the keys that signed."""
        own = {k.public for k in self.roots}
        return len({k.public for k in signed} & own) >= self.threshold

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

    def ancestors(self, unit):
        found = []
        while unit in self.units and self.units[unit]["parent"] is not None:
            unit = self.units[unit]["parent"]
            found.append(unit)
        return found

    def witness(self, unit):
        return Key.of(self.units[unit]["witness"])

    def subtree(self, unit):
        yield unit
        for child in self.children.get(unit, ()):
            yield from self.subtree(child)

    def reporting_below(self, unit, period):
        """The unit's children that report in this month, sorted."""
        children = self.children.get(unit, ())
        return sorted(c for c in children if self.units[c]["since"] <= period)


def roots_and_threshold(registry):
    """Step 1."""
    first = registry.version == 1
    need((registry.previous is None) == first, "registry: previous")
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
        witness = Key.of(u["witness"])
        named = witness.algorithm == COSIGNATURE and witness.name == u["id"] + "/witness"
        need(named, "registry: witness of %s" % u["id"])
        if u["parent"] is not None:
            need(u["parent"] in registry.units, "registry: parent of %s" % u["id"])
            parent = registry.units[u["parent"]]
            higher = TIERS[parent["tier"]] > TIERS[u["tier"]]
            need(higher, "registry: tier of %s's parent" % u["id"])


def first_version(registry, root, signed):
    """Step 3."""
    given = any(k.public == root.public for k in signed)
    need(given, "the registry is not signed by the root key")


def next_version(registry, before, signed):
    """Step 4."""
    need(registry.previous == before.digest, "registry %d does not follow" % registry.version)
    enough = before.signed_by_roots(signed)
    need(enough, "registry %d lacks signatures of the roots before it" % registry.version)


STEPS = (roots_and_threshold, units_and_keys, first_version, next_version)


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
        chain.append(registry)
    need(chain, "no registry")
    return chain, roots
