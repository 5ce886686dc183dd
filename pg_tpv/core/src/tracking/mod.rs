//! Whether a table can be shared with the chain, by the rules that somebody wants for it.
//!
//! Two nodes each check a row alone, and both are right; the merge must still find a row that both
//! can store. What could make that impossible is refused when the table is tracked.

mod check;
mod fault;
mod rules;
mod table;
#[cfg(test)]
mod tests;

pub use check::check;
pub use fault::Fault;
pub use rules::Rules;
pub use table::{Check, Column, Table};
