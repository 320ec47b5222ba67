//! What is counted, as data: dimensions, event types, indicators and rules.
//!
//! The catalogue is a set of TOML files (`deploy/catalogue`), compiled into one JSON document that
//! is signed as `countersign/catalogue/v1`. Its digest is named by every statement and every
//! rollup, so an old figure is always recomputed by the catalogue that it was made under. A further
//! indicator or event type is a change of these files.
//!
//! Reading order: the types here, then [`crate::authoring`] (files in, every error at once), then
//! [`crate::count`], which gives them meaning. Conditions are CEL (<https://cel.dev>); their
//! variables are told in [`crate::count`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::Tier;

/// The kind of the signed document that carries a catalogue.
pub const KIND: &str = "catalogue";
/// At most this many cells in one declared table: no full cross product may single persons out.
pub const MAX_CELLS: usize = 400;
/// At most this many columns in the schema of one event type.
pub const MAX_COLUMNS: usize = 4096;
/// Bit columns of an amount block: amounts are 0 ..= 2^40 − 1 分 (about 11 thousand million 元).
pub const AMOUNT_BITS: usize = 40;

/// A catalogue, validated. Made by [`Catalogue::from_files`] or
/// [`Catalogue::from_json`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// A name for people, for example `cn-dpe-1`.
    pub id: String,
    /// Counts up with each published change.
    pub version: u32,
    /// Named windows of dates for "once per plan" counting.
    pub windows: Vec<Window>,
    /// Named conditions over a subject's state, evaluated in order and shared by the indicators as
    /// `d.<name>`.
    pub defines: Vec<Define>,
    /// What figures are broken down by.
    pub dimensions: Vec<Dimension>,
    /// What can be recorded.
    pub events: Vec<EventType>,
    /// What is counted.
    pub indicators: Vec<Indicator>,
    /// What a rollup must satisfy, or explain, before it can be closed.
    pub rules: Vec<Rule>,
}

/// A span of days, both inclusive, within which a person counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Referred to by indicators.
    pub id: String,
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`.
    pub to: String,
}

/// A named CEL condition over `s` (see [`crate::count`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// Becomes `d.<name>`.
    pub name: String,
    /// CEL, boolean.
    pub expr: String,
}

/// A way to break figures down: a CEL expression over a subject's state that yields one of the
/// codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Referred to by tables, for example `sex`.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// CEL, yields one of the codes as a string.
    pub value: String,
    /// The closed list of codes, in the order in which cells are written.
    pub codes: Vec<CodeItem>,
}

/// One code of a dimension or of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeItem {
    /// The code itself; `*`, `:` and `-` alone are not allowed.
    pub code: String,
    /// Chinese name; accepted in imports as well.
    pub zh: String,
    /// English name.
    pub en: String,
}

/// Who or what an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A person, keyed by the ID number (never by the certificate, which changes).
    Person,
    /// A place or organisation that carries a service (机构、基地).
    Carrier,
    /// An employer (用人单位).
    Employer,
    /// The unit itself: meetings, inspections, reports.
    Unit,
}

impl Subject {
    /// As the catalogue writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Subject::Person => "person",
            Subject::Carrier => "carrier",
            Subject::Employer => "employer",
            Subject::Unit => "unit",
        }
    }
}

/// Personal-data class of an event type. P0 is published in clear; all others are committed to and
/// stay sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pi {
    /// No personal data.
    P0,
    /// Pseudonymous reference only.
    P1,
    /// Personal information.
    P2,
    /// Sensitive personal information.
    P3,
}

/// One kind of thing that can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventType {
    /// The domain pack's number, for example `E16`.
    pub code: String,
    /// The machine name that statements carry, for example `employment.started`.
    #[serde(rename = "type")]
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Whom it is about.
    pub subject: Subject,
    /// The field that names the subject; empty for [`Subject::Unit`].
    #[serde(default)]
    pub key: String,
    /// Highest personal-data class of its fields.
    pub pi: Pi,
    /// Tiers that may record it.
    pub levels: Vec<Tier>,
    /// Its fields, in the order of a form.
    pub fields: Vec<Field>,
    /// What it does to the subject's state.
    #[serde(default)]
    pub effect: Effect,
    /// Written by the node itself, never by a person (for example the month's recount).
    #[serde(default)]
    pub system: bool,
}

impl EventType {
    /// Whether the fields are published in the statement.
    pub fn is_clear(&self) -> bool {
        self.pi == Pi::P0
    }
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// A field of an event type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Column name in imports and key in records.
    pub name: String,
    /// Chinese name; accepted as a column heading as well.
    pub zh: String,
    /// English name.
    pub en: String,
    /// What it may hold.
    pub kind: FieldKind,
    /// May it be empty?
    #[serde(default)]
    pub optional: bool,
    /// For `code`: the dimension whose codes are allowed, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// For `code`: the allowed codes, where they are not a dimension's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<CodeItem>,
    /// For `int` and `fen`: the largest value that an honest event can have, at most
    /// [`Field::MOST`]. A field that goes into a published sum has one, so that one event cannot
    /// outweigh all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

impl Field {
    /// What `max` may be at most: the largest weight of a row.
    pub const MOST: i64 = (1 << 53) - 1;
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// 18-character ID number, GB 11643.
    IdNumber,
    /// 20-digit disability certificate number (残疾人证号).
    Certificate,
    /// Unified social credit code, GB 32100.
    CreditCode,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// One of a closed list.
    Code,
    /// A whole number, 0 ..= 10^12.
    Int,
    /// Money in 分 in the record; imports may write 元 with two decimals.
    Fen,
    /// Yes or no.
    Bool,
    /// Text of at most 200 characters.
    Text,
}

/// What an event does to its subject's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The subject comes into being (or returns).
    #[serde(default)]
    pub begin: bool,
    /// The subject's file is closed.
    #[serde(default)]
    pub end: bool,
    /// Attributes set: name → CEL over `e`, `on` and `s` (the state before).
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Opens a spell of this name, keyed by the CEL in `spell_key`, carrying `spell_set`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// Closes the spell of this name with the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<String>,
    /// CEL string that identifies a spell within its subject.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spell_key: String,
    /// Attributes of the spell: name → CEL.
    #[serde(default)]
    pub spell_set: BTreeMap<String, String>,
    /// Declares an opening stock (E66) instead of touching a subject.
    #[serde(default)]
    pub baseline: bool,
    /// The optional field with the number that the person was known by before: the file goes on under
    /// the number of the event's key, and the person is counted once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// The field with a number whose check character does not fit and that somebody has compared with
    /// the card or the licence: another person may record it as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirms: Option<String>,
}

/// How an indicator is counted (口径).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Person-times (人次): every qualifying event counts.
    Times,
    /// Distinct persons (人): a subject counts once per window.
    Distinct,
    /// Holders of a condition at the end of the month.
    Stock,
    /// Sum of an integer field of clear events.
    Sum,
    /// Sum of a money field, in 分.
    Amount,
    /// Numerator and denominator, two other figures.
    Ratio,
    /// As ratio, with the denominator's members frozen at close (or: units of a tier that meet a
    /// condition).
    Coverage,
    /// A stock that is judged by being there at all.
    Milestone,
}

impl Kind {
    /// Whether months add up (a flow) rather than replace one another (a stock).
    pub fn is_flow(self) -> bool {
        matches!(
            self,
            Kind::Times | Kind::Distinct | Kind::Sum | Kind::Amount
        )
    }
    /// Whether events contribute to it directly; ratios and coverages are computed from other
    /// figures.
    pub fn is_counted(self) -> bool {
        !matches!(self, Kind::Ratio | Kind::Coverage)
    }
    /// Whether the count is of the state at a date.
    pub fn is_stock(self) -> bool {
        matches!(self, Kind::Stock | Kind::Milestone)
    }
}

/// One figure's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// The domain pack's number, for example `I011`.
    pub id: String,
    /// The machine name that plans refer to.
    pub key: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Unit of measure: 人, 人次, 家, 分 …
    pub unit: String,
    /// How it is counted.
    pub kind: Kind,
    /// Whose state or events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// CEL condition; empty means always.
    #[serde(default, rename = "where", skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Codes of the event types that feed it.
    #[serde(default)]
    pub events: Vec<String>,
    /// Declared tables: lists of one or two dimensions. None declared: the total alone.
    #[serde(default)]
    pub tables: Vec<Vec<String>>,
    /// For `distinct`: `year` and ids of windows; the first one is the figure's own, the others are
    /// `<id>@<window>`.
    #[serde(default)]
    pub windows: Vec<String>,
    /// For `sum` and `amount`: the field that is added up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// For `ratio` and `coverage`: the numerator's indicator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub num: String,
    /// For `ratio` and `coverage`: the denominator's indicator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub den: String,
    /// For `coverage` over units: the tier whose units are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Tier>,
    /// For `coverage` over units: the figure that must be at least one in a unit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub met: String,
}

impl Indicator {
    /// The figures of this indicator: its own id, and one `<id>@<window>` for each further window.
    pub fn figure_ids(&self) -> Vec<String> {
        let mut ids = vec![self.id.clone()];
        ids.extend(
            self.windows
                .iter()
                .skip(1)
                .map(|w| format!("{}@{w}", self.id)),
        );
        ids
    }
    /// The declared tables; where none is declared, the total alone (a table of no dimension).
    pub fn tables(&self) -> Vec<Vec<String>> {
        if self.tables.is_empty() {
            vec![Vec::new()]
        } else {
            self.tables.clone()
        }
    }
    /// The dimensions used by any table, each once, in order of first use.
    pub fn dimensions(&self) -> Vec<String> {
        let mut all = Vec::new();
        for d in self.tables.iter().flatten() {
            if !all.contains(d) {
                all.push(d.clone());
            }
        }
        all
    }
}

/// What happens where a rule does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The period cannot be closed.
    Hard,
    /// The period can be closed with a written explanation, which travels with the rollup.
    Soft,
}

/// A condition over the month's figures (审核关系).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Referred to by explanations.
    pub id: String,
    /// Hard or soft.
    pub severity: Severity,
    /// The figure that the explanation is about.
    pub figure: String,
    /// CEL over `v` (this month's values by figure id) and `p` (last month's); true means in order.
    pub check: String,
    /// What is wrong and how to cure it, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Catalogue {
    /// The one-line JSON that is signed.
    pub fn to_json(&self) -> String {
        // Proof: strings, numbers, lists and maps with strings as keys always serialise.
        serde_json::to_string(self).expect("a catalogue serialises")
    }

    /// SHA-256 over the text of the signed document: what statements and rollups name.
    pub fn digest(&self) -> Digest {
        Digest::of(format!("countersign/{KIND}/v1\n{}\n", self.to_json()).as_bytes())
    }

    /// The event type with this machine name.
    pub fn event(&self, name: &str) -> Option<&EventType> {
        self.events.iter().find(|e| e.name == name)
    }
    /// The event type with this code (`E16`) or machine name.
    pub fn event_by_code(&self, code: &str) -> Option<&EventType> {
        self.events
            .iter()
            .find(|e| e.code == code || e.name == code)
    }
    /// The system event by which a node recounts a subject at close: what a void undid, and what
    /// time alone changed.
    pub fn recount(&self, subject: Subject) -> Option<&EventType> {
        self.events
            .iter()
            .find(|e| e.system && e.subject == subject && subject != Subject::Unit)
    }
    /// The dimension of this id.
    pub fn dimension(&self, id: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.id == id)
    }
    /// The indicator with this id, key, or figure id (`I011@plan`).
    pub fn indicator(&self, id: &str) -> Option<&Indicator> {
        let base = id.split('@').next().unwrap_or(id);
        self.indicators
            .iter()
            .find(|i| i.id == base || i.key == base)
    }
    /// The indicator of a figure, by exactly this figure id (`I011`, `I011@plan`).
    pub fn indicator_of_figure(&self, id: &str) -> Option<&Indicator> {
        let (base, window) = id.split_once('@').map_or((id, None), |(b, w)| (b, Some(w)));
        let indicator = self.indicators.iter().find(|i| i.id == base)?;
        let mut further = indicator.windows.iter().skip(1);
        window
            .is_none_or(|window| further.any(|w| w == window))
            .then_some(indicator)
    }

    /// The cells of a declared table, in the order in which they are written: codes joined by `*`;
    /// `total` for none.
    pub fn cells(&self, table: &[String]) -> Vec<String> {
        let mut cells = vec![String::new()];
        for id in table {
            let codes: Vec<&str> = self
                .dimension(id)
                .map(|d| d.codes.iter().map(|c| c.code.as_str()).collect())
                .unwrap_or_default();
            cells = cells
                .iter()
                .flat_map(|prefix| {
                    codes.iter().map(move |c| {
                        if prefix.is_empty() {
                            (*c).to_string()
                        } else {
                            format!("{prefix}*{c}")
                        }
                    })
                })
                .collect();
        }
        if table.is_empty() {
            vec!["total".to_string()]
        } else {
            cells
        }
    }
}

/// The name of a table: its dimensions joined by `*`; `total` for none.
pub fn table_name(table: &[String]) -> String {
    if table.is_empty() {
        "total".to_string()
    } else {
        table.join("*")
    }
}
