//! What heartbeats say of hash chains. A heartbeat names the heads that moved since one before it,
//! and all of them now and then; the receiver knows whether it has missed some.

mod carry;
mod head;
mod report;
#[cfg(test)]
mod tests;

pub use carry::{Carried, Own, Told, carry};
pub use head::{Head, Heads, passed_on};
pub use report::{Report, Since};
