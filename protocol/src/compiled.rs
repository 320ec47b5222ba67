//! A catalogue, compiled: ready for counting and for commitments.

use crate::catalogue::Catalogue;
use crate::commitment::Generators;
use crate::count::Engine;
use crate::count::cel::EvalError;
use crate::digest::Digest;
use crate::rules::Rules;

/// A catalogue, ready for counting and for commitments.
pub struct CompiledCatalogue {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// The counting engine.
    pub engine: Engine,
    /// The bases.
    pub generators: Generators,
    /// The conditions over a month's figures.
    pub rules: Rules,
    /// Its digest.
    pub digest: Digest,
}

impl std::fmt::Debug for CompiledCatalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CompiledCatalogue({})", self.digest)
    }
}

impl CompiledCatalogue {
    /// Compiles a catalogue and derives its generators (tens of milliseconds).
    ///
    /// # Errors
    /// An expression that does not compile.
    pub fn new(catalogue: Catalogue) -> Result<CompiledCatalogue, EvalError> {
        Ok(CompiledCatalogue {
            engine: Engine::new(catalogue.clone())?,
            generators: Generators::new(&catalogue),
            rules: Rules::new(&catalogue)?,
            digest: catalogue.digest(),
            catalogue,
        })
    }
}
