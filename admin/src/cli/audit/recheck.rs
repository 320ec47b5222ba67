//! `countersign audit recheck`: a stopped node's whole history, checked again.

use std::time::{Duration, Instant};

use node::books::Books;
use node::books::payload::Payload;
use node::desk::evidence::LocalEvidence;
use node::fault::FaultCode;
use protocol::evidence::report::{self, Report};
use protocol::statement::Statement;
use protocol::verdict::Check;
use protocol::verify::log::UnitLog;
use serde_json::{Value, json};

use crate::cli::data_directory::DataDirectory;
use crate::cli::output::{CommandResult, Failure, Output, say, sayln, value};
use crate::cli::report::render;
use crate::cli::verify::threads;

/// Re-check the whole history of a stopped node from its data directory
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  systemctl stop countersign-node@140321\n  \
    countersign audit recheck --data /var/lib/countersign/140321 --keys \
    /etc/countersign/140321/keys --root root.vkey\n\n\
    Opens the directory as the node does, and takes the same lock: while the node runs it refuses. \
    It re-reads every statement with\n\
    its signature, opens every private record and compares it with its statement and commitment, \
    and runs every check on every\n\
    report again, this unit's and those from below. Run it as the node's user.")]
pub struct Args {
    #[command(flatten)]
    at: DataDirectory,
}

/// What the private half of a journal is worth.
#[derive(Debug, Default, PartialEq, Eq)]
struct RecordsReport {
    /// Records that are what their statements commit to.
    good: u64,
    /// Records that were erased: their statements and proofs stay.
    erased: u64,
    /// Log index, and what contradicts.
    wrong: Vec<(u64, String)>,
}

/// Everything that was found.
struct Found {
    report: Report,
    records: RecordsReport,
    log: LogFindings,
    statements: u64,
    since_last_close: u64,
    took: Duration,
}

impl Found {
    fn holds(&self) -> bool {
        let reports = self.report.failures().next().is_none();
        reports && self.log.is_empty() && self.records.wrong.is_empty()
    }

    fn answer(&self, books: &Books) -> Value {
        let wrong = self.records.wrong.iter();
        let wrong: Vec<Value> = wrong
            .map(|(index, what)| json!({ "index": index, "what": what }))
            .collect();
        json!({
            "holds": self.holds(),
            "unit": books.unit(),
            "statements": self.statements,
            "since_last_close": self.since_last_close,
            "log_faults": self.log,
            "private": {
                "good": self.records.good,
                "erased": self.records.erased,
                "wrong": wrong,
            },
            "report": value(&self.report),
        })
    }
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let start = Instant::now();
    // Also without a guard: a restored copy is re-checked before anybody decides to go on from it.
    let books = args.at.open(FaultCode::RecheckData)?;
    let (records, log) = whole_log(&books)?;
    let report = report::verify_on(threads(), &LocalEvidence::new(&books)?, &args.at.root)?;
    let statements = books.log().map_or(0, UnitLog::len);
    let closed = books.rollups().values().map(|r| r.held().rollup.log.size);
    let found = Found {
        report,
        records,
        log,
        statements,
        since_last_close: statements.saturating_sub(closed.max().unwrap_or(0)),
        took: start.elapsed(),
    };
    out.answer(found.answer(&books), || print_found(&found, &books, out));
    Ok(found.holds())
}

fn print_found(found: &Found, books: &Books, out: &Output) {
    if found.report.units.iter().all(|u| u.months.is_empty()) {
        sayln!("{}: no month is closed yet", books.unit());
    } else {
        say(&render(&found.report, found.took, out.style));
    }
    sayln!("\nThe journal of {}:", books.unit());
    if found.log.is_empty() {
        sayln!(
            "✓ {} statement(s), {} of them since the last close: every signature and every rule of \
             the log holds",
            found.statements,
            found.since_last_close
        );
    }
    for (check, fault) in &found.log {
        sayln!("✗ {check}: {fault}");
    }
    let records = &found.records;
    let erased = match records.erased {
        0 => String::new(),
        n => format!("; {n} were erased"),
    };
    sayln!(
        "{} {} private record(s) are what their statements commit to{erased}",
        if records.wrong.is_empty() {
            "✓"
        } else {
            "✗"
        },
        records.good
    );
    for (index, what) in &records.wrong {
        sayln!("✗ event {index}: {what}");
    }
    if books.size().2 {
        sayln!("  the view did not fit the journal and was built anew from it");
    }
}

type LogFindings = Vec<(Check, String)>;

/// Reads every statement again, with its signature, and opens every private record.
fn whole_log(books: &Books) -> Result<(RecordsReport, LogFindings), Failure> {
    let Some(me) = books.me() else {
        return Err(Failure::coded(
            FaultCode::NodeRegistry,
            "the journal holds no registry with this unit",
        ));
    };
    let mut log = UnitLog::new(
        me,
        books.catalogues().iter().map(|(c, _)| c.clone()).collect(),
    );
    let mut records = RecordsReport::default();
    let count = books.log().map_or(0, UnitLog::len);
    // In chunks: a log may be larger than memory likes.
    let mut chunk = Vec::new();
    for index in 0..count {
        chunk.push(books.statement_bytes(index)?);
        if chunk.len() == 4096 || index + 1 == count {
            log.read(&chunk, me);
            chunk.clear();
        }
        let (statement, payload) = books.statement(index)?;
        match (statement.record().is_some(), payload) {
            (false, _) => {}
            (true, None) => records.erased += 1,
            (true, Some(payload)) => match compare(books, &statement, &payload) {
                Ok(()) => records.good += 1,
                Err(what) => records.wrong.push((index, what)),
            },
        }
    }
    let mut faults: LogFindings = [Check::Authorship, Check::History, Check::Binding]
        .into_iter()
        .filter_map(|c| log.finding(c).map(|f| (c, f.to_string())))
        .collect();
    let own = books.log().and_then(|l| l.root_at(count));
    if log.root_at(count) != own {
        faults.push((
            Check::History,
            "the tree that the node built is not the one that its statements give".to_string(),
        ));
    }
    Ok((records, faults))
}

/// Whether a private record is the one that its statement commits to: the fields by their root,
/// what they count by the commitment.
fn compare(books: &Books, statement: &Statement, payload: &Payload) -> Result<(), String> {
    let record = payload
        .record
        .as_ref()
        .ok_or("its private part has no record")?;
    if Some(record.root()) != statement.record() {
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
    if Some(&commitment) != statement.row() {
        return Err("its commitment does not open to what it counts as".into());
    }
    Ok(())
}
