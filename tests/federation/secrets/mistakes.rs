//! A month's mistakes: files that are refused, commands that are given keys, requests that carry
//! secrets where none belong. What is answered is observed.

use std::path::Path;
use std::process::Command;

use countersign_demo::ledger::Sheet;
use countersign_demo::world::{Member, World};
use federation_tests::programs;

use crate::observations::Observations;

/// A person of the county's files.
pub struct Person {
    /// ID number.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Records the month's files; each is sent once more, and once broken in every row.
pub fn importing(seen: &mut Observations, m: &Member, dir: &Path, sheets: &[Sheet]) {
    for sheet in sheets {
        let path = dir.join(sheet.file_name());
        let file = path.to_str().unwrap();
        std::fs::write(&path, sheet.to_csv()).unwrap();
        seen.good(m, "luru", &["import", file]);
        // The same again, with every fault of a file that is passed over, and in a form that is
        // broken in every row.
        seen.good(m, "luru", &["--json", "import", file]);
        let broken = sheet.to_csv().replace("999999", "99999X");
        std::fs::write(&path, broken.replace("2023-", "2O23-")).unwrap();
        seen.refused(m, "luru", &["import", file]);
    }
}

/// Events that cannot be read, taken back or corrected.
pub fn events(seen: &mut Observations, m: &Member, dir: &Path, person: &Person) {
    let Person { id, name } = person;
    let path = dir.join("x.jsonl");
    let import = ["import", "--type", "E01", path.to_str().unwrap()];
    for line in [
        format!("{{\"id_no\":\"{id}\",\"name\":\"{name}\",\"occurred_on\":\"2023-01-05\""),
        format!("{{\"{id}\":\"{name}\",\"occurred_on\":[\"{id}\"]}}"),
    ] {
        std::fs::write(&path, line).unwrap();
        seen.refused(m, "luru", &import);
    }
    seen.good(m, "luru", &["audit", "events", "2023-01"]);
    seen.refused(m, "luru", &["void", "99999", "--reason", "duplicate"]);
    let event = format!("{{\"cert_no\":\"{id}9\",\"name\":\"{name}\"}}");
    let correct = ["correct", "30", "--reason", "typing", "--event", &event];
    seen.refused(m, "luru", &correct);
}

/// Private keys where something else belongs.
pub fn keys(seen: &mut Observations, m: &Member, world: &World) {
    let text = |path: &Path| path.display().to_string();
    let (key, root) = (text(&m.key("tianbiao")), text(&world.dir.join("root.key")));
    let (vault, keys) = (
        text(&m.dir.join("keys/vault.key")),
        text(&m.dir.join("keys")),
    );
    for mistake in [
        vec!["key", "show", &vault],
        vec!["operator", "enrol", &key, "--roles", "recorder"],
        vec!["sign", "2023-01", "--key", &vault],
        vec!["verify", &key, "--root", &root],
        vec!["registry", "show", &root, "--root", &root],
        vec![
            "nats",
            "config",
            "--units",
            &vault,
            "--admin",
            &world.nats_admin,
            "--store-dir",
            "/x",
        ],
        vec!["publish", &key],
        vec!["plan", "sign", &key, "--root", &root, "-o", "/x/y"],
        vec!["plan", "sign", &vault, "--root", &root, "-o", "/x/y"],
        vec!["import", "--type", "E01", &key],
        vec!["fsck", &keys],
    ] {
        seen.refused(m, "operator", &mistake);
        seen.refused(m, "operator", &[&["--json"], &mistake[..]].concat());
    }
    // A node that is given a key for its configuration.
    for file in [&vault, &key] {
        let output = Command::new(programs().join("countersign-node"))
            .arg(file)
            .output()
            .unwrap();
        assert!(!output.status.success());
        seen.0.push((
            format!("countersign-node {file}"),
            [output.stdout, output.stderr].concat(),
        ));
    }
}

/// Requests that are refused. Each names what it is, its headers and its body.
pub fn requests(seen: &mut Observations, m: &Member, world: &World, person: &Person) {
    for (request, headers, body) in refused_requests(m, world, person) {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "text/csv"
        };
        let head = format!(
            "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-type: \
                {kind}\r\n"
        );
        let length = format!("content-length: {}\r\n\r\n", body.len());
        let status = seen.ask(m, &format!("{head}{length}{body}"));
        assert!((400..500).contains(&status), "{request}: {status}");
    }
}

fn refused_requests(
    m: &Member,
    world: &World,
    person: &Person,
) -> Vec<(&'static str, String, String)> {
    let Person { id, name } = person;
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    let (clerk, reviewer) = (m.token("luru"), m.token("tongji"));
    let operator = m.token("operator");
    let key = std::fs::read_to_string(m.key("tianbiao")).unwrap();
    let root = std::fs::read_to_string(world.dir.join("root.key")).unwrap();
    vec![
        (
            "GET /api/status",
            bearer(&format!("{clerk}x")),
            String::new(),
        ),
        (
            "GET /api/status",
            format!("authorization: Basic {clerk}\r\n"),
            String::new(),
        ),
        (
            "GET /api/status",
            format!("cookie: {clerk}\r\nx-token: {reviewer}\r\n"),
            String::new(),
        ),
        (
            "POST /api/events/1/void",
            bearer(clerk),
            format!("{{\"reason\":{id},\"x\":\"{name}\"}}"),
        ),
        (
            "POST /api/events/1/correct",
            bearer(clerk),
            format!("{{\"reason\":\"x\",\"event\":\"{id} {name}\"}}"),
        ),
        (
            "POST /api/events?type=E01",
            bearer(clerk),
            format!("cert_no,name,occurred_on,{id}\n{id},{name},x,y\n"),
        ),
        (
            "POST /api/disclosures",
            bearer(reviewer),
            format!("{{\"index\":1,\"fields\":[\"{id}\"]}}"),
        ),
        (
            "POST /api/operators",
            bearer(operator),
            format!("{{\"vkey\":\"{}\",\"roles\":[]}}", key.trim()),
        ),
        ("POST /api/published", bearer(operator), root),
    ]
}
