//! `countersign explain`: what a code means and how to cure it.

use node::fault::{Bilingual, FaultCode};
use protocol::verdict::Code;
use serde_json::json;

use super::output::{CommandResult, Failure, Output, sayln};

/// What a code means, and what to do (代码的含义和办法)
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign explain close.child\n\n\
    Every code that the programs, the API and the logs give, and those of the steps of the five \
    checks. It asks no node.")]
pub struct Args {
    /// The code
    code: String,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    if let Ok(code) = args.code.parse::<FaultCode>() {
        explain_fault(code, out);
        return Ok(true);
    }
    let step = Code::ALL.iter().find(|code| code.as_str() == args.code);
    let Some(step) = step else {
        return Err(
            Failure::usage(format!("this version knows no such code: {}", args.code))
                .help("codes are written `area.what`; a newer node may have more of them"),
        );
    };
    explain_verdict(*step, out);
    Ok(true)
}

fn explain_fault(code: FaultCode, out: &Output) {
    let (meaning, cure) = (code.meaning(), code.cure());
    let both = |text: Bilingual| json!({ "zh": text.zh, "en": text.en });
    let answer = json!({
        "code": code.as_str(), "meaning": both(meaning), "cure": both(cure),
    });
    out.answer(answer, || {
        sayln!("{code}");
        sayln!("  含义  {}\n        {}", meaning.zh, meaning.en);
        sayln!("  办法  {}\n        {}", cure.zh, cure.en);
    });
}

/// The code of a verdict is no fault: it says which step of which check found what.
fn explain_verdict(code: Code, out: &Output) {
    let (check, section, step) = (code.check(), code.section(), code.step());
    let answer = json!({
        "code": code.as_str(), "check": check.as_str(), "section": section, "step": step,
    });
    out.answer(answer, || {
        sayln!("{code}");
        if code.holds() {
            sayln!("  {}：没有发现矛盾", check.zh());
            sayln!("  the check {check} found nothing that contradicts");
            return;
        }
        let (zh, en) = match step {
            0 => (String::new(), String::new()),
            n => (format!("第 {n} 步"), format!(", step {n}")),
        };
        sayln!(
            "  {}（见 protocol/SPEC.md 第 {section} 节{zh}）",
            check.zh()
        );
        sayln!("  of the check {check} (protocol/SPEC.md, section {section}{en})");
    });
}
