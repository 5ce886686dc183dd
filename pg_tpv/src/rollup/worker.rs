//! The second background worker, the fold. It works as a role of its own, as the first one does.

use std::time::{Duration, Instant};

use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::catalog::Catalog;
use super::{due, round};
use crate::guc;
use crate::postgres::background::transaction;
use crate::postgres::sql;

/// Made by `tpv-migrate bootstrap-sql`.
const ROLE: &str = "tpv_fold";

/// While it is stopped, it looks that often whether it still is.
const AT_REST: Duration = Duration::from_secs(1);

/// How long it works in one transaction, and at least rests then: terminals wait for the same processors.
const SLICE: Duration = Duration::from_millis(50);

/// How often sums are said to be complete while nothing changes. As often as heartbeats come.
const CLAIM: Duration = Duration::from_secs(5);

/// Asks PostgreSQL to start it. Only while the postmaster loads its libraries.
pub fn register() {
    BackgroundWorkerBuilder::new("pg_tpv fold")
        .set_function("pg_tpv_fold")
        .set_library("pg_tpv")
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(Some(Duration::from_secs(5)))
        .enable_shmem_access(None)
        .enable_spi_access()
        .load();
}

/// Its main loop.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_tpv_fold(_argument: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    step_back();
    BackgroundWorker::connect_worker_to_spi(Some(&guc::database()), Some(ROLE));
    transaction(c"getting ready", set_up);
    let mut catalog = Catalog::default();
    let mut claimed = None;
    let mut rest = guc::fold_interval();
    while BackgroundWorker::wait_latch(Some(rest.unwrap_or(AT_REST))) {
        if BackgroundWorker::sighup_received() {
            // SAFETY: a worker reads the configuration again as a backend does.
            unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
        }
        rest = guc::fold_interval();
        if rest.is_none() || !transaction(c"looking for its tables", is_ready) {
            continue;
        }
        let is_time = claimed.is_none_or(|at: Instant| at.elapsed() >= CLAIM);
        let seen = transaction(c"numbering what has changed", || round::round(is_time));
        if is_time || seen.some {
            claimed = Some(Instant::now());
        }
        if seen.catalog {
            catalog = Catalog::default();
        }
        let until = Instant::now() + SLICE;
        let more = transaction(c"summing up days", || due::sum_up(until, &mut catalog));
        if more || seen.more {
            rest = rest.map(|rest| rest.min(SLICE));
        }
    }
    // SAFETY: ends this process as PostgreSQL's own workers end; it is started again.
    unsafe { pg_sys::proc_exit(1) };
}

/// Whoever waits for a `.dat` goes first: where processors are scarce, sums come later.
fn step_back() {
    const BY: std::ffi::c_int = 10;
    unsafe extern "C" {
        fn nice(increment: std::ffi::c_int) -> std::ffi::c_int;
    }
    // SAFETY: POSIX; it changes this process alone, and to ask for less is always allowed.
    unsafe { nice(BY) };
}

/// The rows of a bucket are found by index; how many there are on the average says nothing of today, and tables
/// that are empty now are large tomorrow.
fn set_up() {
    for setting in [
        "set enable_seqscan = off",
        // Whoever keeps a table locked is told of in the log.
        "set lock_timeout = '30s'",
        "set enable_hashjoin = off",
        "set enable_mergejoin = off",
        "set plan_cache_mode = force_generic_plan",
    ] {
        sql::execute_text(setting, &[]);
    }
}

/// An empty database and one of an older version have no such table.
fn is_ready() -> bool {
    const READY: &str = "select to_regclass('rollup.due') is not null \
        and coalesce(has_table_privilege(to_regclass('rollup.due'), 'insert'), false)";
    sql::row(READY, &[], |row| row.must(1)) == Some(true)
}
