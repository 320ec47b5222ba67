//! The parts of an evidence file and their order, so that the same content gives the same bytes.
//! The bytes around them are [`zip`]'s.
//!
//! | path | content |
//! |---|---|
//! | `countersign-evidence-v1` | empty: names the format |
//! | `registry/<version, 6 digits>.note` | registry chain |
//! | `catalogue/<digest>.note`, `plan/<digest>.note` | what figures were counted and judged by |
//! | `arrivals.note` | when rollups arrived at the maker |
//! | `unit/<id>/entries/<n, 6 digits>` | C2SP entry bundles of 256 statements |
//! | `unit/<id>/checkpoint/<size>.note` | checkpoints |
//! | `unit/<id>/rollup/<month>.<revision>.note` | rollups |
//! | `unit/<id>/receipt/<month>.<revision>.<n>.note` | receipts |
//!
//! Entries are nearly all of a large file. [`Opened`] leaves them where they are and gives one
//! bundle at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use super::content::{Evidence, EvidenceSource, whole};
pub use super::error::FileError;
use super::zip::{self, Part, Writer};
pub use super::zip::{MAX_BYTES, Source};
use crate::digest::Digest;
use crate::ids::UnitId;
use crate::log::tile::{self, MAX_BUNDLE_BYTES, MAX_BUNDLE_ENTRIES};
use crate::note::{MAX_NOTE_BYTES, Note};
use crate::period::Month;

/// Names the format.
const MARK: &str = "countersign-evidence-v1";

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Mark,
    Arrivals,
    Catalogue(Digest),
    Plan(Digest),
    Registry(usize),
    Bundle(UnitId, usize),
    Checkpoint(UnitId, u64),
    Receipt(UnitId, (Month, u32, u32)),
    Rollup(UnitId, (Month, u32)),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = |d: &Digest| d.to_string().replace(':', "-");
        match self {
            Place::Mark => f.write_str(MARK),
            Place::Arrivals => f.write_str("arrivals.note"),
            Place::Catalogue(digest) => write!(f, "catalogue/{}.note", stem(digest)),
            Place::Plan(digest) => write!(f, "plan/{}.note", stem(digest)),
            Place::Registry(version) => write!(f, "registry/{version:06}.note"),
            Place::Bundle(id, n) => write!(f, "unit/{id}/entries/{n:06}"),
            Place::Checkpoint(id, size) => write!(f, "unit/{id}/checkpoint/{size}.note"),
            Place::Receipt(id, (month, revision, n)) => {
                write!(f, "unit/{id}/receipt/{month}.{revision}.{n}.note")
            }
            Place::Rollup(id, (month, revision)) => {
                write!(f, "unit/{id}/rollup/{month}.{revision}.note")
            }
        }
    }
}

impl Place {
    /// Reads a path; whether it is *the* path of what it names is another question.
    fn parse(path: &str) -> Option<Place> {
        let pieces: Vec<&str> = path.split('/').collect();
        let stem = |name: &str| name.strip_suffix(".note").map(str::to_string);
        Some(match pieces.as_slice() {
            [MARK] => Place::Mark,
            ["arrivals.note"] => Place::Arrivals,
            ["catalogue", name] => {
                Place::Catalogue(stem(name)?.replacen('-', ":", 1).parse().ok()?)
            }
            ["plan", name] => Place::Plan(stem(name)?.replacen('-', ":", 1).parse().ok()?),
            ["registry", name] => Place::Registry(stem(name)?.parse().ok()?),
            ["unit", id, kind, name] => {
                let id = id.parse().ok()?;
                if *kind == "entries" {
                    return Some(Place::Bundle(id, name.parse().ok()?));
                }
                let stem = stem(name)?;
                match (*kind, stem.split('.').collect::<Vec<_>>().as_slice()) {
                    ("checkpoint", [size]) => Place::Checkpoint(id, size.parse().ok()?),
                    ("receipt", [month, revision, n]) => Place::Receipt(
                        id,
                        (month.parse().ok()?, revision.parse().ok()?, n.parse().ok()?),
                    ),
                    ("rollup", [month, revision]) => {
                        Place::Rollup(id, (month.parse().ok()?, revision.parse().ok()?))
                    }
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}

/// The file as bytes in memory.
///
/// # Errors
/// An entry too large for a bundle, more than a file can hold.
pub fn write(shown: &dyn EvidenceSource) -> Result<Vec<u8>, FileError> {
    write_to(shown, Vec::new())
}

/// Writes the file from front to back and holds one bundle of entries at a time; gives back what
/// was written to.
///
/// # Errors
/// An entry too large for a bundle, more than a file can hold, or what `out` says.
pub fn write_to<W: Write>(shown: &dyn EvidenceSource, out: W) -> Result<W, FileError> {
    let notes = shown.notes();
    let mut zip = Writer::new(out);
    let put = |zip: &mut Writer<W>, mut part: Vec<(Place, &Note)>| {
        // By the bytes of the paths: 10 stands before 9.
        part.sort_by_cached_key(|(place, _)| place.to_string());
        part.iter()
            .try_for_each(|(place, note)| zip.part(place.to_string(), note.as_bytes()))
    };
    zip.part(MARK.to_string(), b"")?;
    put(
        &mut zip,
        notes
            .arrivals
            .iter()
            .map(|n| (Place::Arrivals, n))
            .collect(),
    )?;
    put(
        &mut zip,
        notes
            .catalogues
            .iter()
            .map(|n| (Place::Catalogue(n.digest()), n))
            .collect(),
    )?;
    put(
        &mut zip,
        notes
            .plans
            .iter()
            .map(|n| (Place::Plan(n.digest()), n))
            .collect(),
    )?;
    put(
        &mut zip,
        notes
            .registries
            .iter()
            .enumerate()
            .map(|(i, n)| (Place::Registry(i + 1), n))
            .collect(),
    )?;
    for (id, unit) in &notes.units {
        put(
            &mut zip,
            unit.checkpoints
                .iter()
                .map(|(size, n)| (Place::Checkpoint(id.clone(), *size), n))
                .collect(),
        )?;
        for n in 0.. {
            let Some(entries) = shown.bundle(id, n)? else {
                break;
            };
            let path = Place::Bundle(id.clone(), n).to_string();
            let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            let bundle = tile::encode_bundle(&entries).map_err(|e| FileError::part(&path, e))?;
            zip.part(path, &bundle)?;
        }
        put(
            &mut zip,
            unit.receipts
                .iter()
                .map(|(key, n)| (Place::Receipt(id.clone(), *key), n))
                .collect(),
        )?;
        put(
            &mut zip,
            unit.rollups
                .iter()
                .map(|(key, n)| (Place::Rollup(id.clone(), *key), n))
                .collect(),
        )?;
    }
    zip.finish()
}

/// Reads a whole file and refuses any that is not exactly what [`write()`] would give.
///
/// # Errors
/// What is wrong, and where.
pub fn read(bytes: &[u8]) -> Result<Evidence, FileError> {
    whole(&Opened::new(bytes)?)
}

/// A file of which everything was read but the entries. It is exactly what [`write()`] would give
/// if every bundle is as well, which shows when it is asked for.
#[derive(Debug)]
pub struct Opened<S> {
    source: S,
    notes: Evidence,
    bundles: BTreeMap<UnitId, Vec<Part>>,
}

impl<S: Source> Opened<S> {
    /// Reads all but the entries.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn new(source: S) -> Result<Opened<S>, FileError> {
        let parts = zip::parts(&source)?;
        let mut opened = Opened {
            source,
            notes: Evidence::default(),
            bundles: BTreeMap::new(),
        };
        let mut before: Option<String> = None;
        for part in parts {
            let path = part.path.clone();
            let place = Place::parse(&path).ok_or_else(|| FileError::Path(path.clone()))?;
            // The mark is first, all others follow by their bytes, and each path is written in one
            // way.
            let follows = match &before {
                None => place == Place::Mark,
                Some(before) => place != Place::Mark && (before == MARK || *before < path),
            };
            if place == Place::Mark && part.size > 0 {
                return Err(FileError::Path(path));
            }
            if !follows || place.to_string() != path {
                return Err(FileError::Bytes);
            }
            opened.take(place, part)?;
            before = Some(path);
        }
        if before.is_none() {
            Err(FileError::Bytes)
        } else {
            Ok(opened)
        }
    }

    fn take(&mut self, place: Place, part: Part) -> Result<(), FileError> {
        let (id, bundle) = match place {
            Place::Bundle(id, n) => (id, n),
            place => return self.take_note(place, &part),
        };
        self.notes.units.entry(id.clone()).or_default();
        let bundles = self.bundles.entry(id).or_default();
        if bundles.len() != bundle {
            return Err(FileError::Bytes);
        }
        bundles.push(part);
        Ok(())
    }

    fn take_note(&mut self, place: Place, part: &Part) -> Result<(), FileError> {
        let content = zip::content(&self.source, part, MAX_NOTE_BYTES)?;
        if place == Place::Mark {
            return Ok(());
        }
        let note = Note::parse(&content).map_err(|e| FileError::part(&part.path, e))?;
        let named = match &place {
            Place::Catalogue(digest) | Place::Plan(digest) => *digest == note.digest(),
            Place::Registry(version) => *version == self.notes.registries.len() + 1,
            _ => true,
        };
        if !named {
            return Err(FileError::Bytes);
        }
        let notes = &mut self.notes;
        match place {
            // Neither is a note.
            Place::Mark | Place::Bundle(..) => {}
            Place::Arrivals => notes.arrivals = Some(note),
            Place::Catalogue(_) => notes.catalogues.push(note),
            Place::Plan(_) => notes.plans.push(note),
            Place::Registry(_) => notes.registries.push(note),
            // The paths differ, so nothing is replaced.
            Place::Checkpoint(id, size) => drop(
                notes
                    .units
                    .entry(id)
                    .or_default()
                    .checkpoints
                    .insert(size, note),
            ),
            Place::Receipt(id, key) => drop(
                notes
                    .units
                    .entry(id)
                    .or_default()
                    .receipts
                    .insert(key, note),
            ),
            Place::Rollup(id, key) => {
                drop(notes.units.entry(id).or_default().rollups.insert(key, note))
            }
        }
        Ok(())
    }
}

impl<S: Source> EvidenceSource for Opened<S> {
    fn notes(&self) -> &Evidence {
        &self.notes
    }

    fn bundle(&self, unit: &UnitId, n: usize) -> Result<Option<Cow<'_, [Vec<u8>]>>, FileError> {
        let bundles = self.bundles.get(unit).map_or(&[][..], Vec::as_slice);
        let Some(part) = bundles.get(n) else {
            return Ok(None);
        };
        let bytes = zip::content(&self.source, part, MAX_BUNDLE_BYTES)?;
        let entries = tile::decode_bundle(&bytes).map_err(|e| FileError::part(&part.path, e))?;
        let full = entries.len() == MAX_BUNDLE_ENTRIES || n + 1 == bundles.len();
        if full {
            Ok(Some(Cow::Owned(entries)))
        } else {
            Err(FileError::Bytes)
        }
    }
}

impl EvidenceSource for Evidence {
    fn notes(&self) -> &Evidence {
        self
    }

    fn bundle(&self, unit: &UnitId, n: usize) -> Result<Option<Cow<'_, [Vec<u8>]>>, FileError> {
        let bundle = self
            .units
            .get(unit)
            .and_then(|u| u.entries.chunks(MAX_BUNDLE_ENTRIES).nth(n));
        Ok(bundle.map(Cow::Borrowed))
    }
}
