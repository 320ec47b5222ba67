//! `countersign correct`: an event is replaced by a corrected one.

use std::collections::BTreeMap;

use node::fault::FaultCode;
use node::queries::events::Listed;
use protocol::period::Month;
use serde_json::{Value, json};

use crate::api::Client;
use crate::cli::arguments::pair;
use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Failure, Output, sayln, value};

/// Replace an event by a corrected one (E69, 更正)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign correct 812 --reason typing --set wage=320000 \
        --token-file chen.token\n\n\
    With --set the event's other fields stay as they are (the recorder's token reads them); `--set \
    field=` empties a field.\n\
    With --event the whole new event is given: occurred_on and all fields, as in a JSONL import."
)]
pub struct Args {
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

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let event = match &args.event {
        Some(text) => whole_event(text)?,
        None => changed_event(&client, args)?,
    };
    let recorded = client.correct(args.index, &args.reason, &event)?;
    let answer = json!({ "corrected": args.index, "recorded": value(&recorded) });
    out.answer(answer, || {
        sayln!(
            "✓ event {} is replaced by event {} in {} / 已更正",
            args.index,
            recorded.index,
            recorded.period
        );
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

/// The old event with what `--set` changes.
fn changed_event(client: &Client, args: &Args) -> Result<Value, Failure> {
    let old = find(client, args.index)?;
    if old.fields.is_empty() {
        let message = format!("the fields of event {} cannot be read here", args.index);
        return Err(Failure::coded(FaultCode::CorrectFields, message)
            .help("its record may be erased; give the whole event with --event"));
    }
    let known = old.fields.iter().map(|(n, v)| (n.clone(), value(v)));
    let mut fields: BTreeMap<String, Value> = known.collect();
    for (name, text) in &args.set {
        if text.is_empty() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), Value::String(text.clone()));
        }
    }
    Ok(value(&fields))
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
            return found.ok_or_else(|| {
                Failure::coded(FaultCode::VoidUnknown, format!("event {index} is gone"))
            });
        }
    }
    Err(Failure::coded(
        FaultCode::VoidUnknown,
        format!("没有这个事件 / there is no event {index}"),
    ))
}
