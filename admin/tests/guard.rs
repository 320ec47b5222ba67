//! A new guard for a data directory that lost its own: what the operator says of the parent is held
//! against what the journal says of it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;

use kit::on_disk::*;

/// `countersign guard` on a stopped unit's directory: its exit code, and what it says.
fn guard(w: &World, id: &str, more: &[&str]) -> (i32, String) {
    let desk = &w.desks[id];
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("guard").arg("--data").arg(desk.data());
    command.arg("--keys").arg(desk.home.join("keys"));
    command.arg("--root").arg(desk.root.to_string()).args(more);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), text)
}

fn without_guard(w: &mut World, id: &str) {
    w.desk(id).shut();
    std::fs::remove_file(w.desk(id).data().join("guard")).unwrap();
}

#[test]
fn nobody_says_that_the_parent_has_no_report_where_it_has_answered_one() {
    let mut w = World::empty();
    w.report(A, JAN, after(JAN));
    let books = w.desk(A).read();
    let own = node::desk::sign::latest(books, month(JAN)).unwrap();
    let digest = own.held().digest().to_string();
    without_guard(&mut w, A);
    let (code, text) = guard(&w, A, &["--no-report"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains(&digest) && text.contains("上级"), "{text}");
    assert!(!w.desks[A].data().join("guard").exists());
    let (code, text) = guard(&w, A, &["--last-report", &digest]);
    assert_eq!(code, 0, "{text}");
    w.desk(A).open();
}

/// One whose parent has nothing, and one that has no parent.
#[test]
fn who_has_no_answer_may_say_so() {
    let mut w = World::empty();
    w.desk(A).finish(JAN, after(JAN));
    for id in [A, PROVINCE] {
        without_guard(&mut w, id);
        let (code, text) = guard(&w, id, &["--no-report"]);
        assert_eq!(code, 0, "{id}: {text}");
        w.desk(id).open();
    }
}
