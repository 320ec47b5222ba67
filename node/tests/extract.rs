//! Evidence that is taken out while the node works on: what stood when it was asked for, whoever
//! records meanwhile; a reader who does not read keeps nobody waiting; a file that breaks off never
//! looks whole.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::service::Service as _;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use kit::on_disk::*;
use node::config::Accept;
use node::desk::evidence::{self, LocalEvidence, Snapshot};
use node::service::Service;
use node::web::MAX_EVIDENCE_FILES;
use node::web::{self, App, tokens::Tokens};
use protocol::evidence::{EvidenceSource, file, report};

/// A county with a January of several bundles, more than waits for a reader.
fn large() -> World {
    let mut w = World::empty();
    let a = w.desk(A);
    let ids: Vec<String> = (0..700).map(id_no).collect();
    a.register(&ids, "2026-01-03", at("2026-01-20"));
    let hired: String = ids
        .iter()
        .map(|id| format!("{id},甲厂,300000,2026-01-05\n"))
        .collect();
    a.csv(
        "E02",
        &format!("id_no,employer,wage_fen,occurred_on\n{hired}"),
        at("2026-01-20"),
    );
    a.finish(JAN, after(JAN));
    w
}

/// A node without a network between it and its readers.
struct Node {
    service: Arc<Service>,
    router: TowerToHyperService<axum::Router>,
    runtime: tokio::runtime::Runtime,
}

impl Node {
    fn start(w: &mut World) -> Node {
        w.set_clock(after(JAN));
        let service = w.service(A, Accept::Person);
        let tokens = Tokens::load(&service.config.tokens).unwrap();
        let (router, _) = web::router(App::new(service.clone(), tokens));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        Node {
            service,
            router: TowerToHyperService::new(router),
            runtime,
        }
    }
    fn ask(&self, path: &str) -> Response<Body> {
        self.ask_as("jiancha", path)
    }
    fn ask_as(&self, person: &str, path: &str) -> Response<Body> {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", token(A, person)))
            .body(Body::empty())
            .unwrap();
        self.runtime.block_on(self.router.call(request)).unwrap()
    }
    fn read(&self, answer: Response<Body>) -> Result<Vec<u8>, axum::Error> {
        self.runtime
            .block_on(axum::body::to_bytes(answer.into_body(), 64 << 20))
            .map(|b| b.to_vec())
    }
}

#[test]
fn what_stood_is_given_whoever_records_meanwhile() {
    let mut w = large();
    let whole = {
        let mut evidence = evidence::evidence(w.desks[A].read()).unwrap();
        // Made for this reader alone; signed anew for each.
        assert_eq!(evidence.arrivals.take(), None, "a county receives nothing");
        file::write(&evidence).unwrap()
    };
    assert!(whole.len() > 600 << 10, "{}", whole.len());
    let node = Node::start(&mut w);
    let asked = node.ask("/api/evidence");
    assert_eq!(asked.status(), 200);
    // Nothing of it is read yet. A clerk imports, an officer looks.
    let now = at("2026-02-10");
    w.set_clock(now);
    let recorded = node.runtime.block_on(node.service.with(|books, now| {
        let counting = books.counting().unwrap().clone();
        let text = b"attended,occurred_on\n5,2026-02-03\n";
        let parsed = node::exchange::parse(
            text,
            node::exchange::Form::Csv,
            Some("E06"),
            &counting.catalogue,
        )
        .unwrap();
        node::desk::record::record(
            books,
            &format!("{A}/luru"),
            &parsed.drafts,
            parsed.faults,
            false,
            now,
        )
    }));
    assert!(recorded.unwrap().accepted);
    assert_eq!(node.ask("/api/status").status(), 200);
    assert!(node.read(asked).unwrap() == whole, "as it stood");
    assert!(
        node.read(node.ask("/api/evidence")).unwrap() == whole,
        "what is not closed yet is in no evidence"
    );
    let read = file::read(&whole).unwrap();
    assert!(report::verify(&read, &w.root.vkey()).unwrap().holds());
}

#[test]
fn a_reader_who_does_not_read_has_one_place_and_no_more() {
    let mut w = large();
    let node = Node::start(&mut w);
    let idle = node.ask("/api/evidence");
    assert_eq!(idle.status(), 200);
    // Everybody else has a place, too.
    let others = TOKENS.map(|(person, _)| person);
    for person in others.iter().filter(|person| **person != "jiancha") {
        let answer = node.ask_as(person, "/api/evidence");
        assert_eq!(answer.status(), 200);
        node.read(answer).unwrap();
    }
    let refused = node.ask("/api/evidence");
    assert_eq!(
        (
            refused.status(),
            refused.headers()["retry-after"].as_bytes()
        ),
        (503.try_into().unwrap(), &b"5"[..])
    );
    let said = String::from_utf8(node.read(refused).unwrap()).unwrap();
    assert!(
        said.contains("limit.evidence") && said.contains("请稍后再试"),
        "{said}"
    );
    assert_eq!(node.ask("/api/status").status(), 200, "others are answered");
    // Its place is free when it has gone.
    drop(idle);
    let free = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        node.ask("/api/evidence").status() == 200
    });
    assert!(free);
}

/// Changes a byte in the last statements of the journal.
fn damage(journal: &std::path::Path) {
    let mut segments: Vec<_> = std::fs::read_dir(journal)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    segments.sort_by_key(|p| std::cmp::Reverse(p.metadata().unwrap().len()));
    let mut bytes = std::fs::read(&segments[0]).unwrap();
    let at = bytes.len() / 2;
    let run = bytes[at..]
        .windows(13)
        .position(|w| w == b"\"period\":\"202")
        .expect("a statement");
    bytes[at + run] ^= 1;
    std::fs::write(&segments[0], bytes).unwrap();
}

#[test]
fn a_file_that_breaks_off_does_not_look_whole() {
    let mut w = large();
    let node = Node::start(&mut w);
    damage(&w.dir.0.join(A).join("data/journal"));
    let answer = node.ask("/api/evidence");
    assert_eq!(answer.status(), 200, "the damage shows later");
    let broken = node.read(answer).unwrap_err();
    assert!(
        format!("{broken:?}").contains("could not be read"),
        "{broken:?}"
    );
    assert!(!format!("{broken:?}").contains("/"), "no path: {broken:?}");
    // The place is free again.
    assert!((0..MAX_EVIDENCE_FILES + 1).all(|_| node.read(node.ask("/api/evidence")).is_err()));
}

#[test]
fn every_tier_gives_what_it_knows_bundle_by_bundle() {
    let w = two_months();
    for (id, units) in [(A, 1), (CITY, 3), (PROVINCE, 4)] {
        let books = w.desks[id].read();
        let here = LocalEvidence::new(books).unwrap();
        let report = report::verify_on(3, &here, &w.root.vkey()).unwrap();
        assert!(
            report.holds() && report.units.len() == units,
            "{:?}",
            report.failures().next()
        );
        let whole = evidence::evidence(books).unwrap();
        assert_eq!(
            whole
                .units
                .values()
                .map(|u| u.entries.len() as u64)
                .sum::<u64>(),
            report.leaves
        );
        let extract = Snapshot::of(books).unwrap();
        assert!(extract.notes().units.values().all(|u| u.entries.is_empty()));
        assert_eq!(extract.bundle(books, &unit("999999"), 0).unwrap(), None);
        assert_eq!(here.bundle(&unit(id), usize::MAX).unwrap(), None);
    }
}
