//! A store: its server registered, its spool, its terminals and its watcher, and what became of
//! every file.

pub(crate) mod audit;
pub mod http;
mod observer;
mod receipts;
mod registration;
mod rig;
mod samples;
mod spool;
pub mod terminals;
mod watcher;

pub use audit::Audit;
pub use observer::Observer;
pub use receipts::{Expect, Input, ODDITIES, Oddity, Receipts};
pub use registration::{TERMINALS, register, terminal};
pub use rig::{PATIENCE, Rig};
pub(crate) use samples::BASKETS;
pub use spool::{Place, Spool};
pub use watcher::{Watcher, WatcherOptions};
