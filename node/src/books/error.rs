//! Why the books cannot be opened or written.

use protocol::verdict::LeafFinding;

use super::keys;
use crate::fault::{FaultCode, Faults, cause_zh};
use crate::journal::JournalError;
use crate::view::ViewError;

/// Why the books cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The journal or its guard.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The view, after a rebuild.
    #[error(transparent)]
    View(#[from] ViewError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] keys::KeyError),
    /// A private part that cannot be opened.
    #[error(
        "private part of journal entry {seq}: {message}; is this the vault key that it was sealed \
         with? [{}]",
        FaultCode::BooksSealed
    )]
    Unsealed {
        /// Which entry.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// A journal entry that this version cannot read.
    #[error("journal entry {seq}: {message} [{}]", FaultCode::BooksEntry)]
    Entry {
        /// Which entry.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// A statement of this unit that its own reading contradicts; it is not written.
    #[error(
        "nothing of this was recorded: everybody who reads this unit's log would say of leaf \
         {}: {} [{}]",
        .0.index,
        .0.problem,
        FaultCode::BooksLeaf
    )]
    Leaf(LeafFinding),
    /// Registry, catalogue or plan.
    #[error("{what}: {message} [{}]", FaultCode::BooksPublished)]
    Published {
        /// Which document.
        what: String,
        /// What is wrong.
        message: String,
    },
}

impl BooksError {
    /// Stable code.
    pub fn code(&self) -> FaultCode {
        match self {
            BooksError::Journal(e) => e.code(),
            BooksError::View(_) => FaultCode::ViewDamaged,
            BooksError::Keys(_) => FaultCode::KeysUnusable,
            BooksError::Unsealed { .. } => FaultCode::BooksSealed,
            BooksError::Entry { .. } => FaultCode::BooksEntry,
            BooksError::Leaf(_) => FaultCode::BooksLeaf,
            BooksError::Published { .. } => FaultCode::BooksPublished,
        }
    }
}

impl BooksError {
    /// What it says in Chinese. What only its English tells is left out.
    pub fn zh(&self) -> String {
        match self {
            BooksError::Journal(e) => e.zh(),
            BooksError::View(_) | BooksError::Keys(_) => self.code().meaning().zh.to_owned(),
            BooksError::Unsealed { seq, .. } => {
                format!("底账第 {seq} 条的私有内容打不开；请检查 vault.key 是否为密封时所用的")
            }
            BooksError::Entry { seq, .. } => {
                format!("底账第 {seq} 条：{}", self.code().meaning().zh)
            }
            BooksError::Leaf(finding) => format!(
                "本次内容没有记录：任何人读取本单位的日志，都会认为第 {} 条{}",
                finding.index,
                finding.problem.zh()
            ),
            BooksError::Published { what, message } => {
                let what = match what.as_str() {
                    "registry" => "单位名录",
                    "catalogue" => "指标目录",
                    "plan" => "计划",
                    _ => "文件",
                };
                format!("{what}不能采用：{}", cause_zh(message))
            }
        }
    }
}

impl From<BooksError> for Faults {
    /// What the journal could not take: whether it was recorded, and what to do.
    fn from(error: BooksError) -> Faults {
        let (zh, en) = match &error {
            BooksError::Journal(JournalError::NoSpace { .. }) => (
                "磁盘已满,本次内容没有记录。请释放磁盘空间后重新提交,不需要重启节点;查询不受影响"
                    .to_string(),
                "the disk is full and nothing of this was recorded. Free space and send it again, \
                 no restart is needed; reading goes on"
                    .to_string(),
            ),
            BooksError::Journal(JournalError::Poisoned { .. }) => (
                "此前磁盘出错,节点已停止写入,本次内容没有记录。请检查磁盘,重启节点后重新提交;\
                 已确认的记录不受影响"
                    .to_string(),
                "an earlier failure of the disk stopped all writing, and nothing of this was \
                 recorded. Check the disk, restart the node and send it again; nothing \
                 acknowledged is affected"
                    .to_string(),
            ),
            BooksError::Journal(e) if e.leaves_open() => (
                format!(
                    "磁盘出错,无法确定本次内容是否已记录。请检查磁盘,重启节点后重新提交:\
                     已记录的内容不会重复计数。{}",
                    e.zh()
                ),
                format!(
                    "the disk failed, and it is unknown whether this was recorded. Check the disk, \
                     restart the node and send it again: what was recorded is not counted twice. \
                     {e}"
                ),
            ),
            _ => (error.zh(), error.to_string()),
        };
        Faults::one(error.code(), zh, en)
    }
}
