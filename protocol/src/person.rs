//! The people of a unit: what they may do, and how their keys are named.

use crate::ids::UnitId;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Records events.
    Recorder,
    /// 填表人
    Preparer,
    /// 统计负责人
    Reviewer,
    /// 单位负责人
    Head,
}

impl Role {
    /// All of them, in the order in which forms list them.
    pub const ALL: [Role; 4] = [Role::Recorder, Role::Preparer, Role::Reviewer, Role::Head];

    /// As it stands in an enrolment.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Recorder => "recorder",
            Role::Preparer => "preparer",
            Role::Reviewer => "reviewer",
            Role::Head => "head",
        }
    }
    /// As it stands on a form.
    pub fn zh(self) -> &'static str {
        match self {
            Role::Recorder => "录入人",
            Role::Preparer => "填表人",
            Role::Reviewer => "统计负责人",
            Role::Head => "单位负责人",
        }
    }
    /// Reads one word of an enrolment.
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|r| r.as_str() == word)
    }
}

/// Whether `name` is the name of a key of this unit's people.
pub fn is_operator_of(name: &str, unit: &UnitId) -> bool {
    name.strip_prefix(unit.as_str())
        .and_then(|r| r.strip_prefix('/'))
        .is_some_and(|r| !r.is_empty() && r != "witness")
}
