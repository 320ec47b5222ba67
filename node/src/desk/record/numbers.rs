//! Numbers that are not what they were, or not what they should be: a person whose ID number was
//! corrected keeps one file, and a number whose check character does not fit is taken once a second
//! person has compared it with the card or licence.

use std::collections::BTreeSet;

use protocol::catalogue::{EventType, Subject as Kind};
use protocol::count::{Fields, Value, state};
use protocol::ids::IdNumber;

use super::Recording;
use crate::books::Books;
use crate::exchange::{Draft, Parsed, UnfitNumber};
use crate::fault::{Fault, FaultCode, Faults, internal};
use crate::number::{ConfirmedNumber, NumberAsItStands};
use crate::pseudonym::Pseudonym;

/// Whose history an event belongs to.
pub(super) struct SubjectFile {
    /// The subject, by the number under which its file was opened.
    pub(super) subject: Pseudonym,
    /// That number, where the event names another one.
    pub(super) opened_as: Option<String>,
}

impl Recording<'_> {
    /// The file that an event belongs to, and whether it may belong there; none for an event about
    /// no subject.
    pub(super) fn file_of(
        &mut self,
        draft: &Draft,
        event: &EventType,
    ) -> Result<Option<SubjectFile>, Vec<Fault>> {
        let key = match (state::subject_key(event, &draft.fields), event.subject) {
            (_, Kind::Unit) | (None, _) => return Ok(None),
            (Some(key), _) => key,
        };
        let former = former_number(event, &draft.fields);
        let file = match former {
            Some(former) if event.subject == Kind::Person => {
                self.file_of_corrected(event, &key, &former)?
            }
            _ => self.file_under(event.subject, &key).map_err(|f| f.0)?,
        };
        Ok(Some(file))
    }

    /// The file of a subject with this key: under a later number of a person, the one that it was
    /// opened under.
    fn file_under(&mut self, kind: Kind, key: &str) -> Result<SubjectFile, Faults> {
        let own = Pseudonym::new(&self.books.keys().vault, kind, key);
        let subject = match kind {
            Kind::Person => self.same_person(own)?.unwrap_or(own),
            _ => own,
        };
        let opened_as = match subject == own {
            true => None,
            false => self.subject(subject)?.key.clone(),
        };
        Ok(SubjectFile { subject, opened_as })
    }

    /// The file that a number was said to belong to, by this recording or by what is in the log and
    /// was not taken back.
    fn same_person(&self, number: Pseudonym) -> Result<Option<Pseudonym>, Faults> {
        if let Some(file) = self.same_person.get(&number) {
            return Ok(Some(*file));
        }
        let view = self.books.view();
        let said = view.files_of(number).map_err(internal)?;
        for (index, file) in said.into_iter().rev() {
            let taken_back = view.voided_by(index).map_err(internal)?.is_some();
            if !taken_back && !self.voided.contains(&index) {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// The file of a person whose number was `former` and is now `key`.
    fn file_of_corrected(
        &mut self,
        event: &EventType,
        key: &str,
        former: &str,
    ) -> Result<SubjectFile, Vec<Fault>> {
        let column = event.effect.former.as_deref().unwrap_or_default();
        if former == key {
            let fault = Fault::new(
                FaultCode::PersonSameNumber,
                "与新证号中的身份证号相同。请填写更正前的身份证号；号码没有变的，请留空。",
                "is the number of the new certificate: write the one that was known before, or leave \
                 it empty",
            );
            return Err(vec![fault.column(column)]);
        }
        let file = self.file_under(event.subject, former).map_err(|f| f.0)?;
        let own = Pseudonym::new(&self.books.keys().vault, event.subject, key);
        if own == file.subject {
            // Corrected back: the file was opened under this number.
            return Ok(SubjectFile {
                subject: own,
                opened_as: None,
            });
        }
        let known = self.same_person(own).map_err(|f| f.0)?;
        let has_own = !self.subject(own).map_err(|f| f.0)?.facts.is_empty();
        if known.is_some_and(|known| known != file.subject) || has_own {
            let fault = Fault::new(
                FaultCode::PersonTwoFiles,
                "这个新身份证号已另有档案：同一人建档两次。请将其中一份档案下的记录作废（建档最后作废），再录入本条。",
                "the new ID number has a file of its own, so this person was registered twice: take \
                 back what stands in one of the two files, its registration last, and record this \
                 again",
            );
            return Err(vec![fault.column(event.key.as_str())]);
        }
        let opened_as = match file.opened_as {
            Some(first) => first,
            None => former.to_string(),
        };
        Ok(SubjectFile {
            subject: file.subject,
            opened_as: Some(opened_as),
        })
    }

    /// Keeps in mind that a person's file goes on under another number, for what this recording
    /// still brings.
    pub(super) fn remember_number(&mut self, event: &EventType, fields: &Fields, of: Pseudonym) {
        if former_number(event, fields).is_some()
            && let Some(key) = state::subject_key(event, fields)
        {
            let number = Pseudonym::new(&self.books.keys().vault, event.subject, &key);
            self.same_person.insert(number, of);
        }
    }

    /// What is wrong with confirming a number.
    pub(super) fn confirmation(&self, event: &EventType, fields: &Fields) -> Option<Fault> {
        let column = event.effect.confirms.as_deref()?;
        let number = fields.get(column).and_then(Value::as_str)?;
        let fault = match NumberAsItStands::read(number) {
            Ok(read) if !read.fits => return None,
            Ok(_) => Fault::new(
                FaultCode::ConfirmNeedless,
                "号码与校验码相符，不需要核实。请直接录入。",
                "its check character fits, so it needs no confirmation: record with it",
            ),
            Err(_) => Fault::new(
                FaultCode::ConfirmForm,
                "不是只有校验码不符的身份证号、残疾人证号或统一社会信用代码。请对照证照逐位核对。",
                "is no ID number, certificate number or credit code of which the check character \
                 alone is wrong: compare it with the card or licence",
            ),
        };
        Some(fault.column(column))
    }
}

/// Whether a number may be recorded as it stands.
enum Standing {
    /// Another person has compared it with the card or licence.
    Confirmed,
    /// Only the one who records has.
    BySelf,
    /// Nobody has.
    Unconfirmed,
}

/// Takes in the rows whose numbers somebody else has confirmed as they stand, and says of the
/// others what to do.
///
/// # Errors
/// A damaged index.
pub fn settle_numbers(books: &Books, operator: &str, parsed: &mut Parsed) -> Result<(), Faults> {
    let mut settled: BTreeSet<(u64, String)> = BTreeSet::new();
    for unfit in &parsed.unfit {
        match standing(books, operator, unfit)? {
            Standing::Confirmed => {
                settled.insert((unfit.row, unfit.column.clone()));
            }
            Standing::BySelf => {
                for fault in faults_of(&mut parsed.faults, unfit) {
                    *fault = second_person().row(unfit.row).column(&unfit.column);
                }
            }
            Standing::Unconfirmed => {
                for fault in faults_of(&mut parsed.faults, unfit) {
                    fault.zh.push_str(
                        "证照上确实如此的，请由另一名录入人先录入“证号核实”（E71），再录入本条。",
                    );
                    fault.en.push_str(
                        "; if the card or licence really has it so, another recorder first records that the \
                         number was confirmed (E71)",
                    );
                }
            }
        }
    }
    parsed.settle(&settled);
    Ok(())
}

fn standing(books: &Books, operator: &str, unfit: &UnfitNumber) -> Result<Standing, Faults> {
    let number = ConfirmedNumber::new(&books.keys().vault, &unfit.number);
    let view = books.view();
    let mut standing = Standing::Unconfirmed;
    for (index, by) in view.confirmed_by(number).map_err(internal)? {
        if view.voided_by(index).map_err(internal)?.is_some() {
            continue;
        }
        if by != operator {
            return Ok(Standing::Confirmed);
        }
        standing = Standing::BySelf;
    }
    Ok(standing)
}

/// The number that the person was known by before, normalised.
fn former_number(event: &EventType, fields: &Fields) -> Option<String> {
    let former = fields.get(event.effect.former.as_deref()?)?.as_str()?;
    let number = IdNumber::as_it_stands(former).ok()?;
    Some(number.as_str().to_string())
}

fn faults_of<'a>(
    faults: &'a mut [Fault],
    unfit: &'a UnfitNumber,
) -> impl Iterator<Item = &'a mut Fault> {
    faults.iter_mut().filter(|fault| unfit.is_told_by(fault))
}

fn second_person() -> Fault {
    Fault::new(
        FaultCode::ConfirmSecond,
        "这个号码是由您本人核实的；核实须由录入人以外的另一人执行。",
        "you confirmed this number yourself: another person than the one who records with it does so",
    )
}
