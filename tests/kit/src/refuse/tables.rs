//! All tables of a figure tell of the same leaves, and no number is above its field's maximum.

use super::making::*;

const PLACED: &str = "person.placed";
/// What a legal row of a man placed in a workshop counts.
const LEGAL: [&str; 3] = ["sex:1", "kind:workshop", "sex*kind:1*workshop"];

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    sealed(b, w, &mut spare);
    taken_back(b, w, &mut spare);
    clear(b, w, &mut spare);
    maxima(b, w, &mut spare);
}

fn sealed(b: &mut Book, w: &World, spare: &mut Spare) {
    let contradict = "the tables of figure I21 contradict one another";
    for (name, case, cells) in [
        (
            "tables-other-sex",
            "a row is a man in one table and a woman in the two-way table",
            ["sex:1", "kind:workshop", "sex*kind:2*workshop"],
        ),
        (
            "tables-other-kind",
            "a row is in a workshop in one table and in a station in the two-way table",
            ["sex:1", "kind:workshop", "sex*kind:1*station"],
        ),
        (
            "tables-not-counted",
            "a row counts in one table and does not count in another",
            ["sex:1", "kind:-", "sex*kind:1*workshop"],
        ),
        (
            "tables-two-way-not-counted",
            "a row counts in both one-way tables and does not count in the two-way table",
            ["sex:1", "kind:workshop", "sex*kind:-"],
        ),
        (
            "tables-counted-in-one",
            "a row counts in the two-way table alone",
            ["sex:-", "kind:-", "sex*kind:1*workshop"],
        ),
    ] {
        let mut c = Case::of(w, B, JAN);
        place(&mut c, w, spare, LEGAL);
        place(&mut c, w, spare, cells);
        let entry = b.case(name, case, BINDING, contradict, &c);
        // Where one of the tables does not count, its cells do not add up to the value either.
        if cells.iter().any(|cell| cell.ends_with('-')) {
            entry.also(&[ARITHMETIC]);
        }
    }
    let mut c = Case::of(w, B, JAN);
    for cells in [LEGAL, ["sex:2", "kind:station", "sex*kind:2*station"]] {
        place(&mut c, w, spare, cells);
    }
    place(&mut c, w, spare, ["sex:-", "kind:-", "sex*kind:-"]);
    b.control(
        "control-tables-agree.zip",
        "two people are placed, in every table in the same cell, and one does not count",
        file::write(&evidence_of(&c)).unwrap(),
    );
}

fn taken_back(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    let mut c = Case::of(w, B, JAN);
    let (id, _) = place(&mut c, w, spare, LEGAL);
    let mut void = spare.void(w, B, JAN, 4);
    void.body = void_of(id, c.rollup.log.size - 1);
    c.append(&void, zhang);
    // Taken back is the row that was added; the opening claims another table's cell.
    let sums = c.rollup.opening.sums.get_mut(PLACED).unwrap();
    sums.fill(0);
    let at = |cell: &str| column(w, PLACED, &format!("I21:n:{cell}"));
    sums[at("sex*kind:1*workshop")] -= 1;
    sums[at("sex*kind:-")] += 1;
    c.rollup.opening.blinding.0 = w.held(B, JAN).rollup.opening.blinding.0;
    recount(&mut c);
    b.case(
        "tables-of-nobody",
        "nobody is left in a month; the two-way table alone counts one less",
        BINDING,
        "the tables of figure I21 contradict one another",
        &c,
    )
    .also(&[ARITHMETIC]);
}

/// Adds a leaf that is committed to these cells of I21, and opens it.
fn place(
    c: &mut Case<'_>,
    w: &World,
    spare: &mut Spare,
    cells: [&str; 3],
) -> (protocol::ids::EventId, Scalar) {
    let zhang = &w.desk(B).people[0];
    let r = Scalar::from(11_u64);
    let mut row: Vec<_> = cells
        .iter()
        .map(|cell| (column(w, PLACED, &format!("I21:n:{cell}")), 1))
        .collect();
    row.sort_unstable();
    let s = spare.blank(B, PLACED, JAN).with(Body::Sealed {
        row: w.counting.generators.commit(PLACED, &row, &r).unwrap(),
        record: w.desk(B).statement(4).record().unwrap(),
    });
    let id = s.id;
    let schema = w.counting.generators.schema(PLACED).unwrap();
    let sums = c.rollup.opening.sums.entry(PLACED.into()).or_default();
    add_row(sums, schema.columns(), &row, 1);
    c.rollup.opening.blinding.0 += r;
    c.append(&s, zhang);
    recount(c);
    (id, r)
}

fn clear(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    let fields = [
        ("kind", text("workshop")),
        ("result", text("bad")),
        ("occurred_on", text("2026-01-12")),
    ];
    let event = "carrier.inspected";
    for (name, case, two_way) in [
        (
            "clear-tables-other-result",
            "a clear row is bad in one table and good in the two-way table",
            Some("workshop*good"),
        ),
        (
            "clear-tables-two-way-left-out",
            "a clear row does not count in the two-way table",
            None,
        ),
    ] {
        let mut counts = vec![
            ("I22:n:seen:workshop".to_string(), 1),
            ("I22:n:result:bad".into(), 1),
        ];
        counts.extend(two_way.map(|cell| (format!("I22:n:seen*result:{cell}"), 1)));
        let counts: Vec<(&str, i64)> = counts.iter().map(|(c, n)| (c.as_str(), *n)).collect();
        let mut c = Case::of(w, B, JAN);
        let s = spare.clear(B, event, JAN, &fields, &counts);
        c.append(&s, zhang);
        recount(&mut c);
        b.case(
            name,
            case,
            BINDING,
            "its counts do not follow from its fields",
            &c,
        );
    }
    let counts = [
        ("I22:n:seen:workshop", 1),
        ("I22:n:result:bad", 1),
        ("I22:n:seen*result:workshop*bad", 1),
    ];
    let mut c = Case::of(w, B, JAN);
    c.append(&spare.clear(B, event, JAN, &fields, &counts), zhang);
    recount(&mut c);
    b.control(
        "control-clear-tables-agree.zip",
        "a clear row that stands in every table in the same cell",
        file::write(&evidence_of(&c)).unwrap(),
    );
}

fn maxima(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    for (value, allowed) in [(100_001, false), (i64::MAX, false), (100_000, true)] {
        let mut c = Case::of(w, B, JAN);
        let s = spare.clear(
            B,
            "stock.declared",
            JAN,
            &[
                ("indicator", text("I2")),
                ("value", Value::Int(value)),
                ("sex", text("2")),
                ("occurred_on", text("2025-12-31")),
            ],
            &[("I2:in:sex:2", value.min((1 << 53) - 1))],
        );
        c.append(&s, zhang);
        recount(&mut c);
        if allowed {
            b.control(
                "control-at-maximum.zip",
                "an opening stock of exactly its field's maximum",
                file::write(&evidence_of(&c)).unwrap(),
            );
        } else {
            let name = if value == i64::MAX {
                "above-maximum-far"
            } else {
                "above-maximum"
            };
            b.case(
                name,
                "an opening stock above what its field may have at most",
                BINDING,
                "field value is above the catalogue's maximum",
                &c,
            );
        }
    }
}
