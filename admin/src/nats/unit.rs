//! The units that nats-server serves.

use std::collections::BTreeSet;

use node::link::{Places, UnitPath};

use super::error::NatsError;
use super::user;

/// A unit as the transport knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsUnit {
    /// Its ancestors and itself, top first.
    pub path: Vec<String>,
    /// The public half of its NKey (`U…`).
    pub public_nkey: String,
    /// Paths that it had before, where it was put under another parent: the months of then still
    /// go that way.
    pub former: Vec<Vec<String>>,
    /// Whether it has units below it, or had.
    pub has_children: bool,
}

impl NatsUnit {
    /// Where it stands, which is `path`, and where it stood.
    pub(super) fn places(&self, path: &UnitPath) -> Places {
        let former = self.former.iter();
        let former = former.filter_map(|units| UnitPath::new(units.iter().cloned()).ok());
        Places::new(path.clone(), former.collect())
    }
}

/// Checks a list of units as a whole: good paths and keys, nobody twice, parents known as parents.
pub fn checked(units: &[NatsUnit]) -> Result<Vec<(UnitPath, &NatsUnit)>, NatsError> {
    let bad = |unit: &NatsUnit, reason: &str| NatsError::Unit {
        unit: unit.path.join("."),
        reason: reason.to_owned(),
    };
    let (mut names, mut keys, mut list) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for unit in units {
        let path =
            UnitPath::new(unit.path.iter().cloned()).map_err(|e| bad(unit, &e.to_string()))?;
        for former in &unit.former {
            let former = UnitPath::new(former.iter().cloned());
            let former = former.map_err(|e| bad(unit, &e.to_string()))?;
            if former.unit() != path.unit() {
                return Err(bad(unit, "a former path of it is another unit's"));
            }
        }
        user::check_public(&unit.public_nkey, path.unit())?;
        // Consumers and inboxes are named by the unit alone.
        if !names.insert(path.unit().to_owned()) {
            return Err(bad(unit, "it is listed twice"));
        }
        if !keys.insert(unit.public_nkey.as_str()) {
            return Err(bad(
                unit,
                "another unit has the same NKey, each needs its own",
            ));
        }
        list.push((path, unit));
    }
    for (path, unit) in &list {
        let childless = list
            .iter()
            .any(|(p, u)| Some(p) == path.parent().as_ref() && !u.has_children);
        if childless {
            return Err(bad(unit, "its parent is listed as a unit without children"));
        }
    }
    Ok(list)
}
