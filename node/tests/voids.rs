//! Taking an event back: which month it counts in, which report still contains it, and what rests on it.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use node::desk::record::{StillReported, Taking};

fn all() -> Taking {
    Taking {
        with_resting: true,
        ..Taking::default()
    }
}

#[test]
fn what_rests_on_an_event_is_named_or_taken_along() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-25");
    let registered = a.register(&[id_no(1), id_no(2)], "2026-01-03", now);
    let hired = a.hire(&id_no(1), "甲", "2026-01-05", now);
    let other = a.hire(&id_no(1), "乙", "2026-01-06", now);
    let left = a.leave(&id_no(1), "甲", "2026-01-20", now);
    let leaves = a.leaves();
    let refused = a.void(registered[0], now).unwrap_err().0.remove(0);
    assert_eq!(refused.code, "void.resting");
    for index in [hired, other, left] {
        assert!(refused.en.contains(&index.to_string()), "{refused}");
    }
    assert!(refused.zh.contains("E02 就业"), "{refused}");
    // A leaving rests on its hire alone.
    let refused = a.void(hired, now).unwrap_err().0.remove(0);
    assert!(refused.en.starts_with("1 event(s)"), "{refused}");
    assert_eq!(a.leaves(), leaves, "nothing was written");
    // A correction that pulls the ground away is refused, one that does not is taken.
    let line = |id: &str| format!(r#"{{"id_no":"{id}","occurred_on":"2026-01-04"}}"#);
    let moved = a.correct(registered[0], "E01", &line(&id_no(3)), now);
    assert_eq!(code_of(moved), "void.resting");
    let again = a
        .correct(registered[0], "E01", &line(&id_no(1)), now)
        .unwrap();
    // The control: nothing rests on the other person's.
    a.void(registered[1], now).unwrap();
    let mut resting = a.take_back(again.index, all(), now).unwrap().resting;
    resting.sort_unstable();
    assert_eq!(resting, [hired, other, left]);
    a.close(JAN, after(JAN));
    let figures = ["I1", "I2", "I9", "I10"].map(|id| a.figure(JAN, id).0);
    assert_eq!(figures, [0, 0, 0, 0]);
}

#[test]
fn a_void_tells_its_month_and_the_report_that_still_contains_the_event() {
    let mut w = World::empty();
    let a = w.desk(A);
    let trained = [4, 5, 6].map(|n| a.train(n, "2026-01-10", at("2026-01-20")));
    let taking = Taking::default;
    let voided = a.take_back(trained[0], taking(), at("2026-01-21")).unwrap();
    assert_eq!(
        (voided.of, voided.period, voided.reported),
        (month(JAN), month(JAN), None)
    );
    a.close(JAN, after(JAN));
    // The close can still be undone: that is the way, unless somebody means the open month.
    let refused = a.take_back(trained[1], taking(), after(JAN)).unwrap_err();
    assert_eq!(refused.0[0].code, "void.closed");
    assert!(
        refused.0[0].zh.contains(JAN) && refused.0[0].en.contains(FEB),
        "{refused}"
    );
    let open = Taking {
        in_open_month: true,
        ..taking()
    };
    let report = |submitted| {
        Some(StillReported {
            period: month(JAN),
            revision: 1,
            submitted,
        })
    };
    let voided = a.take_back(trained[1], open, after(JAN)).unwrap();
    assert_eq!(
        (voided.period, voided.reported),
        (month(FEB), report(false))
    );
    a.sign(JAN);
    a.submit(JAN, after(JAN));
    let voided = a.take_back(trained[2], taking(), after(JAN)).unwrap();
    assert_eq!((voided.period, voided.reported), (month(FEB), report(true)));
    // Of the same month there is nothing to tell.
    let own = a.train(7, "2026-02-02", after(JAN));
    assert_eq!(
        a.take_back(own, taking(), after(JAN)).unwrap().reported,
        None
    );
}
