//! `countersign review`: the reports of the units below.

mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use node::queries::{children::ChildMonth, contradictions::Contradicted};
use node::review::Accepted;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::text::b64;
use protocol::verdict::Outcome;
use serde_json::json;

use super::connect::Connection;
use super::figure_tables;
use super::months::print_words;
use super::output::{
    CommandResult, Failure, Output, beijing, decision_words, one_line, print, sayln, value,
};
use super::report::verdict_line;
use crate::api::{Client, DecisionRequest};

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
        /// Only this unit, by code or name
        #[arg(long)]
        unit: Option<String>,
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
    /// Units directly below whose report of a month is not accepted: not in (未报), to decide …
    #[command(
        after_help = "Example:\n  countersign review missing 2023-03 --token-file wang.token"
    )]
    Missing {
        /// Month, written 2023-03
        month: Month,
        #[command(flatten)]
        node: Connection,
    },
    /// One report with its figures, checks, what changed, and what was said of it
    #[command(
        after_help = "Example:\n  countersign review show 平定县 2023-03 --tables --token-file \
            wang.token\n\n\
        Compared with the revision before, the month before, and the same month of last year."
    )]
    Show {
        #[command(flatten)]
        report: ReportArgs,
        /// Revision; the last that came where it is left out
        #[arg(long)]
        revision: Option<u32>,
        /// Show the breakdowns, too
        #[arg(long)]
        tables: bool,
        /// Show what is zero, too
        #[arg(long)]
        all: bool,
    },
    /// What changed between two revisions of a month, cell by cell
    #[command(
        after_help = "Example:\n  countersign review diff 平定县 2023-03 1 2 --token-file \
            wang.token\n\n\
        Without revisions the last two. Also for this unit's own months."
    )]
    Diff {
        /// Unit, by code or name
        unit: String,
        /// Month, written 2023-03
        month: Month,
        /// The earlier and the later revision
        #[arg(num_args = 2, value_name = "REV")]
        revisions: Vec<u32>,
        #[command(flatten)]
        node: Connection,
    },
    /// One figure of every unit side by side; who is missing has no number
    #[command(
        after_help = "Examples:\n  countersign review table 2023-03 I011 --by 性别 --token-file \
            wang.token\n  \
        countersign review table 2023-03 新增就业人次 --token-file wang.token"
    )]
    Table {
        /// Month, written 2023-03
        month: Month,
        /// Figure, by id or name
        figure: String,
        /// A breakdown (`sex`, 性别) or one cell (`sex:2`, 女) beside the total; repeat for several
        #[arg(long, value_name = "CELL")]
        by: Vec<String>,
        #[command(flatten)]
        node: Connection,
    },
    /// Accept months (审核通过): they become part of this unit's figures
    #[command(
        after_help = "Examples:\n  countersign review accept 平定县 2023-03 --token-file \
            wang.token\n  \
        countersign review accept --all-verified 2023-03 --token-file wang.token\n\n\
        Several units, or all that are wholly verified, are decided one by one: a report with a \
        remark of a check is refused\nand told, and has to be accepted alone."
    )]
    Accept {
        /// Units by code or name, then the month, written 2023-03
        #[arg(required = true, value_name = "UNIT… MONTH")]
        which: Vec<String>,
        /// Every unit whose report is wholly verified and waits
        #[arg(long)]
        all_verified: bool,
        /// What is said to the unit with the acceptance; of one unit only
        #[arg(long, value_name = "TEXT")]
        comment: Vec<String>,
        /// A report that was returned or opened again is right as it stands: no new revision comes.
        /// Of one unit only
        #[arg(long)]
        unchanged: bool,
        /// With --unchanged: the unit's later months as well, which were opened with it
        #[arg(long, requires = "unchanged")]
        later: bool,
        #[command(flatten)]
        node: Connection,
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
    /// Unit, by code or name
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
        } => list(month, unit.as_deref(), open, &node, out),
        Command::Contradictions { out: dir, node } => contradictions(dir.as_deref(), &node, out),
        Command::Missing { month, node } => {
            let list = node.client()?.missing(month)?;
            out.answer(value(&list), || show::missing(&list, out));
            Ok(true)
        }
        Command::Show {
            report: ReportArgs { unit, month, node },
            revision,
            tables,
            all,
        } => {
            let shown = node.client()?.child_report(&unit, month, revision)?;
            out.answer(value(&shown), || show::report(&shown, tables, all, out));
            Ok(true)
        }
        Command::Diff {
            unit,
            month,
            revisions,
            node,
        } => diff(&unit, month, &revisions, &node, out),
        Command::Table {
            month,
            figure,
            by,
            node,
        } => {
            let table = node.client()?.figure_table(month, &figure, &by)?;
            out.answer(value(&table), || show::table(&table, out));
            Ok(true)
        }
        Command::Accept {
            which,
            all_verified,
            comment,
            unchanged,
            later,
            node,
        } => {
            let request = DecisionRequest {
                decision: Decision::Accepted,
                reasons: &comment,
                about: &[],
                later,
                unchanged,
            };
            accept(&which, all_verified, &request, &node, out)
        }
        Command::Return { report, why } => {
            let client = report.node.client()?;
            let at = (&client, report.unit.as_str(), report.month);
            decide(at, &why.request(Decision::Returned), out)
        }
        Command::Reopen { report, why } => {
            let client = report.node.client()?;
            let at = (&client, report.unit.as_str(), report.month);
            decide(at, &why.request(Decision::Reopened), out)
        }
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

fn decide(
    (client, unit, month): (&Client, &str, Month),
    request: &DecisionRequest<'_>,
    out: &Output,
) -> CommandResult {
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

fn diff(
    unit: &str,
    month: Month,
    revisions: &[u32],
    node: &Connection,
    out: &Output,
) -> CommandResult {
    let two = match revisions {
        [from, to] => Some((*from, *to)),
        _ => None,
    };
    let found = node.client()?.difference(unit, month, two)?;
    out.answer(value(&found), || {
        sayln!("{} {}", found.unit, found.name);
        figure_tables::difference(&found, out);
    });
    Ok(true)
}

/// Accepts one report, or several one by one.
fn accept(
    which: &[String],
    all_verified: bool,
    request: &DecisionRequest<'_>,
    node: &Connection,
    out: &Output,
) -> CommandResult {
    // clap asks for at least one.
    let (month, units) = which.split_last().unwrap_or((&which[0], &[]));
    let month: Month = month.parse().map_err(|_| {
        Failure::usage("the month comes last, written 2023-03 / 月份写在最后，写作 2023-03")
    })?;
    let client = node.client()?;
    match (units, all_verified) {
        ([], false) => Err(Failure::usage(
            "which unit? Name one or more before the month, or give --all-verified",
        )),
        ([unit], false) => decide((&client, unit, month), request, out),
        _ if !request.reasons.is_empty() || request.unchanged => Err(Failure::usage(
            "--comment and --unchanged are said to one unit; accept that one alone",
        )),
        _ => {
            let told = client.accept_many(month, units, all_verified)?;
            out.answer(value(&told), || outcomes(&told, month));
            Ok(told.iter().all(|outcome| outcome.accepted))
        }
    }
}

fn outcomes(told: &[Accepted], month: Month) {
    if told.is_empty() {
        sayln!("{month}: 没有校验全部通过、等待审核的月报 / no wholly verified report waits");
    }
    for outcome in told {
        match outcome.faults.as_slice() {
            [] => sayln!(
                "✓ {} {month}: {}",
                outcome.unit,
                decision_words(Decision::Accepted)
            ),
            faults => {
                for fault in faults {
                    sayln!(
                        "✗ {} {month}: {}",
                        outcome.unit,
                        one_line(&fault.to_string())
                    );
                }
            }
        }
    }
}

fn list(
    month: Option<Month>,
    unit: Option<&str>,
    open: bool,
    node: &Connection,
    out: &Output,
) -> CommandResult {
    let mut list = node.client()?.children()?;
    list.retain(|c| {
        month.is_none_or(|m| c.period == m)
            && unit.is_none_or(|u| c.unit.as_str() == u || c.name == u)
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
        c.arrived.as_deref().map(beijing).unwrap_or_default(),
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
