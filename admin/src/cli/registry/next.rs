//! `countersign registry next`: a version after the others.

use std::path::PathBuf;

use node::fault::FaultCode;
use protocol::ids::UnitId;
use protocol::note::{SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::registry::{Registry, Revocation, Unit, UnitKey};

use super::chain::walk;
use super::version::{Draft, finish, unit_of, with_keys};
use crate::cli::arguments::vkey;
use crate::cli::output::{CommandResult, Failure, Output};
use crate::cli::signing::read_keys;
use crate::cli::units;

/// Make the next version: add units, rotate or revoke keys, change roots
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, a new node key that signs from log index 812 on:\n  \
    countersign registry next registry-1.note --root root.key --rotate-key 140321 140321.vkey \
    --from-index 812 -o registry-2.note\n\n\
    The index is the number of statements of the node (`log` in `countersign status`), after which \
    nothing is recorded with the\n\
    old key. The old key is revoked at the same index; what it signed before, the report over that \
    many statements included, holds."
)]
pub struct Args {
    /// Notes of all versions so far
    #[arg(required = true, value_name = "PREVIOUS")]
    previous: Vec<PathBuf>,
    /// Key file of a root that signs now; repeat for several
    #[arg(long, value_name = "KEYFILE")]
    root: Vec<PathBuf>,
    /// The root key that version 1 is trusted by [default: the first --root]
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    trust: Option<VerifierKey>,
    /// File of units to be added; units that are there already with the same keys are passed over
    #[arg(long, value_name = "FILE")]
    add: Vec<PathBuf>,
    /// First month of added units whose files do not say
    #[arg(long, value_name = "YYYY-MM")]
    since: Option<Month>,
    /// Leave out units without keys
    #[arg(long)]
    skip_keyless: bool,
    /// A unit's new node key; each needs its own --from-index
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    rotate_key: Vec<String>,
    /// First log index that the new key signs, in the order of --rotate-key
    #[arg(long, value_name = "N")]
    from_index: Vec<u64>,
    /// A unit's node key that may sign no more; each needs its own --at-index
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    revoke: Vec<String>,
    /// First log index that the key may not sign, in the order of --revoke
    #[arg(long, value_name = "N")]
    at_index: Vec<u64>,
    /// Why keys are revoked: rotated, lost, stolen
    #[arg(long, default_value = "rotated")]
    reason: String,
    /// A further root key
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    add_root: Vec<VerifierKey>,
    /// A root key that is one no more
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    drop_root: Vec<VerifierKey>,
    /// How many roots must sign from now on
    #[arg(long)]
    threshold: Option<usize>,
    /// New file for the note; without it the note is printed
    #[arg(short, long, value_name = "NOTE")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let keys = read_keys(&args.root)?;
    let first = || keys.first().map(SigningKey::vkey);
    let trust = args.trust.clone().or_else(first).ok_or_else(|| {
        Failure::usage("whose chain is this? Give --trust VKEY, or a --root KEYFILE")
    })?;
    let chain = walk(&args.previous, std::slice::from_ref(&trust))?;
    let last = chain
        .last()
        .ok_or_else(|| Failure::usage("no previous version"))?;
    let before = last.registry();
    let mut registry = before.clone();
    change(&mut registry, args)?;
    if registry == *before {
        return Err(Failure::usage(
            "nothing changes: give --add, --rotate-key, --revoke, --add-root, --drop-root or \
             --threshold",
        ));
    }
    registry.version += 1;
    registry.previous = Some(last.digest());
    let mut roots = before.roots.clone();
    let added = registry.roots.iter().filter(|r| !before.roots.contains(r));
    roots.extend(added.cloned());
    let draft = Draft {
        registry: &registry,
        keys: &keys,
        roots: &roots,
        needed: before.threshold.max(registry.threshold),
    };
    finish(&draft, args.output.as_deref(), out)
}

fn change(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    if !args.add.is_empty() {
        let known = registry.units.len();
        add_units(registry, args)?;
        // A new unit changes what is said of the months from its first one on.
        let first = registry.units[known..].iter().map(|u| u.since).min();
        registry.from = registry.from.max(first);
    }
    let rotated = pairs(
        &args.rotate_key,
        &args.from_index,
        "--rotate-key",
        "--from-index",
    )?;
    for (unit, key, index) in rotated {
        rotate(find(registry, &unit)?, key, index, &args.reason)?;
    }
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

/// Units that are there already with the same keys are passed over.
fn add_units(registry: &mut Registry, args: &Args) -> Result<(), Failure> {
    let cards = units::load(&args.add)?;
    for card in with_keys(&cards, args.skip_keyless)? {
        let Some(known) = registry.unit(&card.id) else {
            registry.units.push(unit_of(card, args.since)?);
            continue;
        };
        let same = |k: &UnitKey| Some(&k.vkey) == card.vkey.as_ref();
        if !known.keys.iter().any(same) {
            let message = format!("unit {} is there already, with other keys", card.id);
            return Err(Failure::coded(FaultCode::RegistryExists, message)
                .help("a new key of a known unit takes --rotate-key"));
        }
    }
    Ok(())
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
        let unit: UnitId = unit
            .parse()
            .map_err(|e| Failure::usage(format!("{what}: {e}")))?;
        list.push((
            unit,
            vkey(key).map_err(|e| Failure::usage(format!("{what}: {e}")))?,
            *n,
        ));
    }
    Ok(list)
}
