//! What the reasons of a decision are about: figures of the report, and cells of their tables.

use protocol::catalogue::{Catalogue, table_name};
use protocol::rollup::HeldRollup;

use crate::books::Books;
use crate::fault::{Fault, FaultCode, Faults};

/// These figures and cells of a report as everybody reads them: `I011`, or with a cell
/// `I011:sex:2`. A figure may be named by its Chinese name, too.
///
/// # Errors
/// What the report does not have.
pub(super) fn understood(
    books: &Books,
    held: &HeldRollup,
    about: &[String],
) -> Result<Vec<String>, Faults> {
    let counting = books.counting_by(&held.rollup.catalogue);
    let Some(counting) = counting.filter(|_| !about.is_empty()) else {
        return Ok(about.to_vec());
    };
    let mut found = Vec::new();
    let mut faults = Vec::new();
    for text in about {
        match one(&counting.catalogue, held, text.trim()) {
            Ok(cell) => found.push(cell),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(Faults(faults))
    }
}

fn one(catalogue: &Catalogue, held: &HeldRollup, text: &str) -> Result<String, Fault> {
    let (figure, cell) = match text.split_once(':') {
        Some((figure, cell)) => (figure, Some(cell)),
        None => (text, None),
    };
    let named = |id: &str| {
        let indicator = catalogue.indicator_of_figure(id);
        indicator.is_some_and(|i| i.zh == figure && !id.contains('@'))
    };
    let mut figures = held.rollup.figures.iter().map(|f| f.id.as_str());
    let Some(id) = figures.find(|id| *id == figure || named(id)) else {
        return Err(Fault::new(
            FaultCode::ReviewAbout,
            format!("月报中没有指标 {figure}"),
            format!("the report has no figure {figure}"),
        ));
    };
    let Some(cell) = cell else {
        return Ok(id.to_string());
    };
    let tables = catalogue
        .indicator_of_figure(id)
        .map(|indicator| indicator.tables())
        .unwrap_or_default();
    let has = |table: &Vec<String>| {
        let cells = catalogue.cells(table);
        let in_table = cell
            .split_once(':')
            .filter(|(name, _)| *name == table_name(table));
        in_table.is_some_and(|(_, code)| cells.iter().any(|c| c == code))
    };
    if tables.iter().any(has) {
        return Ok(format!("{id}:{cell}"));
    }
    let names: Vec<String> = tables.iter().map(|t| table_name(t)).collect();
    Err(Fault::new(
        FaultCode::ReviewAbout,
        format!(
            "指标 {id} 没有单元格 {cell}；写作 {id}:表:代码，表有：{}",
            names.join("，")
        ),
        format!(
            "figure {id} has no cell {cell}; write {id}:TABLE:CODE, its tables are {}",
            names.join(", ")
        ),
    ))
}
