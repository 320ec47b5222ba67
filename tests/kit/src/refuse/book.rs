//! The manifest: what is refused, by which check, and what it says; and honest controls.

use std::collections::BTreeSet;

use protocol::evidence::disclosure::{self, Disclosure};
use protocol::evidence::{Evidence, file, report};
use protocol::note::VerifierKey;
use serde::Serialize;

use super::making::evidence_of;
use crate::Case;

pub(super) const AUTHORSHIP: &str = "authorship";
pub(super) const ARITHMETIC: &str = "arithmetic";
pub(super) const HISTORY: &str = "history";
pub(super) const BINDING: &str = "binding";
/// The file is refused as a whole, before any check of a rollup could be named.
pub(super) const UNREADABLE: &str = "unreadable";

/// One line of the manifest.
#[derive(Serialize)]
pub struct Entry {
    pub file: String,
    pub root: String,
    pub case: String,
    pub expect: &'static str,
    /// Checks that fail as well, because what was done contradicts them, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<&'static str>,
    pub detail: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_cel: bool,
}

/// An honest file of the same making: it holds.
#[derive(Serialize)]
pub struct Control {
    pub file: String,
    pub root: String,
    pub case: String,
    /// A statement's signature holds with the cofactor only (SPEC 1): libraries without it refuse
    /// this one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cofactor: bool,
}

pub struct Book {
    pub(super) root: VerifierKey,
    pub refused: Vec<(Entry, Vec<u8>)>,
    pub controls: Vec<(Control, Vec<u8>)>,
}

impl Book {
    pub(super) fn add(
        &mut self,
        file: &str,
        case: &str,
        expect: &'static str,
        detail: &str,
        bytes: Vec<u8>,
    ) -> &mut Entry {
        let root = self.root.to_string();
        let entry = Entry {
            file: file.into(),
            root,
            case: case.into(),
            expect,
            also: vec![],
            detail: detail.into(),
            needs_cel: false,
        };
        self.refused.push((entry, bytes));
        &mut self.refused.last_mut().unwrap().0
    }
    pub(super) fn evidence(
        &mut self,
        name: &str,
        case: &str,
        expect: &'static str,
        detail: &str,
        e: &Evidence,
    ) -> &mut Entry {
        self.add(
            &format!("{name}.zip"),
            case,
            expect,
            detail,
            file::write(e).unwrap(),
        )
    }
    pub(super) fn case(
        &mut self,
        name: &str,
        case: &str,
        expect: &'static str,
        detail: &str,
        c: &Case<'_>,
    ) -> &mut Entry {
        self.evidence(name, case, expect, detail, &evidence_of(c))
    }
    pub(super) fn control(&mut self, file: &str, case: &str, bytes: Vec<u8>) {
        self.controls.push((
            Control {
                file: file.into(),
                root: self.root.to_string(),
                case: case.into(),
                cofactor: false,
            },
            bytes,
        ));
    }

    /// The control added last has a signature that holds with the cofactor only.
    pub(super) fn with_cofactor(&mut self) {
        if let Some((control, _)) = self.controls.last_mut() {
            control.cofactor = true;
        }
    }

    /// Name and bytes of each file, the manifests among them.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        // One case a line, so that a change of one is a change of one line.
        fn lines<'a, T: Serialize + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<u8> {
            let lines: Vec<String> = all.map(|e| serde_json::to_string(e).unwrap()).collect();
            format!("[\n{}\n]\n", lines.join(",\n")).into_bytes()
        }
        let mut files: Vec<(String, Vec<u8>)> = self
            .refused
            .iter()
            .map(|(e, b)| (e.file.clone(), b.clone()))
            .collect();
        files.extend(
            self.controls
                .iter()
                .map(|(c, b)| (c.file.clone(), b.clone())),
        );
        files.push((
            "manifest.json".into(),
            lines(self.refused.iter().map(|(e, _)| e)),
        ));
        files.push((
            "controls.json".into(),
            lines(self.controls.iter().map(|(c, _)| c)),
        ));
        let names: BTreeSet<&String> = files.iter().map(|(n, _)| n).collect();
        assert_eq!(names.len(), files.len(), "a name stands twice");
        files
    }
}

impl Entry {
    pub(super) fn also(&mut self, checks: &[&'static str]) -> &mut Entry {
        self.also = checks.to_vec();
        self
    }
    pub(super) fn cel(&mut self) {
        self.needs_cel = true;
    }
}

/// Which checks fail, and what each says. Empty where the file holds.
pub fn outcome(name: &str, bytes: &[u8], root: &VerifierKey) -> Vec<(String, String)> {
    let unreadable = |e: String| vec![(UNREADABLE.to_string(), e)];
    if name.ends_with(".json") {
        let read: Result<Disclosure, _> = serde_json::from_slice(bytes);
        return match read
            .map_err(|e| e.to_string())
            .and_then(|d| disclosure::verify(&d, root).map_err(|e| e.to_string()))
        {
            Ok(_) => vec![],
            Err(e) => unreadable(e),
        };
    }
    match file::read(bytes)
        .map_err(|e| e.to_string())
        .and_then(|e| report::verify(&e, root).map_err(|e| e.to_string()))
    {
        Err(e) => unreadable(e),
        Ok(r) => {
            assert!(
                r.holds() != r.failures().any(|_| true),
                "{name}: no unit at all"
            );
            r.failures()
                .map(|(_, _, v)| (v.check.to_string(), v.detail.clone()))
                .collect()
        }
    }
}
