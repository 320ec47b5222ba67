//! `countersign correct`: an event is replaced by a corrected one.

use serde_json::{Map, Value, json};

use super::void::still_in;
use crate::cli::arguments::pair;
use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Failure, Output, sayln, value};

/// Replace an event by a corrected one (E69, 更正)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign correct 812 --reason 录入错误 --set 月工资(元)=3200 \
        --token-file chen.token\n\n\
    With --set the event's other fields stay as they are. A field is named and filled in as in a \
    file; `--set 字段=` empties it.\n\
    With --event the whole new event is given: occurred_on and all fields, as in a JSONL import."
)]
pub struct Args {
    /// Log index of the event
    index: u64,
    /// Code or label of the reason
    #[arg(long)]
    reason: String,
    /// A field's new value, named as a column of a file; repeat for several
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair, required_unless_present = "event", conflicts_with = "event")]
    set: Vec<(String, String)>,
    /// The whole new event, as JSON
    #[arg(long, value_name = "JSON")]
    event: Option<String>,
    /// Count it in the open month, although its own month is closed and not submitted
    #[arg(long)]
    in_open_month: bool,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let change = match &args.event {
        Some(text) => ("event", whole_event(text)?),
        None => ("set", Value::Object(changes(&args.set)?)),
    };
    let body = json!({
        "reason": args.reason,
        "in_open_month": args.in_open_month,
        change.0: change.1,
    });
    let recorded = client.correct_so(args.index, &body)?;
    let old = client.event(args.index)?;
    let months = client.months()?;
    let mut reports = months.iter().rev();
    let report = reports.find(|m| m.period == old.period && old.period < recorded.period);
    let answer = json!({ "corrected": args.index, "recorded": value(&recorded) });
    out.answer(answer, || {
        sayln!(
            "✓ event {} is replaced by event {} in {} / 已更正",
            args.index,
            recorded.index,
            recorded.period
        );
        if let Some(report) = report {
            still_in(report.period, report.revision, report.submitted.is_some());
        }
    });
    Ok(true)
}

/// The new event, as it was given with `--event`.
fn whole_event(text: &str) -> Result<Value, Failure> {
    let event: Value = serde_json::from_str(text)
        .map_err(|e| Failure::usage(format!("--event is not JSON (column {})", e.column())))?;
    if event.is_object() {
        Ok(event)
    } else {
        Err(Failure::usage("--event is one JSON object"))
    }
}

/// What `--set` changes.
fn changes(set: &[(String, String)]) -> Result<Map<String, Value>, Failure> {
    let mut changes = Map::new();
    for (name, text) in set {
        if changes
            .insert(name.clone(), Value::String(text.clone()))
            .is_some()
        {
            return Err(Failure::usage(format!("--set names {name} twice")));
        }
    }
    Ok(changes)
}
