//! The arguments of `countersign registry next`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use protocol::ids::UnitId;
use protocol::note::VerifierKey;
use protocol::period::Month;

use crate::cli::arguments::vkey;

/// Make the next version: add, move, rename or end units, rotate or revoke keys, change roots
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, a new node key that signs from log index 812 on:\n  \
    countersign registry next registry-1.note --root root.key --rotate-key 140321 140321.vkey \
    --from-index 812 -o registry-2.note\n\n\
    The index is the number of statements of the node (`log` in `countersign status`), after which \
    nothing is recorded with the\n\
    old key. The old key is revoked at the same index; what it signed before, the report over that \
    many statements included, holds.\n\n\
    A county is put under another city, another is merged into it, from January 2024 on:\n  \
    countersign registry next registry-*.note --root root.key --from 2024-01 --move 140302 140700 \
    --end 140322 --successor 140322 140302 -o registry-3.note\n\n\
    What changes is shown in Chinese and English before it is signed. Months before --from are \
    settled: no later version can change them."
)]
pub struct Args {
    /// Notes of all versions so far
    #[arg(required = true, value_name = "PREVIOUS")]
    pub previous: Vec<PathBuf>,
    /// Key file of a root that signs now; repeat for several
    #[arg(long, value_name = "KEYFILE")]
    pub root: Vec<PathBuf>,
    /// The root key that version 1 is trusted by [default: the first --root]
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub trust: Option<VerifierKey>,
    /// File of units: new ones are added; what it says otherwise of a known one holds from --from on
    #[arg(long, value_name = "FILE")]
    pub add: Vec<PathBuf>,
    /// First month of added units whose files do not say
    #[arg(long, value_name = "YYYY-MM")]
    pub since: Option<Month>,
    /// Leave out new units without keys
    #[arg(long)]
    pub skip_keyless: bool,
    /// First month in which units are as they are moved, renamed and ended here
    #[arg(long, value_name = "YYYY-MM")]
    pub from: Option<Month>,
    /// A unit reports to another parent from --from on
    #[arg(long = "move", num_args = 2, value_names = ["UNIT", "PARENT"])]
    pub moves: Vec<String>,
    /// A unit has another name from --from on
    #[arg(long, num_args = 2, value_names = ["UNIT", "NAME"])]
    pub rename: Vec<String>,
    /// A unit that exists no more from --from on; the month before is its last
    #[arg(long, value_name = "UNIT")]
    pub end: Vec<UnitId>,
    /// Who carries on what an ended unit did; repeat for several
    #[arg(long, num_args = 2, value_names = ["UNIT", "SUCCESSOR"])]
    pub successor: Vec<String>,
    /// A unit's new witness key; each needs its own --from-time
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    pub rotate_witness: Vec<String>,
    /// When the new witness key begins to cosign, as 2024-01-15T08:00:00Z, in the order of
    /// --rotate-witness
    #[arg(long, value_name = "TIME")]
    pub from_time: Vec<DateTime<Utc>>,
    /// A unit's new node key; each needs its own --from-index
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    pub rotate_key: Vec<String>,
    /// First log index that the new key signs, in the order of --rotate-key
    #[arg(long, value_name = "N")]
    pub from_index: Vec<u64>,
    /// A unit's node key that may sign no more; each needs its own --at-index
    #[arg(long, num_args = 2, value_names = ["UNIT", "VKEY"])]
    pub revoke: Vec<String>,
    /// First log index that the key may not sign, in the order of --revoke
    #[arg(long, value_name = "N")]
    pub at_index: Vec<u64>,
    /// Why keys are revoked: rotated, lost, stolen
    #[arg(long, default_value = "rotated")]
    pub reason: String,
    /// A further root key
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub add_root: Vec<VerifierKey>,
    /// A root key that is one no more
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub drop_root: Vec<VerifierKey>,
    /// How many roots must sign from now on
    #[arg(long)]
    pub threshold: Option<usize>,
    /// New file for the note; without it the note is printed
    #[arg(short, long, value_name = "NOTE")]
    pub output: Option<PathBuf>,
}
