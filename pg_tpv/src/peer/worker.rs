//! The background worker: it keeps the clock's ceiling ahead, so that no session waits for the
//! disk; it writes heartbeats, and asks after those that it missed; it sends what peers requested.
//!
//! It works as a role that has the rights for this and no others: a trigger of a table that it writes
//! runs with them, and the owner of the tables can make one.

use std::time::Duration;

use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{beat, lives, resend, setup};
use crate::guc;
use crate::node::clock;
use crate::postgres::background::transaction;

/// Often enough that half of the clock's reserve never runs out.
const ROUND: Duration = Duration::from_secs(1);

/// Made by `tpv-migrate bootstrap-sql`.
const ROLE: &str = "tpv_worker";

/// How many parts of what peers requested are sent in a round.
const PARTS: usize = 20;

/// Asks PostgreSQL to start it. Only while the postmaster loads its libraries.
pub fn register() {
    BackgroundWorkerBuilder::new("pg_tpv worker")
        .set_function("pg_tpv_worker")
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
pub extern "C-unwind" fn pg_tpv_worker(_argument: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    BackgroundWorker::connect_worker_to_spi(Some(&guc::database()), Some(ROLE));
    transaction(c"getting ready", setup::report);
    let mut since_beat = Duration::ZERO;
    while BackgroundWorker::wait_latch(Some(ROUND)) {
        if BackgroundWorker::sighup_received() {
            // SAFETY: a worker reads the configuration again as a backend does.
            unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
        }
        if let Err(error) = clock::reserve() {
            log!("pg_tpv: the clock's ceiling could not be written: {error}");
        }
        since_beat += ROUND;
        transaction(c"noting refused servers", lives::note_refusal);
        transaction(c"looking at its server", beat::look_at_server);
        // Whoever has missed a heartbeat need not wait for the next.
        let is_due = |interval| since_beat >= interval || transaction(c"looking for requests", beat::is_asked);
        if guc::beat_interval().is_some_and(is_due) {
            since_beat = Duration::ZERO;
            transaction(c"writing a heartbeat", beat::beat);
        }
        transaction(c"asking for what it missed", beat::request_heads);
        // In parts, each committed on its own; then the clock and the heartbeat have their turn.
        let mut parts = 0..PARTS;
        while parts.next().is_some() && transaction(c"sending what was requested", resend::serve_requests) {}
    }
    // SAFETY: ends this process, as PostgreSQL's own workers end when they are told to. A worker
    // that returns ends with 0 and is never started again: whoever ended all sessions of the
    // database would have ended the heartbeats for good.
    unsafe { pg_sys::proc_exit(1) };
}
