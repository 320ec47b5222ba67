//! What officers and signatories read and do with the command line, at a node of a small federation.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use kit::on_disk::*;
use kit::{month, unit};
use node::config::Accept;
use node::service::Service;
use protocol::digest::Digest;
use protocol::text::hex;
use serde_json::Value;

/// Tokens of the kit have spaces, which the command line refuses.
fn plain(token: &str) -> String {
    token.replace(' ', "-")
}

/// The file of tokens, with these as the command line takes them.
fn write_tokens(id: &str, file: &std::path::Path) {
    let lines = TOKENS.into_iter().map(|(name, roles)| {
        let digest = Digest::of(plain(&token(id, name)).as_bytes());
        format!("{} {name} {roles}\n", hex::encode(digest.as_bytes()))
    });
    std::fs::write(file, lines.collect::<String>()).unwrap();
}

/// A node's API and a directory for files; both end with the value.
struct Node {
    door: Door,
    id: &'static str,
    files: PathBuf,
    world: World,
}

impl Node {
    fn start(mut world: World, id: &'static str, now: chrono::DateTime<chrono::Utc>) -> Node {
        world.set_clock(now);
        world.desk(id).shut();
        let service = Service::open(world.config(id, Accept::Person)).unwrap();
        write_tokens(id, &service.config.tokens);
        let door = Door::open(service);
        let files = world.dir.0.join("files");
        std::fs::create_dir_all(&files).unwrap();
        Node {
            door,
            id,
            files,
            world,
        }
    }

    fn run(&self, person: &str, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .args(args)
            .current_dir(&self.files)
            .env("COUNTERSIGN_NODE", format!("http://{}", self.door.at))
            .env("COUNTERSIGN_TOKEN", plain(&token(self.id, person)));
        command.output().unwrap()
    }

    #[track_caller]
    fn good(&self, person: &str, args: &[&str]) -> String {
        let output = self.run(person, args);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {err}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn refused(&self, person: &str, args: &[&str]) -> String {
        let output = self.run(person, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).unwrap()
    }

    #[track_caller]
    fn json(&self, person: &str, args: &[&str]) -> Value {
        serde_json::from_str(&self.good(person, &[&["--json"], args].concat())).unwrap()
    }
}

fn name_of(w: &mut World, id: &str) -> String {
    let registry = w.desk(CITY).read().registry().unwrap();
    let unit = registry.registry().unit(&unit(id)).unwrap();
    unit.placement(month(JAN)).name
}

#[test]
fn an_officer_sees_what_he_decides_on_and_names_units() {
    let mut w = two_revisions();
    let (a, b) = (name_of(&mut w, A), name_of(&mut w, B));
    let city = Node::start(w, CITY, after(JAN));
    let officer = "tongji";
    let missing = city.good(officer, &["review", "missing", JAN]);
    assert!(
        missing.contains(&b) && missing.contains("未报"),
        "{missing}"
    );
    let shown = city.good(officer, &["review", "show", &a, JAN, "--tables"]);
    for part in [
        "2 人",
        "签署有效",
        "退回",
        "please look again",
        "+1 人",
        "按性别",
        "北京时间",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let diff = city.good(officer, &["review", "diff", &a, JAN, "1", "2"]);
    assert!(diff.contains("+1 人") && diff.contains("性别："), "{diff}");
    let table = city.json(officer, &["review", "table", JAN, "I1", "--by", "性别"]);
    assert_eq!(
        table["rows"][0]["total"],
        Value::Null,
        "who is missing has no number"
    );
    assert_eq!(table["rows"][1]["cells"].as_array().unwrap().len(), 2);
    let unknown = city.refused(officer, &["review", "accept", "没有的县", JAN]);
    assert!(unknown.contains("review.unit"), "{unknown}");
    let many = city.refused(officer, &["review", "accept", &a, &b, JAN]);
    assert!(
        many.contains("✓ 140321") && many.contains("review.none"),
        "{many}"
    );
    let none = city.good(officer, &["review", "accept", "--all-verified", JAN]);
    assert!(none.contains("no wholly verified report waits"), "{none}");
}

#[test]
fn an_acceptance_has_a_comment_and_figures_leave_as_files() {
    let mut w = two_revisions();
    let a = name_of(&mut w, A);
    let city = Node::start(w, CITY, after(JAN));
    city.good(
        "tongji",
        &["review", "accept", &a, JAN, "--comment", "已核对"],
    );
    let shown = city.json("tongji", &["review", "show", A, JAN]);
    let last = shown["thread"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["decision"], &last["reasons"][0]),
        (&"accepted".into(), &"已核对".into())
    );
    let figures = city.good("luru", &["figures", JAN, "--unit", &a, "--figure", "I1"]);
    assert!(
        figures.contains("2 人") && figures.contains("明细数"),
        "{figures}"
    );
    city.good(
        "luru",
        &[
            "figures", JAN, "--unit", &a, "--form", "xlsx", "-o", "a.xlsx",
        ],
    );
    assert!(
        std::fs::read(city.files.join("a.xlsx"))
            .unwrap()
            .starts_with(b"PK")
    );
    let csv = city.good("luru", &["figures", JAN, "--unit", &a, "--form", "csv"]);
    assert!(csv.contains("明细数") && csv.contains("sha256:"), "{csv}");
    let none = city.refused("luru", &["figures", "2026-05"]);
    assert!(none.contains("figures.none"), "{none}");
}

#[test]
fn a_report_is_signed_by_the_digest_that_was_read_and_without_a_node() {
    let mut w = World::empty();
    w.desk(A).train(3, "2026-01-05", at("2026-01-20"));
    w.desk(A).finish(JAN, after(JAN));
    w.desk(A).train(5, "2026-02-05", at("2026-02-20"));
    let digest = w.desk(A).close(FEB, after(FEB)).digest.to_string();
    let county = Node::start(w, A, after(FEB));
    for person in ["tianbiao", "tongji", "fuzeren"] {
        let key = county.world.desks[A].people[person].encode();
        admin::keyring::write_secret(&county.files.join(format!("{person}.key")), key.as_str())
            .unwrap();
    }
    let shown = county.good("tianbiao", &["sign", FEB, "--tables"]);
    assert!(
        shown.contains("培训人次") && shown.contains("5 人次"),
        "{shown}"
    );
    assert!(
        shown.contains("since what was signed before") && shown.contains(&digest),
        "{shown}"
    );
    let other = format!("sha256:{}", "0".repeat(64));
    let args = ["sign", FEB, "--key", "tianbiao.key", "--digest", &other];
    assert!(county.refused("tianbiao", &args).contains("sign.digest"));
    let signed = county.json(
        "tianbiao",
        &["sign", FEB, "--key", "tianbiao.key", "--digest", &digest],
    );
    assert_eq!(
        signed["unsigned"].as_array().unwrap().len(),
        2,
        "the refused one signed nothing"
    );

    county.good("tongji", &["sign", FEB, "--save", "feb.json"]);
    let alone = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let command = command.args(args).current_dir(&county.files);
        let output = command.env_remove("COUNTERSIGN_NODE").output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, read) = alone(&["sign", "--file", "feb.json"]);
    assert!(
        code == Some(0) && read.contains("5 人次") && read.contains("+2 人次"),
        "{read}"
    );
    let refused = [
        "sign",
        "--file",
        "feb.json",
        "--key",
        "tongji.key",
        "-o",
        "x",
        "--digest",
        &other,
    ];
    assert_eq!(alone(&refused).0, Some(1));
    let sign = [
        "sign",
        "--file",
        "feb.json",
        "--key",
        "tongji.key",
        "-o",
        "feb.signed",
    ];
    assert_eq!(alone(&sign).0, Some(0));
    let brought = county.json("tongji", &["sign", FEB, "--bring", "feb.signed"]);
    assert_eq!(brought["unsigned"].as_array().unwrap().len(), 1);
    std::fs::write(county.files.join("other.json"), "{}").unwrap();
    assert_eq!(alone(&["sign", "--file", "other.json"]).0, Some(1));
}
