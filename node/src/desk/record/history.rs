//! What the history of a subject says against a new event.

use protocol::catalogue::EventType;
use protocol::compiled::CompiledCatalogue;
use protocol::count::state::State;
use protocol::count::{CountError, Fact};
use protocol::verify::log::MAX_HISTORY;

use crate::books::payload::SubjectHistory;
use crate::fault::{Fault, FaultCode};

/// Most events about one subject: half of what those who check its log would read, so that recounts
/// find room.
const MAX_FACTS: usize = MAX_HISTORY / 2;

fn too_many_facts() -> Fault {
    Fault::new(
        FaultCode::EventHistory,
        format!(
            "同一号码的记录已有 {MAX_FACTS} 条，不能继续录入。请核对是否多人误用了同一证件号码或编号。"
        ),
        format!(
            "there are {MAX_FACTS} events about this subject already; see whether its number was \
             used for others by mistake"
        ),
    )
}

/// What a subject's history says against an event, and the state that it finds.
pub(super) fn check_history(
    counting: &CompiledCatalogue,
    event: &EventType,
    subject: &SubjectHistory,
    fact: &Fact,
) -> Result<(Vec<Fault>, State), Vec<Fault>> {
    if subject.facts.len() >= MAX_FACTS {
        return Err(vec![too_many_facts()]);
    }
    let failed = |e: CountError| vec![cannot_count(&e)];
    let before = counting
        .engine
        .state_before(event.subject, subject.view(), fact)
        .map_err(failed)?;
    let effect = &event.effect;
    let mut faults = Vec::new();
    let column = event.key.as_str();
    if effect.begin && before.active {
        let (zh, en) = (
            "已经登记，不能重复登记。信息有变化的，请录入变更。",
            "is registered already; what has changed is recorded as a change",
        );
        faults.push(Fault::new(FaultCode::SubjectRegistered, zh, en).column(column));
    }
    if !effect.begin && !before.active {
        let (zh, en) = (
            "发生日期当天没有登记（未建档，或档案已经终止）。请核对日期和号码；身份证号经公安机关更正的，请录入证件变更并填写原身份证号，不要重新建档；否则请先录入登记。",
            "is not registered on that day: see the day and the number; a person whose ID number was \
             corrected is no new person: record the change with the former number; or else register \
             first",
        );
        faults.push(Fault::new(FaultCode::SubjectUnknown, zh, en).column(column));
    } else if effect.open.is_some() || effect.close.is_some() {
        let open = counting
            .engine
            .spell_is_open(event.subject, &before, fact)
            .map_err(failed)?;
        if effect.open.is_some() && open {
            faults.push(Fault::new(
                FaultCode::SpellOpen,
                "同一编号的就业（或同类事项）还没有终止。请先录入终止，或核对编号。",
                "the same spell is still open: record its end first, or see its number",
            ));
        }
        if effect.close.is_some() && !open {
            faults.push(Fault::new(
                FaultCode::SpellClosed,
                "同一编号没有未终止的就业（或同类事项）。请核对编号和日期。",
                "there is no open spell of this number to end: see the number and the day",
            ));
        }
    }
    Ok((faults, before))
}

/// An event that the catalogue's rules of counting stumble over.
pub(super) fn cannot_count(error: &CountError) -> Fault {
    let code = FaultCode::of_protocol(error.code());
    let zh = format!("无法计数：{}", code.meaning().zh);
    Fault::new(code, zh, error.to_string())
}
