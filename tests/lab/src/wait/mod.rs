//! Waiting for a condition, and telling threads to stop.

mod stop;
mod until;

pub use stop::{AtTheLatest, stop_at_the_latest};
pub use until::{until, until_true};
