//! What contradicts in a single leaf of a log (SPEC section 4, "Reading a log").

use super::check::Check;
use crate::digest::Digest;
use crate::ids::{EventId, Tier, UnitId};
use crate::period::Month;

/// The first contradiction of a check that was found while a log was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("leaf {index}: {problem}")]
pub struct LeafFinding {
    /// Which leaf.
    pub index: u64,
    /// What is wrong with it.
    pub problem: LeafProblem,
}

impl LeafFinding {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        format!("第 {} 条:{}", self.index, self.problem.zh())
    }
}

/// What is wrong with a leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafProblem {
    /// The signature does not verify.
    #[error("its signature is wrong")]
    Signature,
    /// Not a note, or not a statement; what the reader said.
    #[error("{0}")]
    Unreadable(String),
    /// Of another unit.
    #[error("a statement of unit {0}")]
    OtherUnit(UnitId),
    /// Not exactly one signature line.
    #[error("a statement has exactly one signature")]
    NotOneLine,
    /// Signed by a key that does not hold here.
    #[error("signed by {0}, which holds no key for it at this index")]
    NoKey(String),
    /// An enrolment that the node did not sign.
    #[error("people are enrolled by the node's key")]
    EnrolledByOthers,
    /// The key in an enrolment cannot be read; what the reader said.
    #[error("enrolment: {0}")]
    EnrolmentKey(String),
    /// The name is not one of this unit's people.
    #[error("enrols {0}, which is not a name of this unit's people")]
    NotOfThisUnit(String),
    /// A key of another algorithm.
    #[error("the key of {0} is not for signing")]
    NotForSigning(String),
    /// One key under two names.
    #[error("the key of {0} is already held under another name")]
    SharedKey(String),
    /// Two keys that a line of a note cannot tell apart.
    #[error("{0} had another key with the same key id")]
    KeyId(String),
    /// The name has a key that was not revoked.
    #[error("{0} is enrolled already; revoke the old key first")]
    EnrolledAlready(String),
    /// Unknown roles, or none.
    #[error("enrolment with unknown roles")]
    UnknownRoles,
    /// Revokes what was not enrolled.
    #[error("revokes a key that {0} does not hold")]
    NotHeld(String),
    /// The id stands in the log already.
    #[error("its id was used before")]
    IdUsed,
    /// `late` names a month that is not before its own.
    #[error("is called late for {late}, which is not before its month {month}")]
    NotLate {
        /// The month that `late` names.
        late: Month,
        /// The statement's month.
        month: Month,
    },
    /// `replaces` names something else than what the leaf before took back for it.
    #[error("replaces what the leaf before it does not correct, or what is of another type")]
    ReplacesOther,
    /// A void of an index that is no leaf's.
    #[error("names no leaf")]
    NoLeaf,
    /// A void of a later leaf.
    #[error("takes back a statement that is not in the log before it")]
    NotBefore,
    /// A void whose id and index do not belong together.
    #[error("takes back {id}, which is not leaf {target}")]
    OtherId {
        /// The id that it names.
        id: EventId,
        /// The index that it names.
        target: u64,
    },
    /// A second void of one leaf.
    #[error("takes back leaf {0} a second time")]
    VoidedTwice(u64),
    /// A void of a leaf that could not be read.
    #[error("takes back leaf {0}, which is no statement")]
    VoidOfNothing(u64),
    /// A void in a month before that of what it takes back.
    #[error("takes back leaf {target} in {month}, but that one counts later, in {counted}")]
    VoidBefore {
        /// The index of the leaf that it takes back.
        target: u64,
        /// The month of that leaf.
        counted: Month,
        /// The month of the void.
        month: Month,
    },
    /// A void of a void or an enrolment.
    #[error("takes back leaf {0}, which is itself a void or an enrolment")]
    NotCounted(u64),
    /// Recorded by an unknown catalogue.
    #[error("recorded by a catalogue that is not known here")]
    UnknownCatalogue(Digest),
    /// Two catalogues in one month.
    #[error("recorded by another catalogue than the leaves of its month before")]
    OtherCatalogue,
    /// A type that the catalogue does not have.
    #[error("unknown event type {0:?}")]
    UnknownEvent(String),
    /// A clear event about one subject too many.
    #[error("more than {0} statements about one subject")]
    TooManyAboutOne(usize),
    /// A clear event without its day.
    #[error("no day of occurrence")]
    NoDay,
    /// A day behind the month.
    #[error("it occurred after its month {0}")]
    AfterMonth(Month),
    /// A day of an earlier month that is not called late, or the reverse.
    #[error("`late` is not the earlier month in which it occurred")]
    LateMonth,
    /// A type that units of this tier do not record.
    #[error("{event} is not recorded by a {tier}")]
    OtherTier {
        /// Event type.
        event: String,
        /// The unit's tier.
        tier: Tier,
    },
    /// A number above what the catalogue says that an event may have; its field.
    #[error("field {0} is above the catalogue's maximum")]
    AboveMaximum(String),
    /// What the fields count cannot be told; what counting said.
    #[error("{0}")]
    Counting(String),
    /// The published row is not the one that follows from the fields.
    #[error("{0}: its counts do not follow from its fields")]
    Counts(String),
    /// Clear where it must be sealed, or the reverse.
    #[error("{0}: published in clear although it is sealed, or the reverse")]
    WrongForm(String),
}

impl LeafProblem {
    /// The check that it fails.
    pub fn check(&self) -> Check {
        use LeafProblem as P;
        match self {
            P::Signature
            | P::Unreadable(_)
            | P::OtherUnit(_)
            | P::NotOneLine
            | P::NoKey(_)
            | P::EnrolledByOthers
            | P::EnrolmentKey(_)
            | P::NotOfThisUnit(_)
            | P::NotForSigning(_)
            | P::SharedKey(_)
            | P::KeyId(_)
            | P::EnrolledAlready(_)
            | P::UnknownRoles
            | P::NotHeld(_) => Check::Authorship,
            P::IdUsed
            | P::NotLate { .. }
            | P::ReplacesOther
            | P::NoLeaf
            | P::NotBefore
            | P::OtherId { .. }
            | P::VoidedTwice(_)
            | P::VoidOfNothing(_)
            | P::VoidBefore { .. }
            | P::NotCounted(_) => Check::History,
            P::UnknownCatalogue(_)
            | P::OtherCatalogue
            | P::UnknownEvent(_)
            | P::TooManyAboutOne(_)
            | P::NoDay
            | P::AfterMonth(_)
            | P::LateMonth
            | P::OtherTier { .. }
            | P::AboveMaximum(_)
            | P::Counting(_)
            | P::Counts(_)
            | P::WrongForm(_) => Check::Binding,
        }
    }

    /// The same in Chinese.
    pub fn zh(&self) -> String {
        use LeafProblem as P;
        match self {
            P::Signature => "签名不对".into(),
            P::Unreadable(e) => format!("无法读取({e})"),
            P::OtherUnit(unit) => format!("是单位 {unit} 的记录"),
            P::NotOneLine => "一条记录应当只有一个签名".into(),
            P::NoKey(name) => format!("由 {name} 签名,但其在此处没有有效的密钥"),
            P::EnrolledByOthers => "人员登记须由节点密钥签名".into(),
            P::EnrolmentKey(e) => format!("登记的密钥无法读取({e})"),
            P::NotOfThisUnit(name) => format!("登记的 {name} 不是本单位人员的名称"),
            P::NotForSigning(name) => format!("{name} 的密钥不能用于签名"),
            P::SharedKey(name) => format!("{name} 的密钥已在另一名称之下"),
            P::KeyId(name) => format!("{name} 曾有密钥编号相同的另一把密钥"),
            P::EnrolledAlready(name) => format!("{name} 已登记,请先注销旧密钥"),
            P::UnknownRoles => "登记的角色不明".into(),
            P::NotHeld(name) => format!("注销的密钥不归 {name} 所有"),
            P::IdUsed => "编号已用过".into(),
            P::NotLate { late, month } => format!("注明补报 {late},但不早于所在月份 {month}"),
            P::ReplacesOther => "所更正的不是前一条所撤销的记录，或类型不同".into(),
            P::NoLeaf => "所撤销的不是任何一条记录".into(),
            P::NotBefore => "所撤销的记录不在其前".into(),
            P::OtherId { id, target } => format!("所撤销的 {id} 不是第 {target} 条"),
            P::VoidedTwice(target) => format!("第 {target} 条被再次撤销"),
            P::VoidOfNothing(target) => format!("所撤销的第 {target} 条不是记录"),
            P::VoidBefore {
                target,
                counted,
                month,
            } => format!("在 {month} 撤销第 {target} 条，而该条计入更晚的 {counted}"),
            P::NotCounted(target) => format!("所撤销的第 {target} 条本身是撤销或登记"),
            P::UnknownCatalogue(_) => "所用目录此处不知".into(),
            P::OtherCatalogue => "所用目录与本月在前的记录不同".into(),
            P::UnknownEvent(event) => format!("目录中没有事件类型 {event}"),
            P::TooManyAboutOne(most) => format!("同一对象的记录超过 {most} 条"),
            P::NoDay => "没有发生日期".into(),
            P::AfterMonth(month) => format!("发生日期在所在月份 {month} 之后"),
            P::LateMonth => "注明的补报月份不是发生日期所在的较早月份".into(),
            P::OtherTier { event, tier } => format!("{event} 不由{}填报", tier.zh()),
            P::AboveMaximum(field) => format!("字段 {field} 超过目录规定的最大值"),
            P::Counting(e) => format!("无法计数({e})"),
            P::Counts(event) => format!("{event}:计数与其字段不符"),
            P::WrongForm(event) => format!("{event}:应加封而公开,或应公开而加封"),
        }
    }
}
