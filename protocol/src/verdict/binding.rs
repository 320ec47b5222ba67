//! What `binding` can find.

use super::code::Code;
use super::leaf::LeafFinding;
use crate::figure::{Difference, FigureError};
use crate::succession::Change;

/// What `binding` found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingFinding {
    /// It holds.
    #[error("{sealed} sealed and {clear} clear leaves")]
    Holds {
        /// Net number of sealed leaves in the month.
        sealed: i64,
        /// Clear leaves in the month.
        clear: u64,
    },
    /// The catalogue is not there.
    #[error("names a catalogue that is not known here")]
    UnknownCatalogue,
    /// A leaf that cannot be counted.
    #[error(transparent)]
    Leaf(LeafFinding),
    /// The leaves were recorded by another catalogue.
    #[error("its statements were recorded by another catalogue than the rollup names")]
    OtherCatalogue,
    /// The opening lacks a type.
    #[error("the opening has no sums for event type {0}")]
    NoSums(String),
    /// The catalogue lacks a type.
    #[error("unknown event type {0}")]
    UnknownEvent(String),
    /// The opening has another number of columns.
    #[error("the opening of {event} has {found} columns instead of {expected}")]
    Columns {
        /// Event type.
        event: String,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A block whose columns are not the number of leaves.
    #[error(
        "{event}: the columns of figure {figure} add up to {total}, but there are {leaves} leaves"
    )]
    Block {
        /// Event type.
        event: String,
        /// Figure.
        figure: String,
        /// What the columns add up to.
        total: i128,
        /// Net number of leaves.
        leaves: i64,
    },
    /// Two tables of a figure that tell of different leaves.
    #[error("{event}: the tables of figure {figure} contradict one another")]
    Tables {
        /// Event type.
        event: String,
        /// Figure.
        figure: String,
    },
    /// The opening has a type of which there is no leaf.
    #[error("the opening has sums for {0}, of which there is no leaf")]
    NoLeaf(String),
    /// The sums do not open the commitments.
    #[error("the published sums are not the sum of the commitments in this month's leaves")]
    Opening,
    /// The rollup of the month before is not there.
    #[error("its previous rollup is not known here")]
    UnknownPrevious,
    /// The rollup of the month before fails binding.
    #[error(
        "the rollup that it follows fails binding, so that nobody can show the stocks it starts from"
    )]
    PreviousUnbound,
    /// The catalogue of the rollup before is not there.
    #[error("its previous rollup names a catalogue that is not known here")]
    UnknownPreviousCatalogue,
    /// The catalogue cannot follow that of the rollup before.
    #[error("its catalogue cannot follow that of its previous rollup: {0}")]
    Succession(Change),
    /// A column of clear rows out of range.
    #[error("{0}: a column of clear rows adds up to 2^53 or more in magnitude")]
    ClearSum(String),
    /// Figures that cannot be carried on or added.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A figure in another's place.
    #[error("figure {found} stands where {expected} belongs")]
    Order {
        /// The figure that stands there.
        found: String,
        /// The figure that belongs there.
        expected: String,
    },
    /// A figure that is not what the leaves give.
    #[error(transparent)]
    Difference(#[from] Difference),
    /// Other numbers of voided or late statements.
    #[error("the numbers of voided or late statements are not those of its leaves")]
    VoidedOrLate,
    /// Another first leaf.
    #[error("the index of the month's first leaf is wrong")]
    FirstLeaf,
    /// Other lists than those of the coverages.
    #[error("the frozen lists are not those of exactly the catalogue's coverages")]
    Frozen,
    /// A subject whose count was not brought home.
    #[error(
        "the month lacks the recount of {subject} {key:?}: what it counts is not what its leaves say"
    )]
    NotRecounted {
        /// The kind of subject.
        subject: &'static str,
        /// Its key.
        key: String,
    },
    /// A subject that cannot be counted.
    #[error("a recount of the month's clear leaves fails: {0}")]
    Recount(String),
}

impl BindingFinding {
    /// The step that found it.
    pub fn code(&self) -> Code {
        match self {
            Self::Holds { .. } => Code::BindingHolds,
            Self::UnknownCatalogue | Self::Leaf(_) | Self::OtherCatalogue => {
                Code::LeavesByCatalogue
            }
            Self::NoSums(_)
            | Self::UnknownEvent(_)
            | Self::Columns { .. }
            | Self::Block { .. }
            | Self::Tables { .. }
            | Self::NoLeaf(_) => Code::OpenedSums,
            Self::Opening => Code::OpeningHolds,
            Self::UnknownPrevious
            | Self::PreviousUnbound
            | Self::UnknownPreviousCatalogue
            | Self::Succession(_)
            | Self::ClearSum(_)
            | Self::NotRecounted { .. }
            | Self::Recount(_)
            | Self::Figure(_)
            | Self::Order { .. }
            | Self::Difference(_) => Code::FiguresFollow,
            Self::VoidedOrLate | Self::FirstLeaf => Code::NumbersOfLeaves,
            Self::Frozen => Code::FrozenLists,
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Holds { sealed, clear } => format!("{sealed} 条加封记录和 {clear} 条公开记录"),
            Self::UnknownCatalogue => "所引目录此处不知".into(),
            Self::Leaf(finding) => finding.zh(),
            Self::OtherCatalogue => "其记录所用目录与月报所引的不同".into(),
            Self::NoSums(event) => format!("开启值中没有事件类型 {event}"),
            Self::UnknownEvent(event) => format!("目录中没有事件类型 {event}"),
            Self::Columns {
                event,
                found,
                expected,
            } => format!("{event} 的开启值有 {found} 列,应有 {expected} 列"),
            Self::Block {
                event,
                figure,
                total,
                leaves,
            } => format!("{event}:指标 {figure} 各列之和为 {total},而记录有 {leaves} 条"),
            Self::Tables { event, figure } => format!("{event}：指标 {figure} 的各分组表互相矛盾"),
            Self::NoLeaf(event) => format!("开启值中有 {event},但没有此类记录"),
            Self::Opening => "所公布的合计不是本月各记录承诺之和".into(),
            Self::UnknownPrevious => "上月月报此处没有".into(),
            Self::PreviousUnbound => {
                "所接上月月报“账表相符”不通过（binding），期初存量无从证明".into()
            }
            Self::UnknownPreviousCatalogue => "上月月报所引目录此处不知".into(),
            Self::Succession(change) => {
                format!("所引目录不能接续上月月报的目录：{}", change.zh())
            }
            Self::ClearSum(event) => format!("{event}：公开记录某一列之和的绝对值达到 2^53"),
            Self::Figure(error) => error.zh(),
            Self::Order { found, expected } => format!("应为指标 {expected} 之处是 {found}"),
            Self::Difference(difference) => difference.zh(),
            Self::VoidedOrLate => "撤销数或补报数与其记录不符".into(),
            Self::NotRecounted { subject, key } => {
                format!("本月缺少对 {subject} {key:?} 的重算：其计数与记录不符")
            }
            Self::Recount(e) => format!("本月公开记录无法重算（{e}）"),
            Self::Frozen => "冻结名单与目录中的覆盖率指标不一一对应".into(),
            Self::FirstLeaf => "本月首条记录的序号不对".into(),
        }
    }
}
