//! Units that move, end and are renamed, and keys that are replaced: what a version of the registry
//! may not change of the past, and what it may.

use super::making::*;

const MAR: &str = "2026-03";

/// A version's month, and what it changes.
pub(super) type Change<'a> = (Option<&'a str>, &'a dyn Fn(&mut Registry));

pub(super) fn cases(b: &mut Book, w: &World) {
    vanished(b, w);
    settled(b, w);
    settled_twice(b, w);
    unfit(b, w);
    months(b, w);
    controls(b, w);
    reported(b, w);
}

/// County B's January with a second version, and a third where there is one.
pub(super) fn after(w: &World, changes: &[Change<'_>]) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    e.registries.extend(versions(w, changes));
    e
}

/// Further versions, each signed whether it fits or not.
fn versions(w: &World, changes: &[Change<'_>]) -> Vec<Note> {
    let mut r = w.registry.registry().clone();
    let (mut digest, mut notes) = (w.registry.digest(), Vec::new());
    for (from, change) in changes {
        (r.version, r.previous) = (r.version + 1, Some(digest));
        r.from = from.map(month);
        change(&mut r);
        let note = signed(w, &r);
        digest = note.digest();
        notes.push(note);
    }
    notes
}

/// Signed by the roots as it is.
fn signed(w: &World, r: &Registry) -> Note {
    let json = serde_json::to_string(r).unwrap();
    forged(protocol::registry::KIND, &json, &[&w.roots[0], &w.roots[1]])
}

fn revoked(at_index: u64) -> Option<Revocation> {
    let reason = "rotated".into();
    Some(Revocation { at_index, reason })
}

fn another(n: u8, from_index: u64) -> UnitKey {
    UnitKey {
        vkey: key(A, Alg::Ed25519, n).vkey(),
        from_index,
        revoked: None,
    }
}

fn witness(n: u8) -> protocol::note::VerifierKey {
    key(&format!("{CITY}/witness"), Alg::CosignatureV1, n).vkey()
}

fn replace_witness(r: &mut Registry, until: &str) {
    known(r, CITY).replace_witness(witness(60), until.parse().unwrap());
}

fn vanished(b: &mut Book, w: &World) {
    let mut refused = |name: &str, case: &str, part: &str, change: &dyn Fn(&mut Registry)| {
        b.evidence(name, case, UNREADABLE, part, &after(w, &[(None, change)]));
    };
    refused(
        "unit-vanished",
        "version 2 leaves out a county",
        "unit 140321 is left out",
        &|r| r.units.retain(|u| u.id != unit(A)),
    );
    refused(
        "unit-key-left-out",
        "version 2 has another node key in the place of the old one, which it does not revoke",
        "unit 140321 lacks a key that it had",
        &|r| known(r, A).keys = vec![another(70, 0)],
    );
    refused(
        "unit-key-other-index",
        "version 2 has a node key from another index on than version 1",
        "unit 140321 lacks a key that it had",
        &|r| known(r, A).keys[0].from_index = 1,
    );
    refused(
        "unit-witness-left-out",
        "version 2 has another witness key, and the old one nowhere",
        "unit 1403 lacks a witness key",
        &|r| {
            let c = known(r, CITY);
            let (place, node) = (c.last_placement(), c.keys[0].vkey.clone());
            *c = Unit::new(c.id.clone(), c.tier, c.since, place, node, witness(60));
        },
    );
    let rotated = |r: &mut Registry| {
        known(r, A).keys[0].revoked = revoked(9);
        known(r, A).keys.push(another(70, 9));
    };
    let mut third = |name: &str, case: &str, part: &str, change: &dyn Fn(&mut Registry)| {
        let e = after(w, &[(None, &rotated), (None, change)]);
        b.evidence(name, case, UNREADABLE, part, &e);
    };
    third(
        "unit-key-valid-again",
        "version 3 takes a revocation back",
        "unit 140321 has a key whose revocation is taken back",
        &|r| known(r, A).keys[0].revoked = None,
    );
    third(
        "unit-key-valid-longer",
        "version 3 puts a revocation off",
        "unit 140321 has a key whose revocation is taken back or put off",
        &|r| known(r, A).keys[0].revoked = revoked(10),
    );
    third(
        "unit-key-before",
        "version 3 adds a key that may sign what another has signed",
        "unit 140321 has a new key that begins before",
        &|r| known(r, A).keys.push(another(71, 3)),
    );
}

fn settled(b: &mut Book, w: &World) {
    let moves = |r: &mut Registry| place(r, A, MAR, PROVINCE);
    let mut second =
        |name: &str, case: &str, from: Option<&str>, part: &str, change: &dyn Fn(&mut Registry)| {
            let e = after(w, &[(from, change)]);
            b.evidence(name, case, UNREADABLE, part, &e);
        };
    second(
        "unit-moved-without-month",
        "version 2 moves a county, but says of no month that it changes something",
        None,
        "in a month before no stated month",
        &moves,
    );
    second(
        "unit-moved-in-the-past",
        "version 2 is to change months from March on, and moves a county from February on",
        Some(MAR),
        "unit 140321 has another name, parent or end in a month before 2026-03",
        &|r| place(r, A, FEB, PROVINCE),
    );
    second(
        "unit-ended-in-the-past",
        "version 2 is to change months from March on, and ends a county with January",
        Some(MAR),
        "unit 140321 has another name, parent or end in a month before 2026-03",
        &|r| known(r, A).end(Some(month(JAN)), vec![]),
    );
    second(
        "unit-new-in-the-past",
        "version 2 is to change months from March on, and adds a county from February on",
        Some(MAR),
        "unit 140322 is new and reports from 2026-02 on",
        &|r| r.units.push(county("140322", FEB)),
    );
    second(
        "unit-first-month-in-version-1",
        "version 2 gives a county another first month",
        Some(MAR),
        "unit 140321 has another tier or first month",
        &|r| known(r, A).since = month(MAR),
    );
}

fn settled_twice(b: &mut Book, w: &World) {
    let moves = |r: &mut Registry| place(r, A, MAR, PROVINCE);
    let nothing = |_: &mut Registry| {};
    let mut third =
        |name: &str, case: &str, from: &str, part: &str, change: &dyn Fn(&mut Registry)| {
            let e = after(w, &[(Some(MAR), &moves), (Some(from), change)]);
            b.evidence(name, case, UNREADABLE, part, &e);
        };
    third(
        "registry-month-goes-back",
        "version 3 is to change months from February on, after version 2 had settled them",
        FEB,
        "but what was before 2026-03 is settled",
        &nothing,
    );
    third(
        "unit-moved-back-in-the-past",
        "version 3 takes a move back that its months have settled",
        "2026-04",
        "unit 140321 has another name, parent or end in a month before 2026-04",
        &|r| place(r, A, MAR, CITY),
    );
    let ends = |r: &mut Registry| known(r, A).end(Some(month(JAN)), vec![unit(B)]);
    let e = after(
        w,
        &[
            (Some(FEB), &ends),
            (Some(MAR), &|r| known(r, A).end(None, vec![])),
        ],
    );
    b.evidence(
        "unit-revived",
        "version 3 is to change months from March on, and has a county that ended with January go on",
        UNREADABLE,
        "unit 140321 has another name, parent or end in a month before 2026-03",
        &e,
    );
    let mut first = w.registry.registry().clone();
    first.from = Some(month(JAN));
    let mut e = honest_file(w, &[B], JAN);
    e.registries = vec![signed(w, &first)];
    b.evidence(
        "registry-month-of-first",
        "version 1 says from when on it changes something",
        UNREADABLE,
        "version 1 changes nothing",
        &e,
    );
}

fn unfit(b: &mut Book, w: &World) {
    let mut refused = |name: &str, case: &str, part: &str, change: &dyn Fn(&mut Registry)| {
        let e = after(w, &[(Some(FEB), change)]);
        b.evidence(name, case, UNREADABLE, part, &e);
    };
    refused(
        "unit-parent-ends",
        "a city ends and its counties stay below it",
        "reports to 1403 from 2026-01 on, but 1403 does not exist in all of these months",
        &|r| known(r, CITY).end(Some(month(FEB)), vec![]),
    );
    refused(
        "unit-parent-begins",
        "a county moves to a city that does not exist yet",
        "reports to 1407 from 2026-02 on, but 1407 does not exist in all of these months",
        &|r| {
            let mut city = county("1407", MAR);
            city.tier = Tier::City;
            r.units.push(city);
            place(r, "1407", MAR, PROVINCE);
            place(r, A, FEB, "1407");
        },
    );
    refused(
        "unit-moved-below-county",
        "a county moves below another county",
        "has a parent that is not of a higher tier",
        &|r| place(r, A, FEB, B),
    );
    refused(
        "unit-successor-unknown",
        "a county ends and is carried on by nobody that exists",
        "names the successor 140399",
        &|r| known(r, A).end(Some(month(FEB)), vec![unit("140399")]),
    );
    refused(
        "unit-successors-in-a-circle",
        "two counties end together and carry each other on",
        "names the successor 140311",
        &|r| {
            known(r, A).end(Some(month(FEB)), vec![unit(B)]);
            known(r, B).end(Some(month(FEB)), vec![unit(A)]);
        },
    );
    refused(
        "unit-successor-of-the-living",
        "a county has a successor and no end",
        "has successors, but no last month",
        &|r| known(r, A).end(None, vec![unit(B)]),
    );
    refused(
        "unit-moves-after-its-end",
        "a county moves after its last month",
        "months do not rise from its first to its last",
        &|r| {
            place(r, A, "2026-04", PROVINCE);
            known(r, A).end(Some(month(MAR)), vec![]);
        },
    );
    refused(
        "unit-ends-before-it-begins",
        "a county that is new ends before its first month",
        "unit 140322 ends before it begins",
        &|r| {
            let mut new = county("140322", MAR);
            new.end(Some(month(FEB)), vec![]);
            r.units.push(new);
        },
    );
    refused(
        "unit-witness-twice",
        "a witness key is replaced by itself",
        "former witness keys whose times do not rise, or one witness key twice",
        &|r| {
            let old = known(r, CITY).witness().clone();
            known(r, CITY).replace_witness(old, "2026-02-05T00:00:00Z".parse().unwrap());
        },
    );
}

/// The months of the honest world, where a second version has changed February.
struct Changed {
    notes: Vec<Note>,
    newer: protocol::registry::VerifiedRegistry,
}

fn changed(w: &World, change: &dyn Fn(&mut Registry)) -> Changed {
    let notes = versions(w, &[(Some(FEB), change)]);
    let newer = w.registry.next(&notes[0]).unwrap();
    Changed { notes, newer }
}

impl Changed {
    /// February of this unit by the second version, with the receipt of a parent.
    fn file(&self, w: &World, id: &str, used: &[&str], answered: Option<&str>) -> Evidence {
        let mut all = used.to_vec();
        all.push(id);
        let mut e = honest_file(w, &all, FEB);
        e.registries.extend(self.notes.iter().cloned());
        let children: Vec<_> = used.iter().map(|c| w.held(c, FEB)).collect();
        let desk = w.desk(id);
        let held = desk.sign(&desk.rollup(FEB, 1, &self.newer, &children, vec![]));
        let part = on(&mut e, id);
        part.rollups.insert((month(FEB), 1), held.note.clone());
        part.receipts.remove(&(month(FEB), 1, 0));
        if let Some(parent) = answered {
            let receipt = answered_by(w, id, &held, parent);
            part.receipts
                .insert((month(FEB), 1, 0), w.sign_receipt(&receipt));
        }
        e
    }
}

fn answered_by(w: &World, id: &str, held: &protocol::rollup::HeldRollup, parent: &str) -> Receipt {
    let point = w.desk(id).checkpoint(held.rollup.log.size);
    let cosigned = add_cosignature(&point, &w.desk(parent).witness, TIME).unwrap();
    let mut receipt = w.receipt(id, &held.rollup.period.to_string());
    receipt.rollup = held.digest();
    (receipt.parent, receipt.by) = (unit(parent), parent.into());
    receipt.checkpoint = String::from_utf8(cosigned.as_bytes().to_vec()).unwrap();
    receipt
}

fn months(b: &mut Book, w: &World) {
    let ended = changed(w, &|r| known(r, B).end(Some(month(JAN)), vec![unit(A)]));
    b.evidence(
        "unit-reports-after-its-end",
        "a county reports for a month after its last one",
        AUTHORSHIP,
        "140311 does not exist in 2026-02",
        &ended.file(w, B, &[], None),
    )
    .also(&[HISTORY]);
    b.evidence(
        "child-after-its-end",
        "a city counts a county that has ended",
        ARITHMETIC,
        "140311 is not a child of 1403 in this month",
        &ended.file(w, CITY, &[A, B], None),
    );
    let moved = changed(w, &|r| place(r, B, FEB, PROVINCE));
    b.evidence(
        "child-after-its-move",
        "a city counts a county that has moved away",
        ARITHMETIC,
        "140311 is not a child of 1403 in this month",
        &moved.file(w, CITY, &[A, B], None),
    );
    b.evidence(
        "receipt-of-former-parent",
        "the former parent of a county answers for a month after its move",
        AUTHORSHIP,
        "between other units",
        &moved.file(w, B, &[], Some(CITY)),
    );
    let mut early = honest_file(w, &[B], JAN);
    early.registries.extend(moved.notes.iter().cloned());
    let receipt = answered_by(w, B, &w.held(B, JAN), PROVINCE);
    let part = on(&mut early, B);
    part.receipts
        .insert((month(JAN), 1, 0), w.sign_receipt(&receipt));
    b.evidence(
        "receipt-of-later-parent",
        "the later parent of a county answers for a month before its move",
        AUTHORSHIP,
        "between other units",
        &early,
    );
    b.evidence(
        "receipt-former-witness",
        "a receipt's checkpoint is cosigned by a witness key after it was replaced",
        AUTHORSHIP,
        "another witness key held",
        &after(
            w,
            &[(None, &|r| replace_witness(r, "2026-02-01T00:00:00Z"))],
        ),
    );
}

fn controls(b: &mut Book, w: &World) {
    let all = |changes: &[Change<'_>]| {
        let mut e = honest_file(w, &[PROVINCE, CITY, A, B], FEB);
        e.registries.extend(versions(w, changes));
        file::write(&e).unwrap()
    };
    let moves = |r: &mut Registry| place(r, B, MAR, PROVINCE);
    b.control(
        "control-unit-moved.zip",
        "two months of everybody, from before a county moved to another parent",
        all(&[(Some(MAR), &moves)]),
    );
    b.control(
        "control-unit-move-given-up.zip",
        "a move that was planned is put off, and then given up",
        all(&[
            (Some(MAR), &moves),
            (Some(MAR), &|r| place(r, B, MAR, CITY)),
            (Some(MAR), &|_| {}),
        ]),
    );
    b.control(
        "control-unit-merged.zip",
        "two months of everybody, from before a county was merged into another",
        all(&[(Some(MAR), &|r| {
            known(r, A).end(Some(month(FEB)), vec![unit(B)])
        })]),
    );
    b.control(
        "control-unit-split.zip",
        "two months of everybody, from before a county was split into two new ones",
        all(&[(Some(MAR), &|r| {
            r.units.push(county("140322", MAR));
            r.units.push(county("140323", MAR));
            known(r, A).end(Some(month(FEB)), ["140322", "140323"].map(unit).into());
        })]),
    );
    b.control(
        "control-unit-renamed.zip",
        "two months of everybody, from before a county got another name and area code",
        all(&[(Some(MAR), &|r| {
            let placement = Placement {
                name: "太谷区".into(),
                area: Some("140703".into()),
                ..known(r, B).last_placement()
            };
            known(r, B).place(month(MAR), placement);
        })]),
    );
    b.control(
        "control-city-ended.zip",
        "two months of everybody, from before a city ended and its counties went to the province",
        all(&[(Some(MAR), &|r| {
            known(r, CITY).end(Some(month(FEB)), vec![unit(PROVINCE)]);
            place(r, A, MAR, PROVINCE);
            place(r, B, MAR, PROVINCE);
        })]),
    );
    b.control(
        "control-witness-replaced.zip",
        "two months of everybody, from before the city's witness key was replaced",
        all(&[(None, &|r| replace_witness(r, "2026-03-01T00:00:00Z"))]),
    );
}

/// Months that were reported after the change.
fn reported(b: &mut Book, w: &World) {
    let moved = changed(w, &|r| place(r, B, FEB, PROVINCE));
    b.control(
        "control-unit-moved-and-reported.zip",
        "a county that has moved reports to its new parent, which answers",
        file::write(&moved.file(w, B, &[], Some(PROVINCE))).unwrap(),
    );
    // January counts it still.
    let without = |changed: &Changed| {
        let mut e = changed.file(w, CITY, &[A], Some(PROVINCE));
        e.units.insert(unit(B), honest_part(w, B, JAN));
        file::write(&e).unwrap()
    };
    b.control(
        "control-city-without-moved.zip",
        "a city counts without the county that has moved away",
        without(&moved),
    );
    let ended = changed(w, &|r| known(r, B).end(Some(month(JAN)), vec![unit(A)]));
    b.control(
        "control-city-without-ended.zip",
        "a city counts without a county that has ended, and names nobody missing",
        without(&ended),
    );
    // The month was reported and answered before the roots changed it.
    let mut late = honest_file(w, &[PROVINCE, CITY, A, B], FEB);
    late.registries.extend(moved.notes.iter().cloned());
    b.control(
        "control-unit-moved-late.zip",
        "a county was moved from a month on that everybody had reported already, by version 1",
        file::write(&late).unwrap(),
    );
}
