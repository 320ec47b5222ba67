//! `countersign registry`: who exists. Versions are signed offline, one after the other.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use protocol::ids::UnitId;
use protocol::note::{Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::registry::{Registry, Revocation, Unit, UnitKey, VerifiedRegistry};
use serde_json::json;

use super::connect::vkey;
use super::output::{Done, Failure, Out, read, replace, save_new, say, sayln, value};
use super::units::{self, Card};
use crate::keyring;

/// Make, sign and show the registry of units
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  countersign registry show published/registry-*.note --root root.vkey"
)]
pub enum Command {
    New(New),
    Next(Box<Next>),
    Sign(Sign),
    Show(Show),
}

/// Make version 1 from files of units
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign registry new --root root.key --units units.csv --units 140321.toml --since 2023-01 --skip-keyless \
    -o registry-1.note\n\n\
    Files of units are CSV (columns id,name,tier,parent,area,since,vkey,witness,nkey) or TOML ([[unit]] tables with the same\n\
    fields). What they say of a unit is joined, so a list of names and the cards of the units go together."
)]
pub struct New {
    /// Key file of a root that signs now; repeat for several
    #[arg(long, value_name = "KEYFILE", required = true)]
    root: Vec<PathBuf>,
    /// Public key of a root that will sign later, with `registry sign`
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    root_vkey: Vec<VerifierKey>,
    /// How many roots must sign [default: all of them]
    #[arg(long)]
    threshold: Option<usize>,
    /// File of units; repeat for several
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    units: Vec<PathBuf>,
    /// Only these units and what is below them
    #[arg(long, value_name = "UNIT")]
    under: Vec<UnitId>,
    /// First month of units whose files do not say
    #[arg(long, value_name = "YYYY-MM")]
    since: Option<Month>,
    /// Leave out units without keys
    #[arg(long)]
    skip_keyless: bool,
    /// New file for the note; without it the note is printed
    #[arg(short, long, value_name = "NOTE")]
    output: Option<PathBuf>,
}

/// Make the next version: add units, rotate or revoke keys, change roots
#[derive(Debug, Args)]
#[command(
    after_help = "Example, a new node key that signs from log index 812 on:\n  \
    countersign registry next registry-1.note --root root.key --rotate-key 140321 140321.vkey --from-index 812 -o registry-2.note\n\n\
    The index is the number of statements of the node (`log` in `countersign status`), after which nothing is recorded with the\n\
    old key. The old key is revoked at the same index; what it signed before, the report over that many statements included, holds."
)]
pub struct Next {
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

/// Add a root's signature to a version
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign registry sign registry-2.note --key second-root.key"
)]
pub struct Sign {
    /// Note; it is replaced by the one with more signatures
    note: PathBuf,
    /// Root key file; repeat for several
    #[arg(long, value_name = "KEYFILE", required = true)]
    key: Vec<PathBuf>,
    /// New file, instead of replacing the note
    #[arg(short, long, value_name = "NOTE")]
    output: Option<PathBuf>,
}

/// Walk a chain of versions from a root key, and show the tree of units
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign registry show published/registry-*.note --root root.vkey"
)]
pub struct Show {
    /// Notes of all versions, in any order
    #[arg(required = true)]
    notes: Vec<PathBuf>,
    /// A root key, known from outside: a verifier key, or a file with one; repeat for as many as
    /// must sign
    #[arg(long, required = true, value_name = "VKEY", value_parser = vkey)]
    root: Vec<VerifierKey>,
}

pub fn run(command: Command, out: &Out) -> Done {
    match command {
        Command::New(a) => new(a, out),
        Command::Next(a) => next(*a, out),
        Command::Sign(a) => sign(&a, out),
        Command::Show(a) => show(&a, out),
    }
}

fn read_note(path: &Path) -> Result<Note, Failure> {
    let bytes = read(path)?;
    Note::parse(&bytes).map_err(|e| Failure {
        message: format!("{}: {e}", path.display()),
        ..Failure::from(e)
    })
}

/// A version as its author wrote it: nothing is verified.
fn parse(note: &Note) -> Result<Registry, Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::coded("registry.malformed", format!("not a registry: {e}"))
    };
    let json = protocol::note::read_document(note.text(), protocol::registry::KIND)
        .map_err(|e| wrong(&e))?;
    serde_json::from_str(json).map_err(|e| wrong(&e))
}

/// The notes in the order of their versions, walked.
pub fn walk(paths: &[PathBuf], root: &[VerifierKey]) -> Result<Vec<VerifiedRegistry>, Failure> {
    let mut notes = Vec::new();
    for path in paths {
        let note = read_note(path)?;
        notes.push((parse(&note)?.version, note));
    }
    notes.sort_by_key(|(version, _)| *version);
    let notes: Vec<Note> = notes.into_iter().map(|(_, note)| note).collect();
    Ok(VerifiedRegistry::chain(&notes, root)?)
}

fn unit_of(card: &Card, since: Option<Month>) -> Result<Unit, Failure> {
    let lacks = |field: &str| {
        Failure::coded(
            "units.incomplete",
            format!("unit {}: no file says its {field}", card.id),
        )
    };
    let since = card
        .since
        .or(since)
        .ok_or_else(|| lacks("first month").help("give --since YYYY-MM for all that do not say"))?;
    Ok(Unit {
        id: card.id.clone(),
        name: card.name.clone().ok_or_else(|| lacks("name"))?,
        tier: card.tier.ok_or_else(|| lacks("tier"))?,
        parent: card.parent.clone(),
        area: card.area.clone(),
        since,
        keys: vec![UnitKey {
            vkey: card.vkey.clone().ok_or_else(|| lacks("vkey"))?,
            from_index: 0,
            revoked: None,
        }],
        witness: card.witness.clone().ok_or_else(|| lacks("witness"))?,
    })
}

fn has_keys(card: &Card) -> bool {
    card.vkey.is_some() && card.witness.is_some()
}

fn read_keys(paths: &[PathBuf]) -> Result<Vec<SigningKey>, Failure> {
    paths
        .iter()
        .map(|p| keyring::read_key(p).map_err(Failure::from))
        .collect()
}

fn new(args: New, out: &Out) -> Done {
    let keys = read_keys(&args.root)?;
    let cards = units::under(units::load(&args.units)?, &args.under)?;
    let cards = units::with(
        &cards,
        "keys (vkey and witness)",
        args.skip_keyless,
        has_keys,
    )?;
    let mut roots: Vec<VerifierKey> = keys.iter().map(SigningKey::vkey).collect();
    roots.extend(args.root_vkey);
    let registry = Registry {
        version: 1,
        previous: None,
        threshold: args.threshold.unwrap_or(roots.len()),
        roots,
        units: cards
            .into_iter()
            .map(|c| unit_of(c, args.since))
            .collect::<Result<_, _>>()?,
    };
    finish(
        &registry,
        &keys,
        &registry.roots,
        registry.threshold,
        args.output.as_deref(),
        out,
    )
}

fn next(args: Next, out: &Out) -> Done {
    let keys = read_keys(&args.root)?;
    let trust = args
        .trust
        .clone()
        .or_else(|| keys.first().map(SigningKey::vkey));
    let trust = trust.ok_or_else(|| {
        Failure::usage("whose chain is this? Give --trust VKEY, or a --root KEYFILE")
    })?;
    let chain = walk(&args.previous, std::slice::from_ref(&trust))?;
    let last = chain
        .last()
        .ok_or_else(|| Failure::usage("no previous version"))?;
    let mut registry = last.registry().clone();
    registry.version += 1;
    registry.previous = Some(last.digest());
    change(&mut registry, &args)?;
    let unchanged = Registry {
        version: last.registry().version,
        previous: last.registry().previous,
        ..registry.clone()
    };
    if unchanged == *last.registry() {
        return Err(Failure::usage(
            "nothing changes: give --add, --rotate-key, --revoke, --add-root, --drop-root or --threshold",
        ));
    }
    let needed = last.registry().threshold.max(registry.threshold);
    let mut all = last.registry().roots.clone();
    all.extend(
        registry
            .roots
            .iter()
            .filter(|r| !last.registry().roots.contains(r))
            .cloned(),
    );
    finish(&registry, &keys, &all, needed, args.output.as_deref(), out)
}

fn change(registry: &mut Registry, args: &Next) -> Result<(), Failure> {
    if !args.add.is_empty() {
        let cards = units::load(&args.add)?;
        for card in units::with(
            &cards,
            "keys (vkey and witness)",
            args.skip_keyless,
            has_keys,
        )? {
            match registry.unit(&card.id) {
                Some(known)
                    if known
                        .keys
                        .iter()
                        .any(|k| Some(&k.vkey) == card.vkey.as_ref()) => {}
                Some(_) => {
                    let message = format!("unit {} is there already, with other keys", card.id);
                    return Err(Failure::coded("registry.exists", message)
                        .help("a new key of a known unit takes --rotate-key"));
                }
                None => registry.units.push(unit_of(card, args.since)?),
            }
        }
    }
    for (unit, key, index) in pairs(
        &args.rotate_key,
        &args.from_index,
        "--rotate-key",
        "--from-index",
    )? {
        let unit = find(registry, &unit)?;
        if unit.keys.iter().any(|k| k.vkey == key) {
            return Err(Failure::coded(
                "registry.key",
                format!("unit {} has this key already", unit.id),
            ));
        }
        // The old key signs no leaf from `index` on; what it sealed over exactly that many leaves
        // stays valid.
        for old in unit.keys.iter_mut().filter(|k| k.revoked.is_none()) {
            old.revoked = Some(Revocation {
                at_index: index,
                reason: args.reason.clone(),
            });
        }
        unit.keys.push(UnitKey {
            vkey: key,
            from_index: index,
            revoked: None,
        });
    }
    for (unit, key, index) in pairs(&args.revoke, &args.at_index, "--revoke", "--at-index")? {
        let unit = find(registry, &unit)?;
        let id = unit.id.clone();
        let held = unit.keys.iter_mut().find(|k| k.vkey == key);
        let held = held.ok_or_else(|| {
            Failure::coded("registry.key", format!("unit {id} does not have this key"))
        })?;
        // Whoever learns of a theft later may bring the index forward, never put it back.
        if held.revoked.as_ref().is_some_and(|r| r.at_index <= index) {
            return Err(Failure::coded(
                "registry.key",
                format!("this key of unit {id} is revoked already, at the same index or before"),
            ));
        }
        held.revoked = Some(Revocation {
            at_index: index,
            reason: args.reason.clone(),
        });
    }
    registry.roots.extend(args.add_root.iter().cloned());
    for root in &args.drop_root {
        let before = registry.roots.len();
        registry.roots.retain(|r| r != root);
        if registry.roots.len() == before {
            return Err(Failure::coded(
                "registry.key",
                format!("{} is not a root key", root.name()),
            ));
        }
    }
    registry.threshold = args.threshold.unwrap_or(registry.threshold);
    Ok(())
}

fn find<'a>(registry: &'a mut Registry, id: &UnitId) -> Result<&'a mut Unit, Failure> {
    let unknown = Failure::coded("registry.unit", format!("unit {id} is not in the registry"));
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

/// Signs a version and writes or prints it.
fn finish(
    registry: &Registry,
    keys: &[SigningKey],
    roots: &[VerifierKey],
    needed: usize,
    output: Option<&Path>,
    out: &Out,
) -> Done {
    if keys.is_empty() {
        return Err(Failure::usage(
            "a note has at least one signature: give --root KEYFILE",
        ));
    }
    if let Some(stranger) = keys.iter().find(|k| !roots.contains(&k.vkey())) {
        return Err(Failure::coded(
            "registry.root",
            format!("the key {} is no root of this registry", stranger.name()),
        ));
    }
    let text = registry.to_text()?;
    let note = Note::sign(&text, &keys.iter().collect::<Vec<_>>())?;
    if let Some(path) = output {
        save_new(path, note.as_bytes())?;
    }
    let signed: Vec<&str> = keys.iter().map(SigningKey::name).collect();
    let whole = output
        .is_none()
        .then(|| String::from_utf8_lossy(note.as_bytes()).into_owned());
    let answer = json!({
        "version": registry.version, "digest": note.digest(), "units": registry.units.len(), "signed_by": signed, "needed": needed,
        "file": output, "note": whole,
    });
    out.answer(answer, || {
        if let Some(text) = &whole {
            say(text);
        }
    });
    let place = output
        .map(|p| format!(" in {}", p.display()))
        .unwrap_or_default();
    out.note(format!(
        "Registry version {}{place}: {} unit(s), {}.",
        registry.version,
        registry.units.len(),
        note.digest()
    ));
    if signed.len() < needed {
        out.note(format!("Signed by {} of {needed} root keys: have the others add theirs with `countersign registry sign`.", signed.len()));
    }
    Ok(true)
}

fn sign(args: &Sign, out: &Out) -> Done {
    let mut note = read_note(&args.note)?;
    let registry = parse(&note)?;
    for key in read_keys(&args.key)? {
        note = note.add_signature(&key)?;
        // Roots of the version before may have to sign, too; whether they are some cannot be seen
        // from this version alone.
        if !registry.roots.contains(&key.vkey()) {
            out.note(format!("{} is no root of this version; it counts only if it was one of the version before.", key.name()));
        }
    }
    match &args.output {
        Some(path) => save_new(path, note.as_bytes())?,
        None => replace(&args.note, note.as_bytes())?,
    }
    let names: Vec<&str> = note
        .signatures()
        .iter()
        .map(protocol::note::Signature::name)
        .collect();
    out.answer(json!({ "version": registry.version, "digest": note.digest(), "signed_by": names, "needed": registry.threshold }), || {
        sayln!("Registry version {} has signatures of {}; {} are needed.", registry.version, names.join(", "), registry.threshold);
    });
    Ok(true)
}

fn show(args: &Show, out: &Out) -> Done {
    let chain = walk(&args.notes, &args.root)?;
    let Some(last) = chain.last() else {
        return Err(Failure::usage("no version"));
    };
    let registry = last.registry();
    let versions: Vec<_> = chain
        .iter()
        .map(|v| json!({ "version": v.registry().version, "digest": v.digest() }))
        .collect();
    out.answer(
        json!({ "chain": versions, "registry": value(registry) }),
        || {
            for v in &chain {
                sayln!(
                    "✓ version {} {} ({} units)",
                    v.registry().version,
                    v.digest(),
                    v.registry().units.len()
                );
            }
            let roots: Vec<&str> = registry.roots.iter().map(VerifierKey::name).collect();
            sayln!(
                "root keys: {} ({} of {} must sign)",
                roots.join(", "),
                registry.threshold,
                roots.len()
            );
            let mut text = String::new();
            for top in registry.units.iter().filter(|u| u.parent.is_none()) {
                tree(registry, top, "", "", &mut text);
            }
            say(&text);
        },
    );
    Ok(true)
}

fn tree(registry: &Registry, unit: &Unit, lead: &str, below: &str, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{lead}{} {} ({}) since {}",
        unit.id, unit.name, unit.tier, unit.since
    );
    for key in &unit.keys {
        let id: String = key.vkey.id().iter().map(|b| format!("{b:02x}")).collect();
        let _ = match &key.revoked {
            Some(r) => write!(
                text,
                "; key {id} from {} until {} ({})",
                key.from_index, r.at_index, r.reason
            ),
            None => write!(text, "; key {id} from {}", key.from_index),
        };
    }
    text.push('\n');
    let children = registry.children(&unit.id);
    for (n, child) in children.iter().enumerate() {
        let last = n + 1 == children.len();
        let (branch, stem) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        tree(
            registry,
            child,
            &format!("{below}{branch}"),
            &format!("{below}{stem}"),
            text,
        );
    }
}
