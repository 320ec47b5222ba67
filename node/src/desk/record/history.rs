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
        format!("同一对象的事件已达 {MAX_FACTS} 件,不能再录;请核对是否误用了同一证号或编号"),
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
            "已经登记,不能重复登记;如有变化请用变更事件",
            "is registered already; use a change event",
        );
        faults.push(Fault::new(FaultCode::SubjectRegistered, zh, en).column(column));
    }
    if !effect.begin && !before.active {
        let (zh, en) = (
            "在这一天没有登记(未建档或已终止);请先登记",
            "is not registered on that day; register first",
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
                "同一就业(或同类事项)尚未终止",
                "the same spell is still open; end it first",
            ));
        }
        if effect.close.is_some() && !open {
            faults.push(Fault::new(
                FaultCode::SpellClosed,
                "没有可终止的就业(或同类事项);请核对编号",
                "there is no open spell of this key to end",
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
