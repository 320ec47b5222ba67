//! Tables, for pipes and for terminals.

use std::io::IsTerminal;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use node::fault::Fault;

use super::layout::fitted;
use super::text::say;

/// The width of a terminal that does not say it.
const DEFAULT_WIDTH: usize = 110;

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

/// The width of the terminal: as it says itself, else as its environment does.
fn terminal_width() -> usize {
    let own = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    own.or_else(told).unwrap_or(DEFAULT_WIDTH)
}

/// A table with this heading.
pub fn table(style: Style, heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if style == Style::Terminal {
        let width = u16::try_from(terminal_width()).unwrap_or(u16::MAX);
        table.set_width(width);
    }
    table.set_header(heading.iter().copied());
    table
}

/// A table's text, no line ending in spaces.
pub fn lines(table: &Table) -> String {
    let Some(width) = table.width() else {
        return table.trim_fmt() + "\n";
    };
    let content = |row: &comfy_table::Row| row.cell_iter().map(|c| c.content()).collect();
    let heading: Vec<String> = table.header().map(content).unwrap_or_default();
    let rows: Vec<Vec<String>> = table.row_iter().map(content).collect();
    fitted(&heading, &rows, usize::from(width))
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
