//! Files at the desk: encodings, every fault at once with its place, all or nothing, and no word of
//! a person.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use kit::on_disk::*;
use node::desk::record;
use node::exchange::{self, Form};
use node::fault::Fault;
use node::random::{Random, RandomError, SystemRandom};

const NAME: &str = "欧阳测试";

fn codes(faults: &[Fault]) -> Vec<(u64, String, String)> {
    faults
        .iter()
        .map(|f| {
            (
                f.row.unwrap_or(0),
                f.column.clone().unwrap_or_default(),
                f.code.to_string(),
            )
        })
        .collect()
}
fn expect(list: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    list.iter()
        .map(|(r, c, k)| (*r, (*c).to_string(), (*k).to_string()))
        .collect()
}

/// Nothing of a person in faults, however they are printed.
#[track_caller]
fn private(faults: &[Fault]) {
    for text in [
        serde_json::to_string(faults).unwrap(),
        format!("{faults:?}"),
        node::fault::Faults(faults.to_vec()).to_string(),
    ] {
        assert!(!text.contains(NAME), "a name: {text}");
        let digits = text
            .split(|c: char| !c.is_ascii_digit())
            .map(str::len)
            .max()
            .unwrap_or(0);
        assert!(digits < 12, "a long number: {text}");
        assert!(!text.contains("999999"), "an ID number: {text}");
    }
}

fn cert(n: u32) -> String {
    format!("{}43", id_no(n))
}

#[test]
fn every_encoding_and_form_gives_the_same_events() {
    let mut w = World::empty();
    let a = w.desk(A);
    let rows = [
        (cert(1), NAME, "2026-01-05", "是", "高", "5000.50"),
        (cert(2), "王", "2026/1/6", "否", "lo", "0.1"),
    ];
    let mut csv = "残疾人证号,姓名,发生日期,能否,等次,工资(元)\n".to_string();
    let mut jsonl = String::new();
    for (c, n, d, able, level, wage) in &rows {
        csv += &format!("{c},{n},{d},{able},{level},{wage}\n");
        jsonl += &format!(
            r#"{{"type":"E20","cert_no":"{c}","name":"{n}","occurred_on":"{d}","able":{},"level":"{level}","wage_yuan":"{wage}"}}"#,
            *able == "是"
        );
        jsonl += "\n";
    }
    let utf8 = a.parse("E20", csv.as_bytes(), Form::Csv);
    assert!(utf8.faults.is_empty(), "{:?}", utf8.faults);
    assert_eq!(utf8.drafts.len(), 2);
    let bom = [b"\xef\xbb\xbf".to_vec(), csv.clone().into_bytes()].concat();
    let gb = encoding_rs::GB18030.encode(&csv).0.into_owned();
    let windows = csv.replace('\n', "\r\n");
    for (what, bytes) in [
        ("bom", bom),
        ("gb18030", gb),
        ("crlf", windows.into_bytes()),
    ] {
        assert_eq!(
            a.parse("E20", &bytes, Form::Csv).drafts,
            utf8.drafts,
            "{what}"
        );
    }
    for (what, bytes) in [
        ("jsonl", jsonl.clone().into_bytes()),
        (
            "jsonl bom",
            [b"\xef\xbb\xbf".to_vec(), jsonl.clone().into_bytes()].concat(),
        ),
        (
            "jsonl gb18030",
            encoding_rs::GB18030.encode(&jsonl).0.into_owned(),
        ),
    ] {
        let parsed = a.parse("E01", &bytes, Form::Jsonl);
        let plain = |d: &[exchange::Draft]| {
            d.iter()
                .map(|d| (d.event.clone(), d.on, d.fields.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            plain(&parsed.drafts),
            plain(&utf8.drafts),
            "{what}: {:?}",
            parsed.faults
        );
    }
    assert_eq!(
        exchange::parse(&[0xff, 0xfe, 0xff], Form::Csv, Some("E20"), &catalogue())
            .unwrap_err()
            .0[0]
            .code,
        "file.encoding"
    );
}

#[test]
fn every_fault_of_a_file_is_told_at_once_with_its_place() {
    let w = World::empty();
    let good = cert(1);
    let mut short = good.clone();
    short.pop();
    let wrong_digit = {
        let id = id_no(1);
        let last = if id.ends_with('1') { '2' } else { '1' };
        format!("{}{last}43", &id[..17])
    };
    let born = "99999919900231001X43";
    let rows = [
        format!("{short},{NAME},2026-01-05,,,,,,"), // 2 length
        format!("{wrong_digit},{NAME},2026-01-05,,,,,,"), // 3 check digit
        format!("{born},{NAME},2026-01-05,,,,,,"),  // 4 birth date
        format!("{}83,{NAME},2026-01-05,,,,,,", id_no(1)), // 5 category 8
        format!("{}45,{NAME},2026-01-05,,,,,,", id_no(1)), // 6 grade 5
        format!("{}43Z9,{NAME},2026-01-05,,,,,,", id_no(1)), // 7 no mark of a re-issue
        format!("{good},{NAME},2026-01-05,91350100M000100Y44,,,,,"), // 8 credit code
        format!("{good},{NAME},2026-02-30,,2026-13-01,,,,"), // 9 two impossible days
        format!("{good},{NAME},05-01,,,maybe,middle,,"), // 10 form of the day, bool, code
        format!("{good},{NAME},2026-01-05,,,,,5000.5,-1"), // 11 fen, int
        format!(",{NAME},,,,,,,"),                  // 12 two missing
        format!("{good},{},2026-01-05,,,,,,", "长".repeat(201)), // 13 long text
        format!("{good},{NAME},2026-01-05,,,,,,,extra"), // 14 wider than the heading
        format!("{good},{NAME},2026-01-05,,,,,,"),  // 15 good
    ];
    let heading = "cert_no,name,occurred_on,credit,day,able,level,wage_fen,hours\n";
    let parsed = w.desks[A].parse(
        "E20",
        format!("{heading}{}\n", rows.join("\n")).as_bytes(),
        Form::Csv,
    );
    let found = codes(&parsed.faults);
    for (row, column, code) in [
        (2, "cert_no", "id.length"),
        (3, "cert_no", "id.check_digit"),
        (4, "cert_no", "id.birth_date"),
        (8, "credit", "id.credit_check"),
        (9, "occurred_on", "date.impossible"),
        (9, "day", "date.impossible"),
        (10, "occurred_on", "date.form"),
        (10, "able", "bool.form"),
        (10, "level", "code.unknown"),
        (11, "wage_fen", "money.form"),
        (11, "hours", "number.form"),
        (12, "cert_no", "field.missing"),
        (12, "occurred_on", "field.missing"),
        (13, "name", "text.form"),
        (14, "", "row.width"),
    ] {
        assert!(
            found.contains(&(row, column.into(), code.into())),
            "row {row} {column} {code}: {found:#?}"
        );
    }
    for row in [5, 6, 7] {
        assert!(
            found
                .iter()
                .any(|(r, c, k)| *r == row && c == "cert_no" && k.starts_with("id.")),
            "row {row}: {found:?}"
        );
    }
    assert_eq!(found.len(), 18, "{found:#?}");
    assert_eq!(parsed.drafts.len(), 1);
    assert_eq!(parsed.drafts[0].row, 15);
    private(&parsed.faults);
}

#[test]
fn headings_are_told_by_their_names_and_a_file_without_one_tells_nothing_of_a_person() {
    let w = World::empty();
    let a = &w.desks[A];
    let parsed = a.parse(
        "E20",
        format!("cert_no,nickname,name,name\n{},x,{NAME},y\n", cert(1)).as_bytes(),
        Form::Csv,
    );
    assert_eq!(
        codes(&parsed.faults),
        expect(&[
            (1, "nickname", "column.unknown"),
            (1, "name", "column.twice"),
            (1, "occurred_on", "column.missing")
        ])
    );
    // The first row is data: the heading was forgotten.
    let parsed = a.parse(
        "E20",
        format!(
            "{},{NAME},2026-01-05\n{},{NAME},2026-01-05\n",
            cert(1),
            cert(2)
        )
        .as_bytes(),
        Form::Csv,
    );
    assert!(parsed.drafts.is_empty());
    assert_eq!(codes(&parsed.faults), expect(&[(1, "", "file.heading")]));
    private(&parsed.faults);
    // The same with a heading in between that happens to be right.
    let parsed = a.parse(
        "E20",
        format!("{},name,2026-01-05\n", cert(1)).as_bytes(),
        Form::Csv,
    );
    private(&parsed.faults);
    assert!(!parsed.faults.is_empty());
    // A type that is none: what stands there is not repeated.
    let line = format!(r#"{{"type":"{}","name":"{NAME}"}}"#, id_no(1));
    let parsed = a.parse("E20", line.as_bytes(), Form::Jsonl);
    assert_eq!(codes(&parsed.faults), expect(&[(1, "type", "file.type")]));
    private(&parsed.faults);
    let parsed = a.parse(
        "E20",
        format!("{{\"{}\":2}}\n[1]\n{{\n{{\"name\":[1]}}\n", id_no(1)).as_bytes(),
        Form::Jsonl,
    );
    private(&parsed.faults);
    assert!(parsed.faults.len() >= 4);
}

#[test]
fn a_json_row_says_each_thing_once() {
    let w = World::empty();
    let a = &w.desks[A];
    let twice = [
        format!(
            r#"{{"cert_no":"{}","残疾人证号":"{}","name":"甲","occurred_on":"2026-01-05"}}"#,
            cert(1),
            cert(2)
        ),
        format!(
            r#"{{"cert_no":"{}","name":"甲","occurred_on":"2026-01-05","wage":1,"wage_yuan":"2"}}"#,
            cert(1)
        ),
        format!(
            r#"{{"cert_no":"{}","cert_no":"{}","name":"甲","occurred_on":"2026-01-05"}}"#,
            cert(1),
            cert(2)
        ),
    ];
    for line in twice {
        let parsed = a.parse("E20", line.as_bytes(), Form::Jsonl);
        assert!(parsed.drafts.is_empty(), "{line}");
        assert_eq!(
            parsed.faults[0].code, "column.twice",
            "{line}: {:?}",
            parsed.faults
        );
        private(&parsed.faults);
    }
}

#[test]
fn rows_are_counted_as_a_spreadsheet_counts_them() {
    let w = World::empty();
    let a = &w.desks[A];
    let text = format!(
        "cert_no,name,occurred_on\n{},甲,2026-01-05\n\n\n{},乙,bad\n,,\n{},\"丙\",worse\n",
        cert(1),
        cert(2),
        cert(3)
    );
    let parsed = a.parse("E20", text.as_bytes(), Form::Csv);
    assert_eq!(
        codes(&parsed.faults),
        expect(&[
            (5, "occurred_on", "date.form"),
            (7, "occurred_on", "date.form")
        ]),
        "empty rows are rows, and no faults"
    );
    assert_eq!(parsed.drafts.len(), 1);
    let line = |n: u32, day: &str| {
        format!(
            r#"{{"cert_no":"{}","name":"甲","occurred_on":"{day}"}}"#,
            cert(n)
        )
    };
    let parsed = a.parse(
        "E20",
        format!("{}\n\n{}\n", line(1, "2026-01-05"), line(2, "x")).as_bytes(),
        Form::Jsonl,
    );
    assert_eq!(
        codes(&parsed.faults),
        expect(&[(3, "occurred_on", "date.form")])
    );
}

/// Two registered persons, of whom the first is employed since the fifth.
fn two_registered(now: DateTime<Utc>) -> World {
    let mut w = World::empty();
    w.desk(A).register(&[id_no(1), id_no(2)], "2026-01-03", now);
    w.desk(A).hire(&id_no(1), "甲", "2026-01-05", now);
    w
}

/// A file of placements, and its faults by history.
fn placements_with_faults() -> (String, Vec<(u64, String, String)>) {
    let row = |id: &str, employer: &str, day: &str| format!("{id},{employer},1,{day}\n");
    let born = id_born("20260110", 1);
    let text = String::from("id_no,employer,wage_fen,occurred_on\n")
        + &row(&id_no(2), "乙", "2026-01-06")        // 2 good
        + &row(&id_no(2), "乙", "2026-01-06")        // 3 the same row
        + &format!("{},甲,300000,2026-01-05\n", id_no(1)) // 4 in the log: no fault, passed over
        + &row(&id_no(9), "甲", "2026-01-06")        // 5 unknown
        + &row(&id_no(1), "甲", "2026-01-07")        // 6 still open
        + &row(&id_no(2), "乙", "2026-01-21")        // 7 tomorrow
        + &row(&born, "乙", "2026-01-09")            // 8 before birth
        + &row(&id_no(2), "丙", "2026-01-02"); // 9 before the registration
    let faults = expect(&[
        (3, "", "row.repeated"),
        (5, "id_no", "subject.unknown"),
        (6, "", "spell.open"),
        (7, "occurred_on", "date.future"),
        (7, "", "spell.open"),
        (8, "occurred_on", "date.before_birth"),
        (8, "id_no", "subject.unknown"),
        (9, "id_no", "subject.unknown"),
    ]);
    (text, faults)
}

/// How many bytes were asked for each time.
#[derive(Default)]
struct Counter(Mutex<Vec<usize>>);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.0.lock().unwrap().push(bytes.len());
        SystemRandom.fill(bytes)
    }
}

#[test]
fn a_dry_run_makes_no_secret_of_the_month() {
    let mut w = World::empty();
    let now = at("2026-02-20");
    let a = w.desk(A);
    // People were enrolled in January, which has its secret from then on.
    a.close(JAN, after(JAN));
    let counter = Arc::new(Counter::default());
    a.books().set_random(counter.clone());
    let secrets = || {
        let drawn = counter.0.lock().unwrap();
        drawn.iter().filter(|bytes| **bytes == 32).count()
    };
    let text = "attended,occurred_on\n3,2026-02-05\n";
    let dry = a.dry_run("E06", text, now);
    assert!(dry.accepted && dry.recorded.is_empty());
    assert_eq!(secrets(), 0);
    // The recording itself makes it, once.
    for day in ["2026-02-05", "2026-02-06"] {
        let text = format!("attended,occurred_on\n3,{day}\n");
        assert!(a.import("E06", &text, false, now).unwrap().accepted);
        assert_eq!(secrets(), 1, "{day}");
    }
}

/// Nothing was recorded, and nobody is told that something was.
#[test]
fn a_file_without_rows_is_empty() {
    let mut w = World::empty();
    let counting = w.desk(A).read().counting().unwrap().clone();
    for (form, text) in [
        (Form::Csv, "attended,occurred_on\n"),
        (Form::Csv, "attended,occurred_on\n\n,\n  \n"),
        (Form::Jsonl, ""),
        (Form::Jsonl, "\n \n"),
    ] {
        let parsed = exchange::parse(text.as_bytes(), form, Some("E06"), &counting.catalogue);
        assert_eq!(code_of(parsed), "file.empty", "{text:?}");
    }
    let one = "attended,occurred_on\n\n3,2026-01-05\n".as_bytes();
    let parsed = exchange::parse(one, Form::Csv, Some("E06"), &counting.catalogue);
    assert_eq!(parsed.unwrap().drafts.len(), 1);
}

/// An import was broken off, and is run again: what had gone through is told from what had not.
#[test]
fn a_file_is_known_when_every_row_of_it_was_recorded() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    let text = |days: &[&str]| {
        let rows = days.iter().map(|day| format!("3,{day}\n"));
        String::from("attended,occurred_on\n") + &rows.collect::<String>()
    };
    let first = text(&["2026-01-05", "2026-01-06"]);
    let mut import = |text: &str, valid_rows| a.import("E06", text, valid_rows, now).unwrap();
    assert!(!import(&first, false).known);
    for valid_rows in [false, true] {
        let again = import(&first, valid_rows);
        assert!(again.known && !again.accepted, "{again:?}");
    }
    // One with a fault is refused as a whole, and says how far it is known.
    let wrong = import(&text(&["2026-01-05", "2026-01-32"]), false);
    assert!(!wrong.known && !wrong.accepted, "{wrong:?}");
    assert_eq!((wrong.faults.len(), wrong.skipped.len()), (1, 1));
    // One new row: that one is recorded, the other is passed over by name.
    let more = import(&text(&["2026-01-05", "2026-01-07"]), false);
    assert!(!more.known && more.accepted, "{more:?}");
    let skipped = more.skipped.iter().map(|s| (s.row, s.reason, s.index));
    let known = (2, exchange::SkipReason::Recorded, Some(4));
    assert_eq!(skipped.collect::<Vec<_>>(), [known]);
    // What repeats itself within the file may have happened twice: nobody decides that silently.
    let twice = import(&text(&["2026-01-08", "2026-01-08"]), false);
    assert_eq!(codes(&twice.faults), expect(&[(3, "", "row.repeated")]));
    let dry = a.dry_run("E06", &first, now);
    assert!(dry.known && !dry.accepted);
}

#[test]
fn history_speaks_and_a_file_is_all_or_nothing() {
    let now = at("2026-01-20");
    let mut w = two_registered(now);
    let a = w.desk(A);
    let (text, want) = placements_with_faults();
    let leaves = a.leaves();
    let dry = a.dry_run("E02", &text, now);
    assert_eq!(codes(&dry.faults), want);
    assert!(!dry.accepted && dry.recorded.is_empty());
    assert_eq!(a.leaves(), leaves, "a dry run records nothing");
    let refused = a.import("E02", &text, false, now).unwrap();
    assert_eq!(
        (
            codes(&refused.faults),
            refused.accepted,
            refused.recorded.len()
        ),
        (want.clone(), false, 0)
    );
    assert_eq!(a.leaves(), leaves, "all or nothing");
    a.reopen();
    assert_eq!(a.leaves(), leaves, "not even in the journal");
    private(&refused.faults);
    let taken = a.import("E02", &text, true, now).unwrap();
    assert_eq!((codes(&taken.faults), taken.accepted), (want, true));
    assert_eq!(taken.skipped.len(), 1);
    assert_eq!(
        taken
            .recorded
            .iter()
            .map(|r| (r.row, r.index))
            .collect::<Vec<_>>(),
        [(2, leaves)]
    );
    assert_eq!(a.leaves(), leaves + 1);
}

/// Registered already; ended but not open; a month that is not open yet; the wrong tier.
#[test]
fn what_does_not_fit_the_history_the_month_or_the_tier_is_refused() {
    let now = at("2026-01-20");
    let mut w = two_registered(now);
    let again = format!("id_no,occurred_on\n{},2026-01-08\n", id_no(1));
    let ended = format!("id_no,employer,occurred_on\n{},丁,2026-01-08\n", id_no(1));
    let later = "attended,occurred_on\n3,2026-02-01\n";
    let right = "attended,occurred_on\n3,2026-01-05\n";
    for (who, event, text, now, column, code) in [
        (A, "E01", &*again, now, "id_no", "subject.registered"),
        (A, "E03", &ended, now, "", "spell.closed"),
        (
            A,
            "E06",
            later,
            at("2026-02-03"),
            "occurred_on",
            "date.after_period",
        ),
        (PROVINCE, "E06", right, now, "", "event.tier"),
    ] {
        let refused = w.desk(who).import(event, text, false, now).unwrap();
        assert_eq!(codes(&refused.faults), expect(&[(2, column, code)]));
    }
}

/// Somebody who is not enrolled as recorder, or no longer, records nothing.
#[test]
fn only_an_enrolled_recorder_records() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    let draft = a.draft("E06", r#"{"attended":1,"occurred_on":"2026-01-05"}"#);
    let record = |a: &mut Desk, who: &str| {
        let (name, drafts) = (a.name(who), std::slice::from_ref(&draft));
        record::record(a.books(), &name, drafts, vec![], false, now)
    };
    for who in ["tianbiao", "nobody"] {
        assert_eq!(code_of(record(a, who)), "operator.unknown");
    }
    let vkey = a.people["luru"].vkey();
    record::revoke(a.books(), &vkey, now).unwrap();
    assert_eq!(code_of(record(a, "luru")), "operator.unknown");
}

#[test]
fn a_type_of_the_systems_none_at_all_and_too_many_rows_are_refused() {
    let many = format!(
        "attended,occurred_on\n{}",
        "1,2026-01-05\n".repeat(exchange::MAX_ROWS as usize + 1)
    );
    for (text, event, code) in [
        // An event type that only the system writes.
        ("id_no\n1\n", Some("E90"), "file.type"),
        ("id_no\n1\n", None, "file.type"),
        (&many, Some("E06"), "file.rows"),
    ] {
        let refused = exchange::parse(text.as_bytes(), Form::Csv, event, &catalogue()).unwrap_err();
        assert_eq!(refused.0[0].code, code);
    }
}

#[test]
fn the_largest_file_is_recorded_in_one_piece() {
    let mut w = World::empty();
    let a = w.desk(A);
    let ids: Vec<String> = (0..exchange::MAX_ROWS as u32)
        .map(|n| {
            id_born(
                &format!(
                    "{}0{}{:02}",
                    1980 + n / 500 % 50,
                    1 + n / 100 % 5,
                    1 + n / 1000 % 28
                ),
                n % 100,
            )
        })
        .collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    let recorded = a.register(&ids, "2026-01-03", at("2026-01-20"));
    assert_eq!(recorded.len() as u64, exchange::MAX_ROWS);
    a.close(JAN, after(JAN));
    assert!(a.figure(JAN, "I9").0 > 0);
    a.reopen();
    assert_eq!(a.leaves(), 4 + exchange::MAX_ROWS);
}

#[test]
fn nothing_personal_in_debug_output_statements_or_the_journal() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    a.register(&[id_no(1)], "2026-01-03", now);
    a.csv(
        "E20",
        &format!("cert_no,name,occurred_on\n{},{NAME},2026-01-05\n", cert(1)),
        now,
    );
    let (before, after) = (format!("{:?}", a.read()), format!("{:?}", a.keys()));
    assert!(
        !before.contains("999999") && !after.contains("KEY"),
        "{before} {after}"
    );
    let evidence = a.evidence();
    let disk: Vec<u8> = [a.data().join("journal"), a.data().join("view")]
        .iter()
        .flat_map(|d| std::fs::read_dir(d).unwrap())
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file())
        .flat_map(|p| std::fs::read(p).unwrap())
        .collect();
    let holds = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
    assert!(
        holds(&disk, b"person.assessed"),
        "the control: it is the right place to look"
    );
    for needle in [id_no(1).as_bytes(), NAME.as_bytes(), &b"999999199"[..]] {
        assert!(!holds(&disk, needle) && !holds(&evidence, needle));
    }
}
