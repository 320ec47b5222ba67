//! `countersign registry show`: a chain walked, and the tree of units.

use std::fmt::Write;
use std::path::PathBuf;

use protocol::note::VerifierKey;
use protocol::registry::{Registry, Unit};
use serde_json::json;

use super::chain::walk;
use crate::cli::arguments::vkey;
use crate::cli::output::{CommandResult, Failure, Output, say, sayln, value};

/// Walk a chain of versions from a root key, and show the tree of units
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign registry show published/registry-*.note --root root.vkey"
)]
pub struct Args {
    /// Notes of all versions, in any order
    #[arg(required = true)]
    notes: Vec<PathBuf>,
    /// A root key, known from outside: a verifier key, or a file with one; repeat for as many as
    /// must sign
    #[arg(long, required = true, value_name = "VKEY", value_parser = vkey)]
    root: Vec<VerifierKey>,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
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
            for top in registry.units.iter().filter(|u| u.parent().is_none()) {
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
        unit.id,
        unit.name(),
        unit.tier,
        unit.since
    );
    if let Some(until) = unit.until() {
        let ids: Vec<&str> = unit.successors().iter().map(|u| u.as_str()).collect();
        let to = if ids.is_empty() { "" } else { " → " };
        let _ = write!(text, " until {until}{to}{}", ids.join(", "));
    }
    for (until, former) in unit.former() {
        let parent = former.parent.as_ref().map_or("-", |p| p.as_str());
        let _ = write!(text, "; until {until} {} below {parent}", former.name);
    }
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
    let reports_here = |u: &&Unit| u.parent() == Some(&unit.id);
    let children: Vec<&Unit> = registry.units.iter().filter(reports_here).collect();
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
