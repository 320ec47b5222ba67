//! Keys of the unit's people: enrolled and revoked in the unit's log, signed by the node.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use protocol::count::{Fields, Value};
use protocol::note::VerifierKey;
use protocol::person::Role;
use protocol::statement::{self, Body};

use super::Recording;
use crate::books::Books;
use crate::desk::month::no_registry;
use crate::desk::sealing::{Content, UnsignedStatement};
use crate::fault::{FaultCode, Faults};

impl Recording<'_> {
    /// A statement about the log itself.
    fn operator(&mut self, enrol: bool, fields: Fields) -> Result<u64, Faults> {
        let id = self.id()?;
        let event = if enrol {
            statement::OPERATOR_ENROLLED
        } else {
            statement::OPERATOR_REVOKED
        };
        let counts = BTreeMap::new();
        Ok(self.push(UnsignedStatement {
            from: None,
            head: self.head(id, event),
            content: Content::Public(Body::Clear { fields, counts }, None),
            subject: None,
            same: None,
        }))
    }
}

/// Enrols an operator's key in the unit's log, signed by the node.
///
/// # Errors
/// A key of another unit, unknown roles, a name that holds a key already, or a key that no reader
/// of the log would take: not for signing, or held under another name or by the node, now or before.
pub fn enrol(
    books: &mut Books,
    vkey: &VerifierKey,
    roles: &[Role],
    now: DateTime<Utc>,
) -> Result<u64, Faults> {
    let refuse = |zh: &str, en: &str| Err(Faults::one(FaultCode::OperatorEnrol, zh, en));
    if !protocol::person::is_operator_of(vkey.name(), books.unit()) {
        return refuse(
            "密钥名称应为“单位代码/姓名代号”",
            "the key's name is <unit>/<name>",
        );
    }
    if roles.is_empty() {
        return refuse("至少一个角色", "at least one role");
    }
    let log = books.log().ok_or_else(no_registry)?;
    let held = [Role::Recorder, Role::Preparer, Role::Reviewer, Role::Head]
        .into_iter()
        .any(|r| log.operator(vkey.name(), r, log.len()).is_some());
    if held {
        return refuse(
            "该人员已登记;请先撤销旧密钥",
            "this name holds a key already; revoke the old one first",
        );
    }
    let of_node = books.me().into_iter().flat_map(|me| &me.keys);
    if of_node
        .into_iter()
        .any(|k| k.vkey.public() == vkey.public())
    {
        return refuse(
            "这是本单位节点的密钥；每人须有自己的密钥",
            "this is a key of the unit's node; each person has a key of their own",
        );
    }
    let roles: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
    let fields = Fields::from([
        ("vkey".into(), Value::Text(vkey.to_string())),
        ("roles".into(), Value::Text(roles.join(","))),
    ]);
    operator_statement(books, true, fields, now)
}

/// Revokes an operator's key from now on.
///
/// # Errors
/// A key that is not held.
pub fn revoke(books: &mut Books, vkey: &VerifierKey, now: DateTime<Utc>) -> Result<u64, Faults> {
    let log = books.log().ok_or_else(no_registry)?;
    let roles = [Role::Recorder, Role::Preparer, Role::Reviewer, Role::Head];
    if !roles
        .into_iter()
        .any(|r| log.operator(vkey.name(), r, log.len()).as_ref() == Some(vkey))
    {
        return Err(Faults::one(
            FaultCode::OperatorRevoke,
            "没有登记这个密钥",
            "this key is not enrolled",
        ));
    }
    let fields = Fields::from([("vkey".into(), Value::Text(vkey.to_string()))]);
    operator_statement(books, false, fields, now)
}

fn operator_statement(
    books: &mut Books,
    enrol: bool,
    fields: Fields,
    now: DateTime<Utc>,
) -> Result<u64, Faults> {
    if let Some(fault) = books.node_key().fault() {
        return Err(fault.into());
    }
    let mut recording = Recording::begin(books, None, now)?;
    let index = recording.operator(enrol, fields)?;
    let entries = recording.finish()?;
    let log = books.log().ok_or_else(no_registry)?;
    let written = entries.iter().filter_map(|entry| entry.written.as_ref());
    // The key's algorithm, who else holds it, its key id: as every reader of the log reads it.
    let mut problems = written.filter_map(|(_, written)| log.contradicts_next(&written.statement));
    if let Some(problem) = problems.next() {
        let code = if enrol {
            FaultCode::OperatorEnrol
        } else {
            FaultCode::OperatorRevoke
        };
        return Err(Faults::one(code, problem.zh(), problem.to_string()));
    }
    books.commit(entries)?;
    Ok(index)
}
