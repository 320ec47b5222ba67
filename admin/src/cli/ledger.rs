//! `countersign ledger`: years of made-up events, for trials and demonstrations. See
//! [`crate::ledger`].

use std::path::PathBuf;

use clap::Subcommand;
use protocol::ids::UnitId;
use serde_json::json;

use super::output::{Done, Failure, Out, print, sayln};
use super::units;
use crate::ledger::{self, CorrectionKind, DEFAULT_SEED, LedgerOptions, LedgerUnit};

/// Generate made-up ledgers
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  countersign ledger generate --year 2023 --units deploy/units/units.csv --under 140300 --out ledgers"
)]
pub enum Command {
    /// Write a year of CSV files for each unit: OUT/<unit>/<YYYY-MM>/<NN>-<type>.csv
    #[command(
        after_help = "Example:\n  countersign ledger generate --year 2023 --units deploy/units/units.csv --under 140300 --out ledgers\n\n\
        All names, ID numbers and employers are made up. The same options give the same bytes. The corrections that belong to the\n\
        year are listed, not applied: they are `countersign void` and `countersign correct` in the month that is told."
    )]
    Generate {
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
    },
}

pub(super) fn run(command: Command, out: &Out) -> Done {
    let Command::Generate {
        seed,
        year,
        units: files,
        under,
        out: dir,
    } = command;
    if !(2000..=2100).contains(&year) {
        return Err(Failure::usage("a year between 2000 and 2100"));
    }
    let cards = units::under(units::load(&files)?, &under)?;
    let units: Vec<LedgerUnit> = cards
        .into_iter()
        .map(|c| match c.tier {
            Some(tier) => Ok(LedgerUnit {
                id: c.id,
                tier,
                parent: c.parent,
            }),
            None => Err(Failure::coded(
                "units.incomplete",
                format!("unit {}: no file says its tier", c.id),
            )),
        })
        .collect::<Result<_, _>>()?;
    let ledger = ledger::generate(&LedgerOptions { seed, year, units });
    let files = ledger.write_to(&dir).map_err(Failure::file(&dir))?;
    let events: usize = ledger.units.iter().map(ledger::UnitLedger::events).sum();
    let corrections: Vec<_> = ledger
        .corrections
        .iter()
        .map(|c| {
            // Rows are counted as faults and people count them: from 1, the heading included.
            let row = c.target.row + 2;
            let (kind, cells) = match &c.kind {
                CorrectionKind::Void => ("void", None),
                CorrectionKind::Correct(cells) => ("correct", Some(cells)),
            };
            json!({ "unit": c.unit, "month": c.month, "kind": kind, "reason": c.reason, "of_month": c.target.month, "type": c.target.event, "row": row, "cells": cells })
        })
        .collect();
    out.answer(json!({ "units": ledger.units.len(), "files": files, "events": events, "corrections": corrections }), || {
        sayln!("{}: {files} file(s), {events} event(s) of {} unit(s)", dir.display(), ledger.units.len());
        if ledger.corrections.is_empty() {
            return;
        }
        sayln!("\nTo be put right by hand:");
        let mut rows = out.table(&["unit", "in month", "what", "reason", "event"]);
        for c in &ledger.corrections {
            let what = if c.kind == CorrectionKind::Void { "void" } else { "correct" };
            let event = format!("{} {} row {}", c.target.month, c.target.event, c.target.row + 2);
            rows.add_row([c.unit.as_str(), &c.month.to_string(), what, c.reason, &event]);
        }
        print(&rows);
    });
    Ok(true)
}
