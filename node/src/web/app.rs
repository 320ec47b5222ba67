//! What every handler gets.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::rate::Rates;
use super::tokens::Tokens;
use crate::service::Service;

/// How many evidence files may be taken out at the same time: each holds its notes, and a thread.
pub const MAX_EVIDENCE_FILES: usize = 4;

/// What every handler gets.
#[derive(Debug, Clone)]
pub struct App {
    /// The unit.
    pub service: Arc<Service>,
    /// Who may call.
    pub tokens: Arc<Tokens>,
    pub(crate) rates: Arc<Rates>,
    /// Places for evidence files that are being taken out.
    pub(crate) evidence: Arc<Semaphore>,
}

impl App {
    /// The API of a unit, for the holders of these tokens.
    pub fn new(service: Arc<Service>, tokens: Tokens) -> App {
        let rates = Arc::new(Rates::new(&service.config.limits));
        App {
            service,
            tokens: Arc::new(tokens),
            rates,
            evidence: Arc::new(Semaphore::new(MAX_EVIDENCE_FILES)),
        }
    }
}
