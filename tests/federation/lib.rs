//! Where the programs of this workspace are, for tests that run them as processes.
//!
//! The tests themselves are in `main_job.rs` (the whole job, and the cheats), `survival.rs` (what
//! must survive), `rounds.rs` (many seeded rounds while everything dies) and `network.rs` (cuts,
//! lost and repeated messages, an empty broker). They need the programs (`cargo build --workspace
//! --bins`) and the pinned nats-server (`deploy/get-nats`); `tests/run` gets both.

use std::path::PathBuf;
use std::process::Child;

/// The repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The directory of the built programs: two above the test's own program.
pub fn programs() -> PathBuf {
    let mut path = std::env::current_exe().unwrap_or_default();
    path.pop();
    path.pop();
    path
}

/// The pinned nats-server.
pub fn nats_server() -> PathBuf {
    programs().join("../tools/nats-server")
}

/// A new directory for one test, removed before and kept after, so that a failure can be looked at.
pub fn directory(name: &str) -> PathBuf {
    let dir = programs().join("../federation-tests").join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::path::absolute(dir).unwrap_or_default()
}

/// A program that ends with the test that started it.
#[derive(Debug)]
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
