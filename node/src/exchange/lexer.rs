//! Text with separators into rows of cells, before anything is known of what they mean.

/// What is wrong with the quotation marks of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteError {
    /// One that is opened in it is never closed: all that follows is in one cell.
    Unclosed,
    /// Something stands between the closing mark and the next separator.
    TextBehind,
    /// A quoted cell runs over this many line ends, and may hold rows that were meant as rows.
    Lines(usize),
}

/// A row before anything is known of its cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RawRow {
    /// As a spreadsheet counts, from 1; empty lines are rows.
    pub(super) number: u64,
    /// Its cells.
    pub(super) cells: Vec<String>,
    /// The first fault of its quotation marks.
    pub(super) quotes: Option<QuoteError>,
}

impl RawRow {
    fn fault(&mut self, error: QuoteError) {
        self.quotes.get_or_insert(error);
    }
}

/// The rows of a text. Lines end with LF, CR or both.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'t> {
    rest: &'t str,
    separator: char,
    number: u64,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, separator: char) -> Lexer<'t> {
        Lexer {
            rest: text,
            separator,
            number: 0,
        }
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Takes a line end, if one is next.
    fn line_end(&mut self) -> bool {
        let ends = ["\r\n", "\n", "\r"];
        let rest = ends.iter().find_map(|end| self.rest.strip_prefix(end));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes what stands before the next separator or line end.
    fn plain(&mut self) -> &'t str {
        let separator = self.separator;
        let end = |c: char| c == separator || c == '\n' || c == '\r';
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(at);
        self.rest = rest;
        text
    }

    /// Takes a quoted cell, whose opening mark was taken.
    fn quoted(&mut self, row: &mut RawRow) -> String {
        let mut text = String::new();
        let mut lines = 0;
        loop {
            let end = self.rest.find(['"', '\n', '\r']).unwrap_or(self.rest.len());
            let (piece, rest) = self.rest.split_at(end);
            text.push_str(piece);
            self.rest = rest;
            if self.line_end() {
                lines += 1;
                text.push('\n');
                continue;
            }
            if self.take().is_none() {
                row.fault(QuoteError::Unclosed);
                return text;
            }
            if self.rest.starts_with('"') {
                self.take();
                text.push('"');
                continue;
            }
            break;
        }
        let behind = self.plain();
        if !behind.trim().is_empty() {
            row.fault(QuoteError::TextBehind);
            text.push_str(behind);
        }
        if lines > 0 {
            row.fault(QuoteError::Lines(lines));
        }
        text
    }
}

impl Iterator for Lexer<'_> {
    type Item = RawRow;

    fn next(&mut self) -> Option<RawRow> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let mut row = RawRow {
            number: self.number,
            ..RawRow::default()
        };
        loop {
            let blank = self.rest.trim_start_matches(' ');
            if let Some(rest) = blank.strip_prefix('"') {
                self.rest = rest;
                let text = self.quoted(&mut row);
                row.cells.push(text);
            } else {
                let text = self.plain().to_string();
                row.cells.push(text);
            }
            if self.rest.is_empty() || self.line_end() {
                return Some(row);
            }
            self.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        Lexer::new(text, ',').map(|row| row.cells).collect()
    }

    #[test]
    fn line_ends_of_every_system_and_quotes_are_read() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("a,b{end}\"c,\"\"d\",{end}{end} \"e\" ,f");
            let want = [vec!["a", "b"], vec!["c,\"d", ""], vec![""], vec!["e", "f"]];
            assert_eq!(rows(&text), want, "{end:?}");
        }
        assert_eq!(rows("=\"9\",b"), [["=\"9\"", "b"]]);
        assert!(rows("").is_empty());
    }

    #[test]
    fn a_fault_of_quotes_is_of_the_row_where_it_begins() {
        let faults = |text| {
            let rows = Lexer::new(text, ',');
            rows.filter_map(|row| Some((row.number, row.quotes?)))
                .collect::<Vec<_>>()
        };
        assert_eq!(faults("a\n\"b\nc\nd"), [(2, QuoteError::Unclosed)]);
        assert_eq!(faults("a\n\"b\nc\",x\nd"), [(2, QuoteError::Lines(1))]);
        assert_eq!(faults("a\n\"b\"c,x\nd"), [(2, QuoteError::TextBehind)]);
        assert_eq!(faults("a\n\"b\",x\n"), []);
    }
}
