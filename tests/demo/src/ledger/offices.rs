//! What units record about themselves and about organisations: carriers, posts, outlets,
//! inspections, reports.

use protocol::ids::UnitId;

use super::person::{between, credit_code};
use super::random::Random;
use super::sheet::{Pages, date};
use super::traits::Traits;

/// Registers a carrier; month 0 is before the year.
fn carrier(
    unit: &UnitId,
    serial: u32,
    kind: &str,
    month: u32,
    random: &mut Random,
    pages: &mut Pages,
) -> String {
    let reference = credit_code("52", unit.as_str(), serial);
    let capacity = random.range(2, 12) * 5;
    let on = if month == 0 {
        between(
            date(pages.year() - 5, 1, 4),
            date(pages.year() - 2, 12, 20),
            random,
        )
    } else {
        pages.day(month, random.range(2, 12))
    };
    pages.put(
        "E40",
        on,
        &[
            &reference,
            kind,
            &capacity.to_string(),
            &random.range(0, capacity / 2).to_string(),
        ],
    );
    reference
}

/// Changes a carrier: level, has_base, scope_disabled, spec_posted; empty leaves as it was.
fn change(reference: &str, month: u32, fields: [&str; 4], random: &mut Random, pages: &mut Pages) {
    let on = if month == 0 {
        between(
            date(pages.year() - 1, 2, 1),
            date(pages.year() - 1, 11, 28),
            random,
        )
    } else {
        pages.day(month, random.range(13, 27))
    };
    pages.put(
        "E41",
        on,
        &[reference, "", fields[0], fields[1], fields[2], fields[3]],
    );
}

/// A round: an inspection and an evaluation of it (E59, E60), counted together.
fn round(
    number: u32,
    month: u32,
    kind: &str,
    by: &str,
    level: &str,
    random: &mut Random,
    pages: &mut Pages,
) {
    let findings = random.range(0, 6);
    let result = if findings > 3 { "rectify" } else { "good" };
    let n = (pages.year().unsigned_abs() * 100 + number).to_string();
    pages.put(
        "E59",
        pages.day(month, random.range(8, 16)),
        &[&n, &findings.to_string(), result],
    );
    pages.put(
        "E60",
        pages.day(month, random.range(18, 26)),
        &[
            &n,
            kind,
            by,
            level,
            "true",
            &random.range(76, 96).to_string(),
        ],
    );
}

fn activity(kind: &str, month: u32, random: &mut Random, pages: &mut Pages) {
    let employers = random.range(6, 30);
    let attendees = random.range(30, 180);
    let fields = [employers, employers * 4, attendees, attendees / 6].map(|n| n.to_string());
    pages.put(
        "E49",
        pages.day(month, random.range(5, 27)),
        &[kind, &fields[0], &fields[1], &fields[2], &fields[3]],
    );
}

fn annual_report(random: &mut Random, pages: &mut Pages) {
    let year = pages.year().to_string();
    pages.put("E61", pages.day(12, random.range(4, 9)), &[&year, "annual"]);
}

fn outlets(
    month: u32,
    kind: &str,
    total: u32,
    disabled: u32,
    random: &mut Random,
    pages: &mut Pages,
) {
    pages.put(
        "E46",
        pages.day(month, random.range(3, 27)),
        &[kind, &total.to_string(), &disabled.to_string()],
    );
}

fn posts(
    month: u32,
    kind: &str,
    residence: &str,
    total: u32,
    disabled: u32,
    random: &mut Random,
    pages: &mut Pages,
) {
    pages.put(
        "E22",
        pages.day(month, random.range(3, 27)),
        &[kind, residence, &total.to_string(), &disabled.to_string()],
    );
}

/// A county's own doings.
pub(super) fn county(unit: &UnitId, traits: Traits, random: &mut Random, pages: &mut Pages) {
    let agency = carrier(unit, 801, "agency", 0, random, pages);
    change(
        &agency,
        traits.standardised(),
        ["standard", "", "", "yes"],
        random,
        pages,
    );
    change(&agency, 6, ["", "yes", "", ""], random, pages);
    let public = carrier(unit, 802, "public_agency", 0, random, pages);
    change(&public, 0, ["", "", "yes", ""], random, pages);
    let sheltered = carrier(unit, 803, "sheltered", 0, random, pages);
    if let Some(month) = traits.demonstration() {
        change(&sheltered, month, ["demo", "", "", ""], random, pages);
    }
    carrier(unit, 804, "massage", 0, random, pages);
    carrier(unit, 805, "base", 6, random, pages);
    carrier(
        unit,
        806,
        random.pick(&["rural_base", "workshop", "online_incubator"]),
        9,
        random,
        pages,
    );

    let (a, b) = if traits.few_outlets() {
        ((20, 1), (15, 2))
    } else {
        ((12, 2), (10, 1))
    };
    outlets(5, "stall", a.0, a.1, random, pages);
    outlets(
        10,
        random.pick(&["kiosk", "lottery"]),
        b.0,
        b.1,
        random,
        pages,
    );
    let (a, b) = if traits.few_posts() {
        ((30, 1), (20, 1))
    } else {
        ((20, 2), (24, 2))
    };
    posts(3, "cleaner", "rural", a.0, a.1, random, pages);
    posts(8, "community", "urban", b.0, b.1, random, pages);

    activity("assist_month", 1, random, pages);
    activity("fair_private", 3, random, pages);
    activity("publicity", 5, random, pages);
    activity("fair_online", 9, random, pages);

    if traits.rounds() > 1 {
        round(1, 6, "midterm", "self", "county", random, pages);
    }
    round(
        traits.rounds(),
        11,
        "annual",
        "self",
        "county",
        random,
        pages,
    );
    annual_report(random, pages);
}

/// A city's own doings: two rounds, as the provincial plan asks for.
pub(super) fn city(unit: &UnitId, random: &mut Random, pages: &mut Pages) {
    let agency = carrier(unit, 801, "agency", 0, random, pages);
    change(&agency, 0, ["standard", "", "", "yes"], random, pages);
    change(&agency, 7, ["", "yes", "", ""], random, pages);
    let public = carrier(unit, 802, "public_agency", 0, random, pages);
    change(&public, 0, ["", "", "yes", ""], random, pages);
    carrier(unit, 805, "incubator", 7, random, pages);
    outlets(6, "lottery", 30, 3, random, pages);
    posts(4, "community", "urban", 40, 3, random, pages);
    activity("fair_joint", 4, random, pages);
    activity("skills", 9, random, pages);
    round(1, 7, "midterm", "self", "city", random, pages);
    round(2, 11, "annual", "self", "city", random, pages);
    annual_report(random, pages);
}

/// A province's own doings: one round, a third party's evaluation, its agency and the hospital.
pub(super) fn province(unit: &UnitId, random: &mut Random, pages: &mut Pages) {
    let agency = carrier(unit, 801, "agency", 0, random, pages);
    change(&agency, 0, ["standard", "yes", "", "yes"], random, pages);
    let public = carrier(unit, 802, "public_agency", 0, random, pages);
    change(&public, 0, ["", "", "yes", ""], random, pages);
    carrier(unit, 807, "hospital", 10, random, pages);
    activity("fair_soe", 5, random, pages);
    activity("innovation", 10, random, pages);
    round(1, 9, "midterm", "third_party", "province", random, pages);
}
