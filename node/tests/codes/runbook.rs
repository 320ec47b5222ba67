//! The table of codes as it stands in section 10 of the runbooks, between two marks.

use std::path::PathBuf;

use node::fault::{Bilingual, FaultCode, Row};

const BEGIN: &str = "<!-- codes:begin (written by `cargo run -p node --example runbook`) -->\n";
const END: &str = "<!-- codes:end -->\n";

/// A language that a runbook is written in.
#[derive(Clone, Copy)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// The runbook in this language.
    pub fn file(self) -> PathBuf {
        let name = match self {
            Language::English => "RUNBOOK.md",
            Language::Chinese => "RUNBOOK.zh-CN.md",
        };
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../deploy")
            .join(name)
    }

    fn of(self, text: Bilingual) -> &'static str {
        match self {
            Language::English => text.en,
            Language::Chinese => text.zh,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Language::English => "| code | what it means | what to do |\n",
            Language::Chinese => "| 代码 | 含义 | 办法 |\n",
        }
    }

    fn row(self, row: &Row) -> String {
        let comma = match self {
            Language::English => ", ",
            Language::Chinese => "、",
        };
        let codes: Vec<String> = row.codes.iter().map(|c| format!("`{c}`")).collect();
        let (codes, meaning) = (codes.join(comma), self.of(row.meaning));
        format!("| {codes} | {meaning} | {} |\n", self.of(row.cure))
    }
}

/// The runbook with the table written anew; `None` where it has not both marks.
pub fn with_table(runbook: &str, language: Language) -> Option<String> {
    let (before, rest) = runbook.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let rows: String = FaultCode::ROWS.iter().map(|r| language.row(r)).collect();
    let heading = language.heading();
    Some(format!(
        "{before}{BEGIN}\n{heading}|---|---|---|\n{rows}\n{END}{after}"
    ))
}
