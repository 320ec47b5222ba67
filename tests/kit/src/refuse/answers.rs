//! Authorship and arrival: whose lines stand on a checkpoint, and which receipt says what.

use super::making::*;

pub(super) fn cases(b: &mut Book) {
    let w = january(|desk| {
        training(desk, JAN, 2);
    });
    lines(b, &w);
    words(b, &w);
    order(b, &w);
    deadlines(b);
}

fn answered(w: &World, n: u32, receipt: Note) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).receipts.clear();
    on(&mut e, B).receipts.insert((month(JAN), 1, n), receipt);
    e
}

fn lines(b: &mut Book, w: &World) {
    let mut e = honest_file(w, &[B], JAN);
    let point = on(&mut e, B).checkpoints.values_mut().next().unwrap();
    *point = add_cosignature(point, &w.desk(B).witness, TIME).unwrap();
    b.evidence(
        "checkpoint-own-witness",
        "a checkpoint that the unit's own witness cosigned",
        AUTHORSHIP,
        "that cannot be checked",
        &e,
    );
    let mut r = w.receipt(B, JAN);
    let begins = format!("\u{2014} {B} ");
    let mut all = r.checkpoint.split('\n');
    let line = all.find(|l| l.starts_with(&begins)).unwrap().to_string();
    let mut wrong: Vec<char> = line.chars().collect();
    let at = wrong.len() - 20;
    wrong[at] = if wrong[at] == 'A' { 'B' } else { 'A' };
    r.checkpoint = replaced(&r.checkpoint, &line, &wrong.iter().collect::<String>());
    b.evidence(
        "receipt-checkpoint-wrong-line",
        "a receipt whose checkpoint has a line of the child that the child did not sign",
        AUTHORSHIP,
        "receipt: checkpoint: ",
        &answered(w, 0, w.sign_receipt(&r)),
    );
}

fn words(b: &mut Book, w: &World) {
    let honest = w.receipt(B, JAN);
    let signed = |json: &str| {
        let city = &w.desk(CITY).node;
        answered(w, 0, forged(protocol::receipt::KIND, json, &[city]))
    };
    let mut returned = honest.clone();
    (returned.decision, returned.reasons) = (Decision::Returned, vec!["x".into()]);
    returned.checkpoint = String::new();
    let json = json_of(&returned.to_text().unwrap());
    b.evidence(
        "receipt-blank-reason",
        "a receipt that returns a rollup with a reason of white space only",
        AUTHORSHIP,
        "needs a reason",
        &signed(&replaced(
            &json,
            "\"reasons\":[\"x\"]",
            "\"reasons\":[\" \u{3000}\"]",
        )),
    );
    b.control(
        "control-receipt-reason.zip",
        "a receipt that returns a rollup with a second reason that is not blank",
        file::write(&signed(&replaced(
            &json,
            "\"reasons\":[\"x\"]",
            "\"reasons\":[\" \",\"\u{200b}\"]",
        )))
        .unwrap(),
    );
    let json = json_of(&honest.to_text().unwrap());
    b.evidence(
        "receipt-unknown-check",
        "a receipt with a check that does not exist",
        AUTHORSHIP,
        "unknown variant",
        &signed(&replaced(
            &json,
            "\"check\":\"binding\"",
            "\"check\":\"foo\"",
        )),
    );
}

fn order(b: &mut Book, w: &World) {
    let good = w.receipt(B, JAN);
    let mut bad = good.clone();
    bad.rollup = Digest::of(b"x");
    let mut e = answered(w, 0, w.sign_receipt(&bad));
    let second = w.sign_receipt(&good);
    on(&mut e, B).receipts.insert((month(JAN), 1, 1), second);
    b.evidence(
        "receipt-first-wrong",
        "a first receipt for other bytes, and a second that is right: it does not say when it came",
        AUTHORSHIP,
        "is for other bytes",
        &e,
    );
    let last = answered(w, u32::MAX, w.sign_receipt(&good));
    b.control(
        "control-receipt-number.zip",
        "a receipt with the largest number",
        file::write(&last).unwrap(),
    );
    let all = parts(&file::write(&last).unwrap());
    for (name, case, n) in [
        (
            "receipt-number",
            "a receipt whose number has more than 32 bits",
            "4294967296".to_string(),
        ),
        (
            "path-long",
            "a path of more than 128 bytes",
            "1".repeat(100),
        ),
        (
            "path-very-long",
            "a path with a number of 5000 digits",
            "1".repeat(5000),
        ),
    ] {
        let mut all = all.clone();
        let receipt = all.iter_mut().find(|p| p.path.contains("/receipt/"));
        let path = &mut receipt.unwrap().path;
        *path = replaced(path, &u32::MAX.to_string(), &n);
        b.add(
            &format!("zip-{name}.zip"),
            case,
            UNREADABLE,
            "evidence.",
            zip(&all),
        );
    }
    let mut r = good.clone();
    let size = w.held(B, JAN).rollup.log.size;
    let (from, to) = (format!("\n{size}\n"), format!("\n{}\n", "1".repeat(5000)));
    r.checkpoint = replaced(&r.checkpoint, &from, &to);
    b.evidence(
        "receipt-checkpoint-size",
        "a receipt whose checkpoint has a size of 5000 digits",
        AUTHORSHIP,
        "receipt: checkpoint: ",
        &answered(w, 0, w.sign_receipt(&r)),
    );
}

/// The rollup names no plan; the plan of the topmost unit counts all the same.
fn deadlines(b: &mut Book) {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let desk = w.units.get_mut(&unit(B)).unwrap();
    training(desk, JAN, 2);
    let mut r = desk.rollup(JAN, 1, &registry, &[], vec![]);
    r.plans.clear();
    let held = desk.sign(&r);
    let size = desk.size();
    let point = desk.checkpoint(size);
    desk.held.insert((month(JAN), 1), held);
    desk.checkpoints.insert(size, point);
    let strict = |plan: &str| {
        let plan = plan.replace("county_days = 5", "county_days = 1");
        let plan = published::plan_text(&plan).unwrap();
        Note::sign(&plan, &[&w.roots[0], &w.roots[1]]).unwrap()
    };
    let mut e = honest_file(&w, &[B], JAN);
    e.plans.push(strict(crate::PLAN));
    b.control(
        "control-plan-not-named.zip",
        "a month that is late by a plan which the rollup does not name",
        file::write(&e).unwrap(),
    );
    // The province has an area code that is not its id.
    e.registries.push(second_registry(&w, |r| {
        r.from = Some(month(MAR));
        let mut placement = known(r, PROVINCE).last_placement();
        placement.area = Some("140000".into());
        known(r, PROVINCE).place(month(MAR), placement);
    }));
    b.control(
        "control-plan-by-id.zip",
        "a month that is late by the plan of its topmost unit, whose area code is another one",
        file::write(&e).unwrap(),
    );
    let of_area = crate::PLAN.replace("area_code = \"14\"", "area_code = \"140000\"");
    e.plans = vec![strict(&of_area)];
    b.control(
        "control-plan-by-area.zip",
        "the plan names the area code of the topmost unit, which is no unit's id: it sets no deadline",
        file::write(&e).unwrap(),
    );
}
