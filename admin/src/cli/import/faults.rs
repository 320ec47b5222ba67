//! Many faults of a file, told so that a person can work through them: what is wrong alike in one
//! line, with how often and where; and a copy of the file with the faults beside its rows.

use std::collections::BTreeMap;
use std::path::Path;

use node::exchange::{marked_csv, marked_xlsx};
use node::fault::Fault;

use crate::cli::output::{Failure, Output, fault_table, print, save_new};

/// As many faults are listed one by one; more are told by kind.
const LISTED: usize = 20;
/// How many rows are named of one kind.
const EXAMPLES: usize = 8;

/// Faults alike: one code in one column.
struct Alike<'f> {
    first: &'f Fault,
    rows: Vec<u64>,
    count: usize,
}

fn alike(faults: &[Fault]) -> Vec<Alike<'_>> {
    let mut kinds: BTreeMap<(&str, &str), Alike<'_>> = BTreeMap::new();
    for fault in faults {
        let column = fault.column.as_deref().unwrap_or_default();
        let kind = kinds.entry((fault.code.as_str(), column));
        let kind = kind.or_insert_with(|| Alike {
            first: fault,
            rows: Vec::new(),
            count: 0,
        });
        kind.count += 1;
        if kind.rows.len() < EXAMPLES {
            kind.rows.extend(fault.row);
        }
    }
    let mut kinds: Vec<Alike<'_>> = kinds.into_values().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    kinds
}

/// Prints faults: each one where they are few, else by kind, most frequent first.
pub fn tell(faults: &[Fault], out: &Output) {
    if faults.is_empty() {
        return;
    }
    if faults.len() <= LISTED {
        print(&fault_table(out.style, faults));
        return;
    }
    let heading = [
        "处数 count",
        "列 column",
        "代码 code",
        "行 rows",
        "例 example",
    ];
    let mut rows = out.table(&heading);
    for kind in alike(faults) {
        let named: Vec<String> = kind.rows.iter().map(u64::to_string).collect();
        let more = if kind.count > kind.rows.len() {
            " …"
        } else {
            ""
        };
        rows.add_row([
            &kind.count.to_string(),
            kind.first.column.as_deref().unwrap_or_default(),
            kind.first.code.as_str(),
            &format!("{}{more}", named.join(" ")),
            &format!("{}\n{}", kind.first.zh, kind.first.en),
        ]);
    }
    print(&rows);
}

/// Writes a copy of a file with its faults; the ending of the name decides the form.
pub fn save(path: &Path, bytes: &[u8], faults: &[Fault]) -> Result<(), Failure> {
    let ending = path.extension().and_then(|e| e.to_str());
    let copy = match ending {
        Some(e) if e.eq_ignore_ascii_case("xlsx") => marked_xlsx(bytes, faults),
        _ => marked_csv(bytes, faults),
    };
    let copy = copy.map_err(Failure::of)?;
    save_new(path, &copy)
}

#[cfg(test)]
mod tests {
    use node::fault::FaultCode;

    use super::*;

    #[test]
    fn faults_alike_are_told_once_with_their_number() {
        let fault = |row, column: &str| {
            let fault = Fault::new(FaultCode::DateForm, "日期", "the day");
            fault.row(row).column(column)
        };
        let mut faults: Vec<Fault> = (1..=30).map(|row| fault(row, "a")).collect();
        faults.push(fault(31, "b"));
        let kinds = alike(&faults);
        let told: Vec<_> = kinds.iter().map(|k| (k.count, k.rows.len())).collect();
        assert_eq!(told, [(30, EXAMPLES), (1, 1)]);
    }
}
