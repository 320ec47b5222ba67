//! The courier: between the books and the link. It holds no rule of the domain; it decides only
//! what is sent when.
//!
//! - `outbox`: a submitted rollup is sent until the parent's receipt for it is in the journal.
//! - `inbox`: messages are brought into the books, and answered after that is durable.
//! - `waiting`: how much of one sender that cannot be judged yet may wait, and how long.
//!
//! Everything may happen twice and nothing is lost by it.

mod due;
mod inbox;
mod outbox;
mod timing;
mod waiting;

use std::sync::Arc;

use protocol::ids::UnitId;

use crate::books::Books;
use crate::fault::{Faults, internal};
use crate::link::{Places, Transport, UnitPath};
use crate::service::Service;

/// Where the unit stands and stood, and whether units are or were below it.
///
/// # Errors
/// A node without a registry.
pub fn places_of(books: &Books) -> Result<(Places, bool), Faults> {
    let registry = books
        .registry()
        .ok_or_else(|| internal("no registry"))?
        .registry();
    let path =
        |units: Vec<UnitId>| UnitPath::new(units.iter().map(ToString::to_string)).map_err(internal);
    let former = registry.paths(books.unit()).into_iter();
    let former = former.map(path).collect::<Result<Vec<_>, _>>()?;
    let last = path(registry.last_path(books.unit()))?;
    Ok((
        Places::new(last, former),
        registry.ever_below(books.unit()).len() > 1,
    ))
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
