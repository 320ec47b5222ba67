//! The shapes of figures and of what officers read, as the OpenAPI document describes them. As in
//! `shapes`, a test holds each against its value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes;

/// A word in both languages.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Label {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// What the numbers of a figure are measured in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "unit", rename_all = "snake_case")]
pub enum Measure {
    /// Things or persons, in this unit.
    Count(String),
    /// Money; numbers are whole 分, texts 元.
    Money,
    /// A numerator and a denominator; the text is their ratio in percent.
    Percent,
}

/// What a figure rests on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// 申报数
    Declared,
    /// 计算数
    Derived,
    /// 明细数
    Proven,
}

/// How a check ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// 通过
    Holds,
    /// 通过（有提示）
    Noted,
    /// 未通过
    Fails,
}

/// A decision on a report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// 审核通过
    Accepted,
    /// 退回
    Returned,
    /// 校验未通过
    Rejected,
    /// 撤销通过
    Reopened,
}

/// The tier of a unit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// 县级
    County,
    /// 市级
    City,
    /// 省级
    Province,
}

/// How a unit's month stands with this unit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BelowState {
    /// 未报
    NotIn,
    /// 校验中
    Checking,
    /// 待审核
    ToDecide,
    /// 审核通过
    Accepted,
    /// 退回
    Returned,
    /// 校验未通过
    Rejected,
    /// 撤销通过
    Reopened,
}

/// The numbers of one figure, or of one cell, in one scope.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// The value of what is counted; money in 分.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Numerator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator: Option<i64>,
    /// Denominator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<i64>,
    /// As people read it.
    #[schema(example = "3,500.00 元")]
    pub text: String,
}

/// A cell of a breakdown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadableCell {
    /// Codes joined by `*`.
    pub cell: String,
    /// Their labels, one for each dimension.
    pub labels: Vec<Label>,
    /// What the unit itself recorded.
    pub own: Reading,
    /// With all units below.
    pub total: Reading,
}

/// A breakdown of a figure.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadableTable {
    /// Ids of its dimensions joined by `*`.
    pub table: String,
    /// Their names.
    pub dimensions: Vec<Label>,
    /// Its cells, in the catalogue's order.
    pub cells: Vec<ReadableCell>,
}

/// A figure as people read it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadableFigure {
    /// Figure id.
    #[schema(example = "I011")]
    pub id: String,
    /// Its name, with its window where an indicator has several figures.
    pub name: Label,
    /// Unit of measure of the texts.
    #[schema(example = "人")]
    pub unit: String,
    /// What it is measured in.
    pub measure: Measure,
    /// What it rests on.
    pub basis: Basis,
    /// The same in words.
    pub basis_name: Label,
    /// What the unit itself recorded.
    pub own: Reading,
    /// With all units below; where there are none, the same.
    pub total: Reading,
    /// Whether there are units below in it.
    pub summed: bool,
    /// The part of the total that is a declared opening number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Reading>,
    /// Its breakdowns.
    pub tables: Vec<ReadableTable>,
}

/// A report as people read it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadableReport {
    /// Whose.
    pub unit: String,
    /// The unit's name in this month.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// Month.
    #[schema(example = "2023-03")]
    pub period: String,
    /// Revision, counted from 1.
    pub revision: u32,
    /// Digest of the signed text.
    pub digest: String,
    /// Digest of the catalogue that it was counted by.
    pub catalogue: String,
    /// Its figures, in the catalogue's order.
    pub figures: Vec<ReadableFigure>,
}

/// A number before and after.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Before; none where the catalogue had no such figure or cell.
    pub before: Option<Reading>,
    /// After.
    pub after: Option<Reading>,
    /// After less before, of what is counted; money in 分.
    pub difference: Option<i64>,
    /// The same as people read it, with its sign.
    #[schema(example = "+3 人")]
    pub text: String,
}

/// How one cell changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CellChange {
    /// Ids of the table's dimensions joined by `*`.
    pub table: String,
    /// Their names.
    pub dimensions: Vec<Label>,
    /// Codes joined by `*`.
    pub cell: String,
    /// Their labels.
    pub labels: Vec<Label>,
    /// What the unit itself recorded.
    pub own: Change,
    /// With all units below.
    pub total: Change,
}

/// How one figure changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FigureChange {
    /// Figure id.
    pub id: String,
    /// Its name.
    pub name: Label,
    /// Unit of measure of the texts.
    pub unit: String,
    /// What the unit itself recorded.
    pub own: Change,
    /// With all units below.
    pub total: Change,
    /// Whether there are units below in it.
    pub summed: bool,
    /// The cells that changed.
    pub cells: Vec<CellChange>,
}

/// Names a report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NamedReport {
    /// Month.
    pub period: String,
    /// Revision.
    pub revision: u32,
    /// Digest.
    pub digest: String,
}

/// Two reports of a unit, and what changed from one to the other.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Whose.
    pub unit: String,
    /// Name.
    pub name: String,
    /// What is compared with.
    pub before: NamedReport,
    /// What is looked at.
    pub after: NamedReport,
    /// The figures that changed.
    pub changes: Vec<FigureChange>,
}

/// A check in words.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckInWords {
    /// Name of the check.
    pub name: Label,
    /// How it ended.
    pub outcome: Outcome,
    /// The same in words.
    pub outcome_name: Label,
    /// What was found.
    pub detail: Label,
}

/// A decision on a report, with what was said.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Word {
    /// Which revision.
    pub revision: u32,
    /// The decision.
    pub decision: Decision,
    /// When, UTC.
    pub at: String,
    /// Who.
    pub by: String,
    /// Reasons, or the comment on an acceptance.
    pub reasons: Vec<String>,
    /// Figures or cells that they are about.
    pub about: Vec<String>,
}

/// Why a rule that asks for an explanation does not hold.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// Rule of the catalogue.
    pub rule: String,
    /// What the rule says.
    pub says: Label,
    /// Figure that it is about.
    pub figure: String,
    /// The explanation.
    pub text: String,
}

/// A unit that is not in the sums of a report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// Who.
    pub unit: String,
    /// Name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A report of a unit below, with everything that its officer decides by.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChildReport {
    /// Its figures.
    pub report: ReadableReport,
    /// Whom the unit reported to in this month: that unit decides.
    pub parent: Option<String>,
    /// When it came, UTC.
    pub arrived: Option<String>,
    /// The checks; empty while it waits for something.
    pub checks: Vec<CheckInWords>,
    /// What it waits for.
    pub waits: Option<String>,
    /// This unit's last word on this revision.
    pub decision: Option<Decision>,
    /// Whether it waits for a decision of this unit's people.
    pub open: bool,
    /// Preparer, reviewer, head.
    pub signatories: Vec<String>,
    /// Explanations of rules.
    pub explanations: Vec<Explained>,
    /// Late entries: the month that they belong to, and how many.
    pub late: BTreeMap<String, u64>,
    /// Statements taken back in this month.
    pub voided: u64,
    /// Units below it that are not in its sums.
    pub left_out: Vec<LeftOut>,
    /// Every decision on this month, in order.
    pub thread: Vec<Word>,
    /// What changed since the revision before this one.
    pub since_revision: Option<Difference>,
    /// What changed since the month before.
    pub since_month: Option<Difference>,
    /// What changed since the same month of the year before.
    pub since_year: Option<Difference>,
}

/// A unit directly below and its month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Expected {
    /// Who.
    pub unit: String,
    /// Name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// How it stands.
    pub state: BelowState,
    /// The same in words.
    pub state_name: Label,
    /// The last revision that came.
    pub revision: Option<u32>,
    /// The last day to be on time.
    pub due: String,
    /// Days since then, while nothing came.
    pub overdue: Option<i64>,
}

/// A column of chosen cells.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CellColumn {
    /// Ids of the table's dimensions joined by `*`.
    pub table: String,
    /// Codes joined by `*`.
    pub cell: String,
    /// Their labels.
    pub labels: Vec<Label>,
}

/// What one unit says of a figure.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnitRow {
    /// Who.
    pub unit: String,
    /// Name.
    pub name: String,
    /// How its month stands; none of this unit itself.
    pub state: Option<BelowState>,
    /// The same in words.
    pub state_name: Label,
    /// The revision that is shown.
    pub revision: Option<u32>,
    /// The figure with everything below; none where nothing came.
    pub total: Option<Reading>,
    /// The chosen cells, in the order of `columns`.
    pub cells: Vec<Option<Reading>>,
}

/// One figure of every unit directly below, side by side.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FigureTable {
    /// Month.
    pub period: String,
    /// Figure id.
    pub figure: String,
    /// Its name.
    pub name: Label,
    /// The chosen cells.
    pub columns: Vec<CellColumn>,
    /// The units, then this unit itself.
    pub rows: Vec<UnitRow>,
}

/// What became of one unit's report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// Whose.
    pub unit: String,
    /// Whether it is accepted now.
    pub accepted: bool,
    /// Why not.
    pub faults: Vec<shapes::Fault>,
}
