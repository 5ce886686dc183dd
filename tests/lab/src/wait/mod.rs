//! Waiting until something is so, and telling threads to stop.

pub mod stop;
pub mod until;
