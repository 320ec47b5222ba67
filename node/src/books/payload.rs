//! The private payload of a statement, as it is sealed in the journal, and the history of a subject
//! that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use protocol::catalogue::{self, Catalogue};
use protocol::count::{Balance, Engine, Fact, Fields, Moves, state};
use protocol::period::Month;
use protocol::record::Record;
use protocol::statement::Statement;
use serde::{Deserialize, Serialize};

use crate::pseudonym::Pseudonym;
use crate::vault::VaultKey;
use crate::view::ContentHash;

/// What a statement keeps to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Event type.
    pub event: String,
    /// Business day.
    pub on: NaiveDate,
    /// The salted record; none for a clear event, whose fields are public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// Fields of a clear event; kept in its statement and put here when it is read.
    #[serde(skip)]
    pub fields: Fields,
    /// What it adds to the figures.
    pub moves: Moves,
    /// Key of the subject, where the fields do not tell it: of a system event, and of one about a
    /// person whose file was opened under a former number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// What a sealed part is bound to: the public part that stands beside it.
pub fn aad(kind: u8, public: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    let mut aad = vec![kind];
    aad.extend(sha2::Sha256::digest(public));
    aad
}

impl Payload {
    /// The event's fields, without its day and its subject.
    pub fn fields(&self) -> Fields {
        let mut fields = self
            .record
            .as_ref()
            .map_or_else(|| self.fields.clone(), Record::fields);
        fields.remove("occurred_on");
        if self.subject.is_some() {
            fields.remove("subject");
        }
        fields
    }

    /// Pseudonym of the subject.
    pub fn pseudonym(&self, catalogue: &Catalogue, vault: &VaultKey) -> Option<Pseudonym> {
        let event = catalogue.event(&self.event)?;
        if event.subject == catalogue::Subject::Unit {
            return None;
        }
        let key = self
            .subject
            .clone()
            .or_else(|| state::subject_key(event, &self.fields()))?;
        Some(Pseudonym::new(vault, event.subject, &key))
    }

    /// Keyed hash of type, day and fields; none for system events, which may well repeat.
    pub fn same(&self, catalogue: &Catalogue, vault: &VaultKey) -> Option<ContentHash> {
        if catalogue.event(&self.event).is_none_or(|e| e.system) {
            return None;
        }
        Some(same(vault, &self.event, self.on, &self.fields()))
    }
}

/// Keyed hash that tells a repetition.
pub fn same(vault: &VaultKey, event: &str, on: NaiveDate, fields: &Fields) -> ContentHash {
    let fields = serde_json::to_vec(fields).expect("a map of texts, numbers and booleans");
    vault.pseudonym(
        "same",
        &[
            event.as_bytes(),
            b"\n",
            on.to_string().as_bytes(),
            b"\n",
            &fields,
        ],
    )
}

/// A subject's facts and what the log says of it.
#[derive(Debug, Clone, Default)]
pub struct SubjectHistory {
    /// Facts that count.
    pub facts: Vec<Fact>,
    /// Voided ones: left out of `facts` already.
    pub voided: BTreeSet<u64>,
    /// Net moves that still bind.
    pub balance: Balance,
    /// What was recorded of it in any month and not taken back, and under which log index.
    pub said: BTreeMap<ContentHash, u64>,
    /// Whether anything of it was recorded in the month that was asked for.
    pub touched: bool,
    /// Its key (ID number of a person).
    pub key: Option<String>,
}

impl SubjectHistory {
    /// Takes a statement into account.
    pub fn add(
        &mut self,
        index: u64,
        statement: &Statement,
        payload: &Payload,
        engine: &Engine,
        period: Month,
        voided: bool,
    ) {
        self.touched |= statement.period == period;
        let Some(event) = engine.catalogue().event(&payload.event) else {
            return;
        };
        let fields = payload.fields();
        if self.key.is_none() {
            self.key = payload
                .subject
                .clone()
                .or_else(|| state::subject_key(event, &fields));
        }
        if voided {
            self.touched = true;
            return;
        }
        let bound: Moves = payload
            .moves
            .iter()
            .filter(|m| engine.still_binds(&m.figure, statement.period, period))
            .cloned()
            .collect();
        self.balance.add(&bound, 1);
        if !event.system {
            self.facts.push(Fact {
                index,
                event: payload.event.clone(),
                on: payload.on,
                fields,
            });
        }
    }

    /// As the engine wants it.
    pub fn view(&self) -> protocol::count::engine::History<'_> {
        protocol::count::engine::History {
            facts: &self.facts,
            voided: &self.voided,
            balance: &self.balance,
        }
    }
}
