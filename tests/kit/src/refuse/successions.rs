//! A month that is counted by a catalogue that follows, or cannot follow, that of the month before.

use std::sync::Arc;

use protocol::catalogue::{Catalogue, CodeItem, FieldKind, Indicator};
use protocol::compiled::CompiledCatalogue;
use protocol::rollup::HeldRollup;

use super::making::*;

type Change = fn(&mut Catalogue);

pub(super) fn cases(b: &mut Book) {
    lawful(b);
    unlawful(b);
    carried(b);
    voids(b);
    sums(b);
    frozen(b);
}

fn codes<'c>(c: &'c mut Catalogue, dimension: &str) -> &'c mut Vec<CodeItem> {
    let found = c.dimensions.iter_mut().find(|d| d.id == dimension);
    &mut found.unwrap().codes
}

fn indicator<'c>(c: &'c mut Catalogue, id: &str) -> &'c mut Indicator {
    c.indicators.iter_mut().find(|i| i.id == id).unwrap()
}

fn event<'c>(c: &'c mut Catalogue, code: &str) -> &'c mut protocol::catalogue::EventType {
    c.events.iter_mut().find(|e| e.code == code).unwrap()
}

/// A code before those that stocks stand in: whoever carries them by place moves them.
fn new_code(c: &mut Catalogue) {
    codes(c, "sex").insert(0, code("9"));
    codes(c, "kind").insert(1, code("centre"));
}

/// Version 2, published to everybody.
fn second(w: &mut World, change: Change) -> Arc<CompiledCatalogue> {
    let mut next = w.counting.catalogue.clone();
    next.version = 2;
    change(&mut next);
    w.publish(next)
}

fn opened(d: &mut Desk, period: &str, reference: &str, kind: &str) {
    let on = format!("{period}-09");
    let fields = [
        ("ref", text(reference)),
        ("kind", text(kind)),
        ("occurred_on", text(&on)),
    ];
    d.clear(period, "carrier.opened", &fields);
}

/// January of a county with open stocks: one person, one carrier, five women declared.
fn january_of(d: &mut Desk) {
    registered(d, JAN, 8);
    let hired = [
        ("id_no", text(&id_no(8))),
        ("employer", text("甲厂")),
        ("wage", Value::Int(300_000)),
        ("occurred_on", text("2026-01-05")),
    ];
    d.sealed(JAN, "employment.started", &hired);
    opened(d, JAN, "c1", "station");
    let declared = [
        ("indicator", text("I2")),
        ("value", Value::Int(5)),
        ("sex", text("2")),
        ("occurred_on", text("2025-12-31")),
    ];
    d.clear(JAN, "stock.declared", &declared);
}

/// County B: January by the first catalogue, February by the second, with these leaves.
fn months(change: Change, february: fn(&mut Desk)) -> World {
    let mut w = World::empty();
    let (registry, next) = (w.registry.clone(), second(&mut w, change));
    let d = w.units.get_mut(&unit(B)).unwrap();
    january_of(d);
    d.close(JAN, 1, &registry, &[], vec![]);
    d.adopt(&next);
    february(d);
    d.close(FEB, 1, &registry, &[], vec![]);
    w
}

fn one_training(d: &mut Desk) {
    training(d, FEB, 4);
}

fn lawful(b: &mut Book) {
    let control = |b: &mut Book, name: &str, case: &str, w: &World| {
        let bytes = file::write(&honest_file(w, &[B], FEB)).unwrap();
        b.control(&format!("control-catalogue-{name}.zip"), case, bytes);
    };
    let w = months(new_code, |d| opened(d, FEB, "c2", "centre"));
    control(
        b,
        "new-code",
        "February by a catalogue with codes more, before those that January's stocks stand in",
        &w,
    );
    let w = months(new_code, |_| {});
    control(
        b,
        "new-code-quiet",
        "the same, in a month without a leaf",
        &w,
    );
    let reordered: Change = |c| c.dimensions.iter_mut().for_each(|d| d.codes.reverse());
    let w = months(reordered, |d| opened(d, FEB, "c2", "workshop"));
    control(
        b,
        "reordered",
        "the codes of all dimensions in another order",
        &w,
    );
    let more: Change = |c| {
        let mut stations = indicator(c, "I4").clone();
        (stations.id, stations.key) = ("I41".into(), "stations".into());
        stations.condition = "s.active && s.kind == \"station\"".into();
        c.indicators.insert(0, stations);
        let mut visited = event(c, "E06").clone();
        (visited.code, visited.name) = ("E61".into(), "visit.made".into());
        c.events.insert(0, visited);
    };
    let w = months(more, |d| {
        let due = [("ref", text("c1")), ("occurred_on", text("2026-02-28"))];
        d.clear(FEB, "carrier.recounted", &due);
    });
    control(
        b,
        "new-indicator",
        "a stock and a type more; February's recount brings in the carrier of January",
        &w,
    );
    let fewer: Change = |c| {
        c.indicators.retain(|i| i.id != "I22" && i.id != "I7");
        c.rules.retain(|r| r.figure != "I22");
        c.dimensions.retain(|d| d.id != "seen" && d.id != "result");
        event(c, "E42").fields.clear();
        event(c, "E06").levels.clear();
    };
    let w = months(fewer, |d| opened(d, FEB, "c2", "workshop"));
    control(
        b,
        "fewer",
        "indicators and dimensions less, one type retired",
        &w,
    );
}

fn unlawful(b: &mut Book) {
    for (name, case, change, detail) in [
        (
            "version",
            "the next catalogue has the version of the first",
            (|c| {
                new_code(c);
                c.version = 1;
            }) as Change,
            "succession.version",
        ),
        (
            "event-removed",
            "the next catalogue lacks a type of which there are leaves",
            |c| {
                c.indicators
                    .iter_mut()
                    .for_each(|i| i.events.retain(|e| e != "E41"));
                c.indicators.retain(|i| i.id != "I21");
                c.events.retain(|e| e.code != "E41");
            },
            "succession.event_removed",
        ),
        (
            "event-sealed",
            "a clear type is sealed in the next catalogue",
            |c| event(c, "E42").pi = protocol::catalogue::Pi::P2,
            "succession.event_nature",
        ),
        (
            "field-kind",
            "a field holds a text where it held a number",
            |c| {
                let fields = &mut event(c, "E02").fields;
                fields[1].kind = FieldKind::Certificate;
            },
            "succession.field_kind",
        ),
        (
            "code-removed",
            "a code is gone in whose cell nobody stands",
            |c| codes(c, "kind").retain(|code| code.code != "workshop"),
            "succession.code_removed",
        ),
        (
            "indicator-kind",
            "a stock is a milestone in the next catalogue",
            |c| indicator(c, "I4").kind = protocol::catalogue::Kind::Milestone,
            "succession.indicator_nature",
        ),
        (
            "indicator-unit",
            "a stock is counted in another unit",
            |c| indicator(c, "I2").unit = "户".into(),
            "succession.indicator_nature",
        ),
        (
            "indicator-tables",
            "a flow has a table less in the next catalogue",
            |c| indicator(c, "I21").tables.truncate(2),
            "succession.indicator_nature",
        ),
    ] {
        let w = months(change, one_training);
        let e = honest_file(&w, &[B], FEB);
        let name = format!("catalogue-{name}");
        b.evidence(&name, case, BINDING, detail, &e);
    }
}

/// County B's February by the second catalogue, with a change to its figures.
fn carried(b: &mut Book) {
    let w = months(new_code, one_training);
    for (name, case, change, also) in [
        (
            "stock-by-place",
            "the stocks of January are carried by place: five women become five men",
            (|c| {
                let cells = &mut c.figure("I2").own.cells[0];
                cells.rotate_left(1);
            }) as fn(&mut Case<'_>),
            &[][..],
        ),
        (
            "old-shape",
            "the stock of January stands in February as it was, without the new code's cell",
            |c| {
                c.figure("I2").own.cells[0].remove(0);
            },
            &[ARITHMETIC],
        ),
        (
            "stock-from-nothing",
            "the stock begins anew with the new catalogue",
            |c| {
                let own = &mut c.figure("I2").own;
                (own.value, own.declared) = (Some(0), 0);
                own.cells[0].fill(0);
            },
            &[],
        ),
        (
            "cell-from-nothing",
            "the new code's cell begins with a carrier",
            |c| {
                let own = &mut c.figure("I4").own;
                own.value = own.value.map(|n| n + 1);
                own.cells[0][1] += 1;
            },
            &[],
        ),
    ] {
        let mut c = Case::of(&w, B, FEB);
        change(&mut c);
        let name = format!("catalogue-{name}");
        b.case(&name, case, BINDING, "", &c).also(also);
    }
    // The first catalogue, named again after the second.
    let mut w = months(new_code, one_training);
    let (registry, first) = (w.registry.clone(), w.counting.clone());
    let d = w.units.get_mut(&unit(B)).unwrap();
    d.adopt(&first);
    d.close(MAR, 1, &registry, &[], vec![]);
    b.evidence(
        "catalogue-goes-back",
        "March is counted by the catalogue before February's",
        BINDING,
        "succession.version",
        &honest_file(&w, &[B], MAR),
    );
    let mut c = Case::of(&w, B, JAN);
    c.figure("I2").own.cells[0].insert(0, 0);
    b.case(
        "catalogue-new-shape",
        "January has the tables of a catalogue that came after it",
        ARITHMETIC,
        "figure I2: other tables",
        &c,
    )
    .also(&[BINDING]);
}

/// A city over two counties in January, A by the first catalogue and B by the second.
fn mixed(change: Change, at_b: fn(&mut Desk), city: bool) -> World {
    let mut w = World::empty();
    let (registry, next) = (w.registry.clone(), second(&mut w, change));
    let mut close = |id: &str, with: fn(&mut Desk), second: bool| -> Arc<HeldRollup> {
        let d = w.units.get_mut(&unit(id)).unwrap();
        if second {
            d.adopt(&next);
        }
        with(d);
        d.close(JAN, 1, &registry, &[], vec![])
    };
    let used = [close(A, january_of, false), close(B, at_b, true)];
    let d = w.units.get_mut(&unit(CITY)).unwrap();
    if city {
        d.adopt(&next);
    }
    d.close(JAN, 1, &registry, &used, vec![]);
    w
}

fn sums(b: &mut Book) {
    let units = [CITY, A, B];
    for (name, case, city) in [
        (
            "city-newer",
            "a city by the new catalogue over a county by the old one",
            true,
        ),
        (
            "city-older",
            "a city by the old catalogue over a county by the new one",
            false,
        ),
    ] {
        let w = mixed(new_code, january_of, city);
        let bytes = file::write(&honest_file(&w, &units, JAN)).unwrap();
        b.control(&format!("control-catalogue-{name}.zip"), case, bytes);
    }
    // One who stands in a cell that the city's catalogue lacks has no place in its sum.
    let w = mixed(new_code, |d| opened(d, JAN, "c2", "centre"), true);
    let mut c = Case::of(&w, CITY, JAN);
    c.rollup.catalogue = w.counting.digest;
    for figure in &mut c.rollup.figures {
        let sum = figure.sum.as_mut().unwrap();
        for counts in [&mut figure.own, sum] {
            match figure.id.split('@').next().unwrap() {
                "I1" | "I2" => drop(counts.cells[0].remove(0)),
                "I4" => drop(counts.cells[0].remove(1)),
                "I21" => counts.cells = vec![vec![0; 2], vec![0; 2], vec![0; 4]],
                _ => {}
            }
        }
    }
    let i4 = c.figure("I4").sum.as_mut().unwrap();
    i4.value = Some(i4.cells[0].iter().sum());
    let i6 = c.figure("I6").sum.as_mut().unwrap();
    i6.num = Some(2);
    let opening = Case::of(&w, CITY, JAN).rollup.opening;
    c.rollup.opening = opening;
    b.case(
        "catalogue-no-place",
        "a city leaves out a county's carrier that stands in a cell which its catalogue lacks",
        ARITHMETIC,
        "the catalogue has no cell centre in table kind",
        &c,
    );
    let w = mixed(new_code, january_of, true);
    let mut c = Case::of(&w, CITY, JAN);
    c.figure("I2").sum.as_mut().unwrap().cells[0].rotate_left(1);
    b.case(
        "catalogue-sum-by-place",
        "a city adds a county's cells by place",
        ARITHMETIC,
        "figure I2 (sum): table sex cell",
        &c,
    );
    let w = mixed(|c| indicator(c, "I2").unit = "户".into(), january_of, true);
    b.evidence(
        "catalogue-child-strange",
        "a city adds a county that counted by a catalogue which its own cannot follow",
        ARITHMETIC,
        "neither follows this one nor is followed by it",
        &honest_file(&w, &units, JAN),
    );
}

/// February takes leaves of January back, whose schemas have changed.
fn voids(b: &mut Book) {
    let take_back: fn(&mut Desk) = |d| {
        // The hire (sealed), and the opening of the carrier (clear).
        d.void(FEB, 5);
        d.void(FEB, 6);
        let due = [
            ("id_no", text(&id_no(8))),
            ("occurred_on", text("2026-02-28")),
        ];
        d.sealed(FEB, "person.recounted", &due);
        training(d, FEB, 1);
    };
    let w = months(new_code, take_back);
    let bytes = file::write(&honest_file(&w, &[B], FEB)).unwrap();
    b.control(
        "control-catalogue-void.zip",
        "February takes a sealed and a clear leaf of January back, by a catalogue with codes more",
        bytes,
    );
    let hired = "employment.started";
    let schema = w.counting.generators.schema(hired).unwrap();
    let name = format!("{hired}@{}", schema.digest());
    let mut c = Case::of(&w, B, FEB);
    let sums = c.rollup.opening.sums.remove(&name).unwrap();
    b.case(
        "catalogue-void-left-out",
        "the opening leaves out the sums of an earlier schema that a void takes back",
        BINDING,
        "no sums for event type employment.started@",
        &c,
    );
    c.rollup.opening.sums.insert(hired.into(), sums.clone());
    b.case(
        "catalogue-void-by-type",
        "the same, put under the type as if its schema were this month's",
        BINDING,
        "no sums for event type employment.started@",
        &c,
    );
    let mut c = Case::of(&w, B, FEB);
    let sums = c.rollup.opening.sums.get_mut(&name).unwrap();
    let at = |name: &str| schema.names().iter().position(|n| n == name).unwrap();
    sums.swap(at("I2:in:sex:1"), at("I2:in:sex:2"));
    b.case(
        "catalogue-void-moved",
        "a void across catalogues takes a man back as a woman",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    let mut c = Case::of(&w, B, FEB);
    c.figure("I2").own.cells[0].swap(1, 2);
    b.case(
        "catalogue-void-by-place",
        "what a void across catalogues takes back is subtracted by place",
        BINDING,
        "figure I2 (own): table sex cell",
        &c,
    );
}

/// A coverage whose members are frozen has a list of them in each rollup.
fn frozen(b: &mut Book) {
    let with_coverage: Change = |c| {
        let mut share = indicator(c, "I5").clone();
        (share.id, share.key) = ("I51".into(), "hired-share".into());
        share.kind = protocol::catalogue::Kind::Coverage;
        c.indicators.push(share);
    };
    let w = months(with_coverage, one_training);
    let mut c = Case::of(&w, B, FEB);
    b.case(
        "rollup-frozen-left-out",
        "a rollup without the frozen list of its catalogue's coverage",
        BINDING,
        "the frozen lists are not those",
        &c,
    );
    let members = Digest::of(b"its members");
    c.rollup.frozen.insert("I51".into(), members);
    b.control(
        "control-rollup-frozen.zip",
        "a rollup with the frozen list of its catalogue's coverage",
        file::write(&evidence_of(&c)).unwrap(),
    );
}
