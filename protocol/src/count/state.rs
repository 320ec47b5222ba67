//! What is known of a subject at a day, and the facts that it is folded from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::value::{Fields, Value};
use crate::catalogue::{EventType, FieldKind};
use crate::ids::{CertificateNumber, IdNumber};

/// One event of a subject, as counting sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Index of its statement in the log.
    pub index: u64,
    /// Machine name of its type.
    pub event: String,
    /// Business day.
    pub on: NaiveDate,
    /// Its fields.
    pub fields: Fields,
}

/// An open spell (for example one employment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) key: String,
    pub(super) attributes: BTreeMap<String, Value>,
}

/// What is known of a subject at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// Does its file exist, and is it open?
    pub active: bool,
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) spells: BTreeMap<String, (Vec<Spell>, i64)>,
}

/// The attributes and spells that any event type of a subject may set: every one of them exists in
/// `s` from the start, so that a condition never meets a missing name.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) attributes: BTreeMap<Arc<str>, Value>,
    pub(super) spells: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>>,
}

/// Completed years at day `t`; 0 before birth.
pub fn age_at(birth: NaiveDate, t: NaiveDate) -> i32 {
    let had = (t.month(), t.day()) >= (birth.month(), birth.day());
    (t.year() - birth.year() - i32::from(!had)).max(0)
}

/// What names the subject of an event: the ID number of a person, the reference of a carrier. Whether
/// a number's check character fits was asked when it was recorded.
pub fn subject_key(event: &EventType, fields: &Fields) -> Option<String> {
    let text = fields.get(&event.key)?.as_str()?;
    match event.field(&event.key)?.kind {
        FieldKind::Certificate => CertificateNumber::as_it_stands(text)
            .ok()
            .map(|c| c.id().as_str().to_string()),
        FieldKind::IdNumber => IdNumber::as_it_stands(text)
            .ok()
            .map(|i| i.as_str().to_string()),
        _ => Some(text.to_string()),
    }
}

/// Orders facts by day and then by log index, leaving voided ones out.
pub fn in_order<'a>(facts: &'a [Fact], voided: &BTreeSet<u64>) -> Vec<&'a Fact> {
    let mut list: Vec<&Fact> = facts
        .iter()
        .filter(|f| !voided.contains(&f.index))
        .collect();
    list.sort_by_key(|f| (f.on, f.index));
    list
}
