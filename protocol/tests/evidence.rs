//! Evidence files that are read where they lie: the same report as from memory, each bundle once,
//! on any number of threads; and a file's one form, judged by the `zip` crate and by hostile files.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{LazyLock, Mutex};

use kit::refuse::{self, parts, zip};
use kit::*;
use proptest::prelude::*;
use protocol::evidence::file::{self, FileError, MAX_BYTES, Opened, Source};
use protocol::evidence::{Evidence, EvidenceSource, report};
use protocol::ids::UnitId;
use protocol::note::MAX_NOTE_BYTES;

static WORLD: LazyLock<World> = LazyLock::new(World::honest);

/// The honest world with logs of several bundles: trainings in January's clear, so that nothing has
/// to be closed again.
fn long() -> (World, Evidence) {
    let mut w = World::empty();
    let registry = w.registry.clone();
    for (id, trainings) in [(A, 700), (B, 300)] {
        let desk = w.units.get_mut(&unit(id)).unwrap();
        for n in 0..trainings {
            let person = [
                ("id_no", text(&id_no(n))),
                ("occurred_on", text("2026-01-03")),
            ];
            desk.sealed(JAN, "person.registered", &person);
        }
        desk.close(JAN, 1, &registry, &[], vec![]);
    }
    let mut evidence = w.evidence();
    evidence.units.retain(|id, _| [A, B].contains(&id.as_str()));
    evidence.arrivals = None;
    (w, evidence)
}

fn said(report: &report::Report) -> serde_json::Value {
    serde_json::to_value(report).unwrap()
}

/// Counts what is asked for.
struct Counted<'a> {
    shown: &'a dyn EvidenceSource,
    asked: Mutex<BTreeMap<(UnitId, usize), u32>>,
}

impl EvidenceSource for Counted<'_> {
    fn notes(&self) -> &Evidence {
        self.shown.notes()
    }
    fn bundle(&self, unit: &UnitId, n: usize) -> Result<Option<Cow<'_, [Vec<u8>]>>, FileError> {
        *self
            .asked
            .lock()
            .unwrap()
            .entry((unit.clone(), n))
            .or_default() += 1;
        self.shown.bundle(unit, n)
    }
}

#[test]
fn a_file_is_verified_where_it_lies() {
    let (w, evidence) = long();
    let root = w.roots[0].vkey();
    let whole = report::verify(&evidence, &root).unwrap();
    assert!(
        whole.holds() && whole.leaves > 1000,
        "{:?}",
        whole.failures().collect::<Vec<_>>()
    );
    let bytes = file::write(&evidence).unwrap();
    assert!(
        parts(&bytes)
            .iter()
            .filter(|p| p.path.contains("/entries/"))
            .count()
            >= 5
    );
    let opened = Opened::new(&bytes[..]).unwrap();
    assert!(
        opened.notes().units.values().all(|u| u.entries.is_empty()),
        "entries stay where they are"
    );
    for threads in [0, 1, 2, 3, 100] {
        let counted = Counted {
            shown: &opened,
            asked: Mutex::default(),
        };
        let report = report::verify_on(threads, &counted, &root).unwrap();
        assert_eq!(said(&report), said(&whole), "{threads} threads");
        let asked = counted.asked.into_inner().unwrap();
        assert!(asked.values().all(|n| *n == 1), "{asked:?}");
        // A's 704 entries are three bundles and B's 304 two; of each the end is asked for, too.
        assert_eq!(asked.len(), 4 + 3);
    }
    // Written again from the file, bundle by bundle, and read back whole.
    assert!(file::write_to(&opened, Vec::new()).unwrap() == bytes);
    assert_eq!(file::read(&bytes).unwrap(), evidence);
}

/// The first thing in the order of the units, whoever finds his first.
#[test]
fn the_same_thing_is_named_on_any_number_of_threads() {
    let (w, mut evidence) = long();
    for unit in evidence.units.values_mut() {
        unit.entries.push(b"x".to_vec());
    }
    let root = w.roots[0].vkey();
    let alone = report::verify(&evidence, &root).unwrap_err();
    assert!(
        alone.to_string().starts_with(B)
            && alone.to_string().contains("behind its last checkpoint"),
        "{alone}"
    );
    for threads in 1..8 {
        assert_eq!(
            report::verify_on(threads, &evidence, &root).unwrap_err(),
            alone
        );
    }
}

/// A bundle that is wrong shows when it is read, which every verification does.
#[test]
fn a_bundle_is_refused_when_it_is_reached() {
    let (w, evidence) = long();
    let root = w.roots[0].vkey();
    let honest = file::write(&evidence).unwrap();
    let all = parts(&honest);
    let bundles: Vec<usize> = (0..all.len())
        .filter(|n| all[*n].path.contains(&format!("{A}/entries/")))
        .collect();
    let refused = |change: &dyn Fn(&mut Vec<refuse::Part>), code: &str| {
        let mut changed = all.clone();
        change(&mut changed);
        let bytes = zip(&changed);
        let opened = Opened::new(&bytes[..]).unwrap();
        let error = report::verify_on(2, &opened, &root)
            .unwrap_err()
            .to_string();
        assert!(error.contains(code), "{error}");
        assert!(file::read(&bytes).unwrap_err().to_string().contains(code));
    };
    refused(&|p| drop(p[bundles[0]].bytes.drain(..1)), "evidence.part");
    // 255 entries where 256 belong.
    refused(
        &|p| {
            let first = protocol::log::tile::decode_bundle(&p[bundles[0]].bytes).unwrap();
            let keep = p[bundles[0]].bytes.len() - first[255].len() - 2;
            p[bundles[0]].bytes.truncate(keep);
        },
        "evidence.bytes",
    );
    // The directory says what the parts' own headers do not: found when the part is read.
    let at = honest
        .windows(all[bundles[1]].path.len())
        .position(|w| w == all[bundles[1]].path.as_bytes())
        .unwrap();
    for (offset, code) in [
        (at - 30 + 10, "evidence.bytes"),
        (at + 100, "evidence.part"),
    ] {
        let mut bytes = honest.clone();
        bytes[offset] ^= 1;
        let opened = Opened::new(&bytes[..]).unwrap();
        assert!(
            report::verify(&opened, &root)
                .unwrap_err()
                .to_string()
                .contains(code)
        );
    }
}

/// A disk that fails, or a file that is cut while it is read.
struct Failing<'a>(&'a [u8], u64);

impl Source for Failing<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset == self.1 {
            Err(io::Error::other("the disk is gone"))
        } else {
            self.0.read_at(offset, buffer)
        }
    }
}

#[test]
fn a_disk_that_fails_is_told() {
    let (w, evidence) = long();
    let root = w.roots[0].vkey();
    let bytes = file::write(&evidence).unwrap();
    let mut offsets = vec![
        bytes.len() as u64 - 22,
        u64::from(u32::from_le_bytes(
            bytes[bytes.len() - 6..][..4].try_into().unwrap(),
        )),
    ];
    let mut at = 0;
    for part in parts(&bytes) {
        offsets.push(at);
        at += 30 + part.path.len() as u64 + part.bytes.len() as u64;
    }
    for offset in offsets {
        let result = Opened::new(Failing(&bytes, offset))
            .map_err(Into::into)
            .and_then(|o| report::verify_on(2, &o, &root));
        assert!(
            result.unwrap_err().to_string().contains("the disk is gone"),
            "{offset}"
        );
    }
    let full = file::write_to(&evidence, &mut [0; 1000][..]).unwrap_err();
    assert!(matches!(full, FileError::Write(_)), "{full}");
}

/// Sizes that would have to be read before anything could be known of them.
#[test]
fn a_file_that_claims_much_is_refused_before_it_is_read() {
    let honest = file::write(&small_evidence()).unwrap();
    let end = honest.len() - 22;
    let mut huge = parts(&honest);
    huge[1].path = "x".repeat(129);
    let changed = |at: usize, with: &[u8]| {
        let mut bytes = honest.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        bytes
    };
    for (what, bytes) in [
        (
            "a directory of 4 GiB",
            changed(end + 12, &u32::MAX.to_le_bytes()),
        ),
        (
            "a directory that begins behind the file",
            changed(end + 16, &u32::MAX.to_le_bytes()),
        ),
        ("65,535 parts", changed(end + 8, &[255; 4])),
        ("no parts", changed(end + 8, &[0; 4])),
        (
            "an empty zip",
            honest[end..]
                .iter()
                .enumerate()
                .map(|(n, b)| if n < 4 { *b } else { 0 })
                .collect(),
        ),
    ] {
        let error = file::read(&bytes).unwrap_err();
        assert!(
            matches!(error, FileError::Bytes | FileError::Zip(_)),
            "{what}: {error}"
        );
    }
    /// Longer than one file can be; nobody may read it.
    struct Long;
    impl Source for Long {
        fn size(&self) -> u64 {
            MAX_BYTES + 1
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            panic!("was read")
        }
    }
    assert_eq!(Opened::new(Long).map(|_| ()), Err(FileError::Large));
    let path = file::read(&zip(&huge)).unwrap_err();
    assert!(matches!(path, FileError::Path(_)), "{path}");
    // The directory alone: parts of long paths would make it long.
    huge.iter_mut().for_each(|p| p.path = "x".repeat(300));
    assert!(
        file::read(&zip(&huge))
            .unwrap_err()
            .to_string()
            .contains("directory is too long")
    );
    let mut big = parts(&honest);
    let note = big.iter().position(|p| p.path == "arrivals.note").unwrap();
    big[note].bytes = vec![b'a'; MAX_NOTE_BYTES + 1];
    let claims = file::read(&zip(&big)).unwrap_err().to_string();
    assert!(
        claims.contains("arrivals.note: has 1048577 bytes, at most 1048576"),
        "{claims}"
    );
}

#[test]
fn more_than_a_file_can_hold_is_not_written() {
    let mut evidence = small_evidence();
    let part = evidence.units.values_mut().next().unwrap();
    let receipt = part.receipts.values().next().unwrap().clone();
    let (month, revision, _) = *part.receipts.keys().next().unwrap();
    for n in 1..65_600 {
        part.receipts.insert((month, revision, n), receipt.clone());
    }
    assert_eq!(
        file::write_to(&evidence, io::sink()).map(|_| ()),
        Err(FileError::Large)
    );
    let mut twice = small_evidence();
    twice.catalogues.push(twice.catalogues[0].clone());
    assert!(matches!(file::write(&twice), Err(FileError::Part { .. })));
}

/// The `zip` crate reads our files, and told all that it would otherwise take from the clock and
/// the system, writes the same bytes.
#[test]
fn the_zip_crate_agrees() {
    let (_, long) = long();
    for evidence in [small_evidence(), WORLD.evidence(), long] {
        let bytes = file::write(&evidence).unwrap();
        let mut archive = ::zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let options = ::zip::write::SimpleFileOptions::default()
            .compression_method(::zip::CompressionMethod::Stored)
            .last_modified_time(::zip::DateTime::default())
            .system(::zip::System::Unix)
            .unix_permissions(0o644);
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        for n in 0..archive.len() {
            let mut part = archive.by_index(n).unwrap();
            let mut content = Vec::new();
            part.read_to_end(&mut content).unwrap();
            writer.start_file(part.name().unwrap(), options).unwrap();
            writer.write_all(&content).unwrap();
        }
        assert!(writer.finish().unwrap().into_inner() == bytes);
    }
}

/// Mail gateways and archive programs pack the parts anew: that is told apart from a changed byte,
/// and refused all the same.
#[test]
fn a_file_that_was_packed_anew_is_told_as_such() {
    let bytes = file::write(&small_evidence()).unwrap();
    let mut archive = ::zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let time = ::zip::DateTime::from_date_and_time(2026, 11, 27, 22, 38, 44).unwrap();
    let options = ::zip::write::SimpleFileOptions::default()
        .compression_method(::zip::CompressionMethod::Stored)
        .last_modified_time(time);
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..archive.len() {
        let part = archive.by_index_raw(n).unwrap();
        let name = part.name().unwrap().to_string();
        drop(part);
        let mut content = Vec::new();
        archive
            .by_index(n)
            .unwrap()
            .read_to_end(&mut content)
            .unwrap();
        writer.start_file(&*name, options).unwrap();
        writer.write_all(&content).unwrap();
    }
    let repacked = writer.finish().unwrap().into_inner();
    assert_eq!(file::read(&repacked), Err(FileError::Repacked));
    // One part that says another day is a changed byte.
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    for at in directory + 4..directory + 16 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(file::read(&changed), Err(FileError::Bytes), "byte {at}");
    }
    let cut = &repacked[..repacked.len() - 30];
    assert_ne!(file::read(cut), Err(FileError::Repacked));
}

/// Whatever is cut, doubled, moved or overwritten: a file that is still read has the one form of
/// its content.
#[test]
fn a_file_that_is_read_is_written_alike() {
    let honest = file::write(&small_evidence()).unwrap();
    let mut longer = small_evidence();
    longer.units.extend(WORLD.evidence().units);
    let longer = file::write(&longer).unwrap();
    let at = any::<prop::sample::Index>;
    let change = (0..6, at(), at(), at(), any::<u8>());
    let changes = (any::<bool>(), proptest::collection::vec(change, 1..4));
    rounds(3_000, changes, |(which, changes)| {
        let mut bytes = if which {
            honest.clone()
        } else {
            longer.clone()
        };
        for (how, a, b, c, byte) in changes {
            if bytes.len() < 3 {
                break;
            }
            // Most of what is interesting is at the end, in the directory.
            let place = |i: prop::sample::Index| {
                if byte % 2 == 0 {
                    bytes.len() - 1 - i.index(bytes.len().min(2_500))
                } else {
                    i.index(bytes.len())
                }
            };
            let (from, to, at) = (place(a).min(place(b)), place(a).max(place(b)), place(c));
            match how {
                0 => drop(bytes.drain(from..to)),
                1 => {
                    let copy = bytes[from..to].to_vec();
                    drop(bytes.splice(at..at, copy));
                }
                2 => {
                    let moved: Vec<u8> = bytes.drain(from..to).collect();
                    let at = at.min(bytes.len());
                    drop(bytes.splice(at..at, moved));
                }
                3 => bytes[at] = byte,
                4 => bytes[at] ^= 1 << (byte % 8),
                _ => bytes.truncate(at),
            }
        }
        if let Ok(read) = file::read(&bytes) {
            prop_assert!(file::write(&read).as_deref() == Ok(&bytes[..]));
        }
        Ok(())
    });
}

/// The same where the zip around the parts is right.
#[test]
fn parts_have_one_order_and_one_name() {
    let honest = file::write(&WORLD.evidence()).unwrap();
    let all = parts(&honest);
    let at = any::<prop::sample::Index>;
    let paths = prop::sample::select(vec![
        "unit/140311/rollup/2026-01.1.note",
        "unit/140311/rollup/2026-01.01.note",
        "unit/140311/rollup/2026-1.1.note",
        "unit/140311/entries/0",
        "unit/140311/entries/000000",
        "unit/140311/entries/000001",
        "unit/140311/checkpoint/+5.note",
        "unit/140311/receipt/2026-01.1.1.note",
        "registry/000001.note",
        "registry/1.note",
        "arrivals.note",
        "unit/../arrivals.note",
        "countersign-evidence-v1",
        "",
    ]);
    let changes = proptest::collection::vec((0..4, at(), at(), paths), 1..4);
    rounds(1_500, changes, |changes| {
        let mut parts = all.clone();
        for (how, a, b, path) in changes {
            let (a, b) = (a.index(parts.len()), b.index(parts.len()));
            match how {
                0 => parts.swap(a, b),
                1 => drop(parts.remove(a)),
                2 => parts.insert(b, parts[a].clone()),
                _ => parts[a].path = path.into(),
            }
            if parts.is_empty() {
                break;
            }
        }
        let bytes = zip(&parts);
        if let Ok(read) = file::read(&bytes) {
            prop_assert!(file::write(&read).as_deref() == Ok(&bytes[..]));
        }
        Ok(())
    });
}
