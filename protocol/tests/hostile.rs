//! Hostile bytes in the decoders that read no whole document: codes, periods, points, proofs,
//! tiles, keys. Nothing panics, and what is read has one text. The properties of the fuzz targets
//! of `tests/fuzz`, in every run; the documents' decoders have theirs in `checks.rs`
//! (`no_bytes_make_a_decoder_panic` and the two after it), notes and checkpoints beside their code.
#![allow(clippy::unwrap_used)]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use kit::rounds;
use proptest::collection::vec;
use proptest::prelude::*;
use protocol::commitment::{Commitment, OpenScalar};
use protocol::ids::{CertificateNumber, CreditCode, EventId, IdNumber, Tier, UnitId};
use protocol::log::delivery::Delivery;
use protocol::log::tile::{TILE_BYTES, decode_bundle, decode_tile, encode_bundle, parse_path};
use protocol::log::{Hash, Tree, leaf_hash, verify_consistency, verify_inclusion};
use protocol::note::{SigningKey, VerifierKey};
use protocol::period::{Month, Period};
use protocol::text::hex;

fn one_text<T: FromStr + Display>(text: &str) -> Result<(), TestCaseError> {
    if let Ok(read) = text.parse::<T>() {
        prop_assert_eq!(read.to_string(), text);
    }
    Ok(())
}

/// One text changed in one place: cut, doubled, another character, another case, spaces around it,
/// very long.
fn changed() -> impl Strategy<Value = String> {
    let texts = prop::sample::select(vec![
        "140321",
        "2026-01",
        "2026-Q1",
        "2026-H1",
        "2026",
        "county",
        "019b76da-a800-7000-8000-000000000001",
        "cs.v1.up.14.1403.140321.rollup",
        "tile/0/x001/x234/067.p/8",
        "tile/entries/000",
        "140321+7aa6a89e+AVhL2WalKZcrJKDAixUhqW4UpijkBhDBswl92EHq2y/a",
        "PRIVATE+KEY+140321+7aa6a89e+AQBtcCLUIHQ3si4GqJPq/gMPrrrvktvM5D2gf5yTpXBp",
    ]);
    (texts, any::<prop::sample::Index>(), any::<char>(), 0..7).prop_map(|(text, at, with, how)| {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        match how {
            0 => chars.truncate(at),
            1 => chars[at] = with,
            2 => chars.insert(at, with),
            3 => chars[at] = chars[at].to_ascii_uppercase(),
            4 => chars.extend(text.chars()),
            5 => return format!(" {text}\n"),
            _ => return text.repeat(20_000),
        }
        chars.into_iter().collect()
    })
}

fn codes(text: &str) -> Result<(), TestCaseError> {
    one_text::<UnitId>(text)?;
    one_text::<EventId>(text)?;
    one_text::<Month>(text)?;
    one_text::<Period>(text)?;
    one_text::<VerifierKey>(text)?;
    let _ = text.parse::<Tier>();
    let _ = text.parse::<IdNumber>();
    let _ = text.parse::<CertificateNumber>();
    let _ = text.parse::<CreditCode>();
    if let Ok(path) = parse_path(text) {
        prop_assert_eq!(path.path().unwrap(), text);
    }
    if let Ok(key) = SigningKey::decode(text) {
        let written = key.encode();
        prop_assert_eq!(written.as_str(), text);
    }
    Ok(())
}

#[test]
fn codes_have_one_text() {
    rounds(1000, changed(), |text| codes(&text));
    rounds(1000, "\\PC{0,40}", |text| codes(&text));
    rounds(1000, "[0-9A-Za-z./+-]{0,40}", |text| codes(&text));
}

#[test]
fn points_have_one_encoding() {
    let json = |text: &str| serde_json::from_value::<Commitment>(serde_json::Value::from(text));
    // One bit in eight or so of random 32 bytes is a point: both ways are taken.
    rounds(2000, vec(any::<u8>(), 30..34), |bytes| {
        let text = hex::encode(&bytes);
        match Commitment::from_bytes(&bytes) {
            Ok(commitment) => {
                prop_assert_eq!(
                    (
                        &commitment.as_bytes()[..],
                        &commitment.point().compress().to_bytes()[..]
                    ),
                    (&bytes[..], &bytes[..])
                );
                prop_assert_eq!(json(&text).unwrap(), commitment);
            }
            Err(_) => prop_assert!(json(&text).is_err()),
        }
        // Upper case is another text of the same bytes, and so refused; likewise one digit more.
        let upper = text.to_uppercase();
        prop_assert!(upper == text || json(&upper).is_err());
        let longer = [text.clone() + "0", text.clone() + "00"];
        prop_assert!(bytes.len() < 32 || longer.iter().all(|t| json(t).is_err()));
        if let Ok(scalar) =
            serde_json::from_value::<OpenScalar>(serde_json::Value::from(text.as_str()))
        {
            prop_assert_eq!(
                serde_json::to_value(scalar).unwrap(),
                serde_json::Value::from(text)
            );
        }
        Ok(())
    });
}

#[test]
fn proofs_and_tiles_of_any_form() {
    let hashes = vec(any::<[u8; 32]>(), 0..70);
    let sizes = || prop_oneof![0u64..80, any::<u64>(), Just(u64::MAX), Just(1 << 63)];
    rounds(
        1500,
        (
            hashes,
            sizes(),
            sizes(),
            vec(any::<u8>(), 0..100),
            0..3usize,
        ),
        |(proof, a, b, bytes, longer)| {
            let (leaf, root) = (leaf_hash(b"x"), leaf_hash(b"y"));
            // Nobody can make a proof of random hashes.
            prop_assert!(verify_inclusion(&leaf, a, b, &proof, &root).is_err());
            let trivial = a == 0 || a == b;
            prop_assert!(verify_consistency(a, &leaf, b, &root, &proof).is_err() || trivial);
            let tile: Vec<u8> = [proof.concat(), vec![0; longer]].concat();
            match decode_tile(&tile) {
                Ok(read) => prop_assert_eq!(read.concat(), tile),
                Err(_) => prop_assert!(longer > 0 || proof.is_empty() || tile.len() > TILE_BYTES),
            }
            let _ = (Delivery::read(0, &bytes), Delivery::reopen(&bytes));
            if let Ok(entries) = decode_bundle(&bytes) {
                prop_assert_eq!(
                    encode_bundle(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap(),
                    bytes
                );
            }
            Ok(())
        },
    );
    // A tree's own proofs hold, and no others do for its leaves.
    rounds(
        200,
        (vec(any::<[u8; 32]>(), 1..40), any::<u64>(), any::<u64>()),
        |(leaves, a, b): (Vec<Hash>, u64, u64)| {
            let tree: Tree = leaves.iter().copied().collect();
            let (index, old) = (a % tree.len(), b % tree.len() + 1);
            let leaf = tree.leaf(index).unwrap();
            for proof in [
                tree.inclusion_proof(index, tree.len()).unwrap(),
                tree.consistency_proof(old, tree.len()).unwrap(),
                vec![],
                leaves,
            ] {
                let held = verify_inclusion(&leaf, index, tree.len(), &proof, &tree.root()).is_ok();
                prop_assert_eq!(
                    held,
                    tree.inclusion_proof(index, tree.len()).as_ref() == Some(&proof)
                );
                let held = verify_consistency(
                    old,
                    &tree.root_at(old).unwrap(),
                    tree.len(),
                    &tree.root(),
                    &proof,
                )
                .is_ok();
                prop_assert_eq!(
                    held,
                    tree.consistency_proof(old, tree.len()).as_ref() == Some(&proof)
                );
            }
            Ok(())
        },
    );
}

#[test]
fn nothing_is_read_from_too_much() {
    fn refused<T: Debug, E>(result: Result<T, E>) {
        assert!(result.is_err());
    }
    let long = "1".repeat(1 << 21);
    refused(protocol::note::Note::parse(long.as_bytes()));
    refused(decode_tile(&vec![0; TILE_BYTES + 32]));
    refused(decode_bundle(&vec![0; 513]));
    refused(Delivery::read(0, &[0xff; 70_000]));
    refused(Delivery::read(
        0,
        &[[0, 0, 0xff].as_slice(), &[0; 255 * 32], &[0; 512]].concat(),
    ));
    refused(Commitment::from_bytes(&vec![0; 1 << 20]));
    refused(long.parse::<UnitId>());
    refused(long.parse::<Period>());
    refused(protocol::log::Checkpoint::parse(&format!("o\n{long}\nx\n")));
    refused(long.parse::<VerifierKey>());
}
