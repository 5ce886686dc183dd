//! Transactions of a background worker.

use std::panic::AssertUnwindSafe;
use std::ptr::null;

use pgrx::bgworkers::BackgroundWorker;
use pgrx::pg_sys;

/// Does `work` in a transaction of its own, and tells what was written: else autovacuum hears of none of it, and
/// the planner takes the tables for empty. `pg_stat_activity` shows what the worker is doing. An error ends the worker, which
/// is started again.
pub fn transaction<R>(what: &'static std::ffi::CStr, work: impl FnOnce() -> R) -> R {
    // SAFETY: a background worker that is connected to a database; the text is static and copied.
    unsafe { pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, what.as_ptr()) };
    let result = BackgroundWorker::transaction(AssertUnwindSafe(work));
    // SAFETY: as above; no transaction is open.
    unsafe {
        pg_sys::pgstat_report_stat(false);
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_IDLE, null());
    }
    result
}
