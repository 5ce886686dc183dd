//! Decides about a receipt when it arrives: which one it is, which day it belongs to, whether a
//! person must look first, and what its `.dat` is.
//!
//! `receipt` judges a file alone. Here its terminal, the store's clock, the receipts before it and
//! the layout count too. All of them are arguments, so that every decision is a function that can
//! be tested without a database.

mod decide;
mod terminal_context;
mod undated;

pub use decide::{Dat, Decision, New, PreviousReceipt, dat_of_body, decide, name_taken};
pub use terminal_context::{TerminalContext, receipt_key};
pub use undated::{StoredReceipt, Undated, archive_day};

#[cfg(test)]
mod tests;
