//! How a log is cut into files: C2SP `tlog-tiles` (`c2sp.org/tlog-tiles` v0.1).
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]       up to 256 hashes of level L: at level 0 the leaf hashes, above the roots of the full tiles below
//! tile/entries/<N>[.p/<W>]   up to 256 entries: length (2 bytes, big-endian) and bytes, repeated
//! ```
//!
//! N is written in groups of three digits, all but the last with an `x` before them (1234067 is
//! `x001/x234/067`). W is the width of a partial tile, 1 to 255. A full tile never changes; a
//! partial one is never rewritten, a wider one is written beside it.

use super::checkpoint::MAX_SIZE;
use super::tree::{Hash, Tree};

/// Levels of the tree in one tile.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Bytes of a full hash tile.
pub const TILE_BYTES: usize = TILE_WIDTH as usize * 32;
/// Highest level of a tile. The format allows 63; a tree of 2^63 leaves needs no more than 7.
pub const MAX_LEVEL: u8 = 63;
/// Most entries of a bundle.
pub const MAX_BUNDLE_ENTRIES: usize = TILE_WIDTH as usize;
/// Longest entry.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;
/// Longest bundle.
pub const MAX_BUNDLE_BYTES: usize = MAX_BUNDLE_ENTRIES * (2 + MAX_ENTRY_BYTES);

/// What is wrong with a tile, a bundle or a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A level above 63.
    #[error("tile level {level} is above {MAX_LEVEL}")]
    Level {
        /// The level.
        level: u8,
    },
    /// A width that is not 1 to 256.
    #[error("a tile of width {width}: must be 1 to {TILE_WIDTH}")]
    Width {
        /// The width.
        width: usize,
    },
    /// A number that no tree has. The same bound as in a checkpoint and in other implementations,
    /// whose numbers have a sign.
    #[error("tile number {n} is above {MAX_SIZE}")]
    Number {
        /// The number.
        n: u64,
    },
    /// Not a path of a tile.
    #[error(
        "not the path of a tile: write tile/<level>/<number> or tile/entries/<number>, with .p/<width> for a partial one"
    )]
    Path,
    /// Too long an entry.
    #[error("entry {at} of the bundle has {found} bytes, at most {MAX_ENTRY_BYTES} are allowed")]
    EntryTooLong {
        /// Its place in the bundle, from 0.
        at: usize,
        /// Its length.
        found: usize,
    },
    /// A bundle ends inside an entry.
    #[error("the bundle ends inside its entry {at}: it was cut off, fetch it again")]
    Truncated {
        /// The entry's place in the bundle, from 0.
        at: usize,
    },
    /// Bytes behind the last entry that a bundle may have.
    #[error("the bundle has more than {MAX_BUNDLE_ENTRIES} entries, or bytes behind the last")]
    TrailingBytes,
    /// A hash tile whose length is not a multiple of 32.
    #[error("a hash tile of {found} bytes: must be 32 for each of 1 to {TILE_WIDTH} hashes")]
    TileLength {
        /// How many bytes it has.
        found: usize,
    },
}

impl TileError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Level { .. } => "tile.level",
            Self::Width { .. } => "tile.width",
            Self::Number { .. } => "tile.number",
            Self::Path => "tile.path",
            Self::EntryTooLong { .. } => "tile.entry_too_long",
            Self::Truncated { .. } => "tile.truncated",
            Self::TrailingBytes => "tile.trailing_bytes",
            Self::TileLength { .. } => "tile.length",
        }
    }
}

/// Which file of a log a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// A hash tile.
    Hashes {
        /// The level, 0 to 63.
        level: u8,
        /// The number in its level, below 2^63.
        n: u64,
        /// 1 to 256.
        width: u16,
    },
    /// A bundle of entries.
    Entries {
        /// The number, below 2^63.
        n: u64,
        /// 1 to 256.
        width: u16,
    },
}

impl TilePath {
    /// The path, relative to the log's root.
    pub fn path(&self) -> Result<String, TileError> {
        match *self {
            Self::Hashes { level, n, width } => tile_path(level, n, width),
            Self::Entries { n, width } => entries_path(n, width),
        }
    }
}

/// The path of a hash tile, such as `tile/0/x001/x234/067.p/8`. Width 256 is a full tile.
pub fn tile_path(level: u8, n: u64, width: u16) -> Result<String, TileError> {
    if level > MAX_LEVEL {
        return Err(TileError::Level { level });
    }
    Ok(format!("tile/{level}/{}", number(n, width)?))
}

/// The path of an entry bundle, such as `tile/entries/000`. Width 256 is a full bundle.
pub fn entries_path(n: u64, width: u16) -> Result<String, TileError> {
    Ok(format!("tile/entries/{}", number(n, width)?))
}

fn number(n: u64, width: u16) -> Result<String, TileError> {
    if width == 0 || width > TILE_WIDTH {
        return Err(TileError::Width {
            width: width.into(),
        });
    }
    if n > MAX_SIZE {
        return Err(TileError::Number { n });
    }
    let mut text = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH {
        text += &format!(".p/{width}");
    }
    Ok(text)
}

/// Reads a path. Only the one text that [`tile_path`] and [`entries_path`] write is accepted.
pub fn parse_path(path: &str) -> Result<TilePath, TileError> {
    let parsed = parse_loosely(path).ok_or(TileError::Path)?;
    if parsed.path().as_deref() == Ok(path) {
        Ok(parsed)
    } else {
        Err(TileError::Path)
    }
}

fn parse_loosely(path: &str) -> Option<TilePath> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, width.parse().ok()?),
        None => (rest, TILE_WIDTH),
    };
    let mut n = 0u64;
    for group in groups.split('/') {
        let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        n = n.checked_mul(1000)?.checked_add(group)?;
    }
    match kind {
        "entries" => Some(TilePath::Entries { n, width }),
        level => Some(TilePath::Hashes {
            level: level.parse().ok()?,
            n,
            width,
        }),
    }
}

/// How many hashes tile `n` of a level has in a tree of `size` leaves; 0 if there is no such tile.
pub fn tile_width(level: u8, n: u64, size: u64) -> u16 {
    let hashes = size
        .checked_shr(TILE_HEIGHT * u32::from(level))
        .unwrap_or(0);
    let before = n.saturating_mul(TILE_WIDTH.into());
    // At most 256, so it fits.
    hashes.saturating_sub(before).min(TILE_WIDTH.into()) as u16
}

/// The hash tiles that must be written when a log grows from `old` to `new` leaves: (level, number,
/// width), lowest level first. Entry bundles have the numbers and widths of level 0.
pub fn new_tiles(old: u64, new: u64) -> Vec<(u8, u64, u16)> {
    let mut tiles = Vec::new();
    for level in 0..u64::BITS.div_ceil(TILE_HEIGHT) as u8 {
        let shift = TILE_HEIGHT * u32::from(level);
        let (from, to) = (old >> shift, new >> shift);
        if to > from {
            let numbers = from / u64::from(TILE_WIDTH)..to.div_ceil(TILE_WIDTH.into());
            tiles.extend(numbers.map(|n| (level, n, tile_width(level, n, new))));
        }
    }
    tiles
}

/// The bytes of hash tile `n` of a level, as wide as it is in the tree of `size` leaves. `None` if
/// that is no tile of this tree.
pub fn hash_tile(tree: &Tree, level: u8, n: u64, size: u64) -> Option<Vec<u8>> {
    let width = tile_width(level, n, size);
    if width == 0 || size > tree.len() {
        return None;
    }
    let first = n * u64::from(TILE_WIDTH);
    let mut bytes = Vec::with_capacity(usize::from(width) * 32);
    for index in first..first + u64::from(width) {
        bytes.extend(tree.subtree(TILE_HEIGHT * u32::from(level), index)?);
    }
    Some(bytes)
}

/// The hashes of a tile: 1 to 256.
pub fn decode_tile(bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.is_empty() || !rest.is_empty() || bytes.len() > TILE_BYTES {
        return Err(TileError::TileLength { found: bytes.len() });
    }
    Ok(hashes.to_vec())
}

/// A bundle of 1 to 256 entries.
pub fn encode_bundle(entries: &[&[u8]]) -> Result<Vec<u8>, TileError> {
    if entries.is_empty() || entries.len() > MAX_BUNDLE_ENTRIES {
        return Err(TileError::Width {
            width: entries.len(),
        });
    }
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| entry.len() + 2).sum());
    for (at, entry) in entries.iter().enumerate() {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong {
            at,
            found: entry.len(),
        })?;
        bytes.extend(length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle: 1 to 256, and nothing behind them.
pub fn decode_bundle(bytes: &[u8]) -> Result<Vec<Vec<u8>>, TileError> {
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let at = entries.len();
        if at == MAX_BUNDLE_ENTRIES {
            return Err(TileError::TrailingBytes);
        }
        let cut = TileError::Truncated { at };
        let (length, behind) = rest.split_first_chunk::<2>().ok_or(cut.clone())?;
        let (entry, behind) = behind
            .split_at_checked(u16::from_be_bytes(*length).into())
            .ok_or(cut)?;
        entries.push(entry.to_vec());
        rest = behind;
    }
    if entries.is_empty() {
        return Err(TileError::Width { width: 0 });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tree::{leaf_hash, root_of};
    use proptest::prelude::*;

    #[test]
    fn paths_of_the_specification() {
        for (level, n, width, path) in [
            (0, 1_234_067, 256, "tile/0/x001/x234/067"),
            (0, 0, 256, "tile/0/000"),
            (1, 999, 255, "tile/1/999.p/255"),
            (2, 1000, 1, "tile/2/x001/000.p/1"),
            (63, 5, 256, "tile/63/005"),
            (0, MAX_SIZE, 256, "tile/0/x009/x223/x372/x036/x854/x775/807"),
        ] {
            assert_eq!(tile_path(level, n, width).as_deref(), Ok(path));
            assert_eq!(parse_path(path), Ok(TilePath::Hashes { level, n, width }));
        }
        assert_eq!(
            entries_path(273, 112).as_deref(),
            Ok("tile/entries/273.p/112")
        );
        assert_eq!(
            parse_path("tile/entries/273.p/112"),
            Ok(TilePath::Entries { n: 273, width: 112 })
        );
        assert_eq!(tile_path(64, 0, 1), Err(TileError::Level { level: 64 }));
        let n = MAX_SIZE + 1;
        assert_eq!(
            (tile_path(0, n, 256), entries_path(n, 1)),
            (Err(TileError::Number { n }), Err(TileError::Number { n }))
        );
        assert_eq!(
            (tile_path(0, 0, 0), entries_path(0, 257)),
            (
                Err(TileError::Width { width: 0 }),
                Err(TileError::Width { width: 257 })
            )
        );
    }

    #[test]
    fn other_paths_are_refused() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/x001/x002",
            "tile/0/1/002",
            "tile/64/000",
            "tile/256/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/-1/000",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/000.p/1.p/1",
            "tile/0/000/",
            "/tile/0/000",
            "tile//000",
            "tile/0/../000",
            "tile/entries/x",
            "tile/Entries/000",
            "tile/entries/000.p/999",
            "tile/0/x009/x223/x372/x036/x854/x775/808",
            "tile/entries/x009/x223/x372/x036/x854/x775/808.p/1",
            "tile/0/x018/x446/x744/x073/x709/x551/615",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/0/xx01/000",
        ] {
            assert_eq!(parse_path(path), Err(TileError::Path), "{path}");
        }
    }

    #[test]
    fn widths_of_a_tree_of_70_000() {
        assert_eq!(
            (
                tile_width(0, 272, 70_000),
                tile_width(0, 273, 70_000),
                tile_width(0, 274, 70_000)
            ),
            (256, 112, 0)
        );
        assert_eq!(
            (
                tile_width(1, 0, 70_000),
                tile_width(1, 1, 70_000),
                tile_width(2, 0, 70_000),
                tile_width(3, 0, 70_000)
            ),
            (256, 17, 1, 0)
        );
        assert_eq!(
            (
                tile_width(63, 0, u64::MAX),
                tile_width(0, u64::MAX, u64::MAX)
            ),
            (0, 0)
        );
        let tiles = new_tiles(0, 70_000);
        assert_eq!(tiles.len(), 274 + 2 + 1);
        assert_eq!(tiles.last(), Some(&(2, 0, 1)));
        assert_eq!(new_tiles(255, 257), [(0, 0, 256), (0, 1, 1), (1, 0, 1)]);
        assert_eq!(new_tiles(256, 256), []);
        assert_eq!(new_tiles(256, 257), [(0, 1, 1)]);
        assert_eq!(new_tiles(5, 4), []);
    }

    #[test]
    fn tiles_hold_the_hashes() {
        let tree: Tree = (0..600u32).map(|i| leaf_hash(&i.to_be_bytes())).collect();
        let full = decode_tile(&hash_tile(&tree, 0, 1, 600).unwrap()).unwrap();
        assert_eq!((full.len(), full.first().copied()), (256, tree.leaf(256)));
        let above = decode_tile(&hash_tile(&tree, 1, 0, 600).unwrap()).unwrap();
        assert_eq!((above.len(), above[1]), (2, root_of(&full)));
        // As it was when the tree was smaller.
        assert_eq!(hash_tile(&tree, 0, 1, 300).unwrap().len(), 44 * 32);
        for (level, n, size) in [
            (1, 0, 255),
            (0, 3, 600),
            (0, 0, 0),
            (0, 0, 601),
            (2, 0, 600),
            (255, 0, 600),
            (0, u64::MAX, 600),
        ] {
            assert_eq!(hash_tile(&tree, level, n, size), None);
        }
        for length in [0, 31, 33, TILE_BYTES + 32] {
            assert_eq!(
                decode_tile(&vec![0; length]),
                Err(TileError::TileLength { found: length })
            );
        }
    }

    #[test]
    fn bundles() {
        assert_eq!(
            encode_bundle(&[b"ab", b"", b"c"]).unwrap(),
            b"\0\x02ab\0\0\0\x01c"
        );
        assert_eq!(
            decode_bundle(b"\0\x02ab\0\0\0\x01c").unwrap(),
            [&b"ab"[..], b"", b"c"]
        );
        let long = vec![7; MAX_ENTRY_BYTES];
        assert_eq!(
            decode_bundle(&encode_bundle(&[&long]).unwrap()).unwrap(),
            [long]
        );
        let longer = vec![7; MAX_ENTRY_BYTES + 1];
        assert_eq!(
            encode_bundle(&[b"", &longer]),
            Err(TileError::EntryTooLong {
                at: 1,
                found: 65_536
            })
        );
        assert_eq!(encode_bundle(&[]), Err(TileError::Width { width: 0 }));
        assert_eq!(
            encode_bundle(&[&b""[..]; 257]),
            Err(TileError::Width { width: 257 })
        );
        assert_eq!(decode_bundle(b""), Err(TileError::Width { width: 0 }));
        assert_eq!(decode_bundle(b"\0"), Err(TileError::Truncated { at: 0 }));
        assert_eq!(
            decode_bundle(b"\0\x01a\0\x02b"),
            Err(TileError::Truncated { at: 1 })
        );
        assert_eq!(decode_bundle(&[0; 512]).unwrap().len(), 256);
        assert_eq!(decode_bundle(&[0; 513]), Err(TileError::TrailingBytes));
        assert_eq!(decode_bundle(&[0; 514]), Err(TileError::TrailingBytes));
    }

    proptest! {
        #[test]
        fn paths_return(level in 0u8..=63, n in 0..=MAX_SIZE, width in 1u16..=256) {
            let path = tile_path(level, n, width).unwrap();
            prop_assert_eq!(parse_path(&path), Ok(TilePath::Hashes { level, n, width }));
        }

        #[test]
        fn what_parses_is_canonical(path in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,2}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(parsed) = parse_path(&path) {
                prop_assert_eq!(parsed.path(), Ok(path));
            }
        }

        #[test]
        fn bundles_have_one_encoding(bytes in proptest::collection::vec(prop_oneof![4 => 0u8..3, 1 => any::<u8>()], 0..60)) {
            if let Ok(entries) = decode_bundle(&bytes) {
                let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
                prop_assert_eq!(encode_bundle(&entries).unwrap(), bytes);
            }
        }
    }
}
