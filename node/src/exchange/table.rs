//! Sources with a heading: the columns that the heading names, and the rows below it.

use protocol::catalogue::{Catalogue, EventType};

use super::column::{Column, printable, required};
use super::rows::{BadRow, Cell, Draft, draft};
use crate::fault::{Fault, FaultCode};

/// A heading of which every name is known. All rows below it are of one event type.
#[derive(Debug)]
pub(super) struct Table<'a> {
    event: &'a EventType,
    columns: Vec<Column>,
}

impl<'a> Table<'a> {
    /// Reads the heading, which is row 1, or finds everything that is wrong with it.
    pub(super) fn new(heading: &[&str], event: &'a EventType) -> Result<Table<'a>, Vec<Fault>> {
        let found = heading
            .iter()
            .any(|name| Column::find(name, event).is_some());
        if !found {
            // Its cells are not repeated: they may be the data of a person.
            let (zh, en) = (
                "第一行不是表头;请把模板的列名写在第一行",
                "the first row is no heading: put the names of the template there",
            );
            return Err(vec![Fault::new(FaultCode::FileHeading, zh, en)]);
        }
        let mut columns: Vec<Column> = Vec::new();
        let mut faults = Vec::new();
        for name in heading {
            let Some(column) = Column::find(name, event) else {
                let zh = "没有这一列;请用模板的列名,或删去这一列";
                let en = format!(
                    "{} has no such column; use the names of the template, or remove it",
                    event.code
                );
                let fault = Fault::new(FaultCode::ColumnUnknown, zh, en);
                faults.push(fault.column(printable(name)));
                continue;
            };
            if columns.iter().any(|c| c.field == column.field) {
                let (zh, en) = ("这一列出现两次", "this column is there twice");
                faults.push(Fault::new(FaultCode::ColumnTwice, zh, en).column(name));
            }
            columns.push(column);
        }
        for name in required(event) {
            if !columns.iter().any(|c| c.field == name) {
                let fault = Fault::new(
                    FaultCode::ColumnMissing,
                    "缺少这一列",
                    "this column is missing",
                );
                faults.push(fault.column(name));
            }
        }
        if faults.is_empty() {
            Ok(Table { event, columns })
        } else {
            Err(faults)
        }
    }

    /// The draft of a row, whose cells stand in the heading's order. A row may end early: the
    /// cells that it lacks are blank.
    pub(super) fn draft(
        &self,
        row: u64,
        texts: &[&str],
        catalogue: &Catalogue,
    ) -> Result<Draft, BadRow> {
        if texts.len() > self.columns.len() {
            return Err(BadRow::from(Fault::new(
                FaultCode::RowWidth,
                "这一行的单元格比表头多",
                "the row has more cells than the heading",
            )));
        }
        let cells: Vec<Cell> = self
            .columns
            .iter()
            .zip(texts)
            .map(|(column, text)| Cell { column, text })
            .collect();
        draft(row, self.event, &cells, catalogue)
    }
}
