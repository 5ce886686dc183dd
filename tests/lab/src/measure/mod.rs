//! How long it takes from a file to its `.dat`, measured from outside, and how numbers are shown.

mod figures;
mod stopwatch;

pub(crate) use figures::{median, rounded};
pub use stopwatch::{Latencies, Stopwatch};
