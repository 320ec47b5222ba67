//! Tables fitted to a terminal: columns are narrowed where a line may break, and nowhere else.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: usize = 2;

/// A table of this width at most; cells are wrapped between words and between Chinese characters,
/// never inside a number, a time, a digest or a name. Where that cannot be, each row is told line by
/// line.
pub fn fitted(heading: &[String], rows: &[Vec<String>], width: usize) -> String {
    let columns = heading.len();
    let cells = || std::iter::once(heading).chain(rows.iter().map(Vec::as_slice));
    let of_column = |measure: fn(&str) -> usize| -> Vec<usize> {
        let widest = |n: usize| {
            cells()
                .filter_map(|row| row.get(n))
                .map(|c| measure(c))
                .max()
        };
        (0..columns).map(|n| widest(n).unwrap_or(0)).collect()
    };
    let (natural, least) = (of_column(longest_line), of_column(longest_token));
    let gaps = GAP * columns.saturating_sub(1);
    let Some(widths) = shared(&natural, &least, width.saturating_sub(gaps)) else {
        return told(heading, rows);
    };
    let mut text = row_text(heading, &widths);
    let rule = widths.iter().sum::<usize>() + gaps;
    text.push_str(&"─".repeat(rule));
    text.push('\n');
    for row in rows {
        text.push_str(&row_text(row, &widths));
    }
    text
}

/// Each column as wide as it likes; where that is too much, the widest give way first, none below
/// what it needs.
fn shared(natural: &[usize], least: &[usize], width: usize) -> Option<Vec<usize>> {
    if least.iter().sum::<usize>() > width {
        return None;
    }
    let mut widths = natural.to_vec();
    while widths.iter().sum::<usize>() > width {
        let narrower = |n: &usize| widths[*n] > least[*n];
        let widest = (0..widths.len())
            .filter(narrower)
            .max_by_key(|n| widths[*n]);
        widths[widest?] -= 1;
    }
    Some(widths)
}

fn longest_line(cell: &str) -> usize {
    cell.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

fn longest_token(cell: &str) -> usize {
    tokens(cell).into_iter().map(str::width).max().unwrap_or(0)
}

/// Characters between which a line may break on either side: those of Chinese, without its marks,
/// which may not begin a line.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The parts of a line between which it may break. What follows an ideograph and is none stays with
/// it only where it is a mark.
fn tokens(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut before: Option<char> = None;
    for (at, c) in line.char_indices() {
        let breaks = before.is_some_and(|b| may_break(b, c));
        if breaks {
            parts.push(&line[begin..at]);
            begin = at;
        }
        before = Some(c);
    }
    parts.push(&line[begin..]);
    let words = parts.into_iter().map(|p| p.trim_matches([' ', '\n']));
    words.filter(|p| !p.is_empty()).collect()
}

fn may_break(before: char, after: char) -> bool {
    if matches!(before, ' ' | '\n') {
        return true;
    }
    let mark = "，。；：、）！？”’》%".contains(after);
    let opens = "（“‘《".contains(before);
    !mark
        && !opens
        && (is_ideograph(before) || is_ideograph(after) || "，。；：、）".contains(before))
}

/// The lines of a cell, each at most this wide.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in cell.lines() {
        let mut current = String::new();
        let mut end = 0;
        for token in tokens(line) {
            // What stood between this token and the one before: spaces, or nothing.
            let begin = end + line[end..].find(token).unwrap_or(0);
            let between = if current.is_empty() {
                ""
            } else {
                &line[end..begin]
            };
            end = begin + token.len();
            if !current.is_empty() && current.width() + between.width() + token.width() > width {
                lines.push(std::mem::take(&mut current));
                current.push_str(token);
            } else {
                current.push_str(between);
                current.push_str(token);
            }
        }
        lines.push(current);
    }
    lines
}

fn row_text<S: AsRef<str>>(row: &[S], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths);
    let cells: Vec<Vec<String>> = cells.map(|(c, w)| wrapped(c.as_ref(), *w)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for n in 0..height {
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if column > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let part = cell.get(n).map(String::as_str).unwrap_or_default();
            let used: usize = part.chars().map(|c| c.width().unwrap_or(0)).sum();
            line.push_str(part);
            line.push_str(&" ".repeat(width.saturating_sub(used)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Each cell on a line of its own, for terminals that no table fits.
fn told(heading: &[String], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in rows {
        for (word, cell) in heading.iter().zip(row) {
            if !cell.is_empty() {
                text.push_str(&format!("{word}: {}\n", cell.replace('\n', "\n  ")));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:3d3a818b26d3";
    const TIME: &str = "2026-11-27T22:35:23Z";

    fn table(width: usize) -> String {
        let heading = ["单位 unit", "收到 arrived", "摘要值", "校验 checks"].map(str::to_string);
        let row = [
            "平定县",
            TIME,
            DIGEST,
            "按期报送通过（有提示）：晚于截止日期 3 天，请核对后再审核",
        ];
        let rows = vec![row.map(str::to_string).to_vec()];
        fitted(&heading, &rows, width)
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_token_is_broken() {
        for width in [72, 80, 100, 120, 160] {
            let text = table(width);
            assert!(
                text.contains(TIME) && text.contains(DIGEST),
                "{width}:\n{text}"
            );
            assert!(text.contains('─'), "{width} fits a table");
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
                assert!(!line.trim_start().starts_with(['，', '：', '）']), "{line}");
            }
            let told: String = text.lines().skip(2).collect();
            let letters = |t: &str| t.chars().filter(|c| *c == '核').count();
            assert_eq!(letters(&told), 2, "nothing is lost");
        }
    }

    #[test]
    fn columns_of_chinese_are_straight() {
        let heading = ["列".to_string(), "b".to_string()];
        let rows = vec![
            vec!["平定县".to_string(), "1".to_string()],
            vec!["x".to_string(), "2".to_string()],
        ];
        let text = fitted(&heading, &rows, 80);
        assert_eq!(text, "列      b\n─────────\n平定县  1\nx       2\n");
    }

    #[test]
    fn where_no_table_fits_each_row_is_told() {
        let text = table(30);
        assert!(text.contains(&format!("摘要值: {DIGEST}\n")), "{text}");
        assert!(!text.contains('─'));
    }

    #[test]
    fn words_stay_whole_and_spaces_between_them_are_kept() {
        assert_eq!(wrapped("every check holds", 11), ["every check", "holds"]);
        assert_eq!(wrapped("月工资3500.00元", 8), ["月工资", "3500.00", "元"]);
        assert_eq!(wrapped("a\nb", 5), ["a", "b"]);
    }
}
