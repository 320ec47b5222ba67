//! Reporting periods: months and what is built of them.
//!
//! One text for each: `2023-04`, `2023-Q2`, `2023-H1`, `2023`, `2023-04-YTD` (January to April).
//! Years 1900 to 9999. Months are those of the Gregorian calendar in Chinese local time; which
//! month an instant falls into is the caller's question.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use crate::text::serde_text;

/// The first year that a period may lie in.
pub const MIN_YEAR: i32 = 1900;
/// The last year that a period may lie in: four digits, so that texts sort like time.
pub const MAX_YEAR: i32 = 9999;

/// Why a text is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not a month.
    #[error(
        "not a month: write four digits of the year from 1900 on, a hyphen and two digits 01 to 12, such as 2023-04"
    )]
    Month,
    /// Not a period.
    #[error("not a period: write 2023-04, 2023-Q2, 2023-H1, 2023 or 2023-04-YTD")]
    Period,
}

impl PeriodError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Month => "period.month",
            Self::Period => "period.malformed",
        }
    }
}

/// A calendar month.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// A month; `None` unless the year is 1900 to 9999 and the month 1 to 12.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((MIN_YEAR..=MAX_YEAR).contains(&year) && (1..=12).contains(&month))
            .then_some(Self { year, month })
    }

    /// The month that a day lies in; `None` outside the years 1900 to 9999.
    pub fn of(date: NaiveDate) -> Option<Self> {
        Self::new(date.year(), date.month())
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// 1 to 12.
    pub fn month(self) -> u32 {
        self.month
    }

    /// Its first day.
    pub fn first_day(self) -> NaiveDate {
        // Years 1900 to 9999 and months 1 to 12 all have a day 1, so the default is never taken.
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// Its last day.
    pub fn last_day(self) -> NaiveDate {
        // Every month has a day 28, so the default is never taken.
        (28..=31)
            .rev()
            .find_map(|day| NaiveDate::from_ymd_opt(self.year, self.month, day))
            .unwrap_or_default()
    }

    /// The month after; `None` after 9999-12.
    pub fn next(self) -> Option<Self> {
        if self.month == 12 {
            Self::new(self.year + 1, 1)
        } else {
            Self::new(self.year, self.month + 1)
        }
    }

    /// The month before; `None` before 1900-01.
    pub fn prev(self) -> Option<Self> {
        if self.month == 1 {
            Self::new(self.year - 1, 12)
        } else {
            Self::new(self.year, self.month - 1)
        }
    }

    /// The same month of the year before; `None` before 1901.
    pub fn year_before(self) -> Option<Self> {
        Self::new(self.year - 1, self.month)
    }

    /// The keys of all its revisions, in maps that are ordered by month and revision.
    pub const fn revisions(self) -> std::ops::RangeInclusive<(Self, u32)> {
        (self, 0)..=(self, u32::MAX)
    }
}

/// Exactly four ASCII digits that are a year in range.
fn parse_year(text: &str) -> Option<i32> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
        .filter(|year| (MIN_YEAR..=MAX_YEAR).contains(year))
}

impl FromStr for Month {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let month = || {
            let (year, month) = text.split_once('-')?;
            if month.len() != 2 || !month.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            Self::new(parse_year(year)?, month.parse().ok()?)
        };
        month().ok_or(PeriodError::Month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Month({self})")
    }
}

serde_text!(Month);

/// A span of months. The order is by kind, not by time: compare [`Period::months`] for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// `2023-04`.
    Month(Month),
    /// `2023-Q2`.
    Quarter {
        /// The year.
        year: i32,
        /// 1 to 4.
        q: u32,
    },
    /// `2023-H1`.
    Half {
        /// The year.
        year: i32,
        /// 1 or 2.
        h: u32,
    },
    /// `2023`.
    Year(i32),
    /// `2023-04-YTD`: from January to this month.
    YearToDate(Month),
}

impl Period {
    /// Its months in order. Empty for a value that no text stands for (`Quarter { q: 9, .. }`,
    /// `Year(0)`).
    pub fn months(&self) -> Vec<Month> {
        let (year, first, last) = match *self {
            Self::Month(m) => (m.year, m.month, m.month),
            Self::Quarter { year, q: q @ 1..=4 } => (year, 3 * q - 2, 3 * q),
            Self::Half { year, h: h @ 1..=2 } => (year, 6 * h - 5, 6 * h),
            Self::Year(year) => (year, 1, 12),
            Self::YearToDate(m) => (m.year, 1, m.month),
            Self::Quarter { .. } | Self::Half { .. } => return Vec::new(),
        };
        (first..=last)
            .filter_map(|month| Month::new(year, month))
            .collect()
    }

    /// Whether the month lies in it.
    pub fn contains(&self, month: Month) -> bool {
        self.months().contains(&month)
    }
}

impl From<Month> for Period {
    fn from(month: Month) -> Self {
        Self::Month(month)
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let period = || {
            if let Some(month) = text.strip_suffix("-YTD") {
                return month.parse().ok().map(Self::YearToDate);
            }
            let Some((year, part)) = text.split_once('-') else {
                return parse_year(text).map(Self::Year);
            };
            let year = parse_year(year)?;
            match part {
                "Q1" => Some(Self::Quarter { year, q: 1 }),
                "Q2" => Some(Self::Quarter { year, q: 2 }),
                "Q3" => Some(Self::Quarter { year, q: 3 }),
                "Q4" => Some(Self::Quarter { year, q: 4 }),
                "H1" => Some(Self::Half { year, h: 1 }),
                "H2" => Some(Self::Half { year, h: 2 }),
                _ => text.parse().ok().map(Self::Month),
            }
        };
        period().ok_or(PeriodError::Period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(month) => write!(f, "{month}"),
            Self::Quarter { year, q } => write!(f, "{year:04}-Q{q}"),
            Self::Half { year, h } => write!(f, "{year:04}-H{h}"),
            Self::Year(year) => write!(f, "{year:04}"),
            Self::YearToDate(month) => write!(f, "{month}-YTD"),
        }
    }
}

serde_text!(Period);

/// The time in China at this moment: UTC+8, without summer time.
pub fn china_time(at: DateTime<Utc>) -> NaiveDateTime {
    let utc = at.naive_utc();
    let there = utc.checked_add_signed(TimeDelta::hours(8));
    there.unwrap_or(utc)
}

/// The day in China at this moment. Deadlines are days there.
pub fn china_day(at: DateTime<Utc>) -> NaiveDate {
    china_time(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn months_know_their_days_and_neighbours() {
        assert_eq!(month("2024-02").last_day().to_string(), "2024-02-29");
        assert_eq!(month("1900-02").last_day().to_string(), "1900-02-28");
        assert_eq!(month("9999-12").last_day().to_string(), "9999-12-31");
        assert_eq!(month("2023-04").first_day().to_string(), "2023-04-01");
        assert_eq!(month("2023-12").next(), Some(month("2024-01")));
        assert_eq!(month("2024-01").prev(), Some(month("2023-12")));
        assert_eq!(
            (month("9999-12").next(), month("1900-01").prev()),
            (None, None)
        );
        assert_eq!(
            Month::of(NaiveDate::from_ymd_opt(1899, 12, 31).unwrap()),
            None
        );
        assert_eq!(
            Month::of(NaiveDate::from_ymd_opt(2023, 4, 30).unwrap()),
            Some(month("2023-04"))
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "",
            "2023",
            "2023-4",
            "2023-00",
            "2023-13",
            "1899-12",
            "10000-01",
            "+023-04",
            "2023-+4",
            "2023-04 ",
            "2023-04-01",
            "２０２３-04",
            "2023/04",
            "-2023-04",
        ] {
            assert_eq!(bad.parse::<Month>(), Err(PeriodError::Month), "{bad}");
        }
        for bad in [
            "",
            "23",
            "1899",
            "02023",
            "+2023",
            "2023-",
            "2023-Q0",
            "2023-Q5",
            "2023-q1",
            "2023-H3",
            "2023-Q",
            "2023-YTD",
            "2023-Q1-YTD",
            "2023-04-ytd",
            "2023-04-YTD-YTD",
            "2023-13",
            "2023-Q11",
        ] {
            assert_eq!(bad.parse::<Period>(), Err(PeriodError::Period), "{bad}");
        }
    }

    #[test]
    fn periods_and_their_months() {
        for (text, first, last, count) in [
            ("2023-04", "2023-04", "2023-04", 1),
            ("2023-Q2", "2023-04", "2023-06", 3),
            ("2023-Q4", "2023-10", "2023-12", 3),
            ("2023-H1", "2023-01", "2023-06", 6),
            ("2023-H2", "2023-07", "2023-12", 6),
            ("2023", "2023-01", "2023-12", 12),
            ("2023-04-YTD", "2023-01", "2023-04", 4),
        ] {
            let period: Period = text.parse().unwrap();
            let months = period.months();
            assert_eq!(
                (months.first(), months.last()),
                (Some(&month(first)), Some(&month(last))),
                "{text}"
            );
            assert_eq!(months.len(), count, "{text}");
            assert_eq!(period.to_string(), text);
            assert_eq!(
                serde_json::to_string(&period).unwrap(),
                format!("\"{text}\"")
            );
            assert_eq!(
                serde_json::from_str::<Period>(&format!("\"{text}\"")).unwrap(),
                period
            );
            assert!(period.contains(month(last)) && !period.contains(month("2022-04")));
        }
        for nonsense in [
            Period::Quarter {
                year: 2023,
                q: u32::MAX,
            },
            Period::Half { year: 2023, h: 0 },
            Period::Year(0),
        ] {
            assert!(nonsense.months().is_empty());
        }
    }

    proptest! {
        #[test]
        fn months_order_like_their_texts(a in 1900i32..=9999, b in 1u32..=12, c in 1900i32..=9999, d in 1u32..=12) {
            let (x, y) = (Month::new(a, b).unwrap(), Month::new(c, d).unwrap());
            prop_assert_eq!(x.cmp(&y), x.to_string().cmp(&y.to_string()));
            prop_assert_eq!(x.to_string().parse(), Ok(x));
            prop_assert_eq!(x.next().and_then(Month::prev).unwrap_or(x), x);
            prop_assert_eq!(x.last_day().succ_opt().and_then(Month::of), x.next());
        }

        #[test]
        fn a_period_has_one_text(text in "[0-9QHYTD-]{0,12}") {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }
    }
}
