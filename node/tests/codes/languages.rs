//! A Chinese text has no English cause in it.

/// The literals of a source.
fn literals(source: &str) -> Vec<&str> {
    source.split('"').skip(1).step_by(2).collect()
}

/// Errors of the system and of `protocol` speak English: their text belongs into the English half.
#[test]
fn no_chinese_text_of_the_node_repeats_an_error() {
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c));
    let mut seen = 0;
    // One line at a time: what stands in quotation marks within a text does not shift the rest.
    let source = super::sources::read("node/src");
    for text in source.lines().flat_map(literals).filter(|t| is_chinese(t)) {
        seen += 1;
        for error in [
            "{e}",
            "{error}",
            "{message}",
            "{why}",
            "{cause}",
            "{source}",
        ] {
            assert!(!text.contains(error), "{text}");
        }
    }
    assert!(seen > 200, "{seen}");
}
