//! What roll-ups say of a bucket: one business day of one department of a store.
//!
//! | file | has |
//! | --- | --- |
//! | `receipt` | what counts of a receipt and its lines |
//! | `sums` | the sums of a bucket |
//! | `tax` | the part of an amount that is tax |
//! | `restated` | why the sums of a closed day have changed |
//!
//! Amounts are in cents, quantities in thousandths, rates in hundredths of a percent. Sums have room for any
//! number of the largest amounts.

mod receipt;
mod restated;
mod sums;
mod tax;
#[cfg(test)]
mod tests;

pub use receipt::{Line, Receipt};
pub use restated::{Counts, why};
pub use sums::{Amounts, Hour, Item, ItemDay, Seen, Sums, Tax, Terminal, sum};
pub use tax::{Guess, Source};
