//! Binding: clear statements whose counts do not follow from their fields.

use super::making::*;

const COUNT: &str = "I7:n:total:total";
const WRONG: &str = "its counts do not follow from its fields";

/// How the rollup goes on from the statement, and what it takes to see what is wrong with it.
struct Follow {
    /// The figures count what the statement claims: only its fields contradict it.
    claimed: bool,
    /// Only a verifier that evaluates the catalogue's conditions sees it.
    needs_cel: bool,
}

const COUNTED: Follow = Follow {
    claimed: true,
    needs_cel: false,
};
const BY_FIELDS: Follow = Follow {
    claimed: true,
    needs_cel: true,
};
const NOT_COUNTED: Follow = Follow {
    claimed: false,
    needs_cel: false,
};

struct ClearRows<'a> {
    book: &'a mut Book,
    world: &'a World,
}

impl ClearRows<'_> {
    fn attempt(&mut self, id: &str, name: &str, case: &str, part: &str, f: Follow, s: &Statement) {
        let w = self.world;
        let mut c = Case::of(w, id, JAN);
        c.append(s, &w.desk(id).people[0]);
        if f.claimed {
            recount_with(&mut c, &claim(w, s));
        }
        let entry = self.book.case(name, case, BINDING, part, &c);
        if f.needs_cel {
            entry.cel();
        }
    }
}

pub(super) fn cases(book: &mut Book, world: &World) {
    let mut spare = Spare::new();
    let mut rows = ClearRows { book, world };
    other_counts(&mut rows, &mut spare);
    columns_and_weights(&mut rows, &mut spare);
    other_types(&mut rows, &mut spare);
}

fn day() -> (&'static str, Value) {
    ("occurred_on", text("2026-01-12"))
}

fn attended(n: i64) -> [(&'static str, Value); 2] {
    [("attended", Value::Int(n)), day()]
}

fn carrier(reference: &str, kind: &str) -> [(&'static str, Value); 3] {
    [("ref", text(reference)), ("kind", text(kind)), day()]
}

fn other_counts(rows: &mut ClearRows<'_>, spare: &mut Spare) {
    let s = spare.clear(B, "training.held", JAN, &attended(3), &[(COUNT, 4)]);
    rows.attempt(
        B,
        "clear-row-more",
        "a clear statement counts 4 where its field says 3",
        WRONG,
        BY_FIELDS,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(3), &[]);
    rows.attempt(
        B,
        "clear-row-none",
        "a clear statement counts nothing where its field says 3",
        WRONG,
        BY_FIELDS,
        &s,
    );
    let s = spare.clear(
        B,
        "carrier.opened",
        JAN,
        &carrier("c1", "workshop"),
        &[("I4:in:kind:station", 1)],
    );
    rows.attempt(
        B,
        "clear-row-cell",
        "a clear statement counts in another cell than its field names",
        WRONG,
        BY_FIELDS,
        &s,
    );
    let s = spare.clear(
        A,
        "carrier.opened",
        JAN,
        &carrier("c1", "workshop"),
        &[("I4:in:kind:workshop", 1)],
    );
    rows.attempt(
        A,
        "clear-row-again",
        "a carrier that is open already is opened and counted again",
        WRONG,
        BY_FIELDS,
        &s,
    );
}

fn columns_and_weights(rows: &mut ClearRows<'_>, spare: &mut Spare) {
    let s = spare.clear(
        B,
        "training.held",
        JAN,
        &attended(3),
        &[(COUNT, 3), ("I9:n:total:total", 1)],
    );
    rows.attempt(
        B,
        "clear-row-column",
        "a clear statement counts in a column that its schema does not have",
        WRONG,
        COUNTED,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(-3), &[(COUNT, -3)]);
    rows.attempt(
        B,
        "clear-row-negative",
        "a clear statement with a negative weight",
        "cannot hold -3",
        COUNTED,
        &s,
    );
    let s = spare.clear(
        B,
        "training.held",
        JAN,
        &attended(i64::MAX),
        &[(COUNT, i64::MAX)],
    );
    rows.attempt(
        B,
        "clear-row-large",
        "a clear statement with a weight of 2^63 - 1",
        "above the catalogue's maximum",
        NOT_COUNTED,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(3)[..1], &[(COUNT, 3)]);
    rows.attempt(
        B,
        "clear-row-no-day",
        "a clear statement without a day of occurrence",
        "no day of occurrence",
        BY_FIELDS,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(3), &[(COUNT, 3)]);
    rows.attempt(
        B,
        "clear-row-not-counted",
        "a clear statement that is right, but the figures do not count it",
        "figure I7 (own): value is 2 but its parts give 5",
        NOT_COUNTED,
        &s,
    );
}

fn other_types(rows: &mut ClearRows<'_>, spare: &mut Spare) {
    let mut s = rows.world.desk(B).statement(4);
    s.id = spare.blank(B, "x", JAN).id;
    s.event = "training.held".into();
    rows.attempt(
        B,
        "sealed-where-clear",
        "a statement is sealed although its type is published in clear",
        "published in clear although it is sealed, or the reverse",
        NOT_COUNTED,
        &s,
    );
    s.event = "no.such".into();
    rows.attempt(
        B,
        "type-unknown",
        "a statement of a type that the catalogue does not have",
        "unknown event type",
        NOT_COUNTED,
        &s,
    );
    s.catalogue = Digest::of(b"other");
    rows.attempt(
        B,
        "catalogue-unknown",
        "a statement by a catalogue that is not in the file",
        "catalogue that is not known here",
        NOT_COUNTED,
        &s,
    );
}

/// What a clear statement claims to count, as far as its columns exist.
fn claim(w: &World, s: &Statement) -> Sums {
    let schema = w.counting.generators.schema(&s.event).unwrap();
    let Body::Clear { counts, .. } = &s.body else {
        panic!("not a clear statement")
    };
    let known = counts.iter().filter(|(n, _)| schema.names().contains(n));
    let row = schema
        .from_named(&known.map(|(n, w)| (n.clone(), *w)).collect())
        .unwrap();
    let mut sum = Vec::new();
    add_row(&mut sum, schema.columns(), &row, 1);
    [(s.event.clone(), sum)].into()
}
