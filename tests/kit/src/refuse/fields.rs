//! Fields that add to no figure: what stands there is judged all the same, or a unit could write what
//! it likes under its signatures.

use protocol::statement::Ref;

use super::leaves::with_entry;
use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    enrolments(b, w, &mut spare);
    replacements(b, w, &mut spare);
    days(b, w, &mut spare);
    tiers(b, w, &mut spare);
    rollups(b, w);
    receipts(b, w);
}

/// Enrolments with members beside the key and its roles, signed by the node as they must be.
fn enrolments(b: &mut Book, w: &World, spare: &mut Spare) {
    let somebody = key("140311/sun", Alg::Ed25519, 9);
    let s = spare.blank(B, statement::OPERATOR_ENROLLED, JAN);
    let json = json_of(&s.with(enrolment(&somebody, "recorder")).to_text().unwrap());
    for (name, case, from, to) in [
        (
            "enrolment-with-text",
            "an enrolment with free text beside the key",
            "\"clear\":{",
            "\"clear\":{\"note\":\"call 555\",",
        ),
        (
            "enrolment-late",
            "an enrolment that is called late",
            "\"counts\":{}",
            "\"counts\":{},\"late\":\"2025-12\"",
        ),
        (
            "enrolment-replaces",
            "an enrolment that says that it replaces a leaf",
            "\"counts\":{}",
            "\"counts\":{},\"replaces\":{\"id\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"index\":0}",
        ),
    ] {
        let note = forged(
            statement::KIND,
            &replaced(&json, from, to),
            &[&w.desk(B).node],
        );
        let c = with_entry(w, note.as_bytes().to_vec());
        b.case(
            name,
            case,
            AUTHORSHIP,
            "says more than a key and its roles",
            &c,
        );
    }
}

/// County B's January with one training, what takes it back, and what replaces it.
struct Correction<'w> {
    case: Case<'w>,
    first: Ref,
    void: Statement,
    next: Statement,
}

impl<'w> Correction<'w> {
    fn new(w: &'w World, spare: &mut Spare) -> Correction<'w> {
        let mut case = Case::of(w, B, JAN);
        let s = spare.training(B, JAN, 4);
        let first = Ref {
            id: s.id,
            index: case.entries.len() as u64,
        };
        case.append(&s, &w.desk(B).people[0]);
        let corrected = spare.blank(B, statement::CORRECTED, JAN);
        let void = corrected.with(void_of(first.id, first.index));
        let mut next = spare.training(B, JAN, 3);
        next.replaces = Some(first.clone());
        Correction {
            case,
            first,
            void,
            next,
        }
    }

    fn with(mut self, leaves: &[&Statement]) -> Case<'w> {
        for s in leaves {
            self.case.append(s, &self.case.world.desk(B).people[0]);
        }
        recount(&mut self.case);
        self.case
    }
}

fn replacements(b: &mut Book, w: &World, spare: &mut Spare) {
    corrections_of_others(b, w, spare);
    let mut refuse = |name: &str, case: &str, c: &Case<'_>| {
        b.case(name, case, HISTORY, "does not correct", c);
    };
    let c = Correction::new(w, spare);
    let next = c.next.clone();
    refuse(
        "replaces-nothing",
        "a leaf says that it replaces one that still counts",
        &c.with(&[&next]),
    );
    let c = Correction::new(w, spare);
    let void = spare
        .blank(B, statement::VOIDED, JAN)
        .with(c.void.body.clone());
    let next = c.next.clone();
    refuse(
        "replaces-voided",
        "a leaf says that it replaces one that was taken back for good",
        &c.with(&[&void, &next]),
    );
    let c = Correction::new(w, spare);
    let (void, next, between) = (c.void.clone(), c.next.clone(), spare.training(B, JAN, 1));
    refuse(
        "replaces-later",
        "another leaf stands between a correction and what replaces",
        &c.with(&[&void, &between, &next]),
    );
    let c = Correction::new(w, spare);
    let (void, next) = (c.void.clone(), c.next.clone());
    let honest = c.with(&[&void, &next]);
    b.control(
        "control-corrected.zip",
        "a training is corrected",
        file::write(&evidence_of(&honest)).unwrap(),
    );
}

/// Corrections of one leaf that are said to be of another.
fn corrections_of_others(b: &mut Book, w: &World, spare: &mut Spare) {
    let mut refuse = |name: &str, case: &str, c: &Case<'_>| {
        b.case(name, case, HISTORY, "does not correct", c);
    };
    let c = Correction::new(w, spare);
    let (void, mut next) = (c.void.clone(), c.next.clone());
    next.replaces = Some(Ref {
        id: w.desk(B).statement(4).id,
        index: 4,
    });
    refuse(
        "replaces-another",
        "a leaf replaces another one than the correction before it takes back",
        &c.with(&[&void, &next]),
    );
    let c = Correction::new(w, spare);
    let (first, void) = (c.first.clone(), c.void.clone());
    let mut next = spare.inspection();
    next.replaces = Some(first.clone());
    refuse(
        "replaces-another-type",
        "a training is replaced by an inspection",
        &c.with(&[&void, &next]),
    );
    let c = Correction::new(w, spare);
    let mut void = c.void.clone();
    void.replaces = Some(first);
    refuse(
        "replaces-in-a-void",
        "a void says that it replaces a leaf",
        &c.with(&[&void]),
    );
}

/// The day of a clear leaf, its month, and the month that it is late for.
fn days(b: &mut Book, w: &World, spare: &mut Spare) {
    let mut of = |day: &str, late: Option<&str>| {
        let mut s = spare.training(B, FEB, 2);
        if let Body::Clear { fields, .. } = &mut s.body {
            fields.insert("occurred_on".into(), text(day));
        }
        s.late = late.map(month);
        let mut c = Case::of(w, B, FEB);
        c.append(&s, &w.desk(B).people[0]);
        recount(&mut c);
        c
    };
    for (name, case, detail, day, late) in [
        (
            "clear-day-after-month",
            "a clear leaf counts in February and occurred in March",
            "it occurred after its month 2026-02",
            "2026-03-01",
            None,
        ),
        (
            "clear-late-unsaid",
            "a clear leaf of February occurred in January and is not called late",
            "`late` is not the earlier month",
            "2026-01-31",
            None,
        ),
        (
            "clear-late-untrue",
            "a clear leaf of February that occurred in February is called late for January",
            "`late` is not the earlier month",
            "2026-02-01",
            Some(JAN),
        ),
        (
            "clear-late-before-since",
            "an opening entry is called late for a month in which the unit did not report",
            "`late` is not the earlier month",
            "2025-12-31",
            Some("2025-12"),
        ),
    ] {
        let c = of(day, late);
        b.case(name, case, BINDING, detail, &c);
    }
    b.control(
        "control-clear-late.zip",
        "a clear leaf of February that occurred in January is called late for it",
        file::write(&evidence_of(&of("2026-01-31", Some(JAN)))).unwrap(),
    );
}

fn tiers(b: &mut Book, w: &World, spare: &mut Spare) {
    let s = spare.clear(
        CITY,
        "carrier.opened",
        JAN,
        &[
            ("ref", text("c1")),
            ("kind", text("workshop")),
            ("occurred_on", text("2026-01-12")),
        ],
        &[],
    );
    let mut c = Case::of(w, CITY, JAN);
    c.append(&s, &w.desk(CITY).people[0]);
    b.case(
        "clear-other-tier",
        "a city records what counties record",
        BINDING,
        "carrier.opened is not recorded by a city",
        &c,
    );
    let counted = w.desk(A);
    let index = leaf(w, A, "person.registered");
    let s = spare
        .blank(CITY, "person.registered", JAN)
        .with(counted.statement(index).body.clone());
    let mut c = Case::of(w, CITY, JAN);
    c.append(&s, &w.desk(CITY).people[0]);
    b.case(
        "sealed-other-tier",
        "a city seals what counties record",
        BINDING,
        "person.registered is not recorded by a city",
        &c,
    );
}

fn rollups(b: &mut Book, w: &World) {
    let (node, people) = (&w.desk(B).node, &w.desk(B).people);
    let json = json_of(w.held(B, JAN).note.text());
    let note = forged(
        rollup::KIND,
        &replaced(&json, "[\"test-plan\"]", "[\"test-plan\",\"test-plan\"]"),
        &[node, &people[1], &people[2], &people[3]],
    );
    b.evidence(
        "rollup-plan-twice",
        "a rollup that names a plan twice",
        UNREADABLE,
        "a plan is named twice",
        &filed(w, note),
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.frozen.insert("call 555".into(), w.counting.digest);
    b.case(
        "rollup-frozen-stranger",
        "a rollup with a frozen list of what is no coverage",
        BINDING,
        "the frozen lists are not those",
        &c,
    );
}

/// County B's January with this receipt.
fn answered(w: &World, receipt: Note) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).receipts.insert((month(JAN), 1, 0), receipt);
    e
}

/// A receipt that returns county B's January, without a checkpoint.
fn returned(w: &World) -> Receipt {
    let mut receipt = w.receipt(B, JAN);
    (receipt.decision, receipt.reasons) = (Decision::Returned, vec!["?".into()]);
    receipt.checkpoint.clear();
    receipt
}

/// The same with another text in one place of its JSON.
fn forged_receipt(w: &World, from: &str, to: &str) -> Evidence {
    let json = json_of(&returned(w).to_text().unwrap());
    let json = replaced(&json, from, to);
    let city = &w.desk(CITY).node;
    answered(w, forged(protocol::receipt::KIND, &json, &[city]))
}

fn receipts(b: &mut Book, w: &World) {
    let by = format!("\"by\":\"{}\"", returned(w).by);
    for (name, case, decider) in [
        (
            "receipt-by-stranger",
            "a receipt that names another unit's person as who decided",
            "140321/li",
        ),
        (
            "receipt-by-witness",
            "a receipt that names the witness as who decided",
            "1403/witness",
        ),
    ] {
        let e = forged_receipt(w, &by, &format!("\"by\":\"{decider}\""));
        let part = "`by` is the parent or a person of it";
        b.evidence(name, case, AUTHORSHIP, part, &e);
    }
    let json = json_of(&returned(w).to_text().unwrap());
    let (_, rest) = json.split_once("\"checks\":[").unwrap();
    let (check, _) = rest.split_once(']').unwrap();
    b.evidence(
        "receipt-check-twice",
        "a receipt that names a check twice",
        AUTHORSHIP,
        "names a check twice",
        &forged_receipt(w, check, &format!("{check},{check}")),
    );
    let foreign = serde_json::to_string(&plain(&w.desk(A).checkpoint(4))).unwrap();
    for (name, case, checkpoint) in [
        (
            "receipt-checkpoint-text",
            "a receipt that returns a rollup, with free text where its checkpoint belongs",
            "\"call 555\"",
        ),
        (
            "receipt-checkpoint-of-another",
            "a receipt that returns a rollup, with the checkpoint of another unit",
            foreign.as_str(),
        ),
    ] {
        let to = format!("\"checkpoint\":{checkpoint}");
        let e = forged_receipt(w, "\"checkpoint\":\"\"", &to);
        b.evidence(
            name,
            case,
            AUTHORSHIP,
            "`checkpoint` is none of the child's",
            &e,
        );
    }
    returned_receipts_that_hold(b, w);
}

fn returned_receipts_that_hold(b: &mut Book, w: &World) {
    let mut receipt = returned(w);
    b.control(
        "control-receipt-returned.zip",
        "a receipt that returns a rollup, with no checkpoint",
        file::write(&answered(w, w.sign_receipt(&receipt))).unwrap(),
    );
    receipt.by = CITY.into();
    let size = w.held(B, JAN).rollup.log.size;
    receipt.checkpoint = plain(&w.desk(B).checkpoint(size));
    b.control(
        "control-receipt-by-node.zip",
        "a receipt by the parent's node itself, with a checkpoint of the child",
        file::write(&answered(w, w.sign_receipt(&receipt))).unwrap(),
    );
}
