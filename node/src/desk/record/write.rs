//! Statements of a recording: their ids, what they say in clear, and what the signers are to commit
//! to.

use protocol::catalogue::EventType;
use protocol::count::Value;
use protocol::ids::EventId;
use protocol::period::Month;
use protocol::statement::{Ref, Statement};

use super::Recording;
use crate::books::payload::Payload;
use crate::desk::sealing::{CommitmentInput, UnsignedStatement};
use crate::fault::{FaultCode, Faults, internal};
use crate::pseudonym::Pseudonym;
use crate::view::Same;

impl Recording<'_> {
    /// Writes a statement of a counted event; `draft` has the row that it came from and the keyed
    /// hash of what it says.
    pub(super) fn write(
        &mut self,
        event: &EventType,
        mut payload: Payload,
        replaces: Option<Ref>,
        late: Option<Month>,
        subject: Option<Pseudonym>,
        draft: Option<(u64, Same)>,
    ) -> Result<(EventId, u64), Faults> {
        let counting = self.month.counting.clone();
        let schema = counting
            .generators
            .schema(&event.name)
            .ok_or_else(|| internal("no schema"))?;
        let row = schema
            .row(&payload.moves, !event.is_clear())
            .map_err(|e| Faults::one(FaultCode::Row, format!("无法编成行:{e}"), e.to_string()))?;
        if let Some(subject) = subject
            && let Some(subject) = self.subjects.get_mut(&subject)
        {
            subject.balance.add(&payload.moves, 1);
        }
        let id = self.id()?;
        let mut s = self.blank(id, &event.name);
        s.replaces = replaces;
        s.late = late;
        if event.is_clear() {
            let mut clear = payload.fields.clone();
            clear.insert("occurred_on".into(), Value::Text(payload.on.to_string()));
            s.counts = Some(schema.named(&row));
            payload.fields.clone_from(&clear);
            s.clear = Some(clear);
        }
        let (from, same) = draft.unzip();
        // Drawn here and not by the threads that sign, so that the order is always the same.
        let nonce = self.random.next()?;
        let sealed = if event.is_clear() || self.signers.is_none() {
            None
        } else {
            // The event's fields, its day, and the subject of a system event.
            let fields = payload.fields.len() + 1 + usize::from(payload.subject.is_some());
            Some(CommitmentInput {
                row,
                salts: (0..fields)
                    .map(|_| self.random.next())
                    .collect::<Result<_, _>>()?,
            })
        };
        let private = Some((payload, nonce));
        Ok((
            id,
            self.push(UnsignedStatement {
                from,
                statement: s,
                private,
                sealed,
                subject,
                same,
            }),
        ))
    }

    /// Adds a statement; gives its log index.
    pub(super) fn push(&mut self, statement: UnsignedStatement) -> u64 {
        if let Some(signers) = &mut self.signers {
            signers.submit(statement);
        }
        self.next += 1;
        self.next - 1
    }

    /// A new event id.
    pub(super) fn id(&mut self) -> Result<EventId, Faults> {
        Ok(EventId::from_parts(self.recorded.0, self.random.next()?))
    }

    /// A statement that says nothing yet of its event.
    pub(super) fn blank(&self, id: EventId, event: &str) -> Statement {
        Statement {
            id,
            event: event.to_string(),
            unit: self.month.unit.id.clone(),
            period: self.month.period,
            recorded: self.recorded.1.clone(),
            catalogue: self.month.counting.digest,
            clear: None,
            counts: None,
            row: None,
            record: None,
            voids: None,
            replaces: None,
            late: None,
        }
    }
}
