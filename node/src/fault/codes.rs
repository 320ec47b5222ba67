//! The table of codes: for each its text, its HTTP status, what it means and how to cure it, in both
//! languages. The API's answers, `countersign explain` and section 10 of the runbook are made of it.
//!
//! A code, once given, keeps its text and its meaning: people look for it, and programs compare it.

use std::fmt;
use std::str::FromStr;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bilingual {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

/// A row of the table: codes that mean the same to whoever has to cure it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The codes.
    pub codes: &'static [FaultCode],
    /// What they mean.
    pub meaning: Bilingual,
    /// What to do.
    pub cure: Bilingual,
}

macro_rules! codes {
    ($({
        $($name:ident = $text:literal, $status:literal;)+
        => en $meaning_en:literal, $cure_en:literal;
           zh $meaning_zh:literal, $cure_zh:literal;
    })+) => {
        /// A stable code of what is wrong: `area.what`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultCode {
            $($(
                #[doc = concat!("`", $text, "`: ", $meaning_en)]
                $name,
            )+)+
        }

        impl FaultCode {
            /// All of them, in the order of the table.
            pub const ALL: &'static [FaultCode] = &[$($(FaultCode::$name),+),+];

            /// The rows of the table.
            pub const ROWS: &'static [Row] = &[$(Row {
                codes: &[$(FaultCode::$name),+],
                meaning: Bilingual { zh: $meaning_zh, en: $meaning_en },
                cure: Bilingual { zh: $cure_zh, en: $cure_en },
            }),+];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $($(FaultCode::$name => $text),+),+ }
            }

            /// The HTTP status of an answer that begins with this code. What only programs print is
            /// 422 as well, like everything that its sender can correct.
            pub const fn status(self) -> u16 {
                match self { $($(FaultCode::$name => $status),+),+ }
            }

            /// What it means, in both languages.
            pub const fn meaning(self) -> Bilingual {
                match self {
                    $($(FaultCode::$name)|+ => Bilingual { zh: $meaning_zh, en: $meaning_en }),+
                }
            }

            /// What to do, in both languages.
            pub const fn cure(self) -> Bilingual {
                match self {
                    $($(FaultCode::$name)|+ => Bilingual { zh: $cure_zh, en: $cure_en }),+
                }
            }
        }

        impl FromStr for FaultCode {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<FaultCode, UnknownCode> {
                match text {
                    $($($text => Ok(FaultCode::$name),)+)+
                    _ => Err(UnknownCode),
                }
            }
        }
    };
}

/// A text that is no code of this version's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this version knows no such code")]
pub struct UnknownCode;

impl FaultCode {
    /// The code of an error of the crate `protocol`, which gives it as a text. The table has all of
    /// them (`node/tests/codes` reads the sources); one that it had not would be told as a
    /// failure of the node itself.
    pub fn of_protocol(text: &str) -> FaultCode {
        text.parse().unwrap_or(FaultCode::NodeInternal)
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<&str> for FaultCode {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

codes! {
    // Reaching the node.
    {
        ApiUnreachable = "api.unreachable", 422;
        => en "no node at this address",
              "is the service running, is the address right, is the proxy up; if the text says that \
               the request was sent, look whether it was carried out";
           zh "该地址没有节点",
              "请检查服务是否运行、地址是否正确、代理是否正常；文字写明请求已经发出的，请查看是否已经办理";
    }
    {
        ApiCa = "api.ca", 422;
        => en "the file of `--ca` cannot be used",
              "give the PEM file of the authority that issued the API's certificate";
           zh "`--ca` 指定的文件不能使用", "请给出签发接口证书的机构的 PEM 文件";
    }
    {
        ApiAnswer = "api.answer", 422;
        => en "the answer is not one of a node",
              "is something else at this address, such as a proxy; are both programs of the \
               same version";
           zh "答复不是节点的答复", "请检查该地址是否为其他程序（例如代理），两个程序的版本是否相同";
    }
    {
        TokenUnknown = "token.unknown", 401;
        => en "no token, or one that the node did not read",
              "`--token-file FILE` or `COUNTERSIGN_TOKEN`; restart the node after changing \
               `tokens`";
           zh "没有令牌，或者节点没有读到这个令牌",
              "使用 `--token-file FILE` 或 `COUNTERSIGN_TOKEN`；改动 `tokens` 后请重新启动节点";
    }
    {
        RoleMissing = "role.missing", 403;
        => en "the token's person may not do this", "use the token of somebody who may";
           zh "令牌持有人没有这项权限", "请由有权限的人员办理";
    }
    {
        RequestMalformed = "request.malformed", 400;
        RequestJson = "request.json", 400;
        RequestUnknown = "request.unknown", 404;
        RequestMethod = "request.method", 405;
        => en "the request is not one that the API describes",
              "compare it with `/api/openapi.json`; are both programs of the same version";
           zh "请求不符合接口的说明", "请对照 `/api/openapi.json`；请检查两个程序的版本是否相同";
    }
    {
        RequestParameter = "request.parameter", 400;
        => en "a query parameter is missing, unknown, or not of the form that it must have",
              "the text names it; `/api/openapi.json` has those of each address";
           zh "查询参数缺少、未知或写法有误", "文字写明是哪一个；各地址的参数见 `/api/openapi.json`";
    }
    {
        UnitUnknown = "unit.unknown", 422;
        => en "the registry has no unit of this code or name, or several of this name",
              "give the code; the text names those that come near";
           zh "单位名录中没有这个代码或名称的单位，或者同名的有多个", "请写单位代码；文字列出相近的单位";
    }
    {
        FiguresNone = "figures.none", 404;
        => en "there is no report of this unit, month and revision here",
              "`countersign months` shows the own ones, `countersign review list` those from below";
           zh "此处没有该单位、该月、该版次的月报",
              "`countersign months` 显示本单位月报，`countersign review list` 显示下级月报";
    }
    {
        FiguresUnknown = "figures.unknown", 422;
        => en "the catalogue has no figure, table or cell of this name",
              "`countersign figures` shows their ids and names";
           zh "指标目录中没有这个指标、分组或单元格", "`countersign figures` 显示代码和名称";
    }
    {
        MonthForm = "month.form", 422;
        => en "a month is not written as it must be", "write 2023-04";
           zh "月份的写法有误", "请写作 2023-04";
    }
    {
        LimitAddress = "limit.address", 429;
        LimitRequests = "limit.requests", 429;
        LimitToken = "limit.token", 429;
        => en "too many requests from one address, with one token, or without a good one",
              "the text says how long to wait; runbook section 1, limits";
           zh "来自同一地址、使用同一令牌或令牌无效的请求过多", "文字写明需要等待多久；见手册第 1 节的限额";
    }
    {
        LimitConnections = "limit.connections", 503;
        LimitEvidence = "limit.evidence", 503;
        => en "too many at the same time: connections, or evidence files being taken out",
              "come again in a moment; runbook section 1, limits";
           zh "同时进行的过多：连接，或者证据文件的导出", "请稍后再试；见手册第 1 节的限额";
    }
    {
        LimitSize = "limit.size", 413;
        => en "the request is larger than 16 MiB",
              "split the file and import it in parts; runbook section 1, limits";
           zh "请求超过 16 MiB", "请把文件分成几份导入；见手册第 1 节的限额";
    }
    {
        LimitTime = "limit.time", 408;
        => en "the request took too long; it may still be carried out",
              "look whether it was done before sending it again; runbook section 1, limits";
           zh "请求超过时限；可能仍会完成", "请先查看是否已经完成，再重新发送；见手册第 1 节的限额";
    }
    // Starting a node.
    {
        WebPlain = "web.plain", 422;
        WebTls = "web.tls", 422;
        WebListen = "web.listen", 422;
        => en "the API cannot be served so", "the text names file and cure; runbook section 1, TLS";
           zh "接口不能这样提供", "文字写明文件和办法；见手册第 1 节的 TLS";
    }
    {
        ConfigMalformed = "config.malformed", 422;
        TokensMalformed = "tokens.malformed", 422;
        => en "a file cannot be read", "the text names file and line";
           zh "文件无法读取", "文字写明文件和行号";
    }
    {
        KeysUnusable = "keys.unusable", 422;
        => en "a key is missing, readable by others, or of another unit",
              "`chmod 600`; check the directory";
           zh "密钥缺少、他人可读，或者属于其他单位", "`chmod 600`；请检查目录";
    }
    {
        KeysUnregistered = "keys.unregistered", 422;
        => en "`node.key` is not the key by which the registry lets this unit sign now; nothing is signed \
               with it, events are recorded",
              "put the registered key back and restart; where it was renewed, the next registry version into \
               `published/` (runbook section 6)";
           zh "`node.key` 不是单位名录中本单位现在可以签署的密钥；不用它签署，事项照常录入",
              "请放回登记的密钥并重新启动；更换密钥的，请将下一版单位名录放入 `published/`（手册第 6 节）";
    }
    {
        FileText = "file.text", 422;
        => en "a file of a key, a token, a list or the configuration is not saved as UTF-8",
              "save it as UTF-8, or make it anew in cmd: what PowerShell writes with `>` is UTF-16";
           zh "密钥、令牌、清单或配置的文件没有以 UTF-8 保存",
              "请另存为 UTF-8，或用 cmd 重新生成：PowerShell 的 `>` 写出的是 UTF-16";
    }
    {
        VaultIo = "vault.io", 422;
        VaultMode = "vault.mode", 422;
        VaultNotAKey = "vault.not_a_key", 422;
        VaultUnknownVersion = "vault.unknown_version", 422;
        => en "`vault.key` cannot be used: it cannot be read, others may read it, or it is no \
               key of this version",
              "the text names the file; `chmod 600`, or take the one from the safe";
           zh "`vault.key` 不能使用：无法读取、他人可读，或者不是本版本的密钥", "文字写明文件；`chmod 600`，或者使用保险柜中的那一份";
    }
    {
        VaultRefused = "vault.refused", 422;
        => en "a sealed record does not open with this key",
              "take the `vault.key` of this data directory from the safe; else restore (runbook \
               section 7)";
           zh "用这把密钥打不开密封的记录", "请从保险柜取出本数据目录的 `vault.key`；否则请恢复（手册第 7 节）";
    }
    {
        NodeRegistry = "node.registry", 422;
        NodeCatalogue = "node.catalogue", 422;
        => en "nothing was published to this node", "notes into `published/`, restart";
           zh "本节点还没有收到单位名录或指标目录", "将发布的文件放入 `published/`，重新启动";
    }
    {
        NodeEnded = "node.ended", 422;
        => en "by the registry this unit has ended: no month comes after its last",
              "nothing; where the registry is mistaken, the roots make its next version";
           zh "按单位名录，本单位已经终止，最后一个月之后不再有月份", "无须处理；单位名录有误的，由根密钥持有人制作下一版";
    }
    {
        NodeStopping = "node.stopping", 503;
        NodeStopped = "node.stopped", 422;
        => en "the node is ending; the journal could not be read again after a failure, or \
               somebody stopped it",
              "check the disk, start";
           zh "节点正在停止：故障之后无法重新读取底账，或者有人停止了节点", "请检查磁盘，启动";
    }
    {
        NodeInternal = "node.internal", 500;
        => en "anything else of the node itself", "the text, and the node's log";
           zh "节点自身的其他问题", "请看文字和节点的运行日志";
    }
    // What is published, and people.
    {
        PublishedRefused = "published.refused", 422;
        PublishedMalformed = "published.malformed", 422;
        PublishedThreshold = "published.threshold", 422;
        => en "a catalogue, a plan or a registry is not what was published: it does not follow \
               from what is known, or is not signed by enough of its keys",
              "`countersign registry show` on the whole chain; versions come one by one";
           zh "指标目录、计划或单位名录不是所发布的：不能由已知版本推出，或者签名的密钥不够",
              "对整个序列执行 `countersign registry show`；各版须逐一采用";
    }
    {
        RegistryMalformed = "registry.malformed", 422;
        RegistryVersion = "registry.version", 422;
        RegistryFork = "registry.fork", 422;
        RegistryThreshold = "registry.threshold", 422;
        RegistryRoot = "registry.root", 422;
        => en "a registry does not follow from what is known",
              "is `--root` (of a node: `root`) the publisher's key; `countersign registry show` on the whole chain; versions \
               come one by one";
           zh "单位名录不能由已知版本推出",
              "请核对 `--root`（节点为 `root`）是否为发布方的根密钥；对整个序列执行 `countersign registry show`；各版须逐一采用";
    }
    {
        RegistryKeyId = "registry.key_id", 422;
        => en "two different keys have one name and key id, so that no reader could tell whose a \
               signature is",
              "make another key for the name that is new (`countersign key new`, `key unit`)";
           zh "两把不同的密钥名称和密钥编号都相同，读者无法分清签名是哪一把的",
              "请为新增的名称另做一把密钥（`countersign key new`、`key unit`）";
    }
    {
        RegistryPast = "registry.past", 422;
        RegistryFrom = "registry.from", 422;
        => en "a version would change what is settled: a unit or key that vanishes, a month before \
               the one from which it changes something",
              "units end and keys are revoked, neither is left out; give the month from which on it \
               is so, not before that of the version before";
           zh "新版会改动已确定的内容：单位或密钥消失，或者改动生效月份之前的月份",
              "单位只能终止、密钥只能撤销，不得删去；请写明从哪个月起，不得早于上一版的生效月份";
    }
    {
        RegistryUnit = "registry.unit", 422;
        RegistryKey = "registry.key", 422;
        RegistryExists = "registry.exists", 422;
        => en "the registry has no such unit or key, or has it already",
              "`countersign registry show`; a new key of a known unit takes `--rotate-key`";
           zh "单位名录中没有这个单位或密钥，或者已经有了", "`countersign registry show`；已有单位更换密钥使用 `--rotate-key`";
    }
    {
        BooksPublished = "books.published", 503;
        => en "a published note in the journal or in `published/` cannot be used",
              "the text names it; fetch it again from the publisher";
           zh "底账或 `published/` 中发布的文件不能使用", "文字写明是哪一份；请从发布方重新取得";
    }
    {
        UnitsContradiction = "units.contradiction", 422;
        UnitsEmpty = "units.empty", 422;
        UnitsFile = "units.file", 422;
        UnitsIncomplete = "units.incomplete", 422;
        UnitsKeyless = "units.keyless", 422;
        UnitsParent = "units.parent", 422;
        UnitsUnknown = "units.unknown", 422;
        => en "files of units do not make a registry: the text names the unit and what is \
               missing or contradicts",
              "correct the file, or leave out units without keys by `--skip-keyless`";
           zh "单位文件不能组成单位名录：文字写明单位以及缺少或矛盾之处", "请改正文件，或者用 `--skip-keyless` 略去没有密钥的单位";
    }
    {
        CatalogueFaults = "catalogue.faults", 422;
        CatalogueEmpty = "catalogue.empty", 422;
        CatalogueToml = "catalogue.toml", 422;
        CatalogueJson = "catalogue.json", 422;
        CatalogueCel = "catalogue.cel", 422;
        CatalogueBaseline = "catalogue.baseline", 422;
        CatalogueCells = "catalogue.cells", 422;
        CatalogueCode = "catalogue.code", 422;
        CatalogueCodes = "catalogue.codes", 422;
        CatalogueConfirms = "catalogue.confirms", 422;
        CatalogueDen = "catalogue.den", 422;
        CatalogueDimension = "catalogue.dimension", 422;
        CatalogueDuplicate = "catalogue.duplicate", 422;
        CatalogueEffect = "catalogue.effect", 422;
        CatalogueEvent = "catalogue.event", 422;
        CatalogueEvents = "catalogue.events", 422;
        CatalogueField = "catalogue.field", 422;
        CatalogueFigure = "catalogue.figure", 422;
        CatalogueFormer = "catalogue.former", 422;
        CatalogueId = "catalogue.id", 422;
        CatalogueKey = "catalogue.key", 422;
        CatalogueMax = "catalogue.max", 422;
        CatalogueMet = "catalogue.met", 422;
        CatalogueMissingEvent = "catalogue.missing_event", 422;
        CatalogueName = "catalogue.name", 422;
        CatalogueNum = "catalogue.num", 422;
        CataloguePi = "catalogue.pi", 422;
        CatalogueRecount = "catalogue.recount", 422;
        CatalogueReserved = "catalogue.reserved", 422;
        CatalogueSpellKey = "catalogue.spell_key", 422;
        CatalogueSubject = "catalogue.subject", 422;
        CatalogueSum = "catalogue.sum", 422;
        CatalogueTable = "catalogue.table", 422;
        CatalogueUnknownName = "catalogue.unknown_name", 422;
        CatalogueVariable = "catalogue.variable", 422;
        CatalogueVersion = "catalogue.version", 422;
        CatalogueWidth = "catalogue.width", 422;
        CatalogueWindow = "catalogue.window", 422;
        CatalogueWindows = "catalogue.windows", 422;
        => en "files of a catalogue are wrong, at the place that is told",
              "correct the place; `countersign catalogue check DIR` lists all of them";
           zh "指标目录的文件在所示位置有错误", "请改正该处；`countersign catalogue check DIR` 列出全部错误";
    }
    {
        SuccessionVersion = "succession.version", 422;
        SuccessionEventRemoved = "succession.event_removed", 422;
        SuccessionEventNature = "succession.event_nature", 422;
        SuccessionFieldKind = "succession.field_kind", 422;
        SuccessionCodeRemoved = "succession.code_removed", 422;
        SuccessionIndicatorNature = "succession.indicator_nature", 422;
        SuccessionStockReturns = "succession.stock_returns", 422;
        => en "a catalogue cannot follow the earlier one: a close would stop, or a running stock would be wrong",
              "the text says what to do in its place; `countersign catalogue check NEW --against OLD` lists all";
           zh "目录不能接续以前的目录：会使月份无法结账，或使结转的存量出错", "文字写明应改为怎样；`countersign catalogue check 新目录 --against 旧目录` 列出全部";
    }
    {
        SuccessionName = "succession.name", 422;
        SuccessionEventAdded = "succession.event_added", 422;
        SuccessionEventRetired = "succession.event_retired", 422;
        SuccessionLevels = "succession.levels", 422;
        SuccessionFieldAdded = "succession.field_added", 422;
        SuccessionFieldRemoved = "succession.field_removed", 422;
        SuccessionFieldCodeRemoved = "succession.field_code_removed", 422;
        SuccessionMaximumLowered = "succession.maximum_lowered", 422;
        SuccessionCodeAdded = "succession.code_added", 422;
        SuccessionSpareCodeRemoved = "succession.spare_code_removed", 422;
        SuccessionCodesReordered = "succession.codes_reordered", 422;
        SuccessionCodeRenamed = "succession.code_renamed", 422;
        SuccessionStockAdded = "succession.stock_added", 422;
        SuccessionIndicatorAdded = "succession.indicator_added", 422;
        SuccessionStockRemoved = "succession.stock_removed", 422;
        SuccessionIndicatorRemoved = "succession.indicator_removed", 422;
        SuccessionStockRecounted = "succession.stock_recounted", 422;
        SuccessionFlowMeaning = "succession.flow_meaning", 422;
        SuccessionKey = "succession.key", 422;
        SuccessionRule = "succession.rule", 422;
        => en "a catalogue differs from the earlier one in what may be; the text says what it means for running stocks and recorded months",
              "nothing, if it is meant";
           zh "目录与以前的目录有别，但可以接续；文字写明对存量和已录月份的影响", "如属有意，不必处理";
    }
    {
        PlanMalformed = "plan.malformed", 422;
        => en "the file of a plan cannot be read", "the text names file and place";
           zh "计划文件无法读取", "文字写明文件和位置";
    }
    {
        KeyExists = "key.exists", 422;
        => en "a key is there already and is not overwritten",
              "another directory; or move the old key to the safe first";
           zh "密钥已经存在，不会被覆盖", "请使用其他目录；或者先将旧密钥移入保险柜";
    }
    {
        OperatorUnknown = "operator.unknown", 422;
        => en "the recorder is not enrolled, or the node lacks the key",
              "`operator enrol`; key into `keys/`; restart";
           zh "录入人没有登记，或者节点上没有其密钥", "`operator enrol`；密钥放入 `keys/`；重新启动";
    }
    {
        OperatorEnrol = "operator.enrol", 422;
        => en "the name holds a key, or the name is not `<unit>/<name>`, or the key is not for signing, is the node's, or was enrolled under another name before",
              "revoke the old key first; for a new name `key new`, as no key ever changes its name";
           zh "该名称已有密钥，或者名称不是 `<单位>/<名称>`，或者该密钥不能用于签名、是节点的密钥、曾以另一名称登记", "请先撤销旧密钥；新的名称须用 `key new` 生成新密钥，密钥不能更换名称";
    }
    {
        OperatorRoles = "operator.roles", 422;
        => en "a person can be enrolled only for the roles recorder, preparer, reviewer and head",
              "name one or more of them";
           zh "人员只能登记为 recorder、preparer、reviewer、head", "请写明其中一个或几个";
    }
    {
        OperatorRevoke = "operator.revoke", 422;
        => en "this key is not enrolled",
              "compare it with the registered one; it may be revoked already";
           zh "没有登记这个密钥", "请与登记的密钥比对；可能已经撤销";
    }
    // Files of events.
    {
        FileEncoding = "file.encoding", 422;
        => en "the file is neither UTF-8 nor UTF-16 nor GB18030, or its rows belong to two encodings",
              "save it as “CSV UTF-8”, import again: nothing of it was recorded";
           zh "文件不是 UTF-8、UTF-16 或 GB18030 编码，或者各行编码不同", "请另存为“CSV UTF-8”后重新导入；该文件没有任何内容被录入";
    }
    {
        FileForm = "file.form", 422;
        FileUnreadable = "file.unreadable", 422;
        FileQuotes = "file.quotes", 422;
        FileHeading = "file.heading", 422;
        FileType = "file.type", 422;
        FileRows = "file.rows", 422;
        FileEmpty = "file.empty", 422;
        => en "a file of events cannot be taken: its form, its heading, its type of event, or \
               how many rows it has",
              "the text says which; correct the file, import again: nothing of it was recorded";
           zh "导入文件不能采用：格式、表头、业务类型或行数有误", "文字写明是哪一项；请改正后重新导入，该文件没有任何内容被录入";
    }
    {
        ColumnUnknown = "column.unknown", 422;
        ColumnTwice = "column.twice", 422;
        ColumnMissing = "column.missing", 422;
        MoneyUnit = "money.unit", 422;
        => en "the columns are not those of this type of event",
              "correct the heading, import again: nothing of it was recorded";
           zh "各列与这一业务类型不符", "请改正表头后重新导入；该文件没有任何内容被录入";
    }
    {
        Row = "row", 422;
        RowJson = "row.json", 422;
        RowWidth = "row.width", 422;
        RowQuotes = "row.quotes", 422;
        RowRepeated = "row.repeated", 422;
        RowColumn = "row.column", 422;
        RowTwice = "row.twice", 422;
        RowWeight = "row.weight", 422;
        => en "a row is wrong, at the place that is told",
              "correct the file, import again: nothing of it was recorded";
           zh "导入文件在所示的行有错误", "请改正后重新导入；该文件没有任何内容被录入";
    }
    {
        FieldKind = "field.kind", 422;
        FieldMissing = "field.missing", 422;
        DateForm = "date.form", 422;
        DateImpossible = "date.impossible", 422;
        MoneyForm = "money.form", 422;
        CellFormula = "cell.formula", 422;
        NumberForm = "number.form", 422;
        NumberTooLarge = "number.too_large", 422;
        BoolForm = "bool.form", 422;
        TextForm = "text.form", 422;
        CodeUnknown = "code.unknown", 422;
        => en "a cell is not filled in as its column wants it",
              "correct it as the text says, import again: nothing of the file was recorded";
           zh "单元格没有按该列的要求填写", "请按文字改正后重新导入；该文件没有任何内容被录入";
    }
    {
        DateFuture = "date.future", 422;
        DateBeforeBirth = "date.before_birth", 422;
        => en "the day cannot be: it is still to come, or before the person was born",
              "correct the day or the ID number, import again: nothing of the file was recorded";
           zh "日期不可能成立：尚未到来，或者早于出生日期", "请改正日期或证件号码后重新导入；该文件没有任何内容被录入";
    }
    {
        DateAfterPeriod = "date.after_period", 422;
        => en "the day is after the open month", "close that month first";
           zh "日期在正在填报的月份之后", "请先结账该月";
    }
    {
        IdLength = "id.length", 422;
        IdShortened = "id.shortened", 422;
        IdCharacter = "id.character", 422;
        IdBirthDate = "id.birth_date", 422;
        IdCheckDigit = "id.check_digit", 422;
        IdCreditCheck = "id.credit_check", 422;
        IdTier = "id.tier", 422;
        IdSex = "id.sex", 422;
        IdUuid = "id.uuid", 422;
        IdUuidVersion = "id.uuid_version", 422;
        => en "a number of a person or organisation, a unit or an event is not in its form, or \
               its check digit is wrong",
              "compare it with the document; correct the file, import again: nothing of it was \
               recorded";
           zh "个人或组织的号码、单位代码或记录编号的写法有误，或者校验位不符", "请与证件核对；改正文件后重新导入，该文件没有任何内容被录入";
    }
    {
        CountCode = "count.code", 422;
        CountEvent = "count.event", 422;
        CountCondition = "count.condition", 422;
        => en "the event cannot be counted by the catalogue",
              "correct the code that the text names; if the catalogue is wrong, tell its publisher";
           zh "该记录不能按指标目录计数", "请改正文字写明的代码；如果指标目录有误，请告知发布方";
    }
    {
        FigureRange = "figure.range", 422;
        => en "a figure is larger than figures may be", "look for a cell with too large a number";
           zh "数字超出允许的范围", "请查找数值过大的单元格";
    }
    {
        EventRepeated = "event.repeated", 422;
        => en "the very same event was recorded already",
              "nothing is left to do (rows of a file that were recorded before are passed over); if \
               it happened twice, tell them apart by a number or a day";
           zh "完全相同的记录已经录入", "不需要再录入（文件中此前已录入的行会略过）；如果确实发生两次，请用编号或日期区分";
    }
    {
        FieldRelation = "field.relation", 422;
        => en "two fields of one row contradict each other",
              "correct the row, import again: nothing of the file was recorded";
           zh "同一行的两项互相矛盾", "请改正后重新导入；该文件没有任何内容被录入";
    }
    {
        IdRounded = "id.rounded", 422;
        MoneyUnusual = "money.unusual", 422;
        SpellNone = "spell.none", 422;
        DateLate = "date.late", 422;
        => en "a warning: the row was recorded, and what it says is unusual",
              "compare it with the paper; if it is wrong, correct or void the record";
           zh "提示：该行已经录入，但内容不寻常", "请与原始资料核对；有误的，请更正或作废该记录";
    }
    {
        EventTier = "event.tier", 422;
        => en "this tier does not record this type", "the unit below records it";
           zh "本级不填报这一业务类型", "由下级填报";
    }
    {
        EventHistory = "event.history", 422;
        => en "a person has as many events as one can have",
              "was this number used for others by mistake";
           zh "该人员的记录已达上限", "请检查是否误将同一号码用于他人";
    }
    {
        SubjectUnknown = "subject.unknown", 422;
        SubjectRegistered = "subject.registered", 422;
        SpellOpen = "spell.open", 422;
        SpellClosed = "spell.closed", 422;
        => en "the event does not fit the person's history",
              "register first, or end the old employment first";
           zh "与该人员此前的记录不符", "请先建档，或者先终止原来的就业";
    }
    {
        PersonSameNumber = "person.same_number", 422;
        => en "the former ID number is the new one",
              "write the number that was known before as the former one, or leave it empty";
           zh "原身份证号与新证号中的身份证号相同", "请在“原身份证号”填写更正前的号码；号码没有变的，请留空";
    }
    {
        PersonTwoFiles = "person.two_files", 422;
        => en "the new ID number has a file of its own: this person was registered twice",
              "take back what stands in one of the two files, its registration last, and record the change again";
           zh "新身份证号已另有档案：同一人建档两次", "请将其中一份档案下的记录作废（建档最后作废），再录入证件变更";
    }
    {
        ConfirmForm = "confirm.form", 422;
        ConfirmNeedless = "confirm.needless", 422;
        ConfirmSecond = "confirm.second", 422;
        => en "a number is confirmed as it stands only where its check character alone is wrong, and by another person than the one who records with it",
              "compare the number with the card or licence; another recorder imports it as a confirmed number (E71)";
           zh "只有校验位不符的号码才需要核实，并须由录入人以外的另一人核实",
              "请将号码与证照原件核对；由另一名录入人录入“证号核实”（E71）";
    }
    {
        VoidUnknown = "void.unknown", 404;
        VoidTwice = "void.twice", 422;
        VoidBatch = "void.batch", 422;
        VoidKind = "void.kind", 422;
        => en "there is no event of this number that can be taken back",
              "`countersign audit events` shows the numbers; a void and an enrolment are not \
               taken back";
           zh "没有该序号的可作废的记录", "`countersign audit events` 显示序号；作废和人员登记不能再作废";
    }
    {
        VoidReason = "void.reason", 422;
        => en "unknown reason", "the answer lists the reasons";
           zh "原因代码不明", "答复中列出可用的原因";
    }
    {
        VoidCatalogue = "void.catalogue", 422;
        => en "the event was counted by an earlier catalogue, in which this month's has no place for it",
              "tell whoever signs catalogues: `countersign catalogue check NEW --against OLD` shows what is missing";
           zh "该记录按较早的目录计数，本月目录中没有它的位置",
              "请告知签署目录者：`countersign catalogue check 新目录 --against 旧目录` 会列出所缺之处";
    }
    {
        VoidLater = "void.later", 422;
        => en "the event is of a later month than the reopened one",
              "finish the reopened month first";
           zh "该记录的月份晚于准予重报的月份", "请先办完准予重报的月份";
    }
    {
        VoidClosed = "void.closed", 422;
        => en "the event is in a report that is closed and not submitted, and would still be in it",
              "`close MONTH --undo`, then take it back or correct it, and close again; `--in-open-month` if it is to come off the \
               open month";
           zh "该记录所在的月份已结账、尚未上报，月报仍会包含它",
              "请先 `close 月份 --undo` 撤销结账，再作废或更正，然后重新结账；确要从当前填报月扣减的，用 `--in-open-month`";
    }
    {
        VoidResting = "void.resting", 422;
        => en "other events rest on this one, as hires rest on a registration",
              "take those back first that the text names, or all of them: `void INDEX --with-resting`";
           zh "还有其他记录以该记录为前提，例如建档之后的就业",
              "请先作废文字列出的记录，或用 `void 序号 --with-resting` 一并作废";
    }
    {
        CorrectType = "correct.type", 422;
        => en "a correction keeps the type of the event", "void it and record it anew";
           zh "更正不能改变业务类型", "请作废后重新录入";
    }
    {
        CorrectFields = "correct.fields", 422;
        => en "the fields of the old event cannot be read",
              "its record may be erased: give the whole event with `--event`";
           zh "原记录的字段无法读取", "记录可能已被擦除：请用 `--event` 给出完整的记录";
    }
    // The month.
    {
        CloseEarly = "close.early", 422;
        => en "the month is not over", "wait";
           zh "月份尚未结束", "请等待";
    }
    {
        CloseOrder = "close.order", 422;
        => en "an earlier month is open", "close the earlier one";
           zh "还有更早的月份没有结账", "请先结账更早的月份";
    }
    {
        CloseUnsubmitted = "close.unsubmitted", 422;
        => en "three months are closed and not submitted: a fourth could make the first one impossible to mend",
              "have the first of them signed, and submit it";
           zh "已有三个月结账而未上报；再结账一个月，第一个月就可能无法更正", "请先完成其中第一个月的签字并上报";
    }
    {
        CloseUnchanged = "close.unchanged", 422;
        => en "the new revision would say what the one before says",
              "put right what the parent asks for; if nothing is wrong, tell the parent, which accepts it as it stands: \
               `review accept UNIT MONTH --unchanged`";
           zh "新的修订与原报表完全相同",
              "请按上级的要求改正；确无错误的，请告知上级按原报表审核通过：`review accept 单位 月份 --unchanged`";
    }
    {
        CloseBehind = "close.behind", 422;
        => en "an earlier month was closed again with other figures, and the months after it were not",
              "ask the parent to open the months that the text names, close them again in this order, then this one";
           zh "较早的月份重新结账后数字有变，其后的月份没有随之重新结账",
              "请上级撤销通过文字列出的月份，按顺序逐月重新结账，再结账本月";
    }
    {
        CloseRule = "close.rule", 422;
        => en "an explanation for a rule that does not ask for one",
              "see the rules that ask: `close MONTH` shows them";
           zh "对不需要说明的规则作了说明", "请核对规则编号：`close 月份` 列出需要说明的规则";
    }
    {
        CloseUnit = "close.unit", 422;
        => en "a reason for a unit that is none of those below", "name it by its id or its full name";
           zh "缺报原因所写的单位不是直属下级", "请写单位代码或单位全称";
    }
    {
        UndoSubmitted = "undo.submitted", 422;
        UndoRests = "undo.rests", 422;
        UndoSigned = "undo.signed", 422;
        => en "the close cannot be undone as it stands",
              "submitted: the parent returns it or opens it again; a later month rests on it: undo that one first; signed: \
               `close MONTH --undo --discard-signatures`";
           zh "目前不能撤销结账",
              "已上报的，请上级退回或撤销通过；其后月份以它为基础的，请先撤销其后月份的结账；已签字的，用 `close 月份 --undo --discard-signatures`";
    }
    {
        CloseChild = "close.child", 422;
        => en "a unit below has no accepted report", "review it, or `--missing UNIT=REASON`";
           zh "有下级的月报尚未审核通过", "请审核，或者写 `--missing 单位=原因`";
    }
    {
        CloseSignatory = "close.signatory", 422;
        => en "a signatory of node.toml is not enrolled in that role",
              "enrol, or correct `signatories` and restart";
           zh "node.toml 中的签字人没有登记相应角色", "请登记，或者修改 `signatories` 并重新启动";
    }
    {
        CloseSigned = "close.signed", 422;
        => en "the month is closed, not submitted, and somebody has signed it",
              "closing again makes another report: `close MONTH --discard-signatures --yes`, and have it signed again; else go on with \
               signing and submitting";
           zh "月份已经结账，尚未上报，已有人签字",
              "重新结账会产生新的报表：确需重做的，用 `close 月份 --discard-signatures --yes`，并请签字人重新签字；否则继续签字、上报";
    }
    {
        CloseSealed = "close.sealed", 422;
        => en "the month is closed",
              "if it is submitted, only the parent's return or reopening opens it; before that \
               it may be closed again";
           zh "月份已经结账", "已上报的，须由上级退回或撤销通过；尚未上报的可以重新结账";
    }
    {
        CloseSelfCheck = "close.self_check", 422;
        SubmitSelfCheck = "submit.self_check", 422;
        => en "the node's own check fails; nothing was sent",
              "stop, `audit recheck`, ask the developers with its output";
           zh "本节点自行校验未通过；没有发送任何内容", "请停止操作，执行 `audit recheck`，将输出交给开发人员";
    }
    {
        CloseCatalogue = "close.catalogue", 422;
        FigureShape = "figure.shape", 422;
        FigureAbsent = "figure.absent", 422;
        FigureNoPlace = "figure.no_place", 422;
        => en "a figure of the month before or of a unit below cannot be added by this month's catalogue",
              "name the unit as missing, with the reason; from the next month on it counts by the same catalogue. Whoever signs catalogues: `countersign catalogue check NEW --against OLD`, runbook section 3";
           zh "上月或下级的某项指标无法按本月的目录相加",
              "将该单位列为缺报并写明原因；下月起它与本单位按同一目录计数。签署目录者请运行 `countersign catalogue check 新目录 --against 旧目录`，见手册第 3 节";
    }
    {
        CloseErased = "close.erased", 422;
        => en "a record of this month was erased before the close",
              "the month cannot be summed; ask the developers";
           zh "本月有记录在结账之前被擦除", "本月无法汇总；请联系开发人员";
    }
    {
        CloseRollup = "close.rollup", 422;
        => en "the report cannot be written", "the text says which part; ask the developers";
           zh "月报无法写成", "文字写明是哪一部分；请联系开发人员";
    }
    {
        RuleHard = "rule.hard", 422;
        => en "figures that cannot be", "the text says which; mostly a declared stock (E66)";
           zh "数字不可能成立（强制性审核）", "文字写明是哪一项；多为期初数申报（E66）";
    }
    {
        RuleSoft = "rule.soft", 422;
        => en "figures that need a word", "check them, then `--explain RULE=TEXT`";
           zh "数字需要说明（核实性审核）", "请核对，再写 `--explain 规则=说明`";
    }
    {
        SignText = "sign.text", 422;
        SignSignature = "sign.signature", 422;
        => en "another text, a wrong key, or a revoked one",
              "fetch again with `countersign sign`; see runbook section 6 ⚠";
           zh "文本不同、密钥不对，或者密钥已撤销", "请用 `countersign sign` 重新取得；见手册第 6 节 ⚠";
    }
    {
        SignMonth = "sign.month", 422;
        => en "the node answered with the report of another month",
              "ask again; if it stays, is this the right node";
           zh "节点答复的是其他月份的月报", "请重试；仍然如此的，请检查是否为正确的节点";
    }
    {
        SignDigest = "sign.digest", 422;
        => en "the report is not the one that was read: it was closed anew meanwhile",
              "read it again with `countersign sign MONTH`, then sign by its new digest";
           zh "月报与所读的不同：其间已重新结账", "请用 `countersign sign 月份` 重新阅读，再按新的摘要值签字";
    }
    {
        SignFile = "sign.file", 422;
        => en "the file is not one that `countersign sign --save` wrote",
              "write it again, and bring it whole";
           zh "不是 `countersign sign --save` 写出的文件", "请重新写出，并完整携带";
    }
    {
        SubmitUnsigned = "submit.unsigned", 422;
        => en "somebody has not signed", "the names are told";
           zh "还有人没有签字", "文字写明是谁";
    }
    {
        SubmitFirst = "submit.first", 422;
        => en "the report follows another one that was not submitted yet",
              "the text says which: have it signed and submit it, or close it again";
           zh "本报表所接续的月报尚未上报", "文字写明是哪一份：请签字并上报，或者重新结账";
    }
    {
        SubmitBehind = "submit.behind", 422;
        => en "another month was closed again after this one",
              "close the month again, have it signed, submit it";
           zh "本月结账之后，另有月份已重新结账", "请重新结账、签字，再上报";
    }
    {
        RollupNone = "rollup.none", 404;
        => en "the month has no report: it is not closed", "close it first";
           zh "该月没有月报：尚未结账", "请先结账";
    }
    {
        ReviewUnit = "review.unit", 422;
        => en "not a unit directly below this one in that month: a month is decided by whoever was the \
               unit's parent in it",
              "the parent that the text names decides; `countersign review list` shows whose each \
               month is";
           zh "该月不是本单位的直属下级：各月由该单位当月的上级审核",
              "请由文字写明的上级审核；`countersign review list` 显示各月由谁审核";
    }
    {
        ReviewNone = "review.none", 404;
        => en "no report of this month has come",
              "wait; `countersign review list` shows what has come";
           zh "还没有收到该月的月报", "请等待；`countersign review list` 显示已收到的内容";
    }
    {
        ReviewUnchecked = "review.unchecked", 422;
        => en "something before it is still to come", "wait; the text says what is missing";
           zh "此前的内容尚未收齐", "请等待；文字写明缺少什么";
    }
    {
        ReviewState = "review.state", 422;
        => en "the checks or the state do not allow it", "`countersign review list`";
           zh "校验结果或当前状态不允许这样处理", "`countersign review list`";
    }
    {
        ReviewLater = "review.later", 422;
        => en "later months of the unit rest on this one",
              "`--later` returns or opens them as well: the unit closes all of them again, in order; or let the unit correct the \
               events in its open month";
           zh "该单位其后的月份以本月为基础",
              "用 `--later` 将其后的月份一并退回或撤销通过，该单位须按顺序逐月重新结账；或者由该单位在当前填报月份更正";
    }
    {
        ReviewEarlier = "review.earlier", 422;
        => en "the report rests on an earlier month that is returned or open again",
              "return it: the unit closes it again over the corrected month";
           zh "该报表以尚在退回或撤销通过的较早月份为基础",
              "请退回：该单位将在较早月份改正之后重新结账";
    }
    {
        ReviewAbout = "review.about", 422;
        => en "the report has no such figure or cell",
              "write the figure's id or Chinese name, or a cell as FIGURE:TABLE:CODE, as `I011:sex:2`";
           zh "月报中没有这个指标或单元格", "请写指标代码或名称，单元格写作 指标:表:代码，例如 `I011:sex:2`";
    }
    {
        ReviewRemark = "review.remark", 422;
        => en "a check holds with something to know, so the report is not accepted together with others",
              "look at it with `countersign review show UNIT MONTH`, then accept it alone";
           zh "有校验通过但有提示，不能随其他月报一并通过",
              "请先用 `countersign review show 单位 月份` 查看，再单独审核通过";
    }
    {
        ReviewReason = "review.reason", 422;
        => en "a return or a reopening needs a reason", "`--reason TEXT`";
           zh "退回或撤销通过需要写明原因", "`--reason 原因`";
    }
    {
        ReviewWitness = "review.witness", 422;
        => en "this node does not hold the witness key that the registry has now",
              "put the key file into `keys/`, decide again; no restart (runbook section 6)";
           zh "本节点没有单位名录中现行的见证密钥", "将该密钥文件放入 `keys/`，再次审核，不需要重新启动（运行手册第 6 节）";
    }
    {
        ReviewReceipt = "review.receipt", 422;
        => en "the receipt cannot be written", "the text says why; shorten the reasons";
           zh "回执无法写成", "文字写明原因；请缩短所写的理由";
    }
    {
        DiscloseUnsealed = "disclose.unsealed", 422;
        => en "the month of the event is not closed", "close it first";
           zh "该记录所在月份尚未结账", "请先结账";
    }
    {
        DiscloseUnknown = "disclose.unknown", 404;
        DiscloseField = "disclose.field", 422;
        => en "there is no event of this number, or it has no such field",
              "`countersign audit events` shows the numbers";
           zh "没有该序号的记录，或者记录中没有这个字段", "`countersign audit events` 显示序号";
    }
    {
        DiscloseErased = "disclose.erased", 422;
        => en "the private record of this event was erased", "it cannot be disclosed any more";
           zh "该记录的私有内容已被擦除", "不能再披露";
    }
    // The link.
    {
        LinkConnect = "link.connect", 422;
        => en "no connection to nats-server: TLS or address",
              "the text says which certificate is wrong";
           zh "不能连接 nats-server：TLS 或地址有误", "文字写明哪份证书有误";
    }
    {
        LinkSeed = "link.seed", 422;
        LinkSetup = "link.setup", 422;
        LinkPath = "link.path", 422;
        => en "the link cannot be set up with this seed file, address, TLS files or unit",
              "the text names the file or entry; correct the configuration and restart";
           zh "不能用这份种子文件、地址、TLS 文件或单位建立传输连接", "文字写明文件或配置项；请改正配置并重新启动";
    }
    {
        LinkNotDurable = "link.not_durable", 422;
        => en "the server does not show `sync_always`",
              "runbook section 4; nothing is lost, the outbox waits";
           zh "服务器没有显示 `sync_always`", "见手册第 4 节；不会丢失内容，待发箱会等待";
    }
    {
        LinkDenied = "link.denied", 422;
        LinkNotProvisioned = "link.not_provisioned", 422;
        => en "nats.conf or the streams do not know this unit",
              "`nats config`, reload, `nats provision`; does countersign-streams run?";
           zh "nats.conf 或流中没有本单位",
              "`nats config`，重新加载，`nats provision`；请检查 countersign-streams 是否运行";
    }
    {
        LinkNoLeader = "link.no_leader", 422;
        => en "the nats-servers elect a leader, or too few of them are up to store anything",
              "an election takes seconds; if it stays, start the servers that are down; if they all run, \
               `nats renew`";
           zh "各 nats-server 正在选举领导者，或者在线的服务器太少，不能存储",
              "选举只需数秒；如果一直如此，请启动停机的服务器；如果全部在线，请用 `nats renew`";
    }
    {
        LinkRefused = "link.refused", 422;
        => en "the stream is full, or refuses", "more room (`--max-file-bytes`), reload";
           zh "流已满，或者拒绝接收", "扩大限额（`--max-file-bytes`），重新加载";
    }
    {
        LinkDisconnected = "link.disconnected", 422;
        LinkTimeout = "link.timeout", 422;
        LinkClosed = "link.closed", 422;
        => en "the server is away, or the node is ending", "it comes back by itself";
           zh "服务器不在线，或者节点正在停止", "会自动恢复";
    }
    {
        LinkServer = "link.server", 422;
        LinkAnswer = "link.answer", 422;
        => en "nats-server says something that is not expected",
              "is it 2.11 or later; its log says more";
           zh "nats-server 的答复不是预期的", "请检查其版本是否为 2.11 或更新；其日志有更多内容";
    }
    {
        LinkForeign = "link.foreign", 422;
        LinkSubject = "link.subject", 422;
        LinkTooLarge = "link.too_large", 422;
        => en "a message that this unit may not send, or that is too large",
              "ask the developers with the node's log";
           zh "本单位不得发送的消息，或者消息过大", "请将节点的运行日志交给开发人员";
    }
    {
        NatsUnit = "nats.unit", 422;
        NatsKey = "nats.key", 422;
        NatsOption = "nats.option", 422;
        => en "the configuration of nats-server cannot be written from these units and options",
              "the text names unit or option; correct it";
           zh "不能按这些单位和选项写出 nats-server 的配置", "文字写明单位或选项；请改正";
    }
    {
        NatsSeed = "nats.seed", 422;
        => en "a seed of NATS cannot be made, read or written",
              "the text names the file; `chmod 600`";
           zh "NATS 种子不能生成、读取或写入", "文字写明文件；`chmod 600`";
    }
    {
        NatsNoLeader = "nats.no_leader", 422;
        => en "the nats-servers of a cluster have elected no leader",
              "are more than half of them up, do their routes connect; then again";
           zh "集群中的 nats-server 没有选出领导者",
              "请检查半数以上是否在线、路由是否连通，然后重试";
    }
    {
        NatsHasLeader = "nats.has_leader", 422;
        => en "a stream that is to be given up has a leader",
              "nothing is wrong with it, nothing was deleted";
           zh "要放弃的流有领导者",
              "该流正常，没有删除任何内容";
    }
    {
        NatsConnect = "nats.connect", 422;
        NatsAnswer = "nats.answer", 422;
        NatsRefused = "nats.refused", 422;
        => en "nats-server cannot be reached by its operator, or refuses",
              "does it run with this configuration, is the seed the operator's, is JetStream on";
           zh "运维人员不能连接 nats-server，或者被拒绝", "请检查它是否使用这份配置运行、种子是否为运维人员的、JetStream 是否开启";
    }
    // The disk.
    {
        JournalLocked = "journal.locked", 503;
        => en "another process has the data directory", "stop it; never delete `lock`";
           zh "另一个进程占用数据目录", "请停止该进程；不要删除 `lock`";
    }
    {
        JournalNoSpace = "journal.no_space", 507;
        => en "the disk is full; nothing of this write was kept",
              "free space, try again; no restart";
           zh "磁盘已满；本次写入没有保存", "请清理磁盘后重试，不需要重新启动";
    }
    {
        JournalPoisoned = "journal.poisoned", 503;
        => en "an earlier write failed", "check the disk, restart";
           zh "此前的写入失败", "请检查磁盘，重新启动";
    }
    {
        JournalIo = "journal.io", 503;
        => en "the system refused a file operation; on a write it is unknown whether it was \
               recorded",
              "disk, permissions, system log; restart, send again: nothing counts twice";
           zh "系统拒绝文件操作；写入时，不能确定是否已经保存", "请检查磁盘、权限、系统日志；重新启动后再次提交，不会重复计数";
    }
    {
        JournalTooLarge = "journal.too_large", 413;
        => en "more at once than one write of the journal holds", "send it in smaller parts";
           zh "一次写入的内容超过底账的上限", "请分成较小的几份提交";
    }
    {
        JournalDamaged = "journal.damaged", 503;
        JournalMissingSegment = "journal.missing_segment", 503;
        => en "bytes are not what was written", "keep a copy, restore (runbook section 7)";
           zh "字节与当时写入的不同", "请保留一份副本，然后恢复（手册第 7 节）";
    }
    {
        JournalEndMissing = "journal.end_missing", 503;
        => en "the end of the journal is not all that was acknowledged, or nothing tells whether it is",
              "keep a copy, restore a copy that has more; if there is none and nothing signed rests on what is \
               missing (the text says so), `countersign fsck --give-up`, then record again what is missing (runbook section 7)";
           zh "底账末尾缺少已经确认的内容，或者无从知道是否缺少",
              "请保留一份副本，然后恢复内容更多的副本；没有的，并且已签署的内容不以缺少的部分为依据（文字写明），执行 `countersign fsck --give-up`，再补录缺少的内容（手册第 7 节）";
    }
    {
        JournalNoSuchEntry = "journal.no_such_entry", 503;
        JournalNothingSealed = "journal.nothing_sealed", 503;
        => en "the journal has no such entry, or nothing sealed in it",
              "`countersign fsck`; ask the developers with its output";
           zh "底账中没有这一条，或者其中没有密封的内容", "`countersign fsck`；请将输出交给开发人员";
    }
    {
        JournalUnknownVersion = "journal.unknown_version", 503;
        BooksEntry = "books.entry", 503;
        => en "written by a newer program, or by one from before the first release (the text \
               says which)",
              "start the newer one; begin a new data directory";
           zh "由更新的程序写入，或者由首个发布版之前的程序写入（文字写明是哪一种）", "请启动更新的程序；或者另建数据目录";
    }
    {
        BooksLeaf = "books.leaf", 503;
        => en "the node's own reading contradicts a statement that it was about to write; nothing was recorded",
              "ask the developers with the text; other statements can be recorded";
           zh "节点自行读取即将写入的条目时发现矛盾；没有记录任何内容", "请将文字内容交给开发人员；其他内容仍可录入";
    }
    {
        BooksSealed = "books.sealed", 503;
        => en "records do not open", "wrong `vault.key`: take the one from the safe";
           zh "记录打不开", "`vault.key` 不对：请使用保险柜中的那一份";
    }
    {
        ViewDamaged = "view.damaged", 503;
        => en "the indexes cannot be used",
              "stop the node, remove `view/` in the data directory, start: it is built again";
           zh "索引不能使用", "请停止节点，删除数据目录中的 `view/`，再启动：索引会重新生成";
    }
    {
        GuardRolledBack = "guard.rolled_back", 503;
        => en "older than what was signed", "runbook section 7; do not remove the guard";
           zh "早于已经签过的内容", "见手册第 7 节；不要删除防回退标记";
    }
    {
        GuardForked = "guard.forked", 503;
        GuardBackwards = "guard.backwards", 503;
        => en "another history than the one that was signed",
              "stop; two copies were mixed, find the right one";
           zh "与签过的不是同一历史", "请停止：两个副本混在一起，请查明正确的一份";
    }
    {
        GuardMissing = "guard.missing", 503;
        => en "there is a journal and no guard", "runbook section 7";
           zh "有底账而没有防回退标记", "见手册第 7 节";
    }
    {
        GuardPresent = "guard.present", 503;
        => en "`countersign guard` on a directory that has one", "nothing to do";
           zh "对已有防回退标记的目录执行了 `countersign guard`", "不需要处理";
    }
    {
        GuardDamaged = "guard.damaged", 503;
        => en "the guard cannot be read",
              "compare with the parent as in runbook section 7, only then remove it";
           zh "防回退标记无法读取", "请按手册第 7 节与上级比对，之后才能删除它";
    }
    {
        GuardData = "guard.data", 503;
        RecheckData = "recheck.data", 422;
        FsckData = "fsck.data", 422;
        => en "this is no data directory",
              "give the directory that the node's configuration names as `data`";
           zh "这不是数据目录", "请给出节点配置中 `data` 所写的目录";
    }
    // The command line.
    {
        Usage = "usage", 422;
        => en "the command line is wrong", "`countersign help`, or `--help` behind the command";
           zh "命令行有误", "`countersign help`，或者在命令后加 `--help`";
    }
    {
        File = "file", 422;
        => en "a file cannot be read or written", "the text names the file; does it exist, may you";
           zh "文件无法读取或写入", "文字写明文件；请检查它是否存在、是否有权限";
    }
    // What does not prove what it claims.
    {
        EvidenceZip = "evidence.zip", 422;
        EvidenceLarge = "evidence.large", 422;
        EvidencePath = "evidence.path", 422;
        EvidencePart = "evidence.part", 422;
        EvidenceBytes = "evidence.bytes", 422;
        EvidenceSource = "evidence.source", 422;
        EvidenceCatalogue = "evidence.catalogue", 422;
        EvidencePlan = "evidence.plan", 422;
        EvidenceUnit = "evidence.unit", 422;
        EvidenceRollup = "evidence.rollup", 422;
        EvidenceSignature = "evidence.signature", 422;
        EvidenceArrivals = "evidence.arrivals", 422;
        EvidenceEntries = "evidence.entries", 422;
        EvidenceCheckpoint = "evidence.checkpoint", 422;
        EvidenceReceipt = "evidence.receipt", 422;
        => en "an evidence file does not prove what it claims",
              "fetch it again from its maker; if it stays, that is a finding";
           zh "证据文件不能证明它所声称的内容", "请从制作者处重新取得；仍然如此的，就是检查发现的问题";
    }
    {
        EvidenceRegistry = "evidence.registry", 422;
        => en "the registry in an evidence file is not signed by the root keys that were given, or is not what its publisher made",
              "first: is `--root` the publisher's key, had from the publisher and not with the file, each root key by a \
               `--root` of its own; then fetch the file again from its maker; if it stays, that is a finding";
           zh "证据文件中的单位名录不是由所给的根密钥签名，或者不是发布方所制作的",
              "请先核对 `--root` 是否为发布方的根密钥（须直接从发布方取得，不是随文件取得；有几把就写几个 `--root`）；再从制作者处重新取得文件；仍然如此的，就是检查发现的问题";
    }
    {
        EvidenceRepacked = "evidence.repacked", 422;
        => en "an evidence file was packed anew on its way (by a mail gateway or an archive program); its content was not looked at",
              "if this is an archive in which the original lies, unpack it first; else get the original file, as its maker wrote it: by another way than mail, or within another archive";
           zh "证据文件在传送途中被重新打包（邮件网关或压缩软件所为），其内容未作判断",
              "原始文件在压缩包内的，请先解压；否则请取得制作者写出的原始文件：改用邮件以外的方式传送，或先放进另一个压缩包";
    }
    {
        EvidenceWrite = "evidence.write", 422;
        => en "an evidence file cannot be written", "free space, permissions; take it out again";
           zh "证据文件无法写入", "请检查磁盘空间和权限，再次导出";
    }
    {
        DisclosureMalformed = "disclosure.malformed", 422;
        DisclosureFails = "disclosure.fails", 422;
        DisclosureEvidence = "disclosure.evidence", 422;
        DisclosureOther = "disclosure.other", 422;
        RecordProof = "record.proof", 422;
        RecordField = "record.field", 422;
        RecordSalts = "record.salts", 422;
        => en "a disclosure does not prove what it claims, or not by this evidence",
              "fetch it again from its maker; if it stays, that is a finding";
           zh "披露文件不能证明它所声称的内容，或者与这份证据不符", "请从制作者处重新取得；仍然如此的，就是检查发现的问题";
    }
    {
        NoteTooLarge = "note.too_large", 422;
        NoteMalformed = "note.malformed", 422;
        NoteTooManySignatures = "note.too_many_signatures", 422;
        NoteName = "note.name", 422;
        NoteVerifierKey = "note.verifier_key", 422;
        NoteSigningKey = "note.signing_key", 422;
        NoteKeyId = "note.key_id", 422;
        NoteWeakKey = "note.weak_key", 422;
        NoteAlgorithm = "note.algorithm", 422;
        NoteSignature = "note.signature", 422;
        NoteUnverified = "note.unverified", 422;
        NoteAmbiguousKey = "note.ambiguous_key", 422;
        NoteDuplicate = "note.duplicate", 422;
        NoteDifferentText = "note.different_text", 422;
        NoteKind = "note.kind", 422;
        NoteJson = "note.json", 422;
        NoteDocument = "note.document", 422;
        => en "a signed note or a key is not in its form, or is not signed by the keys that it \
               needs",
              "is it the right file, and whole; fetch it again from its maker";
           zh "签名文件或密钥的格式有误，或者没有所需密钥的签名", "请检查文件是否正确、完整；请从制作者处重新取得";
    }
    {
        StatementNote = "statement.note", 422;
        StatementJson = "statement.json", 422;
        StatementShape = "statement.shape", 422;
        StatementRecorded = "statement.recorded", 422;
        RollupNote = "rollup.note", 422;
        RollupJson = "rollup.json", 422;
        RollupShape = "rollup.shape", 422;
        ReceiptMalformed = "receipt.malformed", 422;
        => en "a statement, a report or a receipt is not in its form",
              "fetch it again from its maker; are both programs of the same version";
           zh "存证条目、月报或回执的格式有误", "请从制作者处重新取得；请检查两个程序的版本是否相同";
    }
    {
        CheckpointLines = "checkpoint.lines", 422;
        CheckpointOrigin = "checkpoint.origin", 422;
        CheckpointSize = "checkpoint.size", 422;
        CheckpointRoot = "checkpoint.root", 422;
        CheckpointEmpty = "checkpoint.empty", 422;
        CheckpointTime = "checkpoint.time", 422;
        CheckpointAlgorithm = "checkpoint.algorithm", 422;
        CheckpointMissing = "checkpoint.missing", 422;
        CheckpointCosignature = "checkpoint.cosignature", 422;
        => en "the head of a log is not in its form, or is not signed as it must be",
              "fetch it again from the unit; if it stays, that is a finding";
           zh "存证日志的检查点格式有误，或者签名不符合要求", "请从该单位重新取得；仍然如此的，就是检查发现的问题";
    }
    {
        ProofIndex = "proof.index", 422;
        ProofShrunk = "proof.shrunk", 422;
        ProofLength = "proof.length", 422;
        ProofInclusion = "proof.inclusion", 422;
        ProofOldRoot = "proof.old_root", 422;
        ProofNewRoot = "proof.new_root", 422;
        ProofFork = "proof.fork", 422;
        ProofEmpty = "proof.empty", 422;
        => en "a proof does not lead to the head of the log",
              "fetch it again from the unit; if it stays, that is a finding";
           zh "证明不能推出存证日志的检查点", "请从该单位重新取得；仍然如此的，就是检查发现的问题";
    }
    {
        DeliveryTruncated = "delivery.truncated", 422;
        DeliveryNote = "delivery.note", 422;
        DeliveryCheckpoint = "delivery.checkpoint", 422;
        DeliveryBundle = "delivery.bundle", 422;
        DeliveryProof = "delivery.proof", 422;
        DeliveryPlace = "delivery.place", 422;
        => en "a delivery of statements does not prove its place in the log",
              "the unit sends it again by itself; if it stays, that is a finding";
           zh "存证条目的送达件不能证明其在日志中的位置", "该单位会自动重新发送；仍然如此的，就是检查发现的问题";
    }
    {
        TileLevel = "tile.level", 422;
        TileWidth = "tile.width", 422;
        TileNumber = "tile.number", 422;
        TilePath = "tile.path", 422;
        TileEntryTooLong = "tile.entry_too_long", 422;
        TileTruncated = "tile.truncated", 422;
        TileTrailingBytes = "tile.trailing_bytes", 422;
        TileLength = "tile.length", 422;
        => en "a file of a log is not in its form", "fetch it again from its maker";
           zh "存证日志的文件格式有误", "请从制作者处重新取得";
    }
    {
        CommitmentEncoding = "commitment.encoding", 422;
        CommitmentPoint = "commitment.point", 422;
        CommitmentIdentity = "commitment.identity", 422;
        CommitmentScalar = "commitment.scalar", 422;
        CommitmentOpening = "commitment.opening", 422;
        CommitmentSchema = "commitment.schema", 422;
        => en "a commitment or its opening is not in its form, or does not open to these figures",
              "fetch it again from its maker; if it stays, that is a finding";
           zh "承诺或其打开值的格式有误，或者与所列数字不符", "请从制作者处重新取得；仍然如此的，就是检查发现的问题";
    }
    {
        DigestMalformed = "digest.malformed", 422;
        PeriodMonth = "period.month", 422;
        PeriodMalformed = "period.malformed", 422;
        => en "a digest, a month or a period is not written as it must be",
              "correct it: `sha256:…`, 2023-04, 2023-Q2, 2023-H1, 2023";
           zh "摘要、月份或时期的写法有误", "请改正：`sha256:…`、2023-04、2023-Q2、2023-H1、2023";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_text_leads_back_to_its_code() {
        for code in FaultCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        assert_eq!("no.such_code".parse::<FaultCode>(), Err(UnknownCode));
    }

    #[test]
    fn every_code_stands_in_one_row_with_its_texts() {
        let of_rows: Vec<FaultCode> = FaultCode::ROWS
            .iter()
            .flat_map(|r| r.codes)
            .copied()
            .collect();
        assert_eq!(of_rows, FaultCode::ALL);
        assert_eq!(of_rows.iter().collect::<BTreeSet<_>>().len(), of_rows.len());
        for row in FaultCode::ROWS {
            for code in row.codes {
                assert_eq!(
                    (code.meaning(), code.cure()),
                    (row.meaning, row.cure),
                    "{code}"
                );
            }
            for text in [row.meaning.zh, row.meaning.en, row.cure.zh, row.cure.en] {
                assert!(!text.is_empty() && !text.contains(['|', '\n']), "{text}");
            }
            let chinese = |text: &str| text.chars().any(|c| c >= '\u{2e80}');
            assert!(
                chinese(row.meaning.zh) && !chinese(row.meaning.en),
                "{row:?}"
            );
            assert!(!chinese(row.cure.en), "{row:?}");
        }
    }

    /// Programs and proxies act on the status: it is held against the rules that it followed when
    /// it was read from the beginning of the code.
    #[test]
    fn every_status_is_what_it_always_was() {
        for code in FaultCode::ALL {
            let status = match code.as_str() {
                "node.internal" => 500,
                "journal.too_large" | "limit.size" => 413,
                "journal.no_space" => 507,
                "limit.connections" | "limit.evidence" => 503,
                "limit.address" | "limit.requests" | "limit.token" => 429,
                "limit.time" => 408,
                "request.malformed" | "request.json" | "request.parameter" => 400,
                "request.unknown" => 404,
                "request.method" => 405,
                "token.unknown" => 401,
                "role.missing" => 403,
                "rollup.none" | "review.none" | "disclose.unknown" | "void.unknown"
                | "figures.none" => 404,
                text if ["journal.", "guard.", "view.", "books.", "node.stopping"]
                    .iter()
                    .any(|own| text.starts_with(own)) =>
                {
                    503
                }
                _ => 422,
            };
            assert_eq!(code.status(), status, "{code}");
        }
    }
}
