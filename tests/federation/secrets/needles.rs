//! What must not be found: every secret, in every form that it could have.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use countersign_demo::ledger::Sheet;
use countersign_demo::world::{Member, World};
use node::books::Books;
use protocol::period::Month;

/// Byte strings to look for, by name.
#[derive(Default)]
pub struct Needles {
    /// What it is, and the bytes.
    pub list: Vec<(String, Vec<u8>)>,
    /// By their first bytes, so that a haystack is walked once.
    by_start: HashMap<[u8; 8], Vec<usize>>,
}

impl Needles {
    pub fn add(&mut self, what: String, bytes: Vec<u8>) {
        let start = *bytes
            .first_chunk::<8>()
            .unwrap_or_else(|| panic!("{what} is too short to look for"));
        self.by_start
            .entry(start)
            .or_default()
            .push(self.list.len());
        self.list.push((what, bytes));
    }
    /// A secret of any kind.
    pub fn secret(&mut self, what: &str, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for (form, text) in [
            ("hex", hex.clone()),
            ("HEX", hex.to_uppercase()),
            ("a list", numbers.join(", ")),
            ("a short list", numbers.join(",")),
        ] {
            self.add(format!("{what} as {form}"), text.into_bytes());
        }
        for offset in 0..3 {
            // Characters that depend on neighbours are left away at both ends.
            let padded = [&[0; 2][..offset], bytes].concat();
            let (from, to) = ([0, 2, 3][offset], padded.len() * 8 / 6);
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                self.add(
                    format!("{what} as base64 at {offset}"),
                    engine.encode(&padded).as_bytes()[from..to].to_vec(),
                );
            }
        }
        self.add(what.to_string(), bytes.to_vec());
    }
    pub fn text(&mut self, what: &str, text: &str) {
        self.secret(what, text.as_bytes());
        if !text.is_ascii() {
            let escaped: String = text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
            self.add(format!("{what} as JSON escapes"), escaped.into_bytes());
        }
    }
    pub fn found(&self, hay: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (at, start) in hay.windows(8).enumerate() {
            let Some(candidates) = self.by_start.get(start) else {
                continue;
            };
            found.extend(
                candidates
                    .iter()
                    .filter(|n| hay[at..].starts_with(&self.list[**n].1))
                    .map(|n| self.list[*n].0.as_str()),
            );
        }
        found
    }
}

/// The 32 secret bytes of a signing key's file.
fn seed_of(file: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(file).unwrap();
    let data = text.trim().splitn(5, '+').last().unwrap();
    let data = STANDARD.decode(data).unwrap();
    assert_eq!(data.len(), 33, "algorithm and seed");
    data[1..].to_vec()
}

impl Needles {
    /// The tokens of all people, and the keys of these units.
    pub fn of_world(world: &World, units: &[&str]) -> Needles {
        let mut needles = Needles::default();
        for member in &world.members {
            for (name, token) in &member.tokens {
                needles.text(&format!("the token of {}/{name}", member.id), token);
            }
        }
        for unit in units {
            needles.keys_of(world.member(unit).unwrap());
        }
        needles.secret("root.key", &seed_of(&world.dir.join("root.key")));
        needles.text("the operator's seed", &world.nats_admin);
        needles
    }

    fn keys_of(&mut self, m: &Member) {
        let (unit, keys) = (&m.id, m.dir.join("keys"));
        for name in ["node", "witness", "luru"] {
            let seed = seed_of(&keys.join(format!("{name}.key")));
            self.secret(&format!("{name}.key of {unit}"), &seed);
        }
        for name in ["tianbiao", "tongji", "fuzeren"] {
            self.secret(&format!("{name}'s key at {unit}"), &seed_of(&m.key(name)));
        }
        let vault = std::fs::read_to_string(keys.join("vault.key")).unwrap();
        let vault = vault.trim().rsplit(' ').next().unwrap();
        let byte = |n: usize| u8::from_str_radix(&vault[2 * n..2 * n + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..32).map(byte).collect();
        self.secret(&format!("vault.key of {unit}"), &bytes);
        let nats = std::fs::read_to_string(m.dir.join("nats.seed")).unwrap();
        self.text(&format!("nats.seed of {unit}"), nats.trim());
    }

    /// Salts, blindings and the month's secret, which are known only after the month.
    pub fn of_the_month(&mut self, books: &Books, month: Month) {
        let key = books.period_key(month).unwrap();
        let mut salts = 0;
        for index in 0..books.log().unwrap().len() {
            let (statement, payload) = books.statement(index).unwrap();
            let Some(record) = payload.and_then(|p| p.record.clone()) else {
                continue;
            };
            let record = serde_json::to_value(&record).unwrap();
            for field in record["fields"].as_array().unwrap() {
                let salt = STANDARD.decode(field[0].as_str().unwrap()).unwrap();
                self.secret("a salt", &salt);
                salts += 1;
            }
            let blinding = key.blinding(&statement.id.to_string());
            self.secret("a blinding", blinding.as_bytes());
        }
        self.secret("the month's secret", key.as_bytes());
        assert!(salts > 500, "{salts}");
    }

    /// The control: what is planted is found, in every form and in the middle of anything.
    pub fn are_found_where_they_are(&self, token: &str, vault: &Path) {
        for (what, bytes) in self.list.iter().step_by(97) {
            let hay = [b"something before ", &bytes[..], b" and after"].concat();
            assert!(self.found(&hay).contains(what.as_str()), "{what}");
        }
        let planted = STANDARD.encode(format!("{{\"token\":\"{token}\"}}"));
        assert!(
            !self.found(planted.as_bytes()).is_empty(),
            "inside base64 of something larger"
        );
        let vault = std::fs::read(vault).unwrap();
        assert!(!self.found(&vault).is_empty(), "and where it belongs");
    }
}

/// The personal fields of these files: numbers, telephones, names.
pub fn personal_fields(sheets: &[Sheet]) -> BTreeSet<String> {
    let mut personal = BTreeSet::new();
    for sheet in sheets {
        for row in 0..sheet.rows.len() {
            for column in ["id_no", "cert_no", "phone"] {
                let long = sheet.cell(row, column).filter(|v| v.len() >= 8);
                personal.extend(long.map(|v| v[..v.len().min(18)].to_string()));
            }
            if sheet.event == "E01" {
                personal.extend(sheet.cell(row, "name").map(str::to_string));
            }
        }
    }
    assert!(
        personal.iter().any(|p| p.starts_with("999999"))
            && personal.iter().any(|p| !p.is_ascii())
            && personal.len() > 50
    );
    personal
}
