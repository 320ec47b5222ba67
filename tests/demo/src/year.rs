//! The first scene: a year of months, honestly reported, with the accidents of a real year.
//!
//! * Corrections and voids as the ledger plans them.
//! * One report comes late (城区, May): noted as late, accepted all the same.
//! * One is returned (郊区, March) and comes again as revision 2.
//! * One is missing when the city closes (盂县, August); it comes later, the province opens the
//!   city's month again, and the city's revision 2 contains it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use miette::{IntoDiagnostic, Result, miette};
use node::desk::close::CloseRequest;
use protocol::ids::Tier;
use protocol::period::Month;
use protocol::receipt::Decision;

use crate::federation::{Federation, wait};
use crate::ledger::{Correction, CorrectionKind, Ledger, MonthLedger};
use crate::world::Member;
use admin::api::Client;

/// The cities of the demonstration: 阳泉 with its own plan, and 朔州, so that there are two
/// branches.
pub const CITIES: [&str; 2] = ["140300", "140600"];
/// The year of the demonstration.
pub const YEAR: i32 = 2023;

/// Where in a log the rows of the ledger are.
pub type Indexes = Mutex<BTreeMap<(String, Month, &'static str, usize), u64>>;

/// The county that is late, and when.
pub const LATE: (&str, u32) = ("140302", 5);
/// The county that is returned, and when.
pub const RETURNED: (&str, u32) = ("140311", 3);
/// The county that is missing at first, and when.
pub const MISSING: (&str, u32) = ("140322", 8);

/// Runs one month from the first import to the province's rollup.
///
/// # Errors
/// Anything that does not go as it should.
pub fn month(f: &Federation, ledger: &Ledger, indexes: &Indexes, month: Month) -> Result<()> {
    let start = Instant::now();
    let accident = |(unit, m): (&str, u32)| (m == month.month()).then(|| unit.to_string());
    let (late, returned, missing) = (accident(LATE), accident(RETURNED), accident(MISSING));

    clock(f, month, 3)?;
    let counties: Vec<&Member> = f.world.tier(Tier::County).collect();
    parallel(&counties, |m| {
        fill(ledger, indexes, m, month)?;
        let id = Some(m.id.to_string());
        if id == late || id == missing {
            Ok(())
        } else {
            report(f, m, month, &CloseRequest::default())
        }
    })?;
    let punctual =
        |m: &&Member| Some(m.id.to_string()) != late && Some(m.id.to_string()) != missing;
    for city in f.world.tier(Tier::City) {
        for county in f.world.children(&city.id).filter(punctual) {
            if Some(county.id.to_string()) == returned {
                returned_and_again(f, city, county, month)?;
            } else {
                decide(city, county, month, 1, Decision::Accepted, &[])?;
            }
        }
    }
    if let Some(id) = &late {
        clock(f, month, 7)?;
        let county = f.world.member(id)?;
        report(f, county, month, &CloseRequest::default())?;
        let city = f
            .world
            .member(county.parent.as_ref().map_or("", |p| p.as_str()))?;
        decide(city, county, month, 1, Decision::Accepted, &[])?;
    }
    clock(f, month, 8)?;
    let cities: Vec<&Member> = f.world.tier(Tier::City).collect();
    parallel(&cities, |city| {
        fill(ledger, indexes, city, month)?;
        let mut request = CloseRequest::default();
        if let Some(id) = missing.as_ref().filter(|id| {
            f.world
                .children(&city.id)
                .any(|c| c.id.as_str() == id.as_str())
        }) {
            request.missing.insert(
                id.clone(),
                "县级网络中断,月报延后 / the county's network is down, its report follows".into(),
            );
        }
        report(f, city, month, &request)
    })?;
    let province = f.world.province()?;
    for city in &cities {
        decide(province, city, month, 1, Decision::Accepted, &[])?;
    }
    if let Some(id) = &missing {
        came_later(f, province, id, month)?;
    }
    clock(f, month, 12)?;
    fill(ledger, indexes, province, month)?;
    report(f, province, month, &CloseRequest::default())?;
    println!(
        "  {month}  {} units reported, checked and receipted in {:.1} s",
        f.world.members.len(),
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Waits until the province has everything that was submitted for a month: the clock must not jump
/// while a report is on its way, or it would arrive days later than it was sent.
fn settle(f: &Federation, province: &Member, month: Month) -> Result<()> {
    let reviewer = Client::new(&province.url(), province.token("tongji"));
    for m in f.world.members.iter().filter(|m| m.parent.is_some()) {
        let client = Client::new(&m.url(), m.token("tianbiao"));
        let sent: Vec<_> = client
            .months()
            .into_diagnostic()?
            .into_iter()
            .filter(|o| o.period == month && o.submitted.is_some())
            .collect();
        wait(
            &format!("the reports of {} {month} at {}", m.id, province.id),
            || {
                let list = reviewer.children().map_err(|e| e.to_string())?;
                Ok(sent
                    .iter()
                    .all(|o| list.iter().any(|c| c.unit == m.id && c.rollup == o.rollup)))
            },
        )?;
    }
    Ok(())
}

/// Sets the federation's clock to a day after the end of a month, noon in China.
fn clock(f: &Federation, month: Month, day: u64) -> Result<()> {
    let province = f.world.province()?;
    settle(f, province, month)?;
    let at = month.last_day() + chrono::Days::new(day);
    f.world.set_clock(&format!("{at}T04:00:00Z"))
}

fn parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let handles: Vec<_> = items
            .iter()
            .map(|item| scope.spawn(|| work(item)))
            .collect();
        handles
            .into_iter()
            .try_for_each(|h| h.join().unwrap_or_else(|_| Err(miette!("a worker died"))))
    })
}

/// Imports a unit's files of a month and applies the corrections that are noticed in it.
pub fn fill(ledger: &Ledger, indexes: &Indexes, m: &Member, month: Month) -> Result<()> {
    let client = Client::new(&m.url(), m.token("luru"));
    if let Some(files) = ledger.unit(&m.id).and_then(|u| u.month(month)) {
        import(&client, m, files, indexes)?;
    }
    let ours = ledger
        .corrections
        .iter()
        .filter(|c| c.unit == m.id && c.month == month);
    for correction in ours {
        correct(&client, ledger, indexes, correction)
            .map_err(|e| miette!("{} {month} {:?}: {e}", m.id, correction.target))?;
    }
    Ok(())
}

fn import(client: &Client, m: &Member, files: &MonthLedger, indexes: &Indexes) -> Result<()> {
    for sheet in &files.sheets {
        let imported = client
            .import(
                Some(sheet.event),
                "csv",
                false,
                false,
                sheet.to_csv().as_bytes(),
            )
            .into_diagnostic()?;
        if let Some(fault) = imported.faults.first() {
            return Err(miette!(
                "{} {} {}: {} fault(s), first: {fault}",
                m.id,
                files.month,
                sheet.file_name(),
                imported.faults.len()
            ));
        }
        let mut known = indexes.lock().map_err(|_| miette!("a worker died"))?;
        for r in imported.recorded {
            // Row 1 of a file is its heading.
            let row = usize::try_from(r.row).unwrap_or(0).saturating_sub(2);
            known.insert((m.id.to_string(), files.month, sheet.event, row), r.index);
        }
    }
    Ok(())
}

fn correct(client: &Client, ledger: &Ledger, indexes: &Indexes, c: &Correction) -> Result<()> {
    let key = (
        c.unit.to_string(),
        c.target.month,
        c.target.event,
        c.target.row,
    );
    let index = indexes
        .lock()
        .map_err(|_| miette!("a worker died"))?
        .get(&key)
        .copied()
        .ok_or_else(|| miette!("the row was not recorded"))?;
    match &c.kind {
        CorrectionKind::Void => client.void(index, c.reason).map(drop).into_diagnostic(),
        CorrectionKind::Correct(cells) => {
            let (sheet, _) = ledger
                .unit(&c.unit)
                .and_then(|u| u.row(&c.target))
                .ok_or_else(|| miette!("no such row"))?;
            let event: serde_json::Map<String, serde_json::Value> = std::iter::once(&"occurred_on")
                .chain(sheet.columns)
                .zip(cells)
                .filter(|(_, v)| !v.is_empty())
                .map(|(k, v)| ((*k).to_string(), v.clone().into()))
                .collect();
            let corrected = client.correct(index, c.reason, &event.into());
            corrected.map(drop).into_diagnostic()
        }
    }
}

/// Closes a month, has it signed by the three, and submits it.
pub fn report(f: &Federation, m: &Member, month: Month, request: &CloseRequest) -> Result<()> {
    close(m, month, request)?;
    f.sign_all(m, month)?;
    Client::new(&m.url(), m.token("tianbiao"))
        .submit(month)
        .map_err(|e| miette!("{} {month}: submit: {e}", m.id))?;
    Ok(())
}

/// Closes a month, explaining what needs an explanation.
pub fn close(m: &Member, month: Month, request: &CloseRequest) -> Result<()> {
    let client = Client::new(&m.url(), m.token("tianbiao"));
    let mut request = request.clone();
    // Where the answer to an attempt before was lost, the month is made anew and signed anew.
    request.discard_signatures = true;
    // A rule that does not hold is explained, as a clerk would: the explanation travels with the
    // rollup.
    let closed = match client.close(month, &request) {
        Err(admin::api::ApiError::Refused(faults))
            if faults.0.iter().all(|f| f.code == "rule.soft") =>
        {
            for fault in &faults.0 {
                if let Some(rule) = &fault.column {
                    request.explanations.insert(
                        rule.clone(),
                        "演示数据,属实 / demonstration data, as recorded".into(),
                    );
                }
            }
            client.close(month, &request)
        }
        other => other,
    };
    closed
        .map(drop)
        .map_err(|e| miette!("{} {month}: close: {e}", m.id))
}

/// Waits until a child's revision is checked at the parent, decides, and waits until the child has
/// the receipt.
pub fn decide(
    parent: &Member,
    child: &Member,
    month: Month,
    revision: u32,
    decision: Decision,
    reasons: &[String],
) -> Result<()> {
    let reviewer = Client::new(&parent.url(), parent.token("tongji"));
    let what = format!(
        "the checks of {} {month}.{revision} at {}",
        child.id, parent.id
    );
    let mut failed = None;
    wait(&what, || {
        let list = reviewer.children().map_err(|e| e.to_string())?;
        let found = list
            .into_iter()
            .find(|c| c.unit == child.id && c.period == month && c.revision == revision);
        let Some(found) = found.filter(|c| !c.verdicts.is_empty()) else {
            return Ok(false);
        };
        failed = found
            .verdicts
            .into_iter()
            .find(protocol::verdict::Verdict::failed);
        Ok(true)
    })?;
    if let Some(v) = failed {
        return Err(miette!(
            "{} {month}.{revision} at {}: {} fails: {}",
            child.id,
            parent.id,
            v.check,
            v.detail
        ));
    }
    reviewer
        .decide(child.id.as_str(), month, decision, reasons, &[])
        .map_err(|e| miette!("{} {month}: {decision:?}: {e}", child.id))?;
    receipt(child, month, revision, decision)
}

/// Waits until a unit has its parent's receipt with this decision.
pub fn receipt(child: &Member, month: Month, revision: u32, decision: Decision) -> Result<()> {
    let client = Client::new(&child.url(), child.token("tianbiao"));
    wait(
        &format!(
            "the receipt of {} {month}.{revision} ({decision:?})",
            child.id
        ),
        || {
            let months = client.months().map_err(|e| e.to_string())?;
            let own = months
                .into_iter()
                .find(|m| m.period == month && m.revision == revision);
            let had = own.and_then(|m| m.decision);
            if had == Some(decision) {
                Ok(true)
            } else {
                Err(format!("{had:?}"))
            }
        },
    )
}

fn returned_and_again(f: &Federation, city: &Member, county: &Member, month: Month) -> Result<()> {
    let reasons = [
        "请核对实用技术培训人次是否有遗漏 / please check whether rural trainings are missing"
            .to_string(),
    ];
    decide(city, county, month, 1, Decision::Returned, &reasons)?;
    put_right(county, month)?;
    report(f, county, month, &CloseRequest::default())?;
    decide(city, county, month, 2, Decision::Accepted, &[])
}

/// Corrects the month's last event to what it said: figures stay, and the new revision says what was
/// looked at.
pub fn put_right(county: &Member, month: Month) -> Result<()> {
    let client = Client::new(&county.url(), county.token("luru"));
    let events = client.events(month, true).into_diagnostic()?;
    for event in events.iter().rev().filter(|e| e.voided_by.is_none()) {
        let Some(day) = event.fields.get("occurred_on").and_then(|day| day.as_str()) else {
            continue;
        };
        let same = serde_json::Map::from_iter([("occurred_on".to_string(), day.into())]);
        if client.change(event.index, "typing", &same).is_ok() {
            return Ok(());
        }
    }
    Err(miette!("{} {month}: no event to look at", county.id))
}

fn came_later(f: &Federation, province: &Member, id: &str, month: Month) -> Result<()> {
    clock(f, month, 9)?;
    let county = f.world.member(id)?;
    let city = f
        .world
        .member(county.parent.as_ref().map_or("", |p| p.as_str()))?;
    report(f, county, month, &CloseRequest::default())?;
    decide(city, county, month, 1, Decision::Accepted, &[])?;
    let reviewer = Client::new(&province.url(), province.token("tongji"));
    let reason = format!("补入 {id} 的月报 / include the report of {id}");
    reviewer
        .decide(city.id.as_str(), month, Decision::Reopened, &[reason], &[])
        .into_diagnostic()?;
    receipt(city, month, 1, Decision::Reopened)?;
    report(f, city, month, &CloseRequest::default())?;
    decide(province, city, month, 2, Decision::Accepted, &[])
}
