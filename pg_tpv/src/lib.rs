//! tpv inside PostgreSQL: SQL shells around what `tpv_core` decides.
//!
//! A shell takes SQL values, calls one function of the core, and gives SQL values or a [`refusal::Refusal`] back.

pub mod attempt;
pub mod barcode;
pub mod chain;
pub mod dat;
pub mod dat_file;
pub mod desk;
pub mod guc;
pub mod identity;
pub mod ingest;
pub mod jsonb;
pub mod node;
pub mod operator;
pub mod projection;
pub mod receipt;
pub mod refusal;
pub mod registration;
pub mod sql;
pub mod store;
pub mod take_in;
pub mod verify;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

/// Runs when PostgreSQL loads the library: once in the postmaster under `shared_preload_libraries`, else in the session
/// that first calls one of its functions.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::register();
}
