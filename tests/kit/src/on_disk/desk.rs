//! One unit at its desk, in a directory of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use node::books::Books;
use node::books::keys::Keys;
use node::desk::close::{CloseRequest, Closed};
use node::desk::record::{self, Imported, Taking, Voided};
use node::desk::{close, evidence, open_month, sign};
use node::exchange::{self, Draft, Form, Parsed};
use node::fault::Faults;
use node::queries::events;
use protocol::log::delivery::Delivery;
use protocol::note::{Alg, Note, SigningKey, VerifierKey};
use protocol::receipt::Decision;
use protocol::rollup::Signatories;
use protocol::verdict::{Check, Verdict};

use super::basics::key;
use super::letter::{Letter, forged};
use crate::{FEB, JAN, MAR, month, unit};

/// One unit with its directory.
pub struct Desk {
    pub id: &'static str,
    pub home: PathBuf,
    pub root: VerifierKey,
    pub people: BTreeMap<&'static str, SigningKey>,
    books: Option<Books>,
}

impl Desk {
    pub(super) fn new(
        id: &'static str,
        home: PathBuf,
        root: VerifierKey,
        people: BTreeMap<&'static str, SigningKey>,
    ) -> Desk {
        Desk {
            id,
            home,
            root,
            people,
            books: None,
        }
    }

    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }
    pub fn keys(&self) -> Keys {
        Keys::load(&self.home.join("keys"), &unit(self.id)).unwrap()
    }
    pub fn try_open(&self) -> Result<Books, node::books::BooksError> {
        Books::open(&self.data(), self.keys(), self.root.clone(), unit(self.id))
    }
    pub fn open(&mut self) {
        if self.books.is_none() {
            self.books = Some(self.try_open().unwrap());
        }
    }
    pub fn shut(&mut self) {
        self.books = None;
    }
    pub fn reopen(&mut self) {
        self.shut();
        self.open();
    }
    pub fn books(&mut self) -> &mut Books {
        self.books.as_mut().unwrap()
    }
    pub fn read(&self) -> &Books {
        self.books.as_ref().unwrap()
    }
    pub fn name(&self, person: &str) -> String {
        format!("{}/{person}", self.id)
    }
    pub fn signatories(&self) -> Signatories {
        Signatories {
            preparer: self.name("tianbiao"),
            reviewer: self.name("tongji"),
            head: self.name("fuzeren"),
        }
    }

    pub fn parse(&self, event: &str, text: &[u8], form: Form) -> Parsed {
        let counting = self.read().counting().unwrap().clone();
        exchange::parse(text, form, Some(event), &counting.catalogue).unwrap()
    }
    pub fn import(
        &mut self,
        event: &str,
        text: &str,
        valid_rows: bool,
        now: DateTime<Utc>,
    ) -> Result<Imported, Faults> {
        let parsed = self.parse(event, text.as_bytes(), Form::Csv);
        let operator = self.name("luru");
        record::record(
            self.books(),
            &operator,
            &parsed.drafts,
            parsed.faults,
            valid_rows,
            now,
        )
    }
    /// What is wrong with a file, which is not recorded.
    pub fn dry_run(&self, event: &str, text: &str, now: DateTime<Utc>) -> Imported {
        let parsed = self.parse(event, text.as_bytes(), Form::Csv);
        let (drafts, faults) = (&parsed.drafts, parsed.faults);
        record::dry_run(self.read(), &self.name("luru"), drafts, faults, false, now).unwrap()
    }
    /// Records a file that has no fault; gives the log indexes.
    #[track_caller]
    pub fn csv(&mut self, event: &str, text: &str, now: DateTime<Utc>) -> Vec<u64> {
        let imported = self.import(event, text, false, now).unwrap();
        assert!(imported.faults.is_empty(), "{:#?}", imported.faults);
        imported.recorded.iter().map(|r| r.index).collect()
    }
    pub fn draft(&self, event: &str, line: &str) -> Draft {
        let mut parsed = self.parse(event, line.as_bytes(), Form::Jsonl);
        assert!(parsed.faults.is_empty(), "{:#?}", parsed.faults);
        parsed.drafts.remove(0)
    }
    pub fn register(&mut self, ids: &[String], day: &str, now: DateTime<Utc>) -> Vec<u64> {
        let rows: String = ids.iter().map(|i| format!("{i},{day}\n")).collect();
        self.csv("E01", &format!("id_no,occurred_on\n{rows}"), now)
    }
    pub fn hire(&mut self, id: &str, employer: &str, day: &str, now: DateTime<Utc>) -> u64 {
        self.csv(
            "E02",
            &format!("id_no,employer,wage_fen,occurred_on\n{id},{employer},300000,{day}\n"),
            now,
        )[0]
    }
    pub fn leave(&mut self, id: &str, employer: &str, day: &str, now: DateTime<Utc>) -> u64 {
        self.csv(
            "E03",
            &format!("id_no,employer,occurred_on\n{id},{employer},{day}\n"),
            now,
        )[0]
    }
    pub fn train(&mut self, attended: u32, day: &str, now: DateTime<Utc>) -> u64 {
        self.csv(
            "E06",
            &format!("attended,occurred_on\n{attended},{day}\n"),
            now,
        )[0]
    }
    pub fn void(&mut self, index: u64, now: DateTime<Utc>) -> Result<(), Faults> {
        let taking = Taking {
            in_open_month: true,
            ..Taking::default()
        };
        self.take_back(index, taking, now).map(drop)
    }
    /// The same with everything that can be said.
    pub fn take_back(
        &mut self,
        index: u64,
        taking: Taking,
        now: DateTime<Utc>,
    ) -> Result<Voided, Faults> {
        let operator = self.name("luru");
        let taking = Taking {
            reason: "wrong".into(),
            ..taking
        };
        record::void(self.books(), &operator, index, &taking, now)
    }
    pub fn correct(
        &mut self,
        index: u64,
        event: &str,
        line: &str,
        now: DateTime<Utc>,
    ) -> Result<record::Recorded, Faults> {
        let (operator, draft) = (self.name("luru"), self.draft(event, line));
        record::correct(self.books(), &operator, index, &draft, "wrong", now)
    }

    pub fn try_close(
        &mut self,
        period: &str,
        request: &CloseRequest,
        now: DateTime<Utc>,
    ) -> Result<Closed, Faults> {
        let signatories = self.signatories();
        close::close(self.books(), month(period), request, signatories, now)
    }
    #[track_caller]
    pub fn close(&mut self, period: &str, now: DateTime<Utc>) -> Closed {
        let closed = self
            .try_close(period, &CloseRequest::default(), now)
            .unwrap();
        for v in closed
            .verdicts
            .iter()
            .filter(|v| v.check != Check::Authorship)
        {
            assert!(!v.failed(), "{v:?}");
        }
        closed
    }
    /// The note with one person's signature added.
    pub fn signed_by(&self, period: &str, person: &str) -> Vec<u8> {
        let note = sign::latest(self.read(), month(period))
            .unwrap()
            .held()
            .note
            .clone();
        Note::sign(note.text(), &[&self.people[person]])
            .unwrap()
            .as_bytes()
            .to_vec()
    }
    #[track_caller]
    pub fn sign(&mut self, period: &str) {
        for person in ["tianbiao", "tongji", "fuzeren"] {
            let signed = self.signed_by(period, person);
            sign::add_signatures(self.books(), month(period), &signed).unwrap();
        }
    }
    #[track_caller]
    pub fn submit(&mut self, period: &str, now: DateTime<Utc>) -> Vec<Verdict> {
        let verdicts = sign::submit(self.books(), month(period), now).unwrap();
        assert!(verdicts.iter().all(|v| !v.failed()), "{verdicts:?}");
        verdicts
    }
    #[track_caller]
    pub fn finish(&mut self, period: &str, now: DateTime<Utc>) {
        self.close(period, now);
        self.sign(period);
        self.submit(period, now);
    }

    /// Value of a figure of a month's latest revision: (own, whole scope).
    #[track_caller]
    pub fn figure(&self, period: &str, id: &str) -> (i64, i64) {
        let own = sign::latest(self.read(), month(period)).unwrap();
        let f = own
            .held()
            .rollup
            .figures
            .iter()
            .find(|f| f.id == id)
            .unwrap();
        (f.own.value.unwrap(), f.scope().value.unwrap())
    }
    pub fn open_month(&self) -> String {
        open_month(self.read()).unwrap().to_string()
    }
    pub fn leaves(&self) -> u64 {
        self.read().log().unwrap().len()
    }
    pub fn decision(&self, period: &str) -> Option<Decision> {
        sign::latest(self.read(), month(period)).unwrap().decision()
    }

    /// Everything that was submitted, as the courier would send it to somebody who has nothing yet.
    pub fn letters(&self) -> Vec<Letter> {
        let mut list = Vec::new();
        let mut first = 0;
        let books = self.read();
        for own in books.rollups().values().filter(|r| r.submitted().is_some()) {
            let size = own.held().rollup.log.size;
            if first < size {
                list.push(self.delivery(first..size, size));
                first = size;
            }
            list.push(Letter::Checkpoint(
                books.checkpoint(size).unwrap().as_bytes().to_vec(),
            ));
            list.push(Letter::Rollup(own.held().note.as_bytes().to_vec()));
        }
        list
    }

    /// Statements under the checkpoint of this size.
    pub fn delivery(&self, range: std::ops::Range<u64>, size: u64) -> Letter {
        let books = self.read();
        let entries: Vec<Vec<u8>> = range
            .clone()
            .map(|i| books.statement_bytes(i).unwrap())
            .collect();
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let (checkpoint, log) = (books.checkpoint(size).unwrap(), books.log().unwrap());
        Letter::Entries(
            range.start,
            Delivery::write(range.start, &slices, checkpoint, log.tree()).unwrap(),
        )
    }

    /// What this unit sends if its log up to this size had other bytes at an index: all of it,
    /// under a checkpoint that it signs.
    pub fn rewritten(&self, size: u64, index: u64, entry: &[u8]) -> Letter {
        let books = self.read();
        let mut entries: Vec<Vec<u8>> = (0..size)
            .map(|i| books.statement_bytes(i).unwrap())
            .collect();
        entries[index as usize] = entry.to_vec();
        forged(&key(self.id, Alg::Ed25519), self.id, &entries)
    }

    /// Another rollup for a month that is closed, signed by everybody who has to.
    pub fn other_rollup(
        &self,
        period: &str,
        change: impl FnOnce(&mut protocol::rollup::Rollup),
    ) -> Note {
        let mut rollup = sign::latest(self.read(), month(period))
            .unwrap()
            .held()
            .rollup
            .clone();
        change(&mut rollup);
        let (node, people) = (key(self.id, Alg::Ed25519), &self.people);
        Note::sign(
            &rollup.to_text().unwrap(),
            &[
                &node,
                &people["tianbiao"],
                &people["tongji"],
                &people["fuzeren"],
            ],
        )
        .unwrap()
    }

    /// Everything that a person or a page could ask, in one text.
    pub fn answers(&self) -> String {
        let books = self.read();
        let mut text = format!("open {}\nleaves {}\n", self.open_month(), self.leaves());
        for ((m, r), own) in books.rollups() {
            text += &format!(
                "{m}.{r} {} {:?} {:?} {:?}\n",
                own.held().digest(),
                own.submitted(),
                own.decision(),
                sign::unsigned(books, own)
            );
            text += &format!("{}\n", String::from_utf8_lossy(own.held().note.as_bytes()));
        }
        for m in [JAN, FEB, MAR] {
            text += &serde_json::to_string(&events::list(books, month(m), true).unwrap()).unwrap();
            text += &format!("\nwaiting {:?}\n", close::waiting_for(books, month(m)));
        }
        for (id, child) in books.children() {
            text += &format!(
                "{id} {} {:?} {:?}\n",
                child.held(),
                child.flagged(),
                child.checkpoints().keys().collect::<Vec<_>>()
            );
            for held in child.known().values() {
                let d = held.digest();
                text += &format!(
                    "  {}.{} {d} {:?} {:?}\n",
                    held.rollup.period,
                    held.rollup.revision,
                    child.decision(&d),
                    child.verdicts().get(&d)
                );
            }
        }
        for size in books.checkpoints().keys() {
            text += &format!("checkpoint {size}\n");
        }
        text
    }
    /// The evidence file, without the arrivals (whose note is signed anew each time).
    pub fn evidence(&self) -> Vec<u8> {
        let mut evidence = evidence::evidence(self.read()).unwrap();
        evidence.arrivals = None;
        protocol::evidence::file::write(&evidence).unwrap()
    }
}
