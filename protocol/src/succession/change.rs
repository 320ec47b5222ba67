//! One change from a catalogue to the next, and what it means.

use std::fmt;

/// Whether a change may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It would stop a close, or make a running stock wrong.
    Refused,
    /// It may be, and people should know what it means.
    Noted,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// The version does not count up.
    Version {
        /// Version of the old catalogue.
        old: u32,
        /// Version of the new one.
        new: u32,
    },
    /// The catalogue has another id.
    Name,
    /// An event type is gone.
    EventRemoved,
    /// What an event type is about, or how it is kept, is another.
    EventNature(&'static str),
    /// A field holds something of another kind.
    FieldKind,
    /// A code is gone from a dimension that a table uses.
    CodeRemoved(String),
    /// An indicator counts another kind of thing under the same id.
    IndicatorNature(&'static str),
    /// A stock that was left out comes back under its id.
    StockReturns,
    /// An event type that is new.
    EventAdded,
    /// Nobody records an event type any longer.
    EventRetired,
    /// Other tiers record it.
    Levels,
    /// A field is new.
    FieldAdded,
    /// A field is gone.
    FieldRemoved,
    /// A field's own code is gone.
    FieldCodeRemoved(String),
    /// The largest number that a field takes is lower.
    MaximumLowered,
    /// A code is new.
    CodeAdded(String),
    /// A code is gone from a dimension that no table uses.
    SpareCodeRemoved(String),
    /// The codes stand in another order.
    CodesReordered,
    /// A code has another name.
    CodeRenamed(String),
    /// A stock is new.
    StockAdded,
    /// A flow or a quotient is new.
    IndicatorAdded,
    /// A stock is gone.
    StockRemoved,
    /// A flow or a quotient is gone.
    IndicatorRemoved,
    /// A stock counts by another condition.
    StockRecounted,
    /// A flow or a quotient counts by another condition.
    FlowMeaning,
    /// The name that plans use is another.
    Key,
    /// A rule is new, gone or another.
    Rule(&'static str),
}

/// All codes: of what may not be, then of what may.
pub const CODES: [&str; 27] = [
    "succession.version",
    "succession.event_removed",
    "succession.event_nature",
    "succession.field_kind",
    "succession.code_removed",
    "succession.indicator_nature",
    "succession.stock_returns",
    "succession.name",
    "succession.event_added",
    "succession.event_retired",
    "succession.levels",
    "succession.field_added",
    "succession.field_removed",
    "succession.field_code_removed",
    "succession.maximum_lowered",
    "succession.code_added",
    "succession.spare_code_removed",
    "succession.codes_reordered",
    "succession.code_renamed",
    "succession.stock_added",
    "succession.indicator_added",
    "succession.stock_removed",
    "succession.indicator_removed",
    "succession.stock_recounted",
    "succession.flow_meaning",
    "succession.key",
    "succession.rule",
];

impl ChangeKind {
    /// Whether it may be.
    pub fn weight(&self) -> Weight {
        match self {
            ChangeKind::Version { .. }
            | ChangeKind::EventRemoved
            | ChangeKind::EventNature(_)
            | ChangeKind::FieldKind
            | ChangeKind::CodeRemoved(_)
            | ChangeKind::IndicatorNature(_)
            | ChangeKind::StockReturns => Weight::Refused,
            _ => Weight::Noted,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ChangeKind::Version { .. } => "succession.version",
            ChangeKind::Name => "succession.name",
            ChangeKind::EventRemoved => "succession.event_removed",
            ChangeKind::EventNature(_) => "succession.event_nature",
            ChangeKind::FieldKind => "succession.field_kind",
            ChangeKind::CodeRemoved(_) => "succession.code_removed",
            ChangeKind::IndicatorNature(_) => "succession.indicator_nature",
            ChangeKind::StockReturns => "succession.stock_returns",
            ChangeKind::EventAdded => "succession.event_added",
            ChangeKind::EventRetired => "succession.event_retired",
            ChangeKind::Levels => "succession.levels",
            ChangeKind::FieldAdded => "succession.field_added",
            ChangeKind::FieldRemoved => "succession.field_removed",
            ChangeKind::FieldCodeRemoved(_) => "succession.field_code_removed",
            ChangeKind::MaximumLowered => "succession.maximum_lowered",
            ChangeKind::CodeAdded(_) => "succession.code_added",
            ChangeKind::SpareCodeRemoved(_) => "succession.spare_code_removed",
            ChangeKind::CodesReordered => "succession.codes_reordered",
            ChangeKind::CodeRenamed(_) => "succession.code_renamed",
            ChangeKind::StockAdded => "succession.stock_added",
            ChangeKind::IndicatorAdded => "succession.indicator_added",
            ChangeKind::StockRemoved => "succession.stock_removed",
            ChangeKind::IndicatorRemoved => "succession.indicator_removed",
            ChangeKind::StockRecounted => "succession.stock_recounted",
            ChangeKind::FlowMeaning => "succession.flow_meaning",
            ChangeKind::Key => "succession.key",
            ChangeKind::Rule(_) => "succession.rule",
        }
    }
}

/// One change, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind} [{}]", kind.code())]
pub struct Change {
    place: String,
    kind: ChangeKind,
}

impl Change {
    pub(super) fn new(place: &str, kind: ChangeKind) -> Change {
        Change {
            place: place.to_string(),
            kind,
        }
    }

    /// Which part of the catalogue: `dimension sex`, `event E16.wage`, `indicator I011`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What changed.
    pub fn kind(&self) -> &ChangeKind {
        &self.kind
    }

    /// The same in Chinese.
    pub fn zh(&self) -> String {
        format!("{}：{}", self.place, self.kind.zh())
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeKind::Version { old, new } => write!(
                f,
                "version {new} does not come after {old}: nodes would count by the old one"
            ),
            ChangeKind::EventNature(member) => write!(
                f,
                "its {member} is another: what was recorded could not be counted any longer. Give \
                 the new type a name of its own"
            ),
            ChangeKind::CodeRemoved(code) => write!(
                f,
                "code {code} is gone, but tables use the dimension: what stands in its cells would \
                 have no place, and no month could be closed. Keep the code in the dimension, and \
                 give the field codes of its own without it"
            ),
            ChangeKind::IndicatorNature(member) => write!(
                f,
                "its {member} is another under the same id: last month's number would be carried \
                 into, and compared with, something else. Give the new indicator an id of its own"
            ),
            ChangeKind::FieldCodeRemoved(code) => write!(
                f,
                "code {code} is gone: it cannot be recorded any longer. Events that have it stay \
                 as they are"
            ),
            ChangeKind::CodeAdded(code) => {
                write!(f, "code {code} is new: its cells begin at 0")
            }
            ChangeKind::SpareCodeRemoved(code) => write!(
                f,
                "code {code} is gone: it cannot be recorded any longer. No table uses the \
                 dimension, so nothing is carried in it"
            ),
            ChangeKind::CodeRenamed(code) => write!(
                f,
                "code {code} has another name: what stands in its cells now stands under it"
            ),
            ChangeKind::Rule(what) => write!(
                f,
                "the rule is {what}: it is judged from the first month that is closed by this \
                 catalogue"
            ),
            other => f.write_str(other.sentence().1),
        }
    }
}

impl ChangeKind {
    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            ChangeKind::Version { old, new } => {
                format!("第 {new} 版不在第 {old} 版之后：各节点仍会按旧目录计数")
            }
            ChangeKind::EventNature(member) => {
                format!("其 {member} 改变：已有记录将无法继续计数。请为新的事件类型另起名称")
            }
            ChangeKind::CodeRemoved(code) => format!(
                "删去了代码 {code}，而有分组表使用该分组：其单元格中的数将无处可放，月份无法结账。\
                 请在分组中保留该代码，并为字段单独列出不含它的代码"
            ),
            ChangeKind::IndicatorNature(member) => format!(
                "编号不变而其 {member} 改变：上月的数会结转到另一种数并与之比较。\
                 请为新指标另起编号"
            ),
            ChangeKind::FieldCodeRemoved(code) => {
                format!("删去了代码 {code}：今后不能再录入；已有记录不变")
            }
            ChangeKind::CodeAdded(code) => format!("新增代码 {code}：其单元格从 0 开始"),
            ChangeKind::SpareCodeRemoved(code) => {
                format!("删去了代码 {code}：今后不能再录入；没有分组表使用该分组，无数可结转")
            }
            ChangeKind::CodeRenamed(code) => {
                format!("代码 {code} 改了名称：其单元格中的数今后列在新名称下")
            }
            ChangeKind::Rule(_) => {
                "审核关系有新增、删去或改动：从按本目录结账的第一个月起适用".into()
            }
            other => other.sentence().0.into(),
        }
    }

    /// Chinese and English of what has no parameter.
    fn sentence(&self) -> (&'static str, &'static str) {
        match self {
            ChangeKind::EventRemoved => (
                "删去了事件类型：已有记录将无法计数，月份无法结账。不再录入的类型请保留，并令 levels = []",
                "the event type is gone: what was recorded could not be counted, and no month could be \
                 closed. Keep a type that nobody shall record any longer, with levels = []",
            ),
            ChangeKind::FieldKind => (
                "字段的种类改变：已有记录中的值将无法读取。请另起字段名",
                "the field holds another kind of value: what was recorded could not be read. Give the \
                 new field a name of its own",
            ),
            ChangeKind::StockReturns => (
                "该存量曾被删去，又以原编号出现：会从 0 开始而漏计原有的。请另起编号",
                "the stock was left out before and comes back under its id: it would begin at 0 without \
                 those who counted in it then. Give it another id",
            ),
            other => other.sentence_of_records(),
        }
    }

    fn sentence_of_records(&self) -> (&'static str, &'static str) {
        match self {
            ChangeKind::Name => (
                "目录的编号改变；各节点仍按版本号接续",
                "the catalogue has another id; nodes go by its version all the same",
            ),
            ChangeKind::EventAdded => ("新增事件类型", "the event type is new"),
            ChangeKind::EventRetired => (
                "今后不再录入；已有记录照常计数，也可作废",
                "nobody records it any longer; what was recorded counts on and can be taken back",
            ),
            ChangeKind::Levels => ("可录入的层级改变", "other tiers record it"),
            ChangeKind::FieldAdded => (
                "新增字段；已有记录中为空",
                "the field is new; in events that were recorded before it is empty",
            ),
            ChangeKind::FieldRemoved => (
                "删去了字段；已有记录保留其值，但不再参与计数",
                "the field is gone; events that have it keep it, but nothing counts by it",
            ),
            ChangeKind::MaximumLowered => (
                "最大值降低：超过者今后不能录入，也不能更正；已有记录不变",
                "the maximum is lower: what is above it can no longer be recorded or corrected; what \
                 was recorded stays",
            ),
            ChangeKind::CodesReordered => (
                "代码顺序改变；数按单元格名称结转，不受影响",
                "the codes stand in another order; numbers are carried by the cell's name, so none moves",
            ),
            other => other.sentence_of_figures(),
        }
    }

    fn sentence_of_figures(&self) -> (&'static str, &'static str) {
        match self {
            ChangeKind::StockAdded => (
                "新增存量指标：从 0 开始；首次按本目录结账时重算，已有记录中符合条件的计入",
                "the stock is new: it begins at 0, and the recount of the first close by this catalogue \
                 brings in whom earlier events make a member",
            ),
            ChangeKind::IndicatorAdded => (
                "新增指标：从按本目录记录的第一个月起计数，以前各月没有此数",
                "the indicator is new: it counts from the first month that is recorded by this \
                 catalogue; earlier months do not have it",
            ),
            ChangeKind::StockRemoved => (
                "删去了存量指标：存量就此终止。该编号不得再用，否则会从 0 开始而漏计原有的",
                "the stock is gone and ends here. Never give its id again: it would begin at 0 without \
                 those who count in it now",
            ),
            ChangeKind::IndicatorRemoved => (
                "删去了指标：以前各月的数仍在，今后各月没有",
                "the indicator is gone: earlier months keep it, later ones do not have it",
            ),
            ChangeKind::StockRecounted => (
                "存量的条件改变：结转上月的数，首次按本目录结账时重算，差额列为系统事件；申报的期初数不变",
                "the stock counts by another condition: last month's number is carried on, and the recount \
                 of the first close by this catalogue moves what differs; a declared opening stays",
            ),
            ChangeKind::FlowMeaning => (
                "指标的口径改变：以前各月按旧口径，跨越改变的累计数两者相加",
                "the indicator counts by another condition: earlier months stay as they were, and a total \
                 over months before and after adds both",
            ),
            ChangeKind::Key => (
                "计划所用的名称改变：按旧名称写的目标将找不到它",
                "the name that plans use is another: targets that have the old one no longer find it",
            ),
            // Those with parameters have sentences of their own.
            _ => ("", ""),
        }
    }
}
