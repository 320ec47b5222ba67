//! Documents that must not be read leniently.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    members_and_numbers(b, w);
    values(b, w);
    shape(b, w);
}

/// County B's January with a rollup of this JSON, signed by everybody who has to.
fn forge(b: &mut Book, w: &World, name: &str, case: &str, json: &str, part: &str) {
    let (node, people) = (&w.desk(B).node, &w.desk(B).people);
    let note = forged(
        rollup::KIND,
        json,
        &[node, &people[1], &people[2], &people[3]],
    );
    let mut e = unanswered(w);
    on(&mut e, B).rollups.insert((month(JAN), 1), note);
    b.evidence(name, case, UNREADABLE, part, &e);
}

fn members_and_numbers(b: &mut Book, w: &World) {
    let json = json_of(w.held(B, JAN).note.text());
    forge(
        b,
        w,
        "rollup-member-twice",
        "a rollup in which a member stands twice",
        &replaced(&json, "\"voided\":0", "\"voided\":0,\"voided\":0"),
        "rollup.json",
    );
    forge(
        b,
        w,
        "rollup-map-twice",
        "a rollup whose opening has one event type twice",
        &replaced(&json, "\"sums\":{", "\"sums\":{\"person.registered\":[0],"),
        "twice",
    );
    forge(
        b,
        w,
        "rollup-member-unknown",
        "a rollup with a member that no rollup has",
        &replaced(&json, "\"voided\":0", "\"voided\":0,\"note\":\"x\""),
        "rollup.json",
    );
    forge(
        b,
        w,
        "rollup-member-missing",
        "a rollup without one of its members",
        &replaced(&json, "\"voided\":0,", ""),
        "rollup.json",
    );
    forge(
        b,
        w,
        "rollup-fraction",
        "a rollup with a number written as 0.0",
        &replaced(&json, "\"voided\":0", "\"voided\":0.0"),
        "rollup.json",
    );
    forge(
        b,
        w,
        "rollup-exponent",
        "a rollup with a number written as 0e0",
        &replaced(&json, "\"voided\":0", "\"voided\":0e0"),
        "rollup.json",
    );
}

fn values(b: &mut Book, w: &World) {
    let json = json_of(w.held(B, JAN).note.text());
    forge(
        b,
        w,
        "rollup-month",
        "a rollup of a month that is written as 2026-1",
        &replaced(&json, "\"period\":\"2026-01\"", "\"period\":\"2026-1\""),
        "rollup.json",
    );
    forge(
        b,
        w,
        "rollup-digest-upper",
        "a rollup that names its catalogue in capital hex digits",
        &json.replace(
            &w.counting.digest.to_string(),
            &format!(
                "sha256:{}",
                w.counting.digest.to_string()[7..].to_uppercase()
            ),
        ),
        "rollup.json",
    );
    let blinding = hex::encode(w.held(B, JAN).rollup.opening.blinding.0.as_bytes());
    forge(
        b,
        w,
        "rollup-blinding-order",
        "a blinding sum that is the group order instead of zero",
        &replaced(
            &json,
            &blinding,
            "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        ),
        "commitment.scalar",
    );
    forge(
        b,
        w,
        "rollup-first",
        "a rollup whose first leaf lies behind its log",
        &replaced(&json, "\"first\":4", "\"first\":8"),
        "rollup.shape",
    );
}

fn shape(b: &mut Book, w: &World) {
    let json = json_of(w.held(B, JAN).note.text());
    forge(
        b,
        w,
        "rollup-supersedes",
        "a first revision that supersedes something",
        &replaced(
            &json,
            "\"supersedes\":null",
            &format!("\"supersedes\":\"{}\"", Digest::of(b"x")),
        ),
        "rollup.shape",
    );
    let digest = format!("\"{}\"", Digest::of(b"x"));
    forge(
        b,
        w,
        "rollup-follows-nothing",
        "a rollup that follows none and builds on a month before",
        &replaced(
            &json,
            "\"previous\":null",
            &format!("\"previous\":{digest}"),
        ),
        "rollup.shape",
    );
    forge(
        b,
        w,
        "rollup-follows-digest",
        "what a rollup follows is a digest without its month and revision",
        &replaced(&json, "\"after\":null", &format!("\"after\":{digest}")),
        "rollup.json",
    );
    forge(
        b,
        w,
        "rollup-two-signatories",
        "preparer and head are one person",
        &replaced(&json, "\"head\":\"140311/zhao\"", "\"head\":\"140311/li\""),
        "three people",
    );
    forge(
        b,
        w,
        "rollup-reason",
        "a missing child without a reason",
        &replaced(
            &json,
            "\"missing\":[]",
            "\"missing\":[{\"unit\":\"14\",\"reason\":\" \"}]",
        ),
        "rollup.shape",
    );
    forge(
        b,
        w,
        "rollup-child-twice",
        "a child named twice",
        &replaced(
            &json,
            "\"missing\":[]",
            "\"missing\":[{\"unit\":\"14\",\"reason\":\"x\"},{\"unit\":\"14\",\"reason\":\"x\"}]",
        ),
        "named twice",
    );
}
