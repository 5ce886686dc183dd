//! A store: its server registered, its spool, its terminals and its watcher, and what became of every file.

pub mod audit;
pub mod http;
pub mod observer;
pub mod receipts;
mod registration;
pub mod rig;
pub mod samples;
pub mod spool;
pub mod terminals;
pub mod watcher;

pub use registration::{DEPARTMENTS, TERMINALS, department_of, register, terminal};
