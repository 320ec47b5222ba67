//! What becomes of what is counted: indicators and rules.

use super::change::ChangeKind as Kind;
use crate::catalogue::{Catalogue, Indicator};

pub(super) fn compare(old: &Catalogue, new: &Catalogue, add: &mut impl FnMut(&str, Kind)) {
    for was in &old.indicators {
        let place = format!("indicator {}", was.id);
        match new.indicators.iter().find(|is| is.id == was.id) {
            Some(is) => indicator(&place, (old, was), (new, is), add),
            None if was.kind.is_stock() => add(&place, Kind::StockRemoved),
            None => add(&place, Kind::IndicatorRemoved),
        }
    }
    let added = new.indicators.iter();
    for is in added.filter(|is| old.indicators.iter().all(|was| was.id != is.id)) {
        let kind = if is.kind.is_stock() {
            Kind::StockAdded
        } else {
            Kind::IndicatorAdded
        };
        add(&format!("indicator {}", is.id), kind);
    }
    rules(old, new, add);
}

fn indicator(
    place: &str,
    (old, was): (&Catalogue, &Indicator),
    (new, is): (&Catalogue, &Indicator),
    add: &mut impl FnMut(&str, Kind),
) {
    let mut same_nature = true;
    for (member, same) in [
        ("kind", was.kind == is.kind),
        ("subject", was.subject == is.subject),
        ("unit", was.unit == is.unit),
        // Whoever counts in a stock or window counts in one cell of the tables as they were: what
        // was counted before has no place in a further one.
        ("tables", was.tables == is.tables),
        ("windows", was.windows.first() == is.windows.first()),
        ("per", was.per == is.per),
    ] {
        if !same {
            same_nature = false;
            add(place, Kind::IndicatorNature(member));
        }
    }
    if was.key != is.key {
        add(place, Kind::Key);
    }
    if same_nature && meaning(old, was) != meaning(new, is) {
        let kind = if is.kind.is_stock() {
            Kind::StockRecounted
        } else {
            Kind::FlowMeaning
        };
        add(place, kind);
    }
}

/// Everything by which an indicator tells who counts in it, and where.
fn meaning(catalogue: &Catalogue, i: &Indicator) -> Vec<String> {
    let mut parts = vec![i.condition.clone(), i.field.clone()];
    parts.extend([&i.num, &i.den, &i.met].map(String::clone));
    let mut events = i.events.clone();
    events.sort();
    parts.extend(events);
    for window in catalogue
        .windows
        .iter()
        .filter(|w| i.windows.contains(&w.id))
    {
        parts.push(format!("{} {} {}", window.id, window.from, window.to));
    }
    for dimension in i.dimensions() {
        parts.extend(catalogue.dimension(&dimension).map(|d| d.value.clone()));
    }
    // Named conditions may name one another: whoever names one depends on all of them.
    if i.condition.contains("d.") {
        let defines = catalogue.defines.iter();
        parts.extend(defines.map(|d| format!("{} {}", d.name, d.expr)));
    }
    parts
}

fn rules(old: &Catalogue, new: &Catalogue, add: &mut impl FnMut(&str, Kind)) {
    for was in &old.rules {
        let place = format!("rule {}", was.id);
        match new.rules.iter().find(|is| is.id == was.id) {
            Some(is) if is == was => {}
            Some(_) => add(&place, Kind::Rule("another")),
            None => add(&place, Kind::Rule("gone")),
        }
    }
    for is in new
        .rules
        .iter()
        .filter(|is| old.rules.iter().all(|was| was.id != is.id))
    {
        add(&format!("rule {}", is.id), Kind::Rule("new"));
    }
}
