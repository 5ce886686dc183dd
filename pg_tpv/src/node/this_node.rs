//! Which node this database is.

use std::cell::Cell;

use pgrx::{PgXactCallbackEvent, register_xact_callback};

use crate::postgres::sql;

thread_local! {
    /// Once it is known it never changes.
    static THIS_NODE: Cell<Option<i32>> = const { Cell::new(None) };
}

/// The number of this node; none while this database is not registered as one.
pub fn this_node() -> Option<i32> {
    THIS_NODE.get().or_else(|| {
        let node = sql::row("select node_id from sync.this_node", &[], |row| row.must(1));
        THIS_NODE.set(node);
        // Perhaps this very transaction registers it, and is rolled back.
        register_xact_callback(PgXactCallbackEvent::Abort, || THIS_NODE.set(None));
        node
    })
}
