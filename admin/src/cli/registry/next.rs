//! `countersign registry next`: a version after the others.

use protocol::note::SigningKey;

use super::chain::walk;
use super::change::change;
use super::difference::differences;
use super::next_args::Args;
use super::refused::Refused;
use super::version::{Draft, finish};
use crate::cli::output::{CommandResult, Failure, Output};
use crate::cli::signing::read_keys;

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
    let mut refused = Refused::default();
    change(&mut registry, args, &mut refused);
    if registry == *before {
        // What was refused is the reason, where something was.
        refused.into_result()?;
        return Err(Failure::usage(
            "nothing changes: give --add, --move, --rename, --end, --rotate-key, \
             --rotate-witness, --revoke, --add-root, --drop-root or --threshold",
        ));
    }
    registry.version += 1;
    registry.previous = Some(last.digest());
    refused.version(&registry, Some(last));
    refused.into_result()?;
    let changes = differences(before, &registry);
    for change in &changes {
        out.note(format!("{}\n  {}", change.zh, change.en));
    }
    let mut roots = before.roots.clone();
    let added = registry.roots.iter().filter(|r| !before.roots.contains(r));
    roots.extend(added.cloned());
    let draft = Draft {
        registry: &registry,
        keys: &keys,
        roots: &roots,
        needed: before.threshold.max(registry.threshold),
        changes: &changes,
    };
    finish(&draft, args.output.as_deref(), out)
}
