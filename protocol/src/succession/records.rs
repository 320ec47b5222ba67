//! What becomes of what was recorded: event types, fields, codes.

use super::change::ChangeKind as Kind;
use crate::catalogue::{Catalogue, CodeItem, Dimension, EventType};

pub(super) fn compare(old: &Catalogue, new: &Catalogue, add: &mut impl FnMut(&str, Kind)) {
    for was in &old.events {
        let place = format!("event {}", was.code);
        match new.event(&was.name) {
            Some(is) => event(&place, was, is, add),
            None => add(&place, Kind::EventRemoved),
        }
    }
    for is in new.events.iter().filter(|e| old.event(&e.name).is_none()) {
        add(&format!("event {}", is.code), Kind::EventAdded);
    }
    for was in &old.dimensions {
        if let Some(is) = new.dimension(&was.id) {
            let mut tables = new
                .indicators
                .iter()
                .flat_map(|i| i.tables.iter().flatten());
            let used = tables.any(|id| *id == was.id);
            dimension(was, is, used, add);
        }
    }
}

fn event(place: &str, was: &EventType, is: &EventType, add: &mut impl FnMut(&str, Kind)) {
    for (member, same) in [
        ("code", was.code == is.code),
        ("subject", was.subject == is.subject),
        ("key", was.key == is.key),
        ("pi", was.is_clear() == is.is_clear()),
        ("system", was.system == is.system),
        ("baseline", was.effect.baseline == is.effect.baseline),
    ] {
        if !same {
            add(place, Kind::EventNature(member));
        }
    }
    if is.levels.is_empty() && !was.levels.is_empty() {
        add(place, Kind::EventRetired);
    } else if was.levels != is.levels {
        add(place, Kind::Levels);
    }
    fields(place, was, is, add);
}

fn fields(place: &str, was: &EventType, is: &EventType, add: &mut impl FnMut(&str, Kind)) {
    for field in &was.fields {
        let place = format!("{place}.{}", field.name);
        let Some(now) = is.field(&field.name) else {
            add(&place, Kind::FieldRemoved);
            continue;
        };
        if now.kind != field.kind {
            add(&place, Kind::FieldKind);
        }
        if now
            .max
            .is_some_and(|max| field.max.is_none_or(|was| max < was))
        {
            add(&place, Kind::MaximumLowered);
        }
        // A field that had its dimension's codes and now has its own: what is left out of them.
        for gone in removed(&field.codes, &now.codes) {
            add(&place, Kind::FieldCodeRemoved(gone));
        }
    }
    for field in is.fields.iter().filter(|f| was.field(&f.name).is_none()) {
        add(&format!("{place}.{}", field.name), Kind::FieldAdded);
    }
}

/// The codes that are no longer in the list.
fn removed(was: &[CodeItem], is: &[CodeItem]) -> Vec<String> {
    let gone = was.iter().filter(|c| is.iter().all(|d| d.code != c.code));
    gone.map(|c| c.code.clone()).collect()
}

fn dimension(was: &Dimension, is: &Dimension, used: bool, add: &mut impl FnMut(&str, Kind)) {
    let place = format!("dimension {}", was.id);
    for gone in removed(&was.codes, &is.codes) {
        let kind = if used {
            Kind::CodeRemoved
        } else {
            Kind::SpareCodeRemoved
        };
        add(&place, kind(gone));
    }
    for code in removed(&is.codes, &was.codes) {
        add(&place, Kind::CodeAdded(code));
    }
    for code in &is.codes {
        let before = was.codes.iter().find(|c| c.code == code.code);
        if before.is_some_and(|before| before.zh != code.zh || before.en != code.en) {
            add(&place, Kind::CodeRenamed(code.code.clone()));
        }
    }
    let order = |these: &[CodeItem], those: &[CodeItem]| {
        let kept = these
            .iter()
            .filter(|c| those.iter().any(|d| d.code == c.code));
        kept.map(|c| c.code.clone()).collect::<Vec<_>>()
    };
    if order(&was.codes, &is.codes) != order(&is.codes, &was.codes) {
        add(&place, Kind::CodesReordered);
    }
}
