//! What every handler gets.

use std::sync::Arc;

use super::places::EvidencePlaces;
use super::rate::Rates;
use super::refused_files::RefusedImports;
use super::tokens::Tokens;
use crate::service::Service;

/// What every handler gets.
#[derive(Debug, Clone)]
pub struct App {
    /// The unit.
    pub service: Arc<Service>,
    /// Who may call.
    pub tokens: Arc<Tokens>,
    pub(crate) rates: Arc<Rates>,
    /// Places for evidence files that are being taken out.
    pub(crate) evidence: Arc<EvidencePlaces>,
    /// Files of events that were refused.
    pub(crate) refused: Arc<RefusedImports>,
}

impl App {
    /// The API of a unit, for the holders of these tokens.
    pub fn new(service: Arc<Service>, tokens: Tokens) -> App {
        let rates = Arc::new(Rates::new(&service.config.limits));
        App {
            service,
            tokens: Arc::new(tokens),
            rates,
            evidence: Arc::default(),
            refused: Arc::default(),
        }
    }
}
