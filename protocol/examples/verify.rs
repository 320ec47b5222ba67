//! Verifies an evidence file: `cargo run -p protocol --example verify -- FILE ROOT_KEY…`, where a
//! root key is the text of a verifier key that you know from elsewhere, not from the file.

use std::error::Error;

use protocol::evidence::{file, report};
use protocol::note::VerifierKey;

/// A line for each check that fails. Names and details repeat what the file says: a control in them
/// must not paint the screen.
fn failures(report: &report::Report) -> Vec<String> {
    let lines = report.failures().map(|(unit, month, verdict)| {
        let (name, detail) = (unit.name.escape_debug(), verdict.detail.to_string());
        format!("{name} {}: {}", month.period, detail.escape_debug())
    });
    lines.collect()
}

fn verify(path: &str, roots: &[VerifierKey]) -> Result<bool, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let evidence = file::Opened::new(bytes.as_slice())?;
    let report = report::verify(&evidence, roots)?;
    println!(
        "{} statements of {} units",
        report.leaves,
        report.units.len()
    );
    for line in failures(&report) {
        println!("{line}");
    }
    println!(
        "{}",
        if report.holds() {
            "it holds"
        } else {
            "it does not hold"
        }
    );
    Ok(report.holds())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let roots = arguments
        .map(|key| key.parse())
        .collect::<Result<Vec<_>, _>>()?;
    let holds = verify(&path, &roots)?;
    std::process::exit(i32::from(!holds));
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");

    fn root() -> VerifierKey {
        let about = std::fs::read(format!("{VECTORS}/evidence.json")).unwrap();
        let about: serde_json::Value = serde_json::from_slice(&about).unwrap();
        about["root_vkey"].as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn what_a_file_says_paints_nothing() {
        let bytes = std::fs::read(format!("{VECTORS}/refuse/rule-paints.zip")).unwrap();
        let evidence = file::Opened::new(bytes.as_slice()).unwrap();
        let lines = failures(&report::verify(&evidence, &[root()]).unwrap());
        assert!(lines.iter().any(|l| l.contains("\\u{202e}")), "{lines:?}");
        let wild = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!lines.iter().any(|l| l.contains(wild)), "{lines:?}");
    }

    #[test]
    fn the_committed_files_hold() {
        for name in ["evidence-small.zip", "evidence-world.zip"] {
            assert!(
                verify(&format!("{VECTORS}/{name}"), &[root()]).unwrap(),
                "{name}"
            );
        }
    }
}
