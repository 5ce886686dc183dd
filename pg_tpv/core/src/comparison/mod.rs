//! What a peer reported in its last heartbeat, beside what is here: which difference is what, and
//! what is requested now.
//!
//! A store answers for its own operations and hash chains, central for the operations of all. What
//! is missing is requested, and for a while not again: what is being sent arrives from the
//! beginning, so that a difference that begins later than before is on its way. A chain that does
//! not link is for a person.

mod difference;
mod facts;
mod kind;
mod request;
#[cfg(test)]
mod tests;

pub use difference::{Difference, differences};
pub use facts::{Chain, Facts, Followed, Open};
pub use kind::Kind;
pub use request::{Request, request};
