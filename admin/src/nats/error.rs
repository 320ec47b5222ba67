//! What can go wrong between the operator and nats-server. Codes are stable.

use node::fault::FaultCode;

/// An error of the operator's NATS commands.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// A unit cannot be served.
    #[error("unit {unit}: {reason}; correct the list of units")]
    Unit {
        /// The unit's path.
        unit: String,
        /// What is wrong.
        reason: String,
    },
    /// A public NKey is none.
    #[error(
        "{owner}: '{key}' is not a public NKey of a user (U…); create one with `countersign nats \
            user`"
    )]
    Key {
        /// Unit, or `operator`.
        owner: String,
        /// The key as given, cut.
        key: String,
    },
    /// An option of the server cannot be written.
    #[error("nats.conf, {field}: {reason}")]
    Option {
        /// Which one.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// A seed cannot be made, read or written.
    #[error("NATS seed{file}: {reason}")]
    Seed {
        /// ` <file>`, or nothing.
        file: String,
        /// What is wrong. Never the seed.
        reason: String,
    },
    /// The server cannot be reached or refuses the operator.
    #[error(
        "cannot connect to {url} as the operator: {reason}; check that nats-server runs with this \
            configuration and that the seed is the operator's"
    )]
    Connect {
        /// The server.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A request got no usable answer.
    #[error("no usable answer from nats-server for {what}: {reason}; check that JetStream is on")]
    Answer {
        /// The stream or consumer.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Nobody answers for JetStream at all.
    #[error(
        "nobody answers for {what}: is JetStream on, and does nats-server run with this nats.conf"
    )]
    WithoutJetStream {
        /// The stream or consumer.
        what: String,
    },
    /// The servers have elected nobody who could decide.
    #[error(
        "no nats-server leads {what}: an election takes seconds where more than half of the \
            servers are up and reach each other by their routes; start those that are down"
    )]
    NoLeader {
        /// The cluster, stream or consumer.
        what: String,
    },
    /// A stream that is to be given up works.
    #[error("{what} has a leader and is not deleted: nothing is wrong with it")]
    HasLeader {
        /// The stream.
        what: String,
    },
    /// The server refused.
    #[error("nats-server refused {what} (code {code}): {reason}")]
    Refused {
        /// The stream or consumer.
        what: String,
        /// JetStream's own error code.
        code: u64,
        /// JetStream's own words.
        reason: String,
    },
}

impl NatsError {
    /// The stable name of this error.
    #[must_use]
    pub fn code(&self) -> FaultCode {
        match self {
            Self::Unit { .. } => FaultCode::NatsUnit,
            Self::Key { .. } => FaultCode::NatsKey,
            Self::Option { .. } => FaultCode::NatsOption,
            Self::Seed { .. } => FaultCode::NatsSeed,
            Self::Connect { .. } => FaultCode::NatsConnect,
            Self::Answer { .. } | Self::WithoutJetStream { .. } => FaultCode::NatsAnswer,
            Self::NoLeader { .. } => FaultCode::NatsNoLeader,
            Self::HasLeader { .. } => FaultCode::NatsHasLeader,
            Self::Refused { .. } => FaultCode::NatsRefused,
        }
    }
}
