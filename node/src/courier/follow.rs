//! The courier over a link that fits where the registry places the unit.
//!
//! A link is made for the paths on which a unit speaks and hears. A registry version that puts it, or
//! somebody above it, elsewhere, or puts the first unit below it, makes them others; then the link
//! is given up and made anew, and the courier begins again over it. That is no more than a lost
//! connection: what was on its way and is not answered comes again, and what has no receipt is sent
//! again, now on the way of its month.

use std::sync::Arc;
use std::time::Duration;

use protocol::ids::UnitId;

use crate::books::Books;
use crate::fault::{Faults, internal};
use crate::link::{LinkError, Places, Transport, UnitPath};
use crate::service::Service;

/// How long to wait where a link cannot be made anew.
const CONNECT_DELAY: Duration = Duration::from_secs(5);

/// Where the unit stands and stood, and whether units are or were below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its paths.
    pub places: Places,
    /// Whether it has or had units below it.
    pub has_children: bool,
}

impl Placed {
    /// By the newest registry.
    ///
    /// # Errors
    /// A node without a registry.
    pub async fn of(service: &Arc<Service>) -> Result<Placed, Faults> {
        service.with(|books, _| placed(books)).await
    }
}

fn placed(books: &Books) -> Result<Placed, Faults> {
    let registry = books
        .registry()
        .ok_or_else(|| internal("no registry"))?
        .registry();
    let path =
        |units: Vec<UnitId>| UnitPath::new(units.iter().map(ToString::to_string)).map_err(internal);
    let former = registry.paths(books.unit()).into_iter();
    let former = former.map(path).collect::<Result<Vec<_>, _>>()?;
    let last = path(registry.last_path(books.unit()))?;
    Ok(Placed {
        places: Places::new(last, former),
        has_children: registry.ever_below(books.unit()).len() > 1,
    })
}

/// Runs over this link, which was made for these places, and over those that `connect` makes for
/// later ones, until a link is closed. Both halves end with it, also when it is aborted.
pub async fn run<T, C, F>(service: Arc<Service>, mut link: (Placed, Arc<T>), connect: C)
where
    T: Transport,
    C: Fn(Placed) -> F,
    F: Future<Output = Result<Arc<T>, LinkError>>,
{
    loop {
        let (placed, transport) = link;
        let path = placed.places.last().clone();
        let next = tokio::select! {
            biased;
            next = moved(&service, &placed) => next,
            () = super::run(service.clone(), transport.clone(), path) => return,
        };
        tracing::info!(
            path = %next.places.last(),
            "the registry places this unit elsewhere: the link is made anew; nats.conf and the \
             consumers must know the new way (runbook, section 6)"
        );
        drop(transport);
        let transport = loop {
            match connect(next.clone()).await {
                Ok(transport) => break transport,
                Err(error) => {
                    tracing::error!(code = %error.code(), %error, "the link cannot be made anew");
                    tokio::time::sleep(CONNECT_DELAY).await;
                }
            }
        };
        link = (next, transport);
    }
}

/// Waits until the registry places the unit otherwise than so.
async fn moved(service: &Arc<Service>, placed: &Placed) -> Placed {
    let mut registry = service.registry();
    loop {
        registry.borrow_and_update();
        match Placed::of(service).await {
            Ok(now) if now != *placed => return now,
            Ok(_) => {}
            Err(faults) => tracing::warn!(%faults, "where the unit stands is not known"),
        }
        if registry.changed().await.is_err() {
            // The books are gone, and the process ends.
            std::future::pending::<()>().await;
        }
    }
}
