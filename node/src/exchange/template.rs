//! Empty tables for people to fill in: the names of columns with units, drop-downs of codes, notes,
//! and columns of text where a spreadsheet would ruin a number. What is written here is read by
//! import.

use protocol::catalogue::{Catalogue, EventType, Field, FieldKind};
use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties, ExcelDateTime,
    Format, Formula, Note, Workbook, Worksheet, XlsxError,
};

use super::code::codes;
use super::column::{OCCURRED_ON_ZH, titles};
use super::rows::MAX_ROWS;
use crate::export::BYTE_ORDER_MARK;
use crate::fault::{Faults, internal};

/// The hidden sheet that says of which type a template is.
pub(super) const TYPE_SHEET: &str = "_countersign";
/// The sheet that is filled in.
const SHEET: &str = "填报";
/// The sheet of the lists that cells are chosen from.
const LISTS: &str = "选项";

/// A template of comma-separated values: the heading alone.
pub fn template_csv(event: &EventType) -> String {
    format!("{BYTE_ORDER_MARK}{}\r\n", titles(event).join(","))
}

/// A template as a workbook.
///
/// # Errors
/// A failure of the program that writes workbooks.
pub fn template_xlsx(event: &EventType, catalogue: &Catalogue) -> Result<Vec<u8>, Faults> {
    write(event, catalogue).map_err(internal)
}

fn write(event: &EventType, catalogue: &Catalogue) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // Two templates of one catalogue are the same file.
    let day = ExcelDateTime::from_ymd(2023, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&day));
    let mut lists = Worksheet::new();
    lists.set_name(LISTS)?;
    let sheet = book.add_worksheet().set_name(SHEET)?;
    let heading = Format::new().set_bold().set_text_wrap();
    let text = Format::new().set_num_format("@");
    let names = titles(event);
    for (column, name) in (0_u16..).zip(&names) {
        let field = column
            .checked_sub(1)
            .map(|at| &event.fields[usize::from(at)]);
        sheet.write_string_with_format(0, column, name, &heading)?;
        sheet.set_column_width(column, width(name))?;
        sheet.insert_note(0, column, &Note::new(hint(field, catalogue)))?;
        if field.is_none_or(|field| !is_number(field)) {
            sheet.set_column_format(column, &text)?;
        }
        if let Some(field) = field
            && let Some(check) = check(field, column, catalogue, &mut lists)?
        {
            let last = u32::try_from(MAX_ROWS).unwrap_or(u32::MAX);
            sheet.add_data_validation(1, column, last, column, &check)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    book.push_worksheet(lists);
    let own = book.add_worksheet().set_name(TYPE_SHEET)?;
    own.write_string(0, 0, &event.code)?;
    own.set_hidden(true);
    book.save_to_buffer()
}

fn is_number(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Int | FieldKind::Fen)
}

/// Wide enough for the name and for a number of a person.
fn width(name: &str) -> f64 {
    let signs = u32::try_from(name.chars().count()).unwrap_or(40);
    f64::from(signs * 2 + 2).clamp(12.0, 40.0)
}

/// What is to be filled in.
fn hint(field: Option<&Field>, catalogue: &Catalogue) -> String {
    let Some(field) = field else {
        return format!("{OCCURRED_ON_ZH}：必填。写成 2023-04-15。");
    };
    let need = if field.optional { "选填" } else { "必填" };
    let how = match field.kind {
        FieldKind::IdNumber => "18 位身份证号。".to_string(),
        FieldKind::Certificate => "20 位残疾人证号。".to_string(),
        FieldKind::CreditCode => "18 位统一社会信用代码。".to_string(),
        FieldKind::Date => "写成 2023-04-15。".to_string(),
        FieldKind::Code => {
            let names: Vec<&str> = codes(field, catalogue)
                .iter()
                .map(|c| c.zh.as_str())
                .collect();
            format!("从列表中选择：{}。", names.join("、"))
        }
        FieldKind::Int => "0 或正整数。".to_string(),
        FieldKind::Fen => "以元为单位，最多两位小数。".to_string(),
        FieldKind::Bool => "填“是”或“否”。".to_string(),
        FieldKind::Text => format!("最多 {} 个字。", super::MAX_TEXT),
    };
    format!("{}：{need}。{how}", field.zh)
}

/// What a spreadsheet refuses at typing. Import checks all of it again.
fn check(
    field: &Field,
    column: u16,
    catalogue: &Catalogue,
    lists: &mut Worksheet,
) -> Result<Option<DataValidation>, XlsxError> {
    let list = |names: &[&str], lists: &mut Worksheet| -> Result<DataValidation, XlsxError> {
        lists.write_string(0, column, &field.zh)?;
        for (row, name) in (1_u32..).zip(names) {
            lists.write_string(row, column, *name)?;
        }
        let letters = rust_xlsxwriter::utility::column_number_to_name(column);
        let last = names.len() + 1;
        let formula = format!("={LISTS}!${letters}$2:${letters}${last}");
        Ok(DataValidation::new().allow_list_formula(Formula::new(formula)))
    };
    let check =
        match field.kind {
            FieldKind::Code => {
                let names: Vec<&str> = codes(field, catalogue)
                    .iter()
                    .map(|c| c.zh.as_str())
                    .collect();
                list(&names, lists)?
            }
            FieldKind::Bool => list(&["是", "否"], lists)?,
            FieldKind::Int => DataValidation::new()
                .allow_whole_number(DataValidationRule::GreaterThanOrEqualTo(0)),
            FieldKind::Fen => DataValidation::new()
                .allow_decimal_number(DataValidationRule::GreaterThanOrEqualTo(0.0)),
            FieldKind::IdNumber | FieldKind::CreditCode => {
                DataValidation::new().allow_text_length(DataValidationRule::EqualTo(18))
            }
            // A certificate that was issued again has more signs.
            FieldKind::Certificate => DataValidation::new()
                .allow_text_length(DataValidationRule::GreaterThanOrEqualTo(20)),
            FieldKind::Date | FieldKind::Text => return Ok(None),
        };
    let check = check
        .set_error_title("请核对")?
        .set_error_message(format!("{}：请按表头批注填写。", field.zh))?
        .set_error_style(DataValidationErrorStyle::Stop);
    Ok(Some(check))
}

#[cfg(test)]
mod tests {
    use super::super::{Form, parse};
    use super::*;

    #[test]
    fn a_template_is_read_back() {
        let catalogue = kit::catalogue();
        let events = catalogue.events.iter().filter(|event| !event.system);
        for event in events {
            let xlsx = template_xlsx(event, &catalogue).unwrap();
            assert_eq!(xlsx, template_xlsx(event, &catalogue).unwrap());
            // It says its type itself, and has no row yet.
            let empty = parse(&xlsx, Form::Xlsx, None, &catalogue).unwrap_err();
            assert_eq!(empty.0[0].code, "file.empty", "{}", event.code);
            let csv = template_csv(event);
            let empty = parse(csv.as_bytes(), Form::Csv, Some(&event.code), &catalogue);
            assert_eq!(empty.unwrap_err().0[0].code, "file.empty", "{}", event.code);
        }
    }
}
