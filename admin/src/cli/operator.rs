//! `countersign operator`: the keys of the unit's people.

use clap::Subcommand;
use protocol::note::VerifierKey;
use protocol::person::Role;
use serde_json::json;

use super::arguments::{ArgumentError, vkey};
use super::connect::Connection;
use super::output::{CommandResult, Output, sayln};

/// Enrol and revoke the keys of the unit's people
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  countersign operator enrol chen.vkey --roles recorder,preparer \
        --token-file ops.token"
)]
pub enum Command {
    /// Enrol a person's key in the unit's log
    #[command(
        after_help = "Example:\n  countersign operator enrol chen.vkey --roles recorder,preparer \
            --token-file ops.token\n\n\
        Roles: recorder (录入人), preparer (填表人), reviewer (统计负责人), head (单位负责人). A \
        name holds one key at a time, and all\n\
        roles of a person are enrolled at once. A recorder's key file must also lie in the node's \
        keys directory before it starts."
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
        What the key has signed before stays valid. To keep the person out of the API, remove the \
        token's line from the node's\n\
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

fn role(text: &str) -> Result<Role, ArgumentError> {
    Role::parse(text).ok_or_else(|| ArgumentError::Word {
        what: "roles",
        words: vec!["recorder", "preparer", "reviewer", "head"],
    })
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::Enrol { vkey, roles, node } => enrol(&vkey, &roles, &node, out),
        Command::Revoke { vkey, node } => revoke(&vkey, &node, out),
    }
}

fn enrol(vkey: &VerifierKey, roles: &[Role], node: &Connection, out: &Output) -> CommandResult {
    let roles: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
    node.client()?.enrol(&vkey.to_string(), &roles)?;
    out.answer(json!({ "enrolled": vkey.name(), "roles": roles }), || {
        sayln!("✓ {} is enrolled as {}", vkey.name(), roles.join(", "))
    });
    Ok(true)
}

fn revoke(vkey: &VerifierKey, node: &Connection, out: &Output) -> CommandResult {
    node.client()?.revoke(&vkey.to_string())?;
    out.answer(json!({ "revoked": vkey.name() }), || {
        sayln!("✓ the key of {} signs no more", vkey.name())
    });
    Ok(true)
}
