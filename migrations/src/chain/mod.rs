//! A chain from outside: a store joins, joins again, or leaves by one command, and one command shows how
//! all of them are.
//!
//! What is run is what `sync.join_plan` and its siblings write; psql runs the same.

mod deed;
mod node;
mod pair;
mod plan;
mod secret;
mod state;
mod watch;

pub use deed::run;
pub use plan::Deed;
pub use state::show;

use std::time::Duration;

use crate::connection::Connection;

/// Ends with everything done and the line at work, or not there yet.
pub const NOT_YET: u8 = 3;

/// What was asked for.
#[derive(Debug)]
pub struct Order {
    pub deed: Deed,
    pub central: Connection,
    /// None where the store's server is gone for good.
    pub store: Option<Connection>,
    /// The code of a store that is gone.
    pub gone: Option<String>,
    /// How central reaches the store, without a user.
    pub store_conninfo: Option<String>,
    /// How the store reaches central.
    pub central_conninfo: Option<String>,
    pub draw_passwords: bool,
    pub dry_run: bool,
    pub json: bool,
    pub patience: Duration,
}
