//! Figures of another shape than the catalogue gives them.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    for (name, case, change) in [
        (
            "shape-table-missing",
            "a stock lacks its table",
            (|own| own.cells.clear()) as fn(&mut Counts),
        ),
        (
            "shape-table-more",
            "a stock has a table more than the catalogue declares",
            |own| own.cells.push(own.cells[0].clone()),
        ),
        (
            "shape-cell-padded",
            "a table has a cell of 0 more than its dimension has codes",
            |own| own.cells[0].push(0),
        ),
        ("shape-cell-missing", "a table lacks a cell of 0", |own| {
            own.cells[0].pop();
        }),
        (
            "shape-quotient",
            "a stock has a numerator and a denominator as well",
            |own| (own.num, own.den) = (Some(0), Some(0)),
        ),
    ] {
        let mut c = Case::of(w, B, JAN);
        change(&mut c.figure("I4").own);
        b.case(name, case, ARITHMETIC, "figure I4: other tables", &c)
            .also(&[BINDING]);
    }
    let mut c = Case::of(w, B, JAN);
    c.figure("I5").own.value = Some(0);
    b.case(
        "shape-quotient-value",
        "a ratio has a value as well",
        ARITHMETIC,
        "figure I5: other tables",
        &c,
    )
    .also(&[BINDING]);
}
