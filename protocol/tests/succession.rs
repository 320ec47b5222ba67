//! One catalogue after another: what is carried, what is refused, what is told.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::{catalogue, code};
use proptest::prelude::*;
use protocol::catalogue::{Catalogue, Kind, Pi};
use protocol::figure::{self, CountedFigures, Figure};
use protocol::ids::Tier;
use protocol::succession::{self, ChangeKind, Weight};

fn next(change: impl FnOnce(&mut Catalogue)) -> Catalogue {
    let mut next = catalogue();
    next.version = 2;
    change(&mut next);
    // What is tried here can be signed: only what stood before is against it.
    Catalogue::from_json(&next.to_json()).unwrap()
}

/// Codes of the changes of this weight, each with its place.
fn told(new: &Catalogue, weight: Weight) -> Vec<String> {
    let changes = succession::changes(&catalogue(), new);
    let these = changes.iter().filter(|c| c.kind().weight() == weight);
    these
        .map(|c| format!("{} {}", c.place(), c.kind().code()))
        .collect()
}

#[test]
fn what_may_be_is_told_with_what_it_means() {
    let new = next(|c| {
        c.dimensions[0].codes.insert(0, code("9"));
        c.dimensions[1].codes.reverse();
        c.dimensions[0].codes[1].zh = "男性".into();
        c.events[1].fields[2].max = Some(100);
        c.events[5].levels.clear();
        c.indicators.retain(|i| i.id != "I22");
        c.rules.retain(|r| r.figure != "I22");
        c.dimensions.retain(|d| d.id != "seen" && d.id != "result");
        c.events
            .iter_mut()
            .for_each(|e| e.fields.retain(|f| f.name != "result"));
        c.events.iter_mut().for_each(|e| {
            let of_seen = |f: &protocol::catalogue::Field| f.dimension.as_deref() == Some("seen");
            e.fields.retain(|f| !of_seen(f));
        });
        c.indicators[1].condition = "s.active".into();
        c.indicators[0].condition = "s.active".into();
    });
    assert_eq!(told(&new, Weight::Refused), [""; 0]);
    assert_eq!(
        told(&new, Weight::Noted),
        [
            "event E02.wage succession.maximum_lowered",
            "event E06 succession.event_retired",
            "event E42.kind succession.field_removed",
            "event E42.result succession.field_removed",
            "dimension sex succession.code_added",
            "dimension sex succession.code_renamed",
            "dimension kind succession.codes_reordered",
            "indicator I1 succession.flow_meaning",
            "indicator I2 succession.stock_recounted",
            "indicator I22 succession.indicator_removed",
            "rule R1 succession.rule",
            "rule R2 succession.rule",
        ]
    );
    succession::follows(&catalogue(), &new).unwrap();
}

#[test]
fn every_fault_is_told_at_once() {
    let new = next(|c| {
        c.version = 1;
        c.dimensions[0].codes.remove(0);
        let gone = c.events.iter().position(|e| e.code == "E41").unwrap();
        c.events.remove(gone);
        c.indicators.retain(|i| i.id != "I21");
        c.events.iter_mut().find(|e| e.code == "E42").unwrap().pi = Pi::P2;
        c.indicators.iter_mut().find(|i| i.id == "I4").unwrap().kind = Kind::Milestone;
    });
    assert_eq!(
        told(&new, Weight::Refused),
        [
            "catalogue succession.version",
            "event E41 succession.event_removed",
            "event E42 succession.event_nature",
            "dimension sex succession.code_removed",
            "indicator I4 succession.indicator_nature",
        ]
    );
    let first = succession::follows(&catalogue(), &new).unwrap_err();
    assert_eq!(*first.kind(), ChangeKind::Version { old: 1, new: 1 });
    for change in succession::changes(&catalogue(), &new) {
        let (zh, en) = (change.zh(), change.to_string());
        assert!(!zh.ends_with('：') && !en.contains(":  ["), "{zh} / {en}");
    }
}

#[test]
fn a_stock_that_was_left_out_comes_back_under_another_id_only() {
    let without = next(|c| c.indicators.retain(|i| i.id != "I4" && i.met != "I4"));
    let third = |id: &str| {
        let mut back = catalogue();
        back.version = 3;
        back.indicators.retain(|i| i.met != "I4");
        let stock = back.indicators.iter_mut().find(|i| i.id == "I4");
        stock.unwrap().id = id.into();
        back
    };
    let refused = |new: &Catalogue| {
        let changes = succession::changes_from_all(&[catalogue(), without.clone()], new);
        let these = changes.into_iter();
        let these = these.filter(|c| c.kind().weight() == Weight::Refused);
        these.map(|c| c.to_string()).collect::<Vec<_>>()
    };
    let told = refused(&third("I4"));
    assert!(
        told.len() == 1 && told[0].contains("succession.stock_returns"),
        "{told:?}"
    );
    // It has its old key: plans name it as before.
    assert_eq!(refused(&third("I41")), [""; 0]);
}

#[test]
fn a_catalogue_can_be_added_to_itself_and_to_one_that_follows() {
    let (old, new) = (catalogue(), next(|c| c.dimensions[0].codes.push(code("9"))));
    assert!(succession::comparable(&old, &old));
    assert!(succession::comparable(&old, &new) && succession::comparable(&new, &old));
    let other = next(|c| c.indicators[1].unit = "户".into());
    assert!(!succession::comparable(&old, &other));
}

/// Figures of the small catalogue, with these cells in the stocks I2 (by sex) and I4 (by kind).
fn stocks(of: &Catalogue, sexes: [i64; 2], kinds: [i64; 2]) -> Vec<Figure> {
    let mut figures = figure::zeros(of);
    for figure in &mut figures {
        let cells = match figure.id.as_str() {
            "I2" => sexes,
            "I4" => kinds,
            _ => continue,
        };
        figure.own.value = Some(cells.iter().sum());
        figure.own.cells = vec![cells.to_vec()];
    }
    figures
}

fn carried(old: &Catalogue, new: &Catalogue, figures: &[Figure]) -> Vec<Figure> {
    let last = CountedFigures {
        figures,
        catalogue: old,
    };
    figure::own(new, Tier::County, &[], Some(last)).unwrap()
}

/// The count in a cell by its name.
fn cell(of: &Catalogue, figures: &[Figure], id: &str, name: &str) -> Option<i64> {
    let figure = figures.iter().find(|f| f.id == id).unwrap();
    let tables = &of.indicator(id).unwrap().tables;
    let place = of.cells(&tables[0]).iter().position(|c| c == name)?;
    Some(figure.own.cells[0][place])
}

proptest! {
    /// Whatever codes are added, wherever and in whatever order they stand: each cell keeps its
    /// count, a new one has none, and what is carried adds up as the cells did (so that an opening
    /// of commitments fits it as before).
    #[test]
    fn stocks_are_carried_by_name(
        sexes in [0..1_000_000_i64, 0..1_000_000],
        kinds in [-5..1_000_i64, 0..1_000],
        added in prop::collection::btree_set("[a-z]{3}", 0..5),
        order in any::<prop::sample::Index>(),
        turned in any::<bool>(),
    ) {
        let old = catalogue();
        let new = next(|c| {
            for dimension in &mut c.dimensions[..2] {
                dimension.codes.extend(added.iter().map(|name| code(name)));
                let turn = order.index(dimension.codes.len());
                dimension.codes.rotate_left(turn);
                if turned {
                    dimension.codes.reverse();
                }
            }
        });
        succession::follows(&old, &new).unwrap();
        let figures = stocks(&old, sexes, kinds);
        let carried = carried(&old, &new, &figures);
        figure::shaped(&new, &carried).unwrap();
        for (id, dimension) in [("I2", 0), ("I4", 1)] {
            for code in &new.dimensions[dimension].codes {
                let before = cell(&old, &figures, id, &code.code).unwrap_or(0);
                prop_assert_eq!(cell(&new, &carried, id, &code.code), Some(before));
            }
        }
        for figure in &carried {
            prop_assert!(figure.own.value.is_none() || figure.own.is_consistent());
        }
    }

    /// Adding before or after the change of catalogue is the same.
    #[test]
    fn carrying_adds_up(a in [0..1_000_i64, 0..1_000], b in [0..1_000_i64, 0..1_000]) {
        let old = catalogue();
        let new = next(|c| c.dimensions[0].codes.insert(1, code("9")));
        let one = carried(&old, &new, &stocks(&old, a, [0, 0]));
        let two = carried(&old, &new, &stocks(&old, b, [0, 0]));
        let both = carried(&old, &new, &stocks(&old, [a[0] + b[0], a[1] + b[1]], [0, 0]));
        for ((mut one, two), both) in one.into_iter().zip(two).zip(both) {
            if one.own.value.is_none() {
                continue;
            }
            one.own.add(&two.own, &two.id).unwrap();
            prop_assert_eq!(one.own, both.own);
        }
    }
}
