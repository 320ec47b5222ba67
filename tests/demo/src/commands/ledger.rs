//! `countersign-demo ledger`: a year of made-up events, for trials and demonstrations. See
//! [`crate::ledger`].

use std::path::PathBuf;

use admin::cli::output::{CommandResult, Failure, Output, print, say};
use admin::cli::units;
use node::fault::FaultCode;
use protocol::ids::UnitId;
use serde_json::{Value, json};

use crate::ledger::{
    Correction, CorrectionKind, DEFAULT_SEED, Ledger, LedgerOptions, LedgerUnit, UnitLedger,
    generate,
};

/// Write a year of CSV files for each unit: OUT/<unit>/<YYYY-MM>/<NN>-<type>.csv
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign-demo ledger --year 2023 --units deploy/units/units.csv \
        --under 140300 --out ledgers\n\n\
    All names, ID numbers and employers are made up. The same options give the same bytes. The \
    corrections that belong to the\n\
    year are listed, not applied: they are `countersign void` and `countersign correct` in the \
    month that is told."
)]
pub(super) struct Args {
    /// Answer with one JSON value
    #[arg(long)]
    pub(super) json: bool,
    /// Everything random follows from it
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Calendar year
    #[arg(long)]
    year: i32,
    /// File of units with tier and parent; repeat for several
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    units: Vec<PathBuf>,
    /// Only these units and what is below them
    #[arg(long, value_name = "UNIT")]
    under: Vec<UnitId>,
    /// Directory to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, out: &Output) -> CommandResult {
    if !(2000..=2100).contains(&args.year) {
        return Err(Failure::usage("a year between 2000 and 2100"));
    }
    let ledger = generate(&LedgerOptions {
        seed: args.seed,
        year: args.year,
        units: chosen_units(args)?,
    });
    let files = ledger
        .write_to(&args.out)
        .map_err(Failure::file(&args.out))?;
    let events: usize = ledger.units.iter().map(UnitLedger::events).sum();
    let corrections: Vec<Value> = ledger.corrections.iter().map(correction_json).collect();
    let answer = json!({
        "units": ledger.units.len(),
        "files": files,
        "events": events,
        "corrections": corrections,
    });
    out.answer(answer, || {
        say(&format!(
            "{}: {files} file(s), {events} event(s) of {} unit(s)\n",
            args.out.display(),
            ledger.units.len()
        ));
        print_corrections(&ledger, out);
    });
    Ok(true)
}

fn chosen_units(args: &Args) -> Result<Vec<LedgerUnit>, Failure> {
    let cards = units::under(units::load(&args.units)?, &args.under)?;
    cards
        .into_iter()
        .map(|card| match card.tier {
            Some(tier) => Ok(LedgerUnit {
                id: card.id,
                tier,
                parent: card.parent,
            }),
            None => Err(Failure::coded(
                FaultCode::UnitsIncomplete,
                format!("unit {}: no file says its tier", card.id),
            )),
        })
        .collect()
}

/// The row as people and error messages count it: from 1, the heading included.
fn row_in_file(correction: &Correction) -> usize {
    correction.target.row + 2
}

fn correction_json(correction: &Correction) -> Value {
    let (kind, cells) = match &correction.kind {
        CorrectionKind::Void => ("void", None),
        CorrectionKind::Correct(cells) => ("correct", Some(cells)),
    };
    json!({
        "unit": correction.unit,
        "month": correction.month,
        "kind": kind,
        "reason": correction.reason,
        "of_month": correction.target.month,
        "type": correction.target.event,
        "row": row_in_file(correction),
        "cells": cells,
    })
}

fn print_corrections(ledger: &Ledger, out: &Output) {
    if ledger.corrections.is_empty() {
        return;
    }
    say("\nTo be put right by hand:\n");
    let mut rows = out.table(&["unit", "in month", "what", "reason", "event"]);
    for c in &ledger.corrections {
        let what = match c.kind {
            CorrectionKind::Void => "void",
            CorrectionKind::Correct(_) => "correct",
        };
        let event = format!(
            "{} {} row {}",
            c.target.month,
            c.target.event,
            row_in_file(c)
        );
        rows.add_row([
            c.unit.as_str(),
            &c.month.to_string(),
            what,
            c.reason,
            &event,
        ]);
    }
    print(&rows);
}
