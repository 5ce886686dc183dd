//! What an apply worker remembers while documents arrive: those that are not written yet, and how
//! far it has seen each hash chain. Both follow the subtransactions of PostgreSQL, so that what is
//! rolled back is forgotten.
//!
//! A subtransaction is named by its number in its transaction. Numbers only grow: a subtransaction
//! has a greater one than those around it, and than those before it.

mod last_seen;
mod pending;

#[cfg(test)]
mod tests;

pub use last_seen::LastSeen;
pub use pending::{MOST_BYTES, MOST_ITEMS, Pending};
