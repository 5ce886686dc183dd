//! How long things take, measured from outside, and how it is told.

mod figures;
mod stopwatch;

pub(crate) use figures::{median, rounded};
pub use stopwatch::{Latencies, Stopwatch};
