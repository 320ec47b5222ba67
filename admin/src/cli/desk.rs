//! The month's work: take back, correct, close, sign, submit.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use node::desk::audit::Listed;
use node::desk::close::CloseRequest;
use node::desk::record::Recorded;
use protocol::catalogue::{self, Catalogue};
use protocol::figure::{Counts, Figure};
use protocol::note::{self, Note};
use protocol::period::Month;
use protocol::rollup::Rollup;
use protocol::verify::HeldRollup;
use serde_json::{Value, json};

use super::connect::{Connection, pair};
use super::output::{Done, Failure, Out, print, sayln, value};
use super::report::verdict_line;
use crate::api::Client;
use crate::keyring;

/// Take an event back (E70, 作废)
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign void 812 --reason duplicate --token-file chen.token\n\n\
    Nothing is deleted: a statement is recorded that names the event and takes its numbers off the open month. An unknown\n\
    reason is refused with the list of those that the catalogue has."
)]
pub struct VoidArgs {
    /// Log index of the event, as `countersign audit events` shows it
    index: u64,
    /// Code of the reason
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    node: Connection,
}

/// Replace an event by a corrected one (E69, 更正)
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign correct 812 --reason typing --set wage=320000 --token-file chen.token\n\n\
    With --set the event's other fields stay as they are (the recorder's token reads them); `--set field=` empties a field.\n\
    With --event the whole new event is given: occurred_on and all fields, as in a JSONL import."
)]
pub struct CorrectArgs {
    /// Log index of the event
    index: u64,
    /// Code of the reason
    #[arg(long)]
    reason: String,
    /// A field's new value; repeat for several
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair, required_unless_present = "event", conflicts_with = "event")]
    set: Vec<(String, String)>,
    /// The whole new event, as JSON
    #[arg(long, value_name = "JSON")]
    event: Option<String>,
    #[command(flatten)]
    node: Connection,
}

/// Close the open month, or make a new revision of one that the parent opened again
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign close 2023-03 --explain S01=春节后集中招聘 --missing 140322=停电,下月补报 --token-file chen.token\n\n\
    Hard rules must hold; a soft rule that does not hold takes an explanation. Every unit below has an accepted report, or a\n\
    reason why it is missing. What is needed is told when it is missing."
)]
pub struct CloseArgs {
    /// Month, written 2023-03
    month: Month,
    /// Why a soft rule does not hold; repeat for several
    #[arg(long, value_name = "RULE=TEXT", value_parser = pair)]
    explain: Vec<(String, String)>,
    /// Why a unit below is missing; repeat for several
    #[arg(long, value_name = "UNIT=REASON", value_parser = pair)]
    missing: Vec<(String, String)>,
    #[command(flatten)]
    node: Connection,
}

/// Show what a month's report says, and sign it with keys that stay here
#[derive(Debug, Args)]
#[command(
    after_help = "Example, first read, then sign:\n  countersign sign 2023-03 --token-file li.token\n  \
    countersign sign 2023-03 --key li.key --token-file li.token\n\n\
    The text is fetched from the node, signed on this machine, and the signature is brought back. The key never leaves its file."
)]
pub struct SignArgs {
    /// Month, written 2023-03
    month: Month,
    /// Key file of a signatory; repeat for several. Without one the report is only shown
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Show every figure, also those that are zero
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    node: Connection,
}

/// Hand a signed month to the outbox
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign submit 2023-03 --token-file chen.token\n\n\
    The node sends until the parent's signed receipt is there; `countersign status` tells. Doing it twice changes nothing."
)]
pub struct SubmitArgs {
    /// Month, written 2023-03
    month: Month,
    #[command(flatten)]
    node: Connection,
}

pub(super) fn void(args: &VoidArgs, out: &Out) -> Done {
    args.node.client()?.void(args.index, &args.reason)?;
    out.answer(json!({ "voided": args.index }), || {
        sayln!("✓ event {} is taken back / 已作废", args.index)
    });
    Ok(true)
}

pub(super) fn correct(args: &CorrectArgs, out: &Out) -> Done {
    let client = args.node.client()?;
    let event = match &args.event {
        Some(text) => {
            let event: Value = serde_json::from_str(text).map_err(|e| {
                Failure::usage(format!("--event is not JSON (column {})", e.column()))
            })?;
            if !event.is_object() {
                return Err(Failure::usage("--event is one JSON object"));
            }
            event
        }
        None => {
            let old = find(&client, args.index)?;
            if old.fields.is_empty() {
                return Err(Failure::coded(
                    "correct.fields",
                    format!("the fields of event {} cannot be read here", args.index),
                )
                .help("its record may be erased; give the whole event with --event"));
            }
            let mut fields: BTreeMap<String, Value> = old
                .fields
                .iter()
                .map(|(n, v)| (n.clone(), value(v)))
                .collect();
            for (name, text) in &args.set {
                if text.is_empty() {
                    fields.remove(name);
                } else {
                    fields.insert(name.clone(), Value::String(text.clone()));
                }
            }
            value(&fields)
        }
    };
    let path = format!("/api/events/{}/correct", args.index);
    let answer = client.post_json(&path, &json!({ "reason": args.reason, "event": event }))?;
    let recorded: Recorded =
        serde_json::from_slice(&answer).map_err(|e| Failure::coded("api.answer", e.to_string()))?;
    out.answer(
        json!({ "corrected": args.index, "recorded": value(&recorded) }),
        || {
            sayln!(
                "✓ event {} is replaced by event {} in {} / 已更正",
                args.index,
                recorded.index,
                recorded.period
            );
        },
    );
    Ok(true)
}

/// An event with its fields, wherever it stands: the newest months first.
fn find(client: &Client, index: u64) -> Result<Listed, Failure> {
    let mut months: Vec<Month> = client.months()?.iter().map(|m| m.period).collect();
    months.push(client.status()?.open);
    months.sort();
    months.dedup();
    for month in months.into_iter().rev() {
        // Private fields are asked for only where the event is: the node logs who looked at which
        // month.
        if client
            .events(month, false)?
            .iter()
            .any(|e| e.index == index)
        {
            let found = client
                .events(month, true)?
                .into_iter()
                .find(|e| e.index == index);
            return found
                .ok_or_else(|| Failure::coded("void.unknown", format!("event {index} is gone")));
        }
    }
    Err(Failure::coded(
        "void.unknown",
        format!("没有这个事件 / there is no event {index}"),
    ))
}

pub(super) fn close(args: CloseArgs, out: &Out) -> Done {
    let request = CloseRequest {
        explanations: args.explain.into_iter().collect(),
        missing: args.missing.into_iter().collect(),
    };
    let closed = args.node.client()?.close(args.month, &request)?;
    out.answer(value(&closed), || {
        sayln!(
            "✓ {} revision {} is closed / 已结账: {}",
            closed.period,
            closed.revision,
            closed.digest
        );
        for v in closed.verdicts.iter().filter(|v| v.check != "authorship") {
            sayln!("  {}", verdict_line(v));
        }
        sayln!(
            "  authorship waits for the three signatures: `countersign sign {} --key FILE`",
            closed.period
        );
    });
    Ok(true)
}

pub(super) fn submit(args: &SubmitArgs, out: &Out) -> Done {
    let verdicts = args.node.client()?.submit(args.month)?;
    out.answer(
        json!({ "month": args.month, "verdicts": value(&verdicts) }),
        || {
            for v in &verdicts {
                sayln!("{}", verdict_line(v));
            }
            sayln!("✓ {} is in the outbox / 已提交", args.month);
        },
    );
    Ok(true)
}

pub(super) fn sign(args: &SignArgs, out: &Out) -> Done {
    let client = args.node.client()?;
    let note = Note::parse(&client.rollup(args.month)?)?;
    let held = HeldRollup::new(note.clone())?;
    if held.rollup.period != args.month {
        return Err(Failure::coded(
            "sign.month",
            format!(
                "the node answered with {}, not with {}",
                held.rollup.period, args.month
            ),
        ));
    }
    let catalogue = names(&client, &held.rollup);
    if !out.json {
        show(&held, catalogue.as_ref(), args.all, out);
    }
    if args.key.is_empty() {
        out.answer(
            json!({ "rollup": value(&held.rollup), "digest": held.digest(), "signed": [] }),
            || {
                sayln!(
                    "\nNothing was signed. To sign: countersign sign {} --key FILE",
                    args.month
                );
            },
        );
        return Ok(true);
    }
    let mut signed = note;
    let mut by = Vec::new();
    for path in &args.key {
        let key = keyring::read_key(path)?;
        if !held.rollup.signatories.names().contains(&key.name()) {
            let message = format!(
                "{} is not one of the three signatories of this report",
                key.name()
            );
            return Err(Failure::coded("sign.signature", message).help(format!(
                "they are {}",
                held.rollup.signatories.names().join(", ")
            )));
        }
        signed = signed.add_signature(&key)?;
        by.push(key.name().to_string());
    }
    let unsigned = client.sign(args.month, signed.as_bytes())?;
    out.answer(json!({ "digest": held.digest(), "revision": held.rollup.revision, "signed": by, "unsigned": unsigned }), || {
        sayln!("\n✓ signed by {}", by.join(", "));
        match unsigned.as_slice() {
            [] => sayln!("All three have signed. Next: countersign submit {}", args.month),
            rest => sayln!("Still to sign: {}", rest.join(", ")),
        }
    });
    Ok(true)
}

/// The catalogue that the report was counted by, for the figures' names. Its digest is in what is
/// signed.
fn names(client: &Client, rollup: &Rollup) -> Option<Catalogue> {
    let note = Note::parse(&client.get("/api/catalogue").ok()?).ok()?;
    let json = note::read_document(note.text(), catalogue::KIND).ok()?;
    Catalogue::from_json(json)
        .ok()
        .filter(|c| c.digest() == rollup.catalogue)
}

fn show(held: &HeldRollup, catalogue: Option<&Catalogue>, all: bool, out: &Out) {
    let r = &held.rollup;
    sayln!("单位 unit       {} ({})", r.unit, r.tier);
    sayln!(
        "月份 month      {} revision {}{}",
        r.period,
        r.revision,
        if r.revision > 1 {
            " (replaces the one before / 更正版)"
        } else {
            ""
        }
    );
    sayln!("摘要 digest     {}", held.digest());
    sayln!(
        "日志 log        {} statements, {} taken back this month",
        r.log.size,
        r.voided
    );
    if !r.late.is_empty() {
        let late: Vec<String> = r.late.iter().map(|(m, n)| format!("{n} of {m}")).collect();
        sayln!("补报 late       {}", late.join(", "));
    }
    if !r.children.is_empty() || !r.missing.is_empty() {
        sayln!(
            "下级 units      {} included, {} missing",
            r.children.len(),
            r.missing.len()
        );
        for m in &r.missing {
            sayln!("  缺报 missing  {}: {}", m.unit, m.reason);
        }
    }
    for e in &r.explanations {
        sayln!("说明 explained  {} {}: {}", e.rule, e.figure, e.text);
    }
    for (zh, name) in ["填表人", "统计负责人", "单位负责人"]
        .into_iter()
        .zip(r.signatories.names())
    {
        let there = held.note.signatures().iter().any(|s| s.name() == name);
        sayln!(
            "{zh}  {name}: {}",
            if there {
                "has signed / 已签"
            } else {
                "has not signed / 未签"
            }
        );
    }
    sayln!();
    let summed = r.figures.iter().any(|f| f.sum.is_some());
    let mut rows = out.table(if summed {
        &["指标 figure", "名称", "本级 own", "合计 total", "依据"]
    } else {
        &["指标 figure", "名称", "数值 value", "依据"]
    });
    let mut hidden = 0;
    for f in &r.figures {
        if !all
            && f.scope().value.or(f.scope().num).unwrap_or(0) == 0
            && f.scope().den.unwrap_or(0) == 0
        {
            hidden += 1;
            continue;
        }
        let (name, measure) = name_of(f, catalogue);
        let own = number(&f.own, &measure);
        let basis = f.basis.zh().to_string();
        match &f.sum {
            Some(sum) => rows.add_row([&f.id, &name, &own, &number(sum, &measure), &basis]),
            None if summed => rows.add_row([&f.id, &name, &own, &own, &basis]),
            None => rows.add_row([&f.id, &name, &own, &basis]),
        };
    }
    print(&rows);
    if hidden > 0 {
        sayln!("{hidden} figure(s) are zero; --all shows them");
    }
    if catalogue.is_none() {
        sayln!("The node's catalogue is not the one of this report: names are not shown.");
    }
}

fn name_of(figure: &Figure, catalogue: Option<&Catalogue>) -> (String, String) {
    let id = figure.id.split('@').next().unwrap_or_default();
    catalogue
        .and_then(|c| c.indicator(id))
        .map(|i| (i.zh.clone(), i.unit.clone()))
        .unwrap_or_default()
}

fn number(counts: &Counts, measure: &str) -> String {
    match (counts.value, counts.num, counts.den) {
        (Some(fen), ..) if measure == "分" => {
            format!(
                "{}{}.{:02} 元",
                if fen < 0 { "-" } else { "" },
                fen.unsigned_abs() / 100,
                fen.unsigned_abs() % 100
            )
        }
        (Some(n), ..) => format!("{n} {measure}"),
        (None, Some(num), Some(den)) => format!("{num}/{den}"),
        _ => "–".to_string(),
    }
}
