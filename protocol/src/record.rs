//! The private half of an event, and the disclosure of chosen fields of it.
//!
//! A record is an ordered list of fields `[salt, name, value]`; the salt is 16 random bytes in
//! base64. A field's digest is `SHA-256("countersign/field/v1\n" ‖ the JSON text of that array)`;
//! the record's root is the RFC 6962 tree hash of the digests as leaves. To disclose some fields is
//! to show those arrays with their inclusion proofs: salts make the others unguessable. Erasing a
//! person deletes the arrays and the salts; the log stays whole.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::count::{Fields, Value};
use crate::log::tree;
use crate::statement::RecordRoot;
use crate::text::{b64, hex};

/// Bytes of a field's salt.
pub const SALT_BYTES: usize = 16;
/// At most this many fields in a record.
pub const MAX_FIELDS: usize = 64;

/// One field with its salt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaltedField(pub String, pub String, pub Value);

/// Why a record or disclosure is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not as many salts as fields, a wrong salt, or too many fields.
    #[error(
        "a record needs one salt of 16 bytes per field and at most {MAX_FIELDS} fields [record.salts]"
    )]
    Salts,
    /// A name that the record does not have.
    #[error("the record has no field {0:?} [record.field]")]
    NoField(String),
    /// The shown field is not in the record that the statement names.
    #[error("field {0:?} is not in the record that the statement names [record.proof]")]
    Proof(String),
}

/// A private record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    fields: Vec<SaltedField>,
}

/// A shown field with the proof that it is part of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The array.
    pub field: SaltedField,
    /// Its position.
    pub position: u64,
    /// Number of fields in the record.
    pub of: u64,
    /// Sibling hashes, leaf to root, in hex.
    pub proof: Vec<String>,
}

impl Record {
    /// Salts each field; the salts are used in the order of the field names.
    ///
    /// # Errors
    /// Not one salt per field, or too many fields.
    pub fn new(fields: Fields, salts: &[[u8; SALT_BYTES]]) -> Result<Record, RecordError> {
        if salts.len() != fields.len() || fields.len() > MAX_FIELDS || fields.is_empty() {
            return Err(RecordError::Salts);
        }
        let fields = fields
            .into_iter()
            .zip(salts)
            .map(|((name, value), salt)| SaltedField(b64::encode(salt), name, value))
            .collect();
        Ok(Record { fields })
    }

    /// The fields by name.
    pub fn fields(&self) -> Fields {
        self.fields
            .iter()
            .map(|f| (f.1.clone(), f.2.clone()))
            .collect()
    }

    fn leaves(&self) -> Vec<tree::Hash> {
        self.fields
            .iter()
            .map(|f| tree::leaf_hash(&digest(f)))
            .collect()
    }

    /// What the statement carries.
    pub fn root(&self) -> RecordRoot {
        RecordRoot(tree::root_of(&self.leaves()))
    }

    /// Shows the named fields.
    ///
    /// # Errors
    /// A name that the record does not have.
    pub fn disclose(&self, names: &[&str]) -> Result<Vec<Disclosed>, RecordError> {
        let mut whole = tree::Tree::new();
        self.leaves().into_iter().for_each(|l| whole.push(l));
        names
            .iter()
            .map(|name| {
                let missing = || RecordError::NoField((*name).to_string());
                let position = self
                    .fields
                    .iter()
                    .position(|f| f.1 == *name)
                    .ok_or_else(missing)? as u64;
                let proof = whole
                    .inclusion_proof(position, whole.len())
                    .ok_or_else(missing)?;
                Ok(Disclosed {
                    field: self.fields[position as usize].clone(),
                    position,
                    of: whole.len(),
                    proof: proof.iter().map(|h| hex::encode(h)).collect(),
                })
            })
            .collect()
    }
}

impl Disclosed {
    /// Checks that the shown field is part of the record with this root.
    ///
    /// # Errors
    /// [`RecordError::Proof`].
    pub fn verify(&self, root: &RecordRoot) -> Result<(), RecordError> {
        let wrong = || RecordError::Proof(self.field.1.clone());
        let salt = b64::decode(&self.field.0).ok_or_else(wrong)?;
        let proof = self
            .proof
            .iter()
            .map(|h| hex::array(h))
            .collect::<Option<Vec<tree::Hash>>>()
            .ok_or_else(wrong)?;
        if salt.len() != SALT_BYTES || self.of > MAX_FIELDS as u64 {
            return Err(wrong());
        }
        let leaf = tree::leaf_hash(&digest(&self.field));
        tree::verify_inclusion(&leaf, self.position, self.of, &proof, &root.0).map_err(|_| wrong())
    }
}

fn digest(field: &SaltedField) -> [u8; 32] {
    // Proof: an array of two strings and a string, number or boolean always serialises.
    let json = serde_json::to_string(field).expect("a field serialises");
    Sha256::new()
        .chain_update(b"countersign/field/v1\n")
        .chain_update(json.as_bytes())
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let fields: Fields = [
            ("id_no", "999999190001010015"),
            ("name", "甲"),
            ("wage", "1"),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_string(), Value::Text(v.to_string())))
        .collect();
        Record::new(fields, &[[1; 16], [2; 16], [3; 16]]).unwrap()
    }

    #[test]
    fn disclosure_of_one_field_verifies_and_shows_nothing_else() {
        let record = record();
        let shown = record.disclose(&["wage"]).unwrap();
        shown[0].verify(&record.root()).unwrap();
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("999999") && !text.contains('甲'));
    }

    #[test]
    fn changed_value_salt_position_or_root_is_refused() {
        let record = record();
        let good = record.disclose(&["wage"]).unwrap().remove(0);
        let mut bad = good.clone();
        bad.field.2 = Value::Text("2".into());
        assert!(bad.verify(&record.root()).is_err());
        let mut bad = good.clone();
        bad.field.0 = b64::encode(&[4; 16]);
        assert!(bad.verify(&record.root()).is_err());
        let mut bad = good.clone();
        bad.position = 0;
        assert!(bad.verify(&record.root()).is_err());
        let mut bad = good.clone();
        bad.proof.pop();
        assert!(bad.verify(&record.root()).is_err());
        assert!(good.verify(&RecordRoot([0; 32])).is_err());
        assert!(record.disclose(&["missing"]).is_err());
    }

    #[test]
    fn salts_are_required() {
        let fields: Fields = [("a".to_string(), Value::Int(1))].into();
        assert!(Record::new(fields, &[]).is_err());
        assert!(Record::new(Fields::new(), &[]).is_err());
    }
}
