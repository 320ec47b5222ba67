//! Hash tiles, and inclusion and consistency proofs of whatever sizes: two numbers, two hashes, and
//! the proof.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::log::tile::decode_tile;
use protocol::log::{Tree, verify_consistency, verify_inclusion};

fuzz_target!(|data: &[u8]| {
    if let Ok(hashes) = decode_tile(data) {
        assert_eq!(hashes.concat(), data);
    }
    let Some((numbers, rest)) = data.split_first_chunk::<16>() else {
        return;
    };
    let (hashes, _) = rest.as_chunks::<32>();
    let [first, second, proof @ ..] = hashes else {
        return;
    };
    let number = |at: usize| u64::from_le_bytes(numbers[at..at + 8].try_into().expect("8 bytes"));
    let (a, b) = (number(0), number(8));
    let _ = verify_inclusion(first, a, b, proof, second);
    let _ = verify_consistency(a, first, b, second, proof);
    // Small ones against a tree of these leaves: nothing but its own proofs can hold.
    let tree: Tree = hashes.iter().copied().collect();
    let size = tree.len();
    let (index, old) = (a % size, b % size + 1);
    let leaf = tree.leaf(index).expect("it is there");
    let held = verify_inclusion(&leaf, index, size, proof, &tree.root()).is_ok();
    assert_eq!(
        held,
        tree.inclusion_proof(index, size).as_deref() == Some(proof)
    );
    let root = tree.root_at(old).expect("it is there");
    let held = verify_consistency(old, &root, size, &tree.root(), proof).is_ok();
    assert_eq!(
        held,
        tree.consistency_proof(old, size).as_deref() == Some(proof)
    );
});
