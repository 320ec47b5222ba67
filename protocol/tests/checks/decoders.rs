//! Hostile bytes: nothing panics, and what is read is written alike.

use crate::common::*;

static GENERATORS: LazyLock<(Catalogue, Generators)> = LazyLock::new(|| {
    let c = catalogue();
    let g = Generators::new(&c);
    (c, g)
});

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let honest: Vec<Vec<u8>> = vec![
        WORLD.desk(A).entries[0].clone(),
        WORLD.desk(A).entries[6].clone(),
        WORLD.held(A, JAN).note.as_bytes().to_vec(),
        WORLD.registries[0].as_bytes().to_vec(),
        WORLD
            .sign_receipt(&WORLD.receipt(A, JAN))
            .as_bytes()
            .to_vec(),
        serde_json::to_vec(&disclosed()).unwrap(),
        small(),
    ];
    let changes =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..6);
    (prop::sample::select(honest), changes).prop_map(|(mut bytes, changes)| {
        for (at, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    })
}

fn decode_everything(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = file::read(bytes);
    let _ = Commitment::from_bytes(bytes);
    let _ = protocol::log::tile::decode_bundle(bytes);
    let _ = protocol::log::Checkpoint::parse(&text);
    let note = Note::parse(bytes);
    let inner = note
        .as_ref()
        .map_or(text.to_string(), |n| n.text().to_string());
    let _ = Statement::parse(&inner);
    let _ = Rollup::parse(&inner);
    let _ = Receipt::parse(&inner);
    let _ = protocol::evidence::Arrivals::parse(&inner);
    let json = inner.lines().nth(1).unwrap_or(&inner);
    let _ = Catalogue::from_json(json);
    let _ = serde_json::from_str::<Registry>(json).map(|r| r.check());
    let _ = serde_json::from_str::<Commitment>(json);
    let _ = serde_json::from_str::<OpenScalar>(json);
    let root = WORLD.roots[0].vkey();
    if let Ok(note) = note {
        let _ = VerifiedRegistry::first(&note, &root);
        let _ = protocol::published::read_plan(&note, WORLD.registry.registry());
        let _ = note.verify(std::slice::from_ref(&root));
    }
    if let Ok(d) = serde_json::from_str::<Disclosure>(&text) {
        let _ = disclosure::verify(&d, &root);
    }
    let node = WORLD.registry.registry().unit(&unit(A)).unwrap();
    let mut log = UnitLog::new(node, vec![WORLD.counting.clone()]);
    log.read(&[bytes], node);
    assert_eq!(log.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        decode_everything(&bytes);
    }

    #[test]
    fn no_change_makes_a_decoder_panic(bytes in mutated()) {
        decode_everything(&bytes);
    }

    #[test]
    fn no_document_makes_a_decoder_panic(kind in "statement|rollup|receipt|registry|arrivals|plan|catalogue", json in r#"\{("(id|type|unit|period|row|log|figures|voids|units)":("[a-f0-9]{0,66}"|-?[0-9]{1,20}|\[\]|\{\}|null|true),?){0,5}\}"#) {
        decode_everything(format!("countersign/{kind}/v1\n{json}\n").as_bytes());
    }

    #[test]
    fn sums_of_rows_open_and_moved_counts_do_not(rows in proptest::collection::vec((0_usize..3, 0_usize..3, any::<u64>()), 1..12), shift in any::<prop::sample::Index>()) {
        let (_, g) = &*GENERATORS;
        let event = "person.registered";
        let columns = g.schema(event).unwrap().columns();
        prop_assert_eq!(columns, 6);
        let (mut sum, mut r, mut sums) = (zero(), Scalar::ZERO, Vec::new());
        for (into, out, blinding) in rows {
            let row = [(into, 1), (3 + out, 1)];
            let b = Scalar::from(blinding) + Scalar::ONE;
            let point = *g.commit(event, &row, &b).unwrap().point();
            sum += point;
            r += b;
            add_row(&mut sums, columns, &row, 1);
        }
        let opens = |s: &[i64], r: Scalar| g.check_opening(&sum, [(g, event, s)], &r).is_ok();
        prop_assert!(opens(&sums, r));
        prop_assert!(!opens(&sums, r + integer(1)));
        let from = shift.index(columns);
        let mut moved = sums.clone();
        moved[from] -= 1;
        moved[from / 3 * 3 + (from + 1) % 3] += 1;
        prop_assert!(!opens(&moved, r));
        prop_assert!(!opens(&sums[..5], r));
    }
}
