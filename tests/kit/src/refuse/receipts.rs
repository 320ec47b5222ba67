//! Authorship: receipts and arrivals that nobody could have given.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    bytes_and_units(b, w);
    cosignatures(b, w);
    decisions(b, w);
    order_and_place(b, w);
    one_time_for_two(b, w);
    arrivals(b, w);
    form(b, w);
}

/// What is not of a receipt's form is a fault of that month's authorship, and no more: the others of
/// the file can still be read.
fn form(b: &mut Book, w: &World) {
    let json = json_of(w.receipt(B, JAN).to_text().unwrap().as_str());
    let object = "{\"check\":\"binding\",\"outcome\":\"holds\",\"detail\":\"\"}";
    for (name, case, from, to) in [
        (
            "receipt-check-array",
            "a receipt with a check that is an array and no object",
            object,
            "[\"binding\",\"holds\",\"\"]",
        ),
        (
            "receipt-word-object",
            "a receipt whose decision is an object and no word",
            "\"decision\":\"accepted\"",
            "\"decision\":{\"accepted\":null}",
        ),
        (
            "receipt-member-missing",
            "a receipt without its list of what it is about",
            "\"about\":[],",
            "",
        ),
        (
            "receipt-time-number",
            "a receipt whose time is a number",
            "\"received\":\"",
            "\"received\":0,\"x\":\"",
        ),
    ] {
        let changed = replaced(&json, from, to);
        let note = forged(receipt::KIND, &changed, &[&w.desk(CITY).node]);
        b.evidence(name, case, AUTHORSHIP, "receipt: ", &answered(w, note));
    }
}

/// County B's January with this receipt.
fn answered(w: &World, receipt: Note) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).receipts.insert((month(JAN), 1, 0), receipt);
    e
}

fn changed(w: &World, change: &dyn Fn(&mut Receipt)) -> Evidence {
    let mut r = w.receipt(B, JAN);
    change(&mut r);
    answered(w, w.sign_receipt(&r))
}

fn bytes_and_units(b: &mut Book, w: &World) {
    let honest = w.receipt(B, JAN);
    let e = changed(w, &|r| r.rollup = w.held(A, JAN).digest());
    b.evidence(
        "receipt-other-bytes",
        "a receipt for another rollup's bytes",
        AUTHORSHIP,
        "receipt: is for other bytes",
        &e,
    );
    let e = changed(w, &|r| r.revision = 2);
    b.evidence(
        "receipt-other-revision",
        "a receipt for another revision",
        AUTHORSHIP,
        "receipt: is for other bytes",
        &e,
    );
    let e = answered(
        w,
        Note::sign(&honest.to_text().unwrap(), &[&w.desk(A).node]).unwrap(),
    );
    b.evidence(
        "receipt-by-another-unit",
        "a receipt that names the parent but is signed by another unit",
        AUTHORSHIP,
        "is not signed by 1403 alone",
        &e,
    );
    let e = changed(w, &|r| {
        (r.parent, r.by) = (unit(PROVINCE), PROVINCE.into());
    });
    b.evidence(
        "receipt-by-the-province",
        "a receipt by a unit that is not the parent",
        AUTHORSHIP,
        "receipt: is between other units",
        &e,
    );
    let e = changed(w, &|r| r.child = unit(A));
    b.evidence(
        "receipt-for-another-child",
        "a receipt for another child",
        AUTHORSHIP,
        "receipt: is between other units",
        &e,
    );
    let e = answered(
        w,
        w.sign_receipt(&honest)
            .add_signature(&w.desk(A).node)
            .unwrap(),
    );
    b.evidence(
        "receipt-strange-line",
        "a receipt with another unit's signature line beside the parent's",
        AUTHORSHIP,
        "that cannot be checked",
        &e,
    );
}

fn cosignatures(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let size = w.held(B, JAN).rollup.log.size;
    let e = changed(w, &|r| r.checkpoint = plain(&desk.checkpoint(size)));
    b.evidence(
        "receipt-not-cosigned",
        "a receipt that accepts, without the parent's cosignature",
        AUTHORSHIP,
        "has not cosigned",
        &e,
    );
    let by_province =
        add_cosignature(&desk.checkpoint(size), &w.desk(PROVINCE).witness, TIME).unwrap();
    let e = changed(w, &|r| r.checkpoint = plain(&by_province));
    b.evidence(
        "receipt-cosigned-by-another",
        "a receipt that accepts, cosigned by another unit's witness",
        AUTHORSHIP,
        "has not cosigned",
        &e,
    );
    let less = add_cosignature(&desk.checkpoint(size - 1), &w.desk(CITY).witness, TIME).unwrap();
    let e = changed(w, &|r| r.checkpoint = plain(&less));
    b.evidence(
        "receipt-other-checkpoint",
        "a receipt that cosigns a smaller log than the rollup's",
        AUTHORSHIP,
        "another checkpoint than the rollup's",
        &e,
    );
    let e = changed(w, &|r| r.checkpoint = String::new());
    b.evidence(
        "receipt-no-checkpoint",
        "a receipt that accepts, without a checkpoint",
        AUTHORSHIP,
        "not a signed note",
        &e,
    );
    // The time is in the signed bytes of the cosignature.
    let right = add_cosignature(&desk.checkpoint(size), &w.desk(CITY).witness, TIME).unwrap();
    let line = right.signatures().last().unwrap();
    let mut blob = line.blob().to_vec();
    blob[7] ^= 1;
    let wrong = desk
        .checkpoint(size)
        .add_line(line.name(), line.key_id(), &blob)
        .unwrap();
    let e = changed(w, &|r| r.checkpoint = plain(&wrong));
    b.evidence(
        "receipt-cosignature-time",
        "a receipt whose cosignature has another time than was signed",
        AUTHORSHIP,
        "receipt: checkpoint: ",
        &e,
    );
}

fn decisions(b: &mut Book, w: &World) {
    let honest = w.receipt(B, JAN);
    let signed = |json: &str| {
        answered(
            w,
            forged(protocol::receipt::KIND, json, &[&w.desk(CITY).node]),
        )
    };
    let json = json_of(&honest.to_text().unwrap());
    let e = signed(&replaced(
        &json,
        "\"outcome\":\"holds\"",
        "\"outcome\":\"fails\"",
    ));
    b.evidence(
        "receipt-accepts-failed",
        "a receipt that accepts although a check failed",
        AUTHORSHIP,
        "cannot be accepted",
        &e,
    );
    let e = signed(&replaced(&json, &honest.decided, "yesterday"));
    b.evidence(
        "receipt-no-time",
        "a receipt that says when in free text",
        AUTHORSHIP,
        "written YYYY-MM-DDTHH:MM:SSZ",
        &e,
    );
    let e = signed(&replaced(
        &json,
        "\"decision\":\"accepted\"",
        "\"decision\":\"rejected\"",
    ));
    b.evidence(
        "receipt-rejects-held",
        "a receipt that rejects although no check failed",
        AUTHORSHIP,
        "rejected by a failed check",
        &e,
    );
    let e = signed(&replaced(
        &json,
        "\"decision\":\"accepted\"",
        "\"decision\":\"returned\"",
    ));
    b.evidence(
        "receipt-no-reason",
        "a receipt that returns a rollup without a reason",
        AUTHORSHIP,
        "needs a reason",
        &e,
    );
}

fn order_and_place(b: &mut Book, w: &World) {
    let honest = w.receipt(B, JAN);
    let mut e = honest_file(w, &[B], JAN);
    let mut r = honest.clone();
    (r.decision, r.reasons) = (Decision::Returned, vec!["?".into()]);
    r.decided = "2026-01-01T00:00:00Z".into();
    on(&mut e, B)
        .receipts
        .insert((month(JAN), 1, 1), w.sign_receipt(&r));
    b.evidence(
        "receipt-order",
        "a second receipt that was decided before the first",
        AUTHORSHIP,
        "order in which the parent decided",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    let note = w.sign_receipt(&w.receipt(B, FEB));
    on(&mut e, B).receipts.insert((month(FEB), 1, 0), note);
    b.evidence(
        "receipt-without-rollup",
        "a receipt whose rollup is not in the file",
        UNREADABLE,
        "has a receipt for 2026-02.1, but not the rollup",
        &e,
    );
    let mut e = honest_file(w, &[PROVINCE], JAN);
    // The province alone, with its city named as missing, and a receipt that nobody could give.
    let c = w
        .desk(PROVINCE)
        .rollup(JAN, 1, &w.registry, &[], absent(&[CITY]));
    let mut c = Rollup {
        log: w.held(PROVINCE, JAN).rollup.log.clone(),
        ..c
    };
    c.log.first = c.log.size;
    let held = w.desk(PROVINCE).sign(&c);
    on(&mut e, PROVINCE)
        .rollups
        .insert((month(JAN), 1), held.note.clone());
    let mut r = honest.clone();
    (r.parent, r.child, r.rollup) = (unit(CITY), unit(PROVINCE), held.digest());
    on(&mut e, PROVINCE)
        .receipts
        .insert((month(JAN), 1, 0), w.sign_receipt(&r));
    b.evidence(
        "receipt-for-the-top",
        "a receipt for the top unit, which has no parent",
        AUTHORSHIP,
        "no parent that could answer",
        &e,
    );
}

/// Accepted, and opened again later or in the same second.
fn one_time_for_two(b: &mut Book, w: &World) {
    let reopened = |decided: &str| {
        let mut e = honest_file(w, &[B], JAN);
        let mut r = w.receipt(B, JAN);
        (r.decision, r.reasons) = (Decision::Reopened, vec!["?".into()]);
        r.decided = decided.into();
        let note = w.sign_receipt(&r);
        on(&mut e, B).receipts.insert((month(JAN), 1, 1), note);
        e
    };
    let first = w.receipt(B, JAN).decided;
    b.evidence(
        "receipt-same-time",
        "two receipts with the same time of decision: anybody could swap them",
        AUTHORSHIP,
        "order in which the parent decided",
        &reopened(&first),
    );
    let second = first.replace(":00Z", ":01Z");
    b.control(
        "control-receipts.zip",
        "a receipt that accepts, and one of a second later that opens the month again",
        file::write(&reopened(&second)).unwrap(),
    );
}

fn arrivals(b: &mut Book, w: &World) {
    let claim = |signer: &SigningKey, received: &str| {
        let a = Arrivals {
            by: unit(CITY),
            received: [(w.held(B, JAN).digest(), received.to_string())].into(),
        };
        let mut e = honest_file(w, &[B], JAN);
        e.arrivals = Some(Note::sign(&a.to_text().unwrap(), &[signer]).unwrap());
        e
    };
    b.evidence(
        "arrivals-by-another",
        "arrivals that name the city but are signed by a county",
        UNREADABLE,
        "that cannot be checked",
        &claim(&w.desk(A).node, "2026-02-01T00:00:00Z"),
    );
    b.evidence(
        "arrivals-no-time",
        "arrivals with something that is not a time",
        UNREADABLE,
        "is not a time",
        &claim(&w.desk(CITY).node, "yesterday"),
    );
    b.evidence(
        "arrivals-time-form",
        "arrivals with a time that some readers take and others do not",
        UNREADABLE,
        "is not a time",
        &claim(&w.desk(CITY).node, "2026-02-03T04:00:60Z"),
    );
}
