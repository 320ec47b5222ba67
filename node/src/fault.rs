//! What is wrong with input: every fault at once, each with its place, a stable code, and the cure,
//! in both languages.

use serde::{Deserialize, Serialize};

use crate::books::BooksError;
use crate::journal::JournalError;

/// One fault. The texts never repeat a value that could be personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Row of the file, counted from 1, the heading included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Column or field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Stable code.
    pub code: String,
    /// What is wrong and how to cure it, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Fault {
    /// A fault without a place.
    pub fn new(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        Fault {
            row: None,
            column: None,
            code: code.to_string(),
            zh: zh.into(),
            en: en.into(),
        }
    }
    /// With a row.
    #[must_use]
    pub fn row(mut self, row: u64) -> Fault {
        self.row = Some(row);
        self
    }
    /// With a column.
    #[must_use]
    pub fn column(mut self, column: &str) -> Fault {
        self.column = Some(column.to_string());
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, "{}{column}", if self.row.is_some() { ", " } else { "" })?;
        }
        if self.row.is_some() || self.column.is_some() {
            write!(f, ": ")?;
        }
        write!(f, "{} / {} [{}]", self.zh, self.en, self.code)
    }
}

/// All faults of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single one.
    pub fn one(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Faults {
        Faults(vec![Fault::new(code, zh, en)])
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}
impl std::error::Error for Faults {}

impl From<BooksError> for Faults {
    /// What the journal could not take: whether it was recorded, and what to do.
    fn from(error: BooksError) -> Faults {
        let (zh, en) = match &error {
            BooksError::Journal(JournalError::NoSpace { .. }) => (
                "磁盘已满,本次内容没有记录。请释放磁盘空间后重新提交,不需要重启节点;查询不受影响".to_string(),
                "the disk is full and nothing of this was recorded. Free space and send it again, no restart is needed; reading goes on"
                    .to_string(),
            ),
            BooksError::Journal(JournalError::Poisoned { .. }) => (
                "此前磁盘出错,节点已停止写入,本次内容没有记录。请检查磁盘,重启节点后重新提交;已确认的记录不受影响".to_string(),
                "an earlier failure of the disk stopped all writing, and nothing of this was recorded. Check the disk, restart the node and \
                 send it again; nothing acknowledged is affected"
                    .to_string(),
            ),
            BooksError::Journal(e) if e.leaves_open() => (
                format!("磁盘出错,无法确定本次内容是否已记录。请检查磁盘,重启节点后重新提交:已记录的内容不会重复计数。{e}"),
                format!(
                    "the disk failed, and it is unknown whether this was recorded. Check the disk, restart the node and send it again: \
                     what was recorded is not counted twice. {e}"
                ),
            ),
            _ => (format!("节点内部错误:{error}"), error.to_string()),
        };
        Faults::one(error.code(), zh, en)
    }
}

/// A failure of the node itself (disk, keys), not of the input.
pub fn internal(e: impl std::fmt::Display) -> Faults {
    Faults::one(
        "node.internal",
        format!("节点内部错误:{e}"),
        format!("internal error: {e}"),
    )
}
