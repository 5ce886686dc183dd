//! tpv inside PostgreSQL: SQL shells around what `tpv_core` decides.
//!
//! A shell takes SQL values, calls one function of the core, and gives SQL values or a [`refusal::Refusal`] back.

pub mod attempt;
pub mod barcode;
pub mod beat;
pub mod bulk;
pub mod chain;
pub mod clock;
pub mod dat;
pub mod dat_file;
pub mod desk;
pub mod guc;
pub mod identity;
pub mod ingest;
pub mod journal;
pub mod jsonb;
pub mod node;
pub mod operator;
pub mod peer;
pub mod projection;
pub mod receipt;
pub mod refusal;
pub mod registration;
pub mod replay;
pub mod resend;
pub mod sql;
pub mod store;
pub mod take_in;
pub mod verify;
pub mod walsender;
pub mod worker;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

/// Runs when PostgreSQL loads the library: once in the postmaster under `shared_preload_libraries`, else in the session
/// that first calls one of its functions.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::register();
    // SAFETY: reads a flag that the postmaster sets while it loads its libraries.
    if unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        clock::request_memory();
        worker::register();
        walsender::register();
    }
}
