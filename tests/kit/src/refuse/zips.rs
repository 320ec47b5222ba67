//! The bytes of the evidence file: they can be written in one way only.

use super::making::*;

pub(super) fn cases(b: &mut Book) {
    let honest = file::write(&small_evidence()).unwrap();
    let all = parts(&honest);
    assert!(
        zip(&all) == honest,
        "SPEC section 11 gives other bytes than the writer"
    );
    length(b, &honest);
    local_bits(b, &honest);
    central_bits(b, &honest);
    parts_and_paths(b, &all);
    order_and_marks(b, &all);
    notes_and_bundles(b, &all);
    contents(b, &all);
}

fn bad(b: &mut Book, name: &str, case: &str, part: &str, bytes: Vec<u8>) {
    b.add(&format!("zip-{name}.zip"), case, UNREADABLE, part, bytes);
}

fn find(bytes: &[u8], needle: &[u8]) -> usize {
    bytes
        .windows(needle.len())
        .position(|w| w == needle)
        .unwrap()
}

/// Name, case, the byte that is changed, what is said.
fn flip(b: &mut Book, honest: &[u8], bits: &[(&str, &str, usize, &str)]) {
    for (name, case, at, part) in bits {
        let mut bytes = honest.to_vec();
        bytes[*at] ^= 1;
        bad(b, name, case, part, bytes);
    }
}

fn at(all: &[Part], path: &str) -> usize {
    all.iter().position(|p| p.path.contains(path)).unwrap()
}

fn change(all: &[Part], f: &dyn Fn(&mut Vec<Part>)) -> Vec<u8> {
    let mut p = all.to_vec();
    f(&mut p);
    zip(&p)
}

fn length(b: &mut Book, honest: &[u8]) {
    bad(
        b,
        "truncated",
        "the file ends in its middle",
        "evidence.zip",
        honest[..honest.len() / 2].to_vec(),
    );
    bad(
        b,
        "truncated-one",
        "the last byte is cut off",
        "evidence.",
        honest[..honest.len() - 1].to_vec(),
    );
    bad(
        b,
        "trailing",
        "one byte follows the file",
        "evidence.",
        [honest, &[0]].concat(),
    );
    bad(
        b,
        "leading",
        "one byte precedes the file",
        "evidence.",
        [&[0], honest].concat(),
    );
    bad(
        b,
        "empty",
        "a file without any bytes",
        "evidence.zip",
        vec![],
    );
}

fn local_bits(b: &mut Book, honest: &[u8]) {
    let local = |path: &str| find(honest, path.as_bytes()) - 30;
    let rollup = local("unit/140311/rollup/2026-01.1.note");
    let content = rollup + 30 + "unit/140311/rollup/2026-01.1.note".len();
    let bits = [
        (
            "byte-signature",
            "one bit of the first header's signature is changed",
            0,
            "evidence.",
        ),
        (
            "byte-local-date",
            "one bit of a date in a local header is changed",
            rollup + 12,
            "evidence.bytes",
        ),
        (
            "byte-local-flags",
            "one bit of the flags in a local header is changed",
            rollup + 7,
            "evidence.",
        ),
        (
            "byte-local-crc",
            "one bit of a checksum in a local header is changed",
            rollup + 14,
            "evidence.bytes",
        ),
        (
            "byte-local-name",
            "one bit of a path in a local header is changed",
            rollup + 30,
            "evidence.bytes",
        ),
        (
            "byte-rollup",
            "one bit of the rollup is changed, its checksum is not",
            content + 200,
            "evidence.part",
        ),
    ];
    flip(b, honest, &bits);
}

fn central_bits(b: &mut Book, honest: &[u8]) {
    let directory = find(honest, b"PK\x01\x02");
    let end = honest.len() - 22;
    let bits = [
        (
            "byte-central-made-by",
            "one bit of the system in the central directory is changed",
            directory + 5,
            "evidence.bytes",
        ),
        (
            "byte-central-attributes",
            "one bit of the attributes in the central directory is changed",
            directory + 40,
            "evidence.bytes",
        ),
        (
            "byte-central-name",
            "one bit of a path in the central directory is changed",
            directory + 46,
            "evidence.",
        ),
        (
            "byte-end-disk",
            "one bit of a disk number in the end record is changed",
            end + 4,
            "evidence.",
        ),
        (
            "byte-end-comment",
            "one bit of the comment's length is changed",
            end + 20,
            "evidence.",
        ),
    ];
    flip(b, honest, &bits);
}

fn parts_and_paths(b: &mut Book, all: &[Part]) {
    bad(
        b,
        "compressed",
        "one part is compressed (deflate)",
        "evidence.",
        change(all, &|p| p[at(all, "/rollup/")].deflate = true),
    );
    bad(
        b,
        "compressed-all",
        "every part is compressed (deflate)",
        "evidence.",
        change(all, &|p| p.iter_mut().for_each(|p| p.deflate = true)),
    );
    bad(
        b,
        "extra-file",
        "a file that does not belong there",
        "evidence.path",
        change(all, &|p| p.push(Part::stored("zzz.txt", b"hello"))),
    );
    bad(
        b,
        "extra-folder",
        "an entry for a folder",
        "evidence.path",
        change(all, &|p| {
            p.insert(at(all, "unit/"), Part::stored("unit/", b""))
        }),
    );
    bad(
        b,
        "extra-registry",
        "a registry under a path that is not its version's",
        "evidence.bytes",
        change(all, &|p| {
            p[at(all, "registry/")].path = "registry/000007.note".into()
        }),
    );
    bad(
        b,
        "other-catalogue-path",
        "the catalogue under another digest's path",
        "evidence.bytes",
        change(all, &|p| {
            p[at(all, "catalogue/")].path = format!("catalogue/sha256-{}.note", "0".repeat(64))
        }),
    );
    bad(
        b,
        "month-path",
        "a rollup whose path writes the revision as 01",
        "evidence.bytes",
        change(all, &|p| {
            p[at(all, "/rollup/")].path = "unit/140311/rollup/2026-01.01.note".into()
        }),
    );
}

fn order_and_marks(b: &mut Book, all: &[Part]) {
    bad(
        b,
        "order",
        "two parts change places",
        "evidence.bytes",
        change(all, &|p| p.swap(1, 2)),
    );
    bad(
        b,
        "no-mark",
        "the part that names the format is missing",
        "evidence.bytes",
        change(all, &|p| drop(p.remove(0))),
    );
    bad(
        b,
        "mark-content",
        "the part that names the format is not empty",
        "evidence.path",
        change(all, &|p| p[0].bytes = b"1".to_vec()),
    );
    bad(
        b,
        "other-mark",
        "the part that names the format names another version",
        "evidence.path",
        change(all, &|p| p[0].path = "countersign-evidence-v2".into()),
    );
    bad(
        b,
        "date",
        "one part has another date",
        "evidence.bytes",
        change(all, &|p| p[at(all, "/rollup/")].date = 0x5c21),
    );
    bad(
        b,
        "part-twice",
        "one part stands twice",
        "evidence.",
        change(all, &|p| p.insert(1, p[1].clone())),
    );
}

fn notes_and_bundles(b: &mut Book, all: &[Part]) {
    bad(
        b,
        "note-spare-bits",
        "a signature is written with its spare base64 bits set",
        "evidence.part",
        change(all, &|p| {
            let part = &mut p[at(all, "/rollup/")];
            let text = String::from_utf8(part.bytes.clone()).unwrap();
            let digit = text.rfind("=\n").unwrap() - 1;
            // 64 + 4 bytes leave two spare bits in the last digit, which are zero: the next digit
            // decodes to the same bytes.
            assert!(part.bytes[digit - 1].is_ascii());
            const DIGITS: &[u8] =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let n = DIGITS.iter().position(|d| *d == part.bytes[digit]).unwrap();
            part.bytes[digit] = DIGITS[n + 1];
        }),
    );
    bad(
        b,
        "note-carriage-returns",
        "the rollup's lines end with carriage return and newline",
        "evidence.part",
        change(all, &|p| {
            let part = &mut p[at(all, "/rollup/")];
            part.bytes = String::from_utf8(part.bytes.clone())
                .unwrap()
                .replace('\n', "\r\n")
                .into_bytes();
        }),
    );
    bad(
        b,
        "bundle-length",
        "the last entry of a bundle is one byte short",
        "evidence.part",
        change(all, &|p| p[at(all, "/entries/")].bytes.truncate(100)),
    );
    bad(
        b,
        "bundle-empty",
        "a bundle without entries",
        "evidence.part",
        change(all, &|p| p[at(all, "/entries/")].bytes.clear()),
    );
}

fn contents(b: &mut Book, all: &[Part]) {
    // The zip is right, its content is not: then a check says so.
    let text = |from: &str, to: &str| {
        change(all, &|p| {
            let part = &mut p[at(all, "/rollup/")];
            part.bytes =
                replaced(&String::from_utf8(part.bytes.clone()).unwrap(), from, to).into_bytes();
        })
    };
    let bytes = text("\"plans\":[\"test-plan\"]", "\"plans\":[\"test-plbn\"]");
    b.add(
        "zip-rollup-changed.zip",
        "one letter of the rollup is changed, its checksum as well",
        AUTHORSHIP,
        "not signed by a node key",
        bytes,
    );
    let bytes = change(all, &|p| {
        let part = &mut p[at(all, "/entries/")];
        let at = part
            .bytes
            .windows(9)
            .rposition(|w| w == b"08:00:00Z")
            .unwrap()
            + 7;
        part.bytes[at] ^= 1;
    });
    b.add(
        "zip-leaf-changed.zip",
        "one letter of the last leaf is changed, its checksum as well",
        AUTHORSHIP,
        "its signature is wrong",
        bytes,
    )
    .also(&[HISTORY]);
}
