//! The journal is the only truth: restarts, a lost or damaged view, old copies, the wrong key, a
//! kill in between.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

use kit::on_disk::*;
use node::books::{Books, BooksError, EntryKind, NewEntry};
use node::desk::record;
use node::exchange::Form;
use node::review;
use protocol::digest::Digest;
use protocol::ids::Tier;
use protocol::note::{Alg, Note};
use protocol::period::Month;
use protocol::person::Role;
use protocol::published;
use protocol::receipt::Decision;
use protocol::registry::Registry;

/// Reopens everybody and compares every answer.
fn same_after_restart(w: &mut World) {
    for desk in w.desks.values_mut() {
        review::check_all(desk.books(), false, after(FEB)).unwrap();
        let (before, evidence) = (desk.answers(), desk.evidence());
        desk.reopen();
        assert!(
            !desk.read().size().2,
            "{}: the view was rebuilt although it was whole",
            desk.id
        );
        review::check_all(desk.books(), false, after(FEB)).unwrap();
        assert_eq!(desk.answers(), before, "{}", desk.id);
        assert_eq!(desk.evidence(), evidence, "{}", desk.id);
    }
}

#[test]
fn a_restart_after_every_step_changes_no_answer() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1), id_no(2)], "2026-01-03", now);
    let wrong = a.hire(&id_no(1), "甲", "2026-01-05", now);
    same_after_restart(&mut w);
    w.desk(A).void(wrong, now).unwrap();
    same_after_restart(&mut w);
    w.desk(A).hire(&id_no(1), "甲", "2026-01-06", now);
    w.desk(A).close(JAN, after(JAN));
    same_after_restart(&mut w);
    w.desk(A).sign(JAN);
    same_after_restart(&mut w);
    w.desk(A).submit(JAN, after(JAN));
    same_after_restart(&mut w);
    w.send(A, &[CITY, PROVINCE], after(JAN));
    same_after_restart(&mut w);
    w.decide(CITY, A, JAN, Decision::Returned, after(JAN));
    same_after_restart(&mut w);
    w.desk(A).train(4, "2026-01-10", after(JAN));
    w.report(A, JAN, after(JAN));
    same_after_restart(&mut w);
    w.report(B, JAN, after(JAN));
    w.report(CITY, JAN, after(JAN));
    same_after_restart(&mut w);
    // And what is counted next is the same as without any restart.
    w.desk(A)
        .leave(&id_no(1), "甲", "2026-02-06", at("2026-02-10"));
    w.report(A, FEB, after(FEB));
    assert_eq!(
        (
            w.desks[A].figure(JAN, "I2").0,
            w.desks[A].figure(FEB, "I2").0
        ),
        (1, 0)
    );
    same_after_restart(&mut w);
}

fn each_file(dir: &Path, change: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, change)
        } else {
            change(&path)
        }
    }
}

/// What can become of a view, in the order in which it is tried.
const HARMS: [Harm; 9] = [
    Harm {
        what: "deleted",
        rebuilt: true,
        apply: |view, _| std::fs::remove_dir_all(view).unwrap(),
    },
    Harm {
        what: "empty",
        rebuilt: true,
        apply: |view, _| {
            std::fs::remove_dir_all(view).unwrap();
            std::fs::create_dir(view).unwrap();
        },
    },
    Harm {
        what: "cut",
        rebuilt: false,
        apply: |view, _| each_file(view, &mut cut_in_half),
    },
    Harm {
        what: "cut to nothing",
        rebuilt: false,
        apply: |view, _| each_file(view, &mut |f| std::fs::write(f, b"").unwrap()),
    },
    Harm {
        what: "garbage",
        rebuilt: false,
        apply: |view, _| each_file(view, &mut fill_with_garbage),
    },
    Harm {
        what: "garbage in the middle",
        rebuilt: false,
        apply: |view, _| each_file(view, &mut spoil_the_middle),
    },
    Harm {
        what: "of another journal",
        rebuilt: true,
        apply: |view, foreign| {
            std::fs::remove_dir_all(view).unwrap();
            copy_dir(foreign, view);
        },
    },
    Harm {
        what: "of an older layout",
        rebuilt: true,
        apply: |view, _| mark_as_of_an_older_layout(view),
    },
    Harm {
        what: "a file",
        rebuilt: true,
        apply: |view, _| {
            std::fs::remove_dir_all(view).unwrap();
            std::fs::write(view, b"x").unwrap();
        },
    },
];

struct Harm {
    what: &'static str,
    /// Whether it must be seen as damage; what is cut may be mended by the view itself.
    rebuilt: bool,
    /// Takes the view's folder, and that of another unit's view.
    apply: fn(&Path, &Path),
}

fn cut_in_half(file: &Path) {
    let length = std::fs::metadata(file).unwrap().len();
    std::fs::OpenOptions::new()
        .write(true)
        .open(file)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
}

fn fill_with_garbage(file: &Path) {
    let length = std::fs::metadata(file).unwrap().len() as usize;
    std::fs::write(file, vec![0xa5; length]).unwrap();
}

fn spoil_the_middle(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let (from, to) = (bytes.len() / 3, bytes.len() / 3 + bytes.len() / 4);
    bytes[from..to].fill(0x5a);
    std::fs::write(file, bytes).unwrap();
}

fn mark_as_of_an_older_layout(view: &Path) {
    let meta = sled::open(view).unwrap().open_tree("meta").unwrap();
    let mark = meta.remove("applied/3").unwrap().expect("a mark");
    meta.insert("applied", mark).unwrap();
    meta.flush().unwrap();
}

/// It goes on counting as if nothing had happened: the histories are whole. What this records is
/// taken away again.
#[track_caller]
fn goes_on_counting(a: &mut Desk, what: &str) {
    a.shut();
    let keep = a.home.join("keep");
    copy_dir(&a.data(), &keep);
    a.open();
    assert_eq!(
        code_of(a.void(8, at("2026-03-05"))),
        "void.twice",
        "{what}: an index of what was taken back"
    );
    let twice = a
        .import(
            "E02",
            &format!(
                "id_no,employer,wage_fen,occurred_on\n{},乙厂,300000,2026-02-06\n",
                id_no(2)
            ),
            false,
            at("2026-03-05"),
        )
        .unwrap();
    assert!(twice.known && twice.skipped.len() == 1, "{what}: {twice:?}");
    a.leave(&id_no(2), "乙厂", "2026-03-01", at("2026-03-05"));
    a.close(MAR, after(MAR));
    assert_eq!(a.figure(MAR, "I2").0, 1, "{what}");
    a.shut();
    std::fs::remove_dir_all(a.data()).unwrap();
    std::fs::rename(&keep, a.data()).unwrap();
    a.open();
}

/// A view that is behind is brought up to date, not rebuilt.
#[track_caller]
fn is_brought_up_to_date(a: &mut Desk, view: &Path) {
    let old = a.home.join("old-view");
    a.shut();
    copy_dir(view, &old);
    a.open();
    a.train(2, "2026-03-02", at("2026-03-05"));
    let ahead = a.answers();
    a.shut();
    std::fs::remove_dir_all(view).unwrap();
    copy_dir(&old, view);
    a.open();
    assert!(!a.read().size().2, "behind is not damaged");
    assert_eq!(a.answers(), ahead);
}

#[test]
fn a_lost_damaged_or_foreign_view_is_rebuilt_to_the_byte() {
    let mut w = two_months();
    w.desk(B).shut();
    let foreign = w.desks[B].data().join("view");
    let a = w.desk(A);
    let (before, evidence) = (a.answers(), a.evidence());
    let view = a.data().join("view");
    for harm in HARMS {
        let what = harm.what;
        a.shut();
        (harm.apply)(&view, &foreign);
        a.open();
        assert!(
            !harm.rebuilt || a.read().size().2,
            "{what}: it must have been rebuilt"
        );
        assert_eq!(a.answers(), before, "{what}");
        assert_eq!(a.evidence(), evidence, "{what}");
        assert!(a.read().view().repeated(&[0; 16]).unwrap().is_none());
        goes_on_counting(a, what);
    }
    is_brought_up_to_date(a, &view);
}

#[test]
fn an_older_copy_of_the_data_is_refused_while_the_guard_is_kept() {
    let mut w = World::empty();
    let a = w.desk(A);
    a.train(1, "2026-01-10", at("2026-01-20"));
    a.shut();
    let old = a.home.join("old");
    copy_dir(&a.data(), &old);
    a.open();
    a.train(2, "2026-01-10", at("2026-01-20"));
    a.finish(JAN, after(JAN));
    a.shut();
    let journal = a.data().join("journal");
    let newer = a.home.join("newer");
    copy_dir(&journal, &newer);
    for view in [false, true] {
        std::fs::remove_dir_all(&journal).unwrap();
        copy_dir(&old.join("journal"), &journal);
        if view {
            std::fs::remove_dir_all(a.data().join("view")).unwrap();
            copy_dir(&old.join("view"), &a.data().join("view"));
        }
        match a.try_open() {
            Err(BooksError::Journal(e)) => assert_eq!(e.code(), "guard.rolled_back"),
            other => panic!("{other:?}"),
        }
    }
    // Put back what belongs to the guard: it goes on.
    std::fs::remove_dir_all(&journal).unwrap();
    copy_dir(&newer, &journal);
    a.open();
    assert_eq!(a.open_month(), FEB);
    // A copy from right before the month was handed over has the whole log, and yet another report
    // could be made over it.
    a.shut();
    let mut b = World::empty();
    let b = b.desk(B);
    b.train(1, "2026-01-10", at("2026-01-20"));
    b.close(JAN, after(JAN));
    b.shut();
    let closed = b.home.join("closed");
    copy_dir(&b.data().join("journal"), &closed);
    b.open();
    b.sign(JAN);
    b.submit(JAN, after(JAN));
    b.shut();
    std::fs::remove_dir_all(b.data().join("journal")).unwrap();
    copy_dir(&closed, &b.data().join("journal"));
    match b.try_open() {
        Err(BooksError::Journal(e)) => assert_eq!(e.code(), "guard.rolled_back"),
        other => panic!("{other:?}"),
    }
    a.open();
    // Another history of the same length is a fork, and refused as such.
    a.shut();
    std::fs::remove_dir_all(&journal).unwrap();
    copy_dir(&old.join("journal"), &journal);
    let guard = std::fs::read(a.data().join("guard")).unwrap();
    std::fs::copy(old.join("guard"), a.data().join("guard")).unwrap();
    a.open();
    for n in 0..8 {
        a.train(90 + n, "2026-01-11", at("2026-01-20"));
    }
    a.shut();
    std::fs::write(a.data().join("guard"), guard).unwrap();
    match a.try_open() {
        Err(BooksError::Journal(e)) => assert_eq!(e.code(), "guard.forked"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_opener_and_a_wrong_key_are_refused() {
    let mut w = World::empty();
    let a = w.desk(A);
    a.register(&[id_no(1)], "2026-01-03", at("2026-01-20"));
    match a.try_open() {
        Err(BooksError::Journal(e)) => assert_eq!(e.code(), "journal.locked"),
        other => panic!("{other:?}"),
    }
    a.shut();
    let vault = a.home.join("keys/vault.key");
    let right = std::fs::read(&vault).unwrap();
    std::fs::remove_file(&vault).unwrap();
    node::vault::VaultKey::create(&vault, [3; 32]).unwrap();
    for view in [true, false] {
        let error = a.try_open().unwrap_err();
        assert!(matches!(error, BooksError::Unsealed { .. }), "{error:?}");
        assert!(
            error.to_string().contains("vault key") && error.to_string().contains("[books.sealed]"),
            "{error}"
        );
        if view {
            std::fs::remove_dir_all(a.data().join("view")).unwrap();
        }
    }
    std::fs::remove_file(&vault).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(&vault, right).unwrap();
    assert!(
        node::books::keys::Keys::load(&a.home.join("keys"), &unit(A)).is_err(),
        "others can read it"
    );
    std::fs::set_permissions(&vault, std::fs::Permissions::from_mode(0o600)).unwrap();
    a.open();
    assert_eq!(a.leaves(), 5);
    assert!(
        node::books::keys::Keys::load(&a.home.join("keys"), &unit(B)).is_err(),
        "of another unit"
    );
}

#[test]
fn a_kill_between_the_guard_and_the_checkpoint_recovers() {
    let mut w = World::empty();
    let a = w.desk(A);
    a.train(1, "2026-01-10", at("2026-01-20"));
    a.shut();
    let before = a.home.join("before");
    copy_dir(&a.data(), &before);
    a.open();
    a.close(JAN, after(JAN));
    let digest_of_log = a.read().log().unwrap().root_at(5);
    a.shut();
    // The guard says "signed"; the journal has neither checkpoint nor rollup.
    std::fs::remove_dir_all(a.data().join("journal")).unwrap();
    copy_dir(&before.join("journal"), &a.data().join("journal"));
    a.open();
    assert!(a.read().checkpoints().is_empty() && a.read().rollups().is_empty());
    a.finish(JAN, after(JAN));
    assert_eq!(a.read().log().unwrap().root_at(5), digest_of_log);
    assert_eq!(a.read().checkpoints().len(), 1);
    a.reopen();
    // Killed between the rename and anything else: a leftover of the guard does no harm.
    a.shut();
    std::fs::write(a.data().join("guard.tmp"), b"half").unwrap();
    a.open();
    assert_eq!(a.open_month(), FEB);
}

#[test]
fn a_missing_guard_is_refused_until_a_person_has_compared() {
    let mut w = World::empty();
    let a = w.desk(A);
    assert!(
        a.data().join("guard").exists(),
        "it is born with the journal"
    );
    a.train(1, "2026-01-10", at("2026-01-20"));
    a.shut();
    let old = a.home.join("old");
    copy_dir(&a.data(), &old);
    a.open();
    a.finish(JAN, after(JAN));
    a.shut();
    let newer = a.home.join("newer");
    copy_dir(&a.data(), &newer);
    // With a signed month and, as an old backup would have it, without.
    for copy in [&newer, &old] {
        std::fs::remove_dir_all(a.data()).unwrap();
        copy_dir(copy, &a.data());
        std::fs::remove_file(a.data().join("guard")).unwrap();
        for _ in 0..2 {
            match a.try_open() {
                Err(BooksError::Journal(e)) => {
                    assert_eq!(e.code(), "guard.missing");
                    assert!(
                        e.to_string().contains("old backup")
                            && e.to_string().contains("countersign guard"),
                        "{e}"
                    );
                }
                other => panic!("{other:?}"),
            }
            assert!(!a.data().join("guard").exists(), "looking makes no guard");
        }
        let mut books =
            Books::open_unguarded(&a.data(), a.keys(), a.root.clone(), unit(A)).unwrap();
        assert!(books.is_unguarded());
        let last = books.checkpoints().keys().last().copied().unwrap_or(0);
        assert_eq!(books.renew_guard().unwrap().size, last);
        drop(books);
        a.open();
        a.shut();
    }
    // A new directory is no restored one.
    std::fs::remove_dir_all(a.data()).unwrap();
    a.open();
    a.reopen();
}

/// Signed by the root, as bytes.
fn signed_by_root(text: String) -> Vec<u8> {
    let root = key("root", Alg::Ed25519);
    Note::sign(&text, &[&root]).unwrap().as_bytes().to_vec()
}

/// The registry of this version, with a name by which it can be told.
fn registry_after(first: &Registry, version: u64, previous: Digest, name: &str) -> String {
    let mut registry = first.clone();
    (registry.version, registry.previous) = (version, Some(previous));
    let later = month("2026-12");
    registry.from = Some(later);
    rename(&mut registry, later, name);
    registry.to_text().unwrap()
}

/// From this month on the first unit has another name.
fn rename(registry: &mut Registry, from: Month, name: &str) {
    let mut placement = registry.units[0].last_placement();
    placement.name = name.to_string();
    registry.units[0].place(from, placement);
}

/// Versions of registry and catalogue, and a county's last day.
fn in_force(w: &World) -> (u64, u32, String) {
    let books = w.desks[A].read();
    let due = books.reporting(month(JAN)).due(Tier::County, month(JAN));
    (
        books.registry().unwrap().registry().version,
        books.counting().unwrap().catalogue.version,
        due.to_string(),
    )
}

/// Registries, catalogues and plans come by NATS at least once and lie about as files: old ones
/// come again, and somebody may send them on purpose. None of them takes effect a second time, and
/// no forged one at all.
#[test]
fn what_was_replaced_never_comes_back() {
    let mut w = World::empty();
    assert_eq!(w.root.vkey(), key("root", Alg::Ed25519).vkey());
    let first = w.desks[A].read().registries()[0].clone();
    let registry = first.0.registry();
    let one = first.1.as_bytes().to_vec();
    let two = signed_by_root(registry_after(registry, 2, first.0.digest(), "two"));
    let digest = Note::parse(&two).unwrap().digest();
    let three = signed_by_root(registry_after(registry, 3, digest, "three"));
    let (old_plan, new_plan) = (
        PLAN.to_string(),
        PLAN.replace("county_days = 5", "county_days = 6"),
    );
    assert_ne!(old_plan, new_plan);
    let plan = |text: &str| signed_by_root(published::plan_text(text).unwrap());
    let mut newest = catalogue();
    newest.version = 3;
    let [old, late, newest] = [catalogue(), catalogue_two(), newest]
        .map(|c| signed_by_root(published::catalogue_text(&c).unwrap()));

    let before = in_force(&w).2;
    let books = w.desk(A).books();
    assert_eq!(
        books
            .install(&[plan(&new_plan), newest.clone(), three.clone(), two.clone()])
            .unwrap(),
        4,
        "in whatever order they lie there"
    );
    let now = in_force(&w);
    assert_eq!((now.0, now.1), (3, 3));
    assert_ne!(now.2, before);
    // Known ones, singly, together, and each after the others.
    for documents in [
        vec![one.clone()],
        vec![two.clone()],
        vec![plan(&old_plan)],
        vec![old.clone()],
        vec![three, one, plan(&old_plan), two, old],
    ] {
        assert_eq!(w.desk(A).books().install(&documents).unwrap(), 0);
        assert_eq!(in_force(&w), now);
    }
    // An older catalogue that this node had not seen: events counted by it can be checked, and
    // nothing new is.
    assert_eq!(w.desk(A).books().install(&[late]).unwrap(), 1);
    assert_eq!(
        (in_force(&w), w.desks[A].read().catalogues().len()),
        (now.clone(), 3)
    );
    forged_ones_take_no_effect(&mut w, registry, digest, &old_plan);
    w.desk(A).reopen();
    assert_eq!(in_force(&w), now);
    assert_eq!(w.desk(A).books().install(&[plan(&old_plan)]).unwrap(), 0);
    assert_eq!(in_force(&w), now);
}

/// Not signed by the root, forked, skipped, or the first once more with another text.
#[track_caller]
fn forged_ones_take_no_effect(w: &mut World, first: &Registry, second: Digest, old_plan: &str) {
    let now = in_force(w);
    let by_another = |text: &str| {
        let other = key(A, Alg::Ed25519);
        Note::sign(text, &[&other]).unwrap().as_bytes().to_vec()
    };
    let first_digest = w.desks[A].read().registries()[0].0.digest();
    let third = w.desks[A].read().registry().unwrap().digest();
    let mut again = first.clone();
    let since = again.units[0].since;
    rename(&mut again, since, "again");
    for wrong in [
        by_another(&registry_after(first, 4, second, "x")),
        signed_by_root(registry_after(first, 4, second, "fork")),
        signed_by_root(registry_after(first, 5, third, "skip")),
        signed_by_root(registry_after(first, 2, first_digest, "another second")),
        signed_by_root(again.to_text().unwrap()),
        by_another(&published::plan_text(old_plan).unwrap()),
    ] {
        let result = w.desk(A).books().install(std::slice::from_ref(&wrong));
        let known = matches!(result, Ok(0));
        assert!(
            matches!(result, Err(BooksError::Published { .. })) || known,
            "{}",
            String::from_utf8_lossy(&wrong)
        );
        assert_eq!(in_force(w), now);
    }
}

/// The view runs ahead of the journal while a group is under way. A process that dies before the
/// group is written must not find its own view and believe it: the statements in it never were.
#[test]
fn a_kill_within_a_group_leaves_nothing_in_the_view() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    a.register(&[id_no(1)], "2026-01-03", now);
    let leaves = a.leaves();
    let drafts = a
        .parse(
            "E01",
            format!("id_no,occurred_on\n{},2026-01-04\n", id_no(2)).as_bytes(),
            Form::Csv,
        )
        .drafts;
    let operator = a.name("luru");
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        a.books().group(|books| {
            assert!(
                record::record(books, &operator, &drafts, vec![], false, now)
                    .unwrap()
                    .accepted
            );
            std::panic::resume_unwind(Box::new("killed"))
        })
    }));
    assert!(killed.is_err());
    a.reopen();
    assert_eq!(a.leaves(), leaves);
    // Another statement takes the place; the lost one is neither history nor a repetition.
    a.hire(&id_no(1), "甲", "2026-01-05", now);
    a.register(&[id_no(2)], "2026-01-04", now);
    a.close(JAN, after(JAN));
    assert_eq!((a.figure(JAN, "I2").0, a.figure(JAN, "I9").0), (1, 2));
}

/// A statement of A that no reader of its log takes: of an event that no catalogue has.
fn contradicted() -> NewEntry {
    NewEntry::open(EntryKind::Statement, junk_statement(A, 5, 3))
}

/// What a fault of this program would write into its unit's log for ever is not written.
#[test]
fn a_statement_that_readers_would_contradict_is_not_written() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.train(2, "2026-01-10", now);
    let (leaves, answers, end) = (a.leaves(), a.answers(), a.read().end());
    let refused = a.books().commit(vec![contradicted()]).unwrap_err();
    assert_eq!(refused.code().to_string(), "books.leaf", "{refused}");
    assert!(refused.zh().contains("没有记录"), "{}", refused.zh());
    assert_eq!((a.leaves(), a.read().end()), (leaves, end));
    assert_eq!(a.answers(), answers);
    a.train(3, "2026-01-12", now);
    assert_eq!(a.leaves(), leaves + 1);
    let answers = a.answers();
    a.reopen();
    assert_eq!(a.answers(), answers);
    a.finish(JAN, after(JAN));
}

/// What others wrote in the same group before it is kept; what comes after it in the group waits.
#[test]
fn of_a_group_only_the_contradicted_statement_is_not_written() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    let leaves = a.leaves();
    let enrol = |books: &mut Books, name: &str| {
        let key = key(&format!("{A}/{name}"), Alg::Ed25519).vkey();
        record::enrol(books, &key, &[Role::Recorder], now)
    };
    let group = a.books().group(|books| {
        let first = enrol(books, "first").is_ok();
        let refused = books.commit(vec![contradicted()]).is_err() && books.refuses();
        let later = enrol(books, "later").is_err();
        (first, refused, later)
    });
    assert_eq!(group.unwrap(), (true, true, true));
    assert!(!a.read().refuses());
    assert_eq!(a.leaves(), leaves + 1);
    assert!(enrol(a.books(), "first").is_err(), "it is enrolled");
    enrol(a.books(), "later").unwrap();
    a.finish(JAN, after(JAN));
}
