//! The courier: between the books and the link. It holds no rule of the domain; it decides only
//! what is sent when.
//!
//! - `outbox`: a submitted rollup is sent until the parent's receipt for it is in the journal.
//! - `inbox`: messages are brought into the books, and answered after that is durable.
//! - `waiting`: how much of one sender that cannot be judged yet may wait, and how long.
//!
//! Everything may happen twice and nothing is lost by it.

mod inbox;
mod outbox;
mod timing;
mod waiting;

use std::sync::Arc;

use crate::books::Books;
use crate::fault::{Faults, internal};
use crate::link::{Transport, UnitPath};
use crate::service::Service;

/// The unit's path, top first.
///
/// # Errors
/// A node without a registry.
pub fn path_of(books: &Books) -> Result<(UnitPath, bool), Faults> {
    let registry = books
        .registry()
        .ok_or_else(|| internal("no registry"))?
        .registry();
    let path = registry.last_path(books.unit());
    let path = UnitPath::new(path.iter().map(ToString::to_string)).map_err(internal)?;
    Ok((path, registry.ever_below(books.unit()).len() > 1))
}

/// Runs until the link is closed. Both halves end with it, also when it is aborted.
pub async fn run<T: Transport>(service: Arc<Service>, transport: Arc<T>, path: UnitPath) {
    tokio::select! {
        // In a fixed order, so that a simulation can be repeated.
        biased;
        () = outbox::run(service.clone(), transport.clone(), path) => {}
        () = inbox::run(&service, transport.as_ref()) => {}
    }
}
