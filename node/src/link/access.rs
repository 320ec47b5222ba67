//! Who may say and hear what: one definition, used three times. The operator writes it into the
//! server's accounts and consumers, a node checks it before it sends, and the in-memory hub routes
//! by it.
//!
//! A unit publishes under its own path, answers its own children, and broadcasts to its
//! descendants. It reads what its descendants send, what its ancestors broadcast, and the receipts
//! addressed to it. It administers nothing: streams and consumers are the operator's, who keeps a
//! program running for them (`countersign nats provision --keep`).
//!
//! # Why each unit has an account
//! nats-server checks the subject that a user publishes to, and not the *reply* subject, to which
//! the server itself then publishes the answer. In one account with the streams, an answer to
//! `$JS.API.STREAM.DELETE.…` is a request of the server's own: one unit deletes the streams of all.
//! So the streams stand in an account of their own, and each unit in one without JetStream, which
//! imports exactly the subjects of [`imports`]: whatever a unit names as a reply subject, the answer
//! stays in its account and reaches nothing there but these same subjects. JetStream's requests have
//! other names in it ([`next_subject`], [`info_subject`]), since an account without JetStream
//! answers every `$JS.API.>` by itself with "not enabled", before the answer that was meant.

use super::subject::{DOWN_PREFIX, DownKind, Subject, UP_PREFIX, UnitPath, UpKind};

/// The stream that holds all that goes up.
pub const STREAM_UP: &str = "CS_UP";
/// The stream that holds all that comes down.
pub const STREAM_DOWN: &str = "CS_DOWN";

/// The durable consumer by which a unit reads its descendants.
#[must_use]
pub fn up_consumer(unit: &str) -> String {
    format!("up_{unit}")
}

/// The durable consumer by which a unit reads its receipts and its ancestors' broadcasts.
#[must_use]
pub fn down_consumer(unit: &str) -> String {
    format!("down_{unit}")
}

/// The consumer of a stream that never delivers anything. Its replicas stand on the servers that the
/// stream stands on, so what JetStream says of it names those servers: whoever writes into the
/// stream asks them whether they sync. JetStream's own question about the stream is not imported for
/// that: it would also tell, to whoever asks so, the subjects of all units and how many messages
/// each has sent. Nothing can be taken from this one, as no account imports the request for its next
/// message.
#[must_use]
pub fn holders_consumer(stream: &str) -> String {
    format!("holders_{stream}")
}

/// The filter of [`holders_consumer`]: a subject within the stream that no unit can have.
#[must_use]
pub fn holders_filter(stream: &str) -> String {
    let prefix = if stream == STREAM_UP {
        UP_PREFIX
    } else {
        DOWN_PREFIX
    };
    format!("{prefix}.holders")
}

/// The prefix of a unit's own inbox, without the dot: replies to one unit can't be read by another.
#[must_use]
pub fn inbox_prefix(unit: &str) -> String {
    format!("_INBOX.{unit}")
}

/// Whether a unit at `path` may publish to `subject`.
#[must_use]
pub fn may_publish(path: &UnitPath, has_children: bool, subject: &Subject) -> bool {
    match subject {
        Subject::Up(up) => up.path == *path,
        Subject::Down(down) if down.kind == DownKind::Receipt => {
            has_children && down.path.parent().as_ref() == Some(path)
        }
        Subject::Down(down) => has_children && down.path == *path,
    }
}

/// Whether a message on `subject` is meant for the unit at `path`.
#[must_use]
pub fn is_meant_for(path: &UnitPath, subject: &Subject) -> bool {
    match subject {
        Subject::Up(up) => path.is_above(&up.path),
        // The top has nobody above who could answer it.
        Subject::Down(down) if down.kind == DownKind::Receipt => {
            down.path == *path && path.parent().is_some()
        }
        Subject::Down(down) => down.path.is_above(path),
    }
}

/// The filter of the consumer `up_<unit>`: all descendants at any depth. It also lets the unit's
/// own `entries.<first>` through, which no wildcard can tell from a child's `rollup`; the reader
/// drops those by [`is_meant_for`].
#[must_use]
pub fn up_filter(path: &UnitPath) -> String {
    format!("{UP_PREFIX}.{path}.*.>")
}

/// The filters of the consumer `down_<unit>`.
#[must_use]
pub fn down_filters(path: &UnitPath) -> Vec<String> {
    let receipt = Subject::down(path.clone(), DownKind::Receipt).to_string();
    let broadcasts = path.ancestors().flat_map(|above| {
        DownKind::BROADCAST.map(|kind| Subject::down(above.clone(), kind).to_string())
    });
    std::iter::once(receipt).chain(broadcasts).collect()
}

/// The consumers of a unit as (stream, consumer name, filters): the top has nobody above, a county
/// nobody below.
#[must_use]
pub fn consumers(path: &UnitPath, has_children: bool) -> Vec<(&'static str, String, Vec<String>)> {
    let mut all = Vec::new();
    if has_children {
        all.push((STREAM_UP, up_consumer(path.unit()), vec![up_filter(path)]));
    }
    if path.parent().is_some() {
        all.push((STREAM_DOWN, down_consumer(path.unit()), down_filters(path)));
    }
    all
}

/// By which a unit asks for the next message of one of its consumers.
#[must_use]
pub fn next_subject(consumer: &str) -> String {
    format!("cs.js.next.{consumer}")
}

/// By which a unit asks about one of its consumers: when it was made tells a node that the store
/// was lost (see [`super::Transport::store`]).
#[must_use]
pub fn info_subject(consumer: &str) -> String {
    format!("cs.js.info.{consumer}")
}

/// A subject of the account with the streams that a unit's account imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name there.
    pub subject: String,
    /// Its name in the unit's account.
    pub local: String,
}

impl Import {
    /// Under the same name in both accounts.
    fn same(subject: String) -> Import {
        Import {
            local: subject.clone(),
            subject,
        }
    }
}

/// All that a unit's account imports from the one with the streams: everything that the unit can
/// publish to outside its account.
#[must_use]
pub fn imports(path: &UnitPath, has_children: bool) -> Vec<Import> {
    let mut all: Vec<Import> = [
        Subject::up(path.clone(), UpKind::Rollup).to_string(),
        Subject::up(path.clone(), UpKind::Checkpoint).to_string(),
        format!("{UP_PREFIX}.{path}.entries.*"),
    ]
    .map(Import::same)
    .into();
    if has_children {
        let broadcasts = DownKind::BROADCAST.map(|kind| Subject::down(path.clone(), kind));
        all.push(Import::same(format!("{DOWN_PREFIX}.{path}.*.receipt")));
        all.extend(broadcasts.map(|subject| Import::same(subject.to_string())));
    }
    for (stream, consumer, _) in consumers(path, has_children) {
        all.push(Import {
            subject: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            local: next_subject(&consumer),
        });
        all.push(Import {
            subject: format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            local: info_subject(&consumer),
        });
        // The server names these in what it delivers: no other name is possible.
        all.push(Import::same(format!("$JS.ACK.{stream}.{consumer}.>")));
    }
    for (stream, _) in streams_written(path, has_children) {
        let consumer = holders_consumer(stream);
        all.push(Import {
            subject: format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            local: info_subject(&consumer),
        });
    }
    all
}

/// The stream that a subject is stored in.
#[must_use]
pub fn stream_of(subject: &Subject) -> &'static str {
    match subject {
        Subject::Up(_) => STREAM_UP,
        Subject::Down(_) => STREAM_DOWN,
    }
}

/// The streams that a unit writes into, each with a subject of its own there.
#[must_use]
pub fn streams_written(path: &UnitPath, has_children: bool) -> Vec<(&'static str, Subject)> {
    let mut all = vec![(STREAM_UP, Subject::up(path.clone(), UpKind::Checkpoint))];
    if has_children {
        all.push((STREAM_DOWN, Subject::down(path.clone(), DownKind::Registry)));
    }
    all
}

/// All that a unit's NATS user may publish to: what its account imports. Everything else is refused
/// by the server, with a word in its log.
#[must_use]
pub fn publish_permissions(path: &UnitPath, has_children: bool) -> Vec<String> {
    let all = imports(path, has_children).into_iter();
    all.map(|import| import.local).collect()
}

/// All that a unit's NATS user may subscribe to: its own inbox.
#[must_use]
pub fn subscribe_permissions(path: &UnitPath) -> Vec<String> {
    vec![format!("{}.>", inbox_prefix(path.unit()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NATS wildcard matching, to compare the strings with the predicates.
    fn matches(pattern: &str, subject: &str) -> bool {
        let (mut p, mut s) = (pattern.split('.'), subject.split('.'));
        loop {
            match (p.next(), s.next()) {
                (Some(">"), Some(_)) | (None, None) => return true,
                (Some(a), Some(b)) if a == "*" || a == b => {}
                _ => return false,
            }
        }
    }

    fn world() -> (Vec<(UnitPath, bool)>, Vec<Subject>) {
        let units: Vec<(UnitPath, bool)> = [
            ("1", true),
            ("1.13", true),
            ("1.14", true),
            ("1.14.21", false),
            ("1.14.22", true),
            ("1.14.22.5", false),
            ("1.13.5", false),
        ]
        .map(|(p, c)| (p.parse().unwrap(), c))
        .to_vec();
        let subjects = units
            .iter()
            .flat_map(|(p, _)| {
                [UpKind::Rollup, UpKind::Checkpoint, UpKind::Entries(5)]
                    .map(|k| Subject::up(p.clone(), k))
                    .into_iter()
                    .chain(
                        [
                            DownKind::Receipt,
                            DownKind::Registry,
                            DownKind::Catalogue,
                            DownKind::Plan,
                        ]
                        .map(|k| Subject::down(p.clone(), k)),
                    )
            })
            .collect();
        (units, subjects)
    }

    #[test]
    fn permissions_allow_exactly_what_may_be_published() {
        let (units, subjects) = world();
        for (path, children) in &units {
            let allow = publish_permissions(path, *children);
            for subject in &subjects {
                let server = allow.iter().any(|p| matches(p, &subject.to_string()));
                assert_eq!(
                    server,
                    may_publish(path, *children, subject),
                    "{path} -> {subject}"
                );
            }
        }
    }

    #[test]
    fn filters_deliver_exactly_what_is_heard_and_own_entries() {
        let (units, subjects) = world();
        for (path, children) in &units {
            let filters: Vec<String> = consumers(path, *children)
                .into_iter()
                .flat_map(|c| c.2)
                .collect();
            for subject in &subjects {
                let holders = [STREAM_UP, STREAM_DOWN].map(holders_filter);
                assert!(!holders.iter().any(|p| matches(p, &subject.to_string())));
                let server = filters.iter().any(|p| matches(p, &subject.to_string()));
                let own_entries =
                    *children && *subject == Subject::up(path.clone(), UpKind::Entries(5));
                assert_eq!(
                    server,
                    is_meant_for(path, subject) || own_entries,
                    "{path} <- {subject}"
                );
            }
        }
    }

    #[test]
    fn a_county_administers_nothing() {
        let path: UnitPath = "1.14.21".parse().unwrap();
        assert_eq!(
            publish_permissions(&path, false),
            [
                "cs.v1.up.1.14.21.rollup",
                "cs.v1.up.1.14.21.checkpoint",
                "cs.v1.up.1.14.21.entries.*",
                "cs.js.next.down_21",
                "cs.js.info.down_21",
                "$JS.ACK.CS_DOWN.down_21.>",
                "cs.js.info.holders_CS_UP",
            ]
        );
        let reached: Vec<String> = imports(&path, false)
            .into_iter()
            .map(|i| i.subject)
            .collect();
        assert_eq!(
            reached[3..],
            [
                "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_21",
                "$JS.API.CONSUMER.INFO.CS_DOWN.down_21",
                "$JS.ACK.CS_DOWN.down_21.>",
                "$JS.API.CONSUMER.INFO.CS_UP.holders_CS_UP",
            ]
        );
        assert_eq!(subscribe_permissions(&path), ["_INBOX.21.>"]);
    }
}
