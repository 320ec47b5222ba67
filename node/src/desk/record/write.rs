//! Statements of a recording: their ids, what they say in clear, and what the signers are to commit
//! to.

use protocol::catalogue::EventType;
use protocol::count::Value;
use protocol::ids::EventId;
use protocol::period::Month;
use protocol::statement::{Body, Ref, Statement};

use super::Recording;
use crate::books::payload::Payload;
use crate::desk::sealing::{CommitmentInput, Content, UnsignedStatement};
use crate::fault::{FaultCode, Faults, internal};
use crate::pseudonym::Pseudonym;
use crate::view::ContentHash;

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
        draft: Option<(u64, ContentHash)>,
    ) -> Result<(EventId, u64), Faults> {
        let counting = self.month.counting.clone();
        let schema = counting
            .generators
            .schema(&event.name)
            .ok_or_else(|| internal("no schema"))?;
        let row = schema
            .row(&payload.moves, !event.is_clear())
            .map_err(|e| Faults::one(FaultCode::Row, "无法编成行", e.to_string()))?;
        if let Some(subject) = subject
            && let Some(subject) = self.subjects.get_mut(&subject)
        {
            subject.balance.add(&payload.moves, 1);
        }
        let id = self.id()?;
        let mut head = self.head(id, &event.name);
        head.replaces = replaces;
        head.late = late;
        let (from, same) = draft.unzip();
        // Drawn here and not by the threads that sign, so that the order is always the same.
        let nonce = self.random.next()?;
        let content = if event.is_clear() {
            let mut fields = payload.fields.clone();
            fields.insert("occurred_on".into(), Value::Text(payload.on.to_string()));
            payload.fields.clone_from(&fields);
            let counts = schema.named(&row);
            Content::Public(Body::Clear { fields, counts }, Some((payload, nonce)))
        } else {
            // The event's fields, its day, and the subject of a system event.
            let fields = payload.fields.len() + 1 + usize::from(payload.subject.is_some());
            // Nothing is drawn for what will not be written.
            let drawn = if self.signers.is_some() { fields } else { 0 };
            let salts = (0..drawn)
                .map(|_| self.random.next())
                .collect::<Result<_, _>>()?;
            Content::Sealed(CommitmentInput {
                row,
                salts,
                payload,
                nonce,
            })
        };
        Ok((
            id,
            self.push(UnsignedStatement {
                from,
                head,
                content,
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

    /// A statement of this recording, whose body is still to come.
    pub(super) fn head(&self, id: EventId, event: &str) -> Statement<()> {
        Statement::new(
            id,
            event,
            self.month.unit.id.clone(),
            self.month.period,
            self.recorded.1.clone(),
            self.month.counting.digest,
        )
    }
}
