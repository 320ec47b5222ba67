//! Files as offices have them, against the catalogue that is delivered: what has one meaning is read,
//! all else is refused with what was found and what belongs there.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use node::exchange::{self, Form, Parsed, SkipReason};
use node::fault::{Fault, Faults};
use protocol::catalogue::Catalogue;
use protocol::count::Value;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

const E01: &str = "发生日期,残疾人证号,姓名,户籍,文化程度,有效期至,联系电话";
const PERSON: &str = "2023-01-05,99999918750412040343,测试,城镇,,,";
const OTHER: &str = "2023-01-05,99999918750412041143,测试,城镇,,,";

fn delivered() -> Catalogue {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/catalogue");
    let files = ["dimensions", "events", "indicators", "rules"].map(|name| {
        let file = format!("{name}.toml");
        let text = std::fs::read_to_string(folder.join(&file)).unwrap();
        (file, text)
    });
    Catalogue::from_files(&files).unwrap()
}

fn try_read(event: &str, bytes: &[u8]) -> Result<Parsed, Faults> {
    exchange::parse(bytes, Form::Csv, Some(event), &delivered())
}

#[track_caller]
fn read(event: &str, text: &str) -> Parsed {
    try_read(event, text.as_bytes()).unwrap()
}

/// All rows are drafts.
#[track_caller]
fn whole(event: &str, text: &str, rows: usize) -> Parsed {
    let parsed = read(event, text);
    assert!(parsed.faults.is_empty(), "{text}: {:#?}", parsed.faults);
    assert_eq!(parsed.drafts.len(), rows, "{text}");
    parsed
}

/// The only fault of a file.
#[track_caller]
fn fault(event: &str, text: &str) -> Fault {
    let mut parsed = read(event, text);
    assert_eq!(parsed.faults.len(), 1, "{text}: {:#?}", parsed.faults);
    parsed.faults.remove(0)
}

#[track_caller]
fn says(fault: &Fault, code: &str, words: &[&str]) {
    assert_eq!(fault.code.as_str(), code, "{fault}");
    for word in words {
        assert!(fault.zh.contains(word), "{word}: {}", fault.zh);
    }
    assert!(!fault.to_string().contains("99999"), "{fault}");
}

#[test]
fn a_file_is_read_whatever_its_separators_and_line_ends() {
    let text = format!("{E01}\n{PERSON}\n{OTHER}\n");
    let plain = whole("E01", &text, 2).drafts;
    for separator in [";", "\t", "，", "|"] {
        let text = text.replace(',', separator);
        assert_eq!(whole("E01", &text, 2).drafts, plain, "{separator:?}");
    }
    for end in ["\r", "\r\n"] {
        let text = text.replace('\n', end);
        assert_eq!(whole("E01", &text, 2).drafts, plain, "{end:?}");
    }
    let marked = format!("\u{feff}\u{feff}{text}\u{1a}");
    assert_eq!(whole("E01", &marked, 2).drafts, plain);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [b"\xff\xfe".to_vec(), utf16].concat();
    assert_eq!(try_read("E01", &utf16).unwrap().drafts, plain);
}

#[test]
fn what_stands_around_the_table_is_passed_over_by_name() {
    let heading = format!(
        "序号,{}",
        E01.replace("姓名", "*姓 名")
            .replace("户籍", "户籍（必填）")
    );
    let text = format!(
        "2023年1月残疾人建档表,,,,,,,,备注,\n填报单位：测试县,,,\n\n{heading},备 注,,\n1,{PERSON},新,,\n2,,,,,,,,,,\n\
         2,{OTHER},,,\n合计,,2,,,,,,,\n填表人：某某,,,,\n"
    );
    let parsed = whole("E01", &text, 2);
    let skipped: Vec<_> = parsed.skipped.iter().map(|s| (s.row, s.reason)).collect();
    let want = [
        (1, SkipReason::Title),
        (2, SkipReason::Title),
        (8, SkipReason::Total),
        (9, SkipReason::Footer),
    ];
    assert_eq!(skipped, want);
    assert_eq!(parsed.ignored, ["序号", "备 注"]);
    let rows: Vec<u64> = parsed.drafts.iter().map(|d| d.row).collect();
    assert_eq!((rows, parsed.rows), (vec![5, 7], 6));
    // Data above the heading is no title.
    let text = format!("{PERSON}\n{E01}\n{OTHER}\n");
    let above = fault("E01", &text);
    says(&above, "file.heading", &["在表头上方"]);
    assert_eq!(above.row, Some(1));
}

#[test]
fn cells_and_columns_that_hold_nothing_are_nothing() {
    let ghost = format!("{E01},,\n{PERSON},,\n{OTHER},,\n");
    whole("E01", &ghost, 2);
    whole("E01", &format!("{E01}\n{PERSON},,,,\n{OTHER}\n"), 2);
    // What holds something is not read over.
    let wide = fault("E01", &format!("{E01},,\n{PERSON},,x\n{OTHER}\n"));
    says(&wide, "row.width", &["第 9 个单元格"]);
}

#[test]
fn a_file_of_two_encodings_or_ends_is_refused_with_the_row() {
    let text = format!("{E01}\n{PERSON}\n");
    let gbk = encoding_rs::GB18030.encode(OTHER).0.into_owned();
    let mixed = [text.as_bytes(), &gbk[..]].concat();
    let refused = try_read("E01", &mixed).unwrap_err().0.remove(0);
    says(&refused, "file.encoding", &["第 3 行"]);
    let joined = format!("{text}\u{1a}{text}");
    let refused = try_read("E01", joined.as_bytes()).unwrap_err().0.remove(0);
    says(&refused, "file.unreadable", &["结束符"]);
}

#[test]
fn a_quote_that_never_closes_swallows_nothing() {
    let text =
        format!("{E01}\n{PERSON}\n2023-01-05,99999918750412041143,\"测试,城镇,,,\n{PERSON}\n");
    let refused = try_read("E01", text.as_bytes()).unwrap_err().0.remove(0);
    says(&refused, "file.quotes", &["第 3 行", "没有录入"]);
    assert_eq!(refused.row, Some(3));
    // Closed by another one that was meant to open: the rows between them are named.
    let text = format!("{text}2023-01-05,99999918750412041143,\"测试,城镇,,,\n");
    let mut parsed = read("E01", &text);
    let lines = parsed.faults.remove(0);
    assert_eq!((lines.row, lines.code.as_str()), (Some(3), "row.quotes"));
}

const E10: &str = "occurred_on,id_no,method";

#[test]
fn what_a_spreadsheet_did_to_a_number_is_undone_or_told() {
    for id in [
        "\"=\"\"999999197504120031\"\"\"",
        "\u{202d}999999197504120031\u{202c}",
        "'999999197504120031",
        "９９９９９９197504120031",
    ] {
        let parsed = whole("E10", &format!("{E10}\n2023-01-08,{id},visit\n"), 1);
        let value = parsed.drafts[0].fields.get("id_no");
        assert_eq!(
            value,
            Some(&Value::Text("999999197504120031".into())),
            "{id}"
        );
    }
    let short = fault("E10", &format!("{E10}\n2023-01-08,9.99999E+17,visit\n"));
    says(&short, "id.shortened", &["科学记数法", "文本格式"]);
    let formula = fault(
        "E10",
        &format!("{E10}\n2023-01-08,999999197504120031,=B2\n"),
    );
    says(&formula, "cell.formula", &["公式"]);
}

#[test]
fn a_day_with_two_meanings_is_refused_with_both() {
    let row = |day: &str| format!("{E10}\n{day},999999197504120031,visit\n");
    says(
        &fault("E10", &row("1/5/2023")),
        "date.form",
        &["1/5/2023", "2023-01-05", "2023-05-01"],
    );
    says(
        &fault("E10", &row("46270")),
        "date.form",
        &["46270", "2026-09-05"],
    );
    whole("E10", &row("2023年1月8日"), 1);
}

const E16: &str = "发生日期,身份证号,就业登记号,就业形式,缴纳社会保险";

#[test]
fn money_has_a_unit_and_is_never_negative() {
    let row = |heading: &str, wage: &str| {
        format!("{E16},{heading}\n2023-01-06,999999197504120031,r1,按比例就业,是,{wage}\n")
    };
    for (heading, wage, fen) in [
        ("月工资（元）", "3333", 333_300),
        ("月工资(元)", "\"3,500.00\"", 350_000),
        ("月工资(分)", "350000", 350_000),
        ("月工资(万元)", "0.35", 350_000),
        ("wage_yuan", "1200元", 120_000),
    ] {
        let parsed = whole("E16", &row(heading, wage), 1);
        let value = parsed.drafts[0].fields.get("wage");
        assert_eq!(value, Some(&Value::Int(fen)), "{heading} {wage}");
    }
    for heading in ["月工资", "Monthly wage", "wage"] {
        let fault = fault("E16", &row(heading, "3500"));
        says(&fault, "money.unit", &["月工资(元)", "月工资(分)"]);
        assert_eq!(fault.column.as_deref(), Some(heading));
    }
    says(
        &fault("E16", &row("wage_yuan", "-0.50")),
        "money.form",
        &["-0.50", "负数"],
    );
    let paid = "发生日期,身份证号,扶持项目,金额,发给家庭成员\n2023-01-10,999999197504120031,社会保险补贴,3500,否\n";
    says(&fault("E36", paid), "money.unit", &["金额(元)", "金额(分)"]);
}

#[test]
fn words_are_read_as_they_look_and_refused_with_the_nearest() {
    let row = |heading: &str, place: &str, school: &str| {
        format!("{heading}\n2023-01-05,99999918750412040343,测试,{place},{school},,\n")
    };
    whole("E01", &row(E01, "城镇", "高中（中专）"), 1);
    for place in ["城市", "非农业"] {
        let fault = fault("E01", &row(E01, place, ""));
        says(&fault, "code.unknown", &["可填：城镇、农村"]);
    }
    let heading = E01.replace("残疾人证号", "残疾人证号码");
    let parsed = read("E01", &row(&heading, "城镇", ""));
    says(&parsed.faults[0], "column.unknown", &["是不是“残疾人证号”"]);
    says(&parsed.faults[1], "column.missing", &["残疾人证号"]);
}

#[test]
fn a_number_where_a_text_belongs_is_refused() {
    let line = r#"{"occurred_on":"2023-01-08","id_no":999999197504120031,"method":"visit"}"#;
    let parsed = exchange::parse(line.as_bytes(), Form::Jsonl, Some("E10"), &delivered()).unwrap();
    says(&parsed.faults[0], "field.kind", &["应填文字"]);
    let line = line.replace("999999197504120031", "\"999999197504120031\"");
    let parsed = exchange::parse(line.as_bytes(), Form::Jsonl, Some("E10"), &delivered()).unwrap();
    assert!(parsed.faults.is_empty() && parsed.drafts.len() == 1);
}

/// Lists are kept newest first as often as not.
#[test]
fn the_day_decides_and_not_the_row() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1)], "2026-01-03", now);
    let id = id_no(1);
    let text = format!(
        "{{\"type\":\"E03\",\"occurred_on\":\"2026-01-15\",\"id_no\":\"{id}\",\"employer\":\"甲\"}}\n\
         {{\"type\":\"E02\",\"occurred_on\":\"2026-01-05\",\"id_no\":\"{id}\",\"employer\":\"甲\",\"wage_yuan\":3500}}\n"
    );
    let request = node::desk::ImportRequest {
        operator: a.name("luru"),
        form: Form::Jsonl,
        event: None,
        valid_rows: false,
        dry_run: false,
    };
    let imported = node::desk::import(a.books(), &request, text.as_bytes(), now).unwrap();
    assert!(imported.accepted, "{:#?}", imported.faults);
    let indexes: Vec<_> = imported.recorded.iter().map(|r| (r.row, r.index)).collect();
    assert_eq!(indexes, [(1, 6), (2, 5)]);
    // Faults are still told in the order of the rows.
    let again = text.replace("甲", "乙").replace("2026-01-05", "2026-01-16");
    let imported = node::desk::import(a.books(), &request, again.as_bytes(), now).unwrap();
    let rows: Vec<_> = imported.faults.iter().map(|f| f.row).collect();
    assert_eq!(rows, [Some(1)]);
}

#[test]
fn every_row_is_accounted_for() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    let request = |valid_rows, dry_run| node::desk::ImportRequest {
        operator: "140321/luru".into(),
        form: Form::Csv,
        event: Some("E06".into()),
        valid_rows,
        dry_run,
    };
    let mut import = |text: &str, valid, dry| {
        let imported = node::desk::import(a.books(), &request(valid, dry), text.as_bytes(), now);
        let imported = imported.unwrap();
        let c = imported.counts;
        assert_eq!(c.recorded + c.skipped + c.refused, c.rows, "{imported:?}");
        assert_eq!(c.skipped, imported.skipped.len() as u64);
        (c.rows, c.recorded, c.skipped, c.refused, c.faulty)
    };
    let text = "培训表\nattended,occurred_on,备注\n3,2026-01-05,\n\nx,2026-01-06,y\n4,2026-01-07,\n合计,,\n";
    assert_eq!(import(text, false, true), (5, 0, 2, 3, 1));
    assert_eq!(import(text, true, true), (5, 2, 2, 1, 1));
    assert_eq!(import(text, false, false), (5, 0, 2, 3, 1));
    assert_eq!(import(text, true, false), (5, 2, 2, 1, 1));
    let text = text.replace('x', "5");
    assert_eq!(import(&text, false, false), (5, 1, 4, 0, 0));
    assert_eq!(import(&text, false, false), (5, 0, 5, 0, 0));
}

#[test]
fn what_is_doubtful_is_recorded_and_told() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    let text = format!(
        "id_no,occurred_on\n999999197504133000,2026-01-05\n{},2026-01-05\n",
        id_no(1)
    );
    let imported = a.import("E01", &text, false, now).unwrap();
    assert!(imported.accepted && imported.recorded.len() == 2);
    let warned: Vec<_> = imported
        .warnings
        .iter()
        .map(|w| (w.row, w.code.as_str()))
        .collect();
    assert_eq!(warned, [(Some(2), "id.rounded")]);
    let row = |employer: &str, wage: &str| {
        format!(
            "id_no,employer,工资(元),occurred_on\n{},{employer},{wage},2026-01-06\n",
            id_no(1)
        )
    };
    let imported = a.import("E02", &row("甲", "35"), false, now).unwrap();
    assert_eq!(imported.warnings[0].code, "money.unusual");
    assert!(imported.warnings[0].zh.contains("35.00 元"));
    assert!(
        a.import("E02", &row("乙", "3500"), false, now)
            .unwrap()
            .warnings
            .is_empty()
    );
}

/// A template of the type, filled in as a person would: the day as a day of the spreadsheet.
fn workbook(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "2023年1月实现就业人员表").unwrap();
    for (column, name) in (0_u16..).zip(E16.split(',').chain(["月工资(元)"])) {
        sheet.write_string(2, column, name).unwrap();
    }
    for (column, text) in [
        (1, "999999197504120031"),
        (2, "r1"),
        (3, "按比例"),
        (4, "是"),
    ] {
        sheet.write_string(3, column, text).unwrap();
    }
    let day = ExcelDateTime::from_ymd(2023, 1, 6).unwrap();
    let format = Format::new().set_num_format("yyyy/m/d");
    sheet
        .write_datetime_with_format(3, 0, &day, &format)
        .unwrap();
    sheet.write_number(3, 5, 3500.5).unwrap();
    fill(sheet);
    book.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_is_read_as_its_cells_show() {
    let read = |bytes: &[u8]| exchange::parse(bytes, Form::Xlsx, Some("E16"), &delivered());
    let parsed = read(&workbook(|_| {})).unwrap();
    assert!(parsed.faults.is_empty(), "{:#?}", parsed.faults);
    let draft = &parsed.drafts[0];
    assert_eq!((draft.row, draft.on.to_string()), (4, "2023-01-06".into()));
    assert_eq!(draft.fields.get("wage"), Some(&Value::Int(350_050)));
    assert_eq!((parsed.rows, parsed.skipped.len()), (2, 1));
    // An ID number that is a number has lost its last digits already.
    let ruined = workbook(|sheet| {
        sheet.write_number(3, 1, 999_999_197_504_120_031.0).unwrap();
    });
    says(
        &read(&ruined).unwrap().faults[0],
        "id.shortened",
        &["科学记数法"],
    );
    // The last result of a formula is what the sheet shows; an error is no text.
    let formulas = workbook(|sheet| {
        sheet
            .write_formula(3, 5, Formula::new("=1+1").set_result("2"))
            .unwrap();
        sheet
            .write_formula(3, 2, Formula::new("=NA()").set_result("#N/A"))
            .unwrap();
    });
    says(
        &read(&formulas).unwrap().faults[0],
        "cell.formula",
        &["公式"],
    );
    // What is no workbook, and a cell in the last corner.
    let refused = exchange::parse(b"\xd0\xcf\x11\xe0", Form::Xlsx, Some("E16"), &delivered());
    says(&refused.unwrap_err().0[0], "file.unreadable", &["xlsx"]);
    let far = workbook(|sheet| {
        sheet.write_string(1_048_575, 16_383, "x").unwrap();
    });
    says(
        &read(&far).unwrap_err().0[0],
        "file.unreadable",
        &["很远的列"],
    );
}

/// A small file that unpacks to more than a machine has is refused before it is read.
#[test]
fn a_workbook_that_is_a_bomb_is_refused() {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let options = options.compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    let piece = vec![b' '; 1 << 20];
    for _ in 0..300 {
        zip.write_all(&piece).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let refused = exchange::parse(&bytes, Form::Xlsx, Some("E16"), &delivered());
    says(&refused.unwrap_err().0[0], "file.unreadable", &["过大"]);
}

/// A set of files is recorded whole or not at all, and taken back whole.
#[test]
fn a_set_is_all_or_nothing_and_is_taken_back_as_one() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    let file = |event: &str, text: String| {
        let request = node::desk::ImportRequest {
            operator: "140321/luru".into(),
            form: Form::Csv,
            event: Some(event.into()),
            valid_rows: false,
            dry_run: false,
        };
        (request, text.into_bytes())
    };
    let id = id_no(1);
    let people = file("E01", format!("id_no,occurred_on\n{id},2026-01-03\n"));
    let hires = |day: &str| {
        file(
            "E02",
            format!("id_no,employer,工资(元),occurred_on\n{id},甲,3500,{day}\n"),
        )
    };
    let leaves = a.leaves();
    // The second file rests on the first, and is wrong: neither is recorded.
    let set = [people.clone(), hires("2026-01-02")];
    let refused = node::desk::import_set(a.books(), &set, now).unwrap();
    assert!(refused.iter().all(|r| !r.accepted && r.recorded.is_empty()));
    assert_eq!((refused[0].faults.len(), refused[1].faults.len()), (0, 1));
    assert_eq!(a.leaves(), leaves);
    let set = [people, hires("2026-01-05")];
    let recorded = node::desk::import_set(a.books(), &set, now).unwrap();
    assert!(recorded.iter().all(|r| r.accepted && r.recorded.len() == 1));
    let batch = recorded[1].batch.clone().unwrap();
    assert_eq!(batch, format!("{leaves}-{}", leaves + 1));
    // Once more: nothing is left to do, and nothing is wrong.
    let again = node::desk::import_set(a.books(), &set, now).unwrap();
    assert!(again.iter().all(|r| r.known && r.faults.is_empty()));
    assert_eq!(a.leaves(), leaves + 2);
    let void = |a: &mut Desk, batch: &str| {
        let batch = batch.parse()?;
        node::desk::record::void_batch(a.books(), "140321/luru", batch, "wrong", now)
    };
    // Something outside of it rests on it.
    let later = a.leave(&id, "甲", "2026-01-08", now);
    assert_eq!(void(a, &batch).unwrap_err().0[0].code, "void.resting");
    a.void(later, now).unwrap();
    assert_eq!(void(a, "0-1").unwrap_err().0[0].code, "void.batch");
    assert_eq!(void(a, &batch).unwrap(), [leaves, leaves + 1]);
    assert_eq!(void(a, &batch).unwrap_err().0[0].code, "void.twice");
    let anew = node::desk::import_set(a.books(), &set, now).unwrap();
    assert!(anew.iter().all(|r| r.accepted && r.recorded.len() == 1));
}
