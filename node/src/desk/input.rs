//! Files into drafts: CSV and JSONL, UTF-8 (with or without BOM) and GB18030. Every fault of every
//! row is found.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use protocol::catalogue::{Catalogue, Code, EventType, Field, FieldKind};
use protocol::count::{Fields, Value};
use protocol::ids::{CertificateNumber, CreditCode, IdNumber};

use crate::fault::{Fault, FaultCode, Faults};

/// At most this many rows in one file: a file is recorded all or nothing, in one durable write.
pub const MAX_ROWS: usize = 5_000;
/// At most this many characters in a text field.
pub const MAX_TEXT: usize = 200;
/// Largest whole number in a field.
pub const MAX_INT: i64 = 1_000_000_000_000;

/// An event that is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Row of the file, counted from 1, the heading included.
    pub row: u64,
    /// Machine name of the type.
    pub event: String,
    /// Business day.
    pub on: NaiveDate,
    /// Fields.
    pub fields: Fields,
}

/// What a file gives: rows that can be read, and everything that is wrong with the others.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// Good rows.
    pub drafts: Vec<Draft>,
    /// Faults of the others.
    pub faults: Vec<Fault>,
    /// Rows and days of the others, where the day can be read: it may be wrong as well.
    pub broken: Vec<(u64, NaiveDate)>,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated, with a heading.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Decodes text: UTF-8 if it is, with or without BOM, else GB18030 if that fits.
///
/// # Errors
/// Bytes that are neither.
pub fn decode(bytes: &[u8]) -> Result<String, Faults> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_string());
    }
    let (text, wrong) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if wrong {
        return Err(Faults::one(
            FaultCode::FileEncoding,
            "文件既不是 UTF-8 也不是 GB18030 编码;请另存为“CSV UTF-8”",
            "the file is neither UTF-8 nor GB18030; save it as “CSV UTF-8”",
        ));
    }
    Ok(text.into_owned())
}

/// Reads a file of events. `event` is the type of a CSV file; a JSONL row may name its own in
/// `type`.
///
/// # Errors
/// What makes the file unreadable as a whole.
pub fn parse(
    bytes: &[u8],
    form: Form,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    let text = decode(bytes)?;
    match form {
        Form::Csv => csv_rows(&text, event, catalogue),
        Form::Jsonl => jsonl_rows(&text, event, catalogue),
    }
}

fn event_type<'a>(name: Option<&str>, catalogue: &'a Catalogue) -> Result<&'a EventType, Fault> {
    let Some(name) = name else {
        return Err(Fault::new(
            FaultCode::FileType,
            "没有说明事件类型;请给出类型,例如 E16",
            "no event type is given; name one, for example E16",
        ));
    };
    // What stands there is not repeated: in a file it may be anything.
    let unknown = || {
        Fault::new(
            FaultCode::FileType,
            "目录中没有这个可填报的事件类型",
            "the catalogue has no such event type that people record",
        )
    };
    catalogue
        .event_by_code(name)
        .filter(|e| !e.system)
        .ok_or_else(unknown)
}

fn too_many(rows: usize) -> Result<(), Faults> {
    if rows > MAX_ROWS {
        return Err(Faults::one(
            FaultCode::FileRows,
            format!("一个文件最多 {MAX_ROWS} 行;请分成几个文件"),
            format!("a file has at most {MAX_ROWS} rows; split it"),
        ));
    }
    Ok(())
}

fn csv_rows(text: &str, event: Option<&str>, catalogue: &Catalogue) -> Result<Parsed, Faults> {
    let event = event_type(event, catalogue)?;
    // An empty line is a row, as in a spreadsheet: otherwise every fault after it would be told of
    // another row.
    let lines: Vec<&str> = text
        .lines()
        .map(|l| if l.trim().is_empty() { "\"\"" } else { l })
        .collect();
    let text = lines.join("\n");
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let heading = reader
        .headers()
        .map_err(|e| unreadable(&e.to_string()))?
        .clone();
    let mut parsed = Parsed::default();
    let columns = match csv_columns(&heading, event) {
        Ok(columns) => columns,
        Err(faults) => {
            parsed.faults = faults;
            return Ok(parsed);
        }
    };
    let mut rows = 0;
    for (row, record) in (2..).zip(reader.records()) {
        let record = match record {
            Ok(r) => r,
            Err(e) => {
                parsed
                    .faults
                    .push(unreadable(&e.to_string()).0.remove(0).row(row));
                continue;
            }
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        rows += 1;
        too_many(rows)?;
        if record.len() > columns.len() {
            parsed.faults.push(
                Fault::new(
                    FaultCode::RowWidth,
                    "这一行的单元格比表头多",
                    "the row has more cells than the heading",
                )
                .row(row),
            );
            continue;
        }
        let cells: Vec<(&Column, &str)> = columns.iter().zip(&record).collect();
        draft(row, event, &cells, catalogue, &mut parsed);
    }
    Ok(parsed)
}

/// The columns that a heading names, or everything that is wrong with it.
fn csv_columns(heading: &csv::StringRecord, event: &EventType) -> Result<Vec<Column>, Vec<Fault>> {
    if !heading
        .iter()
        .any(|name| Column::find(name, event).is_some())
    {
        // Its cells are not repeated: they may be the data of a person.
        let (zh, en) = (
            "第一行不是表头;请把模板的列名写在第一行",
            "the first row is no heading: put the names of the template there",
        );
        return Err(vec![Fault::new(FaultCode::FileHeading, zh, en).row(1)]);
    }
    let mut columns: Vec<Column> = Vec::new();
    let mut faults = Vec::new();
    for name in heading {
        let Some(column) = Column::find(name, event) else {
            let zh = "没有这一列;请用模板的列名,或删去这一列";
            let en = format!(
                "{} has no such column; use the names of the template, or remove it",
                event.code
            );
            let fault = Fault::new(FaultCode::ColumnUnknown, zh, en);
            faults.push(fault.row(1).column(label(name)));
            continue;
        };
        if columns.iter().any(|c| c.field == column.field) {
            let (zh, en) = ("这一列出现两次", "this column is there twice");
            faults.push(
                Fault::new(FaultCode::ColumnTwice, zh, en)
                    .row(1)
                    .column(name),
            );
        }
        columns.push(column);
    }
    for needed in needed_fields(event) {
        if !columns.iter().any(|c| c.field == needed) {
            let fault = Fault::new(
                FaultCode::ColumnMissing,
                "缺少这一列",
                "this column is missing",
            );
            faults.push(fault.row(1).column(needed));
        }
    }
    if faults.is_empty() {
        Ok(columns)
    } else {
        Err(faults)
    }
}

/// What every event of a type must say.
fn needed_fields(event: &EventType) -> impl Iterator<Item = &str> {
    let fields = event.fields.iter().filter(|f| !f.optional);
    std::iter::once("occurred_on").chain(fields.map(|f| f.name.as_str()))
}

/// A name that nobody knows, as far as it may be repeated: long numbers are data in the wrong
/// place.
fn label(name: &str) -> &str {
    if name.chars().filter(char::is_ascii_digit).count() < 6 {
        name
    } else {
        "…"
    }
}

fn unreadable(message: &str) -> Faults {
    Faults::one(
        FaultCode::FileUnreadable,
        format!("文件无法读取:{message}"),
        format!("the file cannot be read: {message}"),
    )
}

fn jsonl_rows(text: &str, event: Option<&str>, catalogue: &Catalogue) -> Result<Parsed, Faults> {
    let mut parsed = Parsed::default();
    for (n, line) in text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty())
    {
        too_many(n + 1)?;
        let row = n as u64 + 1;
        let object = match json_object(line) {
            Ok(object) => object,
            Err(fault) => {
                parsed.faults.push(fault.row(row));
                continue;
            }
        };
        let own = object.get("type").and_then(|t| t.as_str()).or(event);
        let event = match event_type(own, catalogue) {
            Ok(e) => e,
            Err(fault) => {
                parsed.faults.push(fault.row(row).column("type"));
                continue;
            }
        };
        match json_cells(&object, event) {
            Ok(cells) => {
                let cells: Vec<(&Column, &str)> =
                    cells.iter().map(|(c, t)| (c, t.as_str())).collect();
                draft(row, event, &cells, catalogue, &mut parsed);
            }
            Err(faults) => parsed.faults.extend(faults.into_iter().map(|f| f.row(row))),
        }
    }
    Ok(parsed)
}

/// Reads one line. What is wrong with it is told without its row, which the caller knows.
fn json_object(line: &str) -> Result<BTreeMap<String, serde_json::Value>, Fault> {
    match serde_json::from_str(line) {
        Ok(UniqueKeys(object, None)) => Ok(object),
        Ok(UniqueKeys(_, Some(twice))) => Err(twice_fault().column(label(&twice))),
        Err(e) => {
            // serde's message may repeat a value; only the column is told
            let (zh, en) = (
                format!("不是 JSON 对象(第 {} 列)", e.column()),
                format!("not a JSON object (column {})", e.column()),
            );
            Err(Fault::new(FaultCode::RowJson, zh, en))
        }
    }
}

fn twice_fault() -> Fault {
    let (zh, en) = ("这个字段出现两次", "this field is there twice");
    Fault::new(FaultCode::ColumnTwice, zh, en)
}

/// The cells of an object, or everything that is wrong with its names and kinds of values.
fn json_cells(
    object: &BTreeMap<String, serde_json::Value>,
    event: &EventType,
) -> Result<Vec<(Column, String)>, Vec<Fault>> {
    let mut cells: Vec<(Column, String)> = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in object.iter().filter(|(n, _)| *n != "type") {
        let Some(column) = Column::find(name, event) else {
            let en = format!("{} has no such field", event.code);
            let fault = Fault::new(FaultCode::ColumnUnknown, "没有这个字段", en);
            faults.push(fault.column(label(name)));
            continue;
        };
        if cells.iter().any(|(c, _)| c.field == column.field) {
            faults.push(twice_fault().column(name));
            continue;
        }
        let text = match value {
            serde_json::Value::String(s) => s.clone(),
            serde_json::Value::Null => String::new(),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
            _ => {
                let (zh, en) = (
                    "应为文字、数字或真假",
                    "a text, number or boolean belongs here",
                );
                faults.push(Fault::new(FaultCode::FieldKind, zh, en).column(name));
                continue;
            }
        };
        cells.push((column, text));
    }
    if faults.is_empty() {
        Ok(cells)
    } else {
        Err(faults)
    }
}

/// A JSON object whose names must be unique, and the name that is not.
struct UniqueKeys(BTreeMap<String, serde_json::Value>, Option<String>);

impl<'de> serde::Deserialize<'de> for UniqueKeys {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<UniqueKeys, D::Error> {
        struct Object;
        impl<'de> serde::de::Visitor<'de> for Object {
            type Value = UniqueKeys;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<UniqueKeys, A::Error> {
                let (mut object, mut twice) = (BTreeMap::new(), None);
                while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
                    if object.insert(name.clone(), value).is_some() {
                        twice = Some(name);
                    }
                }
                Ok(UniqueKeys(object, twice))
            }
        }
        d.deserialize_map(Object)
    }
}

/// A column of a file, matched to a field.
#[derive(Debug)]
struct Column {
    field: String,
    heading: String,
    yuan: bool,
}

impl Column {
    fn find(heading: &str, event: &EventType) -> Option<Column> {
        let heading = heading.trim();
        let make = |field: &str, yuan| {
            Some(Column {
                field: field.to_string(),
                heading: heading.to_string(),
                yuan,
            })
        };
        if matches!(heading, "occurred_on" | "发生日期" | "日期") {
            return make("occurred_on", false);
        }
        for f in &event.fields {
            if heading == f.name || heading == f.zh || heading.eq_ignore_ascii_case(&f.en) {
                return make(&f.name, false);
            }
            if f.kind == FieldKind::Fen
                && (heading == format!("{}_yuan", f.name) || heading == format!("{}(元)", f.zh))
            {
                return make(&f.name, true);
            }
        }
        None
    }
}

fn draft(
    row: u64,
    event: &EventType,
    cells: &[(&Column, &str)],
    catalogue: &Catalogue,
    parsed: &mut Parsed,
) {
    let before = parsed.faults.len();
    let mut fields = Fields::new();
    let mut on = None;
    for (column, text) in cells {
        if column.field == "occurred_on" {
            if text.trim().is_empty() {
                continue;
            }
            match date(text) {
                Ok(d) => on = Some(d),
                Err(f) => parsed.faults.push(f.row(row).column(&column.heading)),
            }
            continue;
        }
        let Some(field) = event.field(&column.field) else {
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        match value(field, text.trim(), column.yuan, catalogue) {
            Ok(v) => {
                fields.insert(field.name.clone(), v);
            }
            Err(f) => parsed.faults.push(f.row(row).column(&column.heading)),
        }
    }
    for needed in needed_fields(event) {
        if !cells
            .iter()
            .any(|(c, t)| c.field == needed && !t.trim().is_empty())
        {
            parsed.faults.push(
                Fault::new(
                    FaultCode::FieldMissing,
                    "必填,但没有填",
                    "must be filled in",
                )
                .row(row)
                .column(needed),
            );
        }
    }
    let Some(on) = on else { return };
    if parsed.faults.len() == before {
        parsed.drafts.push(Draft {
            row,
            event: event.name.clone(),
            on,
            fields,
        });
    } else {
        parsed.broken.push((row, on));
    }
}

fn date(text: &str) -> Result<NaiveDate, Fault> {
    let text = text.trim();
    let mut parts = text
        .strip_suffix('日')
        .unwrap_or(text)
        .split(['-', '/', '.', '年', '月'])
        .map(str::trim);
    let numbers = (
        parts.next().map(str::parse::<i32>),
        parts.next().map(str::parse::<u32>),
        parts.next().map(str::parse::<u32>),
        parts.next(),
    );
    if let (Some(Ok(y)), Some(Ok(m)), Some(Ok(d)), None) = numbers {
        return NaiveDate::from_ymd_opt(y, m, d)
            .filter(|_| (1900..=9999).contains(&y))
            .ok_or_else(|| {
                Fault::new(
                    FaultCode::DateImpossible,
                    "没有这一天",
                    "there is no such day",
                )
            });
    }
    Err(Fault::new(
        FaultCode::DateForm,
        "日期写作 2023-04-15",
        "a date is written 2023-04-15",
    ))
}

fn value(field: &Field, text: &str, yuan: bool, catalogue: &Catalogue) -> Result<Value, Fault> {
    let id = |e: protocol::ids::IdError| {
        let code = FaultCode::of_protocol(e.code());
        Fault::new(code, id_zh(code), e.to_string())
    };
    match field.kind {
        FieldKind::IdNumber => text
            .parse::<IdNumber>()
            .map(|n| Value::Text(n.as_str().to_string()))
            .map_err(id),
        FieldKind::Certificate => text
            .parse::<CertificateNumber>()
            .map(|n| Value::Text(n.as_str().to_string()))
            .map_err(id),
        FieldKind::CreditCode => text
            .parse::<CreditCode>()
            .map(|n| Value::Text(n.as_str().to_string()))
            .map_err(id),
        FieldKind::Date => date(text).map(|d| Value::Text(d.to_string())),
        FieldKind::Code => code(field, text, catalogue),
        FieldKind::Int => match text.parse::<i64>() {
            Ok(n) if (0..=MAX_INT).contains(&n) => Ok(Value::Int(n)),
            _ => Err(Fault::new(
                FaultCode::NumberForm,
                "应为不小于 0 的整数",
                "a whole number, 0 or more, belongs here",
            )),
        },
        FieldKind::Fen => fen(text, yuan),
        FieldKind::Bool => match text {
            "是" | "true" | "TRUE" | "1" | "yes" | "Y" | "y" => Ok(Value::Bool(true)),
            "否" | "false" | "FALSE" | "0" | "no" | "N" | "n" => Ok(Value::Bool(false)),
            _ => Err(Fault::new(
                FaultCode::BoolForm,
                "写“是”或“否”",
                "write yes or no",
            )),
        },
        FieldKind::Text
            if text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control) =>
        {
            Ok(Value::Text(text.to_string()))
        }
        FieldKind::Text => Err(Fault::new(
            FaultCode::TextForm,
            format!("最多 {MAX_TEXT} 个字,不含换行"),
            format!("at most {MAX_TEXT} characters, no line breaks"),
        )),
    }
}

fn code(field: &Field, text: &str, catalogue: &Catalogue) -> Result<Value, Fault> {
    let codes: &[Code] = match &field.dimension {
        Some(d) => catalogue
            .dimension(d)
            .map(|d| d.codes.as_slice())
            .unwrap_or_default(),
        None => &field.codes,
    };
    if let Some(c) = codes
        .iter()
        .find(|c| c.code == text || c.zh == text || c.en.eq_ignore_ascii_case(text))
    {
        return Ok(Value::Text(c.code.clone()));
    }
    let zh: Vec<String> = codes
        .iter()
        .map(|c| format!("{} {}", c.code, c.zh))
        .collect();
    let en: Vec<String> = codes
        .iter()
        .map(|c| format!("{} {}", c.code, c.en))
        .collect();
    Err(Fault::new(
        FaultCode::CodeUnknown,
        format!("不在代码表中;可填:{}", zh.join(",")),
        format!("not one of the codes: {}", en.join(", ")),
    ))
}

fn fen(text: &str, yuan: bool) -> Result<Value, Fault> {
    let wrong = || {
        if yuan {
            Fault::new(
                FaultCode::MoneyForm,
                "金额以元为单位,最多两位小数",
                "an amount in yuan has at most two decimals",
            )
        } else {
            Fault::new(
                FaultCode::MoneyForm,
                "这一列以分为单位,只能是整数;以元填报请把列名写作“…_yuan”或“…(元)”",
                "this column is in fen, a whole number; to fill in yuan, name the column “…_yuan”",
            )
        }
    };
    let amount = if yuan {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if decimals.len() > 2 || !decimals.chars().all(|c| c.is_ascii_digit()) {
            return Err(wrong());
        }
        let cents: i64 = format!("{decimals:0<2}").parse().map_err(|_| wrong())?;
        whole
            .parse::<i64>()
            .ok()
            .and_then(|w| w.checked_mul(100))
            .and_then(|w| w.checked_add(cents))
            .ok_or_else(wrong)?
    } else {
        text.parse().map_err(|_| wrong())?
    };
    if (0..=MAX_INT).contains(&amount) {
        Ok(Value::Int(amount))
    } else {
        Err(wrong())
    }
}

fn id_zh(code: FaultCode) -> &'static str {
    match code {
        FaultCode::IdLength => "号码位数不对;请对照证件重填",
        FaultCode::IdCharacter => "号码中有不允许的字符;请对照证件重填",
        FaultCode::IdBirthDate => "号码中的出生日期不存在;请对照证件重填",
        FaultCode::IdCheckDigit => "身份证号校验位不符;请对照证件重填",
        FaultCode::IdCreditCheck => "统一社会信用代码校验位不符;请对照证照重填",
        _ => "号码不符合编码规则;请对照证件重填",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_hands() {
        let day = NaiveDate::from_ymd_opt(2023, 4, 5);
        for text in ["2023-04-05", "2023/4/5", "2023.4.5", "2023年4月5日"] {
            assert_eq!(date(text).ok(), day, "{text}");
        }
        assert_eq!(date("2023-02-30").unwrap_err().code, "date.impossible");
        assert_eq!(date("23-4").unwrap_err().code, "date.form");
        assert_eq!(date("0023-04-05").unwrap_err().code, "date.impossible");
    }

    #[test]
    fn money_is_never_guessed() {
        assert_eq!(fen("500000", false).unwrap(), Value::Int(500_000));
        assert_eq!(fen("5000.5", true).unwrap(), Value::Int(500_050));
        for (text, yuan) in [
            ("5000.5", false),
            ("5000.555", true),
            ("-1", false),
            ("1e5", true),
            ("", true),
            ("9999999999999", false),
        ] {
            assert_eq!(fen(text, yuan).unwrap_err().code, "money.form", "{text}");
        }
    }

    #[test]
    fn three_encodings_give_the_same_text() {
        let utf8 = "姓名,测试".as_bytes().to_vec();
        let bom = [b"\xef\xbb\xbf".to_vec(), utf8.clone()].concat();
        let gb = encoding_rs::GB18030.encode("姓名,测试").0.into_owned();
        assert_eq!(decode(&utf8).unwrap(), decode(&bom).unwrap());
        assert_eq!(decode(&utf8).unwrap(), decode(&gb).unwrap());
        assert_eq!(
            decode(&[0xff, 0xff, 0x00]).unwrap_err().0[0].code,
            "file.encoding"
        );
    }
}
