//! The files of a ledger: one per unit, month and event type.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use protocol::period::Month;

/// The event types in the order of recording, with their fields as the catalogue has them (a test
/// compares).
pub const COLUMNS: [(&str, &[&str]); 25] = [
    (
        "E23",
        &["employer", "name", "nature", "school", "committee_member"],
    ),
    (
        "E40",
        &["carrier_ref", "kind", "capacity", "disabled_served"],
    ),
    (
        "E41",
        &[
            "carrier_ref",
            "status",
            "level",
            "has_base",
            "scope_disabled",
            "spec_posted",
        ],
    ),
    (
        "E66",
        &[
            "indicator",
            "value",
            "as_of",
            "method",
            "sex",
            "category",
            "grade",
            "residence",
            "age_band",
            "form",
        ],
    ),
    (
        "E01",
        &[
            "cert_no",
            "name",
            "residence",
            "education",
            "valid_to",
            "phone",
        ],
    ),
    ("E02", &["cert_no", "valid_to", "cancelled", "former_id_no"]),
    (
        "E04",
        &[
            "id_no",
            "labour_capable",
            "wants_work",
            "in_school",
            "hardship",
            "needs_massage_training",
            "reason_not",
        ],
    ),
    ("E10", &["id_no", "method"]),
    ("E11", &["id_no", "tool", "band"]),
    ("E12", &["id_no", "wants", "trade"]),
    ("E31", &["session", "kind", "mode", "hours", "funded"]),
    (
        "E32",
        &[
            "id_no",
            "session",
            "kind",
            "is_family_member",
            "hours",
            "passed",
        ],
    ),
    ("E13", &["id_no", "service", "purchased"]),
    (
        "E16",
        &[
            "id_no",
            "employment_ref",
            "form",
            "employer",
            "nature",
            "wage_fen",
            "social_insurance",
        ],
    ),
    (
        "E17",
        &[
            "id_no",
            "employment_ref",
            "method",
            "on_post",
            "wage_ok",
            "insurance_ok",
        ],
    ),
    (
        "E36",
        &["id_no", "scheme", "amount_fen", "is_family_member", "fund"],
    ),
    ("E18", &["id_no", "employment_ref", "reason"]),
    ("E22", &["post_type", "residence", "total", "for_disabled"]),
    ("E46", &["kind", "total", "for_disabled"]),
    (
        "E49",
        &["kind", "employers", "posts", "attendees", "intentions"],
    ),
    ("E59", &["round", "findings", "result"]),
    (
        "E60",
        &["round", "kind", "by", "level", "with_inspection", "score"],
    ),
    ("E61", &["for_year", "kind"]),
    ("E03", &["id_no", "to_area"]),
    ("E05", &["id_no", "reason"]),
];

/// One month of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthLedger {
    /// The month.
    pub month: Month,
    /// Its files, in the order of recording; types without events have none.
    pub sheets: Vec<Sheet>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Code of the event type.
    pub event: &'static str,
    /// Number of the file within its month.
    pub number: usize,
    /// The fields; the day comes before them.
    pub columns: &'static [&'static str],
    /// The day and the fields, as text, sorted by day.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// `05-E01.csv`
    pub fn file_name(&self) -> String {
        format!("{:02}-{}.csv", self.number, self.event)
    }

    /// The heading `occurred_on` and the fields, then the rows; UTF-8, lines end with `\n`.
    pub fn to_csv(&self) -> String {
        let mut text = format!("occurred_on,{}\n", self.columns.join(","));
        for row in &self.rows {
            debug_assert!(
                row.iter().all(|c| !c.contains([',', '"', '\n'])),
                "no cell of ours needs quotes"
            );
            text.push_str(&row.join(","));
            text.push('\n');
        }
        text
    }

    /// A cell by the name of its column.
    pub fn cell(&self, row: usize, column: &str) -> Option<&str> {
        let row = self.rows.get(row)?;
        if column == "occurred_on" {
            return row.first().map(String::as_str);
        }
        let at = self.columns.iter().position(|c| *c == column)?;
        row.get(at + 1).map(String::as_str)
    }
}

/// The files of a unit while they are written.
pub(super) struct Pages {
    year: i32,
    rows: BTreeMap<(u32, usize), Vec<Vec<String>>>,
}

impl Pages {
    pub(super) fn new(year: i32) -> Pages {
        Pages {
            year,
            rows: BTreeMap::new(),
        }
    }

    pub(super) fn year(&self) -> i32 {
        self.year
    }

    /// A day of the year; days 1 to 28 exist in every month.
    pub(super) fn day(&self, month: u32, day: u32) -> NaiveDate {
        date(self.year, month, day)
    }

    /// Adds an event to the month of its day, or to January where it is older than the year; gives
    /// the row as written.
    pub(super) fn put(
        &mut self,
        event: &'static str,
        on: NaiveDate,
        fields: &[&str],
    ) -> Vec<String> {
        use chrono::Datelike;
        let month = if on.year() < self.year { 1 } else { on.month() };
        // COLUMNS names every code that this module's siblings write; the tests run through all of
        // them.
        let order = COLUMNS
            .iter()
            .position(|(code, _)| *code == event)
            .unwrap_or(COLUMNS.len() - 1);
        debug_assert_eq!(COLUMNS[order].1.len(), fields.len(), "{event}");
        let row: Vec<String> = std::iter::once(on.to_string())
            .chain(fields.iter().map(|f| (*f).to_string()))
            .collect();
        self.rows
            .entry((month, order))
            .or_default()
            .push(row.clone());
        row
    }

    /// Puts another row in the place of one that was written.
    pub(super) fn replace(&mut self, event: &str, month: u32, old: &[String], new: Vec<String>) {
        let order = COLUMNS
            .iter()
            .position(|(code, _)| *code == event)
            .unwrap_or_default();
        if let Some(row) = self
            .rows
            .get_mut(&(month, order))
            .and_then(|rows| rows.iter_mut().find(|r| r.as_slice() == old))
        {
            *row = new;
        }
    }

    pub(super) fn finish(mut self) -> Vec<MonthLedger> {
        let mut months = Vec::new();
        for number in 1..=12 {
            let Some(month) = Month::new(self.year, number) else {
                continue;
            };
            let mut sheets = Vec::new();
            for (order, (event, columns)) in COLUMNS.iter().enumerate() {
                if let Some(mut rows) = self.rows.remove(&(number, order)) {
                    rows.sort_by(|a, b| a[0].cmp(&b[0]));
                    sheets.push(Sheet {
                        event,
                        number: order + 1,
                        columns,
                        rows,
                    });
                }
            }
            months.push(MonthLedger { month, sheets });
        }
        months
    }
}

/// A day; callers keep to days 1 to 28, which every month has, so the default is never taken.
pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}
