//! Sources with a heading: where the heading stands, the columns that it names, and the rows below
//! it. Every row is accounted for: it is a draft, has a fault, or is skipped by name.

use std::collections::BTreeMap;

use protocol::catalogue::{Catalogue, EventType};

use super::column::{Column, Heading, name_of, required, unknown, without_unit};
use super::fold;
use super::lexer::{QuoteError, RawRow};
use super::rows::{BadRow, Cell, Draft, Parsed, SkipReason, draft, limit};
use crate::fault::{Fault, FaultCode, Faults};

/// The heading stands in one of the first rows, below titles.
pub(super) const HEADING_ROWS: usize = 12;

/// A heading of which every name is known. All rows below it are of one event type.
#[derive(Debug)]
struct Table<'a> {
    event: &'a EventType,
    /// The row where it stands.
    number: u64,
    headings: Vec<Heading>,
    /// Whether the file calls fields by their machine names.
    machine: bool,
}

/// How many fields a row names, each once.
fn known(cells: &[String], event: &EventType) -> usize {
    let mut fields: Vec<String> = cells
        .iter()
        .filter_map(|cell| match Heading::read(cell, event) {
            Heading::Column(column) => Some(column.field),
            _ => None,
        })
        .collect();
    fields.sort_unstable();
    fields.dedup();
    fields.len()
}

/// The row of the first ones that names most fields, and how many.
pub(super) fn heading_of<'r>(
    rows: impl Iterator<Item = &'r RawRow>,
    event: &EventType,
) -> Option<(&'r RawRow, usize)> {
    let mut best: Option<(&RawRow, usize)> = None;
    for row in rows.take(HEADING_ROWS) {
        let fields = known(&row.cells, event);
        if fields > best.map_or(0, |(_, most)| most) {
            best = Some((row, fields));
        }
    }
    best
}

/// What is told where no row is a heading. Cells are not repeated: they may be data of a person.
fn no_heading(event: &EventType) -> Fault {
    let zh: Vec<String> = required(event)
        .map(|name| name_of(name, event, false).into_owned())
        .collect();
    let (zh, code) = (zh.join("、"), &event.code);
    Fault::new(
        FaultCode::FileHeading,
        format!(
            "未找到表头：前 {HEADING_ROWS} 行中没有 {code} 的列名。请将列名放在数据上方，至少要有：{zh}。"
        ),
        format!(
            "no heading was found: none of the first {HEADING_ROWS} rows has a name of a column of \
             {code}; put the names above the data, at least: {zh}"
        ),
    )
}

/// What a file gives that has no heading.
pub(super) fn without_heading(event: &EventType) -> Parsed {
    let mut parsed = Parsed {
        rows: 1,
        ..Parsed::default()
    };
    parsed.add(1, Err(BadRow::from(no_heading(event))));
    parsed
}

/// What a file gives under its heading: its rows, or what is wrong with the heading.
pub(super) fn read_under(
    heading: &RawRow,
    rows: impl Iterator<Item = RawRow>,
    event: &EventType,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    match Table::new(heading, event) {
        Ok(table) => table.read(rows, catalogue),
        Err(faults) => {
            let mut parsed = Parsed::default();
            let filled = |row: &RawRow| row.cells.iter().any(|cell| !cell.trim().is_empty());
            let below = rows.filter(|row| row.number > heading.number && filled(row));
            parsed.rows = below.count() as u64;
            parsed.add(heading.number, Err(BadRow::from(faults)));
            Ok(parsed)
        }
    }
}

impl<'a> Table<'a> {
    /// Reads the heading, or finds everything that is wrong with it.
    fn new(row: &RawRow, event: &'a EventType) -> Result<Table<'a>, Vec<Fault>> {
        let headings: Vec<Heading> = row
            .cells
            .iter()
            .map(|cell| Heading::read(cell, event))
            .collect();
        let machine = columns(&headings).any(|column| {
            event.field(&column.heading).is_some() && !column.heading.is_empty()
                || column.heading == super::column::OCCURRED_ON
        });
        let table = Table {
            event,
            number: row.number,
            headings,
            machine,
        };
        let faults = table.faults();
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(faults)
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for heading in &self.headings {
            match heading {
                Heading::Unknown(name) => faults.push(unknown(name, self.event)),
                Heading::Column(column) => {
                    let money = self.event.field(&column.field).filter(|f| is_money(f));
                    if let (Some(field), None) = (money, column.unit) {
                        faults.push(without_unit(&column.heading, field));
                    }
                    if seen.contains(&column.field.as_str()) {
                        faults.push(twice(&column.heading));
                    }
                    seen.push(&column.field);
                }
                Heading::Ignored(_) | Heading::Blank => {}
            }
        }
        for name in required(self.event).filter(|name| !seen.contains(name)) {
            let shown = name_of(name, self.event, self.machine);
            let fault = Fault::new(
                FaultCode::ColumnMissing,
                format!("缺少必填列“{shown}”，请补上。"),
                format!("the column {shown} is missing and must be there"),
            );
            faults.push(fault.column(&shown));
        }
        faults
    }

    /// The columns that are read over.
    fn ignored(&self) -> Vec<String> {
        let ignored = self.headings.iter().filter_map(|heading| match heading {
            Heading::Ignored(name) => Some(name.clone()),
            _ => None,
        });
        ignored.collect()
    }

    /// How the file calls its fields.
    fn names(&self) -> BTreeMap<String, String> {
        columns(&self.headings)
            .map(|column| (column.field.clone(), column.heading.clone()))
            .collect()
    }

    /// Reads the rows of the file, those above the heading and the heading itself included.
    fn read(
        &self,
        rows: impl Iterator<Item = RawRow>,
        catalogue: &Catalogue,
    ) -> Result<Parsed, Faults> {
        let mut parsed = Parsed {
            ignored: self.ignored(),
            names: self.names(),
            ..Parsed::default()
        };
        for row in rows.filter(|row| row.number != self.number) {
            if row.quotes == Some(QuoteError::Unclosed) {
                return Err(unclosed(row.number).into());
            }
            if self.is_blank(&row) {
                continue;
            }
            parsed.rows += 1;
            limit(parsed.rows)?;
            match self.skip(&row) {
                Some(Ok(reason)) => parsed.skip(row.number, reason),
                Some(Err(fault)) => parsed.add(row.number, Err(BadRow::from(fault))),
                None => parsed.add(row.number, self.draft(&row, catalogue)),
            }
        }
        Ok(parsed)
    }

    /// Whether nothing stands in a row, but for its number in a list that was printed beforehand.
    fn is_blank(&self, row: &RawRow) -> bool {
        let counted = |at: usize| {
            let heading = self.headings.get(at);
            let ignored = matches!(heading, Some(Heading::Ignored(_)));
            ignored && row.cells[at].trim().chars().all(|c| c.is_numeric())
        };
        (0..row.cells.len()).all(|at| fold::visible(&row.cells[at]).is_empty() || counted(at))
    }

    /// Why a row that is not blank is no event: a title above, a total or a signature line below.
    fn skip(&self, row: &RawRow) -> Option<Result<SkipReason, Fault>> {
        if row.number < self.number {
            let is_data = row.cells.iter().any(|cell| {
                fold::narrow(cell)
                    .chars()
                    .filter(char::is_ascii_digit)
                    .count()
                    >= 15
            });
            return Some(if is_data {
                Err(above())
            } else {
                Ok(SkipReason::Title)
            });
        }
        let first = row
            .cells
            .iter()
            .map(|cell| fold::key(cell))
            .find(|key| !key.is_empty())?;
        let word = first.trim_end_matches(':');
        if self.has_day(row) {
            return None;
        }
        if ["合计", "总计", "小计", "共计", "total", "sum"].contains(&word) {
            return Some(Ok(SkipReason::Total));
        }
        const BELOW: [&str; 8] = [
            "填表人:",
            "制表人:",
            "填报人:",
            "审核人:",
            "负责人:",
            "填报单位:",
            "注:",
            "说明:",
        ];
        let below = BELOW.iter().any(|start| first.starts_with(start));
        below.then_some(Ok(SkipReason::Footer))
    }

    /// Whether a row has a day where days stand: then it is an event, whatever its first cell says.
    fn has_day(&self, row: &RawRow) -> bool {
        let mut cells = self.headings.iter().zip(&row.cells);
        cells.any(|(heading, cell)| {
            let is_day =
                matches!(heading, Heading::Column(c) if c.field == super::column::OCCURRED_ON);
            is_day && cell.chars().any(|c| c.is_numeric())
        })
    }

    /// The draft of a row, whose cells stand in the heading's order. A row may end early: the
    /// cells that it lacks are blank; what is blank behind the last column is nothing.
    fn draft(&self, row: &RawRow, catalogue: &Catalogue) -> Result<Draft, BadRow> {
        match row.quotes {
            Some(QuoteError::TextBehind) => return Err(BadRow::from(text_behind())),
            Some(QuoteError::Lines(lines)) => return Err(BadRow::from(over_lines(lines))),
            Some(QuoteError::Unclosed) | None => {}
        }
        let mut wide = None;
        let mut cells = Vec::new();
        for (at, text) in row.cells.iter().enumerate() {
            match self.headings.get(at) {
                Some(Heading::Column(column)) => cells.push(Cell { column, text }),
                Some(Heading::Ignored(_)) => {}
                Some(Heading::Blank | Heading::Unknown(_)) | None => {
                    if !fold::visible(text).is_empty() {
                        wide.get_or_insert(at + 1);
                    }
                }
            }
        }
        if let Some(at) = wide {
            return Err(BadRow::from(width(at)));
        }
        draft(row.number, self.event, &cells, self.machine, catalogue)
    }
}

fn columns(headings: &[Heading]) -> impl Iterator<Item = &Column> {
    headings.iter().filter_map(|heading| match heading {
        Heading::Column(column) => Some(column),
        _ => None,
    })
}

fn is_money(field: &protocol::catalogue::Field) -> bool {
    field.kind == protocol::catalogue::FieldKind::Fen
}

fn twice(heading: &str) -> Fault {
    let (zh, en) = (
        "列名重复。请删除其中一列，或改正列名。",
        "this column is there twice: remove one, or correct its name",
    );
    Fault::new(FaultCode::ColumnTwice, zh, en).column(heading)
}

fn above() -> Fault {
    Fault::new(
        FaultCode::FileHeading,
        "这一行在表头上方，却像是数据。请将它移到表头下方，或删除。",
        "this row stands above the heading and looks like data: move it below, or remove it",
    )
}

fn width(at: usize) -> Fault {
    Fault::new(
        FaultCode::RowWidth,
        format!(
            "第 {at} 个单元格有内容，而表头没有这一列。请检查是否多了分隔符；内容里有分隔符的，\
             请用英文双引号括起来。"
        ),
        format!(
            "cell {at} holds something and the heading has no such column: look for one separator \
             too many; a text that holds separators is put in quotation marks"
        ),
    )
}

fn unclosed(row: u64) -> Fault {
    Fault::new(
        FaultCode::FileQuotes,
        format!(
            "第 {row} 行开头的双引号一直没有结束，其后各行都被当作同一个单元格。整个文件没有录入。\
             请在第 {row} 行补上或删去双引号。"
        ),
        format!(
            "a quotation mark that is opened in row {row} is never closed, so that all rows behind \
             it are one cell: nothing of the file was recorded; close it or remove it"
        ),
    )
    .row(row)
}

fn text_behind() -> Fault {
    Fault::new(
        FaultCode::RowQuotes,
        "双引号结束后、下一个分隔符之前还有内容。请检查这一行的双引号；内容里的双引号要写两遍。",
        "something stands behind a closing quotation mark: look at the marks of this row; one \
         within a text is written twice",
    )
}

fn over_lines(lines: usize) -> Fault {
    Fault::new(
        FaultCode::RowQuotes,
        format!(
            "双引号内的内容跨了 {lines} 次换行，其间的各行可能被当作同一个单元格，都没有录入。\
             请检查双引号是否成对，并去掉单元格内的换行。"
        ),
        format!(
            "a quoted cell runs over {lines} line end(s) and may hold rows that were meant as rows: \
             none of them was recorded; see that marks come in pairs, and take the line breaks out"
        ),
    )
}
