//! Counted statements into signed entries: commitment, private record, signature, seal. No
//! statement waits for another here, so they are pressed in sheets on all cores, while the next
//! ones are still being counted.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::count::Value;
use protocol::note::{Note, SigningKey};
use protocol::record::{Record, SALT_BYTES};
use protocol::statement::Statement;

use crate::books::keys::Keys;
use crate::books::payload::{self, Payload};
use crate::books::{EntryKind, NewEntry, Written};
use crate::fault::{Faults, internal};
use crate::journal::Entry;
use crate::view::{Same, Token};

/// A statement that is counted and not signed yet.
pub(super) struct Counted {
    /// Row of the file that it came from.
    pub(super) from: Option<u64>,
    /// Without commitment and record root.
    pub(super) statement: Statement,
    /// What is kept sealed, still with its fields, and the nonce of the seal.
    pub(super) private: Option<(Payload, [u8; 24])>,
    /// For an event that is not published in clear.
    pub(super) sealed: Option<ToCommit>,
    /// Whom it is about.
    pub(super) subject: Option<Token>,
    /// Keyed hash of what it says.
    pub(super) same: Option<Same>,
}

/// What a commitment and a private record are made of.
pub(super) struct ToCommit {
    /// Columns of the row.
    pub(super) row: Vec<(usize, i64)>,
    /// One for each field of the record.
    pub(super) salts: Vec<[u8; SALT_BYTES]>,
}

/// Statements of one sheet: fewer are not worth handing to another thread.
const SHEET: usize = 32;
/// At most this many threads beside the one that counts.
const MAX_HELPERS: usize = 7;

type Sheet = (usize, Vec<Counted>);
type Pressed = (usize, Result<Vec<NewEntry>, Faults>);

/// What signing needs.
struct Plate {
    keys: Arc<Keys>,
    /// Full name of the recorder; none for the node itself.
    operator: Option<String>,
    counting: Arc<CompiledCatalogue>,
    secret: PeriodKey,
}

/// A press for one recording.
pub(super) struct Press {
    plate: Arc<Plate>,
    sheet: Vec<Counted>,
    sheets: usize,
    running: Option<Running>,
}

/// Threads at work.
struct Running {
    hand_in: Sender<Sheet>,
    /// Shared with the threads, so that whoever counted can help at the end.
    waiting: Arc<Mutex<Receiver<Sheet>>>,
    hand_out: Receiver<Pressed>,
    threads: Vec<JoinHandle<()>>,
}

impl Press {
    pub(super) fn new(
        keys: Arc<Keys>,
        operator: Option<&str>,
        counting: Arc<CompiledCatalogue>,
        secret: PeriodKey,
    ) -> Press {
        let plate = Plate {
            keys,
            operator: operator.map(str::to_string),
            counting,
            secret,
        };
        Press {
            plate: Arc::new(plate),
            sheet: Vec::new(),
            sheets: 0,
            running: None,
        }
    }

    /// Takes the next statement.
    pub(super) fn take(&mut self, counted: Counted) {
        self.sheet.push(counted);
        if self.sheet.len() == SHEET {
            self.pass_on();
        }
    }

    fn pass_on(&mut self) {
        let running = self
            .running
            .get_or_insert_with(|| Running::start(&self.plate));
        // The receiver lives as long as `running`.
        let _ = running
            .hand_in
            .send((self.sheets, std::mem::take(&mut self.sheet)));
        self.sheets += 1;
    }

    /// Presses what is left and gives all entries in the order in which the statements came.
    pub(super) fn finish(mut self) -> Result<Vec<NewEntry>, Faults> {
        if self.running.is_none() {
            return self.plate.press(std::mem::take(&mut self.sheet));
        }
        if !self.sheet.is_empty() {
            self.pass_on();
        }
        let Some(Running {
            hand_in,
            waiting,
            hand_out,
            threads,
        }) = self.running
        else {
            return Ok(Vec::new());
        };
        drop(hand_in);
        let mut sheets: BTreeMap<usize, Result<Vec<NewEntry>, Faults>> = BTreeMap::new();
        while let Some((n, sheet)) = next(&waiting) {
            sheets.insert(n, self.plate.press(sheet));
        }
        // Ends when every thread has handed out its last sheet.
        sheets.extend(hand_out);
        let died = threads.into_iter().any(|t| t.join().is_err());
        if died || sheets.len() != self.sheets {
            return Err(internal("a thread that signs died"));
        }
        let mut entries = Vec::with_capacity(sheets.len() * SHEET);
        for sheet in sheets.into_values() {
            entries.extend(sheet?);
        }
        Ok(entries)
    }
}

impl Running {
    fn start(plate: &Arc<Plate>) -> Running {
        let helpers = std::thread::available_parallelism()
            .map_or(0, |n| n.get() - 1)
            .min(MAX_HELPERS);
        let (hand_in, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let (done, hand_out) = channel();
        let threads = (0..helpers)
            .filter_map(|_| {
                let (plate, waiting, done) = (plate.clone(), waiting.clone(), done.clone());
                let work = move || {
                    while let Some((n, sheet)) = next(&waiting) {
                        // Nobody listens any more where the recording was given up.
                        if done.send((n, plate.press(sheet))).is_err() {
                            return;
                        }
                    }
                };
                // Without helpers everything is pressed at the end.
                std::thread::Builder::new()
                    .name("press".into())
                    .spawn(work)
                    .ok()
            })
            .collect();
        Running {
            hand_in,
            waiting,
            hand_out,
            threads,
        }
    }
}

fn next(waiting: &Mutex<Receiver<Sheet>>) -> Option<Sheet> {
    // Whoever holds the lock waits for the next sheet; the others wait for the lock.
    waiting.lock().ok()?.recv().ok()
}

impl Plate {
    fn key(&self) -> Result<&SigningKey, Faults> {
        match &self.operator {
            None => Ok(&self.keys.node),
            Some(name) => self
                .keys
                .recorders
                .get(name)
                .ok_or_else(|| internal("the recorder's key is gone")),
        }
    }

    fn press(&self, sheet: Vec<Counted>) -> Result<Vec<NewEntry>, Faults> {
        let key = self.key()?;
        sheet
            .into_iter()
            .map(|counted| self.entry(key, counted))
            .collect()
    }

    fn entry(&self, key: &SigningKey, counted: Counted) -> Result<NewEntry, Faults> {
        let row = counted.from;
        self.sign(key, counted).map_err(|mut faults| {
            faults.0.iter_mut().for_each(|f| f.row = f.row.or(row));
            faults
        })
    }

    fn sign(&self, key: &SigningKey, counted: Counted) -> Result<NewEntry, Faults> {
        let Counted {
            statement: mut s,
            mut private,
            sealed,
            subject,
            same,
            ..
        } = counted;
        if let (Some((payload, _)), Some(ToCommit { row, salts })) = (&mut private, sealed) {
            let mut fields = std::mem::take(&mut payload.fields);
            fields.insert("occurred_on".into(), Value::Text(payload.on.to_string()));
            if let Some(subject) = &payload.subject {
                fields.insert("subject".into(), Value::Text(subject.clone()));
            }
            let record = Record::new(fields, &salts).map_err(internal)?;
            let blinding = self.secret.blinding(&s.id.to_string());
            s.row = Some(
                self.counting
                    .generators
                    .commit(&s.event, &row, &blinding)
                    .map_err(internal)?,
            );
            s.record = Some(record.root());
            payload.record = Some(record);
        }
        let text = s.to_text().map_err(internal)?;
        let note = Note::sign(&text, &[key]).map_err(internal)?;
        let public = note.as_bytes().to_vec();
        let sealed = match &private {
            None => None,
            Some((payload, nonce)) => {
                let plain = zeroize::Zeroizing::new(serde_json::to_vec(payload).map_err(internal)?);
                Some(self.keys.vault.seal(
                    *nonce,
                    &payload::aad(EntryKind::Statement.number(), &public),
                    &plain,
                ))
            }
        };
        let written = Written {
            statement: Arc::new(s),
            payload: private.map(|(p, _)| Arc::new(p)),
            subject,
            same,
        };
        Ok(NewEntry {
            entry: Entry {
                kind: EntryKind::Statement.number(),
                public,
                sealed,
            },
            written: Some((note, written)),
        })
    }
}
