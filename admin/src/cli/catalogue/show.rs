//! `countersign catalogue show`: what can be recorded, with which columns and codes, and what is
//! counted.

use node::exchange::column_titles;
use node::fault::FaultCode;
use protocol::catalogue::{Catalogue, CodeItem, EventType, Field, FieldKind, Indicator};
use protocol::readable::Measure;
use serde_json::json;

use super::files::Source;
use crate::cli::output::{CommandResult, Failure, Output, print, sayln, value};

/// What can be recorded and what is counted (目录)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  countersign catalogue show --token-file chen.token\n  \
    countersign catalogue show E16 --catalogue catalogue-1.note\n\n\
    Columns are named as files of events name them; `countersign template` writes them into an \
    empty file."
)]
pub struct Args {
    /// An event type (E16), an indicator (I011) or a part of a Chinese name; without it all are listed
    what: Option<String>,
    #[command(flatten)]
    source: Source,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let catalogue = args.source.catalogue()?;
    let Some(what) = &args.what else {
        all(&catalogue, out);
        return Ok(true);
    };
    if let Some(event) = catalogue.event_by_code(what) {
        of_event(event, &catalogue, out);
        return Ok(true);
    }
    if let Some(indicator) = catalogue.indicators.iter().find(|i| &i.id == what) {
        of_indicator(indicator, &catalogue, out);
        return Ok(true);
    }
    let mut part = catalogue.clone();
    part.events.retain(|event| event.zh.contains(what.as_str()));
    part.indicators.retain(|i| i.zh.contains(what.as_str()));
    if part.events.is_empty() && part.indicators.is_empty() {
        let message = format!("目录中没有“{what}” / the catalogue has no {what}");
        return Err(Failure::coded(FaultCode::FileType, message)
            .help("countersign catalogue show lists all event types and indicators"));
    }
    all(&part, out);
    Ok(true)
}

fn all(catalogue: &Catalogue, out: &Output) {
    let events: Vec<&EventType> = catalogue.events.iter().filter(|e| !e.system).collect();
    let answer = json!({ "events": value(&events), "indicators": value(&catalogue.indicators) });
    out.answer(answer, || {
        let mut rows = out.table(&["代码 code", "业务类型 type", "填报 recorded by", "English"]);
        for event in &events {
            let tiers: Vec<&str> = event.levels.iter().map(|tier| tier.zh()).collect();
            rows.add_row([&event.code, &event.zh, &tiers.join("、"), &event.en]);
        }
        print(&rows);
        let mut rows = out.table(&["代码 code", "指标 indicator", "单位 unit", "English"]);
        for indicator in &catalogue.indicators {
            let measure = Measure::counted(&indicator.unit);
            rows.add_row([&indicator.id, &indicator.zh, measure.unit(), &indicator.en]);
        }
        print(&rows);
    });
}

fn of_event(event: &EventType, catalogue: &Catalogue, out: &Output) {
    out.answer(value(event), || {
        sayln!("{} {} / {}", event.code, event.zh, event.en);
        let heading = [
            "列名 column",
            "必填 required",
            "填什么 what",
            "程序用名 name",
            "English",
        ];
        let mut rows = out.table(&heading);
        let titles = column_titles(event);
        let day = titles.first().map(String::as_str).unwrap_or_default();
        rows.add_row([
            day,
            "是 yes",
            "2023-04-15",
            "occurred_on",
            "Day of the event",
        ]);
        for (field, title) in event.fields.iter().zip(titles.iter().skip(1)) {
            let required = if field.optional { "" } else { "是 yes" };
            let what = kind(field, catalogue);
            rows.add_row([title, required, &what, &field.name, &field.en]);
        }
        print(&rows);
        let fed = catalogue.indicators.iter();
        let fed: Vec<String> = fed
            .filter(|indicator| indicator.events.contains(&event.code))
            .map(|indicator| format!("{} {}", indicator.id, indicator.zh))
            .collect();
        if !fed.is_empty() {
            sayln!("计入 counted in: {}", fed.join("、"));
        }
        sayln!(
            "模板 template: countersign template {} -o {}.xlsx",
            event.code,
            event.code
        );
    });
}

/// What a field holds; a code with its list.
fn kind(field: &Field, catalogue: &Catalogue) -> String {
    let codes: &[CodeItem] = match &field.dimension {
        Some(id) => catalogue.dimension(id).map_or(&[], |d| d.codes.as_slice()),
        None => &field.codes,
    };
    let word = match field.kind {
        FieldKind::IdNumber => "18 位身份证号 ID number",
        FieldKind::Certificate => "20 位残疾人证号 certificate number",
        FieldKind::CreditCode => "18 位统一社会信用代码 credit code",
        FieldKind::Date => "日期 day",
        FieldKind::Int => "0 或正整数 whole number",
        FieldKind::Fen => "金额，元 amount in yuan",
        FieldKind::Bool => "是／否 yes or no",
        FieldKind::Text => "文字 text",
        FieldKind::Code => {
            let codes = codes.iter().map(|c| format!("{} ({})", c.zh, c.code));
            return codes.collect::<Vec<_>>().join("、");
        }
    };
    word.to_string()
}

fn of_indicator(indicator: &Indicator, catalogue: &Catalogue, out: &Output) {
    out.answer(value(indicator), || {
        let measure = Measure::counted(&indicator.unit);
        let unit = measure.unit();
        sayln!(
            "{} {} / {}（{unit}）",
            indicator.id,
            indicator.zh,
            indicator.en
        );
        let events = indicator.events.iter().map(|code| {
            let event = catalogue.event_by_code(code);
            format!("{code} {}", event.map_or("", |event| event.zh.as_str()))
        });
        let events: Vec<String> = events.collect();
        if !events.is_empty() {
            sayln!("来自 from: {}", events.join("、"));
        }
        let part = |id: &str| {
            let found = catalogue.indicators.iter().find(|i| i.id == id);
            format!("{id} {}", found.map_or("", |i| i.zh.as_str()))
        };
        if !indicator.num.is_empty() {
            let (num, den) = (part(&indicator.num), part(&indicator.den));
            sayln!("比例 ratio: {num} ÷ {den}");
        }
        for table in indicator.tables.iter().filter(|table| !table.is_empty()) {
            let names = table.iter().map(|id| {
                let dimension = catalogue.dimension(id);
                dimension.map_or(id.as_str(), |d| d.zh.as_str())
            });
            sayln!("分组 by: {}", names.collect::<Vec<_>>().join(" × "));
        }
        if !indicator.condition.is_empty() {
            sayln!("条件 where: {}", indicator.condition);
        }
    });
}
