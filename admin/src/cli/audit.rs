//! `countersign audit`: looking back. Lists and disclosures of a running node, and the re-check of
//! a stopped one's whole history.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use node::books::Books;
use node::books::payload::Payload;
use node::desk::extract::Here;
use protocol::evidence::report;
use protocol::period::Month;
use protocol::statement::Statement;
use protocol::verify::log::UnitLog;
use serde_json::json;

use super::connect::Connection;
use super::evidence::threads;
use super::output::{Done, Failure, Out, print, replace, say, sayln, value};
use super::report::render;
use super::stopped::Stopped;

/// Look at events, show chosen fields, re-check a whole history
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign audit events 2023-03 --token-file zhao.token")]
pub enum Command {
    /// The events of a month
    #[command(
        after_help = "Example:\n  countersign audit events 2023-03 --token-file zhao.token\n\n\
        Sealed events show type and time only. --private shows their fields, to the unit's own people (recorder, reviewer, head);\n\
        the node logs who asked."
    )]
    Events {
        /// Month, written 2023-03
        month: Month,
        /// Show private fields
        #[arg(long)]
        private: bool,
        #[command(flatten)]
        node: Connection,
    },
    /// Show chosen fields of one event, with the proof that they are what was recorded
    #[command(
        after_help = "Example:\n  countersign audit disclose 812 --field employer --field occurred_on -o 812.json --token-file zhao.token\n\n\
        The other fields stay unreadable. Check the file anywhere with `countersign verify 812.json --root VKEY`. The month must be\n\
        closed. The node logs who asked."
    )]
    Disclose {
        /// Log index
        index: u64,
        /// Field to show; repeat for several. A clear event needs none
        #[arg(long, value_name = "NAME")]
        field: Vec<String>,
        /// Show what the event counts as, too
        #[arg(long)]
        row: bool,
        /// File to write, replaced if it is there
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        node: Connection,
    },
    Recheck(Recheck),
}

/// Re-check the whole history of a stopped node from its data directory
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  systemctl stop countersign-node@140321\n  \
    countersign audit recheck --data /var/lib/countersign/140321 --keys /etc/countersign/140321/keys --root root.vkey\n\n\
    Opens the directory as the node does, and takes the same lock: while the node runs it refuses. It re-reads every statement with\n\
    its signature, opens every private record and compares it with its statement and commitment, and runs every check on every\n\
    report again, this unit's and those from below. Run it as the node's user.")]
pub struct Recheck {
    #[command(flatten)]
    at: Stopped,
}

pub fn run(command: Command, out: &Out) -> Done {
    match command {
        Command::Events {
            month,
            private,
            node,
        } => events(month, private, &node, out),
        Command::Disclose {
            index,
            field,
            row,
            output,
            node,
        } => disclose(index, &field, row, &output, &node, out),
        Command::Recheck(args) => recheck(&args, out),
    }
}

fn events(month: Month, private: bool, node: &Connection, out: &Out) -> Done {
    let list = node.client()?.events(month, private)?;
    out.answer(value(&list), || {
        let mut rows = out.table(&[
            "序号 index",
            "类型 type",
            "记录 recorded",
            "补报 late",
            "作废 by",
            "字段 fields",
        ]);
        for e in &list {
            let fields: Vec<String> = e
                .fields
                .iter()
                .map(|(n, v)| {
                    format!(
                        "{n}={}",
                        value(v)
                            .as_str()
                            .map_or_else(|| value(v).to_string(), str::to_string)
                    )
                })
                .collect();
            rows.add_row([
                e.index.to_string(),
                e.event.clone(),
                e.recorded.clone(),
                e.late.map(|m| m.to_string()).unwrap_or_default(),
                e.voided_by.map(|i| i.to_string()).unwrap_or_default(),
                fields.join(" "),
            ]);
        }
        print(&rows);
        sayln!("{} event(s) in {month}", list.len());
    });
    Ok(true)
}

fn disclose(
    index: u64,
    fields: &[String],
    row: bool,
    output: &Path,
    node: &Connection,
    out: &Out,
) -> Done {
    let disclosure = node.client()?.disclose(index, fields, row)?;
    let mut text = serde_json::to_string_pretty(&disclosure).map_err(Failure::of)?;
    text.push('\n');
    replace(output, text.as_bytes())?;
    out.answer(
        json!({ "file": output, "unit": disclosure.unit, "index": index, "fields": fields }),
        || {
            sayln!(
                "✓ {}: event {index} of {}. Check it anywhere: countersign verify {} --root VKEY",
                output.display(),
                disclosure.unit,
                output.display()
            );
        },
    );
    Ok(true)
}

/// What the private half of a journal is worth.
#[derive(Debug, Default, PartialEq, Eq)]
struct Private {
    /// Records that are what their statements commit to.
    good: u64,
    /// Records that were erased: their statements and proofs stay.
    erased: u64,
    /// Log index, and what contradicts.
    wrong: Vec<(u64, String)>,
}

fn recheck(args: &Recheck, out: &Out) -> Done {
    // Opening creates what is missing; a mistyped path must not become a data directory.
    let start = Instant::now();
    // Also without a guard: a restored copy is re-checked before anybody decides to go on from it.
    let books = args.at.open("recheck.data")?;
    let (private, faults) = whole_log(&books)?;
    let report = report::verify_on(threads(), &Here::new(&books)?, &args.at.root)?;
    let leaves = books.log.as_ref().map_or(0, UnitLog::len);
    let last = books
        .rollups
        .values()
        .map(|r| r.held.rollup.log.size)
        .max()
        .unwrap_or(0);
    let holds = faults.is_empty() && private.wrong.is_empty() && !report.failures().any(|_| true);
    let took = start.elapsed();
    let wrong: Vec<_> = private
        .wrong
        .iter()
        .map(|(index, what)| json!({ "index": index, "what": what }))
        .collect();
    let answer = json!({
        "holds": holds, "unit": books.unit(), "statements": leaves, "since_last_close": leaves.saturating_sub(last), "log_faults": faults,
        "private": { "good": private.good, "erased": private.erased, "wrong": wrong }, "report": value(&report),
    });
    out.answer(answer, || {
        if report.units.iter().all(|u| u.months.is_empty()) {
            sayln!("{}: no month is closed yet", books.unit());
        } else {
            say(&render(&report, took, out.style));
        }
        sayln!("\nThe journal of {}:", books.unit());
        if faults.is_empty() {
            sayln!(
                "✓ {leaves} statement(s), {} of them since the last close: every signature and every rule of the log holds",
                leaves.saturating_sub(last)
            );
        }
        for (check, fault) in &faults {
            sayln!("✗ {check}: {fault}");
        }
        let erased = if private.erased > 0 { format!("; {} were erased", private.erased) } else { String::new() };
        sayln!(
            "{} {} private record(s) are what their statements commit to{erased}",
            if private.wrong.is_empty() { "✓" } else { "✗" },
            private.good
        );
        for (index, what) in &private.wrong {
            sayln!("✗ event {index}: {what}");
        }
        if books.size().2 {
            sayln!("  the view did not fit the journal and was built anew from it");
        }
    });
    Ok(holds)
}

type LogFaults = Vec<(&'static str, String)>;

/// Reads every statement again, with its signature, and opens every private record.
fn whole_log(books: &Books) -> Result<(Private, LogFaults), Failure> {
    let Some(me) = books.me() else {
        return Err(Failure::coded(
            "node.registry",
            "the journal holds no registry with this unit",
        ));
    };
    let mut log = UnitLog::new(
        me,
        books.catalogues().iter().map(|(c, _)| c.clone()).collect(),
    );
    let mut private = Private::default();
    let count = books.log.as_ref().map_or(0, UnitLog::len);
    // In chunks: a log may be larger than memory likes.
    let mut chunk = Vec::new();
    for index in 0..count {
        chunk.push(books.statement_bytes(index)?);
        if chunk.len() == 4096 || index + 1 == count {
            log.read(&chunk, me);
            chunk.clear();
        }
        let (statement, payload) = books.statement(index)?;
        match (statement.record.is_some(), payload) {
            (false, _) => {}
            (true, None) => private.erased += 1,
            (true, Some(payload)) => match compare(books, &statement, &payload) {
                Ok(()) => private.good += 1,
                Err(what) => private.wrong.push((index, what)),
            },
        }
    }
    let mut faults: LogFaults = ["authorship", "history", "binding"]
        .into_iter()
        .filter_map(|c| log.fault(c).map(|f| (c, f.to_string())))
        .collect();
    let own = books.log.as_ref().and_then(|l| l.root_at(count));
    if log.root_at(count) != own {
        faults.push((
            "history",
            "the tree that the node built is not the one that its statements give".to_string(),
        ));
    }
    Ok((private, faults))
}

/// Whether a private record is the one that its statement commits to: the fields by their root,
/// what they count by the commitment.
fn compare(books: &Books, statement: &Statement, payload: &Payload) -> Result<(), String> {
    let record = payload
        .record
        .as_ref()
        .ok_or("its private part has no record")?;
    if Some(record.root()) != statement.record {
        return Err("its private fields are not those of the statement".into());
    }
    let counting = books
        .catalogues()
        .iter()
        .map(|(c, _)| c)
        .find(|c| c.digest == statement.catalogue)
        .ok_or("its catalogue is not known here")?;
    let schema = counting
        .generators
        .schema(&statement.event)
        .ok_or("its type is not in its catalogue")?;
    let row = schema
        .row(&payload.moves, true)
        .map_err(|e| e.to_string())?;
    let key = books
        .period_key(statement.period)
        .ok_or("the secret of its month is missing")?;
    let commitment = counting
        .generators
        .commit(
            &statement.event,
            &row,
            &key.blinding(&statement.id.to_string()),
        )
        .map_err(|e| e.to_string())?;
    if Some(commitment) != statement.row {
        return Err("its commitment does not open to what it counts as".into());
    }
    Ok(())
}
