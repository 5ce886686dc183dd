//! Whether the server that subscribes is the one that subscribed before, or a copy of it.
//!
//! A server begins a *life* with each start, under a name that no other has, and keeps in a file of
//! its data folder which lives went before. A copy of the folder has the same past. From there on
//! both go on under names of their own, so that at a peer one of the two is a life that follows the
//! one which was replaced already.
//!
//! A subscriber names its life, and those before it, where it connects ([`Descent`]). The sender
//! decides with what it has on record ([`judge()`]). What it has refused it tells in its heartbeats
//! ([`tell`]), so that the server which was copied hears of it.

mod descent;
mod judge;
#[cfg(test)]
mod tests;
mod told;

pub use descent::{Descent, Life};
pub use judge::{REFUSAL, Recorded, State, Verdict, Why, judge};
pub use told::{Refused, heard, tell};
