//! Every setting of the extension. They belong to the DBA: a superuser sets them, or whoever was
//! granted `SET` on one.

use std::ffi::{CStr, CString};

use chrono::Duration;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{pg_guard, pg_sys};
use tpv_core::day::ClockWindow;
use tpv_core::receipt::Limits;

/// `pg_tpv.max_receipt_bytes`. 2 MiB is a hundred times a ticket of 200 lines. The limit is 4 MiB,
/// since the canonical form may be longer, and peers take a document of 8 MiB at most
/// (`tpv_core::row_limits`).
static MAX_RECEIPT_BYTES: GucSetting<i32> = GucSetting::<i32>::new(2 * 1024 * 1024);

/// `pg_tpv.max_receipt_lines`. 2000 is above what anybody scans in one sale, and below what stalls
/// a checkout.
static MAX_RECEIPT_LINES: GucSetting<i32> = GucSetting::<i32>::new(2000);

/// `pg_tpv.max_receipt_depth`. A receipt needs 3; 16 leaves room for what its terminal adds. The
/// reader allows 128 at most.
static MAX_RECEIPT_DEPTH: GucSetting<i32> = GucSetting::<i32>::new(16);

/// `pg_tpv.max_receipt_age`, in minutes. A terminal that was off for a week's holiday sends late
/// receipts; one that sends older receipts has lost its clock.
static MAX_RECEIPT_AGE: GucSetting<i32> = GucSetting::<i32>::new(7 * 24 * 60);

/// `pg_tpv.max_receipt_ahead`, in minutes. 90 forgives a clock that missed the end of summer time
/// and drifted besides.
static MAX_RECEIPT_AHEAD: GucSetting<i32> = GucSetting::<i32>::new(90);

/// `pg_tpv.late_after`, in minutes after the end of a business day. -1: only `sales.close_day`
/// makes receipts late, since a store that was without power over the weekend still has to sell
/// what its terminals weighed.
static LATE_AFTER: GucSetting<i32> = GucSetting::<i32>::new(-1);

/// `pg_tpv.max_clock_skew`, in milliseconds. A minute is more than NTP ever leaves, and more than
/// the ten seconds by which a clock is ahead of its wall clock after a crash.
static MAX_CLOCK_SKEW: GucSetting<i32> = GucSetting::<i32>::new(60_000);

/// `pg_tpv.beat_interval`, in milliseconds, so that no shorter time is rounded to 0. Five seconds:
/// what people see of the chain is never older than that.
static BEAT_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(5000);

/// The background worker looks once a second.
const LEAST_BEAT_MS: i32 = 1000;

/// `pg_tpv.all_chains_minutes`. Heartbeats name the hash chains that moved; all of them each hour
/// cost little, and put right what nobody thought of.
static ALL_CHAINS_MINUTES: GucSetting<i32> = GucSetting::<i32>::new(60);

/// `pg_tpv.database`: where the background workers work.
static DATABASE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"tpv"));

/// `pg_tpv.peer_slot` and `pg_tpv.peer_publication`: what a peer's login may stream, as settings of
/// its role. Whoever has none may stream nothing.
static PEER_SLOT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static PEER_PUBLICATION: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// `pg_tpv.names_life`. Off: only the workers of subscriptions connect to peers.
static NAMES_LIFE: GucSetting<bool> = GucSetting::<bool>::new(false);

/// `pg_tpv.maintenance`. Off: documents and operations are only ever added.
static MAINTENANCE: GucSetting<bool> = GucSetting::<bool>::new(false);

/// `pg_tpv.fold_interval`, in milliseconds. A second: sums follow what was sold within two.
static FOLD_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(1000);

/// `pg_tpv.fold_pause`, in milliseconds. Five seconds: a department in its busy hour is summed up twelve times
/// a minute and no more.
static FOLD_PAUSE: GucSetting<i32> = GucSetting::<i32>::new(5000);

/// `pg_tpv.keep_changes`, in minutes. 30 days: whoever follows the change log may be away for a month.
static KEEP_CHANGES: GucSetting<i32> = GucSetting::<i32>::new(30 * DAY);

/// `pg_tpv.keep_operations`, in minutes. 60 days: a store that was without a line for a whole
/// summer still gets operations, and no snapshot.
static KEEP_OPERATIONS: GucSetting<i32> = GucSetting::<i32>::new(60 * DAY);

/// `pg_tpv.wait_for_peer`, in minutes. 30 days: a store that is closed for the holidays comes back
/// within that time.
static WAIT_FOR_PEER: GucSetting<i32> = GucSetting::<i32>::new(30 * DAY);

/// `pg_tpv.keep_resolved`, in minutes. 90 days: a quarter, after which nobody asks what waited.
static KEEP_RESOLVED: GucSetting<i32> = GucSetting::<i32>::new(90 * DAY);

/// `pg_tpv.keep_runs`, in minutes. 14 days, at two rows a minute.
static KEEP_RUNS: GucSetting<i32> = GucSetting::<i32>::new(14 * DAY);

/// `pg_tpv.keep_audit`, in minutes. Two years: longer than most ask for, and a few rows a day.
static KEEP_AUDIT: GucSetting<i32> = GucSetting::<i32>::new(730 * DAY);

/// Minutes of a day.
const DAY: i32 = 24 * 60;

/// A hundred years: for ever.
const LONGEST_KEPT: i32 = 36_525 * DAY;

/// A year: more than anybody means by "late".
const LONGEST_MINUTES: i32 = 366 * 24 * 60;

/// Tells PostgreSQL of the settings, and that no other `pg_tpv.…` exists, so that a misspelt one is
/// an error. `on_peer_slot` is called with each value of `pg_tpv.peer_slot`, and `on_names_life` with
/// each of `pg_tpv.names_life`; both are guarded.
pub fn register(on_peer_slot: pg_sys::GucStringCheckHook, on_names_life: pg_sys::GucBoolCheckHook) {
    int(
        c"pg_tpv.max_receipt_bytes",
        c"Largest file that is taken for a receipt.",
        c"A larger one is quarantined as TOO_LARGE without being parsed.",
        &MAX_RECEIPT_BYTES,
        1024..=4 * 1024 * 1024,
        GucFlags::UNIT_BYTE,
    );
    int(
        c"pg_tpv.max_receipt_lines",
        c"Most lines that a receipt may have.",
        c"One with more is quarantined as TOO_MANY_LINES.",
        &MAX_RECEIPT_LINES,
        1..=100_000,
        GucFlags::empty(),
    );
    int(
        c"pg_tpv.max_receipt_depth",
        c"Most arrays and objects that may stand inside one another in a receipt.",
        c"The receipt itself counts as one. A deeper one is quarantined as TOO_DEEP.",
        &MAX_RECEIPT_DEPTH,
        3..=128,
        GucFlags::empty(),
    );
    int(
        c"pg_tpv.max_receipt_age",
        c"How long before its arrival a receipt may have been printed.",
        c"One that is older gets the business day of its arrival and the flag CLOCK_SKEW.",
        &MAX_RECEIPT_AGE,
        1..=LONGEST_MINUTES,
        GucFlags::UNIT_MIN,
    );
    int(
        c"pg_tpv.max_receipt_ahead",
        c"How long after its arrival a receipt may claim to be printed.",
        c"One that is further ahead gets the business day of its arrival and the flag CLOCK_SKEW.",
        &MAX_RECEIPT_AHEAD,
        0..=LONGEST_MINUTES,
        GucFlags::UNIT_MIN,
    );
    int(
        c"pg_tpv.late_after",
        c"How long after its end a business day counts as closed by itself.",
        c"A receipt of a closed day is accepted as LATE and gets no .dat. -1 leaves closing to sales.close_day.",
        &LATE_AFTER,
        -1..=LONGEST_MINUTES,
        GucFlags::UNIT_MIN,
    );
    int(
        c"pg_tpv.max_clock_skew",
        c"How far another node's clock may be ahead of this one's wall clock.",
        c"Stamps beyond it are reported and not followed. It must exceed the ten seconds that a crash may cost.",
        &MAX_CLOCK_SKEW,
        11_000..=86_400_000,
        GucFlags::UNIT_MS,
    );
    keep(
        c"pg_tpv.keep_operations",
        c"How old an operation is at least before it leaves the journal.",
        c"It stays while a peer lacks it, while it is the value of a row, and while it names one that is missing. -1 keeps all.",
        &KEEP_OPERATIONS,
    );
    keep(
        c"pg_tpv.wait_for_peer",
        c"How long the journal waits for a peer that sends no heartbeat.",
        c"One that comes back later gets a snapshot where operations are gone. -1 waits for ever.",
        &WAIT_FOR_PEER,
    );
    keep(
        c"pg_tpv.keep_resolved",
        c"How long rows that are done stay in sync.quarantine, sync.drift and sync.snapshot.",
        c"-1 keeps them.",
        &KEEP_RESOLVED,
    );
    keep(
        c"pg_tpv.keep_runs",
        c"How long the runs of scheduled functions stay in cron.job_run_details.",
        c"-1 keeps them. Runs of other jobs than those of tpv are not touched.",
        &KEEP_RUNS,
    );
    keep(c"pg_tpv.keep_audit", c"How long security events stay in sec.audit.", c"-1 keeps them.", &KEEP_AUDIT);
    keep(
        c"pg_tpv.keep_changes",
        c"How long rows of the change log are kept.",
        c"Whoever follows it from an older position has to begin anew. -1 keeps them.",
        &KEEP_CHANGES,
    );
    // SAFETY: the hook is guarded against panics.
    unsafe {
        GucRegistry::define_int_guc_with_hooks(
            c"pg_tpv.beat_interval",
            c"How often this node writes a heartbeat, which says how far its stream is complete.",
            c"At least a second; 0 turns heartbeats off.",
            &BEAT_INTERVAL,
            0,
            3_600_000,
            GucContext::Sighup,
            GucFlags::UNIT_MS,
            Some(check_beat_interval),
            None,
            None,
        );
    }
    GucRegistry::define_int_guc(
        c"pg_tpv.all_chains_minutes",
        c"After how many minutes a heartbeat names all hash chains, and not only those that moved.",
        c"It does so too after a start, and when a peer has missed one.",
        &ALL_CHAINS_MINUTES,
        1,
        24 * 60,
        GucContext::Sighup,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"pg_tpv.fold_interval",
        c"How often the change log is written and roll-ups are brought up to date.",
        c"0 stops both: changes wait in sync.touched.",
        &FOLD_INTERVAL,
        0,
        60 * 60 * 1000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"pg_tpv.fold_pause",
        c"How long after it was summed up a day of a department waits until it is summed up again.",
        c"A department that sells all the time would else be summed up all the time.",
        &FOLD_PAUSE,
        0,
        60 * 60 * 1000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_string_guc(
        c"pg_tpv.database",
        c"The database that the background workers work in.",
        c"It is the one that tpv-migrate made.",
        &DATABASE,
        GucContext::Postmaster,
        GucFlags::empty(),
    );
    // SAFETY: the hook is guarded, as the caller promises.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            c"pg_tpv.peer_slot",
            c"The slot that a peer's login may stream.",
            c"A setting of its role, made by sync.join_plan. A login that has it may do nothing else.",
            &PEER_SLOT,
            GucContext::Suset,
            GucFlags::empty(),
            on_peer_slot,
            None,
            None,
        );
    }
    GucRegistry::define_string_guc(
        c"pg_tpv.peer_publication",
        c"The publication that a peer's login may stream.",
        c"A setting of its role, made by sync.join_plan.",
        &PEER_PUBLICATION,
        GucContext::Suset,
        GucFlags::empty(),
    );
    // SAFETY: the hook is guarded, as the caller promises.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            c"pg_tpv.names_life",
            c"Names the life of this server where a subscription connects to its peer.",
            c"A setting of tpv_apply, made by tpv-migrate bootstrap-sql. It counts for workers only.",
            &NAMES_LIFE,
            GucContext::Suset,
            GucFlags::empty(),
            on_names_life,
            None,
            None,
        );
    }
    GucRegistry::define_bool_guc(
        c"pg_tpv.maintenance",
        c"Allows UPDATE, DELETE and TRUNCATE of documents and operations.",
        c"For maintenance by the owner only: afterwards the hash chains of documents no longer prove anything.",
        &MAINTENANCE,
        GucContext::Suset,
        GucFlags::empty(),
    );
    // SAFETY: the name is a C string that lives for ever, and PostgreSQL copies it.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"pg_tpv".as_ptr()) };
}

/// Refuses a time that is shorter than the worker can keep, so that it is not 0 without a word.
#[pg_guard]
unsafe extern "C-unwind" fn check_beat_interval(
    value: *mut i32,
    _extra: *mut *mut std::ffi::c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL passes the new value, and reads the text before it frees the memory that
    // it is in.
    unsafe {
        let accepted = *value == 0 || *value >= LEAST_BEAT_MS;
        if !accepted {
            pg_sys::GUC_check_errdetail_string =
                pg_sys::pstrdup(c"A heartbeat is written once a second at most. 0 turns heartbeats off.".as_ptr());
        }
        accepted
    }
}

/// What a file may be at most, as it is set now.
pub fn limits() -> Limits {
    Limits {
        max_bytes: count(&MAX_RECEIPT_BYTES),
        max_depth: count(&MAX_RECEIPT_DEPTH),
        max_lines: count(&MAX_RECEIPT_LINES),
    }
}

/// How far a terminal's clock may be off, as it is set now.
pub fn clock_window() -> ClockWindow {
    ClockWindow {
        max_age: Duration::minutes(i64::from(MAX_RECEIPT_AGE.get())),
        max_ahead: Duration::minutes(i64::from(MAX_RECEIPT_AHEAD.get())),
    }
}

/// How long after its end a day is closed by itself; none when it never is.
pub fn late_after() -> Option<Duration> {
    let minutes = LATE_AFTER.get();
    (minutes >= 0).then(|| Duration::minutes(i64::from(minutes)))
}

/// How far another clock may be ahead, in milliseconds.
pub fn max_clock_skew_ms() -> i64 {
    i64::from(MAX_CLOCK_SKEW.get())
}

/// How often to write a heartbeat; none when heartbeats are off.
pub fn beat_interval() -> Option<std::time::Duration> {
    u64::try_from(BEAT_INTERVAL.get()).ok().filter(|ms| *ms > 0).map(std::time::Duration::from_millis)
}

/// How often the fold looks what has changed; none when it is stopped.
pub fn fold_interval() -> Option<std::time::Duration> {
    u64::try_from(FOLD_INTERVAL.get()).ok().filter(|ms| *ms > 0).map(std::time::Duration::from_millis)
}

/// How long a bucket waits until it is summed up again, in milliseconds.
pub fn fold_pause_ms() -> i32 {
    FOLD_PAUSE.get()
}

/// After how long a heartbeat names all hash chains, in milliseconds.
pub fn all_chains_every_ms() -> u64 {
    u64::try_from(ALL_CHAINS_MINUTES.get()).unwrap_or_default() * 60_000
}

/// The background workers' database.
pub fn database() -> String {
    DATABASE.get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The slot and the publication that this session's login may stream.
pub fn peer_stream() -> (String, String) {
    let text = |setting: &GucSetting<Option<CString>>| {
        setting.get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    (text(&PEER_SLOT), text(&PEER_PUBLICATION))
}

/// Whether documents and operations may be changed and deleted in this session.
pub fn maintenance() -> bool {
    MAINTENANCE.get()
}

fn int(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<i32>,
    range: std::ops::RangeInclusive<i32>,
    unit: GucFlags,
) {
    let (least, most) = range.into_inner();
    GucRegistry::define_int_guc(name, short, long, setting, least, most, GucContext::Suset, unit);
}

/// How long something is kept, for the functions that prune; -1 is for ever.
fn keep(name: &'static CStr, short: &'static CStr, long: &'static CStr, setting: &'static GucSetting<i32>) {
    int(name, short, long, setting, -1..=LONGEST_KEPT, GucFlags::UNIT_MIN);
}

/// PostgreSQL keeps every count within its range, which has no negative number.
fn count(setting: &GucSetting<i32>) -> usize {
    usize::try_from(setting.get()).unwrap_or_default()
}
