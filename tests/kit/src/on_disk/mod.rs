//! A province, a city and two counties on disk, each with its own keys and books; messages are
//! handed over directly. Units, months, registry and catalogue are those of the world in memory.

mod basics;
mod desk;
mod dir;
mod door;
mod letter;
mod world;

pub use basics::*;
pub use desk::Desk;
pub use dir::{Dir, copy_dir};
pub use door::Door;
pub use letter::{Letter, forged, forged_part, junk_statement, take};
pub use world::{World, two_months, two_revisions};

pub use crate::{A, B, CITY, FEB, JAN, MAR, PLAN, PROVINCE, id_born, id_no, month, unit};
