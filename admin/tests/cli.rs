//! The command line as people and scripts meet it: the built program, offline commands, exit codes,
//! JSON, help texts.

// Clippy's exception for tests does not reach their helper functions.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use node::fault::FaultCode;
use serde_json::Value;

/// A directory of its own, removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("cs-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }
    fn run(&self, args: &[&str]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .args(args)
            .current_dir(&self.0)
            .env_remove("COUNTERSIGN_NODE")
            .env_remove("COUNTERSIGN_TOKEN");
        Answer(command.output().unwrap())
    }
    /// Runs what must succeed; gives the standard output without its last line end.
    fn good(&self, args: &[&str]) -> String {
        let answer = self.run(args);
        assert_eq!(answer.code(), 0, "{args:?}: {}", answer.err());
        answer.out().trim_end().to_string()
    }
    fn json(&self, args: &[&str]) -> Value {
        let answer = self.run(&[&["--json"], args].concat());
        let value = serde_json::from_str(&answer.out())
            .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", answer.out()));
        assert_eq!(
            answer.err(),
            "",
            "{args:?}: with --json nothing is said beside the answer"
        );
        value
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }
    fn mode(&self, name: &str) -> u32 {
        std::fs::metadata(self.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Answer(Output);

impl Answer {
    fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }
    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }
    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
    /// Refused with this code and words, and nothing on the standard output.
    fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(
            (self.code(), self.out().as_str()),
            (code, ""),
            "{}",
            self.err()
        );
        words
            .iter()
            .for_each(|w| assert!(self.err().contains(w), "{w}: {}", self.err()));
    }
}

fn deploy(part: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(part)
        .canonicalize()
        .unwrap()
        .display()
        .to_string()
}

/// Two roots, both needed, and the three units of one branch.
fn federation(dir: &Dir) {
    for root in ["a", "b"] {
        dir.good(&[
            "key",
            "new",
            &format!("{root}.key"),
            "--name",
            &format!("root-{root}"),
        ]);
        dir.write(
            &format!("{root}.vkey"),
            &dir.good(&["key", "show", &format!("{root}.key")]),
        );
    }
    for unit in ["140000", "140300", "140321"] {
        let nkey = dir.good(&["nats", "user", &format!("{unit}.seed")]);
        dir.good(&[
            "key",
            "unit",
            unit,
            "--unit",
            unit,
            "--nkey",
            &nkey,
            "--card",
            &format!("{unit}.toml"),
        ]);
    }
    let units = deploy("units/units.csv");
    let cards = ["140000.toml", "140300.toml", "140321.toml"];
    let mut args = vec![
        "registry", "new", "--root", "a.key", "--root", "b.key", "--units", &units,
    ];
    args.extend(cards);
    args.extend([
        "--since",
        "2023-01",
        "--skip-keyless",
        "-o",
        "registry-1.note",
    ]);
    dir.good(&args);
}

#[test]
fn keys_are_secret_files_and_are_never_replaced() {
    let dir = Dir::new("keys");
    let made = dir.run(&["key", "new", "chen.key", "--name", "140321/chen"]);
    let vkey = made.out().trim_end().to_string();
    assert!(
        vkey.starts_with("140321/chen+")
            && !made.out().contains("PRIVATE")
            && !made.err().contains("PRIVATE")
    );
    assert_eq!(dir.mode("chen.key"), 0o600);
    assert_eq!(dir.good(&["key", "show", "chen.key"]), vkey);
    assert_eq!(dir.json(&["key", "show", "chen.key"])["vkey"], vkey);
    let before = dir.read("chen.key");
    dir.run(&["key", "new", "chen.key", "--name", "140321/li"])
        .refused(1, &["chen.key"]);
    assert_eq!(dir.read("chen.key"), before);
    dir.run(&["key", "new", "x.key", "--name", "a b"])
        .refused(1, &[]);
    std::fs::set_permissions(dir.path("chen.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    dir.run(&["key", "show", "chen.key"])
        .refused(1, &["chmod 600"]);
    assert_eq!(
        dir.json(&[
            "key",
            "new",
            "w.key",
            "--name",
            "140321/witness",
            "--witness"
        ])["alg"],
        "cosignature/v1"
    );

    dir.good(&[
        "key",
        "unit",
        "keys",
        "--unit",
        "140321",
        "--card",
        "card.toml",
    ]);
    for file in ["node.key", "witness.key", "vault.key"] {
        assert_eq!(dir.mode(&format!("keys/{file}")), 0o600, "{file}");
    }
    let card = dir.read("card.toml");
    assert!(
        card.contains("vkey = \"140321+")
            && card.contains("witness = \"140321/witness+")
            && !card.contains("PRIVATE"),
        "{card}"
    );
    dir.run(&["key", "unit", "keys", "--unit", "140321"])
        .refused(1, &["key.exists"]);
}

#[test]
fn tokens_are_printed_once_and_only_their_digest_is_kept() {
    let dir = Dir::new("tokens");
    let first = dir.good(&[
        "key",
        "token",
        "--name",
        "chen",
        "--roles",
        "recorder,head",
        "--append",
        "tokens",
    ]);
    assert_eq!((first.len(), dir.mode("tokens")), (64, 0o600));
    // A file whose last line has no end must not swallow the new line.
    dir.write("tokens", dir.read("tokens").trim_end());
    let second = dir.json(&[
        "key",
        "token",
        "--name",
        "zhao",
        "--roles",
        "inspector",
        "--append",
        "tokens",
    ]);
    let text = dir.read("tokens");
    assert!(!text.contains(&first) && !text.contains(second["token"].as_str().unwrap()));
    let tokens = node::web::tokens::Tokens::parse(&text).unwrap();
    assert_eq!(tokens.find(&first).unwrap().name, "chen");
    assert_eq!(
        tokens.find(second["token"].as_str().unwrap()).unwrap().name,
        "zhao"
    );
    let printed = dir.good(&["key", "token", "--name", "li", "--roles", "reviewer"]);
    let (token, line) = printed.split_once('\n').unwrap();
    assert_eq!(
        node::web::tokens::Tokens::parse(line)
            .unwrap()
            .find(token)
            .unwrap()
            .name,
        "li"
    );
    dir.run(&["key", "token", "--name", "li", "--roles", "king"])
        .refused(2, &["recorder, reviewer, head"]);
    dir.run(&["key", "token", "--name", "140321/li", "--roles", "head"])
        .refused(2, &[]);
    dir.write("broken", "not a token\n");
    dir.run(&[
        "key", "token", "--name", "li", "--roles", "head", "--append", "broken",
    ])
    .refused(1, &["tokens.malformed", "line 1"]);
}

/// The words of a command line, none of which holds a space.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn a_registry_chain_is_walked_from_the_root() {
    let dir = Dir::new("registry");
    federation(&dir);
    one_version_is_shown(&dir);
    units_without_keys_are_named(&dir);
    let old = a_key_is_rotated(&dir);
    a_key_is_revoked(&dir, &old);
    a_chain_with_a_gap_is_refused(&dir);
}

fn one_version_is_shown(dir: &Dir) {
    let show = |root| format!("registry show registry-1.note --root {root}");
    let shown = dir.good(&words(&show("a.vkey")));
    assert!(
        shown.contains("└─ 140300 阳泉市 (city)") && shown.contains("   └─ 140321 平定县 (county)"),
        "{shown}"
    );
    dir.run(&words(&show("140300.toml")))
        .refused(2, &["no verifier key"]);
    dir.run(&words(&show("a.key"))).refused(2, &["private key"]);
    dir.good(&words("key new c.key --name root-c"));
    dir.write("c.vkey", &dir.good(&words("key show c.key")));
    dir.run(&words(&show("c.vkey")))
        .refused(1, &["registry.threshold"]);
}

/// They are never left out silently.
fn units_without_keys_are_named(dir: &Dir) {
    let units = deploy("units/units.csv");
    let new = |files: &[&str]| {
        let before = words("registry new --root a.key --units");
        dir.run(&[&before[..], files, &["--since", "2023-01"]].concat())
    };
    new(&[&units, "140321.toml"]).refused(1, &["units.keyless", "--skip-keyless"]);
    dir.write("other.csv", "id,name\n140321,别的县\n");
    new(&[&units, "other.csv", "140321.toml"])
        .refused(1, &["units.contradiction", "140321", "name"]);
}

/// Version 2 rotates a key; one root alone is too few until the other has signed. Gives the key that
/// was.
fn a_key_is_rotated(dir: &Dir) -> String {
    dir.good(&words("key new new.key --name 140321"));
    let vkey = dir.good(&words("key show new.key"));
    let rotate = format!("registry next registry-1.note --root a.key --rotate-key 140321 {vkey}");
    dir.run(&words(&rotate)).refused(2, &["--from-index"]);
    dir.good(&words(&format!(
        "{rotate} --from-index 812 -o registry-2.note"
    )));
    let chain = words("registry show registry-2.note registry-1.note --root a.vkey");
    dir.run(&chain)
        .refused(1, &["registry.threshold", "1 of the 2"]);
    dir.good(&words("registry sign registry-2.note --key b.key"));
    assert!(dir.good(&chain).contains("until 812 (rotated)"));
    let shown = dir.json(&chain);
    let keys = &shown["registry"]["units"][2]["keys"];
    assert_eq!(
        (
            &keys[0]["revoked"]["at_index"],
            &keys[1]["from_index"],
            &keys[1]["vkey"]
        ),
        (&812.into(), &812.into(), &vkey.into())
    );
    keys[0]["vkey"].as_str().unwrap().to_string()
}

/// Version 3 revokes.
fn a_key_is_revoked(dir: &Dir, old: &str) {
    let next = |more: &str| {
        let before = "registry next registry-1.note registry-2.note --root a.key --root b.key";
        dir.run(&words(&format!("{before} {more}")))
    };
    next("").refused(2, &["nothing changes"]);
    next(&format!("--revoke 140321 {old} --at-index 900")).refused(1, &["registry.key"]);
    let done = next(&format!(
        "--revoke 140321 {old} --at-index 700 --reason stolen -o registry-3.note"
    ));
    assert_eq!(done.code(), 0, "{}", done.err());
    next("--threshold 1 -o registry-3.note").refused(1, &["registry-3.note"]);
}

/// Neither a chain with a gap nor one without its beginning is believed.
fn a_chain_with_a_gap_is_refused(dir: &Dir) {
    for notes in [
        "registry-1.note registry-3.note",
        "registry-2.note registry-3.note",
    ] {
        dir.run(&words(&format!("registry show {notes} --root a.vkey")))
            .refused(1, &["registry.version"]);
    }
    let all = "registry show registry-3.note registry-2.note registry-1.note --root b.vkey";
    assert!(dir.good(&words(all)).contains("until 700 (stolen)"));
}

/// The shipped catalogue with another version, and with a change to each of two files.
fn changed_catalogue(dir: &Dir, name: &str, dimensions: (&str, &str), events: (&str, &str)) {
    std::fs::create_dir(dir.path(name)).unwrap();
    for entry in std::fs::read_dir(deploy("catalogue")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        let (from, to) = match file.to_str().unwrap() {
            "dimensions.toml" => {
                text = text.replacen("version = 1", "version = 2", 1);
                dimensions
            }
            "events.toml" => events,
            _ => ("", ""),
        };
        assert!(text.contains(from), "{from}");
        std::fs::write(dir.path(name).join(file), text.replacen(from, to, 1)).unwrap();
    }
}

#[test]
fn a_catalogue_is_compared_with_the_one_before_and_not_signed_where_it_cannot_follow() {
    let dir = Dir::new("succession");
    let shipped = deploy("catalogue");
    dir.good(&["key", "new", "a.key", "--name", "root"]);
    let sign = |from: &str, to: &str, more: &[&str]| {
        let mut line = vec!["catalogue", "sign", from, "--root", "a.key", "-o", to];
        line.extend(more);
        dir.run(&line)
    };
    assert_eq!(sign(&shipped, "1.note", &["--first"]).code(), 0);
    let code = r#"{ code = "1", zh = "男""#;
    let more = format!(r#"{{ code = "9", zh = "其他", en = "other" }}, {code}"#);
    changed_catalogue(&dir, "more", (code, &more), ("", ""));
    let answer = dir.json(&["catalogue", "check", "more", "--against", "1.note"]);
    assert_eq!(answer["holds"], true, "{answer}");
    assert_eq!(answer["changes"][0]["code"], "succession.code_added");
    assert_eq!(answer["changes"][0]["refused"], false);
    assert_eq!(sign("more", "2.note", &["--against", &shipped]).code(), 0);
    // Without a word of what was before it, nothing is signed.
    assert_eq!(sign("more", "3.note", &[]).code(), 2);

    let other = r#"{ code = "8", zh = "男""#;
    let date = (r#"kind = "fen""#, r#"kind = "int""#);
    changed_catalogue(&dir, "less", (code, other), date);
    let against = ["--against", "1.note", "--against", "2.note"];
    let answer = dir.json(&[&["catalogue", "check", "less"][..], &against].concat());
    assert_eq!(answer["holds"], false);
    let changes = answer["changes"].as_array().unwrap();
    let refused = changes.iter().filter(|c| c["refused"] == true);
    let codes: Vec<&str> = refused.map(|c| c["code"].as_str().unwrap()).collect();
    for code in [
        "succession.version",
        "succession.field_kind",
        "succession.code_removed",
    ] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let answer = dir.run(&["catalogue", "check", "less", "--against", "1.note"]);
    assert_eq!(answer.code(), 1);
    assert!(answer.out().contains("不能签署"), "{}", answer.out());
    sign("less", "3.note", &against).refused(1, &["catalogue.faults"]);
    assert!(!dir.path("3.note").exists());
}

#[test]
fn a_broken_catalogue_has_all_its_faults_listed() {
    let dir = Dir::new("catalogue");
    let good = dir.json(&["catalogue", "check", &deploy("catalogue")]);
    assert_eq!(good["holds"], true);
    std::fs::create_dir(dir.path("broken")).unwrap();
    for entry in std::fs::read_dir(deploy("catalogue")).unwrap() {
        let path = entry.unwrap().path();
        let mut text = std::fs::read_to_string(&path).unwrap();
        match path.file_name().unwrap().to_str().unwrap() {
            "rules.toml" => text = text.replace("v.I002 <= v.I001", "v.I002 <= ("),
            "indicators.toml" => text = text.replacen("\"E16\"", "\"E99\"", 1),
            _ => {}
        }
        std::fs::write(dir.path("broken").join(path.file_name().unwrap()), text).unwrap();
    }
    let bad = dir.json(&["catalogue", "check", "broken"]);
    let faults: Vec<String> = bad["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| format!("{} {}", f["place"], f["message"]))
        .collect();
    assert!(
        bad["holds"] == false
            && faults.iter().any(|f| f.contains("H01"))
            && faults.iter().any(|f| f.contains("E99")),
        "{faults:?}"
    );
    let answer = dir.run(&["catalogue", "check", "broken"]);
    assert_eq!(answer.code(), 1);
    assert!(
        answer.out().contains("H01")
            && answer.out().contains(&format!("{} fault(s)", faults.len())),
        "{}",
        answer.out()
    );

    dir.good(&["key", "new", "a.key", "--name", "root"]);
    dir.run(&[
        "catalogue",
        "sign",
        "broken",
        "--first",
        "--root",
        "a.key",
        "-o",
        "c.note",
    ])
    .refused(1, &["catalogue.faults"]);
    assert!(!dir.path("c.note").exists());
    assert_eq!(
        dir.json(&[
            "catalogue",
            "sign",
            &deploy("catalogue"),
            "--first",
            "--root",
            "a.key",
            "-o",
            "c.note"
        ])["digest"],
        good["digest"]
    );
    dir.good(&[
        "plan",
        "sign",
        &deploy("plans/sx-2022.toml"),
        "--root",
        "a.key",
        "-o",
        "p.note",
    ]);
    dir.run(&["plan", "sign", "a.key", "--root", "a.key", "-o", "q.note"])
        .refused(1, &["plan.malformed"]);
    std::fs::create_dir(dir.path("empty")).unwrap();
    dir.run(&["catalogue", "check", "empty"])
        .refused(1, &["catalogue.empty"]);
}

fn a_cluster_is_one_file_for_each_server(dir: &Dir, config: &[&str]) {
    let server = |n: u8| format!("[[server]]\nname = \"n{n}\"\naddress = \"10.0.0.{n}\"\n");
    let list: String = (1..=3).map(server).collect();
    std::fs::write(dir.path("cluster.toml"), list).unwrap();
    let cluster = [
        "--cluster",
        "cluster.toml",
        "--host",
        "0.0.0.0",
        "-o",
        "conf",
    ];
    let written = dir.run(&[config, &cluster].concat());
    assert!(
        written.err().contains("whoever reaches 0.0.0.0:6222 joins"),
        "{}",
        written.err()
    );
    let texts = ["n1", "n2", "n3"].map(|name| dir.read(&format!("conf/nats-{name}.conf")));
    for (n, text) in (1..).zip(&texts) {
        assert!(text.contains(&format!("server_name: \"n{n}\"")), "{text}");
        assert!(text.contains("\"nats-route://10.0.0.3:6222\""), "{text}");
    }
    let accounts = |text: &str| text[text.find("accounts {").unwrap()..].to_owned();
    assert_eq!(accounts(&texts[0]), accounts(&texts[2]));
    std::fs::write(dir.path("two.toml"), server(1) + &server(2)).unwrap();
    dir.run(&[config, &["--cluster", "two.toml", "-o", "conf"]].concat())
        .refused(1, &["nats.option"]);
}

#[test]
fn nats_conf_is_made_from_the_same_files() {
    let dir = Dir::new("nats");
    federation(&dir);
    let admin = dir.good(&["nats", "user", "admin.seed"]);
    assert!(admin.starts_with('U') && dir.mode("admin.seed") == 0o600);
    dir.run(&["nats", "user", "admin.seed"])
        .refused(1, &["nats.seed"]);
    let units = deploy("units/units.csv");
    let config = [
        "nats",
        "config",
        "--units",
        &units,
        "140000.toml",
        "140300.toml",
        "140321.toml",
        "--skip-keyless",
        "--store-dir",
        "/var/lib/nats",
    ];
    let text = dir.good(&[&config[..], &["--admin", &admin]].concat());
    assert!(
        text.contains("sync_interval: always") && text.contains("# 140000.140300.140321"),
        "{text}"
    );
    assert!(
        !text.contains("# 140000.140300.140302"),
        "a unit without a key"
    );
    a_cluster_is_one_file_for_each_server(&dir, &[&config[..], &["--admin", &admin]].concat());
    let seed = dir.read("admin.seed");
    let refused = dir.run(&[&config[..], &["--admin", seed.trim()]].concat());
    refused.refused(1, &["nats.key"]);
    assert!(
        !refused.err().contains(seed.trim()),
        "a seed is never printed"
    );
    dir.run(&[&config[..], &["--admin", &admin, "--tls-cert", "x"]].concat())
        .refused(2, &["--tls-key"]);
}

#[test]
fn nonsense_is_not_evidence() {
    let dir = Dir::new("verify");
    dir.good(&["key", "new", "a.key", "--name", "root"]);
    dir.write("a.vkey", &dir.good(&["key", "show", "a.key"]));
    dir.write("nonsense.zip", "nonsense");
    dir.write("nonsense.json", "{\"format\": 1}");
    dir.run(&["verify", "nonsense.zip", "--root", "a.vkey"])
        .refused(1, &["evidence.zip"]);
    dir.run(&["verify", "nonsense.json", "--root", "a.vkey"])
        .refused(1, &["disclosure.malformed"]);
    dir.run(&["verify", "missing.zip", "--root", "a.vkey"])
        .refused(1, &["missing.zip"]);
    // Evidence is read at any place; a folder or a pipe cannot be.
    dir.run(&["verify", ".", "--root", "a.vkey"])
        .refused(1, &["no plain file"]);
    dir.write("empty.zip", "");
    dir.run(&["verify", "empty.zip", "--root", "a.vkey"])
        .refused(1, &["evidence.zip"]);
    dir.run(&["verify", "nonsense.zip", "--root", "root+00000000+AAAA"])
        .refused(2, &[]);
    dir.run(&["verify", "nonsense.zip"]).refused(2, &["--root"]);
    let error = dir.json(&["verify", "nonsense.zip", "--root", "a.vkey"]);
    assert_eq!(error["error"]["code"], "evidence.zip");
}

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(name)
}

/// One root key is not the threshold: its holder can write another version 1. A reader who knows
/// all of them is not fooled.
#[test]
fn a_reader_who_knows_all_root_keys_needs_all_of_them() {
    let dir = Dir::new("roots");
    let world =
        protocol::evidence::file::read(&std::fs::read(vector("evidence-world.zip")).unwrap())
            .unwrap();
    let text = world.registries[0]
        .text()
        .lines()
        .nth(1)
        .unwrap()
        .to_string();
    let registry: Value = serde_json::from_str(&text).unwrap();
    let roots: Vec<&str> = registry["roots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_str().unwrap())
        .collect();
    let file = vector("evidence-world.zip").display().to_string();
    let one = dir.good(&["verify", &file, "--root", roots[0]]);
    assert!(
        one.contains("every check holds") && one.contains("trusted by 1 of the 2 root keys"),
        "{one}"
    );
    let both = dir.good(&["verify", &file, "--root", roots[0], "--root", roots[1]]);
    assert!(
        both.contains("every check holds") && !both.contains("trusted by"),
        "{both}"
    );
    assert!(both.contains("by registry version 1, sha256:"), "{both}");

    // Whoever holds one of two root keys writes another federation.
    federation(&dir);
    dir.good(&[
        "registry",
        "show",
        "registry-1.note",
        "--root",
        "a.vkey",
        "--root",
        "b.vkey",
    ]);
    let units = deploy("units/units.csv");
    let forge = [
        "registry",
        "new",
        "--root",
        "a.key",
        "--threshold",
        "1",
        "--units",
        &units,
        "140000.toml",
        "140300.toml",
        "140321.toml",
    ];
    dir.good(
        &[
            &forge[..],
            &["--since", "2023-01", "--skip-keyless", "-o", "forged.note"],
        ]
        .concat(),
    );
    dir.good(&["registry", "show", "forged.note", "--root", "a.vkey"]);
    dir.run(&[
        "registry",
        "show",
        "forged.note",
        "--root",
        "a.vkey",
        "--root",
        "b.vkey",
    ])
    .refused(1, &["registry"]);
}

/// Whoever gives another root key first learns to look at that, and not at the file's maker.
#[test]
fn a_wrong_root_key_is_asked_for_first() {
    let dir = Dir::new("wrong-root");
    dir.good(&["key", "new", "a.key", "--name", "root"]);
    dir.write("a.vkey", &dir.good(&["key", "show", "a.key"]));
    let file = vector("evidence-world.zip").display().to_string();
    let answer = dir.run(&["verify", &file, "--root", "a.vkey"]);
    answer.refused(
        1,
        &[
            "evidence.registry",
            "请先核对 `--root`",
            "is `--root` the publisher's key",
        ],
    );
}

/// A disclosure alone shows some log that the unit signed; beside the evidence it is the reported
/// one.
#[test]
fn a_disclosure_is_compared_with_the_evidence() {
    let dir = Dir::new("disclosed");
    let record: Value =
        serde_json::from_slice(&std::fs::read(vector("record.json")).unwrap()).unwrap();
    let root = record["root_vkey"].as_str().unwrap();
    dir.write("d.json", &record["disclosure"].to_string());
    let alone = dir.good(&["verify", "d.json", "--root", root]);
    assert!(
        alone.contains("Not compared with what was reported"),
        "{alone}"
    );
    let world = vector("evidence-world.zip").display().to_string();
    let beside = dir.good(&["verify", "d.json", "--evidence", &world, "--root", root]);
    assert!(
        beside.contains("in the log that the unit reported from")
            && beside.contains("no later statement"),
        "{beside}"
    );
    let small = vector("evidence-small.zip").display().to_string();
    dir.run(&["verify", "d.json", "--evidence", &small, "--root", root])
        .refused(1, &["disclosure.other"]);
    let bad = vector("refuse/month-far-ahead.zip").display().to_string();
    dir.run(&["verify", "d.json", "--evidence", &bad, "--root", root])
        .refused(1, &["disclosure.evidence"]);
    dir.run(&[
        "verify",
        "d.json",
        "--evidence",
        "missing.zip",
        "--root",
        root,
    ])
    .refused(1, &["missing.zip"]);
}

#[test]
fn directories_are_never_made_by_checks() {
    let dir = Dir::new("fsck");
    std::fs::create_dir(dir.path("data")).unwrap();
    dir.run(&["fsck", "data"]).refused(1, &["fsck.data"]);
    dir.good(&["key", "unit", "keys", "--unit", "140321"]);
    dir.good(&["key", "new", "a.key", "--name", "root"]);
    dir.write("a.vkey", &dir.good(&["key", "show", "a.key"]));
    dir.run(&[
        "audit", "recheck", "--data", "data", "--keys", "keys", "--root", "a.vkey",
    ])
    .refused(1, &["recheck.data"]);
    assert_eq!(std::fs::read_dir(dir.path("data")).unwrap().count(), 0);

    // A journal that another process has open is left alone, and whole bytes are told from damaged
    // ones.
    let mut journal = node::journal::Journal::open(&dir.path("data")).unwrap();
    let entry = node::journal::Entry {
        kind: 1,
        public: b"a statement".to_vec(),
        sealed: None,
    };
    journal.append(&[entry.clone(), entry]).unwrap();
    dir.run(&["fsck", "data"])
        .refused(1, &["journal.locked", "in use"]);
    dir.run(&[
        "audit", "recheck", "--data", "data", "--keys", "keys", "--root", "a.vkey",
    ])
    .refused(1, &["journal.locked"]);
    drop(journal);
    let sound = dir.json(&["fsck", "data"]);
    assert_eq!(
        (&sound["entries"], &sound["guard"]),
        (&2.into(), &Value::Null)
    );
    let segment = dir.path("data/journal/000000000000.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let whole = bytes.clone();
    // An unfinished write behind what was acknowledged is no damage; a bad end before it is.
    std::fs::write(&segment, [&whole[..], b"torn"].concat()).unwrap();
    let torn = dir.json(&["fsck", "data"]);
    assert_eq!(
        (&torn["entries"], &torn["torn"]["bytes"]),
        (&2.into(), &4.into())
    );
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    dir.run(&["fsck", "data"]).refused(
        1,
        &["journal.end_missing", "2 were acknowledged: 2 are missing"],
    );
    let given_up = dir.json(&["fsck", "data", "--give-up"]);
    assert_eq!(given_up["given_up"]["acknowledged"], 2);
    assert_eq!(dir.json(&["fsck", "data"])["entries"], 0);
    assert!(dir.json(&["fsck", "data", "--give-up"])["given_up"].is_null());
    std::fs::write(&segment, &whole).unwrap();
    bytes = whole;
    bytes[20] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    dir.run(&["fsck", "data"]).refused(1, &["journal."]);
}

#[test]
fn a_node_that_is_not_there_is_told_and_tokens_are_not() {
    let dir = Dir::new("api");
    dir.run(&["status"]).refused(2, &["COUNTERSIGN_NODE"]);
    dir.run(&["status", "--node", "http://127.0.0.1:1"])
        .refused(2, &["COUNTERSIGN_TOKEN"]);
    dir.run(&["status", "--node", "127.0.0.1:1", "--token", "secret-token"])
        .refused(2, &["http://"]);
    let answer = dir.run(&[
        "status",
        "--node",
        "http://127.0.0.1:1",
        "--token",
        "secret-token",
    ]);
    answer.refused(1, &["api.unreachable"]);
    assert!(!answer.err().contains("secret-token"));
    let error = dir.json(&[
        "status",
        "--node",
        "http://127.0.0.1:1",
        "--token",
        "secret-token",
    ]);
    assert_eq!(error["error"]["code"], "api.unreachable");
    dir.write("events.csv", "occurred_on\n");
    let import = [
        "import",
        "events.csv",
        "--node",
        "http://127.0.0.1:1",
        "--token",
        "secret-token",
    ];
    dir.run(&import).refused(2, &["which event type"]);
    dir.run(&[
        "correct",
        "1",
        "--reason",
        "typing",
        "--node",
        "http://127.0.0.1:1",
        "--token",
        "t",
    ])
    .refused(2, &["--set"]);
}

/// A node that answers one request after the other with these, and then is gone.
fn answers(list: &'static [(&'static str, &'static str)]) -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (status, body) in list {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut bytes = 0;
            for line in reader.by_ref().lines().map_while(Result::ok) {
                if let Some(n) = line.to_lowercase().strip_prefix("content-length: ") {
                    bytes = n.parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            reader.read_exact(&mut vec![0; bytes]).unwrap();
            let size = body.len();
            let heading = format!("HTTP/1.1 {status} x\r\ncontent-length: {size}\r\n");
            write!(stream, "{heading}connection: close\r\n\r\n{body}").unwrap();
        }
    });
    url
}

const KNOWN: &str = r#"{"recorded":[],"accepted":false,"known":true,"faults":[],
    "skipped":[{"row":2,"reason":"recorded","index":5}],
    "counts":{"rows":1,"recorded":0,"skipped":1,"refused":0,"faulty":0}}"#;
const WRONG: &str = r#"{"recorded":[],"accepted":false,"known":false,"faults":[
    {"row":3,"code":"date.form","zh":"日期","en":"the day"}],
    "skipped":[{"row":2,"reason":"recorded","index":5}],
    "counts":{"rows":2,"recorded":0,"skipped":1,"refused":1,"faulty":1}}"#;
const EMPTY: &str = r#"[{"code":"file.empty","zh":"没有行","en":"no row"}]"#;
const RECORDED: &str = r#"{"recorded":[{"row":2,"id":"x","index":7,"period":"2023-03","late":null}],
    "accepted":true,"known":false,"faults":[]}"#;

#[test]
fn an_import_that_was_broken_off_goes_on_where_it_was() {
    let dir = Dir::new("import");
    for name in ["1-E06.csv", "2-E06.csv", "3-E06.csv"] {
        dir.write(name, "attended,occurred_on\n3,2023-03-05\n");
    }
    let import = |url: &str, first: &[&str]| {
        let files = ["1-E06.csv", "2-E06.csv", "3-E06.csv"];
        let node = ["--node", url, "--token", "t"];
        dir.run(&[first, &["import"], &files[..], &node[..]].concat())
    };
    let url = answers(&[("422", KNOWN), ("200", RECORDED), ("200", RECORDED)]);
    let answer = import(&url, &[]);
    assert_eq!(answer.code(), 0, "{}{}", answer.out(), answer.err());
    let out = answer.out();
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("– 1-E06.csv: 此前都已录入，略过"),
        "{out}"
    );
    let rows = "  共 1 行：录入 0，略过 1 (此前已录入 1)，未录入 0（有误 0）";
    assert!(lines[1].starts_with(rows), "{out}");
    assert!(lines[4].starts_with("✓ 3-E06.csv"), "{out}");
    // Nor does one wait for a file that is refused; that is told, and is no success.
    for refused in [EMPTY, WRONG] {
        let list = vec![("422", refused), ("200", RECORDED), ("200", RECORDED)];
        let url = answers(Box::leak(list.into_boxed_slice()));
        let answer = import(&url, &["--json"]);
        let value: Value = serde_json::from_str(&answer.out()).unwrap();
        let accepted = |at: usize| value["files"][at]["result"]["accepted"].clone();
        let of_all = [0, 1, 2].map(accepted);
        assert_eq!(
            (answer.code(), of_all),
            (1, [false, true, true].map(Value::from))
        );
    }
}

/// What can be recorded, with which columns, and an empty file for it.
#[test]
fn a_clerk_sees_the_columns_and_gets_a_template() {
    let dir = Dir::new("template");
    let catalogue = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/catalogue");
    let run = |args: &[&str]| dir.run(&[args, &["--catalogue", catalogue]].concat());
    let shown = run(&["catalogue", "show", "E16"]);
    assert_eq!(shown.code(), 0, "{}", shown.err());
    for word in [
        "实现就业",
        "月工资(元)",
        "按比例 (quota)",
        "发生日期",
        "I011",
    ] {
        assert!(shown.out().contains(word), "{word}: {}", shown.out());
    }
    let shown = run(&["catalogue", "show", "I011"]);
    assert!(shown.out().contains("E16 实现就业"), "{}", shown.out());
    let listed = run(&["catalogue", "show"]);
    assert!(listed.out().contains("残疾人建档") && listed.out().contains("I118"));
    run(&["catalogue", "show", "E99"]).refused(1, &["E99"]);
    let written = run(&["template", "E16", "-o", "E16.csv"]);
    assert_eq!(written.code(), 0, "{}", written.err());
    let text = std::fs::read_to_string(dir.path("E16.csv")).unwrap();
    assert!(
        text.starts_with("\u{feff}发生日期,身份证号,就业登记号"),
        "{text}"
    );
    // What is there already may be filled in.
    run(&["template", "E16", "-o", "E16.csv"]).refused(1, &["E16.csv"]);
    let all = run(&["template", "--all", "-o", "all"]);
    assert_eq!(all.code(), 0, "{}", all.err());
    let bytes = std::fs::read(dir.path("all").join("E16 实现就业.xlsx")).unwrap();
    assert!(bytes.starts_with(b"PK"));
    assert!(!dir.path("all").join("E90.xlsx").exists());
}

const PREVIEW: &str = r#"{"period":"2023-03","revision":1,"kinds":[
    {"code":"E16","zh":"实现就业","en":"Hired","recorded":0,"late":0,"voided":0,"last_month":4}],
    "recounted":0,"figures":[{"id":"I011","zh":"新增就业","en":"New","measure":"人","now":{"value":3,
    "num":null,"den":null},"last_month":{"value":2,"num":null,"den":null},"last_year":null}],
    "rules":[],"missing":[],"refused":[],"signed":[],"faults":[]}"#;
const IN_THE_WAY: &str = r#"{"period":"2023-03","revision":1,"kinds":[],"recounted":0,"figures":[],
    "rules":[],"missing":[{"unit":"140322","name":"盂县","reason":null}],"refused":[],"signed":[],
    "faults":[{"code":"close.child","zh":"盂县","en":"it has no accepted report"}]}"#;
const CLOSED: &str = r#"{"period":"2023-03","revision":1,"verdicts":[],"digest":
    "sha256:0000000000000000000000000000000000000000000000000000000000000000"}"#;
const UNDONE: &str = r#"{"period":"2023-03","revision":1,"signed":["140321/li"],"digest":
    "sha256:0000000000000000000000000000000000000000000000000000000000000000"}"#;

/// A node that answers once: more than one request to it fails.
#[test]
fn a_close_is_shown_first_and_made_by_saying_so() {
    let dir = Dir::new("close");
    let close = |answer: &'static str, more: &[&str]| {
        let url = answers(Box::leak(vec![("200", answer)].into_boxed_slice()));
        let node = ["close", "2023-03", "--node", &url, "--token", "t"];
        dir.run(&[&node[..], more].concat())
    };
    let shown = close(PREVIEW, &[]);
    let out = shown.out();
    assert_eq!(shown.code(), 0, "{out}{}", shown.err());
    for said in [
        "E16",
        "0 !",
        "3 人",
        "2 人",
        "nothing was written",
        "close 2023-03 --yes",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
    let refused = close(IN_THE_WAY, &[]);
    let out = refused.out();
    assert_eq!(refused.code(), 1, "{out}{}", refused.err());
    assert!(
        out.contains("140322 盂县") && out.contains("close.child"),
        "{out}"
    );
    assert!(!out.contains("--yes"), "{out}");
    let closed = close(CLOSED, &["--yes"]);
    assert_eq!(closed.code(), 0, "{}", closed.err());
    assert!(closed.out().contains("已结账"), "{}", closed.out());
    let undone = close(UNDONE, &["--undo", "--discard-signatures"]);
    assert!(undone.out().contains("已撤销结账"), "{}", undone.out());
    assert!(undone.out().contains("140321/li"), "{}", undone.out());
    close(UNDONE, &["--undo", "--yes"]).refused(2, &["--undo"]);
}

const VOIDED: &str = r#"{"index":53,"of":"2023-02","period":"2023-03","resting":[54],
    "reported":{"period":"2023-02","revision":2,"submitted":true}}"#;

#[test]
fn a_void_tells_its_month_and_what_to_do_about_the_report() {
    let dir = Dir::new("void");
    let url = answers(&[("200", VOIDED)]);
    let text = dir.good(&[
        "void",
        "53",
        "--reason",
        "录入错误",
        "--node",
        &url,
        "--token",
        "t",
    ]);
    for said in [
        "从 2023-03 扣减",
        "第 54 号",
        "2023-02 第 2 次修订仍包含该记录",
        "退回",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// What the runbook tells people to copy is read by the programs that read it.
#[test]
fn the_examples_are_well_formed() {
    let dir = Dir::new("examples");
    let config = node::config::Config::load(Path::new(&deploy("examples/node.toml"))).unwrap();
    assert_eq!(
        (config.unit.as_str(), config.nats.is_some()),
        ("140321", true)
    );
    assert_eq!(config.data, Path::new("/var/lib/countersign/140321"));
    node::web::tokens::Tokens::load(Path::new(&deploy("examples/tokens"))).unwrap();
    dir.good(&["key", "new", "a.key", "--name", "root"]);
    let (units, card) = (deploy("units/units.csv"), deploy("examples/140321.toml"));
    let alone = [
        "registry",
        "new",
        "--root",
        "a.key",
        "--units",
        &units,
        &card,
        "--since",
        "2023-01",
        "--skip-keyless",
    ];
    dir.run(&alone)
        .refused(1, &["registry.unit", "parent that does not exist"]);
}

#[test]
fn a_code_is_explained_in_both_languages() {
    let dir = Dir::new("explain");
    let text = dir.good(&["explain", "close.child"]);
    let code = FaultCode::CloseChild;
    for words in [code.meaning(), code.cure()] {
        assert!(text.contains(words.zh) && text.contains(words.en), "{text}");
    }
    let json = dir.json(&["explain", "journal.no_space"]);
    assert_eq!(json["cure"]["en"], FaultCode::JournalNoSpace.cure().en);
    let verdict = dir.good(&["explain", "history.never-back"]);
    assert!(
        verdict.contains("of the check history (protocol/SPEC.md, section 8, step 6)"),
        "{verdict}"
    );
    let holds = dir.good(&["explain", "history.holds"]);
    assert!(holds.contains("nothing that contradicts"), "{holds}");
    let line = dir.good(&["explain", "authorship.every-line"]);
    assert!(line.contains("section 11, step 4"), "{line}");
    let receipt = dir.good(&["explain", "authorship.receipt"]);
    assert!(receipt.contains("section 9)"), "{receipt}");
    dir.run(&["explain", "close.moon"])
        .refused(2, &["knows no such code", "close.moon"]);
}

/// Every command and every group of commands shows an example.
#[test]
fn every_help_has_an_example() {
    let dir = Dir::new("help");
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let help = dir.good(&args);
        assert!(help.contains("Example"), "{path:?} has no example:\n{help}");
        seen += 1;
        let commands = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        for line in commands.lines().take_while(|l| !l.is_empty()) {
            let name = line.split_whitespace().next().unwrap();
            // Longer descriptions go on below, further to the right.
            if name != "help" && line.starts_with("  ") && !line.starts_with("   ") {
                open.push(path.iter().cloned().chain([name.to_string()]).collect());
            }
        }
    }
    assert!(seen > 40, "only {seen} help texts were found");
}

/// A province, two cities, and two counties below the first.
fn two_cities(dir: &Dir) {
    dir.good(&words("key new a.key --name root"));
    dir.write("a.vkey", &dir.good(&words("key show a.key")));
    let mut table = "id,name,tier,parent,vkey,witness\n".to_string();
    for (unit, tier, parent) in [
        ("140000", "province", ""),
        ("140300", "city", "140000"),
        ("140700", "city", "140000"),
        ("140302", "county", "140300"),
        ("140322", "county", "140300"),
    ] {
        let card = format!("{unit}.toml");
        dir.good(&words(&format!(
            "key unit {unit} --unit {unit} --card {card}"
        )));
        let card = dir.read(&card);
        let key = |name: &str| {
            let line = card.lines().find(|l| l.starts_with(name)).unwrap();
            line.split('"').nth(1).unwrap().to_string()
        };
        let (vkey, witness) = (key("vkey"), key("witness"));
        table.push_str(&format!(
            "{unit},Unit {unit},{tier},{parent},{vkey},{witness}\n"
        ));
    }
    dir.write("units.csv", &table);
    dir.good(&words(
        "registry new --root a.key --units units.csv --since 2023-01 -o registry-1.note",
    ));
}

const NEXT: &str = "registry next registry-1.note --root a.key";

/// A county is put under another city: by its changed file or by command, from a month on. A file
/// that differs is never passed over.
#[test]
fn a_unit_moves_from_a_month_on() {
    let dir = Dir::new("moves");
    two_cities(&dir);
    dir.write(
        "moved.toml",
        "[[unit]]\nid = \"140302\"\nname = \"城区\"\nparent = \"140700\"\n",
    );
    let by_file = |more: &str| dir.run(&words(&format!("{NEXT} --add moved.toml {more}")));
    by_file("").refused(1, &["registry.exists", "140302", "--from"]);
    let made = by_file("--from 2024-01 -o registry-2.note");
    assert_eq!(made.code(), 0, "{}", made.err());
    for told in [
        "140302 自 2024-01 起：名称 Unit 140302 → 城区，上级 140300 → 140700",
        "140302 from 2024-01 on: its name is 城区, not Unit 140302, it reports to 140700, not 140300",
    ] {
        assert!(made.err().contains(told), "{}", made.err());
    }
    let chain = words("registry show registry-1.note registry-2.note --root a.vkey");
    let shown = dir.json(&chain)["registry"].clone();
    assert_eq!(shown["from"], "2024-01");
    let unit = |id: &str| {
        let units = shown["units"].as_array().unwrap().iter();
        units.clone().find(|u| u["id"] == id).unwrap().clone()
    };
    let moved = unit("140302");
    assert_eq!(
        (&moved["parent"], &moved["former"][0]["parent"]),
        (&"140700".into(), &"140300".into())
    );
    assert_eq!(moved["former"][0]["until"], "2023-12");
    assert!(
        dir.good(&chain)
            .contains("until 2023-12 Unit 140302 below 140300")
    );
    // The same by command, where the file is not at hand.
    let command = "--from 2024-01 --move 140302 140700 --rename 140302 城区";
    let command = dir.json(&words(&format!("{NEXT} {command}")));
    let by_command = command["note"].as_str().unwrap().lines().nth(1).unwrap();
    assert_eq!(Some(by_command), dir.read("registry-2.note").lines().nth(1));
    // The next version cannot take it back from a month that is settled, nor leave its month out.
    let third = |more: &str| {
        let before = "registry next registry-1.note registry-2.note --root a.key";
        dir.run(&words(&format!("{before} {more}")))
    };
    third("--from 2023-12 --move 140302 140300").refused(1, &["registry.from", "2024-01"]);
    let back = third("--from 2024-01 --move 140302 140300 -o registry-3.note");
    assert_eq!(back.code(), 0, "{}", back.err());
    dir.run(&words(&format!("{NEXT} --move 140302 140700")))
        .refused(2, &["--from"]);
    dir.run(&words(&format!(
        "{NEXT} --from 2024-01 --move 140302 140322"
    )))
    .refused(1, &["registry.unit", "not of a higher tier"]);
}

/// A county is merged away: its last month is named once, and who carries on.
#[test]
fn a_unit_ends_with_a_month() {
    let dir = Dir::new("ends");
    two_cities(&dir);
    let ends = "--from 2023-03 --end 140322 --successor 140322 140302";
    let made = dir.run(&words(&format!("{NEXT} {ends} -o registry-2.note")));
    assert_eq!(made.code(), 0, "{}", made.err());
    for told in [
        "140322：最后一个月 2023-02，由 140302 承接",
        "140322 ends with 2023-02, carried on by 140302",
    ] {
        assert!(made.err().contains(told), "{}", made.err());
    }
    let chain = words("registry show registry-1.note registry-2.note --root a.vkey");
    assert!(dir.good(&chain).contains("until 2023-02 → 140302"));
    let refused = |more: &str, words_: &[&str]| {
        dir.run(&words(&format!("{NEXT} {more}")))
            .refused(1, words_);
    };
    // Its counties would be left behind: each is named.
    refused(
        "--from 2023-03 --end 140300",
        &["registry.unit", "unit 140302", "unit 140322"],
    );
    refused(
        "--from 2023-03 --end 140322 --successor 140322 140399",
        &["registry.unit", "names the successor 140399"],
    );
    dir.run(&words(&format!("{NEXT} --end 140322")))
        .refused(2, &["--from"]);
    dir.run(&words(&format!(
        "{NEXT} --from 2023-03 --successor 140322 140302"
    )))
    .refused(2, &["--end 140322"]);
}

/// Whatever is wrong is told at once, each with its unit, its field, its code and the cure.
#[test]
fn every_refused_change_is_named_at_once() {
    let dir = Dir::new("refused");
    two_cities(&dir);
    dir.good(&words("key unit strange --unit 140999 --card strange.toml"));
    let strange = dir.read("strange.toml");
    let line = strange.lines().find(|l| l.starts_with("vkey")).unwrap();
    let vkey = line.split('"').nth(1).unwrap().to_string();
    dir.write(
        "more.csv",
        "id,name,tier,since\n140302,,city,2023-02\n140303,新区,county,\n",
    );
    let wrong = format!(
        "{NEXT} --from 2024-01 --add more.csv --move 140999 140300 --move 140322 140302 \
         --end 140300 --successor 140322 140302 --rotate-key 140000 {vkey} --from-index 7 \
         --revoke 140700 {vkey} --at-index 9 --drop-root {vkey} --threshold 4"
    );
    let args = words(&wrong);
    let told = dir.run(&[&["--json"], &args[..]].concat());
    assert_eq!(told.code(), 1, "{}", told.out());
    let json: Value = serde_json::from_str(&told.out()).unwrap();
    let mut found: Vec<(String, String, String)> = Vec::new();
    for fault in json["error"]["faults"].as_array().unwrap() {
        let text = |name: &str| fault[name].as_str().unwrap_or_default().to_string();
        let (zh, en) = (text("zh"), text("en"));
        assert!(!zh.is_ascii() && en.is_ascii(), "{fault}");
        found.push((text("unit"), text("column"), text("code")));
    }
    found.sort();
    let mut expected = [
        ("", "--successor", "usage"),
        ("", "roots", "registry.key"),
        ("", "threshold", "registry.malformed"),
        ("", "units", "units.keyless"),
        ("140000", "keys", "registry.unit"),
        ("140700", "keys", "registry.key"),
        ("140302", "parent", "registry.unit"),
        ("140302", "since", "registry.exists"),
        ("140302", "tier", "registry.exists"),
        ("140303", "since", "units.incomplete"),
        ("140303", "vkey", "units.keyless"),
        ("140303", "witness", "units.keyless"),
        ("140322", "parent", "registry.unit"),
        ("140999", "--move", "registry.unit"),
    ]
    .map(|(unit, field, code)| (unit.to_string(), field.to_string(), code.to_string()));
    expected.sort();
    assert_eq!(found, expected);
    // People see the same as a table, and nothing was made.
    let told = dir.run(&args);
    told.refused(1, &["140303", "units.incomplete", "单位 140999 不在名录中"]);
    assert!(!dir.path("registry-2.note").exists());
    // What is settled does not hide what else is wrong.
    dir.good(&words(&format!(
        "{NEXT} --from 2024-01 --move 140302 140700 -o registry-2.note"
    )));
    dir.run(&words(
        "registry next registry-1.note registry-2.note --root a.key --from 2023-10 \
         --move 140302 140300 --end 140322",
    ))
    .refused(1, &["registry.from", "unit 140322 has another"]);
}

/// A line of a note names its key by these two only.
#[test]
fn a_second_key_of_one_name_and_key_id_is_refused() {
    const ONE: &str = "root-c+ad7b0400+ASTSMqbz+dB9UPHOTUkyfwK7RFDh9aKjpCKnilh6Zh2W";
    const OTHER: &str = "root-c+ad7b0400+ARqoQF2Hf/PNT7z4kKai+t8n/1u2SbsHlM1nOROvKcSj";
    let dir = Dir::new("key-id");
    two_cities(&dir);
    dir.run(&words(&format!(
        "{NEXT} --add-root {ONE} --add-root {OTHER}"
    )))
    .refused(1, &["registry.key_id", "roots", "密钥编号相同", OTHER]);
    dir.good(&words(&format!(
        "{NEXT} --add-root {ONE} -o registry-2.note"
    )));
    let next = "registry next registry-1.note registry-2.note --root a.key";
    dir.run(&words(&format!(
        "{next} --drop-root {ONE} --add-root {OTHER}"
    )))
    .refused(1, &["registry.key_id", ONE, OTHER]);
    dir.good(&words(&format!(
        "{next} --drop-root {ONE} -o registry-3.note"
    )));
}

/// What cannot be changed so is said, and not passed over.
#[test]
fn a_changed_file_of_a_known_unit_is_never_passed_over() {
    let dir = Dir::new("known");
    two_cities(&dir);
    let refused = |row: &str, words_: &[&str]| {
        let heading = "id,name,tier,parent,since,vkey,witness\n";
        dir.write("more.csv", &format!("{heading}{row}\n"));
        let add = format!("{NEXT} --add more.csv --from 2024-01");
        dir.run(&words(&add)).refused(1, words_);
    };
    refused("140302,,city,,,,", &["registry.exists", "another tier"]);
    refused("140302,,,,2023-02,,", &["registry.exists", "first month"]);
    dir.good(&words("key new other.key --name 140302"));
    let vkey = dir.good(&words("key show other.key"));
    refused(
        &format!("140302,,,,,{vkey},"),
        &["registry.exists", "--rotate-key"],
    );
    dir.write("same.csv", "id,name\n140302,Unit 140302\n");
    dir.run(&words(&format!("{NEXT} --add same.csv")))
        .refused(2, &["nothing changes"]);
}

/// A file of units that was not corrected after a change does not undo it by the way.
#[test]
fn an_old_file_of_units_moves_nobody_back() {
    let dir = Dir::new("old-file");
    two_cities(&dir);
    dir.good(&words(&format!(
        "{NEXT} --from 2024-01 --move 140302 140700 --rename 140302 District -o registry-2.note"
    )));
    let next = "registry next registry-1.note registry-2.note --root a.key";
    for month in ["", " --from 2024-07"] {
        let add = format!("--json {next} --add units.csv{month}");
        let told = dir.run(&words(&add));
        let json: Value = serde_json::from_str(&told.out()).unwrap();
        let faults = json["error"]["faults"].as_array().unwrap();
        let fields: Vec<_> = faults
            .iter()
            .map(|f| f["column"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["name", "parent"], "{json}");
        for fault in faults {
            let (zh, en) = (fault["zh"].as_str().unwrap(), fault["en"].as_str().unwrap());
            let file = (zh.find("文件").unwrap(), en.find("file").unwrap());
            let option = (zh.find("--").unwrap(), en.find("--").unwrap());
            assert!(
                file.0 < option.0 && file.1 < option.1,
                "the file first: {fault}"
            );
        }
    }
    // Who is to go back does, by saying so; and what is new is taken from a file.
    dir.good(&words(&format!(
        "{next} --from 2024-07 --move 140302 140300 -o registry-3.note"
    )));
    dir.write("new.csv", "id,name\n140302,New District\n");
    dir.good(&words(&format!(
        "{next} --from 2024-07 --add new.csv -o other-3.note"
    )));
}

/// A witness key is replaced from a moment on, and the old one kept.
#[test]
fn a_witness_key_is_rotated() {
    let dir = Dir::new("witness");
    two_cities(&dir);
    dir.good(&words("key unit again --unit 140300 --card again.toml"));
    let card = dir.read("again.toml");
    let line = card.lines().find(|l| l.starts_with("witness")).unwrap();
    let witness = line.split('"').nth(1).unwrap();
    dir.write("again.csv", &format!("id,witness\n140300,{witness}\n"));
    dir.run(&words(&format!("{NEXT} --add again.csv")))
        .refused(1, &["registry.exists", "--rotate-witness"]);
    let rotate = format!("{NEXT} --rotate-witness 140300 {witness}");
    dir.run(&words(&rotate)).refused(2, &["--from-time"]);
    let made = dir.json(&words(&format!(
        "{rotate} --from-time 2024-01-15T00:00:00Z -o registry-2.note"
    )));
    let told = made["changes"][0]["en"].as_str().unwrap();
    assert!(told.contains("140300: new witness key"), "{told}");
    let chain = words("registry show registry-1.note registry-2.note --root a.vkey");
    let shown = dir.json(&chain)["registry"].clone();
    let city = &shown["units"][1];
    assert_eq!(city["witness"], witness);
    assert_eq!(city["former_witnesses"][0]["until"], "2024-01-15T00:00:00Z");
}

/// Who has moved may use both ways of the transport, where the registry says that it has.
#[test]
fn nats_keeps_the_former_way_of_a_moved_unit() {
    let dir = Dir::new("ways");
    two_cities(&dir);
    dir.good(&words(&format!(
        "{NEXT} --from 2024-01 --move 140302 140700 -o registry-2.note"
    )));
    let mut table = "id,parent,nkey\n".to_string();
    for (unit, parent) in [
        ("140000", ""),
        ("140300", "140000"),
        ("140700", "140000"),
        ("140302", "140700"),
    ] {
        let nkey = dir.good(&words(&format!("nats user {unit}.seed")));
        table.push_str(&format!("{unit},{parent},{nkey}\n"));
    }
    dir.write("nkeys.csv", &table);
    let admin = dir.good(&words("nats user admin.seed"));
    let config = format!("nats config --units nkeys.csv --admin {admin} --store-dir store");
    let old_way = "cs.v1.up.140000.140300.140302.rollup";
    let new_way = "cs.v1.up.140000.140700.140302.rollup";
    let alone = dir.good(&words(&config));
    assert!(alone.contains(new_way) && !alone.contains(old_way));
    let both = dir.good(&words(&format!("{config} --registry registry-2.note")));
    assert!(both.contains(new_way) && both.contains(old_way), "{both}");
}
