//! Telling threads to stop, also when the test that would tell them fails: a scope waits for its
//! threads, for ever if need be.

use std::sync::atomic::{AtomicBool, Ordering};

/// Says stop when it is dropped.
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
