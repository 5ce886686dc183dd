//! Telling threads to stop even when the test fails before it does so. Otherwise the scope would
//! wait for its threads for ever.

use std::sync::atomic::{AtomicBool, Ordering};

/// Tells the threads to stop when it is dropped.
#[derive(Debug)]
#[must_use = "it says stop at once when it is not kept"]
pub struct AtTheLatest<'s>(&'s AtomicBool);

/// Says stop at the end of the scope that keeps the answer, also when it panics.
pub fn stop_at_the_latest(stop: &AtomicBool) -> AtTheLatest<'_> {
    AtTheLatest(stop)
}

impl Drop for AtTheLatest<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
