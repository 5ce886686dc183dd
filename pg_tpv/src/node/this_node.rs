//! Which node this database is.

use std::cell::Cell;

use pgrx::{PgXactCallbackEvent, register_xact_callback};

use crate::postgres::sql;

thread_local! {
    /// Once it is said it never changes.
    static THIS_NODE: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Number of this node; none before a store is registered.
pub fn this_node() -> Option<i32> {
    THIS_NODE.get().or_else(|| {
        let node = sql::row("select node_id from sync.this_node", &[], |row| row.must(1));
        THIS_NODE.set(node);
        // It may be this very transaction that says it.
        register_xact_callback(PgXactCallbackEvent::Abort, || THIS_NODE.set(None));
        node
    })
}
