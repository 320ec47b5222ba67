//! The API: every route of the OpenAPI document and those beside it, with every role and without,
//! with every method and in odd spellings; nothing personal where no token is asked. The limits are
//! in `limits.rs`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;

use kit::on_disk::*;
use node::config::Accept;
use node::intake::Intake;
use node::service::Service;
use node::web::tokens::Tokens;
use protocol::log::Delivery;
use protocol::note::{Alg, Note};
use protocol::text::b64;

/// A node's API on a port of its own; it ends with the value.
struct Server {
    url: String,
    door: Door,
    /// Every path that the router knows.
    paths: BTreeSet<String>,
    agent: ureq::Agent,
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
        let door = Door::open(service);
        let paths = paths_of(&door.routes);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .build()
            .into();
        Server {
            url: format!("http://{}", door.at),
            door,
            paths,
            agent,
            _world: w,
        }
    }

    /// The status of a request that is sent byte for byte as it stands.
    fn raw(&self, method: &str, target: &str, headers: &str) -> u16 {
        let mut stream = TcpStream::connect(self.door.at).unwrap();
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

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// What everybody with a token may read.
const READING: [(Route, Call); 14] = [
    (("get", "/api/status"), (ALL, "/api/status", TEXT, "")),
    (("get", "/api/months"), (ALL, "/api/months", TEXT, "")),
    (
        ("get", "/api/months/{month}/rollup"),
        (ALL, "/api/months/2030-01/rollup", TEXT, ""),
    ),
    (
        ("get", "/api/events"),
        (ALL, "/api/events?month=2026-01", TEXT, ""),
    ),
    (
        ("get", "/api/events/{index}"),
        (ALL, "/api/events/99999", TEXT, ""),
    ),
    (("get", "/api/evidence"), (ALL, "/api/evidence", TEXT, "")),
    (("get", "/api/catalogue"), (ALL, "/api/catalogue", TEXT, "")),
    (("get", "/api/review"), (ALL, "/api/review", TEXT, "")),
    (
        ("get", "/api/contradictions"),
        (ALL, "/api/contradictions", TEXT, ""),
    ),
    (
        ("get", "/api/figures"),
        (ALL, "/api/figures?format=csv", TEXT, ""),
    ),
    (
        ("get", "/api/review/{unit}/{month}"),
        (ALL, "/api/review/140321/2026-01", TEXT, ""),
    ),
    (
        ("get", "/api/review/{unit}/{month}/difference"),
        (ALL, "/api/review/140321/2026-01/difference", TEXT, ""),
    ),
    (
        ("get", "/api/review/missing"),
        (ALL, "/api/review/missing?month=2026-01", TEXT, ""),
    ),
    (
        ("get", "/api/review/table"),
        (ALL, "/api/review/table?month=2026-01&figure=I1", TEXT, ""),
    ),
];

/// What the unit's people do with events and months, and an inspector with a disclosure.
const WORK: [(Route, Call); 11] = [
    (
        ("post", "/api/batches"),
        (RECORD, "/api/batches", JSON, r#"{"files":[]}"#),
    ),
    (
        ("post", "/api/batches/{batch}/void"),
        (RECORD, "/api/batches/9-8/void", JSON, r#"{"reason":"x"}"#),
    ),
    (
        ("post", "/api/disclosures"),
        (INSPECT, "/api/disclosures", JSON, r#"{"index":99999}"#),
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
        (RECORD, "/api/events/99999/void", JSON, r#"{"reason":"x"}"#),
    ),
    (
        ("post", "/api/events/{index}/correct"),
        (
            RECORD,
            "/api/events/99999/correct",
            JSON,
            r#"{"reason":"x","event":{}}"#,
        ),
    ),
    (
        ("post", "/api/months/{month}/close"),
        (DESK, "/api/months/2030-01/close", JSON, "{}"),
    ),
    (
        ("post", "/api/months/{month}/preview"),
        (DESK, "/api/months/2030-01/preview", JSON, "{}"),
    ),
    (
        ("post", "/api/months/{month}/undo"),
        (DESK, "/api/months/2030-01/undo", JSON, "{}"),
    ),
    (
        ("post", "/api/months/{month}/signatures"),
        (DESK, "/api/months/2030-01/signatures", TEXT, "x"),
    ),
    (
        ("post", "/api/months/{month}/submit"),
        (DESK, "/api/months/2030-01/submit", TEXT, ""),
    ),
];

/// What is done about people, published documents and the units below.
const OVERSIGHT: [(Route, Call); 5] = [
    (
        ("post", "/api/operators"),
        (
            OPERATE,
            "/api/operators",
            JSON,
            r#"{"vkey":"x","roles":[]}"#,
        ),
    ),
    (
        ("post", "/api/operators/revoke"),
        (OPERATE, "/api/operators/revoke", JSON, r#"{"vkey":"x"}"#),
    ),
    (
        ("post", "/api/published"),
        (OPERATE, "/api/published", TEXT, "x"),
    ),
    (
        ("post", "/api/review/{unit}/{month}"),
        (
            REVIEW,
            "/api/review/140321/2030-01",
            JSON,
            r#"{"decision":"accepted"}"#,
        ),
    ),
    (
        ("post", "/api/review/accept"),
        (
            REVIEW,
            "/api/review/accept",
            JSON,
            r#"{"month":"2030-01","all_verified":true}"#,
        ),
    ),
];

/// Who may call what, as the module documents it, with a request that reaches the handler and harms
/// nothing. A route that is not here makes the test fail.
fn allowed() -> BTreeMap<Route, Call> {
    READING.into_iter().chain(WORK).chain(OVERSIGHT).collect()
}

#[test]
fn every_route_and_every_role() {
    let server = Server::start(two_months(), CITY);
    let allowed = allowed();
    let mut routes = BTreeSet::new();
    for (path, methods) in server.door.openapi["paths"].as_object().unwrap() {
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
        server.door.openapi,
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
    let mut known: BTreeSet<String> = server.door.openapi["paths"]
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

    let allowed = allowed();
    for path in &server.paths {
        let route = allowed.iter().find(|((_, p), _)| p == path);
        if OPEN.contains(&path.as_str()) {
            answers_to_reading_alone(&server, path);
            continue;
        }
        let ((method, _), (_, target, ..)) = route.unwrap();
        no_method_without_a_token(&server, path, target);
        let bare = target.split('?').next().unwrap();
        no_other_spelling(&server, bare);
        no_token_elsewhere(&server, &method.to_uppercase(), bare);
    }
}

/// What needs no token can be read, and nothing else.
#[track_caller]
fn answers_to_reading_alone(server: &Server, path: &str) {
    for method in METHODS {
        let status = server.raw(method, path, "");
        let expected: &[u16] = if matches!(*method, "GET" | "HEAD") {
            &[200]
        } else {
            &[400, 405]
        };
        assert!(expected.contains(&status), "{method} {path}: {status}");
    }
}

/// A documented method asks for a token; any other one is none, with a token and without.
#[track_caller]
fn no_method_without_a_token(server: &Server, path: &str, target: &str) {
    let operator = format!("authorization: Bearer {}\r\n", token(CITY, "operator"));
    let document = &server.door.openapi["paths"][path];
    for method in METHODS {
        let documented = document[method.to_lowercase()].is_object() && *method != "get";
        let reads = *method == "HEAD" && document["get"].is_object();
        let expected: &[u16] = if documented || reads {
            &[401]
        } else {
            &[400, 404, 405]
        };
        let status = server.raw(method, target, "");
        assert!(
            expected.contains(&status),
            "{method} {target} without a token: {status}"
        );
        if documented || reads {
            continue;
        }
        // A wrong method stays wrong with a token, and is never taken for another one.
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

/// Other spellings of the same path lead nowhere, or ask for a token as well.
#[track_caller]
fn no_other_spelling(server: &Server, bare: &str) {
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
        bare.to_uppercase(),
        bare.replacen("api", "%61pi", 1),
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
}

/// Where a token may not stand, a good one is worth nothing.
#[track_caller]
fn no_token_elsewhere(server: &Server, method: &str, bare: &str) {
    let token = token(CITY, "fuzeren");
    let encoded = token.replace(' ', "%20");
    let in_address = format!("{bare}?token={encoded}&access_token={encoded}");
    for (target, headers) in [
        (in_address.as_str(), String::new()),
        (bare, format!("cookie: token={token}\r\n")),
        (bare, format!("x-api-key: {token}\r\n")),
        (bare, format!("authorization: {token}\r\n")),
        (bare, format!("authorization: Basic {token}\r\n")),
        (bare, format!("proxy-authorization: Bearer {token}\r\n")),
        (
            bare,
            format!("authorization: Bearer guess\r\nauthorization: Bearer {token}\r\n"),
        ),
        (bare, "authorization: Bearer \u{0}\r\n".to_string()),
    ] {
        let status = server.raw(method, target, &headers);
        assert!(
            [400, 401].contains(&status),
            "{method} {target} {headers}: {status}"
        );
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

const NAME: &str = "欧阳测试";

/// Two months, and a person with a name that no answer may say.
fn with_a_named_person() -> Server {
    let mut w = two_months();
    w.desk(A).csv(
        "E20",
        &format!(
            "cert_no,name,occurred_on\n{}43,{NAME},2026-03-01\n",
            id_no(1)
        ),
        at("2026-03-05"),
    );
    Server::start(w, A)
}

#[track_caller]
fn says_nothing_personal(answer: &str) {
    assert!(
        !answer.contains("999999") && !answer.contains(NAME),
        "{answer}"
    );
}

#[test]
fn nothing_personal_without_a_token() {
    let server = with_a_named_person();
    for path in ["/health", "/metrics", "/api/openapi.json"] {
        let (status, answer) = server.get(path, None);
        assert_eq!(status, 200, "{path}");
        says_nothing_personal(&answer);
        assert!(!answer.contains("luru"), "{path}: {answer}");
    }
    let (_, metrics) = server.get("/metrics", None);
    assert!(
        metrics.contains("countersign_log_leaves ")
            && metrics.contains("countersign_months_closed 2"),
        "{metrics}"
    );
}

#[test]
fn nothing_personal_in_a_refusal() {
    let server = with_a_named_person();
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
    let deleted = server.call("DELETE", "/api/events", Some(&bearer), "text/csv", b"");
    assert_eq!(deleted.0, 405);
    // A file's faults come back as they are, and say nothing of the person; nothing was recorded.
    let text = format!(
        "cert_no,name,occurred_on\n{}4,{NAME},2026-02-30\n",
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
    says_nothing_personal(&answer);
    // The wrong JSON: the answer must not repeat what was in it.
    for (path, body) in [
        (
            "/api/events/1/void",
            format!(r#"{{"reason":{},"x":"{NAME}"}}"#, id_no(2)),
        ),
        (
            "/api/events/1/correct",
            format!(r#"{{"reason":"x","event":"{} {NAME}"}}"#, id_no(2)),
        ),
    ] {
        let (status, answer) = server.call("POST", path, Some(&bearer), JSON, body.as_bytes());
        assert!((400..500).contains(&status), "{status}");
        says_nothing_personal(&answer);
    }
}

/// Correcting one field shows nobody the others, and its name and the reason are words of files.
#[test]
fn one_event_is_looked_at_and_one_field_of_it_corrected() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1)], "2026-01-03", now);
    let hired = a.hire(&id_no(1), "甲", "2026-01-05", now);
    let server = Server::start(w, A);
    let as_person = |name: &str| Some(format!("Bearer {}", token(A, name)));
    let (recorder, inspector) = (as_person("luru"), as_person("jiancha"));
    let path = format!("/api/events/{hired}");
    let get = |who: &Option<String>, path: &str| {
        let (status, answer) = server.call("GET", path, who.as_deref(), TEXT, b"");
        (status, answer)
    };
    let (status, answer) = get(&inspector, &path);
    let listed: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &listed["fields"]), (200, &serde_json::json!({})));
    let private = format!("{path}?private=true");
    assert_eq!(get(&inspector, &private).0, 403);
    let (_, answer) = get(&recorder, &private);
    let listed: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(listed["fields"]["wage"], 300_000);
    let (status, answer) = get(&recorder, "/api/events/99999?private=true");
    assert!(status == 404 && answer.contains("void.unknown"), "{answer}");

    let correct = |body: &str| {
        let path = format!("{path}/correct");
        server.call("POST", &path, recorder.as_deref(), JSON, body.as_bytes())
    };
    for (body, code) in [
        (r#"{"reason":"错误","set":{}}"#, "request.json"),
        (r#"{"reason":"错误","set":{"薪水":"1"}}"#, "column.unknown"),
    ] {
        let (_, answer) = correct(body);
        assert!(answer.contains(code), "{code}: {answer}");
    }
    let (status, answer) = correct(r#"{"reason":"错误","set":{"工资(元)":"3600"}}"#);
    assert_eq!(status, 200, "{answer}");
    let recorded: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let path = format!("/api/events/{}?private=true", recorded["index"]);
    let (_, answer) = get(&recorder, &path);
    let listed: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let fields = (&listed["fields"]["wage"], &listed["fields"]["employer"]);
    assert_eq!(fields, (&360_000.into(), &"甲".into()));
}

/// A caller whose token says recorder, but who is not enrolled as one.
#[test]
fn a_token_alone_makes_no_recorder() {
    let server = Server::start(two_months(), A);
    let (status, answer) = server.call(
        "POST",
        "/api/events?type=E06",
        Some(&format!("Bearer {}", token(A, "tianbiao"))),
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
    let mut w = World::empty();
    let now = at("2026-01-20");
    w.desk(A).register(&[id_no(1)], "2026-01-03", now);
    let note = Note::sign(
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

/// What a unit signed and then signed otherwise.
struct ToldTwice {
    rollups: [Note; 2],
    statements: [Vec<u8>; 2],
    /// Of the log in which the statements stand, both at the same index.
    size: u64,
}

/// The index of the statement of which the county tells two.
const TOLD_TWICE: u64 = 4;

/// The county tells the city of two rollups and of two histories, and the province of the rollups.
fn told_twice() -> (World, ToldTwice) {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    w.send(A, &[CITY, PROVINCE], now);
    let first = w.desks[A].read().rollups()[&(month(JAN), 1)]
        .held()
        .note
        .clone();
    let second = w.desks[A].other_rollup(JAN, |r| r.voided += 1);
    let letter = Letter::Rollup(second.as_bytes().to_vec());
    for tier in [CITY, PROVINCE] {
        assert_eq!(take(w.desk(tier).books(), A, &letter, now), Intake::Done);
    }
    let entry = w.desks[A].read().statement_bytes(TOLD_TWICE).unwrap();
    let text = Note::parse(&entry)
        .unwrap()
        .text()
        .replace("2026-01-20T04", "2026-01-20T05");
    let other = Note::sign(&text, &[&w.desks[A].people["luru"]]).unwrap();
    let size = w.desks[A].leaves();
    let rewritten = w.desks[A].rewritten(size, TOLD_TWICE, other.as_bytes());
    assert_eq!(take(w.desk(CITY).books(), A, &rewritten, now), Intake::Done);
    let told = ToldTwice {
        rollups: [first, second],
        statements: [entry, other.as_bytes().to_vec()],
        size,
    };
    (w, told)
}

/// Evidence is of no use in a journal alone: both documents can be had, as they were signed.
#[test]
fn both_sides_of_a_contradiction_are_shown() {
    let (w, told) = told_twice();
    let server = Server::start(w, CITY);
    let ask = |path: &str| -> serde_json::Value {
        let (status, answer) =
            server.get(path, Some(&format!("Bearer {}", token(CITY, "jiancha"))));
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    };
    let list = ask("/api/contradictions");
    let sides = |n: usize| {
        ["first", "second"].map(|side| list[n][side].as_str().unwrap().as_bytes().to_vec())
    };
    // The rollups, the statements, and the checkpoints of those.
    assert_eq!(list.as_array().unwrap().len(), 3);
    let checkpoint = format!("countersign/{A}\n{}\n", told.size);
    assert!(
        sides(2)
            .iter()
            .all(|c| c.starts_with(checkpoint.as_bytes()))
    );
    let rollups = told.rollups.each_ref().map(|note| note.as_bytes().to_vec());
    assert_eq!((list[0]["unit"].as_str(), sides(0)), (Some(A), rollups));
    assert_eq!(sides(1), told.statements);
    both_are_proven(&list[1], &told);
    assert!(list[0].get("first_delivery").is_none());
    // And it is said where people look every day.
    let status = ask("/api/status");
    for side in &told.rollups {
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

/// A statement does not tell its index: the unit has signed for both places.
#[track_caller]
fn both_are_proven(shown: &serde_json::Value, told: &ToldTwice) {
    let proven = |side: &str, entry: &[u8]| {
        let from = shown[side]["from"].as_u64().unwrap();
        let bytes = b64::decode(shown[side]["bytes"].as_str().unwrap()).unwrap();
        let delivery = Delivery::read(from, &bytes).unwrap();
        assert_eq!(
            delivery.entries()[usize::try_from(TOLD_TWICE - from).unwrap()],
            entry
        );
        (delivery.checkpoint().size(), delivery.checkpoint().root())
    };
    let one = proven("first_delivery", &told.statements[0]);
    let two = proven("second_delivery", &told.statements[1]);
    assert!(one.0 == told.size && two.0 == told.size && one.1 != two.1);
}

#[test]
fn figures_come_in_every_form_and_a_wrong_parameter_is_named() {
    let server = Server::start(two_months(), CITY);
    let who = format!("Bearer {}", token(CITY, "tongji"));
    let get = |path: &str| server.get(path, Some(&who));
    let (status, json) = get("/api/figures?unit=140321&month=2026-01");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, &report["unit"]), (200, &"140321".into()));
    let (_, csv) = get("/api/figures?unit=140321&month=2026-01&format=csv");
    assert!(csv.contains(report["digest"].as_str().unwrap()));
    let (status, sheet) = get("/api/figures?format=xlsx");
    assert!(status == 200 && sheet.starts_with("PK"));
    let name = report["name"].as_str().unwrap();
    let encoded: String = name.bytes().map(|b| format!("%{b:02X}")).collect();
    let (status, by_name) = get(&format!("/api/review/{encoded}/2026-01"));
    assert!(status == 200 && by_name.contains("\"thread\""), "{by_name}");

    for (path, status, code, column) in [
        ("/api/figures?limit=2", 400, "request.parameter", "limit"),
        (
            "/api/figures?format=pdf",
            400,
            "request.parameter",
            "format",
        ),
        (
            "/api/figures?revision=x",
            400,
            "request.parameter",
            "revision",
        ),
        ("/api/review/missing", 400, "request.parameter", "month"),
        (
            "/api/review/table?month=2026-01",
            400,
            "request.parameter",
            "figure",
        ),
        (
            "/api/review/140321/2026-01/difference?from=1",
            400,
            "request.parameter",
            "to",
        ),
        (
            "/api/review/table?month=2026-01&figure=I99",
            422,
            "figures.unknown",
            "figure",
        ),
    ] {
        let (found, answer) = get(path);
        let faults: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(found, status, "{path}: {answer}");
        assert_eq!(faults[0]["code"], code, "{path}");
        assert_eq!(faults[0]["column"], column, "{path}");
    }
    // What is not a plain name is not repeated.
    let (status, answer) = get("/api/figures?%E5%BC%A0%E4%B8%89=1");
    assert!(status == 400 && !answer.contains("张三"), "{answer}");
    for (path, code) in [
        ("/api/figures?unit=x", "unit.unknown"),
        ("/api/figures?month=2026-13", "month.form"),
        ("/api/figures?month=2030-01", "figures.none"),
        ("/api/review/140321/2030-01", "figures.none"),
    ] {
        assert!(get(path).1.contains(code), "{path}");
    }
}
