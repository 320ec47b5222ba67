//! `countersign operator` and `countersign publish`: the unit's people and the documents that it
//! goes by.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protocol::note::VerifierKey;
use protocol::person::Role;
use serde_json::json;

use super::connect::{Connection, vkey};
use super::output::{Done, Failure, Out, read, sayln};

/// Enrol and revoke the keys of the unit's people
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  countersign operator enrol chen.vkey --roles recorder,preparer --token-file ops.token"
)]
pub enum Command {
    /// Enrol a person's key in the unit's log
    #[command(
        after_help = "Example:\n  countersign operator enrol chen.vkey --roles recorder,preparer --token-file ops.token\n\n\
        Roles: recorder (录入人), preparer (填表人), reviewer (统计负责人), head (单位负责人). A name holds one key at a time, and all\n\
        roles of a person are enrolled at once. A recorder's key file must also lie in the node's keys directory before it starts."
    )]
    Enrol {
        /// Verifier key, named `<unit>/<name>`, or a file with one
        #[arg(value_parser = vkey)]
        vkey: VerifierKey,
        /// Roles, separated by commas
        #[arg(long, value_delimiter = ',', required = true, value_parser = role)]
        roles: Vec<Role>,
        #[command(flatten)]
        node: Connection,
    },
    /// Revoke a person's key from now on
    #[command(
        after_help = "Example:\n  countersign operator revoke chen.vkey --token-file ops.token\n\n\
        What the key has signed before stays valid. To keep the person out of the API, remove the token's line from the node's\n\
        token file and restart the node."
    )]
    Revoke {
        /// Verifier key, or a file with one
        #[arg(value_parser = vkey)]
        vkey: VerifierKey,
        #[command(flatten)]
        node: Connection,
    },
}

/// Hand a node the next registry version, a catalogue or a plan
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign publish registry-2.note --token-file ops.token\n\n\
    The node checks the root keys' signatures and keeps the note in its journal. Registry versions come one after the other."
)]
pub struct PublishArgs {
    /// Notes, in the order in which they are to be adopted
    #[arg(required = true)]
    notes: Vec<PathBuf>,
    #[command(flatten)]
    node: Connection,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "roles are recorder, preparer, reviewer, head".into())
}

pub fn run(command: Command, out: &Out) -> Done {
    match command {
        Command::Enrol { vkey, roles, node } => {
            let roles: Vec<&str> = roles.into_iter().map(Role::as_str).collect();
            node.client()?.enrol(&vkey.to_string(), &roles)?;
            out.answer(json!({ "enrolled": vkey.name(), "roles": roles }), || {
                sayln!("✓ {} is enrolled as {}", vkey.name(), roles.join(", "))
            });
        }
        Command::Revoke { vkey, node } => {
            node.client()?.revoke(&vkey.to_string())?;
            out.answer(json!({ "revoked": vkey.name() }), || {
                sayln!("✓ the key of {} signs no more", vkey.name())
            });
        }
    }
    Ok(true)
}

pub fn publish(args: &PublishArgs, out: &Out) -> Done {
    let client = args.node.client()?;
    let bodies = args
        .notes
        .iter()
        .map(|p| read(p))
        .collect::<Result<Vec<_>, _>>()?;
    for (path, body) in args.notes.iter().zip(&bodies) {
        client
            .post("/api/published", "text/plain", body, &[])
            .map_err(|e| Failure::from(e).about(path))?;
        if !out.json {
            sayln!("✓ {}", path.display());
        }
    }
    if out.json {
        sayln!("{:#}", json!({ "published": args.notes }));
    }
    Ok(true)
}
