//! The node's clock: `tpv_core::clock` in shared memory, its ceiling in a file of the data
//! directory.
//!
//! No stamp above the ceiling is used before the file has a higher one. It is written about every
//! ten seconds, mostly by the background worker. Whatever crashes, the next start begins above it.

use std::io;

use chrono::Utc;
use pgrx::lwlock::PgLwLock;
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, pg_sys};
use tpv_core::clock::{Clock, Observed, time_of};

use super::durable;
use crate::guc;
use crate::postgres::Refusal;

const FILE: &str = "pg_tpv.clock";

#[derive(Clone, Copy, Default)]
struct Shared(Clock);

// SAFETY: two numbers, no pointer.
unsafe impl PGRXSharedMemory for Shared {}

// SAFETY: it is initialised in the postmaster, before any process can reach it; `preloaded` guards
// the other case.
static CLOCK: PgLwLock<Shared> = unsafe { PgLwLock::new(c"pg_tpv clock") };

/// Asks for shared memory. Only while the postmaster loads its libraries.
#[allow(unexpected_cfgs, reason = "the macro asks for versions of PostgreSQL that this crate has no feature for")]
pub fn request_memory() {
    // SAFETY: the postmaster has one thread and no children yet.
    unsafe { PRELOADED = true }
    pgrx::pg_shmem_init!(CLOCK = Shared(Clock::recover(on_disk(), now_ms())));
}

/// The next stamp of this node, greater than every one before.
#[pg_extern(volatile, parallel_unsafe)]
pub fn hlc_now() -> i64 {
    let mut clock = clock();
    let tick = clock.0.tick(now_ms());
    match tick.needs_ceiling.map(|ceiling| (write(ceiling), ceiling)) {
        None => {}
        Some((Ok(()), ceiling)) => clock.0.reserved(ceiling),
        Some((Err(error), _)) => {
            drop(clock);
            disk_failed(&error);
        }
    }
    tick.hlc
}

/// Follows a stamp of another node. One that is more than `pg_tpv.max_clock_skew` ahead is ignored
/// with a warning; the answer is by how many milliseconds it is ahead, 0 when it was followed.
#[pg_extern(volatile, strict, parallel_unsafe)]
pub fn hlc_observe(hlc: i64) -> i64 {
    let by_ms = follow(hlc);
    if by_ms > 0 {
        warning!("a stamp of another node is {by_ms} ms ahead of this clock and was not followed");
    }
    by_ms
}

/// Follows a stamp that came with a row. Answers by how many milliseconds it is ahead when that is
/// too far, else 0.
pub fn follow(hlc: i64) -> i64 {
    match clock().0.observe(hlc, now_ms(), guc::max_clock_skew_ms()) {
        Observed::Ahead { by_ms } => by_ms,
        Observed::Taken | Observed::Behind => 0,
    }
}

/// The instant in a stamp.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn hlc_time(hlc: i64) -> TimestampWithTimeZone {
    // PostgreSQL counts microseconds from 2000.
    let micros = (time_of(hlc).timestamp_micros()).saturating_sub(946_684_800_000_000);
    TimestampWithTimeZone::try_from(micros).unwrap_or_else(|_| TimestampWithTimeZone::positive_infinity())
}

/// How many milliseconds the clock is ahead of the wall clock.
#[pg_extern(volatile, parallel_unsafe)]
pub fn hlc_ahead() -> i64 {
    clock().0.ahead_ms(now_ms())
}

/// Sets the clock back to the wall clock, once a person has corrected that. Answers by how many
/// milliseconds.
#[pg_extern(volatile, parallel_unsafe)]
pub fn hlc_step_back() -> i64 {
    let mut clock = clock();
    let ahead = clock.0.ahead_ms(now_ms());
    if let Some(ceiling) = clock.0.step_back(now_ms()) {
        match write(ceiling) {
            Ok(()) => clock.0.reserved(ceiling),
            Err(error) => {
                drop(clock);
                disk_failed(&error);
            }
        }
    }
    ahead
}

/// Raises the ceiling ahead of need, in the background worker.
///
/// # Errors
/// The disk fails. Nothing is lost: whoever needs stamps above the ceiling tries again.
pub fn reserve() -> io::Result<()> {
    let mut clock = clock();
    if let Some(ceiling) = clock.0.wants_ceiling(now_ms()) {
        write(ceiling)?;
        clock.0.reserved(ceiling);
    }
    Ok(())
}

/// Whether the library was loaded with the server.
pub fn preloaded() -> bool {
    // SAFETY: reads a flag that `request_memory` set in the postmaster, from which this process was
    // forked.
    unsafe { PRELOADED }
}

static mut PRELOADED: bool = false;

fn clock() -> pgrx::lwlock::PgLwLockExclusiveGuard<'static, Shared> {
    if !preloaded() {
        Refusal::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "pg_tpv is not loaded with the server")
            .hint("Put pg_tpv into shared_preload_libraries and restart PostgreSQL.")
            .raise();
    }
    CLOCK.exclusive()
}

fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}

/// The ceiling on disk. A new node has no file. A garbled one was not written by us; the wall clock
/// has to do.
fn on_disk() -> i64 {
    durable::read(FILE).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn write(ceiling: i64) -> io::Result<()> {
    durable::write(FILE, &ceiling.to_string())
}

fn disk_failed(error: &io::Error) -> ! {
    Refusal::new(PgSqlErrorCode::ERRCODE_IO_ERROR, "the clock's ceiling could not be written").because(error).raise()
}

extension_sql!(
    r#"
comment on function hlc_now() is
    'The next stamp of this node: Unix milliseconds above 16 bits of counter, greater than every one before.';
comment on function hlc_observe(bigint) is
    'Follows another node''s stamp. One too far ahead (pg_tpv.max_clock_skew) is ignored with a warning, and the answer is by how many milliseconds; else 0.';
comment on function hlc_time(bigint) is 'The instant in a stamp.';
comment on function hlc_ahead() is 'How many milliseconds this node''s clock is ahead of its wall clock.';
comment on function hlc_step_back() is
    'Sets the clock back to the wall clock, after a person has corrected that. Answers by how many milliseconds.';
"#,
    name = "clock_comments",
    requires = [hlc_now, hlc_observe, hlc_time, hlc_ahead, hlc_step_back]
);
