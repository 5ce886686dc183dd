//! PostgreSQL servers: a private tree of programs, a template, and copies of it that run.

pub mod pgtree;
pub mod proxy;
mod server;
pub mod template;
pub mod watchdog;

pub(crate) use server::private_folder;
pub use server::{Cluster, SETTINGS, tail};
