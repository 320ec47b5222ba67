//! Evidence shows only what a reader can check.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use kit::text;
use node::intake::Intake;
use node::review;
use protocol::count::Value;
use protocol::evidence::{file, report};
use protocol::note::Note;
use protocol::registry::VerifiedRegistry;
use protocol::rollup::HeldRollup;

/// What a county's desk wrote, which no node of ours would: statements, rollups, checkpoints.
struct Made {
    log: Vec<Vec<u8>>,
    rollups: Vec<Vec<u8>>,
    points: Vec<Vec<u8>>,
}

fn made(w: &World, build: impl FnOnce(&mut kit::Desk, &VerifiedRegistry)) -> Made {
    let registry = w.desks[CITY].read().registry().unwrap().clone();
    let mut memory = kit::World::empty();
    let counting = memory.publish(catalogue());
    let desk = memory.units.get_mut(&unit(B)).unwrap();
    desk.adopt(&counting);
    build(desk, &registry);
    let bytes = |note: &Note| note.as_bytes().to_vec();
    Made {
        log: desk.entries.clone(),
        rollups: desk.held.values().map(|h| bytes(&h.note)).collect(),
        points: desk.checkpoints.values().map(bytes).collect(),
    }
}

fn training(attended: i64, day: &str) -> [(&'static str, Value); 2] {
    [
        ("attended", Value::Int(attended)),
        ("occurred_on", text(day)),
    ]
}

fn give(w: &mut World, letter: &Letter) -> Intake {
    let took = take(w.desk(CITY).books(), B, letter, after(FEB));
    check(w);
    took
}

fn check(w: &mut World) {
    review::check_all(w.desk(CITY).books(), true, after(FEB)).unwrap();
}

fn statements(made: &Made, to: usize) -> Letter {
    forged_part(&kit::node_key(B), B, &made.log, 0..to)
}

/// The city's evidence: whether it holds.
fn city_holds(w: &World) -> bool {
    let evidence = file::read(&w.desks[CITY].evidence()).unwrap();
    report::verify(&evidence, &[w.root.vkey()]).unwrap().holds()
}

#[test]
fn evidence_ends_where_what_came_is_whole() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(2, "2026-01-10"));
        b.close(JAN, 1, registry, &[], vec![]);
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.clear(FEB, "training.held", &training(3, "2026-02-11"));
        b.close(FEB, 1, registry, &[], vec![]);
    });
    w.desk(A).train(2, "2026-01-10", at("2026-01-20"));
    w.report(A, JAN, after(JAN));
    let january = HeldRollup::new(Note::parse(&made.rollups[0]).unwrap()).unwrap();
    let january = usize::try_from(january.rollup.log.size).unwrap();
    assert_eq!(give(&mut w, &statements(&made, january)), Intake::Done);
    for letter in [
        Letter::Checkpoint(made.points[0].clone()),
        Letter::Rollup(made.rollups[0].clone()),
    ] {
        assert_eq!(give(&mut w, &letter), Intake::Done);
    }
    w.desk(CITY).finish(JAN, after(JAN));
    assert!(city_holds(&w));
    // A month of which only a part is here, then all of it but its checkpoint.
    let letter = Letter::Rollup(made.rollups[1].clone());
    assert_eq!(give(&mut w, &letter), Intake::Done);
    for end in [january + 1, made.log.len()] {
        assert_eq!(give(&mut w, &statements(&made, end)), Intake::Done);
        assert!(city_holds(&w));
    }
    let letter = Letter::Checkpoint(made.points[1].clone());
    assert_eq!(give(&mut w, &letter), Intake::Done);
    assert!(city_holds(&w));
    let evidence = file::read(&w.desks[CITY].evidence()).unwrap();
    assert_eq!(evidence.units[&unit(B)].rollups.len(), 2);
}
