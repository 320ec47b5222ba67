"""SPEC 9: receipts and arrivals."""

from .fault import need
from .log import Checkpoint
from .notation import (
    Map,
    digest,
    is_time,
    month,
    one_of,
    says_something,
    seconds,
    small,
    text,
    unit_id,
)

CHECK = {
    "check": one_of("authorship", "arithmetic", "history", "binding", "timeliness"),
    "outcome": one_of("holds", "noted", "fails"),
    "detail": text,
}
RECEIPT = {
    "parent": unit_id,
    "child": unit_id,
    "period": month,
    "revision": small,
    "rollup": digest,
    "decision": one_of("accepted", "returned", "rejected", "reopened"),
    "received": is_time,
    "decided": is_time,
    "by": text,
    "reasons": [text],
    "about": [text],
    "checks": [CHECK],
    "checkpoint": text,
}
ARRIVALS = {"by": unit_id, "received": Map(digest, is_time)}


def check_receipts(case, receipts):
    """Yields the receipts of a rollup up to the first that does not hold."""
    before = None
    for receipt in receipts:
        decision_fits(receipt)
        parent_of_child(case, receipt)
        parent_signature(case, receipt)
        same_rollup(case, receipt)
        cosigned_checkpoint(case, receipt)
        order_of_receipts(before, receipt)
        before = receipt
        yield receipt


def decision_fits(receipt):
    """Step 1. Whatever is wrong with the parent's word is a fault of this one month."""
    receipt.update(receipt["note"].document("receipt", RECEIPT))
    decision = receipt["decision"]
    failed = any(k["outcome"] == "fails" for k in receipt["checks"])
    reason = any(says_something(r) for r in receipt["reasons"])
    explains = reason or decision not in ("returned", "reopened")
    need(explains, "receipt: %s without a reason" % decision)
    need(not failed or decision != "accepted", "receipt: accepted with a failed check")
    need(failed or decision != "rejected", "receipt: rejected without a failed check")
    says_nothing_else(receipt)


def says_nothing_else(receipt):
    """Who decided is of the parent; no check stands twice; another checkpoint is of the child."""
    names = [k["check"] for k in receipt["checks"]]
    need(len(set(names)) == len(names), "receipt: a check twice")
    by, parent = receipt["by"], receipt["parent"]
    person = by[len(parent) + 1 :]
    of_parent = by == parent or (by == "%s/%s" % (parent, person) and person not in ("", "witness"))
    need(of_parent, "receipt: decided by nobody of the parent")
    if receipt["decision"] != "accepted" and receipt["checkpoint"]:
        checkpoint = Checkpoint(receipt["checkpoint"].encode())
        need(checkpoint.unit == receipt["child"], "receipt: a checkpoint of another unit")


def parent_of_child(case, receipt):
    """Step 2."""
    unit, period = case.rollup.unit, case.rollup.period
    named = case.registry_of_number or case.newest
    parents = {registry.parent(unit, period) for registry in (case.newest, named)}
    fits = receipt["child"] == unit and receipt["parent"] in parents
    need(fits, "receipt: not of the unit's parent")


def parent_signature(case, receipt):
    """Step 3."""
    receipt["note"].verify(case.newest.node_keys(receipt["parent"]), every=True)


def same_rollup(case, receipt):
    """Step 4."""
    named = (receipt["rollup"], receipt["period"], receipt["revision"])
    need(named == (case.rollup.digest,) + case.rollup.key, "receipt: of another rollup")


def cosigned_checkpoint(case, receipt):
    """Step 5."""
    if receipt["decision"] != "accepted":
        return
    checkpoint = Checkpoint(receipt["checkpoint"].encode())
    need(checkpoint.is_of(case.rollup), "receipt: another checkpoint")
    signed = checkpoint.note.verify(case.file.checkpoint_keys(case.rollup.unit))
    held = any(
        key in signed and (until is None or checkpoint.note.time_of(key) < seconds(until))
        for key, until in case.newest.witnesses(receipt["parent"])
    )
    need(held, "receipt: no cosignature")


def order_of_receipts(before, receipt):
    """Step 6."""
    in_order = before is None or before["decided"] < receipt["decided"]
    need(in_order, "receipt: not in the order of decided")


STEPS = (
    decision_fits,
    parent_of_child,
    parent_signature,
    same_rollup,
    cosigned_checkpoint,
    order_of_receipts,
)
