//! Signs that look alike, or that nobody sees, made one: full-width forms, invisible characters,
//! marks of a spreadsheet around a cell. What a person typed is read; what it shows to the eye
//! decides.

/// A cell without what nobody sees, and without what a spreadsheet puts around its text: invisible
/// characters, a leading apostrophe, `="…"`. Inner text is kept as it is.
pub(super) fn visible(text: &str) -> String {
    let seen: String = text.chars().filter_map(seen).collect();
    let mut text = seen.trim();
    if let Some(inner) = text.strip_prefix("=\"").and_then(|t| t.strip_suffix('"')) {
        text = inner.trim();
    }
    if let Some(rest) = text.strip_prefix('\'') {
        text = rest.trim_start();
    }
    text.to_string()
}

/// A character as far as it is seen: spaces of other widths are a space, marks of direction, joiners
/// and byte order marks are nothing.
fn seen(c: char) -> Option<char> {
    match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Some(' '),
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => None,
        _ => Some(c),
    }
}

/// Full-width forms of ASCII become ASCII, as compatibility normalisation (NFKC) would make them.
/// For headings, codes, numbers and days only: in a name or an address a sign stays what it is.
pub(super) fn narrow(text: &str) -> String {
    text.chars().map(narrow_sign).collect()
}

fn narrow_sign(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{ffe5}' => '¥',
        '\u{2212}' | '\u{2010}'..='\u{2013}' => '-',
        '【' => '[',
        '】' => ']',
        _ => c,
    }
}

/// A name or a code as it is compared: visible, narrow, without any space, in small letters.
pub(super) fn key(text: &str) -> String {
    narrow(&visible(text))
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_decides() {
        for text in [
            "\u{202d}99X\u{202c}",
            "=\"99X\"",
            "'99X",
            "\u{feff} 99X\u{3000}",
            "9\u{200b}9X",
        ] {
            assert_eq!(visible(text), "99X", "{text:?}");
        }
        assert_eq!(key("月 工资（元）"), "月工资(元)");
        assert_eq!(key("２０２４－０１"), "2024-01");
        // A name keeps its own signs.
        assert_eq!(visible("阿·买（大）"), "阿·买（大）");
    }
}
