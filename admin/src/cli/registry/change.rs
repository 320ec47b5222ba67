//! What the arguments of `countersign registry next` change in a version. Whatever does not fit it
//! is noted, and the rest is tried nevertheless, so that everything that is wrong is told at once.

use node::fault::FaultCode;
use protocol::ids::UnitId;
use protocol::note::VerifierKey;
use protocol::period::Month;
use protocol::registry::{Placement, Registry, Revocation, Unit, UnitKey};

use super::next_args::Args;
use super::refused::{At, Refused};
use super::version::units_of;
use crate::cli::arguments::vkey;
use crate::cli::units::{self, Card};

/// Makes the version from the one before, which is `registry`. What of the arguments or files does
/// not fit it is in `refused`: nothing of them is left out in silence.
pub fn change(registry: &mut Registry, args: &Args, refused: &mut Refused) {
    let known = registry.units.len();
    if !args.add.is_empty() {
        take_cards(registry, args, refused);
    }
    place(registry, args, refused);
    end(registry, args, refused);
    // A new unit changes what is said of the months from its first one on.
    let added = registry.units[known..].iter().map(|u| u.since).min();
    registry.from = match (args.from, added) {
        (Some(from), Some(added)) => Some(from.min(added)),
        (Some(from), None) => Some(from),
        (None, added) => registry.from.max(added),
    };
    let of_keys = Pairs {
        what: "--rotate-key",
        number: "--from-index",
    };
    for (unit, key, index) in of_keys.read(&args.rotate_key, &args.from_index, refused) {
        if let Some(unit) = find(registry, &unit, of_keys.what, refused) {
            rotate(unit, key, index, &args.reason, refused);
        }
    }
    let of_witnesses = Pairs {
        what: "--rotate-witness",
        number: "--from-time",
    };
    for (unit, key, from) in of_witnesses.read(&args.rotate_witness, &args.from_time, refused) {
        if let Some(unit) = find(registry, &unit, of_witnesses.what, refused) {
            unit.replace_witness(key, from);
        }
    }
    let of_revoked = Pairs {
        what: "--revoke",
        number: "--at-index",
    };
    for (unit, key, index) in of_revoked.read(&args.revoke, &args.at_index, refused) {
        if let Some(unit) = find(registry, &unit, of_revoked.what, refused) {
            revoke(unit, &key, index, &args.reason, refused);
        }
    }
    roots(registry, args, refused);
}

fn roots(registry: &mut Registry, args: &Args, refused: &mut Refused) {
    registry.roots.extend(args.add_root.iter().cloned());
    for root in &args.drop_root {
        let before = registry.roots.len();
        registry.roots.retain(|r| r != root);
        if registry.roots.len() == before {
            let name = root.name();
            refused.note(
                FaultCode::RegistryKey,
                At::whole("roots"),
                format!("{name} 不是根密钥；请对照 `countersign registry show`"),
                format!("{name} is not a root key; compare `countersign registry show`"),
            );
        }
    }
    registry.threshold = args.threshold.unwrap_or(registry.threshold);
}

/// Takes the files of units: new ones are added, and what they say of a known one is taken over
/// from the month on.
fn take_cards(registry: &mut Registry, args: &Args, refused: &mut Refused) {
    let cards = match units::load(&args.add) {
        Ok(cards) => cards,
        Err(faults) => return refused.faults(faults),
    };
    let mut new = Vec::new();
    for card in cards {
        match registry.units.iter_mut().find(|u| u.id == card.id) {
            Some(unit) => take_known(unit, &card, args.from, refused),
            None => new.push(card),
        }
    }
    if new.is_empty() {
        return;
    }
    let added = units_of(&new, args.since, args.skip_keyless, refused);
    registry.units.extend(added);
}

/// Something that a file says otherwise of a known unit, and that it cannot be changed so.
fn differs(refused: &mut Refused, id: &UnitId, field: &str, zh: &str, en: &str) {
    refused.note(
        FaultCode::RegistryExists,
        At::unit(id, field),
        format!("单位 {id} 已在名录中，{zh}"),
        format!("unit {id} is there already, with another {en}"),
    );
}

fn take_known(unit: &mut Unit, card: &Card, from: Option<Month>, refused: &mut Refused) {
    let mut other = |field: &str, zh: &str, en: &str| differs(refused, &card.id, field, zh, en);
    let no_key = |key: &VerifierKey| unit.keys.iter().all(|k| k.vkey != *key);
    if card.vkey.as_ref().is_some_and(no_key) {
        other(
            "keys",
            "节点密钥不同；已有单位更换密钥请用 --rotate-key",
            "node key; a new key of a known unit takes --rotate-key",
        );
    }
    if card.witness.as_ref().is_some_and(|w| w != unit.witness()) {
        other(
            "witness",
            "见证密钥不同；已有单位更换见证密钥请用 --rotate-witness",
            "witness key; a new witness key of a known unit takes --rotate-witness",
        );
    }
    if card.tier.is_some_and(|tier| tier != unit.tier) {
        other(
            "tier",
            "层级不同；请终止该单位，另行新增新层级的单位",
            "tier; end this unit, and add another with the new tier",
        );
    }
    if card.since.is_some_and(|since| since != unit.since) {
        other(
            "since",
            "首月不同；单位的首月不变，请改正文件",
            "first month; the first month of a unit stays, correct the file",
        );
    }
    let last = unit.last_placement();
    let wanted = Placement {
        name: card.name.clone().unwrap_or_else(|| last.name.clone()),
        parent: card.parent.clone().or_else(|| last.parent.clone()),
        area: card.area.clone().or_else(|| last.area.clone()),
    };
    match from {
        Some(from) if wanted != last => place_as_filed(unit, (from, wanted), &last, refused),
        Some(_) => {}
        None => without_month(&card.id, &wanted, &last, refused),
    }
}

/// A file places a known unit otherwise from a month on. One that was not corrected after a change
/// would undo it: going back is not believed of a file.
fn place_as_filed(
    unit: &mut Unit,
    (from, wanted): (Month, Placement),
    last: &Placement,
    refused: &mut Refused,
) {
    let goes_back = |same: fn(&Placement, &Placement) -> bool| {
        let mut former = unit.former();
        !same(last, &wanted) && former.any(|(_, before)| same(&before, &wanted))
    };
    let name = goes_back(|a, b| a.name == b.name);
    let parent = goes_back(|a, b| a.parent == b.parent);
    for (field, zh, en, option, _) in [
        ("name", "名称", "name", "--rename", name),
        ("parent", "上级", "parent", "--move", parent),
    ]
    .iter()
    .filter(|(.., back)| *back)
    {
        let zh = format!("{zh}不同：文件中是其从前的{zh}；请先改正文件；确要改回的，请用 {option}");
        let en = format!(
            "{en}: the file has one from before; correct the file first; where the unit is to go \
             back, say {option}"
        );
        differs(refused, &unit.id, field, &zh, &en);
    }
    if !name && !parent {
        unit.place(from, wanted);
    }
}

/// A file places a known unit otherwise, and nobody says from which month on.
fn without_month(id: &UnitId, wanted: &Placement, last: &Placement, refused: &mut Refused) {
    let fields = [
        ("name", "名称", "name", wanted.name != last.name),
        ("parent", "上级", "parent", wanted.parent != last.parent),
        (
            "area",
            "行政区划代码",
            "area code",
            wanted.area != last.area,
        ),
    ];
    for (field, zh, en, _) in fields.iter().filter(|(.., differs)| *differs) {
        let zh = format!(
            "{zh}不同；请先核对文件：早于名录变更的文件请先改正；确是新的变更的，用 --from YYYY-MM 写明从哪个月起"
        );
        let en = format!(
            "{en}; look at the file first: correct one that is older than a change of the registry; \
             where the change is new, give --from YYYY-MM, the first month in which it is so"
        );
        differs(refused, id, field, &zh, &en);
    }
}

/// `--move` and `--rename`.
fn place(registry: &mut Registry, args: &Args, refused: &mut Refused) {
    for pair in args.moves.chunks(2) {
        let [id, parent] = pair else { continue };
        let (id, parent) = (
            id_of(id, "--move", refused),
            id_of(parent, "--move", refused),
        );
        let from = needed(args.from, "--move", refused);
        let (Some(id), Some(parent), Some(from)) = (id, parent, from) else {
            continue;
        };
        if let Some(unit) = find(registry, &id, "--move", refused) {
            let mut placement = unit.placement(from);
            placement.parent = Some(parent);
            unit.place(from, placement);
        }
    }
    for pair in args.rename.chunks(2) {
        let [id, name] = pair else { continue };
        let from = needed(args.from, "--rename", refused);
        let (Some(id), Some(from)) = (id_of(id, "--rename", refused), from) else {
            continue;
        };
        if let Some(unit) = find(registry, &id, "--rename", refused) {
            let mut placement = unit.placement(from);
            placement.name.clone_from(name);
            unit.place(from, placement);
        }
    }
}

/// `--end` and `--successor`.
fn end(registry: &mut Registry, args: &Args, refused: &mut Refused) {
    let mut successors = Vec::new();
    for pair in args.successor.chunks(2) {
        let [id, successor] = pair else { continue };
        let ended = id_of(id, "--successor", refused);
        let (Some(ended), Some(successor)) = (ended, id_of(successor, "--successor", refused))
        else {
            continue;
        };
        if !args.end.contains(&ended) {
            refused.usage(
                "--successor",
                format!("--successor {ended} {successor}：请同时给出 --end {ended}"),
                format!("--successor {ended} {successor}: give --end {ended}, too"),
            );
        }
        successors.push((ended, successor));
    }
    for id in &args.end {
        let unit = find(registry, id, "--end", refused);
        let Some(from) = needed(args.from, "--end", refused) else {
            continue;
        };
        let Some(last) = from.prev() else {
            let zh = "--from 之前没有月份；请写更晚的月份";
            let en = "there is no month before --from; give a later one";
            refused.usage("--from", zh, en);
            continue;
        };
        let of_unit = successors.iter().filter(|(ended, _)| ended == id);
        let of_unit = of_unit.map(|(_, successor)| successor.clone()).collect();
        if let Some(unit) = unit {
            unit.end(Some(last), of_unit);
        }
    }
}

fn id_of(text: &str, what: &str, refused: &mut Refused) -> Option<UnitId> {
    let id = text.parse();
    id.map_err(|e| {
        let zh = format!("{what}：“{text}”不是单位代码；请改正");
        refused.usage(what, zh, format!("{what}: {e}; correct it"));
    })
    .ok()
}

fn needed(from: Option<Month>, what: &str, refused: &mut Refused) -> Option<Month> {
    if from.is_none() {
        refused.usage(
            what,
            format!("{what} 需要 --from YYYY-MM，即从哪个月起；请写明"),
            format!("{what} needs --from YYYY-MM, the first month in which it is so"),
        );
    }
    from
}

/// A unit signs with a new key from this leaf on.
fn rotate(unit: &mut Unit, key: VerifierKey, index: u64, reason: &str, refused: &mut Refused) {
    if unit.keys.iter().any(|k| k.vkey == key) {
        let id = &unit.id;
        refused.note(
            FaultCode::RegistryKey,
            At::unit(id, "keys"),
            format!("单位 {id} 已有这把密钥；请给出新制作的密钥"),
            format!("unit {id} has this key already; give one that was made anew"),
        );
        return;
    }
    // The old key signs no leaf from `index` on; what it sealed over exactly that many leaves stays
    // valid.
    for old in unit.keys.iter_mut().filter(|k| k.revoked.is_none()) {
        old.revoked = Some(Revocation {
            at_index: index,
            reason: reason.to_string(),
        });
    }
    unit.keys.push(UnitKey {
        vkey: key,
        from_index: index,
        revoked: None,
    });
}

/// A key signs nothing from this leaf on.
fn revoke(unit: &mut Unit, key: &VerifierKey, index: u64, reason: &str, refused: &mut Refused) {
    let id = unit.id.clone();
    let at = At::unit(&id, "keys");
    let Some(held) = unit.keys.iter_mut().find(|k| k.vkey == *key) else {
        refused.note(
            FaultCode::RegistryKey,
            at,
            format!("单位 {id} 没有这把密钥；请对照 `countersign registry show`"),
            format!("unit {id} does not have this key; compare `countersign registry show`"),
        );
        return;
    };
    // Who learns of a theft later may bring the index forward, never put it back.
    if held.revoked.as_ref().is_some_and(|r| r.at_index <= index) {
        refused.note(
            FaultCode::RegistryKey,
            at,
            format!("单位 {id} 的这把密钥已在同一序号或更早撤销；只能改为更小的 --at-index"),
            format!(
                "this key of unit {id} is revoked already, at the same index or before; only a \
                 smaller --at-index changes anything"
            ),
        );
        return;
    }
    held.revoked = Some(Revocation {
        at_index: index,
        reason: reason.to_string(),
    });
}

fn find<'a>(
    registry: &'a mut Registry,
    id: &UnitId,
    what: &str,
    refused: &mut Refused,
) -> Option<&'a mut Unit> {
    let unit = registry.units.iter_mut().find(|u| &u.id == id);
    if unit.is_none() {
        refused.note(
            FaultCode::RegistryUnit,
            At::unit(id, what),
            format!("单位 {id} 不在名录中；新增单位请用 --add"),
            format!("unit {id} is not in the registry; a new one takes --add"),
        );
    }
    unit
}

/// An option of units and keys, and the one that has a value for each of them.
struct Pairs {
    what: &'static str,
    number: &'static str,
}

impl Pairs {
    fn read<T: Copy>(
        &self,
        words: &[String],
        values: &[T],
        refused: &mut Refused,
    ) -> Vec<(UnitId, VerifierKey, T)> {
        let Pairs { what, number } = self;
        let complete = words.len() == 2 * values.len();
        if !complete {
            refused.usage(
                what,
                format!("每个 {what} UNIT VKEY 需要各自的 {number}；请补齐"),
                format!("each {what} UNIT VKEY needs its own {number}"),
            );
        }
        let mut list = Vec::new();
        // Where values are missing, the words are looked at all the same.
        for (n, pair) in words.chunks(2).enumerate() {
            let [unit, key] = pair else { continue };
            let unit = id_of(unit, what, refused);
            let key = vkey(key).map_err(|e| {
                let zh = format!("{what}：不是公钥；请给出 vkey 或含有它的文件");
                refused.usage(what, zh, format!("{what}: {e}"));
            });
            let value = values.get(n).filter(|_| complete);
            if let (Some(unit), Ok(key), Some(value)) = (unit, key, value) {
                list.push((unit, key, *value));
            }
        }
        list
    }
}
