//! What `history` can find.

use super::code::Code;
use super::leaf::LeafFinding;
use crate::digest::Digest;
use crate::ids::UnitId;
use crate::period::Month;

/// What `history` found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryFinding {
    /// It holds.
    #[error("log of {leaves} leaves, revision {revision}")]
    Holds {
        /// Leaves of the log.
        leaves: u64,
        /// The rollup's revision.
        revision: u32,
    },
    /// Not all leaves are there.
    #[error("claims a log of {claimed} leaves, of which {there} were shown")]
    LeavesMissing {
        /// Leaves that the rollup claims.
        claimed: u64,
        /// Leaves that are there.
        there: u64,
    },
    /// The log has no root over so many leaves.
    #[error("no root of this size")]
    NoRoot,
    /// The leaves have another root.
    #[error("the root over its {size} leaves is {computed}, not {claimed}")]
    OtherRoot {
        /// How many leaves.
        size: u64,
        /// What they give, hexadecimal.
        computed: String,
        /// What the rollup says.
        claimed: String,
    },
    /// The log is shorter than it was.
    #[error("its log has {size} leaves, but {witnessed} were already witnessed")]
    Shortened {
        /// How many leaves.
        size: u64,
        /// How many were witnessed.
        witnessed: u64,
    },
    /// The log is not the one that was witnessed.
    #[error("the first {0} leaves are not the ones that were witnessed: history was rewritten")]
    Rewritten(u64),
    /// The log is not the one of an earlier rollup.
    #[error("the log does not extend the one of its rollup for {0}")]
    NotExtended(Month),
    /// There is no checkpoint.
    #[error("no checkpoint of this size came with it")]
    NoCheckpoint,
    /// The checkpoint cannot be read; why.
    #[error("{0}")]
    UnreadableCheckpoint(String),
    /// The checkpoint is another.
    #[error("the checkpoint is of another unit, size or root")]
    OtherCheckpoint,
    /// A leaf that contradicts those before it.
    #[error(transparent)]
    Leaf(LeafFinding),
    /// The unit does not exist.
    #[error("unit {0} is not in the registry")]
    UnknownUnit(UnitId),
    /// The chain does not go back to a first rollup.
    #[error("its chain breaks: {period} revision {revision}, {rollup}, is not here")]
    ChainBroken {
        /// The month that is named.
        period: Month,
        /// The revision that is named.
        revision: u32,
        /// The digest that is named.
        rollup: Digest,
    },
    /// The first revision of a month follows one of this or a later month.
    #[error("a first revision that follows a rollup of {0}")]
    BeginsLate(Month),
    /// A revision that follows a later one.
    #[error("follows revision {0} of the same month")]
    RevisionBehind(u32),
    /// Two rollups of one revision.
    #[error("two different rollups for {period} revision {revision}: {known} and {this}")]
    TwoRollups {
        /// Which month.
        period: Month,
        /// Which revision.
        revision: u32,
        /// The one that is known.
        known: Digest,
        /// The one that is checked.
        this: Digest,
    },
    /// The revision before is not there.
    #[error("revision {0} is missing")]
    RevisionMissing(u32),
    /// It supersedes another rollup than the revision before.
    #[error("supersedes another revision {0} than the one on its chain")]
    OtherRevision(u32),
    /// No previous rollup where there must be one.
    #[error("names no previous rollup, but {unit} reports since {since}")]
    NoPrevious {
        /// Which unit.
        unit: UnitId,
        /// Its first month.
        since: Month,
    },
    /// A previous rollup where there can be none.
    #[error("names a previous rollup in its first month {0}")]
    PreviousInFirstMonth(Month),
    /// The calendar ends.
    #[error("there is no month before")]
    NoMonthBefore,
    /// The month before was not reported.
    #[error("the rollup of {0} is missing: months are reported without gap")]
    MonthMissing(Month),
    /// The previous rollup is not there.
    #[error("its previous rollup is none of those on its chain for {0}")]
    OtherPrevious(Month),
    /// The previous rollup had been replaced.
    #[error(
        "its previous rollup is revision {named} of {month}, which revision {newer} had replaced"
    )]
    ReplacedPrevious {
        /// The month before.
        month: Month,
        /// The revision that is named.
        named: u32,
        /// The revision that counted by then.
        newer: u32,
    },
    /// The log is shorter than that of the rollup which it follows.
    #[error(
        "its log has {now} leaves, fewer than the {then} of {period} revision {revision} before it"
    )]
    FewerLeaves {
        /// Leaves of its log.
        now: u64,
        /// Leaves of the other's.
        then: u64,
        /// The other's month.
        period: Month,
        /// The other's revision.
        revision: u32,
    },
    /// The registry is older than that of the rollup which it follows.
    #[error("names registry version {now} after version {then}")]
    OlderRegistry {
        /// The version that it names.
        now: u64,
        /// The version that the other named.
        then: u64,
    },
    /// A leaf in a month that no rollup reports.
    #[error(
        "leaf {index} is of {month}, which is none of the months {first} to {last} that are reported"
    )]
    MonthNotReported {
        /// Which leaf.
        index: u64,
        /// Its month.
        month: Month,
        /// The first month that is reported.
        first: Month,
        /// The last.
        last: Month,
    },
    /// A leaf in a month that was sealed.
    #[error("leaf {index} was put into {month}, which was already sealed")]
    MonthSealed {
        /// Which leaf.
        index: u64,
        /// Its month.
        month: Month,
    },
}

impl HistoryFinding {
    /// The step that found it.
    pub fn code(&self) -> Code {
        match self {
            Self::Holds { .. } => Code::HistoryHolds,
            Self::LeavesMissing { .. }
            | Self::NoRoot
            | Self::OtherRoot { .. }
            | Self::Shortened { .. }
            | Self::Rewritten(_)
            | Self::NotExtended(_)
            | Self::NoCheckpoint
            | Self::UnreadableCheckpoint(_)
            | Self::OtherCheckpoint => Code::LogExtends,
            Self::Leaf(_) => Code::LeavesInOrder,
            Self::ChainBroken { .. } | Self::TwoRollups { .. } => Code::UnbrokenChain,
            Self::BeginsLate(_)
            | Self::RevisionBehind(_)
            | Self::RevisionMissing(_)
            | Self::OtherRevision(_) => Code::RevisionChain,
            Self::UnknownUnit(_)
            | Self::NoPrevious { .. }
            | Self::PreviousInFirstMonth(_)
            | Self::NoMonthBefore
            | Self::MonthMissing(_)
            | Self::OtherPrevious(_)
            | Self::ReplacedPrevious { .. } => Code::PreviousMonth,
            Self::FewerLeaves { .. } | Self::OlderRegistry { .. } => Code::NeverBack,
            Self::MonthNotReported { .. } => Code::MonthsReported,
            Self::MonthSealed { .. } => Code::SealedMonths,
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Leaf(finding) => finding.zh(),
            Self::UnknownUnit(unit) => format!("登记册中没有单位 {unit}"),
            Self::TwoRollups {
                period,
                revision,
                known,
                this,
            } => format!("{period} 第 {revision} 次修订有两份不同的月报:{known} 和 {this}"),
            Self::ChainBroken {
                period,
                revision,
                rollup,
            } => format!("报表链中断:缺少 {period} 第 {revision} 次修订 {rollup}"),
            Self::BeginsLate(month) => format!("首次报表接在 {month} 的月报之后"),
            Self::RevisionBehind(revision) => format!("接在同月第 {revision} 次修订之后"),
            Self::RevisionMissing(revision) => format!("缺少第 {revision} 次修订"),
            Self::OtherRevision(revision) => {
                format!("所取代的第 {revision} 次修订与报表链上的不同")
            }
            Self::NoPrevious { unit, since } => {
                format!("未指明上月月报,而 {unit} 自 {since} 起报告")
            }
            Self::PreviousInFirstMonth(since) => format!("在首月 {since} 指明了上月月报"),
            Self::NoMonthBefore => "之前没有月份".into(),
            Self::MonthMissing(month) => format!("缺少 {month} 的月报:各月须连续报告"),
            Self::OtherPrevious(month) => format!("所指上月月报不在报表链上 {month} 的月报之中"),
            Self::ReplacedPrevious {
                month,
                named,
                newer,
            } => format!("所指上月月报是 {month} 第 {named} 次修订,已被第 {newer} 次修订取代"),
            Self::FewerLeaves {
                now,
                then,
                period,
                revision,
            } => format!("日志有 {now} 条,少于在前的 {period} 第 {revision} 次修订的 {then} 条"),
            Self::OlderRegistry { now, then } => {
                format!("在登记册第 {then} 版之后引用第 {now} 版")
            }
            Self::MonthNotReported {
                index,
                month,
                first,
                last,
            } => format!("第 {index} 条属于 {month},不在所报告的 {first} 至 {last} 之内"),
            Self::MonthSealed { index, month } => format!("第 {index} 条记入已封存的 {month}"),
            log => log.log_zh(),
        }
    }

    /// The sentences on the log itself.
    fn log_zh(&self) -> String {
        match self {
            Self::Holds { leaves, revision } => format!("日志 {leaves} 条,第 {revision} 次修订"),
            Self::LeavesMissing { claimed, there } => {
                format!("称日志有 {claimed} 条,只有 {there} 条")
            }
            Self::OtherRoot {
                size,
                computed,
                claimed,
            } => format!("{size} 条的树根是 {computed},不是 {claimed}"),
            Self::Shortened { size, witnessed } => {
                format!("日志有 {size} 条,但已见证 {witnessed} 条")
            }
            Self::Rewritten(size) => format!("前 {size} 条与所见证的不同:历史被改写"),
            Self::NotExtended(month) => format!("日志不是其 {month} 月报日志的延续"),
            Self::NoCheckpoint => "没有附上此大小的检查点".into(),
            Self::UnreadableCheckpoint(e) => format!("检查点无法读取({e})"),
            Self::OtherCheckpoint => "检查点的单位、大小或树根不同".into(),
            _ => "没有此大小的树根".into(),
        }
    }
}
