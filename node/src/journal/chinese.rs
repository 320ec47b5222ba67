//! What the errors of the journal and its guard say in Chinese: the same as in English, but for the
//! words of the operating system and of the check that failed, which only the English has.

use std::io;

use super::error::JournalError;

/// The cure for damaged data.
const RESTORE: &str = "请勿删除或修改该文件。请停止节点，保留整个数据目录的一份副本，用最新的备份恢复，\
                       并与上级所持的内容（见证过的检查点、存证条目、回执）核对，确认已签署的内容没有缺少";

/// What to do where signed entries are missing.
const SIGNED_MISSING: &str = "缺少的条目中有已签署内容的依据，不能用 `fsck --give-up` 放弃：\
                              由此继续会签出另一份历史。请保留整个数据目录的一份副本，\
                              查找并恢复内容更多的副本。没有的，请告知上级和单位名录的发布方：\
                              本单位不能用这份存证日志继续，本版本没有从上级取回条目或另起存证日志的办法\
                              （手册第 7 节、第 11 节）";

/// What to do where nothing signed is known to be missing.
const UNSIGNED_MISSING: &str = "请保留整个数据目录的一份副本，查找并恢复内容更多的副本。没有的，\
                                `countersign fsck --give-up` 从可以读出的部分继续，\
                                缺少的内容须重新录入（手册第 7 节）";

impl JournalError {
    /// What it says in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Locked { path, .. } => format!(
                "数据目录正在使用：{} 已锁定。同一数据目录只能由一个节点写入：请停止另一个节点\
                 （或改用其他数据目录）后再启动；锁随其进程消失，不要删除该文件",
                path.display()
            ),
            Self::Io { what, path, source } => format!(
                "系统拒绝对 {} 的操作（{}）：{}。请检查磁盘、权限和系统日志，再启动节点",
                path.display(),
                operation(what),
                cause(source)
            ),
            Self::NoSpace { path } => format!(
                "没有空间写入 {}：本次内容没有记录。请清理磁盘后重试；运行中的节点不需要重新启动",
                path.display()
            ),
            Self::Poisoned { .. } => "此前磁盘出错，底账不再写入。请检查磁盘，重新启动节点：\
                                      节点会读出磁盘上实际保存的内容。已确认的内容不受影响"
                .into(),
            Self::Damaged { path, offset, .. } => format!(
                "底账已损坏：{} 自第 {offset} 字节起与当时写入的不同。{RESTORE}",
                path.display()
            ),
            Self::EndMissing { .. } => self.end_missing_zh(),
            Self::MissingSegment { expected, .. } => {
                format!("底账缺少一部分：没有 {}。{RESTORE}", expected.display())
            }
            Self::UnknownVersion { path, version } => format!(
                "{} 的底账格式为第 {version} 版，本程序只识别第 {} 版。请启动写入它的较新程序",
                path.display(),
                super::limits::VERSION
            ),
            Self::TooLarge { bytes, limit, .. } => format!(
                "一次写入 {bytes} 字节，上限为 {limit} 字节：没有记录任何内容。请分成较小的几份"
            ),
            Self::NoSuchEntry { seq, next } => {
                format!("没有第 {seq} 条：底账到第 {next} 条之前为止。请改用较小的序号")
            }
            Self::NothingSealed { seq } => {
                format!("第 {seq} 条没有密封的内容，没有可擦除的。请检查序号")
            }
            _ => self.guard_zh(),
        }
    }

    fn end_missing_zh(&self) -> String {
        let Self::EndMissing {
            path,
            offset,
            found,
            acknowledged,
            signed,
        } = self
        else {
            return String::new();
        };
        let lost = match acknowledged {
            Some(n) => format!("已确认 {n} 条，缺少 {} 条", n.saturating_sub(*found)),
            None => "没有标记说明已确认多少条".to_owned(),
        };
        let rests = match signed {
            None => String::new(),
            Some(n) if n <= found => {
                format!("本节点最后签署的内容以前 {n} 条为依据，这些都在。")
            }
            Some(n) => format!(
                "本节点最后签署的内容以前 {n} 条为依据，缺少的条目中有 {} 条属于其中。",
                n - found
            ),
        };
        let cure = if self.signed_missing() {
            SIGNED_MISSING
        } else {
            UNSIGNED_MISSING
        };
        format!(
            "底账末尾缺失或者损坏：可以读出 {found} 条，到 {} 第 {offset} 字节为止；{lost}。{rests}{cure}",
            path.display()
        )
    }

    /// Of the guard.
    fn guard_zh(&self) -> String {
        match self {
            Self::GuardDamaged { path, .. } => format!(
                "防回退标记 {} 已损坏，无从知道本节点最后签署了什么。请保留一份副本，\
                 向上级索取其最后见证的检查点，与本存证日志比对，只有日志包含它时才删除该标记文件",
                path.display()
            ),
            Self::GuardMissing { path, entries } => format!(
                "没有防回退标记 {}，而底账有 {entries} 条，无从知道本节点最后签署了什么：\
                 底账可能由旧备份恢复，由此继续会签出另一份历史。标记还在其他磁盘上的，请放回。\
                 否则请与上级比对，上级所持的内容本机都有时，用 `countersign guard` 新建标记",
                path.display()
            ),
            Self::GuardBackwards { size, signed, .. } => format!(
                "拒绝签署 {size} 条的检查点：本节点已经签过 {signed} 条的。两份这样的签名就是伪造历史的\
                 证据。请不要再签；请将数据目录与备份、与上级见证过的检查点比对"
            ),
            Self::RolledBack { found, signed, .. } => format!(
                "数据目录早于本节点已经签署的内容：现有 {found} 条，已签署 {signed} 条，\
                 可能由旧备份恢复。请勿删除防回退标记：请恢复最新的底账副本；确已丢失的，须告知上级"
            ),
            Self::Forked { size, .. } => format!(
                "存证日志与本节点签过的内容矛盾：在 {size} 条处，磁盘上的日志与签过的不是同一历史。\
                 数据目录被改动，或者混合了两个副本。请恢复与签名相符的副本；不要从这一份签署"
            ),
            _ => self.code().meaning().zh.to_owned(),
        }
    }
}

/// An operation as errors name it.
fn operation(what: &str) -> &'static str {
    match what {
        "open" => "打开",
        "read" => "读取",
        "write" => "写入",
        "sync" | "sync the directory of" => "落盘",
        "create" => "新建",
        "cut" => "截断",
        "rename" => "改名",
        "lock" => "锁定",
        _ => "访问",
    }
}

/// What the operating system said.
fn cause(error: &io::Error) -> String {
    let known = match error.kind() {
        io::ErrorKind::NotFound => "文件或目录不存在",
        io::ErrorKind::PermissionDenied => "没有权限",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "磁盘已满",
        io::ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        _ => "磁盘或系统出错",
    };
    match error.raw_os_error() {
        Some(number) => format!("{known}（系统错误号 {number}）"),
        None => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn all() -> Vec<JournalError> {
        let path = || PathBuf::from("/path");
        let end = |acknowledged, signed| JournalError::EndMissing {
            path: path(),
            offset: 40,
            found: 2,
            acknowledged,
            signed,
        };
        vec![
            JournalError::Locked {
                path: path(),
                holder: " by process 7".into(),
            },
            JournalError::io("sync the directory of", path())(io::Error::other("broken pipe")),
            JournalError::NoSpace { path: path() },
            JournalError::Poisoned {
                cause: "cannot sync".into(),
            },
            JournalError::Damaged {
                path: path(),
                offset: 7,
                what: "a wrong checksum".into(),
            },
            end(None, None),
            end(Some(3), Some(2)),
            end(Some(3), Some(3)),
            JournalError::MissingSegment {
                expected: path(),
                found: "nothing".into(),
            },
            JournalError::UnknownVersion {
                path: path(),
                version: 9,
            },
            JournalError::TooLarge {
                what: "a batch",
                bytes: 2,
                limit: 1,
            },
            JournalError::NoSuchEntry { seq: 3, next: 2 },
            JournalError::NothingSealed { seq: 3 },
            JournalError::GuardDamaged {
                path: path(),
                what: "it is too long",
            },
            JournalError::GuardMissing {
                path: path(),
                entries: 3,
            },
            JournalError::GuardBackwards {
                size: 1,
                signed: 2,
                root: " with another root",
            },
            JournalError::RolledBack {
                what: "the log",
                found: 1,
                signed: 2,
            },
            JournalError::Forked {
                size: 1,
                signed: "aa".into(),
                found: "bb".into(),
            },
        ]
    }

    #[test]
    fn every_error_says_in_chinese_what_it_says_and_nothing_in_english() {
        for error in all() {
            let zh = error.zh();
            // Commands are what they are.
            let prose: String = zh.split('`').step_by(2).collect::<String>();
            let prose = prose.replace("/path", "");
            assert!(!prose.contains(|c: char| c.is_ascii_alphabetic()), "{zh}");
            assert!(zh.chars().count() > 15, "{zh}");
        }
    }

    #[test]
    fn giving_up_is_advised_only_where_it_is_done() {
        for error in all() {
            let advised = |text: &str| text.contains("`countersign fsck --give-up`");
            let may = matches!(error, JournalError::EndMissing { .. }) && !error.signed_missing();
            assert_eq!(advised(&error.zh()), may, "{error}");
            assert_eq!(advised(&error.to_string()), may, "{error}");
        }
    }
}
