//! What a version says otherwise than the one before, in Chinese and English.

use protocol::ids::UnitId;
use protocol::note::VerifierKey;
use protocol::registry::{Placement, Registry, Unit};
use serde::Serialize;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Difference {
    fn new(zh: String, en: String) -> Difference {
        Difference { zh, en }
    }
}

/// Everything that differs, units in the registry's order, root keys last.
pub fn differences(before: &Registry, after: &Registry) -> Vec<Difference> {
    let mut all = Vec::new();
    for now in &after.units {
        match before.unit(&now.id) {
            None => all.push(added(now)),
            Some(then) => of_unit(then, now, &mut all),
        }
    }
    roots(before, after, &mut all);
    all
}

fn added(unit: &Unit) -> Difference {
    let (id, name, since) = (&unit.id, unit.name(), unit.since);
    let (zh, en) = below(unit.parent());
    Difference::new(
        format!("新增 {id} {name}：自 {since} 起报告，{zh}"),
        format!("new: {id} {name} reports from {since} on, {en}"),
    )
}

fn below(parent: Option<&UnitId>) -> (String, String) {
    parent.map_or_else(
        || ("无上级".into(), "to nobody".into()),
        |parent| (format!("上级 {parent}"), format!("to {parent}")),
    )
}

fn of_unit(then: &Unit, now: &Unit, all: &mut Vec<Difference>) {
    placements(then, now, all);
    if (then.until(), then.successors()) != (now.until(), now.successors()) {
        all.push(ended(now));
    }
    for key in &now.keys {
        let old = then.keys.iter().find(|k| k.vkey == key.vkey);
        let (id, key_id, from) = (&now.id, key_id(&key.vkey), key.from_index);
        if old.is_none() {
            all.push(Difference::new(
                format!("{id}：新密钥 {key_id}，自第 {from} 条起签名"),
                format!("{id}: new key {key_id}, signs from index {from} on"),
            ));
        }
        let revoked = key.revoked.as_ref();
        if let Some(r) = revoked.filter(|r| old.and_then(|o| o.revoked.as_ref()) != Some(*r)) {
            let (at, reason) = (r.at_index, &r.reason);
            all.push(Difference::new(
                format!("{id}：密钥 {key_id} 自第 {at} 条起撤销（{reason}）"),
                format!("{id}: key {key_id} is revoked from index {at} on ({reason})"),
            ));
        }
    }
    if then.witness() != now.witness() {
        let (id, key) = (&now.id, key_id(now.witness()));
        let until = now.former_witnesses().last().map(|w| w.until.to_rfc3339());
        let until = until.unwrap_or_default();
        all.push(Difference::new(
            format!("{id}：新见证密钥 {key}，原密钥的签名至 {until} 止有效"),
            format!("{id}: new witness key {key}; the old one's signatures hold until {until}"),
        ));
    }
}

/// From which month on it is called so and reports there, where that was told otherwise.
fn placements(then: &Unit, now: &Unit, all: &mut Vec<Difference>) {
    let starts = |unit: &Unit| {
        let former: Vec<_> = unit
            .former()
            .filter_map(|(until, _)| until.next())
            .collect();
        former
    };
    let mut months = [starts(then), starts(now), vec![now.since]].concat();
    months.sort_unstable();
    months.dedup();
    let mut shown = None;
    for from in months {
        let (old, new) = (then.placement(from), now.placement(from));
        let change = (old.clone(), new.clone());
        // What stays as it was told for the month before is told once.
        if old != new && shown.as_ref() != Some(&change) {
            all.push(placed(&now.id, from.to_string(), &old, &new));
        }
        shown = Some(change);
    }
}

fn placed(id: &UnitId, from: String, old: &Placement, new: &Placement) -> Difference {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    let text = |value: Option<&str>| value.unwrap_or("-").to_string();
    let (name, area) = (&old.name, old.area.as_deref());
    if *name != new.name {
        zh.push(format!("名称 {name} → {}", new.name));
        en.push(format!("its name is {}, not {name}", new.name));
    }
    if old.parent != new.parent {
        let parent = |p: &Placement| text(p.parent.as_ref().map(UnitId::as_str));
        zh.push(format!("上级 {} → {}", parent(old), parent(new)));
        en.push(format!(
            "it reports to {}, not {}",
            parent(new),
            parent(old)
        ));
    }
    if area != new.area.as_deref() {
        let (area, other) = (text(area), text(new.area.as_deref()));
        zh.push(format!("行政区划代码 {area} → {other}"));
        en.push(format!("its area code is {other}, not {area}"));
    }
    Difference::new(
        format!("{id} 自 {from} 起：{}", zh.join("，")),
        format!("{id} from {from} on: {}", en.join(", ")),
    )
}

fn ended(unit: &Unit) -> Difference {
    let id = &unit.id;
    let Some(until) = unit.until() else {
        return Difference::new(format!("{id}：不再终止"), format!("{id} goes on"));
    };
    let successors: Vec<&str> = unit.successors().iter().map(UnitId::as_str).collect();
    let (zh, en) = match successors.as_slice() {
        [] => ("无承接单位".to_string(), "nobody carries on".to_string()),
        ids => (
            format!("由 {} 承接", ids.join("、")),
            format!("carried on by {}", ids.join(", ")),
        ),
    };
    Difference::new(
        format!("{id}：最后一个月 {until}，{zh}"),
        format!("{id} ends with {until}, {en}"),
    )
}

fn roots(before: &Registry, after: &Registry, all: &mut Vec<Difference>) {
    for root in after.roots.iter().filter(|r| !before.roots.contains(r)) {
        let name = root.name();
        all.push(Difference::new(
            format!("新增根密钥 {name}"),
            format!("new root key {name}"),
        ));
    }
    for root in before.roots.iter().filter(|r| !after.roots.contains(r)) {
        let name = root.name();
        all.push(Difference::new(
            format!("去掉根密钥 {name}"),
            format!("{name} is no root key any more"),
        ));
    }
    let (old, new) = (before.threshold, after.threshold);
    if old != new {
        all.push(Difference::new(
            format!("须签名的根密钥数：{old} → {new}"),
            format!("{new} root keys must sign, not {old}"),
        ));
    }
}

/// The four bytes by which lines name a key.
fn key_id(key: &VerifierKey) -> String {
    key.id().iter().map(|b| format!("{b:02x}")).collect()
}
