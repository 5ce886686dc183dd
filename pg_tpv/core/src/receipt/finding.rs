//! What was found in a file, and what follows from it: which codes of the file alone quarantine and
//! which hold. What the store adds (a taken number or name, another department, the date, the
//! layout) is decided in `intake`.

use std::collections::BTreeSet;

use crate::problem::{Place, Problem};

/// What happens to a file, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A receipt, perhaps with flags.
    Accepted,
    /// A receipt that a person releases or voids.
    Held,
    /// Not a usable receipt.
    Quarantined,
}

impl Outcome {
    /// The word in answers and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Codes that hold a receipt: it can be stored as it is, and its money or its place is in doubt.
/// Every other code quarantines.
const HOLDS: [&str; 3] = ["QUANTITY_SCALE", "TOTAL_MISMATCH", "WRONG_DEPARTMENT"];

/// How many problems are listed: enough to repair a terminal, and not a copy of a hostile file.
const MOST: usize = 20;

/// Problems and flags as they are found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    quarantining: Vec<Problem>,
    holding: Vec<Problem>,
    flags: BTreeSet<&'static str>,
}

impl Findings {
    /// Records that the value at `place` stops the file.
    pub(super) fn problem(&mut self, code: &'static str, place: &Place<'_>, detail: impl Into<String>) {
        let list = if HOLDS.contains(&code) { &mut self.holding } else { &mut self.quarantining };
        if list.len() < MOST {
            list.push(Problem::new(code, place.pointer(), detail));
        }
    }

    /// The same, for a value that can then not be used.
    pub(super) fn refuse<T>(&mut self, code: &'static str, place: &Place<'_>, detail: impl Into<String>) -> Option<T> {
        self.problem(code, place, detail);
        None
    }

    /// Records something odd that does not stop the file.
    pub(super) fn flag(&mut self, flag: &'static str) {
        self.flags.insert(flag);
    }

    /// Whether the file is quarantined already.
    pub(super) fn quarantines(&self) -> bool {
        !self.quarantining.is_empty()
    }

    /// The result: the outcome, the flags, and the problems, those that quarantine first.
    pub(super) fn conclude(self) -> (Outcome, Vec<&'static str>, Vec<Problem>) {
        let outcome = match (self.quarantining.is_empty(), self.holding.is_empty()) {
            (true, true) => Outcome::Accepted,
            (true, false) => Outcome::Held,
            (false, _) => Outcome::Quarantined,
        };
        let problems = self.quarantining.into_iter().chain(self.holding).take(MOST).collect();
        (outcome, self.flags.into_iter().collect(), problems)
    }
}
