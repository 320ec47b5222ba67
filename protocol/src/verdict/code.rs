//! Codes of verdicts: one for each numbered step of a check, and one for each way to hold.

use std::fmt;

use super::check::Check;

macro_rules! codes {
    ($($name:ident = $text:literal, $check:ident, $step:literal;)+) => {
        /// What a verdict is about: the step of the check that found it. The text is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("`", $text, "`")]
                $name,
            )+
        }

        impl Code {
            /// All of them, in the order of the checks and their steps.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),+ }
            }

            /// The check that it belongs to.
            pub const fn check(self) -> Check {
                match self { $(Code::$name => Check::$check),+ }
            }

            /// The step's number in the section of SPEC that [`Code::section`] names; 0 where no
            /// step failed, or where it is any step of the section.
            pub const fn step(self) -> u8 {
                match self { $(Code::$name => $step),+ }
            }
        }
    };
}

codes! {
    AuthorshipHolds = "authorship.holds", Authorship, 0;
    LeavesSigned = "authorship.leaves-signed", Authorship, 1;
    RegistryNamed = "authorship.registry-named", Authorship, 2;
    NodeSigned = "authorship.node-signed", Authorship, 3;
    SignatoriesSigned = "authorship.signatories-signed", Authorship, 4;
    CheckpointSigned = "authorship.checkpoint-signed", Authorship, 5;
    EveryLine = "authorship.every-line", Authorship, 4;
    ReceiptHolds = "authorship.receipt", Authorship, 0;
    ArithmeticHolds = "arithmetic.holds", Arithmetic, 0;
    CellsAddUp = "arithmetic.cells-add-up", Arithmetic, 1;
    EveryChildNamed = "arithmetic.every-child-named", Arithmetic, 2;
    ChildRollups = "arithmetic.child-rollups", Arithmetic, 3;
    FiguresAddUp = "arithmetic.figures-add-up", Arithmetic, 4;
    ChildrenHold = "arithmetic.children-hold", Arithmetic, 5;
    RulesExplained = "arithmetic.rules-explained", Arithmetic, 6;
    HistoryHolds = "history.holds", History, 0;
    LogExtends = "history.log-extends", History, 1;
    LeavesInOrder = "history.leaves-in-order", History, 2;
    UnbrokenChain = "history.unbroken-chain", History, 3;
    RevisionChain = "history.revision-chain", History, 4;
    PreviousMonth = "history.previous-month", History, 5;
    NeverBack = "history.never-back", History, 6;
    MonthsReported = "history.months-reported", History, 7;
    SealedMonths = "history.sealed-months", History, 8;
    BindingHolds = "binding.holds", Binding, 0;
    LeavesByCatalogue = "binding.leaves-by-catalogue", Binding, 1;
    OpenedSums = "binding.opened-sums", Binding, 2;
    OpeningHolds = "binding.opening-holds", Binding, 3;
    FiguresFollow = "binding.figures-follow", Binding, 4;
    NumbersOfLeaves = "binding.numbers-of-leaves", Binding, 5;
    FrozenLists = "binding.frozen-lists", Binding, 6;
    OnTime = "timeliness.on-time", Timeliness, 0;
    Late = "timeliness.late", Timeliness, 1;
    ArrivalUnknown = "timeliness.unknown", Timeliness, 1;
}

impl Code {
    /// The section of SPEC that its step stands in.
    pub const fn section(self) -> u8 {
        match self {
            Code::EveryLine => 11,
            Code::ReceiptHolds => 9,
            _ => 8,
        }
    }

    /// Whether it says that a check holds, or could not find fault.
    pub const fn holds(self) -> bool {
        self.step() == 0 && !matches!(self, Code::ReceiptHolds)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_of_its_check_and_stands_once() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            let (check, _) = code.as_str().split_once('.').unwrap();
            assert_eq!(check, code.check().as_str(), "{code}");
        }
    }
}
