//! Whether the registry lets the node's key sign. A node that signs by another one makes statements
//! that nobody ever accepts, and a log cannot lose them again.

use protocol::registry::Unit;

use super::core::Books;
use crate::fault::{Fault, FaultCode};

/// How the node's key stands in the registry of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodeKey {
    /// It may sign the next statement; or there is no registry yet that could say so.
    #[default]
    Registered,
    /// It is none of the unit's keys.
    Unknown,
    /// It is one of them, but may not sign at this place of the log: revoked before it, or valid
    /// only behind it.
    OutOfPlace,
    /// It is one of them, but a person was enrolled with the same key, which ends it.
    OfPerson,
}

impl NodeKey {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            NodeKey::Registered => "registered",
            NodeKey::Unknown => "unknown",
            NodeKey::OutOfPlace => "out_of_place",
            NodeKey::OfPerson => "of_person",
        }
    }

    /// What is wrong with it, and what to do.
    pub fn fault(self) -> Option<Fault> {
        let (zh, en) = match self {
            NodeKey::Registered => return None,
            NodeKey::Unknown => (
                "keys/node.key 不是单位名录中本单位的密钥",
                "keys/node.key is not a key that the registry has for this unit",
            ),
            NodeKey::OutOfPlace => (
                "按单位名录，keys/node.key 不得签存证日志的下一条：已经撤销，或者尚未生效",
                "by the registry keys/node.key may not sign the next statement of the log: it was \
                 revoked, or is not valid yet",
            ),
            NodeKey::OfPerson => (
                "keys/node.key 与本单位登记过的一名人员的密钥相同，请为节点另做一把",
                "keys/node.key is the key of a person who was enrolled in this unit: make another \
                 one for the node",
            ),
        };
        Some(Fault::new(
            FaultCode::KeysUnregistered,
            format!(
                "{zh}；它所签的内容各级都不会接受，因此本节点不用它签署。请放回登记的密钥；\
                 更换密钥的，请将下一版单位名录放入 published/；然后重新启动"
            ),
            format!(
                "{en}; nobody would accept what it signs, so this node signs nothing with it. Put \
                 the registered key back, or, where it was renewed, the next registry version into \
                 published/; then restart"
            ),
        ))
    }
}

impl Books {
    /// How the node's key stands in the registry of today.
    pub fn node_key(&self) -> NodeKey {
        self.key_among(Unit::keys_at)
    }

    /// Whether the node's key may sign a checkpoint and a rollup over the log as it is: also one
    /// that may sign no statement any more, as its last act.
    pub fn seal_key(&self) -> NodeKey {
        self.key_among(Unit::keys_over)
    }

    /// Whether the node's key is one of the unit's at all: a receipt and a note of arrivals are taken
    /// by any of these, wherever the log stands.
    pub fn listed_key(&self) -> NodeKey {
        match self.node_key() {
            NodeKey::Unknown => NodeKey::Unknown,
            NodeKey::Registered | NodeKey::OutOfPlace | NodeKey::OfPerson => NodeKey::Registered,
        }
    }

    fn key_among(&self, may: fn(&Unit, u64) -> Vec<protocol::note::VerifierKey>) -> NodeKey {
        let (Some(me), Some(log)) = (self.me(), self.log()) else {
            return NodeKey::Registered;
        };
        let key = self.identity.keys.node.vkey();
        let placed = may(me, log.len());
        if log.of_nobody(placed.clone(), log.len()).contains(&key) {
            NodeKey::Registered
        } else if placed.contains(&key) {
            NodeKey::OfPerson
        } else if me.vkeys().contains(&key) {
            NodeKey::OutOfPlace
        } else {
            NodeKey::Unknown
        }
    }
}
