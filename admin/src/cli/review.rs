//! `countersign review`: the reports of the units below.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use node::queries::{children::ChildMonth, contradictions::Contradicted};
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::text::b64;
use protocol::verdict::Outcome;
use serde_json::json;

use super::connect::Connection;
use super::months::print_words;
use super::output::{
    CommandResult, Failure, Output, decision_words, one_line, print, sayln, value,
};
use super::report::verdict_line;
use crate::api::DecisionRequest;

/// Show and decide on the reports of the units below
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign review list --open --token-file wang.token")]
pub enum Command {
    /// Reports from below, with their checks
    #[command(
        after_help = "Example:\n  countersign review list --month 2023-03 --token-file \
            wang.token\n\n\
        ✓ every check holds, ! it holds and there is something to know, ✗ a check fails, … \
        something before it is still to come.\n\
        Units further below are shown, too, and months in which a unit reported to another parent: \
        whoever was\nthe parent in that month decides, and is named."
    )]
    List {
        /// Only this month
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
        /// Only this unit
        #[arg(long)]
        unit: Option<UnitId>,
        /// Only those that wait for a decision
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        node: Connection,
    },
    /// What units below signed twice in two ways (矛盾), and what the parent has under this unit's
    /// name
    #[command(
        after_help = "Example:\n  countersign review contradictions --out evidence/ --token-file \
            wang.token\n\n\
        Both documents of each are signed notes, or statements in deliveries that prove their \
        index: whoever has the registry \
        can check them without this node."
    )]
    Contradictions {
        /// Write both documents of each into this directory
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        node: Connection,
    },
    /// Accept a month (审核通过): it becomes part of this unit's figures
    #[command(
        after_help = "Example:\n  countersign review accept 140321 2023-03 --token-file wang.token"
    )]
    Accept {
        #[command(flatten)]
        report: ReportArgs,
        /// A report that was returned or opened again is right as it stands: no new revision comes
        #[arg(long)]
        unchanged: bool,
        /// With --unchanged: the unit's later months as well, which were opened with it
        #[arg(long, requires = "unchanged")]
        later: bool,
    },
    /// Return a month with reasons (退回)
    #[command(
        after_help = "Example:\n  countersign review return 140321 2023-03 --reason \
            就业人数与名册不符 --about I011 --token-file wang.token"
    )]
    Return {
        #[command(flatten)]
        report: ReportArgs,
        #[command(flatten)]
        why: ReasonArgs,
    },
    /// Open an accepted month again (重新打开), so that a new revision may follow
    #[command(
        after_help = "Example:\n  countersign review reopen 140321 2023-03 --reason 复核发现漏报 \
            --token-file wang.token"
    )]
    Reopen {
        #[command(flatten)]
        report: ReportArgs,
        #[command(flatten)]
        why: ReasonArgs,
    },
}

/// Which report.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Unit, by its code or name
    unit: String,
    /// Month, written 2023-03
    month: Month,
    #[command(flatten)]
    node: Connection,
}

/// Reasons of a decision.
#[derive(Debug, clap::Args)]
pub struct ReasonArgs {
    /// Why; repeat for several
    #[arg(long, required = true)]
    reason: Vec<String>,
    /// Figure or cell that it is about (I011, or I011:sex:2); repeat for several
    #[arg(long, value_name = "FIGURE")]
    about: Vec<String>,
    /// Also the unit's later months, which rest on this one and are to be closed again after it
    #[arg(long)]
    later: bool,
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::List {
            month,
            unit,
            open,
            node,
        } => list(month, unit.as_ref(), open, &node, out),
        Command::Contradictions { out: dir, node } => contradictions(dir.as_deref(), &node, out),
        Command::Accept {
            report,
            unchanged,
            later,
        } => {
            let request = DecisionRequest {
                decision: Decision::Accepted,
                reasons: &[],
                about: &[],
                later,
                unchanged,
            };
            decide(&report, &request, out)
        }
        Command::Return { report, why } => decide(&report, &why.request(Decision::Returned), out),
        Command::Reopen { report, why } => decide(&report, &why.request(Decision::Reopened), out),
    }
}

impl ReasonArgs {
    fn request(&self, decision: Decision) -> DecisionRequest<'_> {
        DecisionRequest {
            decision,
            reasons: &self.reason,
            about: &self.about,
            later: self.later,
            unchanged: false,
        }
    }
}

fn decide(report: &ReportArgs, request: &DecisionRequest<'_>, out: &Output) -> CommandResult {
    let (unit, month) = (&report.unit, report.month);
    let client = report.node.client()?;
    let decided = client.rule(unit, month, request)?;
    let decision = request.decision;
    let answer = json!({
        "unit": unit,
        "month": month,
        "decision": decision,
        "decided": value(&decided),
    });
    out.answer(answer, || {
        for d in &decided {
            let (month, words) = (d.period, decision_words(d.decision));
            sayln!("✓ {unit} {month}: {words}");
        }
    });
    Ok(true)
}

fn list(
    month: Option<Month>,
    unit: Option<&UnitId>,
    open: bool,
    node: &Connection,
    out: &Output,
) -> CommandResult {
    let mut list = node.client()?.children()?;
    list.retain(|c| {
        month.is_none_or(|m| c.period == m)
            && unit.is_none_or(|u| &c.unit == u)
            && (!open || c.open)
    });
    list.sort_by(|a, b| (a.period, &a.unit, a.revision).cmp(&(b.period, &b.unit, b.revision)));
    out.answer(value(&list), || {
        let mut rows = out.table(&[
            "月份 month",
            "单位 unit",
            "",
            "rev.",
            "收到 arrived",
            "校验 checks",
            "审核 decision",
        ]);
        for c in &list {
            rows.add_row(row(c));
        }
        print(&rows);
        for c in &list {
            let what = format!("{} {} revision {}", c.unit, c.period, c.revision);
            print_words(&what, &c.words);
        }
    });
    Ok(true)
}

fn row(c: &ChildMonth) -> [String; 7] {
    let flagged = c.flagged.as_ref().map(|f| format!("\n✗ flagged: {f}"));
    [
        c.period.to_string(),
        c.unit.to_string(),
        c.name.clone(),
        c.revision.to_string(),
        c.arrived.clone().unwrap_or_default(),
        checks(c) + &flagged.unwrap_or_default(),
        decided(c),
    ]
}

/// This unit's word, or whose word it is: of a unit further below its parent's, of a month before
/// the unit came here its parent's of then.
fn decided(c: &ChildMonth) -> String {
    match (c.decision, c.open, &c.parent) {
        (Some(decision), ..) => decision_words(decision),
        (None, true, _) => "waits / 待审".into(),
        (None, false, Some(parent)) => format!("– 由 {parent} 审核 by {parent}"),
        (None, false, None) => "–".into(),
    }
}

/// What is to be known of a report's checks.
fn checks(c: &ChildMonth) -> String {
    if c.verdicts.is_empty() {
        let what = c.waits.as_ref().map(|w| format!(": {w}"));
        return format!("… waits{}", what.unwrap_or_default());
    }
    let remarkable = c.verdicts.iter().filter(|v| v.outcome != Outcome::Holds);
    let lines: Vec<String> = remarkable.map(verdict_line).collect();
    match lines.as_slice() {
        [] => "✓ all hold".to_string(),
        lines => lines.join("\n"),
    }
}

fn contradictions(dir: Option<&Path>, node: &Connection, out: &Output) -> CommandResult {
    let list = node.client()?.contradictions()?;
    let mut files = Vec::new();
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).map_err(Failure::file(dir))?;
        for (n, c) in list.iter().enumerate() {
            files.extend(save(dir, n + 1, c)?);
        }
    }
    let answer = json!({ "contradictions": value(&list), "files": files });
    out.answer(answer, || {
        if list.is_empty() {
            sayln!("✓ 没有矛盾 no contradiction");
        }
        for (n, c) in list.iter().enumerate() {
            sayln!("✗ {} {}: {}", n + 1, c.unit, one_line(&c.what));
        }
        for file in &files {
            sayln!("  → {file}");
        }
    });
    Ok(list.is_empty())
}

/// Writes both documents of a contradiction, and the deliveries that prove their places; gives the
/// names of the files.
fn save(dir: &Path, number: usize, c: &Contradicted) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    let mut write = |name: String, bytes: &[u8]| {
        let path = dir.join(format!("{number:03}-{}-{name}", c.unit));
        std::fs::write(&path, bytes).map_err(Failure::file(&path))?;
        files.push(path.display().to_string());
        Ok::<(), Failure>(())
    };
    let sides = [
        ("first", c.first.as_ref(), &c.first_delivery),
        ("second", Some(&c.second), &c.second_delivery),
    ];
    for (side, text, delivery) in sides {
        if let Some(d) = delivery {
            let bytes = b64::decode(&d.bytes).unwrap_or_default();
            write(format!("{side}-from-{}.delivery", d.from), &bytes)?;
        }
        if let Some(text) = text {
            write(format!("{side}.note"), text.as_bytes())?;
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_word_it_is_stands_where_this_unit_has_none() {
        let report = |decision: Option<&str>, open: bool, parent: Option<&str>| -> ChildMonth {
            let report = json!({
                "unit": "140302", "name": "城区", "period": "2023-01", "parent": parent,
                "revision": 1, "rollup": format!("sha256:{}", "0".repeat(64)), "arrived": null,
                "verdicts": [], "waits": null, "decision": decision, "open": open, "flagged": null,
            });
            serde_json::from_value(report).unwrap()
        };
        let shown = |decision, open, parent| decided(&report(decision, open, parent));
        assert_eq!(shown(None, true, Some("140700")), "waits / 待审");
        let former = shown(None, false, Some("140300"));
        assert_eq!(former, "– 由 140300 审核 by 140300");
        assert_eq!(shown(None, false, None), "–");
        assert!(shown(Some("accepted"), false, Some("140700")).starts_with("accepted"));
    }
}
