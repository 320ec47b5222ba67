//! What a close would make, as whoever closes reads it.

use node::desk::preview::{Amount, Preview};
use protocol::figure::Counts;

use crate::cli::output::{Output, amount, one_line, print, sayln};

/// Prints a preview. `all` shows figures that are and were zero, too.
pub fn print_preview(p: &Preview, all: bool, out: &Output) {
    sayln!(
        "{} 第 {} 次修订 revision {}: 结账预览 preview",
        p.period,
        p.revision,
        p.revision
    );
    kinds(p, out);
    figures(p, all, out);
    for rule in &p.rules {
        let mark = if rule.hard { "✗" } else { "!" };
        let measure = measure_of(p, &rule.figure);
        let (now, last) = (shown(rule.now, measure), shown(rule.last_month, measure));
        sayln!("{mark} 规则 rule {} {}: {}", rule.id, rule.figure, rule.zh);
        sayln!("    {}; now {now}, last month {last}", rule.en);
    }
    for m in &p.missing {
        let reason = m.reason.as_deref().unwrap_or("没有原因 no reason yet");
        sayln!("! 缺报 missing {} {}: {}", m.unit, m.name, one_line(reason));
    }
    for r in &p.refused {
        let codes = r.codes.iter().map(|(code, n)| format!("{code} {n}"));
        let codes: Vec<String> = codes.collect();
        let event = r.event.as_deref().unwrap_or("JSONL");
        sayln!(
            "! 被拒文件 refused files {event}, {} by {}, the last at {}: {}",
            r.files,
            r.by,
            r.at,
            codes.join(", ")
        );
    }
    for name in &p.signed {
        sayln!("! 签字将作废 a signature would be lost: {name}");
    }
    for fault in &p.faults {
        sayln!("✗ 不能结账 in the way: {}", one_line(&fault.to_string()));
    }
}

fn kinds(p: &Preview, out: &Output) {
    let mut rows = out.table(&[
        "类型 kind",
        "名称",
        "本月 recorded",
        "补录 late",
        "作废 voided",
        "上月 last month",
    ]);
    for k in &p.kinds {
        let none = if k.recorded == 0 && k.last_month > 0 {
            " !"
        } else {
            ""
        };
        rows.add_row([
            k.code.clone(),
            k.zh.clone(),
            format!("{}{none}", k.recorded),
            k.late.to_string(),
            k.voided.to_string(),
            k.last_month.to_string(),
        ]);
    }
    if p.kinds.is_empty() {
        sayln!("! 本月没有记录 no event was recorded in this month");
    } else {
        print(&rows);
    }
    if p.recounted > 0 {
        sayln!(
            "系统重算 recounts that the close will record: {}",
            p.recounted
        );
    }
}

fn figures(p: &Preview, all: bool, out: &Output) {
    let mut rows = out.table(&[
        "指标 figure",
        "名称",
        "本月 now",
        "上月 last month",
        "去年同月 last year",
    ]);
    let mut hidden = 0;
    for f in &p.figures {
        let zero = |a: Option<Amount>| a.is_none_or(|a| a.value.or(a.num).unwrap_or(0) == 0);
        if !all && zero(Some(f.now)) && zero(f.last_month) && zero(f.last_year) {
            hidden += 1;
            continue;
        }
        rows.add_row([
            f.id.clone(),
            f.zh.clone(),
            shown(Some(f.now), &f.measure),
            shown(f.last_month, &f.measure),
            shown(f.last_year, &f.measure),
        ]);
    }
    print(&rows);
    if hidden > 0 {
        sayln!("{hidden} figure(s) are zero; --all shows them");
    }
}

fn measure_of<'a>(p: &'a Preview, figure: &str) -> &'a str {
    let mut figures = p.figures.iter();
    let found = figures.find(|f| f.id == figure);
    found.map_or("", |f| &f.measure)
}

fn shown(a: Option<Amount>, measure: &str) -> String {
    let Some(a) = a else {
        return "–".to_string();
    };
    let counts = Counts {
        value: a.value,
        num: a.num,
        den: a.den,
        ..Counts::default()
    };
    amount(&counts, measure)
}
