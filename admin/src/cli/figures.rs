//! `countersign figures`: the figures of a report.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use protocol::period::Month;
use protocol::readable::ReadableReport;

use super::connect::Connection;
use super::figure_tables;
use super::output::{CommandResult, Failure, Output, replace, sayln, value};

/// The figures of a report: names, units of measure, tables, what each rests on
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  countersign figures 2023-03 --tables --token-file chen.token\n  \
        countersign figures 2023-03 --unit 平定县 --form xlsx -o 平定县-2023-03.xlsx --token-file \
        wang.token\n\n\
    Without a month the newest report. Of a unit below the accepted revision, and where none is \
    accepted the last that came."
)]
pub struct Args {
    /// Month, written 2023-03
    month: Option<Month>,
    /// Unit below, by code or name; this unit's own report where it is left out
    #[arg(long)]
    unit: Option<String>,
    /// Revision
    #[arg(long)]
    revision: Option<u32>,
    /// Only this figure, by id or name; repeat for several
    #[arg(long, value_name = "FIGURE")]
    figure: Vec<String>,
    /// Show the breakdowns, too
    #[arg(long)]
    tables: bool,
    /// Show what is zero, too
    #[arg(long)]
    all: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Table)]
    form: Form,
    /// File to write, replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    node: Connection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Tables for people
    Table,
    /// CSV that Excel opens
    Csv,
    /// A spreadsheet
    Xlsx,
    /// JSON
    Json,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let unit = args.unit.as_deref();
    let fetch = |form: &str| client.figures(unit, args.month, args.revision, form);
    if matches!(args.form, Form::Csv | Form::Xlsx) && !args.figure.is_empty() {
        let message = "--figure chooses what is shown; a file has all figures";
        return Err(Failure::usage(message));
    }
    let (name, bytes) = match args.form {
        Form::Csv => ("csv", fetch("csv")?),
        Form::Xlsx => ("xlsx", fetch("xlsx")?),
        Form::Json | Form::Table => {
            let mut report: ReadableReport =
                serde_json::from_slice(&fetch("json")?).map_err(Failure::of)?;
            choose(&mut report, &args.figure)?;
            if args.form == Form::Table && args.output.is_none() {
                out.answer(value(&report), || show(&report, args, out));
                return Ok(true);
            }
            let mut text = serde_json::to_vec_pretty(&report).map_err(Failure::of)?;
            text.push(b'\n');
            ("json", text)
        }
    };
    write(args, out, name, &bytes)
}

fn write(args: &Args, out: &Output, form: &str, bytes: &[u8]) -> CommandResult {
    let Some(file) = &args.output else {
        if args.form == Form::Xlsx {
            return Err(Failure::usage(
                "a spreadsheet is written to a file: -o FILE",
            ));
        }
        // As it came: a file for a program, whose bytes are not for a terminal.
        std::io::stdout().write_all(bytes).map_err(Failure::of)?;
        return Ok(true);
    };
    replace(file, bytes)?;
    let answer = serde_json::json!({ "file": file, "form": form, "bytes": bytes.len() });
    out.answer(answer, || sayln!("✓ {}", file.display()));
    Ok(true)
}

/// Leaves the figures that were asked for.
fn choose(report: &mut ReadableReport, asked: &[String]) -> Result<(), Failure> {
    if asked.is_empty() {
        return Ok(());
    }
    let mut ids = Vec::new();
    for name in asked {
        let figure = report.figure(name).ok_or_else(|| {
            Failure::coded(
                node::fault::FaultCode::FiguresUnknown,
                format!("{name}：月报中没有这个指标 / this report has no such figure"),
            )
        })?;
        ids.push(figure.id.clone());
    }
    report.figures.retain(|figure| ids.contains(&figure.id));
    Ok(())
}

fn show(report: &ReadableReport, args: &Args, out: &Output) {
    figure_tables::heading(report);
    sayln!();
    let all = args.all || !args.figure.is_empty();
    figure_tables::totals(&report.figures, all, out);
    if args.tables || !args.figure.is_empty() {
        figure_tables::breakdowns(&report.figures, args.all, out);
    }
}
