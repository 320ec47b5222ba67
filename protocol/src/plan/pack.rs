//! A plan pack: what a plan document asks for, and when months are due.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{Tier, UnitId};
use crate::period::Month;
use crate::registry::Registry;

/// A plan pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Head.
    pub plan: Head,
    /// When months are due; ours, as none of the plans sets a monthly date.
    #[serde(default)]
    pub reporting: Reporting,
    /// Target rows.
    #[serde(default)]
    pub target: Vec<Target>,
}

/// Which document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// `sx-2022`
    pub id: String,
    /// Title of the document.
    pub title: String,
    /// Document number, where it has one.
    pub doc_no: String,
    /// Date of issue.
    pub issued: String,
    /// The id of the unit whose plan it is. That unit's area code may change; its plan stays its.
    pub area_code: String,
    /// Its tier.
    pub tier: Tier,
    /// First day.
    pub period_from: NaiveDate,
    /// Last day.
    pub period_to: NaiveDate,
    /// The plan that it refines.
    #[serde(default)]
    pub parent_plan: Option<String>,
    /// Anything else that the pack says of itself.
    #[serde(flatten)]
    pub more: BTreeMap<String, toml::Value>,
}

/// When monthly rollups are due: this many days after the end of the month, for a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporting {
    /// Counties.
    pub county_days: u32,
    /// Cities.
    pub city_days: u32,
    /// Provinces (to nobody, in this system).
    pub province_days: u32,
}

impl Default for Reporting {
    fn default() -> Self {
        Reporting {
            county_days: 5,
            city_days: 10,
            province_days: 15,
        }
    }
}

impl Reporting {
    /// The deadlines that hold for a unit in a month: those of the plan of its topmost unit, or the
    /// usual ones.
    pub fn of<'a>(
        plans: impl IntoIterator<Item = &'a Plan>,
        registry: &Registry,
        unit: &UnitId,
        month: Month,
    ) -> Reporting {
        let path = registry.path(unit, month);
        let of_top = |plan: &&Plan| {
            let top = path.first();
            top.is_some_and(|top| top.as_str() == plan.plan.area_code)
        };
        let plan = plans.into_iter().find(of_top);
        plan.map(|plan| plan.reporting.clone()).unwrap_or_default()
    }

    /// The last day on which a month's rollup of this tier is on time.
    pub fn due(&self, tier: Tier, period: Month) -> NaiveDate {
        let days = match tier {
            Tier::County => self.county_days,
            Tier::City => self.city_days,
            Tier::Province => self.province_days,
        };
        let days = chrono::Days::new(u64::from(days));
        let due = period.last_day().checked_add_days(days);
        due.unwrap_or(NaiveDate::MAX)
    }
}

/// One target row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// `SX-T01`
    pub id: String,
    /// Section of the document.
    #[serde(default)]
    pub section: String,
    /// The document's words.
    pub quote: String,
    /// Indicator key.
    pub indicator: String,
    /// Operator.
    pub op: Op,
    /// What is to be reached; basis points where `unit` is `bp`.
    #[serde(default)]
    pub value: Option<i64>,
    /// Unit of measure.
    #[serde(default)]
    pub unit: String,
    /// Total of the plan's unit, or each node.
    pub scope: TargetScope,
    /// Tiers that are bound.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// Over which time.
    pub window: TargetWindow,
    /// First day.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// Last day.
    #[serde(default)]
    pub to: Option<NaiveDate>,
    /// `MM-DD` within the year.
    #[serde(default)]
    pub due: Option<String>,
    /// Anything else: parameters, open questions.
    #[serde(flatten)]
    pub more: BTreeMap<String, toml::Value>,
}

/// How the actual is held against the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// 不少于
    Ge,
    /// 力争: shown, does not fail.
    TryGe,
    /// 左右
    Approx,
    /// 稳定在…以上
    HoldGe,
    /// 稳定在…左右
    HoldApprox,
    /// 全部
    All,
    /// There at all.
    Milestone,
    /// Reported in time.
    Deadline,
    /// Shown, not judged.
    ReportOnly,
}

/// Whose figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetScope {
    /// The sum of the plan's unit.
    Total,
    /// Each node of the bound tiers on its own.
    EachNode,
    /// Each employer: not a figure of nodes.
    EachUnit,
}

/// Over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetWindow {
    /// The plan's period.
    Plan,
    /// A calendar year.
    Year,
    /// One day.
    Once,
    /// Every year's end.
    Checkpoint,
    /// Each time something is set up.
    Event,
}
