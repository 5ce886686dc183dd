//! A person resolves a conflict: a losing value wins.

use pgrx::prelude::*;
use tpv_core::json::Value;
use tpv_core::merge::{EXISTS, Patch, Version};

use super::capture::{write, write_all};
use super::tracked::Tracked;
use super::{row, serial, stored_heads};
use crate::node::this_node;
use crate::postgres::{JsonbText, Refusal};

/// Makes a losing value win: writes it into the row, and returns it for the operation that
/// [`decide`] writes at the end of the transaction. Called through `sync.resolve_conflict`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn resolve_conflict(table_name: &str, key: &str, column_name: &str, node_id: i32, seq: i64) -> JsonbText {
    resolve(table_name, key, column_name, Version { node_id, seq }).unwrap_or_else(|refusal| refusal.raise()).into()
}

fn resolve(table_name: &str, key: &str, column_name: &str, loser: Version) -> Result<Value, Refusal> {
    serial::alone();
    this_node().ok_or_else(|| refused("this database is no node yet"))?;
    let tracked = Tracked::find(table_name).ok_or_else(|| refused("that table is not tracked"))?;
    let is_there = row::lock_row(&tracked, key);
    let entity = stored_heads::lock(table_name, key);
    let heads = if column_name == EXISTS { &[] } else { entity.heads(column_name) };
    let head = heads
        .iter()
        .find(|head| head.version == loser)
        .ok_or_else(|| refused("that value has been replaced by a later write"))?;
    if heads.len() == 1 {
        return Err(refused("it is the only value: there is no conflict about that column any more"));
    }
    if is_there {
        row::show_chosen(&tracked, key, column_name, &head.value);
    }
    Ok(head.value.clone())
}

/// Writes an operation that has seen all values of a column, and chooses this one. The trigger
/// `sync.capture_resolution` calls it at the end of the transaction, so that the counter of
/// operations is locked after all rows, and only until the commit.
#[pg_extern(volatile, parallel_unsafe)]
pub fn decide(table_name: &str, key: &str, column_name: &str, value: JsonbText) {
    let value = value.read_as("a value").unwrap_or_else(|refusal| refusal.raise());
    let (Some(this_node), Some(tracked)) = (this_node(), Tracked::find(table_name)) else { return };
    let written = write(this_node, &tracked, key, Patch::from([(column_name.to_owned(), value)]));
    written.unwrap_or_else(|refusal| refusal.raise());
}

/// Writes values, by column, over all that are there: what a node wrote is taken back. The trigger
/// `sync.capture_undone` calls it at the end of the transaction, once for each row.
#[pg_extern(volatile, parallel_unsafe)]
pub fn decide_undone(table_name: &str, key: &str, values: JsonbText) {
    let values = values.read_as("values").unwrap_or_else(|refusal| refusal.raise());
    let (Some(this_node), Some(tracked), Value::Object(members)) = (this_node(), Tracked::find(table_name), values)
    else {
        return;
    };
    let written = write_all(this_node, &tracked, key, members.into_iter().collect());
    written.unwrap_or_else(|refusal| refusal.raise());
}

fn refused(message: &str) -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

extension_sql!(
    r#"
comment on function resolve_conflict(text, text, text, integer, bigint) is
    'Makes a losing value win. Callers use sync.resolve_conflict.';
comment on function decide(text, text, text, jsonb) is
    'Writes an operation that has seen all values of a column and chooses this one. The trigger sync.capture_resolution calls it.';
comment on function decide_undone(text, text, jsonb) is
    'Writes values, by column, over all that are there. The trigger sync.capture_undone calls it.';
"#,
    name = "conflict_comments",
    requires = [resolve_conflict, decide, decide_undone]
);
