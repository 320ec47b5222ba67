//! `countersign audit events`: the events of a month.

use node::queries::events::Listed;
use protocol::period::Month;

use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Output, print, sayln, value};

/// The events of a month
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit events 2023-03 --token-file zhao.token\n\n\
    Sealed events show type and time only. --private shows their fields, to the unit's own people \
    (recorder, reviewer, head);\n\
    the node logs who asked."
)]
pub struct Args {
    /// Month, written 2023-03
    month: Month,
    /// Show private fields
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let list = args.node.client()?.events(args.month, args.private)?;
    out.answer(value(&list), || {
        let mut rows = out.table(&[
            "序号 index",
            "类型 type",
            "记录 recorded",
            "补报 late",
            "作废 by",
            "字段 fields",
        ]);
        for event in &list {
            rows.add_row(row(event));
        }
        print(&rows);
        sayln!("{} event(s) in {}", list.len(), args.month);
    });
    Ok(true)
}

fn row(e: &Listed) -> [String; 6] {
    let fields = e.fields.iter().map(|(name, v)| {
        let v = value(v);
        let text = v.as_str().map_or_else(|| v.to_string(), str::to_string);
        format!("{name}={text}")
    });
    [
        e.index.to_string(),
        e.event.clone(),
        e.recorded.clone(),
        e.late.map(|m| m.to_string()).unwrap_or_default(),
        e.voided_by.map(|i| i.to_string()).unwrap_or_default(),
        fields.collect::<Vec<_>>().join(" "),
    ]
}
