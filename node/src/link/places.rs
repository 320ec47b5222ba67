//! Where a unit stands and where it stood.
//!
//! A unit that was put under another parent goes on answering for its old months: a revision of one
//! of them goes to the parent of that month, on the path of that month, while the new months go the
//! new way. So it may say and hear what [`access`] allows on each of its paths.

use super::access::{self, Import};
use super::subject::{Subject, UnitPath};

/// The paths of one unit, the one where it stands last at the end. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    former: Vec<UnitPath>,
    last: UnitPath,
}

impl From<UnitPath> for Places {
    fn from(last: UnitPath) -> Places {
        let former = Vec::new();
        Places { former, last }
    }
}

impl Places {
    /// Where a unit stands, and where it stood before. Paths of other units are left out.
    #[must_use]
    pub fn new(last: UnitPath, former: Vec<UnitPath>) -> Places {
        let mut places = Places::from(last);
        for path in former {
            if path.unit() == places.unit() && places.paths().all(|known| *known != path) {
                places.former.push(path);
            }
        }
        places
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> &str {
        self.last.unit()
    }

    /// Where it stands.
    #[must_use]
    pub fn last(&self) -> &UnitPath {
        &self.last
    }

    /// All of them.
    pub fn paths(&self) -> impl Iterator<Item = &UnitPath> {
        self.former.iter().chain([&self.last])
    }

    /// Whether the unit may publish to `subject`.
    #[must_use]
    pub fn may_publish(&self, has_children: bool, subject: &Subject) -> bool {
        let may = |path| access::may_publish(path, has_children, subject);
        self.paths().any(may)
    }

    /// Whether a message on `subject` is meant for the unit.
    #[must_use]
    pub fn is_meant_for(&self, subject: &Subject) -> bool {
        self.paths().any(|path| access::is_meant_for(path, subject))
    }

    /// The consumers of the unit as (stream, consumer name, filters).
    #[must_use]
    pub fn consumers(&self, has_children: bool) -> Vec<(&'static str, String, Vec<String>)> {
        let mut all: Vec<(&'static str, String, Vec<String>)> = Vec::new();
        for (stream, name, filters) in self
            .paths()
            .flat_map(|path| access::consumers(path, has_children))
        {
            match all
                .iter_mut()
                .find(|(s, n, _)| (*s, n.as_str()) == (stream, name.as_str()))
            {
                // The server refuses a filter that stands twice.
                Some((_, _, known)) => {
                    let new = filters.into_iter().filter(|f| !known.contains(f));
                    let new: Vec<String> = new.collect();
                    known.extend(new);
                }
                None => all.push((stream, name, filters)),
            }
        }
        all
    }

    /// All that the unit's account imports from the one with the streams.
    #[must_use]
    pub fn imports(&self, has_children: bool) -> Vec<Import> {
        let mut all: Vec<Import> = Vec::new();
        for import in self
            .paths()
            .flat_map(|path| access::imports(path, has_children))
        {
            if !all.contains(&import) {
                all.push(import);
            }
        }
        all
    }

    /// All that the unit's NATS user may publish to.
    #[must_use]
    pub fn publish_permissions(&self, has_children: bool) -> Vec<String> {
        let all = self.imports(has_children).into_iter();
        all.map(|import| import.local).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::subject::{DownKind, UpKind};

    fn path(text: &str) -> UnitPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_moved_unit_speaks_and_hears_on_both_of_its_paths() {
        let moved = Places::new(path("1.14.21"), vec![path("1.13.21"), path("1.14.21")]);
        assert_eq!(moved.paths().count(), 2);
        for old_or_new in ["1.13.21", "1.14.21"] {
            let up = Subject::up(path(old_or_new), UpKind::Rollup);
            let receipt = Subject::down(path(old_or_new), DownKind::Receipt);
            assert!(moved.may_publish(false, &up) && moved.is_meant_for(&receipt));
        }
        let strange = Subject::up(path("1.15.21"), UpKind::Rollup);
        assert!(!moved.may_publish(false, &strange));
        let consumers = moved.consumers(false);
        assert_eq!(consumers.len(), 1);
        let mut filters = consumers[0].2.clone();
        // Both receipts, the broadcasts of both cities, and those of the province once.
        assert_eq!(filters.len(), 2 + 3 + 3 + 3);
        filters.sort();
        filters.dedup();
        assert_eq!(filters.len(), 11);
        let entries = |p: &&String| p.ends_with(".entries.*");
        let publish = moved.publish_permissions(false);
        assert_eq!(publish.iter().filter(entries).count(), 2);
    }

    #[test]
    fn paths_of_another_unit_are_none_of_its_own() {
        let places = Places::new(path("1.14.21"), vec![path("1.13.22")]);
        assert_eq!(places, Places::from(path("1.14.21")));
    }
}
