//! What `arithmetic` can find.

use super::check::Check;
use super::code::Code;
use crate::digest::Digest;
use crate::figure::{Difference, FigureError};
use crate::ids::UnitId;

/// What `arithmetic` found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticFinding {
    /// It holds.
    #[error("{}", holds(*figures, *children, *missing, *other))]
    Holds {
        /// Figures of the rollup.
        figures: usize,
        /// Children that were used.
        children: usize,
        /// Children that are named as missing.
        missing: usize,
        /// Children that counted by another catalogue.
        other: usize,
    },
    /// The catalogue is not there.
    #[error("names a catalogue that is not known here")]
    UnknownCatalogue,
    /// A figure of another shape than the catalogue gives it.
    #[error(transparent)]
    Shape(FigureError),
    /// The cells of a figure.
    #[error("figure {0}: the cells of a table do not add up to its value")]
    Cells(String),
    /// A child that is left out.
    #[error("child {unit} {name} is neither used nor named as missing")]
    ChildNotNamed {
        /// Which unit.
        unit: UnitId,
        /// Its name.
        name: String,
    },
    /// A unit that is no child.
    #[error("{unit} is not a child of {parent} in this month")]
    NotAChild {
        /// Which unit.
        unit: UnitId,
        /// Whose child it is not.
        parent: UnitId,
    },
    /// The rollup of a child is not there.
    #[error("the rollup {rollup} of child {unit} is not known here")]
    ChildRollup {
        /// Digest of the rollup.
        rollup: Digest,
        /// Which child.
        unit: UnitId,
    },
    /// The rollup named for a child is not its own.
    #[error("the rollup named for child {0} is of another unit, month or revision")]
    OtherRollup(UnitId),
    /// A child counted by a catalogue whose figures cannot be added.
    #[error(
        "child {0} counted by a catalogue that is not known here, or that neither follows this one \
         nor is followed by it"
    )]
    ChildCatalogue(UnitId),
    /// A child counted other units.
    #[error(
        "child {child} counted by registry version {counted_by}: {unit} stands below it there or in version {named}, but not in both"
    )]
    ChildRegistry {
        /// Which child.
        child: UnitId,
        /// The registry version that the child names.
        counted_by: u64,
        /// The unit that is below it in one of them only.
        unit: UnitId,
        /// The registry version that the rollup names.
        named: u64,
    },
    /// Figures that cannot be carried on or added.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A figure that is not what its parts give.
    #[error(transparent)]
    Difference(#[from] Difference),
    /// A sum where there is nothing to add.
    #[error("figure {0} has a sum although the unit has no children")]
    SumWithoutChildren(String),
    /// A rule that must hold does not.
    #[error("the hard rule {0} does not hold")]
    HardRule(String),
    /// A rule that does not hold and is not explained.
    #[error("the rule {0} does not hold and is not explained")]
    Unexplained(String),
    /// An explanation of what needs none.
    #[error("explains {0}, which is no soft rule that does not hold, or not of this figure")]
    ExplainsNothing(String),
    /// Two explanations of one rule.
    #[error("explains one rule twice")]
    ExplainsTwice,
    /// Rules that cannot be judged.
    #[error("the rules cannot be judged: {0}")]
    Rules(String),
    /// A named rollup that does not hold.
    #[error("the rollup of child {unit} does not hold: {check} fails")]
    ChildFails {
        /// Which child.
        unit: UnitId,
        /// The first of its checks that fails.
        check: Check,
    },
    /// A named rollup of which there are two versions.
    #[error("child {0} has signed two rollups for this month and revision")]
    ChildContradicted(UnitId),
}

fn holds(figures: usize, children: usize, missing: usize, other: usize) -> String {
    let mut text = format!("{figures} figures");
    if children + missing > 0 {
        text += &format!(", {children} children");
    }
    if missing > 0 {
        text += &format!(", {missing} named as missing");
    }
    if other > 0 {
        text += &format!(", {other} of them by another catalogue");
    }
    text
}

impl ArithmeticFinding {
    /// The step that found it.
    pub fn code(&self) -> Code {
        match self {
            Self::Holds { .. } => Code::ArithmeticHolds,
            Self::Shape(_) | Self::Cells(_) => Code::CellsAddUp,
            Self::ChildNotNamed { .. } | Self::NotAChild { .. } => Code::EveryChildNamed,
            Self::ChildRollup { .. }
            | Self::OtherRollup(_)
            | Self::ChildCatalogue(_)
            | Self::ChildRegistry { .. } => Code::ChildRollups,
            Self::UnknownCatalogue
            | Self::Figure(_)
            | Self::Difference(_)
            | Self::SumWithoutChildren(_) => Code::FiguresAddUp,
            Self::HardRule(_)
            | Self::Unexplained(_)
            | Self::ExplainsNothing(_)
            | Self::ExplainsTwice
            | Self::Rules(_) => Code::RulesExplained,
            Self::ChildFails { .. } | Self::ChildContradicted(_) => Code::ChildrenHold,
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Holds {
                figures,
                children,
                missing,
                other,
            } => {
                let other = match other {
                    0 => String::new(),
                    n => format!("，其中 {n} 个下级按另一目录计数"),
                };
                format!("{figures} 项指标，{children} 个下级，{missing} 个注明未报{other}")
            }
            Self::UnknownCatalogue => "所引目录此处不知".into(),
            Self::Cells(figure) => format!("指标 {figure}:分组之和与数值不等"),
            Self::ChildNotNamed { unit, name } => {
                format!("下级 {unit} {name} 既未汇入,也未注明未报")
            }
            Self::NotAChild { unit, parent } => format!("本月 {unit} 不是 {parent} 的下级"),
            Self::ChildRollup { rollup, unit } => format!("下级 {unit} 的月报 {rollup} 此处没有"),
            Self::OtherRollup(unit) => {
                format!("所引下级 {unit} 的月报属于别的单位、月份或修订")
            }
            Self::ChildCatalogue(unit) => {
                format!("下级 {unit} 所用目录此处不知，或与本目录互不接续")
            }
            Self::ChildRegistry {
                child,
                counted_by,
                unit,
                named,
            } => format!(
                "下级 {child} 按登记册第 {counted_by} 版汇总:\
                 {unit} 只在该版或第 {named} 版中属其下级"
            ),
            Self::Shape(error) | Self::Figure(error) => error.zh(),
            Self::Difference(difference) => difference.zh(),
            Self::HardRule(rule) => format!("硬性审核关系 {rule} 不成立"),
            Self::Unexplained(rule) => format!("审核关系 {rule} 不成立，且没有情况说明"),
            Self::ExplainsNothing(rule) => {
                format!("对 {rule} 的情况说明没有对象：它不是不成立的软性审核关系，或者指标不符")
            }
            Self::ExplainsTwice => "同一审核关系有两份情况说明".into(),
            Self::Rules(e) => format!("审核关系无法判断（{e}）"),
            Self::ChildFails { unit, check } => {
                format!(
                    "下级 {unit} 的月报不成立：“{}”不通过（{check}）",
                    check.zh()
                )
            }
            Self::ChildContradicted(unit) => {
                format!("下级 {unit} 为本月同一修订签署了两份月报")
            }
            Self::SumWithoutChildren(figure) => format!("指标 {figure} 有合计,但本单位没有下级"),
        }
    }
}
