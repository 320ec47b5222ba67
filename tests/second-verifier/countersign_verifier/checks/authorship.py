"""`authorship`: whose keys signed the leaves, the rollup and its checkpoint."""

from ..fault import need


def leaves_signed(case):
    """Step 1."""
    case.no_fault("authorship")


def registry_named(case):
    """Step 2."""
    r = case.rollup
    unit = case.registry.units.get(r.unit)
    same = case.registry.digest == r.registry["digest"]
    need(same, "the registry that it names is another")
    known = unit is not None and unit["tier"] == r.tier
    need(known, "the registry knows no such unit of this tier")
    exists = case.registry.exists(r.unit, r.period)
    need(exists, "%s does not exist in %s" % (r.unit, r.period))


def node_signed(case):
    """Step 3, and SPEC 11.4 for the rollup's lines."""
    valid = any(k in case.valid_node_keys for k in case.signed)
    need(valid, "no signature of a node key that is valid at %d" % case.rollup.size)


def signatories_signed(case):
    """Step 4."""
    for role, name in case.rollup.signatories.items():
        key, roles = case.log.people.get(name, (None, ()))
        need(role in roles, "%s is not enrolled as %s" % (name, role))
        need(key in case.signed, "%s has not signed" % name)


def checkpoint_signed(case):
    """Step 5."""
    need(case.checkpoint is not None, "no checkpoint of size %d" % case.rollup.size)
    keys = case.file.checkpoint_keys(case.rollup.unit)
    signed = case.checkpoint.note.verify(keys, every=True)
    valid = any(k in case.valid_node_keys for k in signed)
    need(valid, "the checkpoint is not signed by a valid node key")


STEPS = (leaves_signed, registry_named, node_signed, signatories_signed, checkpoint_signed)


def verdict(case):
    return "holds", "node key, 3 signatories and %d statements" % case.rollup.size
