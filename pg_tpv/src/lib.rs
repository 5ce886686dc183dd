//! tpv inside PostgreSQL: SQL shells around what `tpv_core` decides.
//!
//! A shell takes SQL values, calls one function of the core, and gives SQL values or a
//! `postgres::Refusal` back.

// Files of terminals become documents, and operators decide about receipts.
mod ingest;

// The rows that cross from node to node: documents, operations, heartbeats, what is sent again.
mod wire;

// The triggers through which every such row comes in, and the retry of what waits in quarantine.
mod receive;

// Documents become the tables that people read.
mod projection;

// Changes of tracked rows become operations, and operations of other nodes are merged into rows.
mod journal;

// What nodes tell each other: heartbeats, snapshots, requests, comparisons of hash chains.
mod peer;

// The change log, and sums by business day that follow it.
mod rollup;

// SQL functions that need no table: barcodes, receipts, `.dat`, identity.
mod functions;

// Which node this database is, its clock, the life of its server, its stores.
mod node;

// PostgreSQL as all of these use it: statements, subtransactions, errors.
mod postgres;

// Every setting.
mod guc;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

/// Runs when PostgreSQL loads the library: once in the postmaster under `shared_preload_libraries`,
/// else in the session that first calls one of its functions.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::register(Some(peer::walsender::on_peer_slot), Some(node::life::on_names_life));
    // SAFETY: reads a flag that the postmaster sets while it loads its libraries.
    if unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        node::clock::request_memory();
        node::life::begin();
        peer::worker::register();
        rollup::worker::register();
        peer::walsender::register();
    }
}
