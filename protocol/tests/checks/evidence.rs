//! The evidence file: nothing in it is free or unchecked.

use crate::common::*;

#[test]
fn honest_evidence_holds() {
    let evidence = WORLD.evidence();
    let bytes = file::write(&evidence).unwrap();
    assert_eq!(bytes, file::write(&WORLD.evidence()).unwrap());
    let back = file::read(&bytes).unwrap();
    assert_eq!(back, evidence);
    let report = verified(&back).unwrap();
    assert!(
        report.holds(),
        "{:#?}",
        report.failures().collect::<Vec<_>>()
    );
    assert_eq!(report.units.len(), 4);
    assert_eq!(report.units[0].unit, unit(PROVINCE));
    assert!(
        report
            .units
            .iter()
            .flat_map(|u| &u.months)
            .filter(|m| m.decision == Some(Decision::Accepted))
            .count()
            == 6
    );
    assert_eq!(report.targets[0].judgement, protocol::plan::Judgement::Met);
    let strange = key("root-a", Alg::Ed25519, 3).vkey();
    assert!(
        report::verify(&evidence, &strange)
            .unwrap_err()
            .to_string()
            .contains("registry")
    );
}

#[test]
fn no_byte_of_an_evidence_file_is_free() {
    let bytes = small();
    let root = WORLD.roots[0].vkey();
    let check = |bytes: &[u8]| {
        file::read(bytes)
            .ok()
            .and_then(|e| report::verify(&e, &root).ok())
            .is_some_and(|r| r.holds())
    };
    assert!(check(&bytes));
    // The lowest bit, the one that makes a capital letter, and all of them.
    for (at, mask) in (0..bytes.len()).flat_map(|at| [(at, 1), (at, 0x20), (at, 0xff)]) {
        let mut changed = bytes.clone();
        changed[at] ^= mask;
        assert!(
            !check(&changed),
            "byte {at} of {} was changed by {mask:#x} and nobody noticed",
            bytes.len()
        );
    }
    for cut in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(!check(&bytes[..cut]));
    }
    assert!(!check(&[&bytes[..], &[0]].concat()));
    assert!(!check(&[&[0], &bytes[..]].concat()));
}

/// The same within the parts, in a zip that is right: here the checks must notice, not the file's
/// form.
#[test]
fn no_byte_of_a_part_is_free() {
    let evidence = small_evidence();
    let root = WORLD.roots[0].vkey();
    let flip = |bytes: &[u8], at: usize| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        changed
    };
    let free = |e: &protocol::evidence::Evidence| report::verify(e, &root).is_ok_and(|r| r.holds());
    let id = unit(B);
    let part = &evidence.units[&id];
    let (checkpoint, rollup, receipt) = (
        part.checkpoints.first_key_value(),
        part.rollups.first_key_value(),
        part.receipts.first_key_value(),
    );
    let (checkpoint, rollup, receipt) = (checkpoint.unwrap(), rollup.unwrap(), receipt.unwrap());
    type Put<'a> = Box<dyn Fn(&mut protocol::evidence::Evidence, Note) + 'a>;
    let notes: Vec<(&str, Note, Put<'_>)> = vec![
        (
            "registry",
            evidence.registries[0].clone(),
            Box::new(|e, n| e.registries[0] = n),
        ),
        (
            "catalogue",
            evidence.catalogues[0].clone(),
            Box::new(|e, n| e.catalogues[0] = n),
        ),
        (
            "arrivals",
            evidence.arrivals.clone().unwrap(),
            Box::new(|e, n| e.arrivals = Some(n)),
        ),
        (
            "checkpoint",
            checkpoint.1.clone(),
            Box::new(|e, n| on(e, &id, |p| drop(p.checkpoints.insert(*checkpoint.0, n)))),
        ),
        (
            "rollup",
            rollup.1.clone(),
            Box::new(|e, n| on(e, &id, |p| drop(p.rollups.insert(*rollup.0, n)))),
        ),
        (
            "receipt",
            receipt.1.clone(),
            Box::new(|e, n| on(e, &id, |p| drop(p.receipts.insert(*receipt.0, n)))),
        ),
    ];
    for (what, note, put) in &notes {
        let (bytes, text) = (note.as_bytes(), note.text().len());
        let spots = (0..text).step_by(97).chain((text..bytes.len()).step_by(5));
        for at in spots {
            let Ok(changed) = Note::parse(&flip(bytes, at)) else {
                continue;
            };
            let mut e = evidence.clone();
            put(&mut e, changed);
            assert!(
                !free(&e),
                "byte {at} of the {what} was changed and nobody noticed"
            );
        }
    }
    for n in 0..part.entries.len() {
        for at in (0..part.entries[n].len()).step_by(29) {
            let mut e = evidence.clone();
            on(&mut e, &id, |p| p.entries[n] = flip(&p.entries[n], at));
            assert!(
                !free(&e),
                "byte {at} of entry {n} was changed and nobody noticed"
            );
        }
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let training = (0..WORLD.desk(A).size())
        .map(|i| WORLD.desk(A).statement(i))
        .find(|s| s.event == "training.held")
        .unwrap();
    let text = training.to_text().unwrap();
    assert!(Statement::parse(&text).is_ok());
    for twice in [
        text.replace("\"attended\":40", "\"attended\":4,\"attended\":40"),
        text.replace(
            "\"I7:n:total:total\":40",
            "\"I7:n:total:total\":4,\"I7:n:total:total\":40",
        ),
        text.replace("\"unit\":", "\"unit\":\"140321\",\"unit\":"),
    ] {
        assert!(
            twice != text && Statement::parse(&twice).is_err(),
            "{twice}"
        );
    }
    let text = WORLD.held(A, JAN).note.text().to_string();
    let twice = text.replace("\"sums\":{", "\"sums\":{\"person.registered\":[0],");
    assert!(
        Rollup::parse(&text).is_ok()
            && Rollup::parse(&twice)
                .unwrap_err()
                .to_string()
                .contains("twice")
    );
}

#[test]
fn a_catalogue_has_one_text() {
    let text = protocol::published::catalogue_text(&WORLD.counting.catalogue).unwrap();
    let read = |text: &str| {
        let note = Note::sign(text, &[&WORLD.roots[0], &WORLD.roots[1]]).unwrap();
        protocol::published::read_catalogue(&note, WORLD.registry.registry())
    };
    assert_eq!(read(&text).unwrap(), WORLD.counting.catalogue);
    let spaced = text.replacen("{\"id\":", "{ \"id\":", 1);
    assert!(
        spaced != text
            && read(&spaced)
                .unwrap_err()
                .to_string()
                .contains("written in one way")
    );
}

/// The file is not read, or a check fails, and this is said.
fn refused(change: &dyn Fn(&mut protocol::evidence::Evidence), part: &str) {
    let mut e = WORLD.evidence();
    change(&mut e);
    let said = match verified(&e) {
        Err(e) => e.to_string(),
        Ok(r) => format!("{:?}", r.failures().map(|(_, _, v)| v).collect::<Vec<_>>()),
    };
    assert!(said.contains(part), "{part:?}: {said}");
}

#[test]
fn nothing_unchecked_stands_in_evidence() {
    let (a, b) = (unit(A), unit(B));
    refused(
        &|e| e.units.get_mut(&a).unwrap().entries.push(b"x".to_vec()),
        "entries behind its last checkpoint",
    );
    refused(
        &|e| on(e, &a, |p| drop(p.rollups.pop_last())),
        "has a receipt for 2026-02.1, but not the rollup",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                drop(p.checkpoints.insert(5, WORLD.desk(B).checkpoint(5)))
            })
        },
        "checkpoint 5",
    );
    refused(
        &|e| on(e, &a, |p| drop(p.checkpoints.pop_first())),
        "no checkpoint of this size",
    );
    let mut unanswered = WORLD.evidence();
    on(&mut unanswered, &a, |p| p.receipts.clear());
    assert!(
        verified(&unanswered).unwrap().holds(),
        "no answer yet is no contradiction"
    );
    let theirs = WORLD.evidence().units[&b].clone();
    refused(
        &|e| on(e, &a, |p| p.receipts = theirs.receipts.clone()),
        "between other units",
    );
    refused(
        &|e| on(e, &a, |p| p.rollups = theirs.rollups.clone()),
        "of another unit, month or revision than its path",
    );
    refused(&|e| drop(e.units.remove(&b)), "is not known here");
    refused(
        &|e| e.catalogues.clear(),
        "catalogue that is not known here",
    );
    refused(&|e| e.registries.clear(), "there is none");
    // Two answers in the order of their numbers, against the order of their times.
    refused(
        &|e| {
            let mut r = WORLD.receipt(A, JAN);
            (r.decision, r.reasons) = (Decision::Returned, vec!["?".into()]);
            r.decided = "2026-01-01T00:00:00Z".into();
            on(e, &a, |p| {
                drop(
                    p.receipts
                        .insert((month(JAN), 1, 1), WORLD.sign_receipt(&r)),
                )
            });
        },
        "order in which the parent decided",
    );
}

#[test]
fn no_signature_line_stands_unchecked_in_evidence() {
    let a = unit(A);
    let stranger = key("stranger", Alg::Ed25519, 1);
    refused(
        &|e| e.registries[0] = e.registries[0].add_signature(&stranger).unwrap(),
        "stranger that cannot be checked",
    );
    refused(
        &|e| e.catalogues[0] = e.catalogues[0].add_signature(&stranger).unwrap(),
        "stranger that cannot be checked",
    );
    refused(
        &|e| e.plans[0] = e.plans[0].add_signature(&stranger).unwrap(),
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            e.arrivals = Some(
                e.arrivals
                    .as_ref()
                    .unwrap()
                    .add_signature(&stranger)
                    .unwrap(),
            )
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                p.rollups
                    .values_mut()
                    .for_each(|n| *n = n.add_signature(&stranger).unwrap())
            })
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                p.checkpoints
                    .values_mut()
                    .for_each(|n| *n = n.add_signature(&stranger).unwrap())
            })
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                p.receipts
                    .values_mut()
                    .for_each(|n| *n = n.add_signature(&stranger).unwrap())
            })
        },
        "stranger that cannot be checked",
    );
}

fn on(
    e: &mut protocol::evidence::Evidence,
    id: &protocol::ids::UnitId,
    change: impl FnOnce(&mut protocol::evidence::UnitEvidence),
) {
    change(e.units.get_mut(id).unwrap());
}

#[test]
fn a_unit_does_not_vouch_for_its_own_punctuality() {
    let mut e = WORLD.evidence();
    let digest = WORLD.held(A, JAN).digest();
    let claim = |by: &str| {
        let a = protocol::evidence::Arrivals {
            by: unit(by),
            received: [(digest, "2026-01-31T00:00:00Z".to_string())].into(),
        };
        Some(Note::sign(&a.to_text().unwrap(), &[&WORLD.desk(by).node]).unwrap())
    };
    on(&mut e, &unit(A), |p| p.receipts.clear());
    for (by, outcome) in [
        (CITY, Outcome::Holds),
        (PROVINCE, Outcome::Holds),
        (A, Outcome::Noted),
        (B, Outcome::Noted),
    ] {
        e.arrivals = claim(by);
        let r = verified(&e).unwrap();
        let v = &r.units.iter().find(|u| u.unit == unit(A)).unwrap().months[0].verdicts[4];
        assert_eq!(v.outcome, outcome, "{by}: {v:?}");
    }
}

/// County B's January in two revisions and its February on top, and the city's answer to the first.
fn revised(answer: Decision) -> protocol::evidence::Evidence {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let trained = |attended| {
        let day = ("occurred_on", text("2026-01-10"));
        [("attended", Value::Int(attended)), day]
    };
    let b = w.units.get_mut(&unit(B)).unwrap();
    b.clear(JAN, "training.held", &trained(2));
    b.close(JAN, 1, &registry, &[], vec![]);
    b.clear(JAN, "training.held", &trained(50));
    b.close(JAN, 2, &registry, &[], vec![]);
    b.close(FEB, 1, &registry, &[], vec![]);
    let first = w.desk(B).held[&(month(JAN), 1)].clone();
    let mut receipt = w.receipt(B, JAN);
    assert_eq!(receipt.revision, 2);
    (receipt.revision, receipt.rollup) = (1, first.digest());
    receipt.decision = answer;
    receipt.reasons = vec!["please look again".into()];
    let point = &w.desk(B).checkpoints[&first.rollup.log.size];
    let cosigned = add_cosignature(point, &w.desk(CITY).witness, 1_770_000_000).unwrap();
    receipt.checkpoint = String::from_utf8(cosigned.as_bytes().to_vec()).unwrap();
    let mut e = w.evidence();
    e.units.retain(|id, _| *id == unit(B));
    e.arrivals = None;
    on(&mut e, &unit(B), |part| {
        part.receipts = [((month(JAN), 1, 0), w.sign_receipt(&receipt))].into();
    });
    e
}

#[test]
fn a_revision_that_the_parent_did_not_ask_for_is_noted() {
    for (answer, unasked) in [
        (Decision::Accepted, true),
        (Decision::Returned, false),
        (Decision::Reopened, false),
    ] {
        let report = verified(&revised(answer)).unwrap();
        assert!(report.holds(), "{:#?}", report.failures().next());
        let months = &report.units[0].months;
        assert!(!months[0].unasked, "a first revision is due");
        assert_eq!(months[1].unasked, unasked, "{answer:?}");
        assert_eq!(months[1].counts(), !unasked);
        assert_eq!(months[2].unasked, unasked, "February rests on it");
    }
    let mut e = revised(Decision::Returned);
    on(&mut e, &unit(B), |part| part.receipts.clear());
    let report = verified(&e).unwrap();
    assert!(report.units[0].months[1].unasked, "no receipt says so");
    assert!(
        !report.units[0].months[2].unasked,
        "nor that it was not asked for"
    );
}

/// County B signs February and a second January, both behind its first January.
#[test]
fn a_unit_that_goes_on_twice_is_named() {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let b = w.units.get_mut(&unit(B)).unwrap();
    b.close(JAN, 1, &registry, &[], vec![]);
    let february = b.close(FEB, 1, &registry, &[], vec![]);
    b.held.remove(&february.key());
    b.close(JAN, 2, &registry, &[], vec![]);
    b.held.insert(february.key(), february);
    let mut e = w.evidence();
    e.units.retain(|id, _| *id == unit(B));
    e.arrivals = None;
    on(&mut e, &unit(B), |part| part.receipts.clear());
    let report = verified(&e).unwrap();
    assert!(report.holds(), "{:#?}", report.failures().next());
    let months = report.units[0].months.iter();
    assert_eq!(
        months.map(|m| m.forked).collect::<Vec<_>>(),
        [false, true, true]
    );
}

/// A false figure that reaches a target does not reach it.
#[test]
fn targets_are_judged_from_rollups_that_hold() {
    let judged = |e: &protocol::evidence::Evidence| {
        let report = verified(e).unwrap();
        (report.targets[0].clone(), report.holds())
    };
    let (honest, holds) = judged(&WORLD.evidence());
    assert!(holds);
    let mut e = WORLD.evidence();
    let held = WORLD.held(PROVINCE, FEB);
    let mut rollup = held.rollup.clone();
    for figure in rollup.figures.iter_mut().filter(|f| f.id.starts_with("I1")) {
        let sum = figure.sum.as_mut().unwrap();
        sum.value = sum.value.map(|n| n + 1000);
        sum.cells[0][0] += 1000;
    }
    let forged = WORLD.desk(PROVINCE).sign(&rollup);
    on(&mut e, &unit(PROVINCE), |part| {
        part.rollups.insert((month(FEB), 1), forged.note.clone());
    });
    let (judged, holds) = judged(&e);
    assert!(!holds);
    assert!(!judged.actual.contains("100"), "{judged:?}");
    assert_ne!(judged.remarks, honest.remarks, "the gap is told");
}
