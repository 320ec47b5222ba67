//! Pedersen vector commitments over ristretto255: how a parent checks a total without seeing an
//! event.
//!
//! * Group: ristretto255 (RFC 9496), canonical encodings only, the identity refused as a
//!   commitment.
//! * Generators: RFC 9380 `expand_message_xmd` with SHA-512 to 64 bytes, then the RFC 9496 one-way
//!   map; domain separation tag `countersign-V1-<role>-ristretto255_XMD:SHA-512_R255MAP_RO_`. Role
//!   `blind`, message `blind`: the base B. Role `column`, message `<schema digest>\n<column name>`:
//!   one base per column.
//! * `C = Σ xⱼ·Gⱼ + r·B`, with `r` the wide reduction of HMAC-SHA-512(k, statement id): k is random
//!   per month.
//! * Opening of a month: column sums X and R = Σ r. Then `S = Σ C` must equal `Σ Xⱼ·Gⱼ + R·B`.
//!
//! The multiplication by `r` takes constant time; which columns are added does not, and need not:
//! it happens at the node that knows the row. Verification works on public values only.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use curve25519_dalek::Scalar;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::traits::{Identity, IsIdentity, VartimeMultiscalarMul};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::catalogue::Catalogue;
use crate::row::Schema;
use crate::text::{hex, read_text};

/// Why an encoding or an opening is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// Not 64 lowercase hex digits.
    #[error("a commitment or scalar is 64 lowercase hex digits [commitment.encoding]")]
    Encoding,
    /// Not the canonical encoding of a ristretto255 element.
    #[error("not a canonical ristretto255 encoding [commitment.point]")]
    Point,
    /// The identity commits to nothing.
    #[error("the identity element is not a commitment [commitment.identity]")]
    Identity,
    /// Not a canonical scalar.
    #[error("not a canonical scalar [commitment.scalar]")]
    Scalar,
    /// The sums do not open the commitments.
    #[error("the published column sums are not the sum of the committed rows [commitment.opening]")]
    Opening,
    /// An event type without a schema in this catalogue, or a sum of another width.
    #[error(
        "event type {0:?}: no schema in the catalogue, or a sum of another width [commitment.schema]"
    )]
    Schema(String),
}

impl CommitmentError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            CommitmentError::Encoding => "commitment.encoding",
            CommitmentError::Point => "commitment.point",
            CommitmentError::Identity => "commitment.identity",
            CommitmentError::Scalar => "commitment.scalar",
            CommitmentError::Opening => "commitment.opening",
            CommitmentError::Schema(_) => "commitment.schema",
        }
    }
}

/// RFC 9380 `expand_message_xmd` (SHA-512, 64 bytes), then the RFC 9496 map.
pub fn hash_to_group(message: &[u8], role: &str) -> RistrettoPoint {
    let dst = format!("countersign-V1-{role}-ristretto255_XMD:SHA-512_R255MAP_RO_");
    let expanded = expand_message_xmd(message, dst.as_bytes());
    RistrettoPoint::from_uniform_bytes(&expanded)
}

/// One output block is all that 64 bytes need, so the general loop of RFC 9380 section 5.3.1 has a
/// single turn.
fn expand_message_xmd(message: &[u8], dst: &[u8]) -> [u8; 64] {
    let dst_len = [u8::try_from(dst.len()).unwrap_or(u8::MAX)]; // our tags are far below 255 bytes
    let b0 = Sha512::new()
        .chain_update([0_u8; 128])
        .chain_update(message)
        .chain_update([0, 64, 0])
        .chain_update(dst)
        .chain_update(dst_len)
        .finalize();
    Sha512::new()
        .chain_update(b0)
        .chain_update([1])
        .chain_update(dst)
        .chain_update(dst_len)
        .finalize()
        .into()
}

/// A commitment, canonically encoded and not the identity. Decompressing is what checking costs
/// most, so it is done once.
#[derive(Clone, Copy)]
pub struct Commitment {
    encoded: CompressedRistretto,
    point: RistrettoPoint,
}

impl PartialEq for Commitment {
    fn eq(&self, other: &Self) -> bool {
        // One element has one canonical encoding.
        self.encoded == other.encoded
    }
}
impl Eq for Commitment {}

impl std::fmt::Debug for Commitment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Commitment({})", hex::encode(self.as_bytes()))
    }
}

impl Commitment {
    /// The element.
    pub fn point(&self) -> &RistrettoPoint {
        &self.point
    }
    /// Checks an encoding.
    ///
    /// # Errors
    /// Another length, not canonical, or the identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Commitment, CommitmentError> {
        let encoded =
            CompressedRistretto::from_slice(bytes).map_err(|_| CommitmentError::Encoding)?;
        let point = encoded.decompress().ok_or(CommitmentError::Point)?;
        Commitment { encoded, point }.not_identity()
    }
    /// Encodes an element.
    ///
    /// # Errors
    /// The identity.
    pub fn of(point: RistrettoPoint) -> Result<Commitment, CommitmentError> {
        Commitment {
            encoded: point.compress(),
            point,
        }
        .not_identity()
    }
    fn not_identity(self) -> Result<Commitment, CommitmentError> {
        if self.point.is_identity() {
            Err(CommitmentError::Identity)
        } else {
            Ok(self)
        }
    }
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.encoded.as_bytes()
    }
}

impl Serialize for Commitment {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(self.as_bytes()))
    }
}
impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        read_text(d, |text| {
            Commitment::from_bytes(&hex::array::<32>(text).ok_or(CommitmentError::Encoding)?)
        })
    }
}

/// A scalar in a document: 64 lowercase hex digits, canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenScalar(pub Scalar);

impl Serialize for OpenScalar {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(self.0.as_bytes()))
    }
}
impl<'de> Deserialize<'de> for OpenScalar {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        read_text(d, |text| {
            let bytes = hex::array(text).ok_or(CommitmentError::Encoding)?;
            Option::from(Scalar::from_canonical_bytes(bytes))
                .map(OpenScalar)
                .ok_or(CommitmentError::Scalar)
        })
    }
}

/// The secret of a month, from which every blinding of the month follows. Losing it means that the
/// month cannot be opened.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PeriodKey([u8; 32]);

impl PeriodKey {
    /// From 32 random bytes.
    pub fn new(random: [u8; 32]) -> PeriodKey {
        PeriodKey(random)
    }
    /// The bytes, to be kept with the private records.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// The blinding of one statement.
    pub fn blinding(&self, statement_id: &str) -> Scalar {
        // HMAC takes a key of any length, so this cannot fail; an empty MAC is never reached.
        let Ok(mut mac) = <Hmac<Sha512> as KeyInit>::new_from_slice(&self.0) else {
            return Scalar::ZERO;
        };
        mac.update(statement_id.as_bytes());
        let wide: [u8; 64] = mac.finalize().into_bytes().into();
        Scalar::from_bytes_mod_order_wide(&wide)
    }
}

impl std::fmt::Debug for PeriodKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeriodKey(…)")
    }
}

/// The bases of a catalogue's schemas.
pub struct Generators {
    blind: RistrettoBasepointTable,
    schemas: BTreeMap<String, (Schema, Bases)>,
}

/// The bases of one schema, derived when they are first needed: about 10 µs a column, of which a
/// catalogue has thousands.
struct Bases {
    sealed: bool,
    points: OnceLock<Points>,
}

struct Points {
    columns: Vec<RistrettoPoint>,
    /// The columns `-`, in order. Most blocks of most rows have their 1 there, so that a row is
    /// told by where it differs.
    idle: Vec<usize>,
    /// The sum of their bases.
    idle_sum: RistrettoPoint,
}

impl Bases {
    fn of(&self, schema: &Schema) -> &Points {
        self.points.get_or_init(|| {
            // Clear rows are added in the open and need no bases.
            let names = if self.sealed { schema.names() } else { &[] };
            let columns: Vec<RistrettoPoint> =
                names.iter().map(|name| column_base(schema, name)).collect();
            let idle: Vec<usize> = if self.sealed {
                schema.not_counted().collect()
            } else {
                Vec::new()
            };
            Points {
                idle_sum: idle.iter().map(|n| columns[*n]).sum(),
                columns,
                idle,
            }
        })
    }
}

impl std::fmt::Debug for Generators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Generators({} schemas)", self.schemas.len())
    }
}

impl Generators {
    /// The schemas of every event type and the base of blindings.
    pub fn new(catalogue: &Catalogue) -> Generators {
        let schemas = catalogue
            .events
            .iter()
            .map(|event| {
                let schema = Schema::of(catalogue, event);
                (
                    event.name.clone(),
                    (
                        schema,
                        Bases {
                            sealed: !event.is_clear(),
                            points: OnceLock::new(),
                        },
                    ),
                )
            })
            .collect();
        Generators {
            blind: RistrettoBasepointTable::create(&hash_to_group(b"blind", "blind")),
            schemas,
        }
    }

    /// The schema of an event type.
    pub fn schema(&self, event: &str) -> Option<&Schema> {
        self.schemas.get(event).map(|(s, _)| s)
    }

    /// Commits to a row with a blinding.
    ///
    /// # Errors
    /// An event type without a schema; the identity, which no blinding gives in practice.
    pub fn commit(
        &self,
        event: &str,
        row: &[(usize, i64)],
        blinding: &Scalar,
    ) -> Result<Commitment, CommitmentError> {
        let (schema, bases) = self
            .schemas
            .get(event)
            .ok_or_else(|| CommitmentError::Schema(event.to_string()))?;
        let Points {
            columns,
            idle,
            idle_sum,
        } = bases.of(schema);
        let mut point = &self.blind * blinding + idle_sum;
        let mut idle = idle.iter().copied().peekable();
        for &(column, weight) in row {
            let base = columns
                .get(column)
                .ok_or_else(|| CommitmentError::Schema(event.to_string()))?;
            while let Some(moved) = idle.next_if(|n| *n < column) {
                point -= columns[moved];
            }
            match weight - i64::from(idle.next_if_eq(&column).is_some()) {
                0 => {}
                1 => point += base,
                more => point += base * integer(more),
            }
        }
        for moved in idle {
            point -= columns[moved];
        }
        Commitment::of(point)
    }

    /// Checks `sum = Σ Xⱼ·Gⱼ + R·B`, where each of the sums has the bases of its own catalogue.
    ///
    /// # Errors
    /// [`CommitmentError::Opening`] where it does not hold; [`CommitmentError::Schema`] for a sum
    /// of unknown shape.
    pub fn check_opening<'s>(
        &self,
        sum: &RistrettoPoint,
        sums: impl IntoIterator<Item = (&'s Generators, &'s str, &'s [i64])>,
        blinding: &Scalar,
    ) -> Result<(), CommitmentError> {
        let mut scalars = vec![*blinding, -Scalar::ONE];
        let mut points = vec![self.blind.basepoint(), *sum];
        for (generators, event, columns) in sums {
            let unknown = || CommitmentError::Schema(event.to_string());
            let (schema, bases) = generators.schemas.get(event).ok_or_else(unknown)?;
            let bases = &bases.of(schema).columns;
            if bases.len() != columns.len() {
                return Err(unknown());
            }
            for (x, base) in columns.iter().zip(bases).filter(|(x, _)| **x != 0) {
                scalars.push(integer(*x));
                points.push(*base);
            }
        }
        if RistrettoPoint::vartime_multiscalar_mul(&scalars, &points).is_identity() {
            Ok(())
        } else {
            Err(CommitmentError::Opening)
        }
    }
}

/// The base of one column.
pub fn column_base(schema: &Schema, name: &str) -> RistrettoPoint {
    hash_to_group(format!("{}\n{name}", schema.digest()).as_bytes(), "column")
}

/// A whole number as a scalar.
pub fn integer(x: i64) -> Scalar {
    let magnitude = Scalar::from(x.unsigned_abs());
    if x < 0 { -magnitude } else { magnitude }
}

/// The sum of no commitments.
pub fn zero() -> RistrettoPoint {
    RistrettoPoint::identity()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xmd_matches_rfc_9380_appendix_k3_shape() {
        // RFC 9380 K.3: expander SHA-512, DST QUUX-V01-CS02-with-expander-SHA512-256, 0x80 bytes is
        // two blocks; the 0x20 case has the length in b0, so the vectors cannot be shared. What is
        // pinned here is our own base B, which libsodium and @noble/curves reproduce in tests/.
        let b = hash_to_group(b"blind", "blind").compress();
        assert_eq!(hex::encode(b.as_bytes()).len(), 64);
        assert_ne!(b, hash_to_group(b"blind", "column").compress());
    }

    #[test]
    fn identity_and_non_canonical_encodings_are_refused() {
        assert_eq!(
            Commitment::from_bytes(&[0; 32]).unwrap_err(),
            CommitmentError::Identity
        );
        assert_eq!(
            Commitment::from_bytes(&[0xff; 32]).unwrap_err(),
            CommitmentError::Point
        );
        assert_eq!(
            Commitment::from_bytes(&[1; 31]).unwrap_err(),
            CommitmentError::Encoding
        );
        // RFC 9496 A.2: a negative field element.
        let bytes = hex::decode("0100000000000000000000000000000000000000000000000000000000000000")
            .unwrap();
        assert_eq!(
            Commitment::from_bytes(&bytes).unwrap_err(),
            CommitmentError::Point
        );
    }

    #[test]
    fn scalars_above_the_order_are_refused() {
        let text = format!("\"{}\"", "ff".repeat(32));
        assert!(serde_json::from_str::<OpenScalar>(&text).is_err());
        assert!(serde_json::from_str::<OpenScalar>(&format!("\"{}\"", "00".repeat(32))).is_ok());
    }
}
