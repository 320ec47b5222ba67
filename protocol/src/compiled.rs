//! A catalogue, compiled: ready for counting and for commitments.

use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::commitment::Generators;
use crate::count::Engine;
use crate::count::cel::EvalError;
use crate::digest::Digest;
use crate::figure::ColumnSums;
use crate::row::{Schema, Sums};
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

    /// Under which name sums of rows of this schema stand in a month that is counted by this
    /// catalogue: the event type; of an earlier schema, whose rows a void takes back, the type and
    /// the schema's digest, `type@sha256:…`.
    pub fn sum_name(&self, schema: &Schema) -> String {
        let current = self.generators.schema(schema.event());
        if current.is_some_and(|current| current.digest() == schema.digest()) {
            schema.event().to_string()
        } else {
            format!("{}@{}", schema.event(), schema.digest())
        }
    }

    /// The catalogue and the event type of the sums that stand under this name, where `known` are
    /// all catalogues.
    pub fn summed<'c, 'n>(
        &'c self,
        name: &'n str,
        known: &'c [Arc<CompiledCatalogue>],
    ) -> Option<(&'c CompiledCatalogue, &'n str)> {
        let Some((event, digest)) = name.split_once('@') else {
            return Some((self, name));
        };
        let has = |c: &&Arc<CompiledCatalogue>| {
            let schema = c.generators.schema(event);
            schema.is_some_and(|schema| schema.digest().to_string() == digest)
        };
        known.iter().find(has).map(|c| (c.as_ref(), event))
    }

    /// Sums with the catalogues that tell what their columns are; of a name that nobody knows,
    /// none.
    pub fn column_sums<'c>(
        &'c self,
        sums: &'c Sums,
        known: &'c [Arc<CompiledCatalogue>],
    ) -> Vec<ColumnSums<'c>> {
        let of = |(name, columns): (&'c String, &'c Vec<i64>)| {
            let (counting, event) = self.summed(name, known)?;
            Some(ColumnSums {
                catalogue: &counting.catalogue,
                event: counting.catalogue.event(event)?,
                columns,
            })
        };
        sums.iter().filter_map(of).collect()
    }
}
