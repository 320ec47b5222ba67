//! The guard: it remembers what was signed last, never goes back, and notices rolled-back data.

use kit::disk::{FailingDisk, InjectedFailure};
use kit::on_disk::Dir;
use node::journal::guard::GUARD_FILE;
use node::journal::{Guard, Signed};

fn signed(size: u64) -> Signed {
    Signed {
        size,
        root: [size as u8; 32],
        journal: size * 2,
    }
}

fn root_at(size: u64) -> Option<[u8; 32]> {
    Some([size as u8; 32])
}

#[test]
fn remembers_and_never_goes_back() {
    let disk = FailingDisk::new();
    let mut guard = Guard::open_on(disk.boxed()).unwrap();
    assert!(guard.is_missing());
    guard.check(0, |_| None).unwrap();
    guard.advance(signed(5)).unwrap();
    guard.advance(signed(5)).unwrap();
    guard.advance(signed(9)).unwrap();
    assert_eq!(
        guard.advance(signed(8)).unwrap_err().code(),
        "guard.backwards"
    );
    let forked = Signed {
        root: [0; 32],
        ..signed(9)
    };
    assert!(
        guard
            .advance(forked)
            .unwrap_err()
            .to_string()
            .contains("with another root")
    );
    disk.power_loss(1);
    let guard = Guard::open_on(disk.boxed()).unwrap();
    assert_eq!(guard.last(), Some(signed(9)));
}

#[test]
fn refuses_rolled_back_and_forked_logs() {
    let disk = FailingDisk::new();
    let mut guard = Guard::open_on(disk.boxed()).unwrap();
    guard.advance(signed(9)).unwrap();
    guard.check(9, root_at).unwrap();
    guard.check(12, root_at).unwrap();
    guard.check_journal(18).unwrap();
    let error = guard.check(8, root_at).unwrap_err();
    assert_eq!(error.code(), "guard.rolled_back");
    assert!(error.to_string().contains("old backup"), "{error}");
    assert_eq!(
        guard.check_journal(17).unwrap_err().code(),
        "guard.rolled_back"
    );
    assert_eq!(
        guard.check(12, |_| Some([0; 32])).unwrap_err().code(),
        "guard.forked"
    );
    assert_eq!(
        guard.check(12, |_| None).unwrap_err().code(),
        "guard.forked"
    );
}

#[test]
fn is_born_with_the_journal_and_missed_later() {
    let disk = FailingDisk::new();
    let mut guard = Guard::open_on(disk.boxed()).unwrap();
    assert_eq!(
        guard.begin_or_refuse(1).unwrap_err().code(),
        "guard.missing"
    );
    guard.begin_or_refuse(0).unwrap();
    let mut guard = Guard::open_on(disk.boxed()).unwrap();
    assert_eq!(
        guard.last().map(|last| (last.size, last.journal)),
        Some((0, 0))
    );
    guard.begin_or_refuse(1).unwrap();
    guard
        .check(3, |size| (size == 0).then(protocol::log::tree::empty_root))
        .unwrap();
}

/// A full disk is told as such, and the same checkpoint is noted once there is room.
#[test]
fn a_full_disk_is_survived() {
    let mut full = 0;
    for at in 0..4 {
        let disk = FailingDisk::new();
        let mut guard = Guard::open_on(disk.boxed()).unwrap();
        guard.advance(signed(3)).unwrap();
        disk.arm(at, InjectedFailure::Full);
        if let Err(error) = guard.advance(signed(4)) {
            assert_eq!(error.code(), "journal.no_space");
            full += 1;
        }
        guard.advance(signed(4)).unwrap();
        disk.power_loss(at as u64);
        assert_eq!(
            Guard::open_on(disk.boxed()).unwrap().last(),
            Some(signed(4))
        );
    }
    assert!(full > 1, "{full}");
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let disk = FailingDisk::new();
    let mut guard = Guard::open_on(disk.boxed()).unwrap();
    guard.advance(signed(77)).unwrap();
    let text = disk.get(GUARD_FILE);
    let read = |bytes: &[u8]| {
        let disk = FailingDisk::new();
        disk.put(GUARD_FILE, bytes);
        Guard::open_on(disk.boxed()).map(|guard| guard.last())
    };
    assert_eq!(read(&text).unwrap(), Some(signed(77)));
    for at in 0..text.len() {
        assert!(read(&text[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut text = text.clone();
            text[at] ^= 1 << bit;
            assert!(read(&text).is_err(), "bit {bit} of byte {at}");
        }
    }
}

/// Whatever fails, and whether or not the power goes too: what `advance` confirmed is never
/// forgotten.
#[test]
fn every_fault_at_every_operation() {
    for fault in InjectedFailure::ALL {
        for at in 0.. {
            let mut hit = false;
            for seed in 0..6 {
                let disk = FailingDisk::new();
                let mut confirmed = None;
                let mut guard = Guard::open_on(disk.boxed()).unwrap();
                guard.advance(signed(3)).unwrap();
                disk.arm(at, fault);
                for size in [4, 4, 7, 8] {
                    if guard.advance(signed(size)).is_ok() {
                        confirmed = Some(size);
                    }
                }
                hit = disk.disarm();
                match seed {
                    0 => disk.restart(),
                    _ => disk.power_loss(seed),
                }
                let guard = Guard::open_on(disk.boxed())
                    .unwrap_or_else(|error| panic!("{fault:?} at {at}, seed {seed}: {error}"));
                let last = guard.last().map_or(0, |last| last.size);
                assert!(
                    last >= confirmed.unwrap_or(3),
                    "{fault:?} at {at}, seed {seed}: {last}"
                );
            }
            if !hit {
                break;
            }
        }
    }
}

#[test]
fn real_file() {
    let dir = Dir::create();
    let mut guard = Guard::open(&dir.0).unwrap();
    guard.advance(signed(5)).unwrap();
    assert_eq!(Guard::open(&dir.0).unwrap().last(), Some(signed(5)));
    std::fs::write(dir.0.join(GUARD_FILE), "").unwrap();
    assert_eq!(Guard::open(&dir.0).err().unwrap().code(), "guard.damaged");
}
