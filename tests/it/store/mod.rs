//! One store: its server, its watcher, its disk, and terminals that drop files.
//!
//! Each test has a store of its own and counts at its end: one receipt and one `.dat` for each
//! valid file, each `.dat` as the database has it, each input in exactly one of in, archive and
//! quarantine.

mod analyst;
mod database;
mod disk;
mod fairness;
mod folders;
mod hostile;
mod kill;
mod operator;
mod races;
mod schema;
mod second_watcher;
mod sessions;
mod tls;
mod trace;
