//! Circles among modules.

use std::collections::{BTreeMap, BTreeSet};

/// For each module those that it imports.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// One shortest circle for each knot of modules that import each other, directly or around.
pub fn circles(imports: &Imports) -> Vec<String> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for module in imports.keys() {
        if told.contains(module) {
            continue;
        }
        if let Some(circle) = shortest(imports, module) {
            told.extend(circle.iter().cloned());
            let names: Vec<&str> = circle.iter().map(|m| name(m)).collect();
            found.push(names.join(" -> "));
        }
    }
    found
}

fn name(module: &str) -> &str {
    if module.is_empty() { "crate" } else { module }
}

/// The shortest way from a module back to itself.
fn shortest(imports: &Imports, start: &str) -> Option<Vec<String>> {
    let mut ways: Vec<Vec<String>> = vec![vec![start.to_string()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in imports.get(way.last()?).into_iter().flatten() {
                let mut way = way.clone();
                way.push(next.clone());
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}
