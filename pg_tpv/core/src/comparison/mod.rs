//! What a peer reported in its heartbeats, beside what is here: which difference is what, and what
//! is requested now.
//!
//! A store answers for its own operations, central for those of all; each for the hash chains that
//! it sends here. What is missing is requested, and for a while not again: what is being sent
//! arrives from the beginning, so that a difference that begins later than before is on its way. A
//! chain that does not link is for a person.

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
