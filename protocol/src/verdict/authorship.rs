//! What `authorship` can find.

use super::code::Code;
use super::leaf::LeafFinding;
use crate::ids::{Tier, UnitId};
use crate::period::Month;
use crate::person::Role;

/// What `authorship` found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorshipFinding {
    /// It holds.
    #[error("node key, 3 signatories and {leaves} statements")]
    Holds {
        /// Statements of the log.
        leaves: u64,
    },
    /// A leaf is not signed as it must be.
    #[error(transparent)]
    Leaf(LeafFinding),
    /// The registry that it names is another.
    #[error("names registry version {version} with another digest than the one known here")]
    OtherRegistry {
        /// The version that it names.
        version: u64,
    },
    /// The unit does not exist.
    #[error("unit {unit} is not in the registry")]
    UnknownUnit {
        /// Which unit.
        unit: UnitId,
    },
    /// The unit does not exist in this month.
    #[error("{unit} does not exist in {period} by the registry that it names")]
    NotInMonth {
        /// Which unit.
        unit: UnitId,
        /// Which month.
        period: Month,
    },
    /// The tier is another.
    #[error("calls itself a {said:?} but the registry has it as a {registered:?}")]
    OtherTier {
        /// What the rollup says.
        said: Tier,
        /// What the registry says.
        registered: Tier,
    },
    /// The node's signature.
    #[error("not signed by a node key of {unit} that is valid at log size {size}")]
    NodeKey {
        /// Whose node.
        unit: UnitId,
        /// Leaves of the log.
        size: u64,
    },
    /// A signatory without that role.
    #[error("{name} is not enrolled as {} in the log of {unit}", role.as_str())]
    NotEnrolled {
        /// The signatory.
        name: String,
        /// The role that it signs in.
        role: Role,
        /// Whose log.
        unit: UnitId,
    },
    /// A signatory's signature.
    #[error("the signature of {name} ({} {}) is missing or wrong", role.as_str(), role.zh())]
    Signatory {
        /// The signatory.
        name: String,
        /// The role that it signs in.
        role: Role,
    },
    /// There is no checkpoint.
    #[error("no checkpoint of this size came with it")]
    NoCheckpoint,
    /// The checkpoint's signature.
    #[error("the checkpoint is not signed by a node key of {unit}")]
    Checkpoint {
        /// Whose node.
        unit: UnitId,
    },
    /// A signature line of the rollup that cannot be checked; why.
    #[error("the rollup {0}")]
    RollupLine(String),
    /// A signature line of the checkpoint that cannot be checked; why.
    #[error("the checkpoint {0}")]
    CheckpointLine(String),
    /// A receipt that does not hold; why.
    #[error("receipt: {0}")]
    Receipt(String),
    /// Receipts that do not follow each other.
    #[error("receipt: is not in the order in which the parent decided")]
    ReceiptOrder,
}

impl AuthorshipFinding {
    /// The step that found it.
    pub fn code(&self) -> Code {
        match self {
            Self::Holds { .. } => Code::AuthorshipHolds,
            Self::Leaf(_) => Code::LeavesSigned,
            Self::OtherRegistry { .. }
            | Self::UnknownUnit { .. }
            | Self::NotInMonth { .. }
            | Self::OtherTier { .. } => Code::RegistryNamed,
            Self::NodeKey { .. } => Code::NodeSigned,
            Self::NotEnrolled { .. } | Self::Signatory { .. } => Code::SignatoriesSigned,
            Self::NoCheckpoint | Self::Checkpoint { .. } => Code::CheckpointSigned,
            Self::RollupLine(_) | Self::CheckpointLine(_) => Code::EveryLine,
            Self::Receipt(_) | Self::ReceiptOrder => Code::ReceiptHolds,
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Holds { leaves } => format!("节点密钥、三名签署人和 {leaves} 条记录均已签名"),
            Self::Leaf(finding) => finding.zh(),
            Self::OtherRegistry { version } => {
                format!("所引登记册第 {version} 版的摘要与此处所知不同")
            }
            Self::UnknownUnit { unit } => format!("登记册中没有单位 {unit}"),
            Self::NotInMonth { unit, period } => {
                format!("按所引登记册，{unit} 在 {period} 不存在")
            }
            Self::OtherTier { said, registered } => {
                format!("自称 {said},但登记册中为 {registered}")
            }
            Self::NodeKey { unit, size } => {
                format!("没有 {unit} 节点在日志 {size} 条时有效的密钥签名")
            }
            Self::NotEnrolled { name, role, unit } => {
                format!("{name} 在 {unit} 的日志中未登记为{}", role.zh())
            }
            Self::Signatory { name, role } => {
                format!("{name}({})的签名缺失或不对", role.zh())
            }
            Self::NoCheckpoint => "没有附上此大小的检查点".into(),
            Self::Checkpoint { unit } => format!("检查点没有 {unit} 节点密钥的签名"),
            Self::RollupLine(e) => format!("月报的签名行无法核对({e})"),
            Self::CheckpointLine(e) => format!("检查点的签名行无法核对({e})"),
            Self::Receipt(e) => format!("回执不成立({e})"),
            Self::ReceiptOrder => "回执的次序与上级作出决定的次序不符".into(),
        }
    }
}
