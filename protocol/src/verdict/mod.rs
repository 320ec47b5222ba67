//! What the checks found. A [`Verdict`] travels in receipts as three members: the check, how it
//! ended, and a sentence. Whoever runs the checks itself also has the [`Finding`] from which the
//! sentence was made: a stable [`Code`] and typed parameters, told in English and in Chinese.
//!
//! | file | holds |
//! |---|---|
//! | `check` | the names of the checks |
//! | `code` | one code for each numbered step of a check (SPEC section 8) |
//! | `leaf` | what contradicts in a single leaf |
//! | `authorship`, `arithmetic`, `history`, `binding`, `timeliness` | what a check can find |
//! | `finding` | any of these |
//! | `result` | the verdict |
//! | `standing` | whether a rollup may be built upon |

mod arithmetic;
mod authorship;
mod binding;
mod check;
mod code;
mod finding;
mod history;
mod leaf;
mod result;
mod standing;
mod timeliness;

pub use arithmetic::ArithmeticFinding;
pub use authorship::AuthorshipFinding;
pub use binding::BindingFinding;
pub use check::Check;
pub use code::Code;
pub use finding::Finding;
pub use history::HistoryFinding;
pub use leaf::{LeafFinding, LeafProblem};
pub use result::{Outcome, Verdict};
pub use standing::Standing;
pub use timeliness::TimelinessFinding;
