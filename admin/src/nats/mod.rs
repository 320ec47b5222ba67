//! The operator's side of NATS: users, the server's configuration, streams and consumers. Nodes may
//! create nothing; all that they use is written here, from the same rules (`node::link::access`)
//! that they check themselves against.
//!
//! Order of work: [`create_user`] once for the operator and each unit; [`server_config`] from the
//! list of units, start or reload nats-server; [`provision`], as often as one likes, and again
//! whenever the server no longer has what was made (see [`wait_for_loss`]).

mod cluster;
mod config;
mod error;
mod jetstream;
mod newest;
mod options;
mod provision;
mod renew;
mod timing;
mod unit;
mod user;
mod wanted;
mod watch;

pub use cluster::{ClusterServer, members, read_cluster};
pub use config::server_config;
pub use error::NatsError;
pub use options::{ClusterMember, RouteTls, ServerOptions, ServerTls};
pub use provision::{ProvisionOptions, ProvisionReport, Replicas, provision};
pub use renew::renew;
pub use timing::Timing;
pub use unit::NatsUnit;
pub use user::{NatsUser, create_user, write_seed};
pub use watch::{Loss, Seen, wait_for_loss};
