//! Rules over a month's figures: hard ones that do not hold, and explanations.

use protocol::rollup::Explanation;

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    painted(b, w);
    let broken = |inspections: usize, explained: &[(&str, &str)]| {
        let mut c = inspected(w, inspections);
        c.rollup.explanations = explained.iter().map(explanation).collect();
        c
    };
    for (name, case, detail, c, cel) in [
        (
            "rule-not-explained",
            "a soft rule does not hold, and nothing explains it",
            "the rule R1 does not hold and is not explained",
            broken(3, &[]),
            true,
        ),
        (
            "rule-hard",
            "a hard rule does not hold, and an explanation stands in its place",
            "the hard rule R2 does not hold",
            broken(4, &[("R1", "I22")]),
            true,
        ),
        (
            "rule-holds",
            "a rule that holds is explained",
            "explains R1",
            broken(2, &[("R1", "I22")]),
            true,
        ),
        (
            "rule-unknown",
            "a rule is explained that the catalogue does not have",
            "explains NOSUCH",
            broken(2, &[("NOSUCH", "I22")]),
            false,
        ),
        (
            "rule-other-figure",
            "a rule is explained for another figure than its own",
            "the rule R1 does not hold and is not explained",
            broken(3, &[("R1", "I7")]),
            false,
        ),
        (
            "rule-hard-explained",
            "a hard rule is explained",
            "explains R2",
            broken(2, &[("R2", "I22")]),
            false,
        ),
        (
            "rule-twice",
            "a rule is explained twice",
            "explains one rule twice",
            broken(3, &[("R1", "I22"), ("R1", "I22")]),
            false,
        ),
    ] {
        let entry = b.case(name, case, ARITHMETIC, detail, &c);
        if cel {
            entry.cel();
        }
    }
    b.control(
        "control-rule-explained.zip",
        "a soft rule does not hold, and is explained",
        file::write(&evidence_of(&broken(3, &[("R1", "I22")]))).unwrap(),
    );
    let mut c = broken(3, &[("R1", "I22")]);
    c.rollup.explanations[0].text = "\u{200b}".into();
    b.control(
        "control-explanation-not-white.zip",
        "an explanation of U+200B, which Unicode does not call white space",
        file::write(&evidence_of(&c)).unwrap(),
    );
    b.control(
        "control-rules-hold.zip",
        "the most inspections for which every rule holds",
        file::write(&evidence_of(&broken(2, &[]))).unwrap(),
    );
}

/// What a verdict repeats of a file is the file's word, and goes to a terminal.
fn painted(b: &mut Book, w: &World) {
    let mut c = inspected(w, 2);
    let rule = "\u{2713} every check holds\u{202e}\n";
    c.rollup.explanations = vec![explanation(&(rule, "I22"))];
    b.case(
        "rule-paints",
        "a rule is explained whose name writes a verdict of its own on a line of its own",
        ARITHMETIC,
        "every check holds",
        &c,
    );
}

fn explanation((rule, figure): &(&str, &str)) -> Explanation {
    Explanation {
        rule: (*rule).into(),
        figure: (*figure).into(),
        text: "many fairs".into(),
    }
}

/// County B's January with this many inspections.
fn inspected(w: &World, inspections: usize) -> Case<'_> {
    let mut spare = Spare::new();
    let mut c = Case::of(w, B, JAN);
    for _ in 0..inspections {
        let s = spare.inspection();
        c.append(&s, &w.desk(B).people[0]);
    }
    recount(&mut c);
    c
}
