//! Verifies an evidence file: `cargo run -p protocol --example verify -- FILE ROOT_KEY…`, where a
//! root key is the text of a verifier key that you know from elsewhere, not from the file.

use std::error::Error;

use protocol::evidence::{file, report};
use protocol::note::VerifierKey;

fn verify(path: &str, roots: &[VerifierKey]) -> Result<bool, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let evidence = file::Opened::new(bytes.as_slice())?;
    let report = report::verify(&evidence, roots)?;
    println!(
        "{} statements of {} units",
        report.leaves,
        report.units.len()
    );
    for (unit, month, verdict) in report.failures() {
        println!("{} {}: {}", unit.name, month.period, verdict.detail);
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
    fn the_committed_files_hold() {
        for name in ["evidence-small.zip", "evidence-world.zip"] {
            assert!(
                verify(&format!("{VECTORS}/{name}"), &[root()]).unwrap(),
                "{name}"
            );
        }
    }
}
