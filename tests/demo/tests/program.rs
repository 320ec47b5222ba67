//! The program as people meet it: made-up ledgers, refusals, help texts.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign-demo"))
        .args(args)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs `ledger` for the units of deploy/units and below one of them.
fn ledger(under: &str, out: &Path, more: &[&str]) -> Output {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/units/units.csv");
    let (units, out) = (units.to_str().unwrap(), out.to_str().unwrap());
    let args = [
        "ledger", "--year", "2023", "--units", units, "--under", under, "--out", out,
    ];
    run(&[&args[..], more].concat())
}

/// A directory of its own, removed at the end.
struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn ledgers_are_the_same_twice() {
    let dir = Dir(std::env::temp_dir().join(format!("cs-demo-{}", std::process::id())));
    let generate = |out: &str| {
        let output = ledger("140321", &dir.0.join(out), &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(generate("one"), generate("two"));
    let read = |out: &str| std::fs::read(dir.0.join(out).join("140321/2023-03/14-E16.csv"));
    assert_eq!(read("one").unwrap(), read("two").unwrap());
    let refused = ledger("999999", &dir.0.join("x"), &[]);
    assert_eq!(
        (refused.status.code(), text(&refused.stdout).as_str()),
        (Some(1), "")
    );
    let said = text(&refused.stderr);
    assert!(said.contains("units.unknown"), "{said}");
}

#[test]
fn every_help_has_an_example() {
    for command in [&[][..], &["run"], &["ledger"]] {
        let output = run(&[command, &["--help"]].concat());
        let help = text(&output.stdout);
        assert!(help.contains("Example:"), "{command:?}: {help}");
    }
}
