//! The life of this server: from a start of PostgreSQL to the next. `tpv_core::life` says what it is
//! for.
//!
//! It begins in the postmaster, from which every process has it, and a crash from which the server
//! recovers by itself does not end it. It is on disk before anybody names it. A server in recovery
//! begins one too and names it nowhere, since it subscribes to nothing.
//!
//! A subscription names it where it connects. All that can be said there is `application_name`, and
//! all that comes before a connection is that the worker reads the settings of its role: one of them
//! makes it put the name into its environment, where libpq finds it. Other processes name nothing.

use std::ffi::{CStr, c_void};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use pgrx::prelude::*;
use pgrx::{PgAtomic, pg_sys};
use tpv_core::life::{Descent, Life, REFUSAL};

use super::durable;

/// In the data directory. A copy of the directory has it.
const FILE: &str = "pg_tpv.life";

/// Set in the postmaster. None where the disk or the source of random bytes failed: then this server
/// names no life, as one of an older version.
static DESCENT: OnceLock<Descent> = OnceLock::new();

/// The replication origins of the last four subscriptions that were refused, 16 bits each, for the
/// background worker; 0 when it knows of all.
// SAFETY: it is initialised in the postmaster, before any process can reach it. Whoever reads it was
// started by a postmaster that loaded this library.
static REFUSED: PgAtomic<AtomicU64> = unsafe { PgAtomic::new(c"pg_tpv refused") };

/// Begins a life. Only while the postmaster loads its libraries.
#[allow(unexpected_cfgs, reason = "the macro asks for versions of PostgreSQL that this crate has no feature for")]
pub fn begin() {
    match begun() {
        Ok(descent) => _ = DESCENT.set(descent),
        Err(error) => log!("pg_tpv: this server names no life, as {FILE} could not be written: {error}"),
    }
    pgrx::pg_shmem_init!(REFUSED = AtomicU64::new(0));
}

fn begun() -> io::Result<Descent> {
    let mut random = [0; 6];
    // SAFETY: the length is that of the array.
    if !unsafe { pg_sys::pg_strong_random(random.as_mut_ptr().cast::<c_void>(), random.len()) } {
        return Err(io::Error::other("no random bytes"));
    }
    let before = durable::read(FILE).and_then(|line| Descent::parse(&line));
    let descent = Descent::next(before.as_ref(), Life::new(random));
    durable::write(FILE, &descent.to_string())?;
    Ok(descent)
}

/// The life of this server.
pub fn this_life() -> Option<Life> {
    DESCENT.get().map(|descent| descent.life)
}

/// The life of this server, which it names to its peers: another one since each start.
#[pg_extern(stable, parallel_safe)]
pub fn life() -> Option<String> {
    this_life().map(|life| life.to_string())
}

/// The check of `pg_tpv.names_life`. A worker reads the settings of its role before it connects.
#[pg_guard]
pub unsafe extern "C-unwind" fn on_names_life(
    value: *mut bool,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    let of_role = matches!(source, pg_sys::GucSource::PGC_S_USER | pg_sys::GucSource::PGC_S_DATABASE_USER);
    // SAFETY: called by PostgreSQL with the value that is about to be set.
    if of_role
        && unsafe { *value && pg_sys::IsLogicalWorker() }
        && let Some(descent) = DESCENT.get()
    {
        // SAFETY: the process has one thread, and nobody keeps a pointer into its environment.
        unsafe { std::env::set_var("PGAPPNAME", descent.to_string()) };
    }
    true
}

/// Notes that a peer has refused this server, which its worker is about to say in the log and end.
///
/// # Safety
/// Called by PostgreSQL with what it is about to log.
pub unsafe fn heed(entry: *mut pg_sys::ErrorData) {
    // SAFETY: the caller's promise; reads variables of this process.
    unsafe {
        let is_error = u32::try_from((*entry).elevel).is_ok_and(|level| level >= pg_sys::PGERROR);
        if is_error
            && pg_sys::IsLogicalWorker()
            && !(*entry).message.is_null()
            && CStr::from_ptr((*entry).message).to_string_lossy().contains(REFUSAL)
        {
            let origin = pg_sys::replorigin_session_origin;
            let push = |noted| (!origins(noted).any(|one| one == origin)).then_some(noted << 16 | u64::from(origin));
            let _ = REFUSED.get().fetch_update(Ordering::Relaxed, Ordering::Relaxed, push);
        }
    }
}

/// The replication origins of subscriptions that were refused since the last call. When there are
/// many, the last ones: the others will try again.
pub fn refused() -> impl Iterator<Item = u16> {
    origins(REFUSED.get().swap(0, Ordering::Relaxed))
}

fn origins(noted: u64) -> impl Iterator<Item = u16> {
    (0..4).map(move |place| (noted >> (16 * place)) as u16).filter(|origin| *origin > 0)
}

extension_sql!(
    r#"
comment on function life() is
    'The life of this server, which it names to its peers: another one since each start. Null where it names none.';
"#,
    name = "life_comments",
    requires = [life]
);
