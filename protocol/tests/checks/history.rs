//! Check 3, history: nothing is changed, dropped or put between.

use crate::common::*;

#[test]
fn a_witnessed_leaf_is_not_changed_dropped_or_inserted() {
    let rewritten = "the ones that were witnessed: history was rewritten";
    let desk = WORLD.desk(A);
    let replace = |c: &mut Case<'_>, at: usize| {
        let mut s = desk.statement(at as u64);
        s.recorded = "2026-01-05T08:00:01Z".into();
        c.entries[at] = Note::sign(&s.to_text().unwrap(), &[&desk.people[0]])
            .unwrap()
            .as_bytes()
            .to_vec();
    };
    let mut c = case(A, FEB);
    replace(&mut c, 6);
    c.reseal();
    c.fails("history", rewritten);
    let mut c = case(A, FEB);
    c.entries.remove(6);
    c.reseal();
    c.fails("history", rewritten);
    let mut c = case(A, FEB);
    let extra = c.entries[6].clone();
    c.entries.insert(7, extra);
    c.reseal();
    c.fails("history", rewritten);
    let mut c = case(A, FEB);
    c.entries.swap(5, 6);
    c.reseal();
    c.fails("history", rewritten);
    // Without a witness, its own earlier rollup tells.
    let mut c = case(A, FEB);
    c.witnessed = None;
    replace(&mut c, 6);
    c.reseal();
    c.fails(
        "history",
        "does not extend the one of its rollup for 2026-01",
    );
    // The root and size that the rollup claims are those of the leaves.
    let mut c = case(A, FEB);
    c.rollup.log.root = "00".repeat(32);
    c.fails_alone("history", "the root over its");
    let mut c = case(A, FEB);
    c.entries.pop();
    c.fails("history", "leaves, of which");
    let mut c = case(A, JAN);
    c.witnessed = Some((100, [1; 32]));
    c.fails_alone("history", "100 were already witnessed");
}

#[test]
fn two_rollups_for_one_revision_are_an_equivocation() {
    let mut c = case(A, FEB);
    let mut other = c.rollup.clone();
    other.plans.clear();
    c.follow(WORLD.desk(A).sign(&other));
    c.fails_alone("history", "two different rollups for 2026-02 revision 1");
}

#[test]
fn what_is_not_on_its_chain_says_nothing_of_a_rollup() {
    let mut c = case(A, FEB);
    let january = WORLD.held(A, JAN);
    let mut second = january.rollup.clone();
    (second.revision, second.supersedes) = (2, Some(january.digest()));
    second.after = Some(january.named());
    c.known.insert((month(JAN), 2), WORLD.desk(A).sign(&second));
    c.known.insert((month(FEB), 1), WORLD.held(A, FEB));
    c.holds();
    c.follow(WORLD.desk(A).sign(&second));
    c.fails_alone("history", "which revision 2 had replaced");
}

#[test]
fn a_chain_goes_back_to_the_first_rollup() {
    let mut c = case(A, FEB);
    c.known.clear();
    c.fails("history", "its chain breaks: 2026-01 revision 1");
    let mut c = case(A, FEB);
    let after = c.rollup.after.as_mut().unwrap();
    after.rollup = Digest::of(b"another");
    c.fails("history", "its chain breaks: 2026-01 revision 1");
    let mut r = c.rollup.clone();
    r.after = None;
    assert!(r.to_text().is_err());
    r.previous = None;
    r.to_text().unwrap();
}

#[test]
fn months_begin_one_after_the_other() {
    let mut c = case(A, FEB);
    let mut march = c.rollup.clone();
    march.period = month("2026-03");
    c.follow(WORLD.desk(A).sign(&march));
    c.fails_alone(
        "history",
        "a first revision that follows a rollup of 2026-03",
    );
}

#[test]
fn revisions_supersede_one_another_without_gap_or_fork() {
    let mut c = case(A, FEB);
    let first = WORLD.held(A, FEB);
    c.rollup.revision = 2;
    c.rollup.supersedes = Some(first.digest());
    c.fails_alone("history", "revision 1 is missing");
    c.follow(first.clone());
    c.holds();
    c.rollup.supersedes = Some(Digest::of(b"another"));
    c.fails_alone("history", "supersedes another revision 1");
    c.rollup.revision = 3;
    c.rollup.supersedes = Some(first.digest());
    c.fails_alone("history", "revision 2 is missing");
    let mut r = c.rollup.clone();
    r.supersedes = None;
    assert!(r.to_text().is_err());
    r.revision = 0;
    assert!(r.to_text().is_err());
}

#[test]
fn months_follow_one_another_without_gap_or_fork() {
    let mut c = case(A, FEB);
    c.rollup.previous = Some(Digest::of(b"another"));
    c.fails("history", "none of those on its chain for 2026-01");
    let mut c = case(A, FEB);
    c.rollup.previous = None;
    c.fails(
        "history",
        "names no previous rollup, but 140321 reports since 2026-01",
    );
    let mut c = case(A, JAN);
    c.follow(WORLD.held(A, JAN));
    (c.rollup.revision, c.rollup.supersedes) = (2, Some(WORLD.held(A, JAN).digest()));
    c.rollup.previous = Some(Digest::of(b"another"));
    c.fails("history", "names a previous rollup in its first month");
    let mut c = case(A, FEB);
    c.rollup.period = month("2026-03");
    c.fails("history", "the rollup of 2026-02 is missing");
}

#[test]
fn a_corrected_month_is_built_on() {
    // January is opened again, a void is added, January closes as revision 2, and February builds
    // on revision 1.
    let mut w = January::twice();
    let registry = w.registry.clone();
    let a = w.units.get_mut(&unit(A)).unwrap();
    let mut february = a.rollup(FEB, 1, &registry, &[], vec![]);
    assert_eq!(february.previous, Some(a.held[&(month(JAN), 2)].digest()));
    registered_in(a, FEB, 30);
    a.close(FEB, 1, &registry, &[], vec![]);
    Case::of(&w, A, FEB).holds();
    february = w.desk(A).held[&(month(FEB), 1)].rollup.clone();
    february.previous = Some(w.desk(A).held[&(month(JAN), 1)].digest());
    let mut c = Case::of(&w, A, FEB);
    c.rollup = february;
    c.fails(
        "history",
        "is revision 1 of 2026-01, which revision 2 had replaced",
    );
}

struct January;
impl January {
    fn twice() -> World {
        let mut w = january(|a| {
            registered(a, 1);
            hired(a, 1);
        });
        let registry = w.registry.clone();
        let a = w.units.get_mut(&unit(A)).unwrap();
        a.void(JAN, 5);
        a.close(JAN, 2, &registry, &[], vec![]);
        w
    }
}

fn registered_in(desk: &mut Desk, period: &str, n: u32) {
    let day = format!("{period}-03");
    desk.sealed(
        period,
        "person.registered",
        &[("id_no", text(&id_no(n))), ("occurred_on", text(&day))],
    );
}

#[test]
fn a_reopened_month_takes_leaves_again() {
    let w = January::twice();
    Case::of(&w, A, JAN).holds();
    assert_eq!(w.held(A, JAN).rollup.revision, 2);
}

#[test]
fn rollups_never_go_back_in_log_or_registry() {
    let mut c = case(A, FEB);
    c.witnessed = None;
    c.entries.truncate(8);
    c.rollup.log.first = 8;
    c.reseal();
    c.fails("history", "fewer than the");
    let mut r = WORLD.registry.registry().clone();
    r.version = 2;
    r.previous = Some(WORLD.registry.digest());
    let newer = WORLD
        .registry
        .next(&sign_registry(&r, &[&WORLD.roots[0], &WORLD.roots[1]]))
        .unwrap();
    let mut c = case(A, FEB);
    let mut january = WORLD.held(A, JAN).rollup.clone();
    january.registry = protocol::rollup::RegistryRef {
        version: 2,
        digest: newer.digest(),
    };
    let january = WORLD.desk(A).sign(&january);
    c.rollup.previous = Some(january.digest());
    c.follow(january);
    c.fails_alone("history", "names registry version 1 after version 2");
}

#[test]
fn nothing_is_put_into_a_sealed_month() {
    let desk = WORLD.desk(A);
    let mut c = case(A, FEB);
    let fields = [
        ("attended", Value::Int(1)),
        ("occurred_on", text("2026-01-12")),
    ];
    let mut s = spare_desk()
        .blank("training.held", JAN)
        .with(clear_body(&fields, &[("I7:n:total:total", 1)]));
    c.append(&s, &desk.people[0]);
    c.fails_alone("history", "was put into 2026-01, which was already sealed");
    let mut c = case(A, FEB);
    s.period = month(FEB);
    s.late = Some(month(FEB));
    c.append(&s, &desk.people[0]);
    c.fails(
        "history",
        "is called late for 2026-02, which is not before its month",
    );
}

#[test]
fn a_void_takes_back_one_counted_statement_once() {
    let desk = WORLD.desk(A);
    let zhang = &desk.people[0];
    let void = |target: u64| {
        let body = void_of(desk.statement(target).id, target);
        spare_desk().blank("record.voided", JAN).with(body)
    };
    let voided = (0..desk.size())
        .find_map(|i| desk.statement(i).voids().cloned())
        .unwrap();
    let is_void = (0..desk.size())
        .find(|i| desk.statement(*i).voids().is_some())
        .unwrap();
    let attempt = |s: &Statement, part: &str| {
        let mut c = case(A, JAN);
        c.append(s, zhang);
        c.fails_alone("history", part);
    };
    attempt(&void(voided.index), "a second time");
    attempt(&void(is_void), "itself a void or an enrolment");
    attempt(&void(0), "itself a void or an enrolment");
    let mut s = void(4);
    let id = desk.statement(4).id;
    s.body = void_of(id, 5);
    attempt(&s, "which is not leaf 5");
    s.body = void_of(id, 4000);
    attempt(&s, "not in the log before it");
    s.body = void_of(id, u64::MAX);
    attempt(&s, "not in the log before it");
    let mut s = void(4);
    s.body = void_of(s.id, case(A, JAN).rollup.log.size);
    attempt(&s, "not in the log before it");
    // A void that is right, but not taken out of the figures.
    let mut c = case(A, JAN);
    c.append(&void(4), zhang);
    c.fails_alone("binding", "add up to 3, but there are 2 leaves");
    // Shapes that say two things at once.
    let shape = |text: &str, part: &str| {
        let refused = Statement::parse(text).unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
        assert!(refused.ends_with("[statement.shape]"), "{refused}");
    };
    let text = void(4).to_text().unwrap();
    let row = serde_json::to_string(desk.statement(4).row().unwrap()).unwrap();
    let both = text.replacen("\"voids\":", &format!("\"row\":{row},\"voids\":"), 1);
    shape(&both, "neither");
    let other = text.replacen("record.voided", "training.held", 1);
    shape(&other, "voiding, but of another type");
    let from = text.find(",\"voids\"").unwrap();
    let to = from + text[from..].find('}').unwrap() + 1;
    let nothing = format!("{}{}", &text[..from], &text[to..]);
    shape(&nothing, "a void that names nothing");
    let mut s = void(4);
    s.event = "training.held".into();
    assert!(s.to_text().is_err());
    let mut s = desk.statement(4);
    s.event = "record.voided".into();
    assert!(s.to_text().is_err());
}

/// A later catalogue gives the type another schema: what was recorded by the old one is taken back
/// under a name of its own, as its columns are others.
#[test]
fn a_void_across_a_change_of_schema_is_counted_by_itself() {
    let mut second = WORLD.counting.catalogue.clone();
    second.version = 2;
    second.indicators.retain(|i| i.id != "I7");
    let second = Arc::new(protocol::compiled::CompiledCatalogue::new(second).unwrap());
    let desk = WORLD.desk(A);
    let size = WORLD.held(A, JAN).rollup.log.size;
    let training = (0..size)
        .find(|i| desk.statement(*i).event == "training.held")
        .unwrap();
    for (target, earlier) in [(training, true), (4, false)] {
        let body = void_of(desk.statement(target).id, target);
        let mut s = spare_desk().blank("record.voided", FEB).with(body);
        s.catalogue = second.digest;
        let mut entries = desk.entries[..size as usize].to_vec();
        entries.push(
            Note::sign(&s.to_text().unwrap(), &[&desk.people[0]])
                .unwrap()
                .as_bytes()
                .to_vec(),
        );
        let node = WORLD.registry.registry().unit(&unit(A)).unwrap();
        let mut log = UnitLog::new(node, vec![WORLD.counting.clone(), second.clone()]);
        log.read(&entries, node);
        assert_eq!(log.finding(Check::History), None);
        let month = log.month(month(FEB));
        let names: Vec<&String> = month.clear.keys().chain(month.sealed.keys()).collect();
        let counting = &WORLD.counting;
        let event = desk.statement(target).event;
        let schema = counting.generators.schema(&event).unwrap();
        let name = format!("{event}@{}", schema.digest());
        assert_eq!(names, [if earlier { &name } else { &event }]);
        assert_eq!(
            (log.finding(Check::Authorship), log.finding(Check::Binding)),
            (None, None)
        );
    }
}
