//! A receipt and its lines, as far as sums need them.

use crate::receipt::State;

/// A receipt of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its state.
    pub state: State,
    /// Hour of the store's wall clock when it was printed.
    pub hour: i16,
    /// The terminal that issued it.
    pub terminal: String,
    /// Whether it came after its day was closed.
    pub is_late: bool,
    /// As printed.
    pub total: i64,
    /// Whole seconds from print to the store's database; a clock that is ahead counts as 0.
    pub waited: i64,
    /// Its lines, in their order.
    pub lines: Vec<Line>,
}

/// One of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The code as it was given.
    pub code: String,
    /// What the receipt calls it.
    pub description: String,
    /// What the receipt says; none when it says nothing.
    pub rate: Option<i32>,
    /// None where it has too many decimals for a column. Such a receipt is held, and counts once a person
    /// releases it.
    pub quantity: Option<i64>,
    /// Its amount, with tax.
    pub total: i64,
}

impl Receipt {
    /// Whether its amounts are sales.
    pub fn counts(&self) -> bool {
        matches!(self.state, State::Accepted | State::Released)
    }
}

impl Line {
    /// Pieces. What is weighed is one.
    pub fn units(&self) -> i64 {
        match self.quantity {
            Some(quantity) if quantity % 1000 == 0 => quantity / 1000,
            Some(quantity) => quantity.signum(),
            None => self.total.signum(),
        }
    }
}
