//! `countersign status`: how a unit stands, and what to do next.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use node::fault::FaultCode;
use node::queries::below::ChangedBelow;
use node::queries::{children::ChildMonth, months::OwnMonth, status::Status};
use protocol::ids::{Tier, UnitId};
use protocol::period::{Month, china_day};
use protocol::receipt::Decision;
use serde_json::json;

use super::connect::Connection;
use super::output::{CommandResult, Output, beijing, decision_words, one_line, sayln, value};

/// How the unit stands and what to do next
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign status --node http://127.0.0.1:8321 --token-file \
        chen.token"
)]
pub struct Args {
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let status = client.status()?;
    let months = client.months()?;
    let children = client.children()?;
    let mut next = about_contradictions(&status.unit, &status.contradictory);
    next.extend(about_reports(&children));
    next.extend(about_months(&status, &months));
    let mut answer = value(&status);
    if let Some(map) = answer.as_object_mut() {
        map.insert("next".into(), json!(next));
    }
    out.answer(answer, || {
        print_status(&status);
        print_troubles(&status);
        sayln!("下一步 next");
        for step in &next {
            sayln!("  → {step}");
        }
    });
    Ok(true)
}

fn print_status(s: &Status) {
    sayln!("{} {} ({})   {}", s.unit, s.name, s.tier, beijing(&s.now));
    if s.ended {
        sayln!("月份 last month  {}, with which the unit ended", s.open);
    } else {
        sayln!("月份 open month  {}, to be reported by {}", s.open, s.due);
    }
    sayln!(
        "日志 log         {} statements; registry version {}",
        s.leaves,
        s.registry
    );
    match &s.unreached_since {
        Some(since) => sayln!(
            "链路 link        {}; nobody above or below reached since {since}",
            s.link
        ),
        None => sayln!("链路 link        {}", s.link),
    }
}

fn print_troubles(s: &Status) {
    if let Some(trouble) = disk_trouble(&s.journal) {
        sayln!("✗ 磁盘 disk      {trouble}");
    }
    if let Some(fault) = &s.key {
        sayln!("✗ 密钥 key       {}", one_line(&fault.to_string()));
    }
    if let Some(trouble) = &s.trouble {
        // The node keeps the last trouble until something goes through again: connected and
        // troubled is no contradiction.
        sayln!("  ! last trouble: {trouble}");
    }
    if !is_top(s) && !s.waiting.is_empty() {
        let since = s.waiting_since.as_deref();
        let since = since.map(|s| format!(" (the oldest since {s})"));
        sayln!(
            "发件 outbox      without receipt: {}{}",
            s.waiting.join(", "),
            since.unwrap_or_default()
        );
    }
    if !is_top(s) && !s.unsent.is_empty() {
        sayln!(
            "! 未送出 not sent yet: {}; the others wait for the parent's decision",
            s.unsent.join(", ")
        );
    }
    if !s.children_missing.is_empty() {
        sayln!(
            "下级 units       not accepted for {}: {}",
            s.open,
            s.children_missing.join(", ")
        );
    }
    for changed in &s.below_changed {
        sayln!("! 下级变动 below  {}", one_line(&after_close(changed)));
    }
    for refused in &s.refused {
        sayln!("! 拒收 refused at the door: {}", one_line(refused));
    }
    for waits in &s.unchecked {
        sayln!("! 待查 cannot be checked yet: {}", one_line(waits));
    }
    for c in &s.contradictions {
        sayln!("✗ 矛盾 contradiction, kept as evidence: {c}");
    }
}

/// What came from below after the own close, and what takes it up.
fn after_close(changed: &ChangedBelow) -> String {
    let (month, unit, name, now) = (changed.period, &changed.unit, &changed.name, changed.now);
    let rests = match changed.used {
        Some(used) => {
            format!("本级月报用的是第 {used} 版 / the own report rests on revision {used}")
        }
        None => "本级月报列为缺报 / the own report names it as missing".to_string(),
    };
    let state = if changed.accepted {
        "已审核通过，请重新结账；已上报的请上级撤销通过 / accepted: close the month again, or have \
         the parent reopen it"
    } else {
        "待审核 / waits for a decision"
    };
    format!("{month} {unit} {name} 第 {now} 版 revision {now}: {rests}; {state}")
}

/// Why the node records nothing, if it does not.
fn disk_trouble(journal: &str) -> Option<String> {
    let code = match journal {
        "full" => FaultCode::JournalNoSpace,
        "poisoned" => FaultCode::JournalPoisoned,
        _ => return None,
    };
    let (meaning, cure) = (code.meaning(), code.cure());
    let zh = format!("{}：{}", meaning.zh, cure.zh);
    Some(format!("{zh} / {}: {} [{code}]", meaning.en, cure.en))
}

/// The top unit reports to nobody: what it hands in waits for no receipt.
fn is_top(status: &Status) -> bool {
    status.tier == Tier::Province.as_str()
}

/// What waits for a decision, as `review list --open` counts it. What cannot be checked yet can
/// only be returned, so it is no reason to say that there is something to decide.
fn about_reports(children: &[ChildMonth]) -> Option<String> {
    let open = children.iter().filter(|c| c.open);
    let (unchecked, checked): (Vec<_>, Vec<_>) = open.partition(|c| c.verdicts.is_empty());
    let rest = match unchecked.len() {
        0 => String::new(),
        n => format!(" (and {n} that cannot be checked yet)"),
    };
    (!checked.is_empty()).then(|| {
        format!(
            "decide on {} report(s) from below{rest}: countersign review list --open",
            checked.len()
        )
    })
}

/// What a person should do now about the unit's own months.
fn about_months(status: &Status, months: &[OwnMonth]) -> Vec<String> {
    // Only the newest revision of a month can still be worked on.
    let is_newest = |m: &&OwnMonth| {
        let newer = |o: &OwnMonth| o.period == m.period && o.revision > m.revision;
        !months.iter().any(newer)
    };
    let newest: Vec<&OwnMonth> = months.iter().filter(is_newest).collect();
    let open = (!status.ended).then_some(status.open);
    let about = |m: &&OwnMonth| about_month(m, open, is_top(status));
    let mut steps: Vec<String> = newest.iter().filter_map(about).collect();
    if !status.ended && !newest.iter().any(|m| is_reopened(m)) {
        steps.push(about_open_month(status));
    }
    if status.ended && steps.is_empty() {
        let done = if is_top(status) {
            "handed in"
        } else {
            "accepted"
        };
        steps.push(format!(
            "this unit ended with {}, which is {done}: nothing to do",
            status.open
        ));
    }
    steps
}

/// What to do about units that contradict themselves: this one, or one below.
fn about_contradictions(unit: &str, contradictory: &BTreeSet<UnitId>) -> Vec<String> {
    let mut steps = Vec::new();
    let (own, below): (Vec<_>, Vec<_>) = contradictory.iter().partition(|u| u.as_str() == unit);
    if !own.is_empty() {
        steps.push(
            "the parent has another report under this unit's name: find out who signed it (a \
                stolen \
             key, an old copy of the data) and tell the parent; both documents: countersign review \
             contradictions --out DIR"
                .to_string(),
        );
    }
    if !below.is_empty() {
        steps.push(
            "tell the unit that contradicts itself, and its inspector; both documents: countersign \
             review contradictions --out DIR; they are in this node's journal: back it up"
                .to_string(),
        );
    }
    steps
}

/// Whether the parent has answered that a new revision is to come.
fn is_reopened(month: &OwnMonth) -> bool {
    month.decision.is_some_and(Decision::asks_for_revision)
}

/// What is to be done with the newest revision of a month, if anything.
fn about_month(m: &OwnMonth, open: Option<Month>, top: bool) -> Option<String> {
    let p = m.period;
    if is_reopened(m) {
        let word = m.decision.map(decision_words).unwrap_or_default();
        let why = why(m);
        let before = open.filter(|open| *open < p);
        Some(match before {
            None => format!("{p} was {word}{why}: put it right, then countersign close {p}"),
            Some(open) => format!("{p} was {word}{why}: it follows when {open} is closed again"),
        })
    } else if !m.unsigned.is_empty() {
        Some(format!(
            "{p} waits for the signature of {}: countersign sign {p} --key FILE",
            m.unsigned.join(", ")
        ))
    } else if m.submitted.is_none() {
        Some(format!("{p} is signed: countersign submit {p}"))
    } else if m.decision.is_none() && !top {
        Some(match m.sent {
            Some(_) => format!("{p} is sent; the parent has not decided yet"),
            None => format!("{p} is handed in; the parent has not answered yet"),
        })
    } else {
        None
    }
}

/// Why the parent wants another revision, since when, who said so, and what it is about.
fn why(m: &OwnMonth) -> String {
    let mut told = m.reasons.clone();
    if let Some(word) = m.words.last() {
        if !word.about.is_empty() {
            told.push(format!("about {}", word.about.join(", ")));
        }
        told.push(format!("by {} on {}", word.by, word.decided));
    }
    match told.as_slice() {
        [] => String::new(),
        told => format!(" ({})", told.join("; ")),
    }
}

fn about_open_month(status: &Status) -> String {
    let open = status.open;
    let now = status.now.parse::<DateTime<Utc>>().ok();
    let today = now.map(china_day);
    if today.is_none_or(|d| d <= open.last_day()) {
        return format!("record the events of {open}: countersign import FILE…");
    }
    let late = late(status, today);
    match status.children_missing.as_slice() {
        [] => format!("{open} is over: countersign close {open}{late}"),
        missing => format!(
            "{open} is over: review {}, or say why they are missing; then countersign close \
                {open}{late}",
            missing.join(", ")
        ),
    }
}

fn late(status: &Status, today: Option<NaiveDate>) -> String {
    match (today, status.due.parse::<NaiveDate>()) {
        (Some(today), Ok(due)) if today > due => format!(" (late since {due})"),
        (Some(today), Ok(due)) => format!(" ({} day(s) left)", (due - today).num_days()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(ended: bool) -> Status {
        let status = json!({
            "unit": "140322", "name": "盂县", "tier": "county", "open": "2023-02", "until": "2023-02",
            "ended": ended, "due": "2023-03-05", "leaves": 7, "waiting": [], "waiting_since": null,
            "children_missing": [], "link": "up", "unreached_since": null, "trouble": null,
            "contradictions": [], "registry": 2, "catalogue": null, "now": "2023-04-10T01:00:00Z",
        });
        serde_json::from_value(status).unwrap()
    }

    fn last_month(decision: Option<&str>) -> OwnMonth {
        let month = json!({
            "period": "2023-02", "revision": 1, "unsigned": [], "submitted": "2023-03-03T01:00:00Z",
            "rollup": format!("sha256:{}", "0".repeat(64)), "decision": decision, "reasons": [],
            "checks": [],
        });
        serde_json::from_value(month).unwrap()
    }

    #[test]
    fn a_unit_that_has_ended_is_not_told_to_close_for_ever() {
        let steps = |ended, decision| about_months(&status(ended), &[last_month(decision)]);
        let done = "this unit ended with 2023-02, which is accepted: nothing to do";
        assert_eq!(steps(true, Some("accepted")), [done]);
        let waits = "2023-02 is handed in; the parent has not answered yet";
        assert_eq!(steps(true, None), [waits]);
        // While its last month is open, that is what there is to do.
        let [open] = about_months(&status(false), &[]).try_into().unwrap();
        assert!(open.starts_with("2023-02 is over: countersign close 2023-02"));
        let [reopened] = steps(false, Some("reopened")).try_into().unwrap();
        assert!(reopened.contains("put it right"), "{reopened}");
    }

    /// Of several months that are open again one is worked on, and the others follow it.
    #[test]
    fn months_that_are_open_again_are_told_in_their_order() {
        let mut later = last_month(Some("reopened"));
        later.period = "2023-03".parse().unwrap();
        let months = [last_month(Some("reopened")), later];
        let [first, second] = about_months(&status(false), &months).try_into().unwrap();
        assert!(first.ends_with("countersign close 2023-02"), "{first}");
        let follows = "it follows when 2023-02 is closed again";
        assert!(
            second.starts_with("2023-03") && second.ends_with(follows),
            "{second}"
        );
    }

    #[test]
    fn a_full_disk_is_told_until_something_is_written_again() {
        assert_eq!(disk_trouble("writable"), None);
        let full = disk_trouble("full").unwrap();
        assert!(
            full.contains("磁盘已满") && full.ends_with("[journal.no_space]"),
            "{full}"
        );
    }

    fn report(open: bool, checked: bool) -> ChildMonth {
        let verdicts = json!([{ "check": "authorship", "outcome": "holds", "detail": "" }]);
        let report = json!({
            "unit": "140302", "name": "城区", "period": "2023-01", "parent": "140300", "revision": 1,
            "rollup": format!("sha256:{}", "0".repeat(64)), "arrived": null, "waits": null,
            "verdicts": if checked { verdicts } else { json!([]) }, "decision": null, "open": open,
            "flagged": null,
        });
        serde_json::from_value(report).unwrap()
    }

    #[test]
    fn only_what_waits_for_this_unit_is_counted() {
        assert_eq!(about_reports(&[report(false, true)]), None);
        assert_eq!(about_reports(&[report(true, false)]), None);
        let list = [report(true, true), report(true, false), report(false, true)];
        let said = about_reports(&list).unwrap();
        let words = "decide on 1 report(s) from below (and 1 that cannot be checked yet): ";
        assert!(said.starts_with(words), "{said}");
    }
}
