//! Whether a node may decide what an operation says: asked where an operation arrives, where a
//! session writes a row (`sync.guard`), and for every tracked table by a test.

use pgrx::prelude::*;
use tpv_core::merge::{Claim, Decider, Joined, Operation, Patch, Verdict, Version, is_own_row};

use super::stored_heads;
use super::tracked::Tracked;
use crate::postgres::sql;
use crate::wire::OpRow;

/// Whether an operation of another node is believed here. Of a table that is not tracked here nobody
/// knows yet who decides it: it waits.
pub fn verdict(row: &OpRow) -> Verdict {
    let Some(tracked) = Tracked::find(&row.table_name) else { return Verdict::Believed };
    // Nearly all are of a table that every node may write, or central's.
    if tracked.decider == Decider::Anybody || row.node_id == tracked.central {
        return Verdict::Believed;
    }
    let claim = Claim {
        is_centrals: false,
        is_own_row: tracked.own_column.as_deref().is_some_and(|column| is_of_own_row(row, column)),
        seq: row.seq,
        joined: joined(row.node_id),
    };
    tracked.decider.believes(claim)
}

fn is_of_own_row(row: &OpRow, column: &str) -> bool {
    let here = stored_heads::find(&row.table_name, &row.key).unwrap_or_default();
    let version = Version { node_id: row.node_id, seq: row.seq };
    // What cannot be read does not say whose row it is about.
    let patch = Operation::from_text(version, row.hlc, &row.patch, &row.base).map(|it| it.patch);
    patch.is_ok_and(|patch: Patch| is_own_row(column, row.node_id, &patch, &here))
}

const JOINED: &str = "select joined_seq from sync.peer where node_id = $1";

/// When a node joined, as far as this one knows.
pub(super) fn joined(node_id: i32) -> Joined {
    match sql::row(JOINED, &[node_id.into()], |row| row.get::<i64>(1)) {
        Some(Some(last)) => Joined::At(last),
        Some(None) => Joined::NotYet,
        None => Joined::Elsewhere,
    }
}

/// Who decides about the rows of a tracked table, in words; null when it is not tracked.
#[pg_extern(stable, strict, parallel_unsafe, name = "who_decides")]
pub fn who_decides_table(table_name: &str) -> Option<String> {
    Tracked::find(table_name).map(|tracked| tracked.decider.word().to_owned())
}

/// Whether a session of this node may write rows of a tracked table. Called by `sync.guard`.
#[pg_extern(stable, strict, parallel_unsafe)]
pub fn may_write(table_name: &str, is_joined_store: bool) -> bool {
    Tracked::find(table_name).is_none_or(|tracked| tracked.decider.lets_write(is_joined_store))
}

extension_sql!(
    r#"
comment on function who_decides(text) is
    'Who decides about the rows of a tracked table, in words; null when the table is not tracked.';
comment on function may_write(text, boolean) is
    'Whether a session of this node may write rows of a tracked table, given whether it is a store that has joined. The trigger function sync.guard calls it.';
"#,
    name = "entitlement_comments",
    requires = [who_decides_table, may_write]
);
