//! One unit: the months in which it exists, whom it reports to in each of them, and its keys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{Tier, UnitId};
use crate::note::VerifierKey;
use crate::period::Month;

/// One unit.
///
/// Its name, parent and area are written as they are now; `former` keeps what they were, each up to
/// its last month. So a reader of the document sees the present, and a month of the past is judged
/// by what held in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its id; the area code where it had one when it was registered. It never changes.
    pub id: UnitId,
    name: String,
    /// Its tier.
    pub tier: Tier,
    parent: Option<UnitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    /// First month that it reports.
    pub since: Month,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Month>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    successors: Vec<UnitId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<FormerPlacement>,
    /// Keys that sign its rollups, checkpoints, receipts and system statements.
    pub keys: Vec<UnitKey>,
    witness: VerifierKey,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_witnesses: Vec<FormerWitness>,
}

/// What a unit is called and whom it reports to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Its name for people.
    pub name: String,
    /// Whom it reports to; nobody at the top.
    pub parent: Option<UnitId>,
    /// GB/T 2260 code, if there is one.
    pub area: Option<String>,
}

/// What held up to a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerPlacement {
    /// The last month in which it held.
    until: Month,
    name: String,
    parent: Option<UnitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    area: Option<String>,
}

/// A witness key that has been replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerWitness {
    /// The key.
    pub vkey: VerifierKey,
    /// What it cosigned before this moment stays valid, by the time in the cosignature.
    #[serde(with = "moment")]
    pub until: DateTime<Utc>,
}

/// A key and the part of the log that it may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitKey {
    /// The key.
    pub vkey: VerifierKey,
    /// First log index (and first checkpoint size) that it may sign.
    pub from_index: u64,
    /// Revoked: it may sign nothing at or above this index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// Since when and why a key is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// First log index that it may not sign.
    pub at_index: u64,
    /// For people: rotated, lost, stolen.
    pub reason: String,
}

/// Months in which one placement holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// The first of them.
    pub(super) first: Month,
    /// The last of them; none where no end is known.
    pub(super) last: Option<Month>,
    /// What holds.
    pub(super) placement: Placement,
}

impl UnitKey {
    /// Whether there is an index that it may sign.
    pub(super) fn may_sign_something(&self) -> bool {
        let revoked = self.revoked.as_ref();
        revoked.is_none_or(|r| self.from_index < r.at_index)
    }
}

impl Unit {
    /// A unit that has been in one place from its first month on.
    pub fn new(
        id: UnitId,
        tier: Tier,
        since: Month,
        placement: Placement,
        key: VerifierKey,
        witness: VerifierKey,
    ) -> Unit {
        let Placement { name, parent, area } = placement;
        Unit {
            id,
            name,
            tier,
            parent,
            area,
            since,
            until: None,
            successors: Vec::new(),
            former: Vec::new(),
            keys: vec![UnitKey {
                vkey: key,
                from_index: 0,
                revoked: None,
            }],
            witness,
            former_witnesses: Vec::new(),
        }
    }

    /// Its last name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Its last parent.
    pub fn parent(&self) -> Option<&UnitId> {
        self.parent.as_ref()
    }
    /// Its last area code.
    pub fn area(&self) -> Option<&str> {
        self.area.as_deref()
    }
    /// The last month of its existence, where an end is known.
    pub fn until(&self) -> Option<Month> {
        self.until
    }
    /// Who carries on what it did, where it ends.
    pub fn successors(&self) -> &[UnitId] {
        &self.successors
    }
    /// Key that cosigns its children's checkpoints now.
    pub fn witness(&self) -> &VerifierKey {
        &self.witness
    }
    /// Witness keys that were replaced, the oldest first.
    pub fn former_witnesses(&self) -> &[FormerWitness] {
        &self.former_witnesses
    }
    /// Every witness key that it has or had.
    pub fn witnesses(&self) -> impl Iterator<Item = &VerifierKey> + Clone {
        let former = self.former_witnesses.iter().map(|w| &w.vkey);
        former.chain([&self.witness])
    }

    /// Whether a cosignature by this key of this time (seconds since 1970, by its own word) is one
    /// of this unit's.
    pub fn witnesses_at(&self, key: &VerifierKey, time: u64) -> bool {
        let former = |w: &FormerWitness| {
            w.vkey == *key && i64::try_from(time).is_ok_and(|t| t < w.until.timestamp())
        };
        *key == self.witness || self.former_witnesses.iter().any(former)
    }

    /// The witness key that cosigns at a time.
    pub fn witness_at(&self, time: DateTime<Utc>) -> &VerifierKey {
        let former = self.former_witnesses.iter().find(|w| time < w.until);
        former.map_or(&self.witness, |w| &w.vkey)
    }

    /// Whether it reports for this month.
    pub fn exists(&self, month: Month) -> bool {
        self.since <= month && self.until.is_none_or(|until| month <= until)
    }

    /// What it was called and whom it reported to in a month. Before its first month that of the
    /// first, after its end that of the last.
    pub fn placement(&self, month: Month) -> Placement {
        let former = self.former.iter().find(|f| month <= f.until);
        former.map_or_else(|| self.last_placement(), FormerPlacement::placement)
    }

    /// What it was called and whom it reported to last.
    pub fn last_placement(&self) -> Placement {
        Placement {
            name: self.name.clone(),
            parent: self.parent.clone(),
            area: self.area.clone(),
        }
    }

    /// Whom it reported to in a month; nobody in a month in which it does not exist.
    pub fn parent_in(&self, month: Month) -> Option<&UnitId> {
        if !self.exists(month) {
            return None;
        }
        let former = self.former.iter().find(|f| month <= f.until);
        former.map_or(self.parent.as_ref(), |f| f.parent.as_ref())
    }

    /// What it was called and whom it reported to before, each up to its last month, in their order.
    pub fn former(&self) -> impl Iterator<Item = (Month, Placement)> {
        self.former.iter().map(|f| (f.until, f.placement()))
    }

    /// Everybody that it ever reports to, in the order of months.
    pub fn parents(&self) -> impl Iterator<Item = &UnitId> {
        let former = self.former.iter().filter_map(|f| f.parent.as_ref());
        former.chain(self.parent.as_ref())
    }

    /// From this month on it is called so and reports there. What was planned for later months is
    /// given up.
    pub fn place(&mut self, from: Month, placement: Placement) {
        let before = from.prev().filter(|before| self.since <= *before);
        let held = before.map(|before| (before, self.placement(before)));
        self.former.retain(|f| f.until < from);
        if let Some((until, held)) = held.filter(|(_, held)| *held != placement) {
            self.former.retain(|f| f.until < until);
            self.former.push(FormerPlacement::new(until, held));
        }
        let Placement { name, parent, area } = placement;
        (self.name, self.parent, self.area) = (name, parent, area);
        // The one that goes on as before needs no entry of its own.
        while self
            .former
            .last()
            .is_some_and(|f| f.placement() == self.last_placement())
        {
            self.former.pop();
        }
    }

    /// This month is its last, and these units carry on what it did. Without a month it goes on.
    pub fn end(&mut self, until: Option<Month>, successors: Vec<UnitId>) {
        (self.until, self.successors) = (until, successors);
    }

    /// Another witness key cosigns from this moment on.
    pub fn replace_witness(&mut self, witness: VerifierKey, from: DateTime<Utc>) {
        let vkey = std::mem::replace(&mut self.witness, witness);
        self.former_witnesses
            .push(FormerWitness { vkey, until: from });
    }

    /// What held in which months, in their order. Months that a faulty document leaves none for are
    /// left out.
    pub(super) fn terms(&self) -> Vec<Term> {
        let mut terms = Vec::new();
        let mut first = Some(self.since);
        for f in &self.former {
            let (begin, last) = (first, self.until.map_or(f.until, |u| u.min(f.until)));
            first = f.until.next();
            terms.extend(begin.map(|first| Term {
                first,
                last: Some(last),
                placement: f.placement(),
            }));
        }
        terms.extend(first.map(|first| Term {
            first,
            last: self.until,
            placement: self.last_placement(),
        }));
        terms.retain(|t| t.last.is_none_or(|last| t.first <= last));
        terms
    }

    /// The months up to which an earlier name or parent held.
    pub(super) fn changes(&self) -> impl Iterator<Item = Month> {
        self.former.iter().map(|f| f.until)
    }

    /// The keys that are listed for its node, valid or revoked.
    pub fn vkeys(&self) -> Vec<VerifierKey> {
        self.keys.iter().map(|k| k.vkey.clone()).collect()
    }

    /// The keys that may sign a checkpoint or rollup over this many leaves. A key that may sign no
    /// leaf from index n on may still have signed over n leaves: what it sealed as its last act
    /// stays valid when it is rotated.
    pub fn keys_over(&self, size: u64) -> Vec<VerifierKey> {
        self.keys
            .iter()
            .filter(|k| {
                k.from_index <= size && k.revoked.as_ref().is_none_or(|r| size <= r.at_index)
            })
            .map(|k| k.vkey.clone())
            .collect()
    }

    /// The keys that may sign the leaf at this log index.
    pub fn keys_at(&self, index: u64) -> Vec<VerifierKey> {
        self.keys
            .iter()
            .filter(|k| {
                k.from_index <= index && k.revoked.as_ref().is_none_or(|r| index < r.at_index)
            })
            .map(|k| k.vkey.clone())
            .collect()
    }
}

impl FormerPlacement {
    fn new(until: Month, held: Placement) -> FormerPlacement {
        let Placement { name, parent, area } = held;
        FormerPlacement {
            until,
            name,
            parent,
            area,
        }
    }

    fn placement(&self) -> Placement {
        Placement {
            name: self.name.clone(),
            parent: self.parent.clone(),
            area: self.area.clone(),
        }
    }
}

/// A time, written in the one way that there is for times.
mod moment {
    use chrono::{DateTime, Datelike, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(time: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&write(time))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(from)?;
        let time: Option<DateTime<Utc>> = text.parse().ok();
        // No leap second and no year of five digits: whoever reads it in another language agrees.
        time.filter(|t| t.timestamp_subsec_nanos() == 0 && (1..=9999).contains(&t.year()))
            .filter(|t| write(t) == text)
            .ok_or_else(|| D::Error::custom("a time is written YYYY-MM-DDTHH:MM:SSZ"))
    }

    fn write(time: &DateTime<Utc>) -> String {
        time.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}
