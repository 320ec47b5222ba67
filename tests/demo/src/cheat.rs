//! The second scene: after an honest January, counties and a city cheat with February, each in
//! another way.
//!
//! The cheats are real: they are signed with the cheater's own keys and published over NATS under
//! its own name, as somebody with full power over a county's machine could do it. The parent's node
//! knows nothing of what is coming; what it says is read from its API.

use std::collections::BTreeMap;
use std::sync::Mutex;

use miette::{IntoDiagnostic, Result, miette};
use node::desk::close::CloseRequest;
use node::link::{Subject, UnitPath, UpKind};
use protocol::digest::Digest;
use protocol::evidence::file;
use protocol::ids::{EventId, Tier};
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Delivery;
use protocol::log::tree::{self, Tree};
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::Rollup;
use protocol::statement::Statement;
use protocol::text::hex;
use protocol::verdict::Check;

use crate::federation::{Federation, wait};
use crate::world::Member;
use crate::year::{self, YEAR};
use admin::api::Client;
use admin::keyring;

/// A month's report as the cheater wants it: statements, rollup, and who signs.
struct Forgery {
    entries: Vec<Vec<u8>>,
    rollup: Rollup,
    signers: Vec<&'static str>,
}

/// How a report is forged, with the statements of another county at hand.
type Forge = fn(&mut Forgery, &[Vec<u8>], &Member) -> Result<()>;

/// A cheat.
struct Cheat {
    unit: &'static str,
    what: &'static str,
    /// The check that must name it.
    check: Check,
    forge: Forge,
}

const CHEATS: [Cheat; 8] = [
    Cheat {
        unit: "140302",
        what: "adds 10 to 就业人次 (I012), all cells adjusted to match",
        check: Check::Binding,
        forge: add_ten,
    },
    Cheat {
        unit: "140303",
        what: "moves one person from one cell to another",
        check: Check::Binding,
        forge: move_cell,
    },
    Cheat {
        unit: "140311",
        what: "has 填表人 and 单位负责人 change places",
        check: Check::Authorship,
        forge: change_places,
    },
    Cheat {
        unit: "140321",
        what: "rewrites an event of January, signs the log anew",
        check: Check::History,
        forge: rewrite,
    },
    Cheat {
        unit: "140602",
        what: "puts an event into January after it was sealed",
        check: Check::History,
        forge: backdate,
    },
    Cheat {
        unit: "140603",
        what: "counts another county's statement as its own",
        check: Check::Authorship,
        forge: borrow,
    },
    Cheat {
        unit: "140621",
        what: "publishes column sums that hide one event",
        check: Check::Binding,
        forge: hide,
    },
    Cheat {
        unit: "140622",
        what: "skips January: names no previous rollup",
        check: Check::History,
        forge: skip,
    },
];

/// Lets each cheat, prints who caught it; true if every one was caught by the check that must.
///
/// # Errors
/// Anything that does not go as it should.
pub fn run(f: &mut Federation, seed: u64) -> Result<bool> {
    let ledger = f.world.ledger(seed, YEAR);
    let indexes: year::Indexes = Mutex::new(BTreeMap::new());
    let month = |m| Month::new(YEAR, m).ok_or_else(|| miette!("no month"));
    let (january, february) = (month(1)?, month(2)?);
    println!("\nAn honest January:");
    year::month(f, &ledger, &indexes, january)?;
    println!(
        "\nFebruary, with cheats; each is signed with the cheater's own keys and sent under its \
            own name:"
    );
    f.world.set_clock("2023-03-03T04:00:00Z")?;
    for m in f.world.tier(Tier::County) {
        year::fill(&ledger, &indexes, m, february)?;
    }
    let mut all = true;
    let other = entries(f, f.world.member("140322")?)?;
    for cheat in CHEATS {
        let m = f.world.member(cheat.unit)?;
        let mut forged = honest(f, m, february)?;
        (cheat.forge)(&mut forged, &other, m)?;
        send(f, m, &forged)?;
        all &= caught(f, m, february, cheat.what, cheat.check)?;
    }
    all &= two_versions(f, february)?;
    all &= wrong_sum(f, february)?;
    Ok(all)
}

/// The unit closes honestly; what it would have sent is taken as raw material.
fn honest(f: &Federation, m: &Member, month: Month) -> Result<Forgery> {
    let client = Client::new(&m.url(), m.token("tianbiao"));
    year::close(m, month, &CloseRequest::default())?;
    // Evidence, from which the entries are taken, has a month from when it is signed.
    f.sign_all(m, month)?;
    let note = Note::parse(&client.rollup(month).into_diagnostic()?).into_diagnostic()?;
    let rollup = Rollup::parse(note.text()).into_diagnostic()?;
    Ok(Forgery {
        entries: entries(f, m)?,
        rollup,
        signers: vec!["node", "tianbiao", "tongji", "fuzeren"],
    })
}

fn entries(f: &Federation, m: &Member) -> Result<Vec<Vec<u8>>> {
    let evidence = file::read(
        &f.client(m.id.as_str(), "jiancha")?
            .evidence()
            .into_diagnostic()?,
    )
    .into_diagnostic()?;
    Ok(evidence
        .units
        .get(&m.id)
        .map(|u| u.entries.clone())
        .unwrap_or_default())
}

/// Signs and publishes what was forged, as the unit.
fn send(f: &Federation, m: &Member, forged: &Forgery) -> Result<()> {
    let node_key = keyring::read_key(&m.dir.join("keys/node.key")).into_diagnostic()?;
    let mut rollup = forged.rollup.clone();
    let tree: Tree = forged.entries.iter().map(|e| tree::leaf_hash(e)).collect();
    let root = tree.root();
    rollup.log.size = tree.len();
    rollup.log.root = hex::encode(&root);
    let mut note: Option<Note> = None;
    for name in &forged.signers {
        let path = if *name == "node" {
            m.dir.join("keys/node.key")
        } else {
            m.key(name)
        };
        let key = keyring::read_key(&path).into_diagnostic()?;
        note = Some(match note {
            None => Note::sign(&rollup.to_text().into_diagnostic()?, &[&key]).into_diagnostic()?,
            Some(n) => n.add_signature(&key).into_diagnostic()?,
        });
    }
    let note = note.ok_or_else(|| miette!("nobody signs"))?;
    let checkpoint = Checkpoint::new(&origin_of(&m.id), rollup.log.size, root)
        .into_diagnostic()?
        .sign(&node_key)
        .into_diagnostic()?;
    let path = f
        .world
        .nats_units
        .iter()
        .find(|u| u.path.last().map(String::as_str) == Some(m.id.as_str()))
        .ok_or_else(|| miette!("no path"))?;
    let path = UnitPath::new(path.path.iter().cloned()).into_diagnostic()?;
    let mut messages = Vec::new();
    for (n, chunk) in forged.entries.chunks(256).enumerate() {
        let slices: Vec<&[u8]> = chunk.iter().map(Vec::as_slice).collect();
        let first = n as u64 * 256;
        messages.push((
            UpKind::Entries(first),
            Delivery::write(first, &slices, &checkpoint, &tree).into_diagnostic()?,
        ));
    }
    messages.push((UpKind::Checkpoint, checkpoint.as_bytes().to_vec()));
    messages.push((UpKind::Rollup, note.as_bytes().to_vec()));
    let seed = std::fs::read_to_string(m.dir.join("nats.seed")).into_diagnostic()?;
    let url = format!("nats://127.0.0.1:{}", f.world.nats_port);
    let inbox = node::link::access::inbox_prefix(m.id.as_str());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .into_diagnostic()?;
    runtime.block_on(async {
        let client = async_nats::ConnectOptions::with_nkey(seed.trim().to_string())
            .custom_inbox_prefix(inbox)
            .connect(url)
            .await
            .into_diagnostic()?;
        let stream = async_nats::jetstream::new(client);
        for (kind, body) in messages {
            let mut headers = async_nats::HeaderMap::new();
            headers.insert(
                "Nats-Msg-Id",
                format!("forged:{}:{kind:?}", Digest::of(&body)).as_str(),
            );
            let subject = Subject::up(path.clone(), kind).to_string();
            stream
                .publish_with_headers(subject, headers, body.into())
                .await
                .into_diagnostic()?
                .await
                .into_diagnostic()?;
        }
        Ok(())
    })
}

/// Waits for the parent's checks and says which of them named it.
fn caught(f: &Federation, m: &Member, month: Month, what: &str, check: Check) -> Result<bool> {
    let parent = m.parent.as_ref().ok_or_else(|| miette!("no parent"))?;
    let reviewer = f.client(parent.as_str(), "tongji")?;
    let mut verdicts = Vec::new();
    wait(&format!("the checks of {} at {parent}", m.id), || {
        let list = reviewer.children().map_err(|e| e.to_string())?;
        verdicts = list
            .into_iter()
            .find(|c| c.unit == m.id && c.period == month)
            .map(|c| c.verdicts)
            .unwrap_or_default();
        Ok(!verdicts.is_empty())
    })?;
    let failed: Vec<_> = verdicts.iter().filter(|v| v.failed()).collect();
    let named = failed.iter().find(|v| v.check == check);
    println!("\n  {} {}: {what}", m.id, m.name);
    match named {
        Some(v) => println!("    caught by {}: {}", v.check, v.detail),
        None => println!("    NOT caught by {check}; failed: {failed:?}"),
    }
    Ok(named.is_some())
}

fn add_ten(f: &mut Forgery, _: &[Vec<u8>], _: &Member) -> Result<()> {
    let figure = f
        .rollup
        .figures
        .iter_mut()
        .find(|x| x.id == "I012")
        .ok_or_else(|| miette!("no I012"))?;
    figure.own.value = figure.own.value.map(|v| v + 10);
    for table in &mut figure.own.cells {
        if let Some(cell) = table.first_mut() {
            *cell += 10;
        }
    }
    Ok(())
}

fn move_cell(f: &mut Forgery, _: &[Vec<u8>], _: &Member) -> Result<()> {
    let figure = f
        .rollup
        .figures
        .iter_mut()
        .find(|x| x.id == "I013")
        .ok_or_else(|| miette!("no I013"))?;
    let table = figure
        .own
        .cells
        .first_mut()
        .ok_or_else(|| miette!("no table"))?;
    table[0] -= 1;
    table[1] += 1;
    Ok(())
}

fn change_places(f: &mut Forgery, _: &[Vec<u8>], _: &Member) -> Result<()> {
    // A report that lacks a signature would be refused at the door, as whoever carries it may have
    // taken the line away.
    let s = &mut f.rollup.signatories;
    std::mem::swap(&mut s.preparer, &mut s.head);
    Ok(())
}

/// Signs a statement anew after a change.
fn resign(m: &Member, entry: &[u8], change: impl Fn(&mut Statement)) -> Result<Vec<u8>> {
    let note = Note::parse(entry).into_diagnostic()?;
    let mut statement = Statement::parse(note.text()).into_diagnostic()?;
    change(&mut statement);
    let key = keyring::read_key(&m.key("luru")).into_diagnostic()?;
    Ok(Note::sign(&statement.to_text().into_diagnostic()?, &[&key])
        .into_diagnostic()?
        .as_bytes()
        .to_vec())
}

fn rewrite(f: &mut Forgery, _: &[Vec<u8>], m: &Member) -> Result<()> {
    let changed = resign(m, &f.entries[20], |s| {
        s.recorded = "2023-02-01T00:00:00Z".into()
    })?;
    f.entries[20] = changed;
    Ok(())
}

fn backdate(f: &mut Forgery, _: &[Vec<u8>], m: &Member) -> Result<()> {
    let again = resign(m, &f.entries[20], |s| {
        s.id = EventId::from_parts(1_700_000_000_000, [7; 10]);
        s.period = Month::new(YEAR, 1).unwrap_or(s.period);
    })?;
    f.entries.push(again);
    Ok(())
}

fn borrow(f: &mut Forgery, other: &[Vec<u8>], m: &Member) -> Result<()> {
    // A true statement of another county, signed anew under the own name: only the commitment is
    // borrowed. As it stands it would be refused at the door; signed anew by somebody who is not
    // enrolled it must be caught by its signature.
    let note = Note::parse(&other[20]).into_diagnostic()?;
    let mut statement = Statement::parse(note.text()).into_diagnostic()?;
    statement.unit = m.id.clone();
    let key = keyring::read_key(&m.key("tongji")).into_diagnostic()?;
    f.entries.push(
        Note::sign(&statement.to_text().into_diagnostic()?, &[&key])
            .into_diagnostic()?
            .as_bytes()
            .to_vec(),
    );
    Ok(())
}

fn hide(f: &mut Forgery, _: &[Vec<u8>], _: &Member) -> Result<()> {
    let (_, sums) = f
        .rollup
        .opening
        .sums
        .iter_mut()
        .find(|(_, s)| s.iter().any(|x| *x > 0))
        .ok_or_else(|| miette!("no sums"))?;
    if let Some(x) = sums.iter_mut().find(|x| **x > 0) {
        *x -= 1;
    }
    Ok(())
}

fn skip(f: &mut Forgery, _: &[Vec<u8>], _: &Member) -> Result<()> {
    f.rollup.previous = None;
    Ok(())
}

/// A county reports honestly, and then sends a second version of the same revision: both are kept,
/// the county is flagged at the city and at the province.
fn two_versions(f: &Federation, month: Month) -> Result<bool> {
    let m = f.world.member("140322")?;
    let city = f.world.member("140300")?;
    let province = f.world.province()?;
    year::report(f, m, month, &CloseRequest::default())?;
    year::decide(city, m, month, 1, Decision::Accepted, &[])?;
    let client = Client::new(&m.url(), m.token("tianbiao"));
    let note = Note::parse(&client.rollup(month).into_diagnostic()?).into_diagnostic()?;
    let mut forged = Forgery {
        entries: entries(f, m)?,
        rollup: Rollup::parse(note.text()).into_diagnostic()?,
        signers: vec!["node", "tianbiao", "tongji", "fuzeren"],
    };
    add_ten(&mut forged, &[], m)?;
    send(f, m, &forged)?;
    println!(
        "\n  {} {}: two versions of one report, for two parents",
        m.id, m.name
    );
    for tier in [city, province] {
        let reviewer = Client::new(&tier.url(), tier.token("tongji"));
        let mut flag = None;
        wait(&format!("the flag of {} at {}", m.id, tier.id), || {
            let list = reviewer.children().map_err(|e| e.to_string())?;
            flag = list
                .into_iter()
                .find(|c| c.unit == m.id)
                .and_then(|c| c.flagged);
            Ok(flag.is_some())
        })?;
        println!(
            "    caught at {} {} (history): {}",
            tier.id,
            tier.name,
            flag.unwrap_or_default()
        );
    }
    // The county's own people are told too: here somebody else used its keys.
    let mut told = None;
    wait(&format!("the notice of it at {}", m.id), || {
        told = client
            .status()
            .map_err(|e| e.to_string())?
            .contradictions
            .into_iter()
            .next();
        Ok(told.is_some())
    })?;
    println!(
        "    told to {} {}: {}",
        m.id,
        m.name,
        told.unwrap_or_default()
    );
    Ok(true)
}

/// A city publishes a sum that is not own + Σ children.
fn wrong_sum(f: &Federation, month: Month) -> Result<bool> {
    let city = f.world.member("140300")?;
    f.world.set_clock("2023-03-08T04:00:00Z")?;
    let client = Client::new(&city.url(), city.token("tianbiao"));
    let mut request = CloseRequest::default();
    // One of them was accepted before its second version came: it is of no use any more.
    for child in f.world.children(&city.id) {
        request.missing.insert(
            child.id.to_string(),
            "校验未通过 / rejected by a check".into(),
        );
    }
    year::close(city, month, &request)?;
    f.sign_all(city, month)?;
    let note = Note::parse(&client.rollup(month).into_diagnostic()?).into_diagnostic()?;
    let mut rollup = Rollup::parse(note.text()).into_diagnostic()?;
    let figure = rollup
        .figures
        .iter_mut()
        .find(|x| x.id == "I001")
        .ok_or_else(|| miette!("no I001"))?;
    let sum = figure.sum.as_mut().ok_or_else(|| miette!("no sum"))?;
    sum.value = sum.value.map(|v| v + 100);
    for table in &mut sum.cells {
        table[0] += 100;
    }
    let forged = Forgery {
        entries: entries(f, city)?,
        rollup,
        signers: vec!["node", "tianbiao", "tongji", "fuzeren"],
    };
    send(f, city, &forged)?;
    caught(
        f,
        city,
        month,
        "adds 100 to its sum of 持证残疾人 (I001)",
        Check::Arithmetic,
    )
}
