//! The shapes of the API's answers and requests, as the OpenAPI document describes them. The values
//! themselves are plain types of the rooms that make them, which know nothing of an API; a test
//! holds each against its shape, field by field.

use std::collections::BTreeMap;

use protocol::count::Fields;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One fault. The texts never repeat a value that could be personal data.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The unit that it is about, where an input tells of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Row of the file, counted from 1, the heading included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Column or field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Stable code.
    pub code: String,
    /// What is wrong and how to cure it, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// All faults of a request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Faults(pub Vec<Fault>);

/// What was recorded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// Row of the file.
    pub row: u64,
    /// Event id.
    pub id: String,
    /// Log index.
    pub index: u64,
    /// Month that it counts in.
    #[schema(value_type = String)]
    pub period: Month,
    /// The sealed month that it belongs to.
    #[schema(value_type = Option<String>)]
    pub late: Option<Month>,
}

/// An event that was taken back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Voided {
    /// Log index of the event.
    pub index: u64,
    /// The month that the event counts in.
    #[schema(value_type = String)]
    pub of: Month,
    /// The month that its numbers come off.
    #[schema(value_type = String)]
    pub period: Month,
    /// The events that rested on it and were taken back as well.
    pub resting: Vec<u64>,
    /// The report that still contains it, where that is of an earlier month.
    pub reported: Option<StillReported>,
}

/// A report that contains an event that was taken back since.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StillReported {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Whether it was handed in.
    pub submitted: bool,
}

/// The result of an import.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Recorded rows; empty where the file was refused.
    pub recorded: Vec<Recorded>,
    /// Every fault.
    pub faults: Vec<Fault>,
    /// What is doubtful in rows that are recorded all the same.
    #[serde(default)]
    pub warnings: Vec<Fault>,
    /// Rows that were passed over: titles, totals, and what was recorded before.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// Columns that were read over, as the file names them.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// What became of how many rows.
    #[serde(default)]
    pub counts: Counts,
    /// Whether anything was recorded, or would be in a run without recording.
    pub accepted: bool,
    /// Whether every row was recorded before, so that nothing of the file is left to be recorded.
    #[serde(default)]
    pub known: bool,
    /// The name by which all that was recorded together can be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
}

/// A row that was passed over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Skipped {
    /// Row of the file.
    pub row: u64,
    /// `title`, `total`, `footer` or `recorded` (the very same was recorded before).
    pub reason: String,
    /// Log index of what was recorded before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
}

/// What became of the rows of a file: recorded, skipped and refused add up to all.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Rows in which something stands, the heading not counted.
    pub rows: u64,
    /// Recorded, or fit to be in a run without recording.
    pub recorded: u64,
    /// Passed over: no events, or recorded before.
    pub skipped: u64,
    /// Not recorded: what is wrong, and what is right in a file that is refused as a whole.
    pub refused: u64,
    /// Of the refused ones, those that are wrong.
    pub faulty: u64,
}

/// What the closing person says.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloseRequest {
    /// Rule id → explanation.
    pub explanations: BTreeMap<String, String>,
    /// Child unit, by id or name → why it is missing.
    pub missing: BTreeMap<String, String>,
    /// Makes a month anew that somebody has signed and nobody has submitted; what was signed is lost.
    pub discard_signatures: bool,
}

/// The result of a close.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Closed {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest of the rollup's text.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The checks, as the parent will see them once the signatories have signed.
    #[schema(value_type = Vec<Object>)]
    pub verdicts: Vec<Verdict>,
}

/// What a close would make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// The month's events by kind, those that last month had and this one has not included.
    pub kinds: Vec<KindCount>,
    /// So many system events the close would record: what time and voids alone have changed.
    pub recounted: u64,
    /// Figures beside those of last month and of the same month last year.
    pub figures: Vec<FigureChange>,
    /// Rules that do not hold.
    pub rules: Vec<BrokenRule>,
    /// Units below without an accepted report.
    pub missing: Vec<MissingUnit>,
    /// Files that were refused since the node started, and after which none of the same kind went
    /// through.
    pub refused: Vec<RefusedFiles>,
    /// Those whose signatures would be lost.
    pub signed: Vec<String>,
    /// Why it would be refused now.
    pub faults: Vec<Fault>,
}

/// Events of one kind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct KindCount {
    /// Code, for example E16.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// How many were recorded in the month.
    pub recorded: u64,
    /// Of these, how many belong to a closed month.
    pub late: u64,
    /// How many the month takes back, of whatever month they are.
    pub voided: u64,
    /// How many were recorded last month.
    pub last_month: u64,
}

/// A figure beside earlier ones. Amounts of money are in fen.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FigureChange {
    /// Figure.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Unit of measure.
    pub measure: String,
    /// As the close would report it.
    pub now: Amount,
    /// Of last month.
    pub last_month: Option<Amount>,
    /// Of the same month last year.
    pub last_year: Option<Amount>,
}

/// What a figure comes to, units below included.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Amount {
    /// Of a counted figure.
    pub value: Option<i64>,
    /// Numerator of a ratio or coverage.
    pub num: Option<i64>,
    /// Its denominator.
    pub den: Option<i64>,
}

/// A rule of the catalogue that does not hold.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BrokenRule {
    /// Rule.
    pub id: String,
    /// The figure that it is about.
    pub figure: String,
    /// Whether it stops the close; else it asks for an explanation.
    pub hard: bool,
    /// What it says, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// The figure as the close would report it.
    pub now: Option<Amount>,
    /// And as it was last month.
    pub last_month: Option<Amount>,
}

/// A unit below without an accepted report.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MissingUnit {
    /// Unit.
    pub unit: String,
    /// Name.
    pub name: String,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// Files of one type by one person that were refused, with nothing of their contents.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RefusedFiles {
    /// Event type; none where the rows name their own.
    pub event: Option<String>,
    /// Who sent them.
    pub by: String,
    /// When the last one came, UTC.
    pub at: String,
    /// How many files.
    pub files: u64,
    /// Faults of the last one by code.
    pub codes: BTreeMap<String, u64>,
}

/// A close that was undone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Undone {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest of the report that is no more.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Whose signatures are lost.
    pub signed: Vec<String>,
}

/// One event in a list: public facts only, unless private ones were asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Listed {
    /// Log index.
    pub index: u64,
    /// Event id.
    pub id: String,
    /// Event type.
    pub event: String,
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// When it was recorded.
    pub recorded: String,
    /// Sealed month that it belongs to.
    #[schema(value_type = Option<String>)]
    pub late: Option<Month>,
    /// Index of the statement that took it back.
    pub voided_by: Option<u64>,
    /// Fields of a clear event, or of a sealed one where private fields were asked for.
    #[schema(value_type = Object)]
    pub fields: Fields,
}

/// How a unit stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Unit.
    pub unit: String,
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: String,
    /// The month that events are recorded in; of a unit that has ended its last one.
    #[schema(value_type = String)]
    pub open: Month,
    /// The last month of the unit, where the registry says that it ends.
    #[schema(value_type = Option<String>)]
    pub until: Option<Month>,
    /// Whether the unit has ended and its last month is closed: no month is open any more, unless
    /// the parent opens one again.
    #[serde(default)]
    pub ended: bool,
    /// Its last day to be on time.
    pub due: String,
    /// Statements in the log.
    pub leaves: u64,
    /// Rollups that wait for a receipt.
    pub waiting: Vec<String>,
    /// When the oldest of these was submitted.
    pub waiting_since: Option<String>,
    /// Those of them that did not go out yet in this run of the node; the others are with the NATS
    /// server or with the parent, which decides on them.
    #[serde(default)]
    pub unsent: Vec<String>,
    /// Children whose rollup of the open month is not accepted yet.
    pub children_missing: Vec<String>,
    /// What came from below after this unit closed its month, and is in no revision of its own.
    #[serde(default)]
    pub below_changed: Vec<ChangedBelow>,
    /// How the link stands.
    pub link: String,
    /// Since when no unit above or below has been reached; none while the link is up.
    pub unreached_since: Option<String>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Whether the journal takes anything: `writable`, `full` while the disk is, `poisoned` after a
    /// failure of the disk, until a restart.
    #[serde(default)]
    pub journal: String,
    /// Why the node signs nothing with its key: the registry does not let it. None if it does.
    #[serde(default)]
    pub key: Option<Fault>,
    /// Contradictions kept as evidence.
    pub contradictions: Vec<String>,
    /// The units that they are about: who signed two things that cannot both be true.
    pub contradictory: Vec<String>,
    /// Under whose name something was refused at the door in this run of the node, when, and why.
    /// It was not kept.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Reports from below that cannot be checked yet, and what each waits for.
    #[serde(default)]
    pub unchecked: Vec<String>,
    /// Registry version.
    pub registry: u64,
    /// Catalogue digest.
    #[schema(value_type = Option<String>)]
    pub catalogue: Option<Digest>,
    /// The node's clock.
    pub now: String,
}

/// One rollup of the unit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnMonth {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest.
    #[schema(value_type = String)]
    pub rollup: Digest,
    /// Signatories who have not signed.
    pub unsigned: Vec<String>,
    /// Handed to the outbox at.
    pub submitted: Option<String>,
    /// The parent's last word.
    #[schema(value_type = Option<String>)]
    pub decision: Option<Decision>,
    /// Its reasons.
    pub reasons: Vec<String>,
    /// What the parent checked.
    #[schema(value_type = Vec<Object>)]
    pub checks: Vec<Verdict>,
    /// Everything that the parent said of this revision, in order.
    #[serde(default)]
    pub words: Vec<Word>,
    /// When it went out in this run of the node: the NATS server keeps it, durably, until the parent
    /// takes it. Whether the parent has decided is another question.
    #[serde(default)]
    pub sent: Option<String>,
}

/// One word of the parent on one revision.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Word {
    /// The decision.
    #[schema(value_type = String)]
    pub decision: Decision,
    /// Since when, UTC.
    pub decided: String,
    /// Who decided: `<unit>/<name>`, or the unit where its node did so by itself.
    pub by: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The figures and cells that the reasons are about.
    pub about: Vec<String>,
}

/// A rollup of a unit below.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChildMonth {
    /// Whose.
    #[schema(value_type = String)]
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Whom the unit reported to in this month: that unit decides on it, whoever is the parent of
    /// today. None of a month in which the unit does not exist.
    #[schema(value_type = Option<String>)]
    pub parent: Option<UnitId>,
    /// Revision.
    pub revision: u32,
    /// Digest.
    #[schema(value_type = String)]
    pub rollup: Digest,
    /// When it came, UTC.
    pub arrived: Option<String>,
    /// The checks; empty while it waits for something.
    #[schema(value_type = Vec<Object>)]
    pub verdicts: Vec<Verdict>,
    /// What it waits for.
    pub waits: Option<String>,
    /// This unit's last word.
    #[schema(value_type = Option<String>)]
    pub decision: Option<Decision>,
    /// Whether it waits for a decision of this unit's people.
    pub open: bool,
    /// What the unit was caught at.
    pub flagged: Option<String>,
    /// Everything that this unit said of this revision, in order.
    #[serde(default)]
    pub words: Vec<Word>,
}

/// What was decided on a month of a unit below.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Decided {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// The decision.
    #[schema(value_type = String)]
    pub decision: Decision,
}

/// Two documents that cannot both be true, kept as evidence. What is a statement may be any bytes
/// that the unit put into its log; then the delivery is exact, and the text as good as it can be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Contradicted {
    /// Who signed both. This unit itself, where its parent answered for another rollup than this
    /// node has.
    #[schema(value_type = String)]
    pub unit: UnitId,
    /// What contradicts.
    pub what: String,
    /// What was known: a signed note.
    pub first: Option<String>,
    /// Where it is a statement: the delivery that proves its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_delivery: Option<DeliveryBytes>,
    /// What came second: a signed note.
    pub second: String,
    /// Where it is a statement: the delivery that proves the same index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_delivery: Option<DeliveryBytes>,
}

/// A delivery as it came: a unit's statements, its signed checkpoint, and the proof that they stand
/// in its log (SPEC, section 4).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveryBytes {
    /// Index of the first statement.
    pub from: u64,
    /// The bytes, in base 64.
    pub bytes: String,
}

/// What came from below after this unit closed a month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangedBelow {
    /// Month.
    pub period: String,
    /// Who.
    pub unit: String,
    /// Name.
    pub name: String,
    /// The revision that this unit's report rests on; none where it named the unit as missing.
    pub used: Option<u32>,
    /// The revision that is here now.
    pub now: u32,
    /// Digest of that one.
    pub digest: String,
    /// Whether it is accepted; else it waits for that.
    pub accepted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{desk, fault, queries};
    use serde::de::DeserializeOwned;
    use std::collections::BTreeSet;

    /// Reads a value by its shape and writes it again: a field that the shape lacks gets lost, one
    /// that the value lacks is missed.
    fn holds<S: Serialize + DeserializeOwned>(value: &impl Serialize) {
        let json = serde_json::to_value(value).unwrap();
        let shape: S = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(shape).unwrap(), json);
    }

    fn month() -> Month {
        "2023-04".parse().unwrap()
    }

    #[test]
    fn what_the_desk_answers_has_its_shape() {
        let fault = fault::Fault::new(fault::FaultCode::FieldMissing, "zh", "en")
            .unit(&"140321".parse().unwrap())
            .row(2)
            .column("c");
        let recorded = desk::record::Recorded {
            row: 2,
            id: "id".into(),
            index: 3,
            period: month(),
            late: Some(month()),
        };
        holds::<Faults>(&fault::Faults(vec![fault.clone()]));
        holds::<Imported>(&desk::record::Imported {
            recorded: vec![recorded],
            faults: vec![fault.clone()],
            warnings: vec![fault],
            skipped: vec![crate::exchange::Skipped {
                row: 1,
                reason: crate::exchange::SkipReason::Total,
                index: Some(1),
            }],
            ignored: vec!["备注".into()],
            counts: desk::record::Counts::default(),
            accepted: true,
            known: false,
            batch: Some("4-5".into()),
        });
        holds::<CloseRequest>(&desk::close::CloseRequest {
            explanations: BTreeMap::from([("R".into(), "why".into())]),
            missing: BTreeMap::from([("14".into(), "why".into())]),
            discard_signatures: true,
        });
        holds::<Voided>(&desk::record::Voided {
            index: 1,
            of: month(),
            period: month(),
            resting: vec![2],
            reported: Some(desk::record::StillReported {
                period: month(),
                revision: 1,
                submitted: true,
            }),
        });
        holds::<Closed>(&desk::close::Closed {
            period: month(),
            revision: 1,
            digest: Digest::of(b"x"),
            verdicts: Vec::new(),
        });
    }

    #[test]
    fn what_a_close_would_make_has_its_shape() {
        let amount = desk::preview::Amount {
            value: Some(1),
            num: None,
            den: None,
        };
        let text = || "x".to_string();
        holds::<Preview>(&desk::preview::Preview {
            period: month(),
            revision: 1,
            kinds: vec![desk::preview::KindCount {
                code: text(),
                zh: text(),
                en: text(),
                recorded: 1,
                late: 1,
                voided: 1,
                last_month: 1,
            }],
            recounted: 1,
            figures: vec![desk::preview::FigureChange {
                id: text(),
                zh: text(),
                en: text(),
                measure: text(),
                now: amount,
                last_month: Some(amount),
                last_year: None,
            }],
            rules: vec![desk::preview::BrokenRule {
                id: text(),
                figure: text(),
                hard: true,
                zh: text(),
                en: text(),
                now: Some(amount),
                last_month: None,
            }],
            missing: vec![desk::preview::MissingUnit {
                unit: text(),
                name: text(),
                reason: None,
            }],
            refused: vec![desk::preview::RefusedFiles {
                event: None,
                by: text(),
                at: text(),
                files: 1,
                codes: BTreeMap::from([(text(), 1)]),
            }],
            signed: vec![text()],
            faults: Vec::new(),
        });
        holds::<Undone>(&desk::undo::Undone {
            period: month(),
            revision: 1,
            digest: Digest::of(b"x"),
            signed: vec![text()],
        });
    }

    fn word() -> queries::words::Word {
        queries::words::Word {
            decision: Decision::Returned,
            decided: "now".into(),
            by: "14/wang".into(),
            reasons: vec!["why".into()],
            about: vec!["I011".into()],
        }
    }

    #[test]
    fn what_is_asked_has_its_shape() {
        holds::<Listed>(&queries::events::Listed {
            index: 1,
            id: "id".into(),
            event: "e".into(),
            period: month(),
            recorded: "now".into(),
            late: Some(month()),
            voided_by: Some(2),
            fields: Fields::new(),
        });
        holds::<OwnMonth>(&queries::months::OwnMonth {
            period: month(),
            revision: 1,
            rollup: Digest::of(b"x"),
            unsigned: vec!["a".into()],
            submitted: Some("now".into()),
            decision: Some(Decision::Accepted),
            reasons: Vec::new(),
            checks: Vec::new(),
            words: vec![word()],
            sent: Some("now".into()),
        });
        holds::<ChildMonth>(&queries::children::ChildMonth {
            unit: "14".parse().unwrap(),
            name: "name".into(),
            period: month(),
            parent: Some("14".parse().unwrap()),
            revision: 1,
            rollup: Digest::of(b"x"),
            arrived: Some("now".into()),
            verdicts: Vec::new(),
            waits: Some("it".into()),
            decision: Some(Decision::Returned),
            open: false,
            flagged: Some("it".into()),
            words: vec![word()],
        });
        holds::<Decided>(&queries::children::Decided {
            period: month(),
            revision: 1,
            decision: Decision::Reopened,
        });
        let delivery = || queries::contradictions::DeliveryBytes {
            from: 0,
            bytes: "AA==".into(),
        };
        holds::<Contradicted>(&queries::contradictions::Contradicted {
            unit: "14".parse().unwrap(),
            what: "it".into(),
            first: Some("a".into()),
            first_delivery: Some(delivery()),
            second: "b".into(),
            second_delivery: Some(delivery()),
        });
    }

    #[test]
    fn how_a_unit_stands_has_its_shape() {
        holds::<Status>(&queries::status::Status {
            unit: "14".into(),
            name: "name".into(),
            tier: "city".into(),
            open: month(),
            until: Some(month()),
            ended: false,
            due: "day".into(),
            leaves: 1,
            waiting: Vec::new(),
            waiting_since: None,
            unsent: vec!["2023-03.1".into()],
            children_missing: Vec::new(),
            below_changed: Vec::new(),
            link: "none".into(),
            unreached_since: None,
            trouble: None,
            journal: "writable".into(),
            key: Some(fault::Fault::new(
                fault::FaultCode::KeysUnregistered,
                "zh",
                "en",
            )),
            contradictions: Vec::new(),
            contradictory: BTreeSet::from(["14".parse().unwrap()]),
            refused: Vec::new(),
            unchecked: vec!["it".into()],
            registry: 1,
            catalogue: Some(Digest::of(b"x")),
            now: "now".into(),
        });
    }
}
