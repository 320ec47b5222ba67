//! The courier over a network that loses, repeats, delays and refuses one message in five:
//! everything arrives, once.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use kit::network::{InjectedRates, MisbehavingNetwork};
use kit::on_disk::*;
use kit::{known, place};
use node::books::Books;
use node::config::Accept;
use node::courier::follow::{self, Placed};
use node::desk::close::{self, CloseRequest};
use node::desk::{preview, record, sign};
use node::exchange;
use node::link::{Outgoing, Subject, Transport as _, UnitPath, UpKind};
use node::review::{self, Ruling};
use node::service::Service;
use protocol::note::{Alg, Note};
use protocol::receipt::Decision;
use tokio::task::JoinHandle;

struct Net {
    hub: MisbehavingNetwork,
    running: Vec<(Arc<Service>, JoinHandle<()>)>,
}

impl Net {
    async fn start(&mut self, w: &mut World, id: &str, accept: Accept) -> Arc<Service> {
        w.desk(id).shut();
        // The last run may still be letting go of its lock on the blocking pool.
        let service = loop {
            match Service::open(w.config(id, accept)) {
                Err(e) if e.0[0].code == "journal.locked" => {
                    tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5)))
                        .await
                        .unwrap()
                }
                other => break other.unwrap(),
            }
        };
        let hub = self.hub.clone();
        let join = move |placed: Placed| {
            let link = hub.join(placed.places, placed.has_children);
            async { Ok(Arc::new(link)) }
        };
        let placed = Placed::of(&service).await.unwrap();
        let link = join(placed.clone()).await.unwrap();
        let task = tokio::spawn(follow::run(service.clone(), (placed, link), join));
        self.running.push((service.clone(), task));
        service
    }
    async fn stop(&mut self) {
        for (service, task) in self.running.drain(..) {
            task.abort();
            let _ = task.await;
            // Work that had begun on the blocking pool still ends.
            let weak = Arc::downgrade(&service);
            drop(service);
            for _ in 0..200 {
                if weak.strong_count() == 0 {
                    break;
                }
                tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5)))
                    .await
                    .unwrap();
            }
            assert_eq!(weak.strong_count(), 0, "something still holds the service");
        }
    }
}

/// Closes (with the explanation that so many trainings need), signs and submits a month through the
/// service.
async fn finish(w: &World, service: &Arc<Service>, period: &'static str) {
    w.set_clock(after(period));
    let signatories = service.signatories();
    let people: Vec<_> = ["tianbiao", "tongji", "fuzeren"]
        .iter()
        .map(|p| key(&format!("{A}/{p}"), Alg::Ed25519))
        .collect();
    service
        .with(move |books, now| {
            let asked = CloseRequest::default();
            let seen = preview::preview(books, month(period), &asked, &signatories, now)?;
            let rules = seen.rules.into_iter();
            let request = CloseRequest {
                explanations: rules
                    .map(|rule| (rule.id, "many fairs".to_string()))
                    .collect(),
                ..asked
            };
            close::close(books, month(period), &request, signatories, now)?;
            let text = sign::latest(books, month(period))?
                .held()
                .note
                .text()
                .to_string();
            for person in &people {
                let note = Note::sign(&text, &[person]).unwrap();
                sign::add_signatures(books, month(period), note.as_bytes())?;
            }
            sign::submit(books, month(period), now)
        })
        .await
        .unwrap();
    service.wake_outbox();
}

/// Waits in simulated time; a night is long enough for everything.
async fn until(
    service: &Arc<Service>,
    what: &str,
    done: impl Fn(&Books) -> bool + Send + Clone + 'static,
) {
    for _ in 0..4000 {
        let done = done.clone();
        if service.with(move |books, _| Ok(done(books))).await.unwrap() {
            return;
        }
        // Real work takes real time, which the simulated clock does not know of.
        tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5)))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    panic!("never: {what}");
}

fn accepted(period: &'static str) -> impl Fn(&Books) -> bool + Send + Clone + 'static {
    move |books| {
        sign::latest(books, month(period)).is_ok_and(|o| o.decision() == Some(Decision::Accepted))
    }
}

/// More trainings than one bundle of 256 takes, so that the borders matter.
async fn record_trainings(county: &Arc<Service>, period: &'static str) {
    let rows: String = (0..150)
        .map(|i| format!("{},{period}-{:02}\n", i + 1, 1 + i % 20))
        .collect();
    record_file(county, format!("attended,occurred_on\n{rows}")).await;
}

/// Records a file of trainings.
async fn record_file(county: &Arc<Service>, text: String) {
    let record = move |books: &mut Books, now| {
        let counting = books.counting().unwrap().clone();
        let parsed = exchange::parse(
            text.as_bytes(),
            exchange::Form::Csv,
            Some("E06"),
            &counting.catalogue,
        )?;
        let imported = record::record(
            books,
            &format!("{A}/luru"),
            &parsed.drafts,
            parsed.faults,
            false,
            now,
        )?;
        assert!(imported.faults.is_empty(), "{:?}", imported.faults);
        Ok(())
    };
    county.with(record).await.unwrap();
}

/// Each month was accepted exactly once, by the county's and by the city's books.
async fn accepted_exactly_once(county: &Arc<Service>, city: &Arc<Service>) {
    county
        .with(|books, _| {
            for own in books.rollups().values() {
                let decisions = own.receipts().iter().map(|(r, _)| r.decision);
                let accepted = decisions.filter(|d| *d == Decision::Accepted);
                assert_eq!(accepted.count(), 1);
                assert_eq!(own.receipts().len(), 1);
            }
            assert_eq!(books.rollups().len(), 3);
            Ok(())
        })
        .await
        .unwrap();
    city.with(|books, _| {
        let child = &books.children()[&unit(A)];
        assert_eq!(child.known().len(), 3);
        assert!(
            child.given().values().all(|g| g.len() == 1),
            "one receipt each, however often it was asked for"
        );
        assert!(books.contradictions().is_empty() && child.flagged().is_none());
        Ok(())
    })
    .await
    .unwrap();
}

/// A reopening that is lost on its way is repeated until it is known, and the revision is accepted.
async fn reopened_until_known(w: &World, county: &Arc<Service>, city: &Arc<Service>) {
    w.set_clock(at("2026-04-10"));
    let note = city
        .with(|books, now| {
            review::decide(
                books,
                &unit(A),
                month(MAR),
                Ruling::new(Decision::Reopened, "1403/tongji").because("look again"),
                now,
            )
        })
        .await
        .unwrap();
    // The process dies before it is sent: it was never queued.
    drop(note);
    until(county, "the reopening", |books| {
        sign::latest(books, month(MAR)).unwrap().decision() == Some(Decision::Reopened)
    })
    .await;
    record_file(county, "attended,occurred_on\n999,2026-03-30\n".into()).await;
    finish(w, county, MAR).await;
    until(county, "the revision", accepted(MAR)).await;
    let revision = county
        .with(|books, _| Ok(sign::latest(books, month(MAR))?.held().rollup.revision))
        .await
        .unwrap();
    assert_eq!(revision, 2);
}

async fn three_months(seed: u64) {
    let mut w = World::empty();
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(seed, InjectedRates::harsh()),
        running: Vec::new(),
    };
    net.start(&mut w, PROVINCE, Accept::Auto).await;
    let mut city = net.start(&mut w, CITY, Accept::Auto).await;
    let mut county = net.start(&mut w, A, Accept::Person).await;
    for (n, period) in [JAN, FEB, MAR].into_iter().enumerate() {
        w.set_clock(at(&format!("{period}-20")));
        record_trainings(&county, period).await;
        finish(&w, &county, period).await;
        if n == 1 {
            // Everybody is restarted in the middle of it.
            drop((city, county));
            net.stop().await;
            net.start(&mut w, PROVINCE, Accept::Auto).await;
            city = net.start(&mut w, CITY, Accept::Auto).await;
            county = net.start(&mut w, A, Accept::Person).await;
        }
        if n != 0 {
            // January and February are on their way together.
            until(&county, period, accepted(period)).await;
        }
    }
    until(&county, "January", accepted(JAN)).await;
    accepted_exactly_once(&county, &city).await;
    reopened_until_known(&w, &county, &city).await;
    drop((city, county));
    net.stop().await;
}

#[tokio::test(start_paused = true)]
async fn three_months_end_accepted_exactly_once_over_a_harsh_network() {
    for seed in 1..=3 {
        three_months(seed).await;
    }
}

/// Waits in real time: the simulated clock runs on while the books work, and a slow machine would
/// look like a slow network.
async fn soon(
    service: &Arc<Service>,
    what: &str,
    done: impl Fn(&Books) -> bool + Send + Clone + 'static,
) {
    for _ in 0..12_000 {
        let done = done.clone();
        if service.with(move |books, _| Ok(done(books))).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn over_a_good_network_it_takes_no_repetition() {
    let mut w = World::empty();
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(1, InjectedRates::default()),
        running: Vec::new(),
    };
    let city = net.start(&mut w, CITY, Accept::Auto).await;
    let county = net.start(&mut w, A, Accept::Person).await;
    finish(&w, &county, JAN).await;
    soon(&county, "January", accepted(JAN)).await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    let sent = county.counters()["sent"];
    assert_eq!(sent, 3, "entries, checkpoint, rollup: once");
    assert_eq!(city.counters()["receipts"], 1);
    drop((city, county));
    net.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_report_that_waits_for_a_person_is_not_sent_without_end() {
    let mut w = World::empty();
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(1, InjectedRates::default()),
        running: Vec::new(),
    };
    let city = net.start(&mut w, CITY, Accept::Person).await;
    let county = net.start(&mut w, A, Accept::Person).await;
    finish(&w, &county, JAN).await;
    until(&city, "the report", |books| {
        books.children()[&unit(A)].latest(month(JAN)).is_some()
    })
    .await;
    // A day of simulated time: the store keeps every repetition, so there must be few.
    for _ in 0..8640 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        tokio::task::yield_now().await;
    }
    let sent = county.counters()["sent"];
    assert!(
        (6..=60).contains(&sent),
        "{sent} messages in a day, three at a time"
    );
    drop((city, county));
    net.stop().await;
}

#[tokio::test]
async fn a_receipt_that_died_with_its_process_is_sent_at_the_next_start() {
    let mut w = World::empty();
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(1, InjectedRates::default()),
        running: Vec::new(),
    };
    let city = net.start(&mut w, CITY, Accept::Person).await;
    let county = net.start(&mut w, A, Accept::Person).await;
    finish(&w, &county, JAN).await;
    soon(&city, "the checks", |books| {
        !books.children()[&unit(A)].verdicts().is_empty()
    })
    .await;
    // Decided and written down, but the process dies before it could be queued.
    let decided = city
        .with(|books, now| {
            review::decide(
                books,
                &unit(A),
                month(JAN),
                Ruling::new(Decision::Accepted, "1403/tongji"),
                now,
            )
        })
        .await
        .unwrap();
    drop((decided, city, county));
    net.stop().await;
    let city = net.start(&mut w, CITY, Accept::Person).await;
    // The county is not even there to ask for it.
    for _ in 0..12_000 {
        if city.counters().contains_key("receipts") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(city.counters().get("receipts"), Some(&1));
    let county = net.start(&mut w, A, Accept::Person).await;
    soon(&county, "January", accepted(JAN)).await;
    drop((city, county));
    net.stop().await;
}

/// A report that cannot be kept has no checks and no receipt. Whoever waits for it learns from the
/// status why it is not there.
#[tokio::test]
async fn what_is_refused_at_the_door_is_told() {
    let mut w = World::empty();
    w.set_clock(after(JAN));
    let mut net = Net {
        hub: MisbehavingNetwork::new(1, InjectedRates::default()),
        running: Vec::new(),
    };
    let city = net.start(&mut w, CITY, Accept::Person).await;
    assert!(city.refused().is_empty());
    let path = UnitPath::new([PROVINCE, CITY, A].map(String::from)).unwrap();
    let link = net.hub.join(path.clone(), false);
    for n in 0..2 {
        let body = format!("nonsense {n}").into_bytes();
        let letter = Outgoing {
            subject: Subject::up(path.clone(), UpKind::Rollup),
            msg_id: n.to_string(),
            body,
        };
        link.publish(&letter).await.unwrap();
    }
    for _ in 0..500 {
        if city.counters().get("refused") == Some(&2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = city.refused();
    assert_eq!(told.len(), 1, "the last one of each unit: {told:?}");
    assert!(
        told[0].starts_with(&format!("{A}, 2026-")) && told[0].contains("not a signed note"),
        "{told:?}"
    );
    drop(city);
    net.stop().await;
}

/// What a county sends that nobody can use: statements that claim to lie far ahead, and thousands
/// that come before what they follow, all rightly signed.
async fn flood(hub: &MisbehavingNetwork) {
    let path = UnitPath::new([PROVINCE, CITY, B].map(String::from)).unwrap();
    let link = hub.join(path.clone(), false);
    let log: Vec<Vec<u8>> = (0..3_000).map(|n| junk_statement(B, n, 10)).collect();
    for n in 1_000..3_000 {
        let Letter::Entries(first, body) = forged_part(&key(B, Alg::Ed25519), B, &log, n..n + 1)
        else {
            panic!("entries")
        };
        for first in [first, first << 40] {
            let letter = Outgoing {
                subject: Subject::up(path.clone(), UpKind::Entries(first)),
                msg_id: first.to_string(),
                body: body.clone(),
            };
            link.publish(&letter).await.unwrap();
        }
    }
}

/// One county sends what nobody can use. Its neighbour's months are accepted beside it, and what is
/// kept of the flood, here and at the transport, has its bounds.
#[tokio::test]
async fn a_county_that_floods_delays_nobody_else() {
    let mut w = World::empty();
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(1, InjectedRates::default()),
        running: Vec::new(),
    };
    let province = net.start(&mut w, PROVINCE, Accept::Auto).await;
    let city = net.start(&mut w, CITY, Accept::Auto).await;
    let county = net.start(&mut w, A, Accept::Person).await;
    let size = |books: &mut Books, _| Ok(books.size().0);
    let before = [
        city.with(size).await.unwrap(),
        province.with(size).await.unwrap(),
    ];
    flood(&net.hub).await;
    finish(&w, &county, JAN).await;
    soon(&county, "January", accepted(JAN)).await;
    flood(&net.hub).await;
    w.set_clock(at("2026-02-20"));
    record_trainings(&county, FEB).await;
    finish(&w, &county, FEB).await;
    soon(&county, "February", accepted(FEB)).await;
    soon(&province, "both months at the province", |books| {
        let child = &books.children()[&unit(A)];
        child.known().values().all(|h| {
            let verdicts = child.verdicts().get(&h.digest());
            verdicts.is_some_and(|v| v.iter().all(|v| !v.failed()))
        }) && child.known().len() == 2
    })
    .await;
    for (above, before) in [&city, &province].into_iter().zip(before) {
        // Half of them are wrong; of the rest 512 wait, and the second time a copy of these came.
        let enough = 8_000 - 2 * 512;
        for _ in 0..6_000 {
            if above.counters()["refused"] >= enough {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(above.counters()["refused"], enough);
        let after = above.with(size).await.unwrap();
        assert!(after - before < 1 << 20, "{before} {after}");
        assert!(above.refused()[0].starts_with(B));
    }
    drop((county, city, province));
    net.stop().await;
}

/// Each month goes to the parent of the month, which gets what the others had of the log before.
async fn moving(seed: u64, parents: [&'static str; 3]) {
    let months = [JAN, FEB, MAR];
    let mut w = World::empty();
    w.publish_registry(JAN, |r| {
        for (period, parent) in months.into_iter().zip(parents) {
            kit::place(r, A, period, parent);
        }
    });
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(seed, InjectedRates::harsh()),
        running: Vec::new(),
    };
    let province = net.start(&mut w, PROVINCE, Accept::Auto).await;
    let city = net.start(&mut w, CITY, Accept::Auto).await;
    let county = net.start(&mut w, A, Accept::Person).await;
    for period in months {
        w.set_clock(at(&format!("{period}-20")));
        record_trainings(&county, period).await;
        finish(&w, &county, period).await;
        until(&county, period, accepted(period)).await;
    }
    let by = |books: &mut Books, _| {
        let own = books.rollups().values();
        let answers = own.map(|o| o.receipts().iter().map(|(r, _)| r.parent.to_string()));
        Ok(answers.map(Iterator::collect::<Vec<_>>).collect::<Vec<_>>())
    };
    let answered = county.with(by).await.unwrap();
    assert_eq!(answered, parents.map(|p| vec![p.to_string()]));
    drop((city, county, province));
    net.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_moved_unit_is_answered_by_the_parent_of_each_month() {
    for seed in 1..=2 {
        moving(seed, [PROVINCE, CITY, PROVINCE]).await;
        moving(seed, [CITY, PROVINCE, CITY]).await;
    }
}

/// A registry comes while everybody runs, and is late: the county has reported February to the city
/// already, and by the registry it is the province's from February on. Nobody is started again, and
/// nothing is lost: the province gets February, too, and all that lies before it.
async fn moving_while_it_runs(seed: u64) {
    let mut w = World::empty();
    let moved = w.next_registry(FEB, |r| kit::place(r, A, FEB, PROVINCE));
    w.set_clock(at("2026-01-20"));
    let mut net = Net {
        hub: MisbehavingNetwork::new(seed, InjectedRates::harsh()),
        running: Vec::new(),
    };
    let province = net.start(&mut w, PROVINCE, Accept::Auto).await;
    let city = net.start(&mut w, CITY, Accept::Auto).await;
    let county = net.start(&mut w, A, Accept::Person).await;
    for period in [JAN, FEB] {
        w.set_clock(at(&format!("{period}-20")));
        record_trainings(&county, period).await;
        finish(&w, &county, period).await;
        until(&county, period, accepted(period)).await;
    }
    let note = moved.as_bytes().to_vec();
    province
        .with(move |books, _| Ok(books.install(&[note]).map(drop)?))
        .await
        .unwrap();
    province.wake_outbox();
    let by_province = |books: &Books| {
        let own = &books.rollups()[&(month(FEB), 1)];
        own.is_answered_by(&unit(PROVINCE))
    };
    until(&county, "February by the province", by_province).await;
    w.set_clock(at("2026-03-20"));
    record_trainings(&county, MAR).await;
    finish(&w, &county, MAR).await;
    until(&county, MAR, accepted(MAR)).await;
    let (january, waiting) = county
        .with(|books, _| {
            let january = books.rollups()[&(month(JAN), 1)].receipts().to_vec();
            Ok((january, books.outbox().count()))
        })
        .await
        .unwrap();
    assert!(january.iter().all(|(r, _)| r.parent == unit(CITY)));
    assert_eq!(waiting, 0);
    drop((city, county, province));
    net.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_followed_while_the_nodes_run() {
    for seed in 1..=2 {
        moving_while_it_runs(seed).await;
    }
}

/// The city ended with January, and the registry says so only in March: what it still has to say of
/// February can go nowhere, and holds back nothing that it says of January.
#[tokio::test(start_paused = true)]
async fn a_receipt_without_a_way_holds_back_no_other() {
    let mut w = World::empty();
    w.desk(A)
        .register(&[id_no(1)], "2026-01-03", at("2026-01-20"));
    for id in [A, B, CITY] {
        w.report(id, JAN, after(JAN));
    }
    for id in [A, B] {
        w.report(id, FEB, after(FEB));
    }
    w.publish_registry(FEB, |registry| {
        place(registry, A, FEB, PROVINCE);
        place(registry, B, FEB, PROVINCE);
        known(registry, CITY).end(Some(month(JAN)), vec![unit(PROVINCE)]);
    });
    w.set_clock(after(FEB));
    let mut net = Net {
        hub: MisbehavingNetwork::new(1, InjectedRates::default()),
        running: Vec::new(),
    };
    let county = net.start(&mut w, A, Accept::Person).await;
    let city = net.start(&mut w, CITY, Accept::Person).await;
    let reopened = city
        .with(|books, now| {
            let by = format!("{CITY}/tongji");
            let ruling = Ruling::new(Decision::Reopened, &by).because("look again");
            review::decide(books, &unit(A), month(JAN), ruling, now)
        })
        .await
        .unwrap();
    city.queue(reopened);
    until(&county, "January is opened again", |books| {
        let latest = sign::latest(books, month(JAN)).unwrap();
        latest.decision() == Some(Decision::Reopened)
    })
    .await;
    drop((county, city));
    net.stop().await;
}
