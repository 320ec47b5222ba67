//! The API: every route of the OpenAPI document and those beside it, with every role and without,
//! with every method and in odd spellings; nothing personal where no token is asked. The limits are
//! in `limits.rs`.
#![allow(missing_docs, clippy::unwrap_used)]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use node::config::Accept;
use node::service::Service;
use node::web::serve::Listener;
use node::web::{self, App, tokens::Tokens};
use protocol::note::Alg;
use support::*;

/// A node's API on a port of its own; it ends with the value.
struct Server {
    url: String,
    at: SocketAddr,
    /// Every path that the router knows.
    paths: BTreeSet<String>,
    agent: ureq::Agent,
    openapi: serde_json::Value,
    _runtime: tokio::runtime::Runtime,
    _world: World,
}

impl Server {
    fn start(mut w: World, id: &str) -> Server {
        w.set_clock(after(JAN));
        w.desk(id).shut();
        let mut config = w.config(id, Accept::Person);
        // These tests ask for much in a short time, most of it with wrong tokens.
        config.limits.failures_per_minute = 1_000_000;
        (config.limits.requests_per_second, config.limits.burst) = (100_000, 1_000_000);
        let service = Service::open(config).unwrap();
        let tokens = Tokens::load(&service.config.tokens).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let door = runtime.block_on(Listener::open(&service.config)).unwrap();
        let at = door.address().unwrap();
        let (router, api) = web::router(App::new(service, tokens));
        let paths = paths_of(&format!("{router:?}"));
        runtime.spawn(door.serve(router, std::future::pending()));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .build()
            .into();
        let url = format!("http://{at}");
        Server {
            url,
            at,
            paths,
            agent,
            openapi: serde_json::to_value(&api).unwrap(),
            _runtime: runtime,
            _world: w,
        }
    }

    /// The status of a request that is sent byte for byte as it stands.
    fn raw(&self, method: &str, target: &str, headers: &str) -> u16 {
        let mut stream = TcpStream::connect(self.at).unwrap();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer)
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0)
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        kind: &str,
        body: &[u8],
    ) -> (u16, String) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", kind);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .unwrap();
        (
            response.status().as_u16(),
            String::from_utf8_lossy(&bytes).into_owned(),
        )
    }
    fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        self.call("GET", path, token, "text/plain", b"")
    }
}

/// The paths in the debug print of axum's router, which has no other way to tell them.
fn paths_of(router: &str) -> BTreeSet<String> {
    // Its fallback, which answers 404, is printed as these two.
    let fallback = ["/", "/{*__private__axum_fallback}"];
    router
        .split('"')
        .filter(|p| p.starts_with('/') && !fallback.contains(p))
        .map(str::to_string)
        .collect()
}

const RECORD: &[&str] = &["luru", "tianbiao"];
const DESK: &[&str] = &["luru", "tianbiao", "tongji", "fuzeren"];
const REVIEW: &[&str] = &["tongji", "fuzeren"];
const INSPECT: &[&str] = &["fuzeren", "jiancha"];
const OPERATE: &[&str] = &["operator"];
const ALL: &[&str] = &[
    "luru", "tianbiao", "tongji", "fuzeren", "jiancha", "operator",
];

/// Method and path of the document.
type Route = (&'static str, &'static str);
/// Who may, the address, the kind of body, the body.
type Call = (
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
);

/// Who may call what, as the module documents it, with a request that reaches the handler and harms
/// nothing. A route that is not here makes the test fail.
fn allowed() -> BTreeMap<Route, Call> {
    let json = "application/json";
    let text = "text/plain";
    BTreeMap::from([
        (("get", "/api/status"), (ALL, "/api/status", text, "")),
        (("get", "/api/months"), (ALL, "/api/months", text, "")),
        (
            ("get", "/api/months/{month}/rollup"),
            (ALL, "/api/months/2030-01/rollup", text, ""),
        ),
        (
            ("get", "/api/events"),
            (ALL, "/api/events?month=2026-01", text, ""),
        ),
        (("get", "/api/evidence"), (ALL, "/api/evidence", text, "")),
        (("get", "/api/catalogue"), (ALL, "/api/catalogue", text, "")),
        (("get", "/api/review"), (ALL, "/api/review", text, "")),
        (
            ("get", "/api/contradictions"),
            (ALL, "/api/contradictions", text, ""),
        ),
        (
            ("post", "/api/disclosures"),
            (INSPECT, "/api/disclosures", json, r#"{"index":99999}"#),
        ),
        (
            ("post", "/api/events"),
            (
                RECORD,
                "/api/events?type=E06&dry_run=true",
                "text/csv",
                "attended,occurred_on\n1,2026-01-05\n",
            ),
        ),
        (
            ("post", "/api/events/{index}/void"),
            (RECORD, "/api/events/99999/void", json, r#"{"reason":"x"}"#),
        ),
        (
            ("post", "/api/events/{index}/correct"),
            (
                RECORD,
                "/api/events/99999/correct",
                json,
                r#"{"reason":"x","event":{}}"#,
            ),
        ),
        (
            ("post", "/api/months/{month}/close"),
            (DESK, "/api/months/2030-01/close", json, "{}"),
        ),
        (
            ("post", "/api/months/{month}/signatures"),
            (DESK, "/api/months/2030-01/signatures", text, "x"),
        ),
        (
            ("post", "/api/months/{month}/submit"),
            (DESK, "/api/months/2030-01/submit", text, ""),
        ),
        (
            ("post", "/api/operators"),
            (
                OPERATE,
                "/api/operators",
                json,
                r#"{"vkey":"x","roles":[]}"#,
            ),
        ),
        (
            ("post", "/api/operators/revoke"),
            (OPERATE, "/api/operators/revoke", json, r#"{"vkey":"x"}"#),
        ),
        (
            ("post", "/api/published"),
            (OPERATE, "/api/published", text, "x"),
        ),
        (
            ("post", "/api/review/{unit}/{month}"),
            (
                REVIEW,
                "/api/review/140321/2030-01",
                json,
                r#"{"decision":"accepted"}"#,
            ),
        ),
    ])
}

#[test]
fn every_route_and_every_role() {
    let server = Server::start(two_months(), CITY);
    let allowed = allowed();
    let mut routes = BTreeSet::new();
    for (path, methods) in server.openapi["paths"].as_object().unwrap() {
        for (method, operation) in methods
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, o)| o.is_object())
        {
            let key = allowed.keys().find(|(m, p)| m == method && p == path);
            let key = *key.unwrap_or_else(|| {
                panic!("{method} {path} is a new route: say in this test who may call it")
            });
            routes.insert(key);
            assert_eq!(
                operation["security"],
                serde_json::json!([{ "token": [] }]),
                "{method} {path} says that it needs a token"
            );
            let (who, url, kind, body) = allowed[&key];
            let call = |token: Option<&str>| {
                server.call(&method.to_uppercase(), url, token, kind, body.as_bytes())
            };
            let wrong = [
                None,
                Some("Bearer "),
                Some("Bearer nobody"),
                Some("Basic abc"),
                Some(&*token(CITY, "luru")),
                Some(&*format!("bearer {}", token(A, "luru"))),
            ]
            .map(|t| t.map(str::to_string));
            for token in wrong {
                let (status, answer) = call(token.as_deref());
                assert_eq!(status, 401, "{method} {path} with {token:?}: {answer}");
                assert!(answer.contains("token.unknown"), "{answer}");
            }
            // A token of another unit is worth nothing here.
            assert_eq!(call(Some(&format!("Bearer {}", token(A, "luru")))).0, 401);
            for person in ALL {
                let (status, answer) = call(Some(&format!("Bearer {}", token(CITY, person))));
                if who.contains(person) {
                    assert!(
                        !matches!(status, 401 | 403 | 405 | 500),
                        "{person} {method} {path}: {status} {answer}"
                    );
                } else {
                    assert_eq!(status, 403, "{person} {method} {path}: {answer}");
                    assert!(answer.contains("role.missing"), "{answer}");
                }
            }
        }
    }
    assert_eq!(
        routes.len(),
        allowed.len(),
        "a route is gone: {:?}",
        allowed
            .keys()
            .filter(|k| !routes.contains(*k))
            .collect::<Vec<_>>()
    );
    let (status, document) = server.get("/api/openapi.json", None);
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&document).unwrap(),
        server.openapi,
        "the served document is this one"
    );
}

/// What needs no token. Everything else does.
const OPEN: &[&str] = &["/api/openapi.json", "/health", "/metrics"];
const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "get",
];

#[test]
fn no_route_beside_the_documented_ones_and_none_without_a_token() {
    let server = Server::start(two_months(), CITY);
    // Every path of the router is in the document, or is one of the three that are open.
    let mut known: BTreeSet<String> = server.openapi["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    known.extend(OPEN.iter().map(|p| (*p).to_string()));
    assert!(known.len() > 15);
    assert_eq!(
        server.paths, known,
        "a route that the document does not have, or the other way round"
    );
    for path in ["/", "/api", "/api/", "/nothing", "*"] {
        let status = server.raw("GET", path, "");
        assert!([400, 404].contains(&status), "{path}: {status}");
    }

    let operator = format!("authorization: Bearer {}\r\n", token(CITY, "operator"));
    let allowed = allowed();
    for path in &server.paths {
        let target = allowed
            .iter()
            .find(|((_, p), _)| p == path)
            .map_or(path.as_str(), |(_, call)| call.1);
        let bare = target.split('?').next().unwrap();
        for method in METHODS {
            let documented = server.openapi["paths"][path][method.to_lowercase()].is_object()
                && *method != "get";
            let reads = *method == "HEAD" && server.openapi["paths"][path]["get"].is_object();
            let status = server.raw(method, target, "");
            if OPEN.contains(&path.as_str()) {
                let expected: &[u16] = if matches!(*method, "GET" | "HEAD") {
                    &[200]
                } else {
                    &[400, 405]
                };
                assert!(expected.contains(&status), "{method} {target}: {status}");
                continue;
            }
            let expected: &[u16] = if documented || reads {
                &[401]
            } else {
                &[400, 404, 405]
            };
            assert!(
                expected.contains(&status),
                "{method} {target} without a token: {status}"
            );
            // A wrong method stays wrong with a token, and is never taken for another one.
            if !documented && !reads {
                for more in [
                    "",
                    "x-http-method-override: GET\r\n",
                    "x-http-method-override: POST\r\nx-method-override: POST\r\n",
                ] {
                    let status = server.raw(method, target, &format!("{operator}{more}"));
                    assert!(
                        [400, 404, 405].contains(&status),
                        "{method} {target}: {status}"
                    );
                }
            }
        }
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        // Other spellings of the same path lead nowhere, or ask for a token as well.
        let upper = bare.to_uppercase();
        let encoded = bare.replacen("api", "%61pi", 1);
        let spellings = [
            format!("{bare}/"),
            format!("{bare}//"),
            format!("/{bare}"),
            format!("{bare}%2f"),
            format!("{bare}%00"),
            format!("{bare};/health"),
            format!("{bare}?/health"),
            format!("{bare}#/health"),
            format!("/health/..{bare}"),
            format!("/health/%2e%2e{bare}"),
            format!("/./{}", &bare[1..]),
            format!("http://x{bare}"),
            upper,
            encoded,
        ];
        for spelling in &spellings {
            for method in ["GET", "POST"] {
                let status = server.raw(method, spelling, "");
                assert!(
                    (400..500).contains(&status),
                    "{method} {spelling}: {status}"
                );
            }
        }
        // Where a token may not stand.
        let token = token(CITY, "fuzeren");
        let method = allowed
            .keys()
            .find(|(_, p)| p == path)
            .unwrap()
            .0
            .to_uppercase();
        for (target, headers) in [
            (
                format!(
                    "{bare}?token={}&access_token={}",
                    token.replace(' ', "%20"),
                    token.replace(' ', "%20")
                ),
                String::new(),
            ),
            (bare.to_string(), format!("cookie: token={token}\r\n")),
            (bare.to_string(), format!("x-api-key: {token}\r\n")),
            (bare.to_string(), format!("authorization: {token}\r\n")),
            (
                bare.to_string(),
                format!("authorization: Basic {token}\r\n"),
            ),
            (
                bare.to_string(),
                format!("proxy-authorization: Bearer {token}\r\n"),
            ),
            (
                bare.to_string(),
                format!("authorization: Bearer guess\r\nauthorization: Bearer {token}\r\n"),
            ),
            (
                bare.to_string(),
                "authorization: Bearer \u{0}\r\n".to_string(),
            ),
        ] {
            let status = server.raw(&method, &target, &headers);
            assert!(
                [400, 401].contains(&status),
                "{method} {target} {headers}: {status}"
            );
        }
    }
}

#[test]
fn tokens_are_kept_as_digests_only() {
    let server = Server::start(two_months(), A);
    let tokens: Vec<String> = ALL.iter().map(|p| token(A, p)).collect();
    for t in &tokens {
        assert_eq!(
            server.get("/api/status", Some(&format!("Bearer {t}"))).0,
            200,
            "they are good ones"
        );
    }
    let (mut files, mut seen) = (vec![server._world.dir.0.clone()], 0);
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        seen += 1;
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for t in &tokens {
            let hex: String = t.bytes().map(|b| format!("{b:02x}")).collect();
            assert!(
                !text.contains(t) && !text.contains(&hex),
                "{} holds a token",
                path.display()
            );
        }
    }
    assert!(seen > 20);
    // Nor does the node print them: what it keeps has no plain token to print.
    let loaded = Tokens::load(&server._world.dir.0.join(A).join("tokens")).unwrap();
    let debug = format!("{loaded:?}");
    assert!(
        !tokens.iter().any(|t| debug.contains(t.as_str())),
        "{debug}"
    );
}

#[test]
fn private_fields_are_for_the_units_own_people() {
    let server = Server::start(two_months(), A);
    for person in ALL {
        let bearer = format!("Bearer {}", token(A, person));
        let (status, answer) = server.get("/api/events?month=2026-01&private=true", Some(&bearer));
        let may = DESK.contains(person);
        assert_eq!(status, if may { 200 } else { 403 }, "{person}");
        assert_eq!(
            answer.contains("999999"),
            may,
            "{person}: the control is that those who may do see it"
        );
        let (status, answer) = server.get("/api/events?month=2026-01", Some(&bearer));
        assert_eq!(
            (status, answer.contains("999999")),
            (200, false),
            "{person}"
        );
    }
}

#[test]
fn nothing_personal_without_a_token_nor_in_a_refusal() {
    let mut w = two_months();
    let name = "欧阳测试";
    w.desk(A).csv(
        "E20",
        &format!(
            "cert_no,name,occurred_on\n{}43,{name},2026-03-01\n",
            id_no(1)
        ),
        at("2026-03-05"),
    );
    let server = Server::start(w, A);
    for path in ["/health", "/metrics", "/api/openapi.json"] {
        let (status, answer) = server.get(path, None);
        assert_eq!(status, 200, "{path}");
        assert!(
            !answer.contains("999999") && !answer.contains(name) && !answer.contains("luru"),
            "{path}: {answer}"
        );
    }
    let (_, metrics) = server.get("/metrics", None);
    assert!(
        metrics.contains("countersign_log_leaves ")
            && metrics.contains("countersign_months_closed 2"),
        "{metrics}"
    );
    let bearer = format!("Bearer {}", token(A, "luru"));
    for (path, expected) in [
        ("/api/nothing", 404),
        ("/api/months/nonsense/rollup", 422),
        ("/api/events", 400),
        ("/api/events?month=x", 422),
        ("/api/months/2030-01/rollup", 404),
    ] {
        assert_eq!(server.get(path, Some(&bearer)).0, expected, "{path}");
    }
    assert_eq!(
        server
            .call("DELETE", "/api/events", Some(&bearer), "text/csv", b"")
            .0,
        405
    );
    // A file's faults come back as they are, and say nothing of the person; nothing was recorded.
    let text = format!(
        "cert_no,name,occurred_on\n{}4,{name},2026-02-30\n",
        id_no(1)
    );
    let (status, answer) = server.call(
        "POST",
        "/api/events?type=E20",
        Some(&bearer),
        "text/csv",
        text.as_bytes(),
    );
    assert_eq!(status, 422);
    assert!(
        answer.contains("id.length") && answer.contains("date.impossible"),
        "{answer}"
    );
    assert!(
        !answer.contains("999999") && !answer.contains(name),
        "{answer}"
    );
    // The wrong JSON: the answer must not repeat what was in it.
    for (path, body) in [
        (
            "/api/events/1/void",
            format!(r#"{{"reason":{},"x":"{name}"}}"#, id_no(2)),
        ),
        (
            "/api/events/1/correct",
            format!(r#"{{"reason":"x","event":"{} {name}"}}"#, id_no(2)),
        ),
    ] {
        let (status, answer) = server.call(
            "POST",
            path,
            Some(&bearer),
            "application/json",
            body.as_bytes(),
        );
        assert!((400..500).contains(&status), "{status}");
        assert!(
            !answer.contains("999999") && !answer.contains(name),
            "{answer}"
        );
    }
    // A caller whose token says recorder, but who is not enrolled as one.
    let other = format!("Bearer {}", token(A, "tianbiao"));
    let (status, answer) = server.call(
        "POST",
        "/api/events?type=E06",
        Some(&other),
        "text/csv",
        b"attended,occurred_on\n1,2026-02-01\n",
    );
    assert_eq!(status, 422);
    assert!(answer.contains("operator.unknown"), "{answer}");
}

#[test]
fn a_month_is_read_by_the_catalogue_that_it_began_with() {
    // A new catalogue is adopted in the middle of a month: the month's files are still read by the
    // old one.
    let mut w = World::new();
    let now = at("2026-01-20");
    w.desk(A).register(&[id_no(1)], "2026-01-03", now);
    let note = protocol::note::Note::sign(
        &protocol::published::catalogue_text(&catalogue_two()).unwrap(),
        &[&key("root", Alg::Ed25519)],
    )
    .unwrap();
    w.desk(A)
        .books()
        .install(&[note.as_bytes().to_vec()])
        .unwrap();
    let server = Server::start(w, A);
    let bearer = format!("Bearer {}", token(A, "luru"));
    let text = format!(
        "cert_no,name,room,occurred_on\n{}43,甲,一号,2026-01-10\n",
        id_no(1)
    );
    let (status, answer) = server.call(
        "POST",
        "/api/events?type=E20",
        Some(&bearer),
        "text/csv",
        text.as_bytes(),
    );
    assert_eq!(status, 422, "{answer}");
    assert!(answer.contains("column.unknown"), "{answer}");
    let good = text.replace(",room", "").replace(",一号", "");
    let (status, answer) = server.call(
        "POST",
        "/api/events?type=E20",
        Some(&bearer),
        "text/csv",
        good.as_bytes(),
    );
    assert_eq!(status, 200, "{answer}");
    let tongji = format!("Bearer {}", token(A, "tongji"));
    let (status, answer) = server.call(
        "POST",
        "/api/months/2026-01/close",
        Some(&tongji),
        "application/json",
        b"{}",
    );
    assert_eq!(status, 200, "{answer}");
    // The next month begins with the new one.
    let text = text.replace("2026-01-10", "2026-02-02");
    let (status, answer) = server.call(
        "POST",
        "/api/events?type=E20",
        Some(&bearer),
        "text/csv",
        text.as_bytes(),
    );
    assert_eq!(status, 200, "{answer}");
}

/// Evidence is of no use in a journal alone: both documents can be had, as they were signed.
#[test]
fn both_sides_of_a_contradiction_are_shown() {
    let mut w = World::new();
    let now = after(JAN);
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    w.send(A, &[CITY, PROVINCE], now);
    let first = w.desks[A].read().rollups()[&(month(JAN), 1)]
        .held
        .note
        .clone();
    let second = w.desks[A].other_rollup(JAN, |r| r.voided += 1);
    for tier in [CITY, PROVINCE] {
        assert_eq!(
            take(
                w.desk(tier).books(),
                A,
                &Letter::Rollup(second.as_bytes().to_vec()),
                now
            ),
            node::intake::Intake::Done
        );
    }
    let entry = w.desks[A].read().statement_bytes(4).unwrap();
    let text = protocol::note::Note::parse(&entry)
        .unwrap()
        .text()
        .replace("2026-01-20T04", "2026-01-20T05");
    let other = protocol::note::Note::sign(&text, &[&w.desks[A].people["luru"]]).unwrap();
    let size = w.desks[A].leaves();
    let rewritten = w.desks[A].rewritten(size, 4, other.as_bytes());
    assert_eq!(
        take(w.desk(CITY).books(), A, &rewritten, now),
        node::intake::Intake::Done
    );
    let server = Server::start(w, CITY);
    let ask = |path: &str| -> serde_json::Value {
        let (status, answer) =
            server.get(path, Some(&format!("Bearer {}", token(CITY, "jiancha"))));
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    };
    let list = ask("/api/contradictions");
    let sides = |n: usize| {
        [
            list[n]["first"].as_str().unwrap().as_bytes().to_vec(),
            list[n]["second"].as_str().unwrap().as_bytes().to_vec(),
        ]
    };
    // The rollups, the statements, and the checkpoints of those.
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert!(
        sides(2)
            .iter()
            .all(|c| c.starts_with(format!("countersign/{A}\n{size}\n").as_bytes()))
    );
    assert_eq!(
        (list[0]["unit"].as_str(), sides(0)),
        (
            Some(A),
            [first.as_bytes().to_vec(), second.as_bytes().to_vec()]
        )
    );
    assert_eq!(sides(1), [entry, other.as_bytes().to_vec()]);
    // A statement does not tell its index: the unit has signed for both places.
    let proven = |side: &str, entry: &[u8]| {
        let from = list[1][side]["from"].as_u64().unwrap();
        let bytes = protocol::text::b64::decode(list[1][side]["bytes"].as_str().unwrap()).unwrap();
        let delivery = protocol::log::Delivery::read(from, &bytes).unwrap();
        assert_eq!(
            delivery.entries()[usize::try_from(4 - from).unwrap()],
            entry
        );
        (delivery.checkpoint().size(), delivery.checkpoint().root())
    };
    let (one, two) = (
        proven("first_delivery", &sides(1)[0]),
        proven("second_delivery", &sides(1)[1]),
    );
    assert!(one.0 == size && two.0 == size && one.1 != two.1);
    assert!(list[0].get("first_delivery").is_none());
    // And it is said where people look every day.
    let status = ask("/api/status");
    for side in [&first, &second] {
        assert!(
            status["contradictions"][0]
                .as_str()
                .unwrap()
                .contains(&side.digest().to_string()),
            "{status}"
        );
    }
    assert!(
        ask("/api/review")[0]["flagged"]
            .as_str()
            .unwrap()
            .contains("two different rollups for 2026-01 revision 1")
    );
}
