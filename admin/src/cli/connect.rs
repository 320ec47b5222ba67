//! Which node, and on whose behalf.

use std::path::PathBuf;

use clap::Args;
use protocol::text::without_bom;
use zeroize::Zeroizing;

use super::output::{Failure, read_text};
use crate::api::Client;

/// A node and a token.
#[derive(Args)]
#[command(next_help_heading = "Node")]
pub struct Connection {
    /// Address of the node's API, for example <http://127.0.0.1:8321> [env: COUNTERSIGN_NODE]
    #[arg(long, value_name = "URL")]
    node: Option<String>,
    /// Token; other users of this machine may see it, so rather use the file or the variable [env:
    /// COUNTERSIGN_TOKEN]
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// File with the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Trust the node's certificate by this authority alone, PEM [env: COUNTERSIGN_CA]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

// The token is never shown, not even in a debug print.
impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({:?})", self.node)
    }
}

impl Connection {
    /// A client.
    ///
    /// # Errors
    /// No address or no token.
    pub fn client(&self) -> Result<Client, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        let node = self.node.clone().or_else(|| variable("COUNTERSIGN_NODE"));
        let node = node
            .ok_or_else(|| Failure::usage("which node? Give --node URL or set COUNTERSIGN_NODE"))?;
        if !node.starts_with("http://") && !node.starts_with("https://") {
            return Err(Failure::usage(format!(
                "{node}: an address begins with http:// or https://"
            )));
        }
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(file)) => Some(read_text(file)?),
            (None, None) => variable("COUNTERSIGN_TOKEN"),
        }
        .map(Zeroizing::new);
        let token = token.ok_or_else(|| {
            Failure::usage("who asks? Give --token-file FILE or set COUNTERSIGN_TOKEN")
        })?;
        let token = without_bom(&token).trim();
        // What is not visible ASCII cannot stand in a header; the text is not repeated, it is a
        // secret.
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Failure::usage(
                "the token is not one line of letters and digits, as `countersign key token` \
                    writes it",
            ));
        }
        let ca = self
            .ca
            .clone()
            .or_else(|| variable("COUNTERSIGN_CA").map(PathBuf::from));
        match ca {
            None => Ok(Client::new(&node, token)),
            Some(_) if node.starts_with("http://") => Err(Failure::usage(format!(
                "{node}: an authority is given, but http:// uses no certificate; write https://"
            ))),
            Some(file) => {
                let pem = std::fs::read(&file).map_err(Failure::file(&file))?;
                Client::with_authority(&node, token, &pem).map_err(Failure::of)
            }
        }
    }
}
