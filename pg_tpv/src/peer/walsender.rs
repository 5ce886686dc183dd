//! Keeps peers from copying the whole server.
//!
//! A subscription needs a login with REPLICATION, and PostgreSQL carries out any replication
//! command for such a login. `replication` in `pg_hba.conf` stops only connections that name no
//! database; over one that names a database, `BASE_BACKUP` works (tried on 15). There is no hook
//! for replication commands. But each command is logged before it is carried out, and there is a
//! hook for what is logged.

use std::ffi::{CStr, c_int};

use pgrx::pg_sys;
use pgrx::prelude::*;
use tpv_core::walsender::is_logical;

use crate::postgres::Refusal;

type AuthenticationHook = Option<unsafe extern "C-unwind" fn(port: *mut pg_sys::Port, status: c_int)>;

// libpq/auth.h, which pgrx does not bind.
unsafe extern "C" {
    static mut ClientAuthentication_hook: AuthenticationHook;
}

static mut AUTHENTICATION_BEFORE: AuthenticationHook = None;
static mut LOG_BEFORE: pg_sys::emit_log_hook_type = None;

/// Installs the hooks. Only while the postmaster loads its libraries.
pub fn register() {
    // SAFETY: the postmaster has one thread and no children yet; hooks that were installed before
    // are called.
    unsafe {
        AUTHENTICATION_BEFORE = ClientAuthentication_hook;
        ClientAuthentication_hook = Some(on_login);
        LOG_BEFORE = pg_sys::emit_log_hook;
        pg_sys::emit_log_hook = Some(on_log);
    }
}

/// Makes a walsender that names a database log its replication commands, whatever the settings say.
#[pg_guard]
unsafe extern "C-unwind" fn on_login(port: *mut pg_sys::Port, status: c_int) {
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

/// The text before translation, with which `exec_replication_command` announces a command.
const ANNOUNCED: &CStr = c"received replication command: %s";

#[pg_guard]
unsafe extern "C-unwind" fn on_log(entry: *mut pg_sys::ErrorData) {
    // SAFETY: called by PostgreSQL with what it is about to log.
    unsafe {
        if pg_sys::am_db_walsender && is_announcement(entry) && !is_superuser() {
            let command = pg_sys::debug_query_string;
            // A subscription gives no command that is not UTF-8.
            let command = if command.is_null() { "" } else { CStr::from_ptr(command).to_str().unwrap_or_default() };
            if !is_logical(command) {
                refuse();
            }
        }
        if let Some(before) = LOG_BEFORE {
            before(entry);
        }
    }
}

unsafe fn is_announcement(entry: *mut pg_sys::ErrorData) -> bool {
    // SAFETY: the caller's entry; the text is a constant of PostgreSQL's.
    unsafe { !(*entry).message_id.is_null() && CStr::from_ptr((*entry).message_id) == ANNOUNCED }
}

/// A superuser may make backups.
unsafe fn is_superuser() -> bool {
    // SAFETY: reads a setting that PostgreSQL itself keeps, as text that lives as long as it.
    unsafe {
        let value = pg_sys::GetConfigOption(c"is_superuser".as_ptr(), true, false);
        !value.is_null() && CStr::from_ptr(value) == c"on"
    }
}

fn refuse() -> ! {
    let code = PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
    Refusal::new(code, "this login may only use logical replication")
        .hint("Backups and standbys connect without a database, as another role.")
        .raise()
}
