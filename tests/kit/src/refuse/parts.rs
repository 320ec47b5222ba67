//! The zip of an evidence file, written a second time after SPEC section 11.

/// One part of a zip, for files that the writer would not write.
#[derive(Clone)]
pub struct Part {
    pub path: String,
    pub bytes: Vec<u8>,
    pub deflate: bool,
    pub date: u16,
}

impl Part {
    pub(super) fn stored(path: &str, bytes: &[u8]) -> Part {
        Part {
            path: path.into(),
            bytes: bytes.to_vec(),
            deflate: false,
            date: 0x0021,
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 {
                c >> 1 ^ 0xedb8_8320
            } else {
                c >> 1
            }
        })
    };
    !bytes.iter().fold(!0, step)
}

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len]
        .iter()
        .rev()
        .fold(0, |n, b| n << 8 | usize::from(*b))
}

/// Splits a file that is right.
pub fn parts(bytes: &[u8]) -> Vec<Part> {
    let (mut at, mut all) = (0, vec![]);
    while bytes[at..].starts_with(b"PK\x03\x04") {
        let (size, name) = (number(bytes, at + 18, 4), number(bytes, at + 26, 2));
        let start = at + 30 + name;
        all.push(Part::stored(
            std::str::from_utf8(&bytes[at + 30..start]).unwrap(),
            &bytes[start..start + size],
        ));
        at = start + size;
    }
    all
}

/// SPEC section 11, written a second time.
pub fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut body, mut central) = (Vec::new(), Vec::new());
    for p in parts {
        // A deflate stream of one stored block: no compressor needed, and every unzip reads it.
        let block = || {
            let len = u16::try_from(p.bytes.len()).unwrap();
            [
                &[1][..],
                &len.to_le_bytes(),
                &(!len).to_le_bytes(),
                &p.bytes,
            ]
            .concat()
        };
        let data = if p.deflate { &block() } else { &p.bytes };
        let mut common = Vec::new();
        for field in [
            if p.deflate { 20 } else { 10 },
            0,
            if p.deflate { 8 } else { 0 },
            0,
            p.date,
        ] {
            common.extend(field.to_le_bytes());
        }
        for field in [
            crc32(&p.bytes),
            u32::try_from(data.len()).unwrap(),
            u32::try_from(p.bytes.len()).unwrap(),
        ] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(p.path.len()).unwrap().to_le_bytes());
        common.extend([0; 2]);
        let offset = u32::try_from(body.len()).unwrap().to_le_bytes();
        body.extend([b"PK\x03\x04", &common[..], p.path.as_bytes(), data].concat());
        central.extend(
            [
                b"PK\x01\x02",
                &0x030A_u16.to_le_bytes()[..],
                &common,
                &[0; 6],
                &0x81A4_0000_u32.to_le_bytes(),
                &offset,
                p.path.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let (size, offset) = (
        u32::try_from(central.len()).unwrap().to_le_bytes(),
        u32::try_from(body.len()).unwrap().to_le_bytes(),
    );
    [
        &body[..],
        &central,
        b"PK\x05\x06",
        &[0; 4],
        &count,
        &count,
        &size,
        &offset,
        &[0; 2],
    ]
    .concat()
}
