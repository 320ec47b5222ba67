//! `countersign months`: the unit's reports and what became of them.

use node::queries::months::OwnMonth;
use node::queries::words::Word;
use protocol::receipt::Decision;

use super::connect::Connection;
use super::output::{CommandResult, Output, decision_words, one_line, print, sayln, value};

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
            "送出 sent",
            "审核 decision",
            "原因 reasons",
            "摘要 digest",
        ]);
        for month in &months {
            rows.add_row(row(month));
        }
        print(&rows);
        for month in &months {
            let what = format!("{} revision {}", month.period, month.revision);
            print_words(&what, &month.words);
        }
    });
    Ok(true)
}

fn row(m: &OwnMonth) -> [String; 8] {
    let failed = m.checks.iter().filter(|c| c.failed());
    let failed = failed.map(|c| format!("{}: {}", c.check, one_line(&c.detail)));
    let reasons: Vec<String> = m.reasons.iter().cloned().chain(failed).collect();
    let digest = m.rollup.to_string();
    [
        m.period.to_string(),
        m.revision.to_string(),
        m.unsigned.join(", "),
        m.submitted.clone().unwrap_or_default(),
        m.sent.clone().unwrap_or_default(),
        m.decision.map(decision_words).unwrap_or_default(),
        reasons.join("; "),
        digest.chars().take("sha256:".len() + 12).collect(),
    ]
}

/// What the parent said of a report, word by word; nothing where it has only accepted it.
pub fn print_words(what: &str, words: &[Word]) {
    let accepted = |word: &Word| word.decision == Decision::Accepted;
    if words.len() < 2 && words.iter().all(accepted) {
        return;
    }
    sayln!("{what}:");
    for word in words {
        sayln!(
            "  {} {} by {}",
            word.decided,
            decision_words(word.decision),
            word.by
        );
        for reason in &word.reasons {
            sayln!("    原因 reason: {}", one_line(reason));
        }
        if !word.about.is_empty() {
            sayln!("    涉及 about: {}", word.about.join(", "));
        }
    }
}
