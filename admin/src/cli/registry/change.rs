//! The arguments of `countersign registry next`, and what they change in a version.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use node::fault::FaultCode;
use protocol::ids::UnitId;
use protocol::note::VerifierKey;
use protocol::period::Month;
use protocol::registry::{Placement, Registry, Revocation, Unit, UnitKey};

use super::version::{unit_of, with_keys};
use crate::cli::arguments::vkey;
use crate::cli::output::Failure;
use crate::cli::units::{self, Card};

/// Make the next version: add, move, rename or end units, rotate or revoke keys, change roots
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, a new node key that signs from log index 812 on:\n  \
    countersign registry next registry-1.note --root root.key --rotate-key 140321 140321.vkey \
    --from-index 812 -o registry-2.note\n\n\
    The index is the number of statements of the node (`log` in `countersign status`), after which \
    nothing is recorded with the\n\
    old key. The old key is revoked at the same index; what it signed before, the report over that \
    many statements included, holds.\n\n\
    A county is put under another city, another is merged into it, from January 2024 on:\n  \
    countersign registry next registry-*.note --root root.key --from 2024-01 --move 140302 140700 \
    --end 140322 --successor 140322 140302 -o registry-3.note\n\n\
    What changes is shown in Chinese and English before it is signed. Months before --from are \
    settled: no later version can change them."
)]
pub struct Args {
    /// Notes of all versions so far
    #[arg(required = true, value_name = "PREVIOUS")]
    pub previous: Vec<PathBuf>,
    /// Key file of a root that signs now; repeat for several
    #[arg(long, value_name = "KEYFILE")]
    pub root: Vec<PathBuf>,
    /// The root key that version 1 is trusted by [default: the first --root]
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub trust: Option<VerifierKey>,
    /// File of units: new ones are added; what it says otherwise of a known one holds from --from on
    #[arg(long, value_name = "FILE")]
    pub add: Vec<PathBuf>,
    /// First month of added units whose files do not say
    #[arg(long, value_name = "YYYY-MM")]
    pub since: Option<Month>,
    /// Leave out new units without keys
    #[arg(long)]
    pub skip_keyless: bool,
    /// First month in which units are as they are moved, renamed and ended here
    #[arg(long, value_name = "YYYY-MM")]
    pub from: Option<Month>,
    /// A unit reports to another parent from --from on
    #[arg(long = "move", num_args = 2, value_names = ["UNIT", "PARENT"])]
    pub moves: Vec<String>,
    /// A unit has another name from --from on
    #[arg(long, num_args = 2, value_names = ["UNIT", "NAME"])]
    pub rename: Vec<String>,
    /// A unit that exists no more from --from on; the month before is its last
    #[arg(long, value_name = "UNIT")]
    pub end: Vec<UnitId>,
    /// Who carries on what an ended unit did; repeat for several
    #[arg(long, num_args = 2, value_names = ["UNIT", "SUCCESSOR"])]
    pub successor: Vec<String>,
    /// A unit's new witness key; each needs its own --from-time
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    pub rotate_witness: Vec<String>,
    /// When the new witness key begins to cosign, as 2024-01-15T08:00:00Z, in the order of
    /// --rotate-witness
    #[arg(long, value_name = "TIME")]
    pub from_time: Vec<DateTime<Utc>>,
    /// A unit's new node key; each needs its own --from-index
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    pub rotate_key: Vec<String>,
    /// First log index that the new key signs, in the order of --rotate-key
    #[arg(long, value_name = "N")]
    pub from_index: Vec<u64>,
    /// A unit's node key that may sign no more; each needs its own --at-index
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    pub revoke: Vec<String>,
    /// First log index that the key may not sign, in the order of --revoke
    #[arg(long, value_name = "N")]
    pub at_index: Vec<u64>,
    /// Why keys are revoked: rotated, lost, stolen
    #[arg(long, default_value = "rotated")]
    pub reason: String,
    /// A further root key
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub add_root: Vec<VerifierKey>,
    /// A root key that is one no more
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub drop_root: Vec<VerifierKey>,
    /// How many roots must sign from now on
    #[arg(long)]
    pub threshold: Option<usize>,
    /// New file for the note; without it the note is printed
    #[arg(short, long, value_name = "NOTE")]
    pub output: Option<PathBuf>,
}

/// Makes the version from the one before, which is `registry`.
///
/// # Errors
/// Arguments or files that do not fit it: nothing of them is left out in silence.
pub fn change(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    let known = registry.units.len();
    if !args.add.is_empty() {
        take_cards(registry, args)?;
    }
    place(registry, args)?;
    end(registry, args)?;
    // A new unit changes what is said of the months from its first one on.
    let added = registry.units[known..].iter().map(|u| u.since).min();
    registry.from = match (args.from, added) {
        (Some(from), Some(added)) => Some(from.min(added)),
        (Some(from), None) => Some(from),
        (None, added) => registry.from.max(added),
    };
    let rotated = pairs(
        &args.rotate_key,
        &args.from_index,
        "--rotate-key",
        "--from-index",
    )?;
    for (unit, key, index) in rotated {
        rotate(find(registry, &unit)?, key, index, &args.reason)?;
    }
    replace_witnesses(registry, args)?;
    let revoked = pairs(&args.revoke, &args.at_index, "--revoke", "--at-index")?;
    for (unit, key, index) in revoked {
        revoke(find(registry, &unit)?, &key, index, &args.reason)?;
    }
    registry.roots.extend(args.add_root.iter().cloned());
    for root in &args.drop_root {
        let before = registry.roots.len();
        registry.roots.retain(|r| r != root);
        if registry.roots.len() == before {
            let message = format!("{} is not a root key", root.name());
            return Err(Failure::coded(FaultCode::RegistryKey, message));
        }
    }
    registry.threshold = args.threshold.unwrap_or(registry.threshold);
    Ok(())
}

/// Takes the files of units: new ones are added, and what they say of a known one is taken over
/// from the month on.
fn take_cards(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    let cards = units::load(&args.add)?;
    let (known, new): (Vec<Card>, Vec<Card>) = cards
        .into_iter()
        .partition(|card| registry.unit(&card.id).is_some());
    for card in &known {
        take_known(find(registry, &card.id)?, card, args.from)?;
    }
    if new.is_empty() {
        return Ok(());
    }
    for card in with_keys(&new, args.skip_keyless)? {
        registry.units.push(unit_of(card, args.since)?);
    }
    Ok(())
}

fn take_known(unit: &mut Unit, card: &Card, from: Option<Month>) -> Result<(), Failure> {
    let other = |field: &str, help: &str| {
        let message = format!("unit {} is there already, with another {field}", card.id);
        Err(Failure::coded(FaultCode::RegistryExists, message).help(help.to_string()))
    };
    let no_key = |key: &VerifierKey| unit.keys.iter().all(|k| k.vkey != *key);
    if card.vkey.as_ref().is_some_and(no_key) {
        return other("node key", "a new key of a known unit takes --rotate-key");
    }
    if card.witness.as_ref().is_some_and(|w| w != unit.witness()) {
        return other(
            "witness key",
            "a new witness key of a known unit takes --rotate-witness",
        );
    }
    if card.tier.is_some_and(|tier| tier != unit.tier) {
        return other("tier", "end this unit, and add another with the new tier");
    }
    if card.since.is_some_and(|since| since != unit.since) {
        return other(
            "first month",
            "the first month of a unit stays; correct the file",
        );
    }
    let last = unit.last_placement();
    let wanted = Placement {
        name: card.name.clone().unwrap_or_else(|| last.name.clone()),
        parent: card.parent.clone().or_else(|| last.parent.clone()),
        area: card.area.clone().or_else(|| last.area.clone()),
    };
    if wanted == last {
        return Ok(());
    }
    let Some(from) = from else {
        return other(
            "name, parent or area",
            "give --from YYYY-MM, the first month in which it is so; or correct the file",
        );
    };
    unit.place(from, wanted);
    Ok(())
}

/// `--move` and `--rename`.
fn place(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    for pair in args.moves.chunks(2) {
        let [id, parent] = pair else { continue };
        let (id, parent) = (id_of(id, "--move")?, id_of(parent, "--move")?);
        let from = needed(args.from, "--move")?;
        let unit = find(registry, &id)?;
        let mut placement = unit.placement(from);
        placement.parent = Some(parent);
        unit.place(from, placement);
    }
    for pair in args.rename.chunks(2) {
        let [id, name] = pair else { continue };
        let from = needed(args.from, "--rename")?;
        let unit = find(registry, &id_of(id, "--rename")?)?;
        let mut placement = unit.placement(from);
        placement.name.clone_from(name);
        unit.place(from, placement);
    }
    Ok(())
}

/// `--end` and `--successor`.
fn end(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    let mut successors = Vec::new();
    for pair in args.successor.chunks(2) {
        let [id, successor] = pair else { continue };
        let pair = (id_of(id, "--successor")?, id_of(successor, "--successor")?);
        if !args.end.contains(&pair.0) {
            let message = format!("--successor {} {}: give --end {0}, too", pair.0, pair.1);
            return Err(Failure::usage(message));
        }
        successors.push(pair);
    }
    for id in &args.end {
        let from = needed(args.from, "--end")?;
        let last = from
            .prev()
            .ok_or_else(|| Failure::usage("there is no month before --from"))?;
        let of_unit = successors.iter().filter(|(ended, _)| ended == id);
        let of_unit = of_unit.map(|(_, successor)| successor.clone()).collect();
        find(registry, id)?.end(Some(last), of_unit);
    }
    Ok(())
}

/// `--rotate-witness`, each with its `--from-time`.
fn replace_witnesses(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    if args.rotate_witness.len() != 2 * args.from_time.len() {
        return Err(Failure::usage(
            "each --rotate-witness UNIT VKEY needs its own --from-time TIME",
        ));
    }
    for (pair, from) in args.rotate_witness.chunks(2).zip(&args.from_time) {
        let [id, key] = pair else { continue };
        let key = vkey(key).map_err(|e| Failure::usage(format!("--rotate-witness: {e}")))?;
        let unit = find(registry, &id_of(id, "--rotate-witness")?)?;
        unit.replace_witness(key, *from);
    }
    Ok(())
}

fn id_of(text: &str, what: &str) -> Result<UnitId, Failure> {
    text.parse()
        .map_err(|e| Failure::usage(format!("{what}: {e}")))
}

fn needed(from: Option<Month>, what: &str) -> Result<Month, Failure> {
    from.ok_or_else(|| {
        Failure::usage(format!(
            "{what} needs --from YYYY-MM, the first month in which it is so"
        ))
    })
}

/// A unit signs with a new key from this leaf on.
fn rotate(unit: &mut Unit, key: VerifierKey, index: u64, reason: &str) -> Result<(), Failure> {
    if unit.keys.iter().any(|k| k.vkey == key) {
        let message = format!("unit {} has this key already", unit.id);
        return Err(Failure::coded(FaultCode::RegistryKey, message));
    }
    // The old key signs no leaf from `index` on; what it sealed over exactly that many leaves stays
    // valid.
    for old in unit.keys.iter_mut().filter(|k| k.revoked.is_none()) {
        old.revoked = Some(Revocation {
            at_index: index,
            reason: reason.to_string(),
        });
    }
    unit.keys.push(UnitKey {
        vkey: key,
        from_index: index,
        revoked: None,
    });
    Ok(())
}

/// A key signs nothing from this leaf on.
fn revoke(unit: &mut Unit, key: &VerifierKey, index: u64, reason: &str) -> Result<(), Failure> {
    let id = unit.id.clone();
    let held = unit.keys.iter_mut().find(|k| k.vkey == *key);
    let held = held.ok_or_else(|| {
        Failure::coded(
            FaultCode::RegistryKey,
            format!("unit {id} does not have this key"),
        )
    })?;
    // Who learns of a theft later may bring the index forward, never put it back.
    if held.revoked.as_ref().is_some_and(|r| r.at_index <= index) {
        return Err(Failure::coded(
            FaultCode::RegistryKey,
            format!("this key of unit {id} is revoked already, at the same index or before"),
        ));
    }
    held.revoked = Some(Revocation {
        at_index: index,
        reason: reason.to_string(),
    });
    Ok(())
}

fn find<'a>(registry: &'a mut Registry, id: &UnitId) -> Result<&'a mut Unit, Failure> {
    let unknown = Failure::coded(
        FaultCode::RegistryUnit,
        format!("unit {id} is not in the registry"),
    );
    registry
        .units
        .iter_mut()
        .find(|u| &u.id == id)
        .ok_or(unknown)
}

fn pairs(
    words: &[String],
    numbers: &[u64],
    what: &str,
    number: &str,
) -> Result<Vec<(UnitId, VerifierKey, u64)>, Failure> {
    if words.len() != 2 * numbers.len() {
        return Err(Failure::usage(format!(
            "each {what} UNIT VKEY needs its own {number} N"
        )));
    }
    let mut list = Vec::new();
    for (pair, n) in words.chunks(2).zip(numbers) {
        let [unit, key] = pair else { continue };
        list.push((
            id_of(unit, what)?,
            vkey(key).map_err(|e| Failure::usage(format!("{what}: {e}")))?,
            *n,
        ));
    }
    Ok(list)
}
