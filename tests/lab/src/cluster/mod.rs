//! PostgreSQL servers: a private tree of programs, a template, and copies of it that run.

mod from_template;
mod pgtree;
mod proxy;
mod server;
mod template;
mod watchdog;

pub use pgtree::{PgTree, packaged_files, released_sql, system_program};
pub use proxy::Proxy;
pub use server::Cluster;
pub use template::bootstrap;
pub use watchdog::Watched;
