//! Judging targets: reads accepted figures and nothing else.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::pack::{Op, Plan, Target, TargetScope, TargetWindow};
use crate::catalogue::{Catalogue, Indicator, Kind};
use crate::figure::{Basis, Figure};
use crate::ids::UnitId;
use crate::period::Month;
use crate::registry::{Registry, Unit};

/// What can be said of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Reached.
    Met,
    /// Not reached, and its time is over.
    Missed,
    /// Not reached yet.
    InProgress,
    /// Shown only.
    Shown,
}

impl Judgement {
    /// For pages.
    pub fn zh(self) -> &'static str {
        match self {
            Judgement::Met => "达到",
            Judgement::Missed => "未达到",
            Judgement::InProgress => "进行中",
            Judgement::Shown => "仅列示",
        }
    }
    /// For tables.
    pub fn en(self) -> &'static str {
        match self {
            Judgement::Met => "met",
            Judgement::Missed => "missed",
            Judgement::InProgress => "in progress",
            Judgement::Shown => "shown",
        }
    }
}

/// A judged target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Target id.
    pub target: String,
    /// Indicator id.
    pub indicator: String,
    /// Its name, Chinese.
    pub name: String,
    /// The document's words.
    pub quote: String,
    /// What was to be reached, for people.
    pub goal: String,
    /// What is there, for people.
    pub actual: String,
    /// The judgement.
    pub judgement: Judgement,
    /// The weakest basis of what was read.
    pub basis: Basis,
    /// Nodes that fall short, or months without an accepted rollup.
    pub remarks: Vec<String>,
}

/// What a unit reported for a month, of those reports that may be built upon.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// Its figures.
    pub figures: &'a [Figure],
    /// The catalogue by which they were counted: a later one may mean another thing by the same
    /// name.
    pub catalogue: &'a Catalogue,
}

/// Where figures are read from.
pub trait Reports {
    /// What a unit reported for a month, if it may be built upon.
    fn reported(&self, unit: &UnitId, month: Month) -> Option<Reported<'_>>;
}

impl Plan {
    /// Judges a target as of the end of `month`; `None` where nothing that its unit reported until
    /// then may be built upon, where its indicator is not in the catalogue of the last report, is
    /// about single employers, or needs a distinct count over a window that the catalogue does not
    /// keep.
    pub fn judge(
        &self,
        target: &Target,
        registry: &Registry,
        reports: &dyn Reports,
        month: Month,
    ) -> Option<Judged> {
        let unit: UnitId = self.plan.area_code.parse().ok()?;
        let judged = registry.unit(&unit)?;
        let since = judged.since;
        let last_report = last_report(reports, &unit, since, month)?;
        let catalogue = last_report.catalogue;
        let indicator = catalogue.indicator(&target.indicator)?;
        if target.scope == TargetScope::EachUnit {
            return None;
        }
        let (first, end) = self.span(target, month);
        let last = Month::of(end)?;
        figure_id(indicator, catalogue, target, first, end)?;
        let j = Reading {
            since,
            plan: self,
            target,
            indicator,
            first,
            end,
            until: last.min(month),
            over: last <= month,
            reports,
        };
        match target.scope {
            TargetScope::Total => Some(j.total(judged)),
            _ => Some(j.each(registry, &unit)),
        }
    }

    /// First and last day of the window that `month` is in.
    fn span(&self, target: &Target, month: Month) -> (NaiveDate, NaiveDate) {
        let from = target.from.unwrap_or(self.plan.period_from);
        let to = target.to.unwrap_or(self.plan.period_to);
        match target.window {
            TargetWindow::Year | TargetWindow::Checkpoint => {
                let year = month.first_day().year();
                let day = |m, d| NaiveDate::from_ymd_opt(year, m, d).unwrap_or(to);
                (day(1, 1), day(12, 31))
            }
            TargetWindow::Plan | TargetWindow::Event | TargetWindow::Once => (from, to),
        }
    }
}

/// The last report of a unit in these months.
fn last_report<'a>(
    reports: &'a dyn Reports,
    unit: &UnitId,
    since: Month,
    until: Month,
) -> Option<Reported<'a>> {
    let mut month = Some(until).filter(|m| *m >= since);
    while let Some(at) = month {
        let reported = reports.reported(unit, at);
        if reported.is_some() {
            return reported;
        }
        month = at.prev().filter(|m| *m >= since);
    }
    None
}

/// Which figure answers the target: a distinct count needs the window that the target asks for.
fn figure_id(
    i: &Indicator,
    c: &Catalogue,
    target: &Target,
    first: NaiveDate,
    end: NaiveDate,
) -> Option<String> {
    if i.kind != Kind::Distinct || target.window == TargetWindow::Year {
        return Some(i.id.clone());
    }
    let window = c
        .windows
        .iter()
        .find(|w| w.from == first.to_string() && w.to == end.to_string())?;
    match i.windows.iter().position(|w| w == &window.id)? {
        0 => Some(i.id.clone()),
        _ => Some(format!("{}@{}", i.id, window.id)),
    }
}

struct Reading<'a> {
    since: Month,
    plan: &'a Plan,
    target: &'a Target,
    indicator: &'a Indicator,
    first: NaiveDate,
    end: NaiveDate,
    until: Month,
    over: bool,
    reports: &'a dyn Reports,
}

/// A number, or a quotient. Wide enough for what is added and multiplied here: a figure that is in
/// range is not in range any more as a percentage.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Actual {
    num: i128,
    den: Option<i128>,
}

impl Actual {
    fn reaches(self, op: Op, value: i64) -> bool {
        let (actual, wanted) = match self.den {
            // Less than nothing to count: no quotient, so nothing is reached.
            Some(den) if den < 0 => return false,
            Some(den) => (
                self.num.saturating_mul(10_000),
                den.saturating_mul(value.into()),
            ),
            None => (self.num, value.into()),
        };
        match op {
            // 左右 is met within 5 % (open question Q06 of the domain pack)
            Op::Approx | Op::HoldApprox => actual.saturating_mul(100) >= wanted.saturating_mul(95),
            _ => actual >= wanted,
        }
    }
    /// An empty denominator: there was nothing to reach. That is said, not counted as reached.
    fn is_empty(self) -> bool {
        self.den == Some(0)
    }
    fn show(self, unit: &str) -> String {
        match self.den {
            Some(0) => "nothing to count (0/0)".to_string(),
            Some(den) => {
                let basis_points = self.num.saturating_mul(10_000) / den;
                format!("{}% ({}/{den})", hundredths(basis_points), self.num)
            }
            None if unit == "分" => format!("{} 元", hundredths(self.num)),
            None => format!("{} {unit}", self.num),
        }
    }
}

/// A number of hundredths, with two places.
fn hundredths(n: i128) -> String {
    let sign = if n < 0 { "-" } else { "" };
    let n = n.unsigned_abs();
    format!("{sign}{}.{:02}", n / 100, n % 100)
}

impl Reading<'_> {
    /// Reads one unit; also the months that have no accepted rollup, and the weakest basis.
    fn read(&self, unit: &Unit, own: bool) -> (Actual, Vec<Month>, Basis) {
        let mut actual = Actual::default();
        let mut gaps = Vec::new();
        let mut basis = Basis::Proven;
        // A ratio of two flows (outlets, posts) is added up over the window; everything else that
        // is a quotient is a state.
        let flow = self.indicator.kind.is_flow() || self.target.window == TargetWindow::Event;
        let months = if flow {
            self.months()
        } else {
            vec![self.until]
        };
        for month in months {
            let Some(figure) = self.figure(&unit.id, month) else {
                // Before it began and after it ended there was nothing to report: of the beginning
                // that is remarked once, and neither is counted as a gap.
                if unit.exists(month) {
                    gaps.push(month);
                }
                continue;
            };
            basis = basis.min(figure.basis);
            let counts = if own { &figure.own } else { figure.scope() };
            match (counts.num, counts.den) {
                (Some(num), Some(den)) => {
                    actual.num += i128::from(num);
                    actual.den = Some(actual.den.unwrap_or(0) + i128::from(den));
                }
                _ => actual.num += i128::from(counts.value.unwrap_or(0)),
            }
        }
        if !self.indicator.kind.is_counted() && actual.den.is_none() {
            actual.den = Some(0);
        }
        (actual, gaps, basis)
    }

    /// The figure that answers the target in a month, by the catalogue of that month's report;
    /// nothing where it was another kind of figure then.
    fn figure(&self, unit: &UnitId, month: Month) -> Option<&Figure> {
        let reported = self.reports.reported(unit, month)?;
        let catalogue = reported.catalogue;
        let indicator = catalogue.indicator(&self.target.indicator)?;
        if (indicator.kind, &indicator.unit) != (self.indicator.kind, &self.indicator.unit) {
            return None;
        }
        let id = figure_id(indicator, catalogue, self.target, self.first, self.end)?;
        reported.figures.iter().find(|f| f.id == id)
    }

    fn months(&self) -> Vec<Month> {
        let mut list = Vec::new();
        let mut next = Month::of(self.first);
        while let Some(month) = next.filter(|m| *m <= self.until) {
            list.push(month);
            next = month.next();
        }
        list
    }

    fn goal(&self) -> String {
        let value = self.target.value.unwrap_or(0);
        let sign = match self.target.op {
            Op::Approx | Op::HoldApprox => "≈",
            Op::TryGe => "力争≥",
            Op::ReportOnly => "",
            _ => "≥",
        };
        let each = if self.target.scope == TargetScope::EachNode {
            "each "
        } else {
            ""
        };
        match self.target.unit.as_str() {
            "bp" if value == 10_000 => format!("{each}100%"),
            "bp" => format!("{each}{sign}{}%", hundredths(value.into())),
            unit => format!("{each}{sign}{value} {unit}"),
        }
    }

    fn judgement(&self, reached: bool) -> Judgement {
        match (self.target.op, reached) {
            (Op::ReportOnly, _) => Judgement::Shown,
            (_, true) => Judgement::Met,
            (Op::TryGe, false) if self.over => Judgement::Shown,
            (_, false) if self.over => Judgement::Missed,
            (_, false) => Judgement::InProgress,
        }
    }

    fn wanted(&self) -> i64 {
        self.target
            .value
            .unwrap_or(if self.target.op == Op::All { 10_000 } else { 1 })
    }

    fn total(&self, unit: &Unit) -> Judged {
        let (actual, gaps, basis) = self.read(unit, false);
        let reached = !actual.is_empty()
            && actual.reaches(self.target.op, self.wanted())
            && (gaps.is_empty() || self.indicator.kind.is_flow());
        let mut judged = self.judged(
            actual.show(&self.indicator.unit),
            reached,
            basis,
            gap_remark(&unit.id, &gaps).into_iter().collect(),
        );
        if actual.is_empty() {
            judged.judgement = Judgement::Shown;
        }
        judged
    }

    /// Each node of the bound tiers must reach the value on its own: those that are there in the
    /// last month that is looked at.
    fn each(&self, registry: &Registry, unit: &UnitId) -> Judged {
        let nodes: Vec<_> = registry
            .subtree(unit, self.until)
            .into_iter()
            .filter(|u| u.exists(self.until) && self.target.tiers.contains(&u.tier))
            .collect();
        let (mut met, mut empty) = (0, 0);
        let mut basis = Basis::Proven;
        let mut remarks = Vec::new();
        for node in &nodes {
            let (actual, gaps, b) = self.read(node, true);
            basis = basis.min(b);
            if actual.is_empty() && gaps.is_empty() {
                empty += 1;
                continue;
            }
            if actual.reaches(self.target.op, self.wanted())
                && (gaps.is_empty() || self.indicator.kind.is_flow())
            {
                met += 1;
            } else {
                remarks.push(format!(
                    "{} {}: {}",
                    node.id,
                    node.placement(self.until).name,
                    actual.show(&self.indicator.unit)
                ));
            }
            remarks.extend(gap_remark(&node.id, &gaps));
        }
        let asked = nodes.len() - empty;
        let mut actual = format!("{met}/{asked} nodes");
        if empty > 0 {
            actual.push_str(&format!(" ({empty} with nothing to count)"));
        }
        let mut judged = self.judged(actual, asked > 0 && met == asked, basis, remarks);
        if asked == 0 {
            judged.judgement = Judgement::Shown;
        }
        judged
    }

    fn judged(
        &self,
        actual: String,
        reached: bool,
        basis: Basis,
        mut remarks: Vec<String>,
    ) -> Judged {
        if self.indicator.kind.is_flow() && Month::of(self.first).is_some_and(|m| m < self.since) {
            remarks.insert(
                0,
                format!(
                    "counted from {}, the target's time begins {}",
                    self.since, self.first
                ),
            );
        }
        debug_assert!(self.plan.target.iter().any(|t| t.id == self.target.id));
        Judged {
            target: self.target.id.clone(),
            indicator: self.indicator.id.clone(),
            name: self.indicator.zh.clone(),
            quote: self.target.quote.clone(),
            goal: self.goal(),
            actual,
            judgement: self.judgement(reached),
            basis,
            remarks,
        }
    }
}

fn gap_remark(unit: &UnitId, gaps: &[Month]) -> Option<String> {
    let first = gaps.first()?;
    let last = gaps.last()?;
    Some(format!(
        "{unit}: no rollup that counts for {} month(s), {first} … {last}",
        gaps.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_of_large_numbers_is_exact() {
        let large = (1 << 53) - 1;
        let quotient = |num, den| Actual {
            num,
            den: Some(den),
        };
        let shown = quotient(large, 1).show("bp");
        assert_eq!(shown, "900719925474099100.00% (9007199254740991/1)");
        assert_eq!(
            quotient(large, large).show("bp"),
            format!("100.00% ({large}/{large})")
        );
        assert_eq!(quotient(-5, 1000).show("bp"), "-0.50% (-5/1000)");
        assert!(quotient(large, large).reaches(Op::Ge, 10_000));
        assert!(!quotient(large - 1, large).reaches(Op::Ge, 10_000));
        assert!(!quotient(1, large).reaches(Op::Approx, i64::MAX));
        assert!(!quotient(-1, -large).reaches(Op::Ge, 10_000));
    }
}
