//! The watcher: a terminal's file → PostgreSQL → a .dat on disk.
//!
//! It knows files; the database knows receipts. A file goes through the modules in the order in
//! which they stand here. Start reading at `work/batch.rs`: it does each step in such an order that
//! a crash neither loses nor repeats anything.

// The start and the end.
mod config;
mod run;
mod service;
mod status;
// A terminal's file is found, and judged complete.
mod inbox;
mod terminals;
// It goes to the database in a batch with other files of its terminal.
mod work;
// The database decides about it.
mod database;
// Its .dat becomes visible in out/, and the file leaves the inbox.
mod spool;
// What an earlier run left undone.
mod recovery;
// What all of them use, and what to do when something fails.
mod blocking;
mod failure;
mod metrics;
mod shared;

pub use run::main;
