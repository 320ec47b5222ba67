//! What a statement says about a number itself.

use protocol::catalogue::{Catalogue, Subject};
use protocol::count::state;

use super::payload::Payload;
use crate::number::{ConfirmedNumber, NumberFact};
use crate::pseudonym::Pseudonym;
use crate::vault::VaultKey;

/// What a statement with this payload says about a number; `signer` is who recorded it.
pub fn fact(
    payload: &Payload,
    catalogue: &Catalogue,
    vault: &VaultKey,
    signer: Option<&str>,
) -> Option<NumberFact> {
    let event = catalogue.event(&payload.event)?;
    let effect = &event.effect;
    if effect.former.is_none() && effect.confirms.is_none() {
        return None;
    }
    let fields = payload.fields();
    if let Some(name) = &effect.confirms {
        let number = fields.get(name)?.as_str()?;
        return Some(NumberFact::Confirmed {
            number: ConfirmedNumber::new(vault, number),
            by: signer?.to_string(),
        });
    }
    // Only where the file is another one than the new number's own.
    let number = Pseudonym::new(vault, Subject::Person, &state::subject_key(event, &fields)?);
    let file = payload.pseudonym(catalogue, vault)?;
    (number != file).then_some(NumberFact::SamePerson { number, file })
}
