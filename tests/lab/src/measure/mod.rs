//! How long things take, measured from outside.

pub mod stopwatch;
