//! Memory of an apply worker after a large row.
//!
//! PostgreSQL frees what a row took, and so does Rust, but the C library keeps it for the process,
//! which lives as long as its subscription. One row of 20 MB kept 1.4 GB.

use std::cell::Cell;

use pgrx::pg_sys;
use tpv_core::row_limits::LARGE;

thread_local! {
    /// When the transaction began that has worked on a large row.
    static WORKED: Cell<Option<pg_sys::TimestampTz>> = const { Cell::new(None) };
}

/// A row of so many octets is being worked on.
pub fn worked_on(octets: usize) {
    if octets >= LARGE {
        // SAFETY: reads a variable of this process.
        WORKED.set(Some(unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }));
    }
}

/// Gives back what an earlier transaction needed. Called for every row that arrives; a heartbeat is
/// one, so that it is seconds at most until it is called.
pub fn give_back() {
    // SAFETY: as above.
    if WORKED.get().is_some_and(|began| began != unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }) {
        WORKED.set(None);
        trim();
    }
}

#[cfg(target_env = "gnu")]
fn trim() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: a function of the C library that may be called at any time.
    unsafe { malloc_trim(0) };
}

/// Other C libraries give large blocks back by themselves.
#[cfg(not(target_env = "gnu"))]
fn trim() {}
