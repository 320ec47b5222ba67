//! What can go wrong between two nodes. Each variant says what, where and how to cure it; `code()`
//! is stable.

use crate::fault::FaultCode;

/// An error of the link.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum LinkError {
    /// A unit path that cannot be.
    #[error(
        "unit path '{path}' is wrong: {reason}; correct the registry or the node's configuration"
    )]
    Path {
        /// The path as given.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A subject that is none of ours.
    #[error("subject '{subject}' is not one of this protocol: {reason}")]
    Subject {
        /// The subject as given, cut.
        subject: String,
        /// What is wrong.
        reason: String,
    },
    /// A message to a subject that this unit may not use.
    #[error(
        "unit {unit} may not publish to '{subject}': a unit writes under its own path and answers \
         its own children"
    )]
    Foreign {
        /// The sender.
        unit: String,
        /// The subject.
        subject: String,
    },
    /// A message above the limit.
    #[error(
        "the message to '{subject}' has {bytes} bytes, at most {limit} can travel; send it in \
         smaller chunks"
    )]
    TooLarge {
        /// The subject.
        subject: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The seed file cannot be used.
    #[error("the NATS seed file {file} cannot be used: {reason}")]
    Seed {
        /// The file.
        file: String,
        /// What is wrong and the cure. Never the seed.
        reason: String,
    },
    /// The configuration of the connection cannot be used.
    #[error(
        "cannot set up the connection to {url}: {reason}; correct the address or the TLS files in \
         the configuration"
    )]
    Setup {
        /// The server.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no connection at the moment.
    #[error("not connected to {url}; the node keeps trying, the message stays in the outbox")]
    Disconnected {
        /// The server.
        url: String,
    },
    /// A server that holds the stream may lose acknowledged messages.
    #[error(
        "refusing to send: nats-server {server} holds the stream and does not show that it writes \
         to disk before it acknowledges ({reason}). Set `sync_interval: always` in the jetstream \
         block of its nats.conf and restart it, and name its monitoring address under `monitor`: \
         without it the server acknowledges up to two minutes before it syncs, and a power cut \
         loses reports that were already acknowledged"
    )]
    NotDurable {
        /// The server's name.
        server: String,
        /// What was seen.
        reason: String,
    },
    /// The server forbids it.
    #[error(
        "nats-server refuses this user access to '{subject}'; write the configuration anew \
         from the registry and reload the server"
    )]
    Denied {
        /// The subject.
        subject: String,
    },
    /// Nobody stores or serves this subject.
    #[error(
        "nats-server has nothing that answers on '{subject}'; let the operator provision the \
         streams and consumers"
    )]
    NotProvisioned {
        /// The subject.
        subject: String,
    },
    /// The servers that hold the stream have no leader at the moment, or too few of them are
    /// reachable to have one.
    #[error(
        "'{subject}' has no leader among the nats-servers: one is elected within seconds where more \
         than half of the servers that hold it are up; the message stays in the outbox"
    )]
    NoLeader {
        /// The subject, or the stream or consumer.
        subject: String,
    },
    /// The stream refused the message.
    #[error(
        "the stream refused the message to '{subject}' (code {code}): {reason}; if it is full, \
         give it more room"
    )]
    Refused {
        /// The subject.
        subject: String,
        /// JetStream's own error code.
        code: u64,
        /// JetStream's own words.
        reason: String,
    },
    /// No answer in time; the message may or may not be stored.
    #[error(
        "no answer for '{subject}' within {seconds} s; it is not known whether it arrived, so it \
         is sent again"
    )]
    Timeout {
        /// The subject.
        subject: String,
        /// How long was waited.
        seconds: u64,
    },
    /// An answer that is not understood.
    #[error(
        "the server's answer for '{subject}' is not understood: {reason}; check that nats-server is 2.11 or later"
    )]
    Answer {
        /// The subject.
        subject: String,
        /// What is wrong.
        reason: String,
    },
    /// The link was closed.
    #[error("the link is closed; the node is shutting down")]
    Closed,
}

impl LinkError {
    /// Whether a message was not taken, and sending it again will not help by itself.
    #[must_use]
    pub(super) fn is_rejection(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Denied { .. }
                | Self::Foreign { .. }
                | Self::TooLarge { .. }
        )
    }

    /// The stable name of this error.
    #[must_use]
    pub fn code(&self) -> FaultCode {
        match self {
            Self::Path { .. } => FaultCode::LinkPath,
            Self::Subject { .. } => FaultCode::LinkSubject,
            Self::Foreign { .. } => FaultCode::LinkForeign,
            Self::TooLarge { .. } => FaultCode::LinkTooLarge,
            Self::Seed { .. } => FaultCode::LinkSeed,
            Self::Setup { .. } => FaultCode::LinkSetup,
            Self::Disconnected { .. } => FaultCode::LinkDisconnected,
            Self::NotDurable { .. } => FaultCode::LinkNotDurable,
            Self::Denied { .. } => FaultCode::LinkDenied,
            Self::NotProvisioned { .. } => FaultCode::LinkNotProvisioned,
            Self::NoLeader { .. } => FaultCode::LinkNoLeader,
            Self::Refused { .. } => FaultCode::LinkRefused,
            Self::Timeout { .. } => FaultCode::LinkTimeout,
            Self::Answer { .. } => FaultCode::LinkAnswer,
            Self::Closed => FaultCode::LinkClosed,
        }
    }

    /// Whether the same message can go through once the surroundings have healed. False: the
    /// message or the configuration itself is at fault, so sending it again is pointless and a
    /// person must look.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Disconnected { .. }
            | Self::NotDurable { .. }
            | Self::Denied { .. }
            | Self::NotProvisioned { .. }
            | Self::NoLeader { .. }
            | Self::Refused { .. }
            | Self::Timeout { .. }
            | Self::Answer { .. } => true,
            Self::Path { .. }
            | Self::Subject { .. }
            | Self::Foreign { .. }
            | Self::TooLarge { .. }
            | Self::Seed { .. }
            | Self::Setup { .. }
            | Self::Closed => false,
        }
    }
}

/// What a failed connection means, in words that name the cure. The libraries underneath speak of
/// `UnknownIssuer`.
#[must_use]
pub fn explain(text: &str) -> String {
    let known = [
        (
            "not valid for name",
            "the server's certificate does not name the host in the address; use the name that it \
             has",
        ),
        (
            "certificate expired",
            "the server's certificate has expired; renew it",
        ),
        (
            "not valid yet",
            "the server's certificate is not valid yet; check both clocks",
        ),
        (
            "UnknownIssuer",
            "the server's certificate is not of an authority that this node trusts; give the \
             right `ca`",
        ),
        (
            "InvalidContentType",
            "the server does not offer TLS, and this connection requires it",
        ),
        (
            "CertificateRequired",
            "the server asks for a certificate; give `client`, a certificate and its key",
        ),
        (
            "BadCertificate",
            "the server does not accept the certificate that was shown",
        ),
        (
            "UnknownCA",
            "the server does not know the authority of the certificate that was shown",
        ),
    ];
    match known.iter().find(|(word, _)| text.contains(word)) {
        Some((_, meaning)) => format!("{meaning} ({text})"),
        None => text.to_owned(),
    }
}
