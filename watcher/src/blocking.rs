//! Work that touches the disk runs on a thread of its own: an fsync would hold up everybody on
//! tokio's threads.

/// Runs `work` on such a thread and waits for its result.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // It panicked, or the runtime is shutting down; there is nothing to go on with.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}
