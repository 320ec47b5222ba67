//! What must be refused, as files for every language: `tests/vectors/refuse`. Written by `cargo run
//! -p protocol --example vectors`; the test `vectors` checks that the committed files are exactly
//! these, and that verification names exactly the check that the manifest expects.
//!
//! The attacker is the unit itself: what it can sign again, it has signed again, and what it can
//! adjust, it has adjusted. A receipt for a rollup that was changed is left out, unless it is what
//! the case is about.

mod answers;
mod book;
mod chains;
mod clear_rows;
mod commitments;
mod controls;
mod descendants;
mod disclosures;
mod documents;
mod equivocation;
mod exact;
mod fields;
mod figures;
mod key_ids;
mod keys;
mod leaves;
mod log;
mod making;
mod one_secret;
mod parts;
mod ranges;
mod receipts;
mod recounts;
mod registries;
mod rules;
mod shapes;
mod signatories;
mod small_parts;
mod successions;
mod sums;
mod tables;
mod units;
mod voids;
mod zips;

pub use book::{Book, Control, Entry, outcome};
pub use parts::{Part, parts, zip};

use crate::World;
use making::town;

/// All cases, in the order of the manifest.
pub fn book() -> Book {
    let honest = World::honest();
    let town = town();
    let mut b = Book {
        root: honest.roots[0].vkey(),
        refused: vec![],
        controls: vec![],
    };
    controls::cases(&mut b, &honest, &town);
    figures::cases(&mut b, &honest);
    keys::cases(&mut b, &honest);
    signatories::cases(&mut b, &honest);
    leaves::cases(&mut b, &honest);
    log::cases(&mut b, &honest);
    voids::cases(&mut b, &honest);
    chains::cases(&mut b, &honest);
    equivocation::cases(&mut b, &honest, &town);
    sums::cases(&mut b, &town);
    descendants::cases(&mut b, &honest, &town);
    commitments::cases(&mut b, &honest);
    clear_rows::cases(&mut b, &honest);
    recounts::cases(&mut b);
    receipts::cases(&mut b, &honest);
    answers::cases(&mut b);
    registries::cases(&mut b, &honest);
    units::cases(&mut b, &honest);
    key_ids::cases(&mut b, &honest);
    one_secret::cases(&mut b, &honest);
    documents::cases(&mut b, &honest);
    zips::cases(&mut b);
    small_parts::cases(&mut b, &honest);
    ranges::cases(&mut b, &honest);
    exact::cases(&mut b, &honest);
    tables::cases(&mut b, &honest);
    rules::cases(&mut b, &honest);
    fields::cases(&mut b, &honest);
    shapes::cases(&mut b, &honest);
    successions::cases(&mut b);
    disclosures::cases(&mut b, &honest);
    b
}
