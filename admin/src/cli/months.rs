//! `countersign months`: the unit's reports and what became of them.

use node::queries::months::OwnMonth;

use super::connect::Connection;
use super::output::{CommandResult, Output, decision_words, one_line, print, value};

/// The unit's reports: signatures, sending, the parent's answers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign months --token-file chen.token")]
pub struct Args {
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let months = args.node.client()?.months()?;
    out.answer(value(&months), || {
        let mut rows = out.table(&[
            "月份 month",
            "revision",
            "未签 unsigned",
            "提交 submitted",
            "审核 decision",
            "原因 reasons",
            "摘要 digest",
        ]);
        for month in &months {
            rows.add_row(row(month));
        }
        print(&rows);
    });
    Ok(true)
}

fn row(m: &OwnMonth) -> [String; 7] {
    let failed = m.checks.iter().filter(|c| c.failed());
    let failed = failed.map(|c| format!("{}: {}", c.check, one_line(&c.detail)));
    let reasons: Vec<String> = m.reasons.iter().cloned().chain(failed).collect();
    let digest = m.rollup.to_string();
    [
        m.period.to_string(),
        m.revision.to_string(),
        m.unsigned.join(", "),
        m.submitted.clone().unwrap_or_default(),
        m.decision.map(decision_words).unwrap_or_default(),
        reasons.join("; "),
        digest.chars().take("sha256:".len() + 12).collect(),
    ]
}
