//! Keeps the login of a peer to the one stream that it is for.
//!
//! A subscription needs a login with REPLICATION. PostgreSQL carries out any replication command for
//! such a login (`BASE_BACKUP`, another peer's slot, a new slot of any kind), and any SQL over the
//! same connection. What the login may stream stands in two settings of its role, which the plan of
//! `sync.join_plan` makes. It is refused
//!
//! - an ordinary session, and another database, when the settings of its role are read at login;
//! - statements, after they were parsed and before anything is done;
//! - replication commands, for which there is no hook. But each is logged before it is carried out,
//!   and there is a hook for what is logged;
//! - streaming to another server than the one that the peer has (`lives`).
//!
//! Without a database a role has no settings: `pg_hba.conf` refuses those connections.
//!
//! What all share is limited for each: walsenders, which PostgreSQL does not count against the limit
//! of a role, and memory, since a text is parsed before it is refused.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use pgrx::pg_sys;
use pgrx::prelude::*;
use tpv_core::walsender::Stream;

use super::connections::pids_of_this_login;
use super::lives;
use crate::guc;
use crate::node::life;
use crate::postgres::Refusal;

type AuthenticationHook = Option<unsafe extern "C-unwind" fn(port: *mut pg_sys::Port, status: c_int)>;

// libpq/auth.h, which pgrx does not bind, and sys/resource.h of Linux.
unsafe extern "C" {
    static mut ClientAuthentication_hook: AuthenticationHook;
    fn setrlimit(resource: c_int, limit: *const [c_ulong; 2]) -> c_int;
}

/// Memory that a process has allocated. Not the shared one.
const RLIMIT_DATA: c_int = 2;

/// Far more than decoding takes, which writes to disk what is beyond `logical_decoding_work_mem`. A
/// list of ones takes 150 times its own size when it is parsed.
const MOST_MEMORY: c_ulong = 1024 * 1024 * 1024;

/// A server has one connection for its stream and one while it subscribes. The others are left over
/// from a line that was cut.
const MOST_CONNECTIONS: usize = 8;

static mut AUTHENTICATION_BEFORE: AuthenticationHook = None;
static mut LOG_BEFORE: pg_sys::emit_log_hook_type = None;
static mut ANALYZE_BEFORE: pg_sys::post_parse_analyze_hook_type = None;

/// Whether this process serves the login of a peer.
static IS_PEER: AtomicBool = AtomicBool::new(false);

/// Installs the hooks. Only while the postmaster loads its libraries.
pub fn register() {
    // SAFETY: the postmaster has one thread and no children yet; hooks that were installed before
    // are called.
    unsafe {
        AUTHENTICATION_BEFORE = ClientAuthentication_hook;
        ClientAuthentication_hook = Some(on_authentication);
        LOG_BEFORE = pg_sys::emit_log_hook;
        pg_sys::emit_log_hook = Some(on_log);
        ANALYZE_BEFORE = pg_sys::post_parse_analyze_hook;
        pg_sys::post_parse_analyze_hook = Some(on_statement);
    }
}

/// Makes a walsender that names a database log its replication commands, whatever the settings say.
#[pg_guard]
unsafe extern "C-unwind" fn on_authentication(port: *mut pg_sys::Port, status: c_int) {
    // SAFETY: called by PostgreSQL; settings may be changed here, as auth_delay and others do.
    unsafe {
        if let Some(before) = AUTHENTICATION_BEFORE {
            before(port, status);
        }
        if pg_sys::am_db_walsender {
            set(c"log_replication_commands", c"on");
            // A server that logs only what is fatal would not log them.
            set(c"log_min_messages", c"warning");
        }
    }
}

unsafe fn set(name: &CStr, value: &CStr) {
    // SAFETY: both are constants of this file.
    unsafe {
        let (context, source) = (pg_sys::GucContext::PGC_SUSET, pg_sys::GucSource::PGC_S_OVERRIDE);
        pg_sys::SetConfigOption(name.as_ptr(), value.as_ptr(), context, source);
    }
}

/// The check of `pg_tpv.peer_slot`. PostgreSQL reads the settings of a role when somebody has logged
/// in as it, within a transaction, before the first command.
#[pg_guard]
pub unsafe extern "C-unwind" fn on_peer_slot(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    let of_role = matches!(source, pg_sys::GucSource::PGC_S_USER | pg_sys::GucSource::PGC_S_DATABASE_USER);
    // SAFETY: called by PostgreSQL with the value that is about to be set, or none.
    if of_role && unsafe { !(*value).is_null() && **value != 0 } {
        IS_PEER.store(true, Ordering::Relaxed);
        // SAFETY: reads variables of this process, and a catalogue within the transaction.
        let is_stream = unsafe { pg_sys::am_db_walsender && is_in_our_database() };
        if !is_stream {
            refuse("this login may only stream what is published to it");
        }
        if pids_of_this_login().len() > MOST_CONNECTIONS {
            let code = PgSqlErrorCode::ERRCODE_TOO_MANY_CONNECTIONS;
            Refusal::new(code, "this login has too many connections").raise();
        }
        // SAFETY: the array is what Linux takes for a struct of two numbers, and is read at once. If
        // it fails nothing changes.
        unsafe { setrlimit(RLIMIT_DATA, &[MOST_MEMORY, MOST_MEMORY]) };
    }
    true
}

unsafe fn is_in_our_database() -> bool {
    // SAFETY: the name is allocated in the current memory context, and read at once.
    unsafe {
        let name = pg_sys::get_database_name(pg_sys::MyDatabaseId);
        !name.is_null() && CStr::from_ptr(name).to_bytes() == guc::database().as_bytes()
    }
}

/// Called for each statement of a text, before it is planned or carried out.
#[pg_guard]
unsafe extern "C-unwind" fn on_statement(
    state: *mut pg_sys::ParseState,
    query: *mut pg_sys::Query,
    jumble: *mut pg_sys::JumbleState,
) {
    // SAFETY: called by PostgreSQL with what it has just parsed.
    unsafe {
        if pg_sys::am_db_walsender && is_restricted() && !lives::is_deciding() {
            let text = (*state).p_sourcetext;
            // A subscription says nothing that is not UTF-8.
            let text = if text.is_null() { "" } else { CStr::from_ptr(text).to_str().unwrap_or_default() };
            if !with_stream(|stream| stream.needs_statement(text)) {
                refuse("this login may give no SQL statement");
            }
            lives::judge_connection(&guc::peer_stream().0);
        }
        if let Some(before) = ANALYZE_BEFORE {
            before(state, query, jumble);
        }
    }
}

/// The text before translation, with which `exec_replication_command` announces a command.
const ANNOUNCED: &CStr = c"received replication command: %s";

#[pg_guard]
unsafe extern "C-unwind" fn on_log(entry: *mut pg_sys::ErrorData) {
    // SAFETY: called by PostgreSQL with what it is about to log.
    unsafe {
        if pg_sys::am_db_walsender && is_announcement(entry) && is_restricted() {
            let command = pg_sys::debug_query_string;
            let command = if command.is_null() { "" } else { CStr::from_ptr(command).to_str().unwrap_or_default() };
            if !with_stream(|stream| stream.needs_command(command)) {
                refuse("this login may only stream its own slot");
            }
            if command.contains("START_REPLICATION") {
                lives::refuse_unless_let_in();
            }
        }
        life::heed(entry);
        if let Some(before) = LOG_BEFORE {
            before(entry);
        }
    }
}

unsafe fn is_announcement(entry: *mut pg_sys::ErrorData) -> bool {
    // SAFETY: the caller's entry; the text is a constant of PostgreSQL's.
    unsafe { !(*entry).message_id.is_null() && CStr::from_ptr((*entry).message_id) == ANNOUNCED }
}

/// Whoever names a database over a replication connection and is no superuser has no other use for
/// it than a peer, so that one whose settings are missing may do less and not more.
fn is_restricted() -> bool {
    IS_PEER.load(Ordering::Relaxed) || !is_superuser()
}

/// A superuser may make backups.
fn is_superuser() -> bool {
    // SAFETY: reads a setting that PostgreSQL itself keeps, as text that lives as long as it.
    unsafe {
        let value = pg_sys::GetConfigOption(c"is_superuser".as_ptr(), true, false);
        !value.is_null() && CStr::from_ptr(value) == c"on"
    }
}

fn with_stream(is_needed: impl FnOnce(Stream<'_>) -> bool) -> bool {
    let (slot, publication) = guc::peer_stream();
    is_needed(Stream { slot: &slot, publication: &publication })
}

fn refuse(message: &'static str) -> ! {
    Refusal::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
        .hint("A peer's login is made by sync.join_plan. People, backups and standbys have logins of their own.")
        .raise()
}
