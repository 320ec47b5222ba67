//! The command line of Countersign: everything an operator, a clerk, an officer or an inspector
//! does without a browser.
//!
//! It works from files, or through a node's API; never on a live node's database. Reading order:
//! [`api`] (talking to a node), [`keyring`] (keys, tokens, published documents), [`nats`] (what an
//! operator sets up), [`on_disk`] (evidence read where it lies), [`toml_files`], [`cli`] (the commands).

pub mod api;
pub mod cli;
pub mod keyring;
pub mod nats;
pub mod on_disk;
pub mod toml_files;
