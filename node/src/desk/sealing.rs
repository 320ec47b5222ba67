//! Counted statements into signed entries: commitment, private record, signature, seal. Here no
//! statement depends on another, so they are signed in batches on all cores, while the next ones
//! are still being counted.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::count::Value;
use protocol::note::{Note, SigningKey};
use protocol::record::{Record, SALT_BYTES};
use protocol::statement::{Body, Statement};

use crate::books::keys::Keys;
use crate::books::payload::{self, Payload};
use crate::books::{EntryKind, NewEntry, Written};
use crate::fault::{Faults, internal};
use crate::journal::Entry;
use crate::pseudonym::Pseudonym;
use crate::view::ContentHash;

/// A statement that is counted and not signed yet.
pub(super) struct UnsignedStatement {
    /// Row of the file that it came from.
    pub(super) from: Option<u64>,
    /// The statement without its body.
    pub(super) head: Statement<()>,
    /// What its body is made of.
    pub(super) content: Content,
    /// Whom it is about.
    pub(super) subject: Option<Pseudonym>,
    /// Keyed hash of what it says.
    pub(super) same: Option<ContentHash>,
}

/// The nonce of a seal.
type Nonce = [u8; 24];

/// What a statement's body is made of.
pub(super) enum Content {
    /// A body that is published as it is, and what is sealed beside it.
    Public(Body, Option<(Payload, Nonce)>),
    /// An event that only a commitment and a record root are published of.
    Sealed(CommitmentInput),
}

/// What a commitment and a private record are made of.
pub(super) struct CommitmentInput {
    /// Columns of the row.
    pub(super) row: Vec<(usize, i64)>,
    /// One for each field of the record.
    pub(super) salts: Vec<[u8; SALT_BYTES]>,
    /// What is kept sealed, still with its fields.
    pub(super) payload: Payload,
    /// The nonce of the seal.
    pub(super) nonce: Nonce,
}

/// Statements of one batch: fewer are not worth handing to another thread.
const BATCH_SIZE: usize = 32;
/// At most this many threads beside the one that counts.
const MAX_THREADS: usize = 7;

/// A batch's number, and its statements in order.
type Batch = (usize, Vec<UnsignedStatement>);
/// A batch's number, and the entries of its statements in the same order.
type SignedBatch = (usize, Result<Vec<NewEntry>, Faults>);

/// What signing needs.
struct Signer {
    keys: Arc<Keys>,
    /// Full name of the recorder; none for the node itself.
    operator: Option<String>,
    counting: Arc<CompiledCatalogue>,
    secret: PeriodKey,
}

/// Signs and seals the statements of one recording. Threads are started with the first full batch:
/// a single event needs none.
pub(super) struct SignerPool {
    signer: Arc<Signer>,
    /// The batch that is not full yet.
    batch: Vec<UnsignedStatement>,
    /// How many batches were handed to the threads.
    batches: usize,
    threads: Option<Threads>,
}

/// Threads at work.
struct Threads {
    queue: Sender<Batch>,
    /// Shared with the threads, so that the thread that counted can help at the end.
    pending: Arc<Mutex<Receiver<Batch>>>,
    signed: Receiver<SignedBatch>,
    handles: Vec<JoinHandle<()>>,
}

impl SignerPool {
    pub(super) fn new(
        keys: Arc<Keys>,
        operator: Option<&str>,
        counting: Arc<CompiledCatalogue>,
        secret: PeriodKey,
    ) -> SignerPool {
        let signer = Signer {
            keys,
            operator: operator.map(str::to_string),
            counting,
            secret,
        };
        SignerPool {
            signer: Arc::new(signer),
            batch: Vec::new(),
            batches: 0,
            threads: None,
        }
    }

    /// Takes the next statement.
    pub(super) fn submit(&mut self, statement: UnsignedStatement) {
        self.batch.push(statement);
        if self.batch.len() == BATCH_SIZE {
            self.pass_on();
        }
    }

    fn pass_on(&mut self) {
        let threads = self
            .threads
            .get_or_insert_with(|| Threads::start(&self.signer));
        // The receiver lives as long as `threads`.
        let _ = threads
            .queue
            .send((self.batches, std::mem::take(&mut self.batch)));
        self.batches += 1;
    }

    /// Signs what is left and gives all entries in the order in which the statements came.
    pub(super) fn results(mut self) -> Result<Vec<NewEntry>, Faults> {
        if self.threads.is_none() {
            return self.signer.sign_batch(std::mem::take(&mut self.batch));
        }
        if !self.batch.is_empty() {
            self.pass_on();
        }
        let Some(Threads {
            queue,
            pending,
            signed,
            handles,
        }) = self.threads
        else {
            return Ok(Vec::new());
        };
        drop(queue);
        let mut batches: BTreeMap<usize, Result<Vec<NewEntry>, Faults>> = BTreeMap::new();
        while let Some((number, batch)) = next(&pending) {
            batches.insert(number, self.signer.sign_batch(batch));
        }
        // Ends when every thread has given its last batch.
        batches.extend(signed);
        let died = handles.into_iter().any(|h| h.join().is_err());
        if died || batches.len() != self.batches {
            return Err(internal("a thread that signs died"));
        }
        let mut entries = Vec::with_capacity(batches.len() * BATCH_SIZE);
        for batch in batches.into_values() {
            entries.extend(batch?);
        }
        Ok(entries)
    }
}

impl Threads {
    fn start(signer: &Arc<Signer>) -> Threads {
        let count = std::thread::available_parallelism()
            .map_or(0, |n| n.get() - 1)
            .min(MAX_THREADS);
        let (queue, pending) = channel();
        let pending = Arc::new(Mutex::new(pending));
        let (done, signed) = channel();
        let handles = (0..count)
            .filter_map(|_| {
                let (signer, pending, done) = (signer.clone(), pending.clone(), done.clone());
                let work = move || {
                    while let Some((number, batch)) = next(&pending) {
                        // The receiver is gone where the recording was given up.
                        if done.send((number, signer.sign_batch(batch))).is_err() {
                            return;
                        }
                    }
                };
                // Where no thread can be started, everything is signed at the end.
                std::thread::Builder::new()
                    .name("signer".into())
                    .spawn(work)
                    .ok()
            })
            .collect();
        Threads {
            queue,
            pending,
            signed,
            handles,
        }
    }
}

fn next(pending: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    // The thread with the lock waits for the next batch; the others wait for the lock.
    pending.lock().ok()?.recv().ok()
}

impl Signer {
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

    fn sign_batch(&self, batch: Vec<UnsignedStatement>) -> Result<Vec<NewEntry>, Faults> {
        let key = self.key()?;
        batch
            .into_iter()
            .map(|statement| self.entry(key, statement))
            .collect()
    }

    fn entry(&self, key: &SigningKey, unsigned: UnsignedStatement) -> Result<NewEntry, Faults> {
        let row = unsigned.from;
        self.sign(key, unsigned).map_err(|mut faults| {
            faults.0.iter_mut().for_each(|f| f.row = f.row.or(row));
            faults
        })
    }

    /// Commits to a row and its private record.
    fn commit(
        &self,
        head: &Statement<()>,
        what: CommitmentInput,
    ) -> Result<(Body, Payload), Faults> {
        let mut payload = what.payload;
        let mut fields = std::mem::take(&mut payload.fields);
        fields.insert("occurred_on".into(), Value::Text(payload.on.to_string()));
        if let Some(subject) = &payload.subject {
            fields.insert("subject".into(), Value::Text(subject.clone()));
        }
        let record = Record::new(fields, &what.salts).map_err(internal)?;
        let blinding = self.secret.blinding(&head.id.to_string());
        let row = self
            .counting
            .generators
            .commit(&head.event, &what.row, &blinding)
            .map_err(internal)?;
        let body = Body::Sealed {
            row,
            record: record.root(),
        };
        payload.record = Some(record);
        Ok((body, payload))
    }

    fn sign(&self, key: &SigningKey, unsigned: UnsignedStatement) -> Result<NewEntry, Faults> {
        let UnsignedStatement {
            head,
            content,
            subject,
            same,
            ..
        } = unsigned;
        let (body, private) = match content {
            Content::Public(body, private) => (body, private),
            Content::Sealed(what) => {
                let nonce = what.nonce;
                let (body, payload) = self.commit(&head, what)?;
                (body, Some((payload, nonce)))
            }
        };
        let s = head.with(body);
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
            // Read when it is applied: few events say anything about a number.
            number: None,
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
