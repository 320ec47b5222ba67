//! The sources, read as text: which codes they give.

use std::collections::BTreeSet;
use std::path::Path;

/// The sources below a folder of the repository, with their tests cut off.
pub fn read(folder: &str) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    append(&top.join(folder), &mut text);
    assert!(!text.is_empty(), "{folder} holds no sources");
    text
}

fn append(path: &Path, text: &mut String) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            append(&entry.unwrap().path(), text);
        }
    } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
        let source = std::fs::read_to_string(path).unwrap();
        let program = source.split("#[cfg(test)]\nmod ").next().unwrap();
        text.push_str(program);
    }
}

/// Whether a text looks like `area.what`.
pub fn is_code(text: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split_once('.')
        .is_some_and(|(area, what)| part(area) && part(what))
}

/// Codes that stand alone as an arm of a `match`, or in brackets at the end of an error's text.
pub fn literal(source: &str) -> BTreeSet<String> {
    let arms = source.split("=> \"").skip(1);
    let arms = arms.filter_map(|rest| rest.split('"').next());
    let ends = source.split("]\"").filter_map(|text| {
        let (_, code) = text.rsplit_once(" [")?;
        Some(code)
    });
    let found = arms.chain(ends).filter(|text| is_code(text));
    found.map(str::to_string).collect()
}

/// The argument at this place, where it is a word in quotation marks, of each call that begins so.
pub fn arguments(source: &str, call: &str, place: usize) -> BTreeSet<String> {
    let calls = source.split(call).skip(1);
    let words = calls.filter_map(|rest| {
        let argument = split_arguments(rest).into_iter().nth(place)?;
        let word = argument.trim().strip_prefix('"')?.strip_suffix('"')?;
        word.bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'_')
            .then(|| word.to_string())
    });
    words.collect()
}

/// What stands between the commas of a call, of which the opening bracket is already read.
fn split_arguments(rest: &str) -> Vec<String> {
    let (mut arguments, mut depth, mut quoted) = (vec![String::new()], 0, false);
    let mut before = ' ';
    for c in rest.chars() {
        let opens = !quoted && "([{".contains(c);
        let closes = !quoted && ")]}".contains(c);
        if closes && depth == 0 {
            break;
        }
        depth = depth + usize::from(opens) - usize::from(closes);
        quoted ^= c == '"' && before != '\\';
        before = c;
        if c == ',' && depth == 0 && !quoted {
            arguments.push(String::new());
        } else if let Some(last) = arguments.last_mut() {
            last.push(c);
        }
    }
    arguments
}
