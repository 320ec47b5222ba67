//! Every fault at every operation: after reopening, every acknowledged batch is there and no part
//! of another.

use kit::disk::{FailingDisk, InjectedFailure};
use node::journal::disk::Disk as _;
use node::journal::{Entry, Journal, JournalError, JournalState, Sealed, Stored};

use crate::layout::HEADER;

/// Small, so that the workload rotates several times.
const SEGMENT: u64 = 400;

fn open(disk: &FailingDisk) -> Result<Journal, JournalError> {
    Journal::open_on(disk.boxed(), SEGMENT)
}

/// A batch that tells by its content which one it is; no two are alike.
fn batch(n: u8) -> Vec<Entry> {
    (0..=n % 3)
        .map(|part| Entry {
            kind: n,
            public: vec![n.wrapping_mul(7).wrapping_add(part); 10 + usize::from(n) * 5 % 60],
            sealed: (part != 1).then(|| vec![n ^ 0x55; 20 + usize::from(part) * 40]),
        })
        .collect()
}

/// What the outside world was told.
#[derive(Default, Clone)]
struct Told {
    acked: Vec<u8>,
    /// Answered with an error that leaves it open whether the batch is there.
    open: Option<u8>,
    erased: Vec<u64>,
    /// The erasure failed: old and erased are both right.
    maybe_erased: Vec<u64>,
    tried: u8,
}

impl Told {
    fn append(&mut self, journal: &mut Journal) {
        let n = self.tried;
        self.tried += 1;
        match journal.append(&batch(n)) {
            Ok(range) => {
                assert_eq!(self.open, None, "acknowledged behind an open one");
                assert_eq!(range.start, self.entries().len() as u64);
                self.acked.push(n);
            }
            Err(JournalError::NoSpace { .. } | JournalError::Poisoned { .. }) => {}
            Err(JournalError::Io { .. }) => {
                assert_eq!(self.open, None, "an i/o error must poison");
                assert_eq!(journal.state(), JournalState::Poisoned);
                self.open = Some(n);
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn erase(&mut self, journal: &mut Journal, seq: u64) {
        match journal.erase_sealed(seq) {
            Ok(()) => self.erased.push(seq),
            // The append of this entry failed.
            Err(JournalError::NoSuchEntry { .. }) | Err(JournalError::Poisoned { .. }) => {}
            // After a failed append another batch may have this number.
            Err(JournalError::NothingSealed { .. }) => {}
            Err(_) => self.maybe_erased.push(seq),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        self.acked.iter().flat_map(|n| batch(*n)).collect()
    }

    /// Compares with what the journal says, and settles what was open.
    fn compare(&mut self, journal: &Journal) {
        let found: Vec<Stored> = journal.read_from(0).collect::<Result<_, _>>().unwrap();
        assert_eq!(found.len() as u64, journal.next_seq());
        let mut expected = self.entries();
        if found.len() != expected.len()
            && let Some(open) = self.open
        {
            self.acked.push(open);
            expected = self.entries();
        }
        self.open = None;
        assert_eq!(found.len(), expected.len(), "a batch is missing or partial");
        for (seq, (found, expected)) in (0..).zip(found.iter().zip(&expected)) {
            assert_eq!(
                (found.seq, found.kind, &found.public),
                (seq, expected.kind, &expected.public)
            );
            match &found.sealed {
                Sealed::Erased => assert!(
                    self.erased.contains(&seq) || self.maybe_erased.contains(&seq),
                    "{seq} erased unasked"
                ),
                Sealed::Present(bytes) => {
                    assert!(!self.erased.contains(&seq), "{seq} came back");
                    assert_eq!(Some(bytes), expected.sealed.as_ref());
                }
                Sealed::None => assert_eq!(expected.sealed, None),
            }
            assert_eq!(journal.read(seq).unwrap(), *found);
        }
    }
}

fn workload(disk: &FailingDisk, told: &mut Told) {
    let Ok(mut journal) = open(disk) else { return };
    for _ in 0..4 {
        told.append(&mut journal);
    }
    told.erase(&mut journal, 2);
    for _ in 0..3 {
        told.append(&mut journal);
    }
    told.erase(&mut journal, 0);
    told.erase(&mut journal, 0);
    told.append(&mut journal);
}

/// What happens between the fault and the next opening: an even seed is a restart of the process,
/// an odd one a loss of power.
fn crash(disk: &FailingDisk, seed: u64) {
    match seed % 2 {
        0 => disk.restart(),
        _ => disk.power_loss(seed),
    }
}

/// From any state: open, compare, go on, lose power, compare again.
fn recovers(disk: &FailingDisk, told: &mut Told, seed: u64, context: &str) {
    let mut journal = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    told.compare(&journal);
    // First one batch, which mostly does not rotate: a rotation would sync the directory and hide
    // that opening did not.
    for (seed, batches) in (100 + 3 * seed..).zip([1, 3, 0]) {
        for _ in 0..batches {
            told.append(&mut journal);
        }
        drop(journal);
        disk.power_loss(seed);
        journal = open(disk).unwrap_or_else(|error| panic!("{context}, second loss: {error}"));
        assert!(
            journal.recovered().cut.is_none(),
            "{context}: acknowledged bytes were cut"
        );
        told.compare(&journal);
    }
}

#[test]
fn every_fault_at_every_operation() {
    let mut runs = 0;
    for fault in InjectedFailure::ALL {
        for at in 0.. {
            let mut hit = false;
            for seed in 0..16 {
                let context = format!("{fault:?} at operation {at}, seed {seed}");
                let disk = FailingDisk::new();
                let mut told = Told::default();
                disk.arm(at, fault);
                workload(&disk, &mut told);
                hit = disk.disarm();
                crash(&disk, seed);
                recovers(&disk, &mut told, seed, &context);
                runs += 1;
            }
            if !hit {
                assert!(at > 40, "the workload has more operations than {at}");
                break;
            }
        }
    }
    assert!(runs > 2000, "{runs}");
}

/// A fault while recovering from a fault.
#[test]
fn every_fault_while_recovering() {
    let mut repaired = 0;
    for first in [
        InjectedFailure::Killed,
        InjectedFailure::Fails,
        InjectedFailure::Half,
    ] {
        for at in 0..60 {
            for second in InjectedFailure::ALL {
                for again in 0..9 {
                    for seed in [0, 2, 3] {
                        let context =
                            format!("{first:?} at {at}, then {second:?} at {again}, seed {seed}");
                        let disk = FailingDisk::new();
                        let mut told = Told::default();
                        disk.arm(at, first);
                        workload(&disk, &mut told);
                        disk.disarm();
                        crash(&disk, seed + 1);
                        disk.arm(again, second);
                        if let Ok(journal) = open(&disk) {
                            repaired += u32::from(!journal.recovered().is_clean());
                            told.compare(&journal);
                        }
                        disk.disarm();
                        crash(&disk, seed);
                        recovers(&disk, &mut told, seed, &context);
                    }
                }
            }
        }
    }
    assert!(repaired > 100, "{repaired}");
}

/// A full disk is survived without a restart, also in the middle of a rotation, and leaves no
/// trace.
#[test]
fn a_full_disk_is_survived() {
    let mut full = 0;
    for at in 0..60 {
        let disk = FailingDisk::new();
        let mut told = Told::default();
        let mut journal = open(&disk).unwrap();
        disk.arm(at, InjectedFailure::Full);
        let mut refused = 0;
        for n in 0..12 {
            match journal.append(&batch(n)) {
                Ok(_) => told.acked.push(n),
                Err(JournalError::NoSpace { .. }) => {
                    refused += 1;
                    assert_eq!(journal.state(), JournalState::Full);
                    // The same batch, once there is space again.
                    journal.append(&batch(n)).unwrap();
                    told.acked.push(n);
                }
                // Found out only by an fsync: not survivable.
                Err(JournalError::Io {
                    what: "sync" | "sync the directory of",
                    ..
                }) => {
                    assert!(matches!(
                        journal.append(&batch(n)),
                        Err(JournalError::Poisoned { .. })
                    ));
                    told.open = Some(n);
                    break;
                }
                Err(other) => panic!("{at}: {other}"),
            }
        }
        full += refused;
        told.compare(&journal_after(&disk, journal));
    }
    assert!(full > 10, "{full}");
}

/// A disk that stays full: every batch is refused and leaves no byte, a small one goes in where a
/// large one does not, and all goes on, without reopening, when there is room. Whatever the power
/// does in between.
#[test]
fn a_disk_that_stays_full_is_survived() {
    for extra in 0..200 {
        let disk = FailingDisk::new();
        let mut told = Told::default();
        let mut journal = open(&disk).unwrap();
        for _ in 0..3 {
            told.append(&mut journal);
        }
        let used = disk.used();
        disk.limit(used + extra);
        let mut refused = 0;
        for _ in 0..6 {
            let before = disk.used();
            told.append(&mut journal);
            if journal.state() == JournalState::Full {
                refused += 1;
                // A new segment that was begun may stay, without a batch.
                assert!(
                    disk.used() <= before + HEADER,
                    "{extra}: a refused batch left {} bytes",
                    disk.used() - before
                );
                let error = journal.has_room(extra + 1).unwrap_err();
                assert_eq!(
                    (error.code().as_str(), disk.used() <= before + HEADER),
                    ("journal.no_space", true)
                );
            }
        }
        assert!(extra > 150 || refused > 0);
        if extra % 2 == 1 {
            drop(journal);
            disk.power_loss(extra as u64);
            journal = match open(&disk) {
                Ok(journal) => journal,
                // A segment that was begun has to be finished, and there is no room for that.
                Err(JournalError::NoSpace { .. }) => {
                    disk.limit(used + 100_000);
                    open(&disk).unwrap()
                }
                Err(other) => panic!("{extra}: {other}"),
            };
        }
        told.compare(&journal);
        disk.limit(used + 100_000);
        journal.has_room(4096).unwrap();
        assert_eq!(journal.state(), JournalState::Writable);
        let acked = told.acked.len();
        for _ in 0..4 {
            told.append(&mut journal);
        }
        assert_eq!(told.acked.len(), acked + 4, "{extra}");
        disk.power_loss(extra as u64 + 1);
        told.compare(&open(&disk).unwrap());
    }
}

fn journal_after(disk: &FailingDisk, journal: Journal) -> Journal {
    drop(journal);
    disk.disarm();
    open(disk).unwrap()
}

/// A small batch after a failed rotation must not go into the old segment: the new file already has
/// its number.
#[test]
fn a_failed_rotation_is_finished_first() {
    let disk = FailingDisk::new();
    let mut journal = open(&disk).unwrap();
    let entry = |len| Entry {
        kind: 0,
        public: vec![1; len],
        sealed: None,
    };
    journal.append(&[entry(100)]).unwrap();
    // The header of the new segment finds the disk full: operation 0 creates, operation 1 writes.
    disk.arm(1, InjectedFailure::Full);
    assert!(matches!(
        journal.append(&[entry(300)]),
        Err(JournalError::NoSpace { .. })
    ));
    assert!(disk.disarm());
    journal.append(&[entry(5)]).unwrap();
    journal.append(&[entry(6)]).unwrap();
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!(journal.next_seq(), 3);
    assert_eq!(disk.list().unwrap().len(), 3, "two segments and the mark");
}
