//! The courier: between the books and the link. It holds no rule of the domain; it decides only
//! what is sent when.
//!
//! - `outbox`: a submitted rollup is sent until the parent's receipt for it is in the journal.
//! - `inbox`: messages are brought into the books, and answered after that is durable.
//! - `follow`: the link is made anew where the registry places the unit elsewhere.
//! - `waiting`: how much of one sender that cannot be judged yet may wait, and how long.
//!
//! Everything may happen twice and nothing is lost by it.

mod due;
pub mod follow;
mod inbox;
mod outbox;
mod timing;
mod waiting;

use std::sync::Arc;

use crate::link::{Transport, UnitPath};
use crate::service::Service;

/// Runs until the link is closed. Both halves end with it, also when it is aborted.
pub async fn run<T: Transport>(service: Arc<Service>, transport: Arc<T>, path: UnitPath) {
    tokio::select! {
        // In a fixed order, so that a simulation can be repeated.
        biased;
        () = outbox::run(service.clone(), transport.clone(), path) => {}
        () = inbox::run(&service, transport.as_ref()) => {}
    }
}
