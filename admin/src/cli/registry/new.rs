//! `countersign registry new`: version 1.

use std::path::PathBuf;

use protocol::ids::UnitId;
use protocol::note::{SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::registry::Registry;

use super::refused::Refused;
use super::version::{Draft, finish, units_of};
use crate::cli::arguments::vkey;
use crate::cli::output::{CommandResult, Output};
use crate::cli::signing::read_keys;
use crate::cli::units;

/// Make version 1 from files of units
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign registry new --root root.key --units units.csv --units \
        140321.toml --since 2023-01 --skip-keyless \
    -o registry-1.note\n\n\
    Files of units are CSV (columns id,name,tier,parent,area,since,vkey,witness,nkey) or TOML \
    ([[unit]] tables with the same\n\
    fields). What they say of a unit is joined, so a list of names and the cards of the units go \
    together."
)]
pub struct Args {
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

pub fn run(args: Args, out: &Output) -> CommandResult {
    let keys = read_keys(&args.root)?;
    let cards = units::under(units::load(&args.units)?, &args.under)?;
    let mut refused = Refused::default();
    let units = units_of(&cards, args.since, args.skip_keyless, &mut refused);
    let mut roots: Vec<VerifierKey> = keys.iter().map(SigningKey::vkey).collect();
    roots.extend(args.root_vkey);
    let registry = Registry {
        version: 1,
        previous: None,
        from: None,
        threshold: args.threshold.unwrap_or(roots.len()),
        roots,
        units,
    };
    refused.version(&registry, None);
    refused.into_result()?;
    let draft = Draft {
        registry: &registry,
        keys: &keys,
        roots: &registry.roots,
        needed: registry.threshold,
        changes: &[],
    };
    finish(&draft, args.output.as_deref(), out)
}
