//! Validating a catalogue: every error at once.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{CatalogueError, CatalogueErrors};
use crate::catalogue::{
    AMOUNT_BITS, Catalogue, EventType, Field, FieldKind, Indicator, Kind, MAX_CELLS, MAX_COLUMNS,
    Subject, table_name,
};

/// Checks every rule that counting relies on.
///
/// # Errors
/// Every error found.
pub fn validate(c: &Catalogue) -> Result<(), CatalogueErrors> {
    let mut v = Validator {
        c,
        errors: Vec::new(),
    };
    v.head();
    v.dimensions();
    v.events();
    v.indicators();
    v.rules();
    v.names();
    v.widths();
    if v.errors.is_empty() {
        Ok(())
    } else {
        Err(CatalogueErrors(v.errors))
    }
}

struct Validator<'a> {
    c: &'a Catalogue,
    errors: Vec<CatalogueError>,
}

impl Validator<'_> {
    fn error(&mut self, place: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.errors.push(CatalogueError::new(place, code, message));
    }

    fn cel(&mut self, place: &str, what: &str, source: &str, allowed: &[&str]) {
        if source.is_empty() {
            return;
        }
        match crate::count::cel::compile(source) {
            Ok(program) => {
                for name in crate::count::cel::variables(&program) {
                    if !allowed.contains(&name.as_str()) {
                        self.error(
                            place,
                            "variable",
                            format!(
                                "{what}: unknown variable {name:?}; here only {allowed:?} exist"
                            ),
                        );
                    }
                }
            }
            Err(e) => self.error(place, "cel", format!("{what}: {e}")),
        }
    }

    fn unique<'b>(&mut self, what: &str, ids: impl Iterator<Item = &'b str>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id) {
                self.error(
                    format!("{what} {id}"),
                    "duplicate",
                    "is defined twice; remove one",
                );
            }
            if id.is_empty() || id.contains([':', '*', ' ', '@']) {
                self.error(
                    format!("{what} {id:?}"),
                    "name",
                    "names are not empty and have no ':', '*', '@' or space",
                );
            }
        }
    }

    fn head(&mut self) {
        let c = self.c;
        if c.id.is_empty() {
            self.error("catalogue", "id", "has no id; set `id = \"…\"` in one file");
        }
        if c.version == 0 {
            self.error(
                "catalogue",
                "version",
                "has no version; versions begin at 1",
            );
        }
        for w in &c.windows {
            let days = [&w.from, &w.to].map(|d| d.parse::<chrono::NaiveDate>());
            match days {
                [Ok(a), Ok(b)] if a <= b => {}
                _ => self.error(
                    format!("window {}", w.id),
                    "window",
                    "needs two days YYYY-MM-DD, the first not later",
                ),
            }
        }
        self.unique("window", c.windows.iter().map(|w| w.id.as_str()));
        self.unique("define", c.defines.iter().map(|w| w.name.as_str()));
        for d in &c.defines {
            self.cel(
                &format!("define {}", d.name),
                "expr",
                &d.expr,
                &["s", "t", "d", "period"],
            );
        }
    }

    fn dimensions(&mut self) {
        let c = self.c;
        self.unique("dimension", c.dimensions.iter().map(|d| d.id.as_str()));
        for d in &c.dimensions {
            let place = format!("dimension {}", d.id);
            self.cel(&place, "value", &d.value, &["s", "t", "d", "e"]);
            if d.codes.is_empty() {
                self.error(&place, "codes", "has no codes");
            }
            let mut seen = BTreeSet::new();
            for code in &d.codes {
                if code.code.is_empty() || code.code == "-" || code.code.contains(['*', ':']) {
                    self.error(
                        &place,
                        "code",
                        format!("code {:?} is empty, is '-' or has '*' or ':'", code.code),
                    );
                }
                if !seen.insert(&code.code) {
                    self.error(
                        &place,
                        "duplicate",
                        format!("code {:?} is there twice", code.code),
                    );
                }
            }
        }
    }

    fn events(&mut self) {
        let c = self.c;
        self.unique("event", c.events.iter().map(|e| e.code.as_str()));
        self.unique("event type", c.events.iter().map(|e| e.name.as_str()));
        for e in &c.events {
            let place = format!("event {}", e.code);
            self.event_fields(&place, e);
            self.numbers(&place, e);
            let effect = &e.effect;
            for (name, source) in effect.set.iter().chain(&effect.spell_set) {
                self.cel(&place, name, source, &["e", "s", "on"]);
            }
            self.cel(&place, "spell_key", &effect.spell_key, &["e", "s", "on"]);
            if (effect.open.is_some() || effect.close.is_some()) && effect.spell_key.is_empty() {
                self.error(
                    &place,
                    "spell_key",
                    "opens or closes a spell without a spell_key",
                );
            }
            if effect.begin && effect.end {
                self.error(&place, "effect", "begins and ends its subject at once");
            }
            if effect.baseline {
                self.weighs(&place, e, "value");
            }
            if effect.baseline && !e.is_clear() {
                self.error(
                    &place,
                    "baseline",
                    "a declared opening stock is published in clear: pi must be P0",
                );
            }
        }
        for needed in ["record.voided", "record.corrected"] {
            if c.event(needed).is_none() {
                self.error(
                    "catalogue",
                    "missing_event",
                    format!("has no event type {needed}; corrections need it"),
                );
            }
        }
        for i in c
            .indicators
            .iter()
            .filter(|i| i.kind.is_stock() || i.kind == Kind::Distinct)
        {
            let recount = i.subject.and_then(|s| c.recount(s));
            if !recount.is_some_and(|r| i.events.contains(&r.code)) {
                let message = "a stock or distinct count is fed by its subject's system event, which recounts it at close";
                self.error(format!("indicator {}", i.id), "recount", message);
            }
        }
    }

    /// The fields that `former` and `confirms` name can hold what these mean.
    fn numbers(&mut self, place: &str, e: &EventType) {
        if let Some(name) = &e.effect.former {
            let fits = |f: &Field| f.kind == FieldKind::IdNumber && f.optional && f.name != e.key;
            if e.subject != Subject::Person || !e.field(name).is_some_and(fits) {
                let message = format!(
                    "former {name:?} is not an optional field of kind id_number beside the key of an \
                     event about a person"
                );
                self.error(place, "former", message);
            }
        }
        if let Some(name) = &e.effect.confirms {
            let fits = |f: &Field| f.kind == FieldKind::Text && !f.optional;
            if e.subject != Subject::Unit || !e.field(name).is_some_and(fits) {
                let message = format!(
                    "confirms {name:?} is not a field of kind text that every such event has, of an \
                     event about the unit"
                );
                self.error(place, "confirms", message);
            }
        }
    }

    fn event_fields(&mut self, place: &str, e: &EventType) {
        self.unique(
            &format!("{place} field"),
            e.fields.iter().map(|f| f.name.as_str()),
        );
        self.key(place, e);
        if e.subject == Subject::Person && e.is_clear() {
            self.error(
                place,
                "pi",
                "an event about a person cannot be P0: its fields would be published",
            );
        }
        for f in &e.fields {
            self.codes(place, f);
            self.maximum(place, f);
            self.private_field(place, e, f);
            self.reserved_name(place, e, f);
        }
    }

    /// What names the subject of an event.
    fn key(&mut self, place: &str, e: &EventType) {
        let key = e.key.as_str();
        match (e.subject, key) {
            (Subject::Unit, "") => return,
            (Subject::Unit, _) => {
                return self.error(place, "key", "an event about the unit has no key");
            }
            (_, "") if e.system => return,
            _ => {}
        }
        let Some(field) = e.field(key) else {
            let message = format!("key {key:?} is not one of its fields");
            return self.error(place, "key", message);
        };
        let names_a_person = matches!(field.kind, FieldKind::IdNumber | FieldKind::Certificate);
        let names_nothing = matches!(
            field.kind,
            FieldKind::Int | FieldKind::Fen | FieldKind::Bool | FieldKind::Date
        );
        if field.optional {
            let message = format!("key field {key:?} must not be optional");
            self.error(place, "key", message);
        } else if names_nothing {
            let message = format!(
                "key field {key:?} must be a number of a person or organisation, \
                 a code or a text"
            );
            self.error(place, "key", message);
        } else if e.subject == Subject::Person && !names_a_person {
            self.error(
                place,
                "key",
                "a person is keyed by id_number or certificate",
            );
        }
    }

    /// A code field says which codes there are.
    fn codes(&mut self, place: &str, f: &Field) {
        if f.kind == FieldKind::Code && f.codes.is_empty() && f.dimension.is_none() {
            self.error(
                place,
                "codes",
                format!("field {}: a code field needs codes or a dimension", f.name),
            );
        }
        if let Some(d) = &f.dimension
            && self.c.dimension(d).is_none()
        {
            self.error(
                place,
                "dimension",
                format!("field {}: unknown dimension {d:?}", f.name),
            );
        }
    }

    /// A maximum belongs to a number and is a weight that a row can hold.
    fn maximum(&mut self, place: &str, f: &Field) {
        let Some(max) = f.max else { return };
        let number = matches!(f.kind, FieldKind::Int | FieldKind::Fen);
        if !number || !(1..=Field::MOST).contains(&max) {
            let (name, most) = (&f.name, Field::MOST);
            let message = format!(
                "field {name}: `max` is 1 to {most}, and only a field of kind int or fen has it"
            );
            self.error(place, "max", message);
        }
    }

    /// A field that goes into a published sum says what an honest event may have at most: without
    /// it one event of a unit could outweigh all others.
    fn weighs(&mut self, place: &str, e: &EventType, field: &str) {
        if e.field(field).is_some_and(|f| f.max.is_none()) {
            let code = &e.code;
            let message = format!(
                "field {field} of {code} goes into a published sum: say with `max` what one \
                 event may have at most"
            );
            self.error(place, "max", message);
        }
    }

    /// What is published in clear tells nothing of a person.
    fn private_field(&mut self, place: &str, e: &EventType, f: &Field) {
        let private = matches!(
            f.kind,
            FieldKind::IdNumber | FieldKind::Certificate | FieldKind::Text
        );
        if e.is_clear() && private {
            self.error(
                place,
                "pi",
                format!(
                    "field {}: a P0 event may hold no number of a person and no free text",
                    f.name
                ),
            );
        }
    }

    /// Names that the system gives a value of its own.
    fn reserved_name(&mut self, place: &str, e: &EventType, f: &Field) {
        let name = f.name.as_str();
        if e.key == name {
            return;
        }
        let by_certificate = e.fields.iter().any(|g| g.kind == FieldKind::Certificate);
        let by_id_number = e.fields.iter().any(|g| g.kind == FieldKind::IdNumber);
        let reserved = match name {
            "occurred_on" => true,
            "category" | "grade" => by_certificate,
            "sex" | "birth" => by_certificate || by_id_number,
            _ => false,
        };
        if reserved {
            self.error(
                place,
                "reserved",
                format!("field name {name} is given by the system"),
            );
        }
    }

    fn indicators(&mut self) {
        let c = self.c;
        self.unique("indicator", c.indicators.iter().map(|i| i.id.as_str()));
        self.unique("indicator key", c.indicators.iter().map(|i| i.key.as_str()));
        for i in &c.indicators {
            let place = format!("indicator {}", i.id);
            let allowed: &[&str] = if i.kind.is_stock() {
                &["s", "t", "d", "period"]
            } else {
                &["s", "t", "d", "e", "on", "before", "period"]
            };
            self.cel(&place, "where", &i.condition, allowed);
            for t in &i.tables {
                if t.is_empty() || t.len() > 2 {
                    self.error(&place, "table", "a table has one or two dimensions");
                }
                for d in t {
                    if c.dimension(d).is_none() {
                        self.error(&place, "dimension", format!("unknown dimension {d:?}"));
                    }
                }
                if c.cells(t).len() > MAX_CELLS {
                    self.error(
                        &place,
                        "cells",
                        format!("table {} has more than {MAX_CELLS} cells", table_name(t)),
                    );
                }
            }
            if i.kind.is_counted() {
                self.counted(&place, i);
            } else {
                self.quotient(&place, i);
            }
        }
    }

    fn counted(&mut self, place: &str, i: &Indicator) {
        let c = self.c;
        let Some(subject) = i.subject else {
            self.error(place, "subject", "a counted indicator names its subject");
            return;
        };
        if i.events.is_empty() {
            self.error(place, "events", "no event type feeds it");
        }
        for code in &i.events {
            match c.events.iter().find(|e| &e.code == code) {
                None => self.error(place, "event", format!("unknown event type {code:?}")),
                Some(e) => {
                    if e.subject != subject && !e.effect.baseline {
                        self.error(
                            place,
                            "subject",
                            format!("{code} is about another kind of subject"),
                        );
                    }
                    if i.kind == Kind::Sum && !e.is_clear() {
                        self.error(
                            place,
                            "sum",
                            format!(
                                "{code} is not clear; sums of hidden integers need kind amount"
                            ),
                        );
                    }
                    if matches!(i.kind, Kind::Sum | Kind::Amount) {
                        match e.field(&i.field).map(|f| f.kind) {
                            Some(FieldKind::Int | FieldKind::Fen) if i.kind == Kind::Amount => {}
                            Some(FieldKind::Int | FieldKind::Fen) => {
                                self.weighs(place, e, &i.field);
                            }
                            _ => self.error(
                                place,
                                "field",
                                format!("{code} has no int or fen field {:?}", i.field),
                            ),
                        }
                    }
                }
            }
        }
        if i.kind == Kind::Amount && !i.tables.is_empty() {
            self.error(
                place,
                "table",
                format!("an amount takes {AMOUNT_BITS} columns a cell: it has no tables"),
            );
        }
        match i.kind {
            Kind::Distinct if i.windows.is_empty() => {
                self.error(place, "windows", "distinct needs windows, e.g. [\"year\"]")
            }
            Kind::Distinct => {
                for w in &i.windows {
                    if w != "year" && !c.windows.iter().any(|x| &x.id == w) {
                        self.error(place, "windows", format!("unknown window {w:?}"));
                    }
                }
            }
            _ if !i.windows.is_empty() => self.error(place, "windows", "only distinct has windows"),
            _ => {}
        }
    }

    fn quotient(&mut self, place: &str, i: &Indicator) {
        let c = self.c;
        let known = |id: &str| {
            c.indicators
                .iter()
                .any(|x| x.id == id && x.kind.is_counted())
        };
        if i.per.is_some() {
            if !known(&i.met) {
                self.error(
                    place,
                    "met",
                    format!("unknown counted indicator {:?}", i.met),
                );
            }
        } else {
            for (what, id) in [("num", &i.num), ("den", &i.den)] {
                if !known(id) {
                    self.error(place, what, format!("unknown counted indicator {id:?}"));
                }
            }
        }
        if !i.events.is_empty() || !i.tables.is_empty() {
            self.error(
                place,
                "events",
                "a quotient is computed from its parts: no events, no tables",
            );
        }
    }

    fn rules(&mut self) {
        let c = self.c;
        self.unique("rule", c.rules.iter().map(|r| r.id.as_str()));
        for r in &c.rules {
            let place = format!("rule {}", r.id);
            self.cel(&place, "check", &r.check, &["v", "p"]);
            if c.indicator(&r.figure).is_none() {
                self.error(&place, "figure", format!("unknown figure {:?}", r.figure));
            }
        }
    }

    /// Names behind `s.`, `before.`, `e.` and `d.`: a misspelt one would stop the first recording,
    /// months later.
    fn names(&mut self) {
        let c = self.c;
        let states = states(c);
        let every: Names = states.values().flatten().cloned().collect();
        let every_field: Names = c.events.iter().flat_map(fields_of).collect();
        let none = Names::new();
        let of = |subject: Subject| states.get(&subject).unwrap_or(&none);
        for d in &c.defines {
            let place = format!("define {}", d.name);
            self.known_names(&place, &d.expr, of(Subject::Person), &none);
        }
        for d in &c.dimensions {
            let place = format!("dimension {}", d.id);
            self.known_names(&place, &d.value, &every, &every_field);
        }
        for e in &c.events {
            let place = format!("event {}", e.code);
            let own = fields_of(e);
            let sources = e.effect.set.values().chain(e.effect.spell_set.values());
            for source in sources.chain([&e.effect.spell_key]) {
                self.known_names(&place, source, of(e.subject), &own);
            }
        }
        for i in &c.indicators {
            let place = format!("indicator {}", i.id);
            let state = i.subject.map_or(&none, of);
            self.known_names(&place, &i.condition, state, &common_fields(c, i));
        }
        self.stock_tables();
        self.baselines();
    }

    fn known_names(&mut self, place: &str, source: &str, state: &Names, event: &Names) {
        for (root, name) in members(source) {
            let known = match root {
                "s" | "before" => state.contains(&name),
                "d" => self.c.defines.iter().any(|d| d.name == name),
                _ => event.contains(&name),
            };
            if !known {
                self.error(
                    place,
                    "unknown_name",
                    format!("{root}.{name} does not exist; is it misspelt?"),
                );
            }
        }
    }

    fn stock_tables(&mut self) {
        let c = self.c;
        for i in c.indicators.iter().filter(|i| i.kind.is_stock()) {
            for d in i.dimensions() {
                if c.dimension(&d)
                    .is_some_and(|d| members(&d.value).iter().any(|(root, _)| *root == "e"))
                {
                    let message = format!(
                        "dimension {d} reads the event (e.…), but a stock is counted by state"
                    );
                    self.error(format!("indicator {}", i.id), "dimension", message);
                }
            }
        }
    }

    fn baselines(&mut self) {
        let c = self.c;
        for e in c.events.iter().filter(|e| e.effect.baseline) {
            let mut needed: BTreeSet<String> =
                ["indicator".to_string(), "value".to_string()].into();
            let fed = c.indicators.iter().filter(|i| i.events.contains(&e.code));
            needed.extend(fed.flat_map(Indicator::dimensions));
            for name in needed.iter().filter(|n| e.field(n).is_none()) {
                self.error(
                    format!("event {}", e.code),
                    "baseline",
                    format!("a declared opening stock needs the field {name}"),
                );
            }
        }
    }

    fn widths(&mut self) {
        if !self.errors.is_empty() {
            return; // widths are only meaningful for a catalogue whose references resolve
        }
        let mut wide = BTreeMap::new();
        for e in &self.c.events {
            let n = crate::row::Schema::of(self.c, e).columns();
            if n > MAX_COLUMNS {
                wide.insert(e.code.clone(), n);
            }
        }
        for (code, n) in wide {
            self.error(
                format!("event {code}"),
                "width",
                format!("has {n} columns, more than {MAX_COLUMNS}"),
            );
        }
    }
}

type Names = BTreeSet<String>;

/// The names that exist behind `s.`, for each kind of subject.
fn states(c: &Catalogue) -> BTreeMap<Subject, Names> {
    let mut states: BTreeMap<Subject, Names> = BTreeMap::new();
    for e in &c.events {
        let known = states
            .entry(e.subject)
            .or_insert_with(|| ["active".to_string(), "age".to_string()].into());
        known.extend(e.effect.set.keys().cloned());
        for spell in e.effect.open.iter().chain(&e.effect.close) {
            known.insert(spell.clone());
            let attributes = e.effect.spell_set.keys().map(String::as_str);
            for name in attributes.chain(["open", "ever"]) {
                known.insert(format!("{spell}.{name}"));
            }
        }
    }
    states
}

/// The names that exist behind `e.` for an event type.
fn fields_of(e: &EventType) -> Names {
    let derived = ["sex", "birth", "category", "grade"].map(String::from);
    let declared = e.fields.iter().map(|f| f.name.clone());
    declared.chain(derived).collect()
}

/// The fields that every type which feeds a flow has: its condition is evaluated for each of them.
fn common_fields(c: &Catalogue, i: &Indicator) -> Names {
    c.events
        .iter()
        .filter(|e| i.events.contains(&e.code) && !e.system && !e.effect.baseline)
        .map(fields_of)
        .reduce(|a, b| a.intersection(&b).cloned().collect())
        .unwrap_or_default()
}

/// The `root.name` pairs of a CEL source outside its string literals, for the roots that counting
/// binds; for a spell also `spell.attribute`.
fn members(source: &str) -> Vec<(&'static str, String)> {
    let mut plain = String::new();
    let mut quote = None;
    for ch in source.chars() {
        match quote {
            Some(q) if ch == q => quote = None,
            Some(_) => {}
            None if ch == '"' || ch == '\'' => {
                quote = Some(ch);
                plain.push(' ');
            }
            None => plain.push(ch),
        }
    }
    let mut found = Vec::new();
    let word = |ch: char| ch.is_ascii_alphanumeric() || ch == '_' || ch == '.';
    for path in plain
        .split(|ch: char| !word(ch))
        .filter(|p| p.contains('.'))
    {
        let mut parts = path.split('.');
        let root = match parts.next() {
            Some("s") => "s",
            Some("before") => "before",
            Some("d") => "d",
            Some("e") => "e",
            _ => continue,
        };
        let Some(first) = parts.next() else { continue };
        found.push((root, first.to_string()));
        if let (Some(second), "s" | "before") = (parts.next(), root) {
            found.push((root, format!("{first}.{second}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_outside_strings() {
        let source = "s.age > 16 && before.employment.open == 0 && e.kind in ['s.x', \"d.y\"] && d.capable && x.s.z == 1";
        let found: Vec<String> = members(source)
            .into_iter()
            .map(|(r, n)| format!("{r}.{n}"))
            .collect();
        assert_eq!(
            found,
            [
                "s.age",
                "before.employment",
                "before.employment.open",
                "e.kind",
                "d.capable"
            ]
        );
    }
}
