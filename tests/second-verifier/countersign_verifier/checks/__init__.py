"""SPEC 8: the five checks of a rollup, in their order."""

from ..fault import Fault
from ..receipt import check_receipts
from . import arithmetic, authorship, binding, history, timeliness

CHECKS = {
    "authorship": authorship,
    "arithmetic": arithmetic,
    "history": history,
    "binding": binding,
    "timeliness": timeliness,
}


def judge(case, receipts):
    """check -> (outcome, detail); a fault of a receipt fails authorship."""
    receipt_fault = None
    try:
        for receipt in check_receipts(case, receipts):
            case.received = case.received or receipt["received"]
    except Fault as e:
        receipt_fault = str(e)
    verdicts = {name: run(check, case) for name, check in CHECKS.items()}
    if receipt_fault is not None and verdicts["authorship"][0] != "fails":
        verdicts["authorship"] = ("fails", receipt_fault)
    return verdicts


def run(check, case):
    """Runs a check's steps in order; the first contradiction fails it."""
    try:
        for step in check.STEPS:
            step(case)
        return check.verdict(case)
    except Fault as e:
        return "fails", str(e)
