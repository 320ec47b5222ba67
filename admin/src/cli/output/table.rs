//! Tables, for pipes and for terminals.

use std::io::IsTerminal;

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{ContentArrangement, Table};
use node::fault::Fault;

use super::text::say;

/// How tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Columns and nothing else: for pipes and files.
    Plain,
    /// Ruled, and fitted to the terminal's width.
    Terminal,
}

impl Style {
    /// [`Style::Terminal`] where the standard output is one.
    pub fn of_stdout() -> Style {
        if std::io::stdout().is_terminal() {
            Style::Terminal
        } else {
            Style::Plain
        }
    }
}

/// A table with this heading.
pub fn table(style: Style, heading: &[&str]) -> Table {
    let mut table = Table::new();
    match style {
        Style::Plain => table.load_style(NOTHING),
        Style::Terminal => {
            // comfy-table asks the terminal itself only with a feature that the workspace does
            // without.
            let width = std::env::var("COLUMNS")
                .ok()
                .and_then(|c| c.parse().ok())
                .filter(|w| *w >= 40)
                .unwrap_or(110);
            table
                .load_style(UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width)
        }
    };
    table.set_header(heading.iter().copied());
    table
}

/// A table's text, no line ending in spaces.
pub fn lines(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

/// Prints a table.
pub fn print(table: &Table) {
    say(&lines(table));
}

/// Every fault with its place, both languages and the code. Units have a column where any is named.
pub fn fault_table(style: Style, faults: &[Fault]) -> Table {
    let with_units = faults.iter().any(|f| f.unit.is_some());
    let place = if with_units { "单位 unit" } else { "行 row" };
    let column = if with_units {
        "项 field"
    } else {
        "列 column"
    };
    let mut rows = table(style, &[place, column, "代码 code", "中文", "English"]);
    for f in faults {
        let unit = f.unit.as_ref().map(ToString::to_string);
        let place = unit.or_else(|| f.row.map(|r| r.to_string()));
        rows.add_row([
            place.as_deref().unwrap_or_default(),
            f.column.as_deref().unwrap_or_default(),
            f.code.as_str(),
            &f.zh,
            &f.en,
        ]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_keep_columns_straight() {
        let mut rows = table(Style::Plain, &["列", "b"]);
        rows.add_row(["平定县", "1"]).add_row(["x", "2"]);
        assert_eq!(lines(&rows), " 列      b\n 平定县  1\n x       2\n");
    }
}
