//! The rules of rows: every honest row keeps them, and a row that tells two stories keeps not all.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in #[test] functions; the helpers here are tests too

use kit::catalogue;
use proptest::prelude::*;
use protocol::count::{Move, MoveKind};
use protocol::row::Schema;

const PLACED: &str = "person.placed";
const SEXES: [&str; 2] = ["1", "2"];
const KINDS: [&str; 2] = ["workshop", "station"];

fn schema(event: &str) -> Schema {
    let c = catalogue();
    Schema::of(&c, c.event(event).unwrap())
}

fn placement(sex: usize, kind: usize) -> Vec<Move> {
    vec![Move {
        figure: "I21".into(),
        kind: MoveKind::Count,
        cell: format!("{}*{}", SEXES[sex], KINDS[kind]),
        weight: 1,
    }]
}

fn columns(schema: &Schema, row: &[(usize, i64)]) -> Vec<i64> {
    let mut columns = vec![0; schema.columns()];
    for &(column, weight) in row {
        columns[column] += weight;
    }
    columns
}

fn kept(schema: &Schema, columns: &[i64], rows: i64) -> bool {
    schema.rules().iter().all(|rule| {
        let right = if rule.counts_rows() { rows } else { 0 };
        rule.of(columns) == i128::from(right)
    })
}

/// Three blocks (sex, kind, sex*kind) of 3, 3 and 5 columns: one rule each that they count once,
/// two on the columns `-`, two on the marginals of each dimension of the two-way table.
#[test]
fn the_rules_of_three_tables() {
    let rules = schema(PLACED).rules().to_vec();
    let of_block = |n| rules.iter().filter(move |r| r.block() == n).count();
    assert_eq!((of_block(0), of_block(1), of_block(2)), (1, 2, 6));
}

/// Of all 3 · 3 · 5 rows with one 1 in each block exactly five are legal: four cells, and `-`.
#[test]
fn exactly_the_honest_rows_keep_all_rules() {
    let schema = schema(PLACED);
    let mut legal = 0;
    for (a, b, c) in (0..3).flat_map(|a| (0..3).flat_map(move |b| (0..5).map(move |c| (a, b, c)))) {
        let row = columns(&schema, &[(a, 1), (3 + b, 1), (6 + c, 1)]);
        let two_way = match (a, b) {
            (2, 2) => Some(4),
            (2, _) | (_, 2) => None,
            (sex, kind) => Some(sex * 2 + kind),
        };
        assert_eq!(kept(&schema, &row, 1), two_way == Some(c), "{row:?}");
        legal += i32::from(kept(&schema, &row, 1));
    }
    assert_eq!(legal, 5);
}

proptest! {
    /// Sums of honest rows, some of them taken back, keep the rules as often as there are rows.
    #[test]
    fn sums_of_honest_rows_keep_them(
        people in proptest::collection::vec(
            (prop::option::of((0_usize..2, 0_usize..2)), any::<bool>()),
            0..30,
        ),
    ) {
        let schema = schema(PLACED);
        let mut sum = vec![0; schema.columns()];
        let mut rows = 0;
        for (cell, taken_back) in people {
            let moves = cell.map(|(sex, kind)| placement(sex, kind)).unwrap_or_default();
            let row = schema.row(&moves, true).unwrap();
            let sign = if taken_back { -1 } else { 1 };
            row.iter().for_each(|(column, weight)| sum[*column] += sign * weight);
            rows += sign;
        }
        prop_assert!(kept(&schema, &sum, rows));
        // One count that is moved within its table is seen.
        let at = schema.names().iter().position(|n| n == "I21:n:sex:1").unwrap();
        sum[at] += 1;
        sum[at + 1] -= 1;
        prop_assert!(!kept(&schema, &sum, rows));
    }

    /// The bits of an amount are free: no rule speaks of a lone table.
    #[test]
    fn any_amount_is_legal(wage in 0_i64..1 << 40) {
        let schema = schema("employment.started");
        let moves = [Move {
            figure: "I3".into(),
            kind: MoveKind::Amount,
            cell: "total".into(),
            weight: wage,
        }];
        let row = schema.row(&moves, true).unwrap();
        prop_assert!(kept(&schema, &columns(&schema, &row), 1));
    }
}
