//! Documents that must not be read leniently.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    members_and_numbers(b, w);
    values(b, w);
    shape(b, w);
    objects_and_escapes(b, w);
}

/// The value that stands behind a member of a JSON object: no text of it holds a bracket.
fn value_of<'a>(json: &'a str, member: &str) -> &'a str {
    let start = json.find(&format!("\"{member}\":")).unwrap() + member.len() + 3;
    let mut depth = 0;
    for (at, byte) in json.bytes().enumerate().skip(start) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &json[start..=at];
        }
    }
    panic!("{member} has no end");
}

/// An object as an array of what it holds, as some readers would take it.
fn as_array(object: &str) -> String {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(object).unwrap();
    serde_json::to_string(&object.values().collect::<Vec<_>>()).unwrap()
}

fn objects_and_escapes(b: &mut Book, w: &World) {
    let json = json_of(w.held(B, JAN).note.text());
    for member in ["signatories", "log", "opening", "registry"] {
        let object = value_of(&json, member);
        let changed = replaced(&json, object, &as_array(object));
        let name = format!("rollup-{member}-array");
        let case = format!("a rollup whose {member} is an array and no object");
        forge(b, w, &name, &case, &changed, "rollup.json");
    }
    for (name, case, to) in [
        (
            "rollup-escaped-name",
            "a rollup with a letter of a member's name as an escape",
            "\"voide\\u0064\":0",
        ),
        (
            "rollup-escaped-control",
            "a rollup with a terminal's control character as an escape",
            "\"\\u001b[2Jvoided\":0",
        ),
    ] {
        let changed = replaced(&json, "\"voided\":0", to);
        forge(b, w, name, case, &changed, "one JSON object on one line");
    }
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
