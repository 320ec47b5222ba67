//! Damage: what must be cut off, what must be refused, and what the refusal says.

use std::fs;
use std::path::Path;

use kit::disk::FailingDisk;
use kit::on_disk::Dir;
use node::journal::disk::Disk;
use node::journal::{Cut, Entry, Guard, Journal, JournalError, MAX_PART_BYTES, SEGMENT_BYTES};
use node::journal::{Sealed, Signed, Stored, check, give_up};
use proptest::prelude::*;

use crate::layout::{BATCH_HEAD, ENTRY_HEAD, ERASED, HEADER, LIVE, header_of_version};

const FIRST: &str = "000000000000.seg";
const MARK_FILE: &str = "acknowledged";

fn entry(text: &str) -> Entry {
    Entry {
        kind: 1,
        public: text.as_bytes().to_vec(),
        sealed: Some(format!("sealed {text}").into_bytes()),
    }
}

fn open(disk: &FailingDisk) -> Result<Journal, JournalError> {
    Journal::open_on(disk.boxed(), 230)
}

fn texts(journal: &Journal) -> Vec<String> {
    journal
        .read_from(0)
        .map(|stored| String::from_utf8(stored.unwrap().public).unwrap())
        .collect()
}

/// Three batches in one segment: `a`, then `b` and `c`, then `d`; and where each batch begins. All
/// are acknowledged.
fn three_acknowledged() -> (FailingDisk, [usize; 3]) {
    let disk = FailingDisk::new();
    let mut journal = Journal::open_on(disk.boxed(), SEGMENT_BYTES).unwrap();
    let mut starts = [0; 3];
    for (start, batch) in starts.iter_mut().zip([
        vec![entry("a")],
        vec![entry("b"), entry("c")],
        vec![entry("d")],
    ]) {
        *start = journal.bytes() as usize;
        journal.append(&batch).unwrap();
    }
    (disk, starts)
}

/// The same, the process gone before the last one was acknowledged.
fn three() -> (FailingDisk, [usize; 3]) {
    let (disk, starts) = three_acknowledged();
    let whole = disk.get(FIRST);
    disk.put(FIRST, &whole[..starts[2]]);
    disk.remove(MARK_FILE);
    drop(Journal::open_on(disk.boxed(), SEGMENT_BYTES).unwrap());
    disk.put(FIRST, &whole);
    (disk, starts)
}

/// Six batches over several segments, with their names.
fn several() -> (FailingDisk, Vec<String>) {
    let disk = FailingDisk::new();
    let mut journal = open(&disk).unwrap();
    for text in ["one", "two", "three", "four", "five", "six"] {
        journal.append(&[entry(text)]).unwrap();
    }
    let mut names = disk.list().unwrap();
    names.retain(|name| name.ends_with(".seg"));
    names.sort();
    assert!(names.len() >= 3, "{names:?}");
    (disk, names)
}

#[test]
fn appends_reads_and_reopens() {
    let dir = Dir::create();
    let mut journal = Journal::open(&dir.0).unwrap();
    assert_eq!(journal.append(&[]).unwrap(), 0..0);
    assert_eq!(journal.append(&[entry("a"), entry("b")]).unwrap(), 0..2);
    assert_eq!(
        journal
            .append(&[Entry {
                kind: 9,
                public: vec![],
                sealed: None
            }])
            .unwrap(),
        2..3
    );
    let bytes = journal.bytes();
    drop(journal);

    let journal = Journal::open(&dir.0).unwrap();
    assert!(journal.recovered().is_clean());
    assert_eq!((journal.next_seq(), journal.bytes()), (3, bytes));
    assert_eq!(
        journal.read(1).unwrap().sealed,
        Sealed::Present(b"sealed b".to_vec())
    );
    assert_eq!(
        journal.read(2).unwrap(),
        Stored {
            seq: 2,
            kind: 9,
            public: vec![],
            sealed: Sealed::None
        }
    );
    assert_eq!(journal.read(3).unwrap_err().code(), "journal.no_such_entry");
    assert_eq!(
        journal.read(u64::MAX).unwrap_err().code(),
        "journal.no_such_entry"
    );
    assert_eq!(journal.read_from(1).count(), 2);
    assert_eq!(journal.read_from(9).count(), 0);
    assert_eq!(
        fs::metadata(dir.0.join("journal").join(FIRST))
            .unwrap()
            .len(),
        bytes
    );
}

#[test]
fn a_second_opener_is_refused_and_told_what_to_do() {
    let dir = Dir::create();
    let journal = Journal::open(&dir.0).unwrap();
    for error in [
        Journal::open(&dir.0).err().unwrap(),
        check(&dir.0).unwrap_err(),
    ] {
        assert_eq!(error.code(), "journal.locked");
        assert!(
            error
                .to_string()
                .contains(&format!("by process {}", std::process::id())),
            "{error}"
        );
        assert!(error.to_string().contains("Stop the other node"));
    }
    drop(journal);
    check(&dir.0).unwrap();
    Journal::open(&dir.0).unwrap();
}

#[test]
fn check_reports_and_changes_nothing() {
    let dir = Dir::create();
    let mut journal = Journal::open(&dir.0).unwrap();
    journal.append(&[entry("a"), entry("b")]).unwrap();
    journal.append(&[entry("c")]).unwrap();
    journal.erase_sealed(1).unwrap();
    let bytes = journal.bytes();
    drop(journal);
    let path = dir.0.join("journal").join(FIRST);
    let mut file = fs::read(&path).unwrap();
    file.extend(b"torn");
    fs::write(&path, &file).unwrap();

    let report = check(&dir.0).unwrap();
    assert_eq!(
        (
            report.segments,
            report.batches,
            report.entries,
            report.bytes
        ),
        (1, 2, 3, bytes)
    );
    assert_eq!((report.erased, report.unfinished_erasures), (1, 0));
    assert_eq!(
        report.torn,
        Some(Cut {
            path: path.clone(),
            offset: bytes,
            bytes: 4
        })
    );
    assert_eq!(fs::read(&path).unwrap(), file);

    let journal = Journal::open(&dir.0).unwrap();
    assert_eq!(journal.recovered().cut, report.torn);
    assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
    drop(journal);
    assert_eq!(check(&dir.0).unwrap().torn, None);
    assert_eq!(
        check(&dir.0.join("absent")).unwrap_err().code(),
        "journal.io"
    );
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off() {
    let (disk, starts) = three();
    let (whole, mark) = (disk.get(FIRST), disk.get(MARK_FILE));
    for len in starts[2]..whole.len() {
        disk.put(FIRST, &whole[..len]);
        disk.put(MARK_FILE, &mark);
        let mut journal = Journal::open_on(disk.boxed(), SEGMENT_BYTES).unwrap();
        assert_eq!(texts(&journal), ["a", "b", "c"], "cut at {len}");
        let torn = (len - starts[2]) as u64;
        assert_eq!(
            journal.recovered().cut.as_ref().map_or(0, |cut| cut.bytes),
            torn
        );
        assert_eq!(disk.get(FIRST).len(), starts[2]);
        assert_eq!(journal.append(&[entry("e")]).unwrap(), 3..4);
        assert_eq!(texts(&open(&disk).unwrap()), ["a", "b", "c", "e"]);
    }
}

/// What was acknowledged and cannot be read is not cut off: neither a flipped bit in the last batch,
/// nor an end of any length that is gone, be it exactly a batch.
#[test]
fn an_end_that_was_acknowledged_is_damage_and_not_a_torn_write() {
    let (disk, starts) = three_acknowledged();
    let whole = disk.get(FIRST);
    let missing = |bytes: &[u8], acknowledged: Option<u64>| {
        disk.put(FIRST, bytes);
        let error = open(&disk).err().expect("it must not go on");
        assert_eq!(error.code(), "journal.end_missing");
        let JournalError::EndMissing {
            found,
            acknowledged: told,
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!((found, told), (3, acknowledged));
        assert_eq!(disk.get(FIRST), bytes, "a refused journal is not touched");
    };
    for at in starts[2]..whole.len() {
        missing(&whole[..at], Some(4));
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        missing(&bytes, Some(4));
    }
    // The control: what a crash tears behind it goes, and nothing else.
    disk.put(FIRST, &[&whole[..], b"a torn batch"].concat());
    assert_eq!(texts(&open(&disk).unwrap()), ["a", "b", "c", "d"]);
    assert_eq!(disk.get(FIRST), whole);
    // Where no mark tells, or none that can be read, only a whole end is taken.
    let mark = disk.get(MARK_FILE);
    for mark in [None, Some(vec![0; mark.len()]), Some(mark[..10].to_vec())] {
        disk.remove(MARK_FILE);
        if let Some(mark) = mark {
            disk.put(MARK_FILE, &mark);
        }
        missing(&whole[..whole.len() - 1], None);
        disk.put(FIRST, &whole);
        assert_eq!(texts(&open(&disk).unwrap()), ["a", "b", "c", "d"]);
    }
}

/// The last segments are gone: the journal looks whole and is not.
#[test]
fn a_journal_without_its_last_segment_is_refused() {
    let (disk, names) = several();
    disk.remove(&names[names.len() - 1]);
    assert_eq!(open(&disk).err().unwrap().code(), "journal.end_missing");
}

/// An operator who has no better copy gives the end up; not where something signed rests on it.
#[test]
fn what_is_given_up_is_kept_beside_and_nothing_signed_is() {
    let dir = Dir::create();
    let mut journal = Journal::open(&dir.0).unwrap();
    journal.append(&[entry("a"), entry("b")]).unwrap();
    journal.append(&[entry("c")]).unwrap();
    drop(journal);
    let mut guard = Guard::open(&dir.0).unwrap();
    guard.begin_or_refuse(0).unwrap();
    let path = dir.0.join("journal").join(FIRST);
    let whole = fs::read(&path).unwrap();
    assert_eq!(give_up(&dir.0).unwrap(), None, "nothing is missing");
    let mut damaged = whole.clone();
    let last = damaged.len() - 5;
    damaged[last] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert_eq!(check(&dir.0).unwrap_err().code(), "journal.end_missing");
    let text = Journal::open(&dir.0).err().unwrap().to_string();
    assert!(
        text.contains("3 were acknowledged: 1 are missing"),
        "{text}"
    );
    let signed = |journal| Signed {
        size: 0,
        root: protocol::log::tree::empty_root(),
        journal,
    };
    guard.advance(signed(3)).unwrap();
    let text = give_up(&dir.0).unwrap_err().to_string();
    assert!(
        text.contains("1 of the missing ones are among these"),
        "{text}"
    );
    assert!(text.contains("is not possible here"), "{text}");
    assert!(!text.contains("goes on from what can be read"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), damaged);
    guard.advance(signed(2)).unwrap();
    let text = check(&dir.0).unwrap_err().to_string();
    assert!(
        text.contains("rests on the first 2: all of these are there"),
        "{text}"
    );
    assert!(text.contains("goes on from what can be read"), "{text}");
    let given_up = give_up(&dir.0).unwrap().unwrap();
    assert_eq!((given_up.entries, given_up.acknowledged), (2, Some(3)));
    let kept = fs::read(given_up.kept.unwrap()).unwrap();
    assert_eq!(kept, damaged[damaged.len() - kept.len()..]);
    check(&dir.0).unwrap();
    let mut journal = Journal::open(&dir.0).unwrap();
    assert_eq!(texts(&journal), ["a", "b"]);
    journal.append(&[entry("c again")]).unwrap();
}

#[test]
fn a_bad_bit_is_cut_off_in_the_last_batch_and_refused_before() {
    let (disk, starts) = three();
    let whole = disk.get(FIRST);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        disk.put(FIRST, &bytes);
        if at >= starts[2] {
            assert_eq!(texts(&open(&disk).unwrap()), ["a", "b", "c"], "byte {at}");
            continue;
        }
        let Err(JournalError::Damaged { path, offset, .. }) = open(&disk) else {
            panic!("byte {at} accepted")
        };
        assert_eq!(path, Path::new("/fake").join(FIRST));
        let begins = starts
            .iter()
            .rev()
            .find(|start| **start <= at)
            .copied()
            .unwrap_or(0);
        assert_eq!(offset, begins as u64, "byte {at}");
        assert_eq!(disk.get(FIRST), bytes, "a refused journal is not touched");
    }
}

#[test]
fn the_refusal_says_where_and_what_to_do() {
    let (disk, starts) = three();
    let mut bytes = disk.get(FIRST);
    bytes[starts[1] + BATCH_HEAD + ENTRY_HEAD] ^= 1;
    disk.put(FIRST, &bytes);
    let message = open(&disk).err().unwrap().to_string();
    for part in [
        FIRST,
        &format!("at byte {}", starts[1]),
        "public part fails its CRC",
        "restore the directory from the newest backup",
        "parent",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn zeros_behind_the_last_batch_are_cut_off() {
    let (disk, _) = three();
    let whole = disk.get(FIRST);
    let mut bytes = whole.clone();
    bytes.resize(whole.len() + 3_000_000, 0);
    disk.put(FIRST, &bytes);
    assert_eq!(texts(&open(&disk).unwrap()).len(), 4);
    assert_eq!(disk.get(FIRST), whole);
}

#[test]
fn a_valid_batch_far_behind_the_bad_one_is_found() {
    // The search reads windows of 1 MiB: put the valid batch around their seams.
    let (disk, starts) = three();
    let whole = disk.get(FIRST);
    for distance in [
        1,
        100,
        (1 << 20) - 8,
        (1 << 20) - 7,
        (1 << 20) - 1,
        1 << 20,
        (1 << 20) + 1,
        3 << 20,
    ] {
        let mut bytes = whole[..starts[2]].to_vec();
        bytes.resize(starts[2] + distance, 0xEE);
        bytes.extend(&whole[starts[2]..]);
        disk.put(FIRST, &bytes);
        assert_eq!(
            open(&disk).err().unwrap().code(),
            "journal.damaged",
            "{distance}"
        );
    }
}

#[test]
fn a_torn_document_that_contains_a_journal_is_only_torn() {
    // Somebody makes us record a document that is itself a journal, and the power goes while it is
    // written.
    let (other, _) = three();
    let disk = FailingDisk::new();
    let mut journal = Journal::open_on(disk.boxed(), SEGMENT_BYTES).unwrap();
    journal.append(&[entry("a")]).unwrap();
    let (good, mark) = (journal.bytes() as usize, disk.get(MARK_FILE));
    journal
        .append(&[Entry {
            kind: 0,
            public: other.get(FIRST),
            sealed: None,
        }])
        .unwrap();
    let mut bytes = disk.get(FIRST);
    bytes[good..good + BATCH_HEAD].fill(0);
    disk.put(FIRST, &bytes);
    // It was torn before anybody was told.
    disk.put(MARK_FILE, &mark);
    assert_eq!(texts(&open(&disk).unwrap()), ["a"]);
}

#[test]
fn damage_in_an_earlier_segment_is_refused() {
    let (disk, names) = several();
    for name in &names[..names.len() - 1] {
        let whole = disk.get(name);
        // Also the very last byte, also a cut: nothing in an earlier segment can be torn.
        for bytes in [
            whole[..whole.len() - 1].to_vec(),
            whole[..HEADER].to_vec(),
            vec![],
            {
                let mut bytes = whole.clone();
                *bytes.last_mut().unwrap() ^= 1;
                bytes
            },
        ] {
            disk.put(name, &bytes);
            let code = open(&disk).err().unwrap().code();
            assert!(
                ["journal.damaged", "journal.missing_segment"].contains(&code.as_str()),
                "{name}: {code}"
            );
        }
        disk.put(name, &whole);
    }
    assert_eq!(open(&disk).unwrap().next_seq(), 6);
}

#[test]
fn a_missing_segment_is_named() {
    let (disk, names) = several();
    for name in &names[..names.len() - 1] {
        let whole = disk.get(name);
        disk.remove(name);
        let error = open(&disk).err().unwrap();
        assert_eq!(error.code(), "journal.missing_segment");
        assert!(
            error
                .to_string()
                .contains(&format!("expected /fake/{name}")),
            "{error}"
        );
        disk.put(name, &whole);
    }
}

#[test]
fn a_segment_of_another_journal_is_refused() {
    let (disk, names) = several();
    let other = FailingDisk::new();
    let mut journal = open(&other).unwrap();
    for text in ["one", "TWO", "three", "four", "five", "six"] {
        journal.append(&[entry(text)]).unwrap();
    }
    let last = names.last().unwrap();
    disk.put(last, &other.get(last));
    let error = open(&disk).err().unwrap();
    assert!(error.to_string().contains("another journal"), "{error}");
}

#[test]
fn a_file_that_only_looks_like_a_segment_is_refused() {
    let (disk, _) = several();
    disk.put("1.seg", b"");
    assert_eq!(open(&disk).err().unwrap().code(), "journal.damaged");
    disk.remove("1.seg");
    disk.put("notes.txt", b"ignored");
    assert_eq!(texts(&open(&disk).unwrap()).len(), 6);
}

#[test]
fn a_newer_format_is_refused_without_calling_it_damage() {
    let disk = FailingDisk::new();
    disk.put(FIRST, &header_of_version(2));
    let error = open(&disk).err().unwrap();
    assert_eq!(error.code(), "journal.unknown_version");
    assert!(
        error.to_string().contains("format 2, this program knows 1"),
        "{error}"
    );
}

#[test]
fn rot_after_opening_is_noticed_by_reading() {
    let (disk, starts) = three();
    let journal = open(&disk).unwrap();
    let mut bytes = disk.get(FIRST);
    bytes[starts[1] + BATCH_HEAD + ENTRY_HEAD] ^= 1;
    disk.put(FIRST, &bytes);
    assert_eq!(journal.read(1).unwrap_err().code(), "journal.damaged");
    let read: Vec<_> = journal.read_from(0).collect();
    assert!(
        read.len() == 2 && read[0].is_ok() && read[1].is_err(),
        "the stream ends after the error"
    );
    assert_eq!(journal.read(2).unwrap().public, b"c");
}

#[test]
fn erasing_keeps_the_public_part_and_leaves_no_byte_of_the_sealed_one() {
    let (disk, _) = three();
    let mut journal = Journal::open_on(disk.boxed(), SEGMENT_BYTES).unwrap();
    journal.erase_sealed(1).unwrap();
    journal.erase_sealed(1).unwrap();
    assert_eq!(
        journal.erase_sealed(4).unwrap_err().code(),
        "journal.no_such_entry"
    );
    journal
        .append(&[Entry {
            kind: 0,
            public: b"e".to_vec(),
            sealed: None,
        }])
        .unwrap();
    assert_eq!(
        journal.erase_sealed(4).unwrap_err().code(),
        "journal.nothing_sealed"
    );
    for journal in [
        journal,
        Journal::open_on(disk.boxed(), SEGMENT_BYTES).unwrap(),
    ] {
        assert!(journal.recovered().is_clean());
        assert_eq!(
            journal.read(1).unwrap(),
            Stored {
                seq: 1,
                kind: 1,
                public: b"b".to_vec(),
                sealed: Sealed::Erased
            }
        );
        assert_eq!(
            journal.read(2).unwrap().sealed,
            Sealed::Present(b"sealed c".to_vec())
        );
    }
    let bytes = disk.get(FIRST);
    assert!(!bytes.windows(8).any(|part| part == b"sealed b"));
    assert!(bytes.windows(8).any(|part| part == b"sealed c"));
}

#[test]
fn an_interrupted_erasure_is_finished_by_opening() {
    let (disk, starts) = three();
    let mut bytes = disk.get(FIRST);
    let mark = starts[1] + BATCH_HEAD + ENTRY_HEAD + 1;
    assert_eq!(bytes[mark], LIVE);
    bytes[mark] = ERASED;
    disk.put(FIRST, &bytes);
    let journal = open(&disk).unwrap();
    assert_eq!(journal.recovered().finished_erasures, 1);
    assert_eq!(journal.read(1).unwrap().sealed, Sealed::Erased);
    assert!(!disk.get(FIRST).windows(8).any(|part| part == b"sealed b"));
    assert!(open(&disk).unwrap().recovered().is_clean());
}

#[test]
fn limits_hold_and_the_largest_batch_fits() {
    let dir = Dir::create();
    let mut journal = Journal::open(&dir.0).unwrap();
    let part = |len| Entry {
        kind: 0,
        public: vec![3; len],
        sealed: None,
    };
    assert_eq!(
        journal
            .append(&[part(MAX_PART_BYTES + 1)])
            .unwrap_err()
            .code(),
        "journal.too_large"
    );
    assert_eq!(
        journal
            .append(&[part(MAX_PART_BYTES), part(MAX_PART_BYTES)])
            .unwrap_err()
            .code(),
        "journal.too_large"
    );
    assert_eq!(journal.next_seq(), 0);
    journal
        .append(&[part(MAX_PART_BYTES), part(MAX_PART_BYTES - 2 * ENTRY_HEAD)])
        .unwrap();
    drop(journal);
    let journal = Journal::open(&dir.0).unwrap();
    assert_eq!(
        journal.read(1).unwrap().public.len(),
        MAX_PART_BYTES - 2 * ENTRY_HEAD
    );
}

#[test]
fn rotates_at_the_limit_on_a_real_disk() {
    let dir = Dir::create();
    let mut journal = Journal::open(&dir.0).unwrap();
    let part = vec![Entry {
        kind: 0,
        public: vec![3; MAX_PART_BYTES],
        sealed: None,
    }];
    for _ in 0..9 {
        journal.append(&part).unwrap();
    }
    let sizes: Vec<u64> = fs::read_dir(dir.0.join("journal"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|file| file.file_name().to_string_lossy().ends_with(".seg"))
        .map(|file| file.metadata().unwrap().len())
        .collect();
    assert_eq!(sizes.len(), 2);
    assert!(sizes.iter().all(|size| *size <= SEGMENT_BYTES));
    assert!(dir.0.join("journal/000000000007.seg").exists());
    drop(journal);
    assert_eq!(
        Journal::open(&dir.0)
            .unwrap()
            .read_from(6)
            .map(Result::unwrap)
            .count(),
        3
    );
}

#[test]
fn the_journal_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Journal>();
    shared::<Guard>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_goes_in_comes_out(batches in proptest::collection::vec(proptest::collection::vec(
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..80), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..80))), 0..4), 0..10)) {
        let disk = FailingDisk::new();
        let mut journal = open(&disk).unwrap();
        let mut all = Vec::new();
        for batch in batches {
            let batch: Vec<_> = batch.into_iter().map(|(kind, public, sealed)| Entry { kind, public, sealed }).collect();
            journal.append(&batch).unwrap();
            all.extend(batch);
        }
        let journal = open(&disk).unwrap();
        let read: Vec<_> = journal.read_from(0).map(|stored| {
            let stored = stored.unwrap();
            let sealed = match stored.sealed { Sealed::Present(bytes) => Some(bytes), _ => None };
            Entry { kind: stored.kind, public: stored.public, sealed }
        }).collect();
        prop_assert_eq!(read, all);
    }

    /// Whatever is on the disk: an answer, no panic, and never an entry that was not written.
    #[test]
    fn arbitrary_damage_never_panics(at in 0usize..700, bytes in proptest::collection::vec(any::<u8>(), 1..60), cut in 0usize..900) {
        let (disk, _) = three();
        let mut file = disk.get(FIRST);
        for (n, byte) in bytes.iter().enumerate() {
            if let Some(old) = file.get_mut(at + n) { *old = *byte; }
        }
        file.truncate(cut);
        disk.put(FIRST, &file);
        if let Ok(journal) = open(&disk) {
            let texts = texts(&journal);
            prop_assert_eq!(&texts[..], &["a", "b", "c", "d"][..texts.len()]);
        }
    }
}
