//! What is refused of a version that is to be made: everything at once, each with its unit, its
//! field as the document calls it, a code, what is wrong and the cure, in both languages.

use node::fault::{Fault, FaultCode, Faults};
use protocol::ids::UnitId;
use protocol::note::VerifierKey;
use protocol::period::Month;
use protocol::registry::{
    DocumentFault, FromMonth, Registry, RegistryError, Unit, UnitFault, UnitFaultKind,
    VerifiedRegistry,
};

use crate::cli::output::Failure;

/// Whose entry, and which of its fields.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    unit: Option<&'a UnitId>,
    field: &'a str,
}

impl<'a> At<'a> {
    /// A field of a unit.
    pub fn unit(unit: &'a UnitId, field: &'a str) -> At<'a> {
        At {
            unit: Some(unit),
            field,
        }
    }
    /// A field of the document, or an argument that names no known unit.
    pub fn whole(field: &'a str) -> At<'a> {
        At { unit: None, field }
    }
}

/// What is refused so far.
#[derive(Debug, Default)]
pub struct Refused(Vec<Fault>);

impl Refused {
    /// One more; `zh` and `en` say what is wrong and how to cure it.
    pub fn note(
        &mut self,
        code: FaultCode,
        at: At<'_>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        let mut fault = Fault::new(code, zh, en).column(at.field);
        if let Some(unit) = at.unit {
            fault = fault.unit(unit);
        }
        self.0.push(fault);
    }

    /// The command line is at fault.
    pub fn usage(&mut self, argument: &str, zh: impl Into<String>, en: impl Into<String>) {
        self.note(FaultCode::Usage, At::whole(argument), zh, en);
    }

    /// What was found wrong with files.
    pub fn faults(&mut self, faults: Faults) {
        self.0.extend(faults.0);
    }

    /// What is wrong with a version alone, and after the one before.
    pub fn version(&mut self, version: &Registry, before: Option<&VerifiedRegistry>) {
        let after = before.map(|b| b.faults_of_next(version));
        for error in version
            .faults()
            .into_iter()
            .chain(after.into_iter().flatten())
        {
            self.error(&error, version);
        }
    }

    fn error(&mut self, error: &RegistryError, version: &Registry) {
        match error {
            RegistryError::Units(faults) => self.units(FaultCode::RegistryUnit, faults),
            RegistryError::Past { faults, .. } => self.units(FaultCode::RegistryPast, faults),
            RegistryError::Settled { settled, found, .. } => {
                let zh = format!(
                    "本版自 {} 起有改动，但 {settled} 之前的月份已经确定；请写 --from {settled} 或更晚的月份",
                    month_zh(*found)
                );
                let en = format!("{error}; give --from {settled}, or a later month");
                self.note(FaultCode::RegistryFrom, At::whole("from"), zh, bare(&en));
            }
            RegistryError::Document(fault) => {
                let (field, zh, cure) = document(*fault);
                let en = format!("{fault}; {cure}");
                self.note(FaultCode::RegistryMalformed, At::whole(field), zh, en);
            }
            RegistryError::KeyId { first, second } => self.key_id(first, second, version),
            // These are found where a chain is walked, not in a version that is made here.
            RegistryError::Malformed(_)
            | RegistryError::Version { .. }
            | RegistryError::Fork(_)
            | RegistryError::Threshold { .. } => {
                let text = error.to_string();
                self.note(
                    FaultCode::RegistryMalformed,
                    At::whole("registry"),
                    &text,
                    &text,
                );
            }
        }
    }

    fn key_id(&mut self, first: &VerifierKey, second: &VerifierKey, version: &Registry) {
        let of = |u: &&Unit| u.vkeys().contains(second) || u.witnesses().any(|w| w == second);
        let at = match version.units.iter().find(of) {
            Some(unit) => At::unit(&unit.id, "keys"),
            None => At::whole("roots"),
        };
        let zh =
            format!("两把不同的密钥名称和密钥编号相同：{first} 与 {second}；请为后者另做一把密钥");
        let en = format!(
            "two different keys have one name and key id: {first} and {second}; make another key \
             in the place of the second"
        );
        self.note(FaultCode::RegistryKeyId, at, zh, en);
    }

    fn units(&mut self, code: FaultCode, faults: &[UnitFault]) {
        for fault in faults {
            let (field, wrong, cure) = of_unit(&fault.kind);
            let zh = format!("单位 {} {wrong}；{}", fault.unit, cure.0);
            let en = format!("{fault}; {}", cure.1);
            self.note(code, At::unit(&fault.unit, field), zh, en);
        }
    }

    /// Fails with all of it.
    ///
    /// # Errors
    /// Where anything was noted.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let usage = FaultCode::Usage;
        let all_usage = self.0.iter().all(|fault| fault.code == usage);
        Err(Failure {
            usage: all_usage,
            ..Failure::of_faults(self.0, "nothing is signed")
        })
    }
}

/// Without the code at the end of a text's first part.
fn bare(text: &str) -> String {
    text.replace(&format!(" [{}]", FaultCode::RegistryFrom), "")
}

fn month_zh(from: FromMonth) -> String {
    let known = |month: Month| month.to_string();
    from.0.map_or_else(|| "未写明的月份".to_string(), known)
}

/// The field, what is wrong with the cure in Chinese, and the cure in English.
fn document(fault: DocumentFault) -> (&'static str, &'static str, &'static str) {
    match fault {
        DocumentFault::Predecessor => (
            "previous",
            "第 1 版没有上一版，以后各版都指明上一版；请给出以前各版的文件",
            "give the notes of all versions so far",
        ),
        DocumentFault::FirstFrom => (
            "from",
            "第 1 版不改动任何内容，不写 `from` 月份；请去掉",
            "leave it out",
        ),
        DocumentFault::RootTwice => (
            "roots",
            "同一把根密钥出现两次；请只写一次",
            "give each root key once",
        ),
        DocumentFault::Threshold => (
            "threshold",
            "须签名的根密钥数在 1 与不同根密钥的个数之间；请改 --threshold",
            "give another --threshold",
        ),
        DocumentFault::RootKind => (
            "roots",
            "根密钥用于签名，须为 Ed25519 密钥（0x01）；请给出 `key new` 制作的密钥",
            "give a key that `key new` made",
        ),
        DocumentFault::TooManyUnits => (
            "units",
            "单位过多；请分成几个单位名录",
            "make several registries of them",
        ),
    }
}

/// In Chinese and in English.
type Cure = (&'static str, &'static str);

/// The field, what is wrong with it in Chinese, and the cure.
type Told = (&'static str, String, Cure);

const KEPT: Cure = (
    "请从以前各版制作新版，不要删去任何内容",
    "make the version from those before it, and leave nothing out",
);

fn of_unit(kind: &UnitFaultKind) -> Told {
    of_keys(kind)
        .or_else(|| of_parents(kind))
        .unwrap_or_else(|| of_months(kind))
}

fn of_keys(kind: &UnitFaultKind) -> Option<Told> {
    use UnitFaultKind as Kind;
    const KEYS: Cure = (
        "请给出该单位 `key unit` 所制作的密钥",
        "give the keys that `key unit` made for this unit",
    );
    let (field, wrong, cure) = match kind {
        Kind::Keys => ("keys", "没有密钥，或密钥名称不是本单位", KEYS),
        Kind::KeyTwice => (
            "keys",
            "的同一把密钥出现两次：已撤销的密钥不得再次列入",
            (
                "请给出新制作的密钥（`key unit`）",
                "give a key that was made anew (`key unit`)",
            ),
        ),
        Kind::WitnessName => ("witness", "的见证密钥名称不是“单位/witness”", KEYS),
        Kind::Algorithm => (
            "keys",
            "的密钥种类不对：须为 Ed25519（0x01），见证密钥须为见证签名密钥（0x04）",
            KEYS,
        ),
        Kind::WitnessOrder => (
            "former_witnesses",
            "的原见证密钥时间不递增，或同一把见证密钥出现两次",
            (
                "请给出新制作的见证密钥，--from-time 晚于上一次更换",
                "give a witness key that was made anew, and a --from-time after the last rotation",
            ),
        ),
        Kind::KeyGone => (
            "keys",
            "缺少原有的密钥，或其起始序号不同：密钥只能撤销，不能删去",
            KEPT,
        ),
        Kind::Unrevoked => ("keys", "有密钥的撤销被收回或推迟", KEPT),
        Kind::KeyBefore => (
            "keys",
            "的新密钥起始序号在原有密钥之前",
            ("请给出更大的 --from-index", "give a greater --from-index"),
        ),
        Kind::WitnessGone => (
            "former_witnesses",
            "缺少原有的见证密钥，或其期限比以前长",
            KEPT,
        ),
        _ => return None,
    };
    Some((field, wrong.to_string(), cure))
}

fn of_parents(kind: &UnitFaultKind) -> Option<Told> {
    use UnitFaultKind as Kind;
    const PARENT: Cure = (
        "请用 --move 指定存在且层级更高的上级",
        "give --move a parent that exists and is of a higher tier",
    );
    let told = match kind {
        Kind::UnknownParent(id) => ("parent", format!("的上级不存在：{id}"), PARENT),
        Kind::Tier(id) => ("parent", format!("的上级层级不更高：{id}"), PARENT),
        Kind::ParentMonths {
            parent,
            first,
            last,
        } => {
            let upto = last.map_or_else(|| "起".to_string(), |last| format!("至 {last} "));
            let wrong =
                format!("自 {first} {upto}以 {parent} 为上级，但 {parent} 并非在其中每个月都存在");
            let cure = (
                "请先把它移到别的上级或一并终止",
                "move it elsewhere or end it, too",
            );
            ("parent", wrong, cure)
        }
        Kind::Successor(id) => (
            "successors",
            format!("的承接单位 {id} 是其自身、出现两次，或在其终止后的月份不存在"),
            (
                "请给出届时存在的另一单位",
                "give another unit, which exists then",
            ),
        ),
        _ => return None,
    };
    Some(told)
}

fn of_months(kind: &UnitFaultKind) -> Told {
    use UnitFaultKind as Kind;
    const MONTHS: Cure = (
        "请用 --from 写明另一个月份，或先改上级",
        "give another month by --from, or place the parent first",
    );
    match kind {
        Kind::Twice => (
            "id",
            "出现两次".into(),
            ("请只写一次", "give each unit once"),
        ),
        Kind::Ends => ("until", "在开始之前终止".into(), MONTHS),
        Kind::FormerOrder => (
            "former",
            "原名称或原上级的月份不是从最初到最后递增".into(),
            MONTHS,
        ),
        Kind::SuccessorsOfNobody => (
            "successors",
            "有承接单位，但没有最后一个月".into(),
            ("请同时给出 --end", "give --end, too"),
        ),
        Kind::Vanished => ("id", "被删去：单位只能终止，不能消失".into(), KEPT),
        Kind::Settled(from) => (
            "former",
            format!("在 {} 之前的月份改了名称、上级或终止", month_zh(*from)),
            ("请用 --from 写明更晚的月份", "give a later month by --from"),
        ),
        Kind::New { since, from } => (
            "since",
            format!("是新增单位，首月 {since}，早于 {}", month_zh(*from)),
            ("请给出更晚的首月", "give it a later first month"),
        ),
        // The others were told above.
        Kind::Identity
        | Kind::Keys
        | Kind::KeyTwice
        | Kind::WitnessName
        | Kind::Algorithm
        | Kind::WitnessOrder
        | Kind::Successor(_)
        | Kind::UnknownParent(_)
        | Kind::Tier(_)
        | Kind::ParentMonths { .. }
        | Kind::KeyGone
        | Kind::Unrevoked
        | Kind::KeyBefore
        | Kind::WitnessGone => ("since", "的层级或首月与以前不同".into(), KEPT),
    }
}
