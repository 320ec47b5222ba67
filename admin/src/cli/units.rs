//! Files of units: what a registry, nats.conf and a ledger are made from.
//!
//! CSV with a heading, or TOML with `[[unit]]` tables; both with the fields of [`Card`]. What is
//! known of one unit may be spread over several files: `deploy/units/units.csv` has names and
//! parents, and each unit sends in a card with its public keys.

use std::path::{Path, PathBuf};

use node::fault::{Fault, FaultCode, Faults};
use protocol::ids::{Tier, UnitId};
use protocol::note::VerifierKey;
use protocol::period::Month;
use protocol::registry::Registry;
use serde::{Deserialize, Serialize};

use super::output::Failure;
use crate::nats::NatsUnit;

/// What files say of one unit. All of it is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Unit code.
    pub id: UnitId,
    /// Name, as the registry shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// County, city or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Whom it reports to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<UnitId>,
    /// Area code, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// First month that it reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Month>,
    /// Key of its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vkey: Option<VerifierKey>,
    /// Key that cosigns its children's checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<VerifierKey>,
    /// Public NKey, for NATS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nkey: Option<String>,
}

/// A TOML file of units.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cards {
    /// Its units.
    #[serde(default)]
    pub unit: Vec<Card>,
}

/// Reads files and joins what they say of each unit, in the order of first mention.
///
/// # Errors
/// Every file that is not of this form, and every contradiction between two.
pub fn load(files: &[PathBuf]) -> Result<Vec<Card>, Faults> {
    let mut all: Vec<(Card, &Path)> = Vec::new();
    let mut faults = Vec::new();
    for file in files {
        let cards = parse(file).unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
        for card in cards {
            match all.iter_mut().find(|(c, _)| c.id == card.id) {
                Some((known, first)) => {
                    let contradicts = join(known, card);
                    let contradicts = contradicts.into_iter();
                    faults.extend(contradicts.map(|f| contradiction(&known.id, f, first, file)));
                }
                None => all.push((card, file)),
            }
        }
    }
    if all.is_empty() && faults.is_empty() {
        faults.push(Fault::new(
            FaultCode::UnitsEmpty,
            "这些文件中没有单位；请给出有单位的文件",
            "there are no units in these files; give files with units",
        ));
    }
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    Ok(all.into_iter().map(|(card, _)| card).collect())
}

fn contradiction(unit: &UnitId, field: &str, first: &Path, second: &Path) -> Fault {
    let (a, b) = (first.display(), second.display());
    let zh = format!("单位 {unit}：{b} 中的 {field} 与 {a}（或其间的文件）不同；请改正其中一个");
    let en = format!(
        "unit {unit}: its {field} in {b} is not the one in {a} (or in a file between them); \
         correct one of them"
    );
    let fault = Fault::new(FaultCode::UnitsContradiction, zh, en);
    fault.unit(unit).column(field)
}

fn parse(file: &Path) -> Result<Vec<Card>, Fault> {
    let wrong = |code: FaultCode, e: &dyn std::fmt::Display| {
        let name = file.display();
        Fault::new(
            code,
            format!("{name}：不能读作单位文件（{e}）；请改正文件"),
            format!("{name}: {e}; correct the file"),
        )
    };
    let bytes = std::fs::read(file).map_err(|e| wrong(FaultCode::File, &e))?;
    let wrong = |e: &dyn std::fmt::Display| wrong(FaultCode::UnitsFile, e);
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes))
        .map_err(|_| wrong(&"not UTF-8"))?;
    if file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
    {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        return reader
            .deserialize()
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(&e));
    }
    toml::from_str::<Cards>(text)
        .map(|c| c.unit)
        .map_err(|e| wrong(&protocol::authoring::TomlError::new(&e, text)))
}

/// Adds what another file says; gives the fields that contradict.
fn join(known: &mut Card, more: Card) -> Vec<&'static str> {
    fn differs<T: PartialEq>(known: &mut Option<T>, more: Option<T>) -> bool {
        match (known.as_ref(), more) {
            (Some(a), Some(b)) => *a != b,
            (None, Some(b)) => {
                *known = Some(b);
                false
            }
            (_, None) => false,
        }
    }
    let fields = [
        ("name", differs(&mut known.name, more.name)),
        ("tier", differs(&mut known.tier, more.tier)),
        ("parent", differs(&mut known.parent, more.parent)),
        ("area", differs(&mut known.area, more.area)),
        ("since", differs(&mut known.since, more.since)),
        ("vkey", differs(&mut known.vkey, more.vkey)),
        ("witness", differs(&mut known.witness, more.witness)),
        ("nkey", differs(&mut known.nkey, more.nkey)),
    ];
    let contradicting = fields.iter().filter(|(_, differs)| *differs);
    contradicting.map(|(field, _)| *field).collect()
}

/// Splits off units that have not sent in their keys: an error that names them, unless they are to
/// be left out.
///
/// # Errors
/// Units without, where all must have it.
pub fn require<'a>(
    cards: &'a [Card],
    what: &str,
    skip: bool,
    has: impl Fn(&Card) -> bool,
) -> Result<Vec<&'a Card>, Failure> {
    let (good, without): (Vec<&Card>, Vec<&Card>) = cards.iter().partition(|c| has(c));
    if !without.is_empty() && !skip {
        let names: Vec<&str> = without.iter().take(8).map(|c| c.id.as_str()).collect();
        let more = if without.len() > names.len() {
            " …"
        } else {
            ""
        };
        let message = format!(
            "{} unit(s) have no {what}: {}{more}",
            without.len(),
            names.join(", ")
        );
        return Err(Failure::coded(FaultCode::UnitsKeyless, message).help(
            "add the files in which they stand, or leave these units out with --skip-keyless",
        ));
    }
    if good.is_empty() {
        return Err(Failure::coded(
            FaultCode::UnitsKeyless,
            format!("no unit has {what}"),
        ));
    }
    Ok(good)
}

/// Units and what is below them; all where nothing is named.
///
/// # Errors
/// A unit that is not there.
pub fn under(cards: Vec<Card>, tops: &[UnitId]) -> Result<Vec<Card>, Failure> {
    if tops.is_empty() {
        return Ok(cards);
    }
    if let Some(unknown) = tops.iter().find(|t| !cards.iter().any(|c| &c.id == *t)) {
        return Err(Failure::coded(
            FaultCode::UnitsUnknown,
            format!("unit {unknown} is not in these files"),
        ));
    }
    let paths: Vec<bool> = cards
        .iter()
        .map(|c| path(&cards, c).is_ok_and(|p| p.iter().any(|u| tops.contains(u))))
        .collect();
    Ok(cards
        .into_iter()
        .zip(paths)
        .filter(|(_, in_it)| *in_it)
        .map(|(c, _)| c)
        .collect())
}

/// Ancestors and the unit itself, top first.
fn path(cards: &[Card], card: &Card) -> Result<Vec<UnitId>, Failure> {
    let mut path = vec![card.id.clone()];
    let mut at = card;
    while let Some(parent) = &at.parent {
        let Some(next) = cards.iter().find(|c| &c.id == parent) else {
            return Err(Failure::coded(
                FaultCode::UnitsParent,
                format!("unit {}: its parent {parent} is not in these files", at.id),
            ));
        };
        if path.contains(parent) {
            return Err(Failure::coded(
                FaultCode::UnitsParent,
                format!("unit {}: its parents go round in a circle", card.id),
            ));
        }
        path.push(next.id.clone());
        at = next;
    }
    path.reverse();
    Ok(path)
}

/// The units as NATS needs to know them: those with an NKey. Where they stand and stood is told by
/// the registry, if there is one and they are in it, else by their files.
///
/// # Errors
/// Units without a key, or without a known parent.
pub fn nats_units(
    cards: &[Card],
    registry: Option<&Registry>,
    skip: bool,
) -> Result<Vec<NatsUnit>, Failure> {
    require(cards, "NKey (nkey)", skip, |c| c.nkey.is_some())?
        .into_iter()
        .map(|card| {
            let public_nkey = card.nkey.clone().unwrap_or_default();
            if let Some(registry) = registry.filter(|r| r.unit(&card.id).is_some()) {
                return Ok(registered(registry, &card.id, public_nkey));
            }
            Ok(NatsUnit {
                path: path(cards, card)?.iter().map(ToString::to_string).collect(),
                former: Vec::new(),
                public_nkey,
                has_children: cards.iter().any(|c| c.parent.as_ref() == Some(&card.id)),
            })
        })
        .collect()
}

fn registered(registry: &Registry, id: &UnitId, public_nkey: String) -> NatsUnit {
    let codes = |path: Vec<UnitId>| -> Vec<String> { path.iter().map(UnitId::to_string).collect() };
    let path = codes(registry.last_path(id));
    let all = registry.paths(id).into_iter().map(codes);
    NatsUnit {
        former: all.filter(|former| *former != path).collect(),
        path,
        public_nkey,
        has_children: registry.ever_below(id).len() > 1,
    }
}
