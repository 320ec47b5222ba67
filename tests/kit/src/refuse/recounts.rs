//! A month that does not bring home what changed about a subject of clear leaves.

use super::making::*;

pub(super) fn cases(b: &mut Book) {
    for (name, case, with, detail) in [
        (
            "recount-after-early-leaf",
            "a carrier counts for an early leaf of February and a later one of January; no recount",
            early_leaf as fn(&mut Desk),
            "the month lacks the recount of carrier \"c2\"",
        ),
        (
            "recount-after-void",
            "the opening of a carrier is taken back after its closing counted; no recount",
            voided_opening,
            "the month lacks the recount of carrier \"c2\"",
        ),
    ] {
        let w = february(with, false);
        let e = honest_file(&w, &[B], FEB);
        b.evidence(name, case, BINDING, detail, &e).cel();
        let w = february(with, true);
        b.control(
            &format!("control-{name}.zip"),
            &case.replace("no recount", "February recounts it"),
            file::write(&honest_file(&w, &[B], FEB)).unwrap(),
        );
    }
    b.control(
        "control-reopened-before-a-void.zip",
        "January is opened again after February took the opening of a carrier back; it is counted as it stood",
        file::write(&honest_file(&reopened(), &[B], MAR)).unwrap(),
    );
}

/// County B takes back in February what January counted; then January is closed again.
fn reopened() -> World {
    only_b(|b, registry| {
        let opening = b.clear(JAN, "carrier.opened", &opened("2026-01-09"));
        let closed = |on| [("ref", text("c2")), ("occurred_on", text(on))];
        b.clear(JAN, "carrier.closed", &closed("2026-01-20"));
        b.close(JAN, 1, registry, &[], vec![]);
        b.void(FEB, opening);
        b.clear(FEB, "carrier.recounted", &closed("2026-02-28"));
        b.close(FEB, 1, registry, &[], vec![]);
        training(b, JAN, 3);
        b.close(JAN, 2, registry, &[], vec![]);
        b.close(MAR, 1, registry, &[], vec![]);
    })
}

fn opened(on: &str) -> [(&'static str, Value); 3] {
    [
        ("ref", text("c2")),
        ("kind", text("station")),
        ("occurred_on", text(on)),
    ]
}

fn early_leaf(desk: &mut Desk) {
    desk.clear(FEB, "carrier.opened", &opened("2026-02-01"));
    desk.clear(JAN, "carrier.opened", &opened("2026-01-20"));
}

fn voided_opening(desk: &mut Desk) {
    let opening = desk.clear(JAN, "carrier.opened", &opened("2026-01-20"));
    let closed = [("ref", text("c2")), ("occurred_on", text("2026-02-03"))];
    desk.clear(FEB, "carrier.closed", &closed);
    desk.void(FEB, opening);
}

/// County B's January and February after these leaves, with or without the recount that is due.
fn february(leaves: fn(&mut Desk), recounted: bool) -> World {
    only_b(|b, registry| {
        leaves(b);
        b.close(JAN, 1, registry, &[], vec![]);
        if recounted {
            let due = [("ref", text("c2")), ("occurred_on", text("2026-02-28"))];
            b.clear(FEB, "carrier.recounted", &due);
        }
        b.close(FEB, 1, registry, &[], vec![]);
    })
}
