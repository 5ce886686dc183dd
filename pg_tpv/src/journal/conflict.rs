//! What a person decides about a conflict.

use pgrx::prelude::*;
use tpv_core::json::Value;
use tpv_core::merge::{EXISTS, Entity, Patch, Version};

use super::capture::write;
use super::tracked::Tracked;
use super::without_capture::is_capturing;
use super::{row, serial, stored_heads};
use crate::node::this_node;
use crate::postgres::{DataFault, JsonbText, Refusal, attempt};
use crate::wire::quarantine_entity;

/// Gives a losing value its right: the row shows it, and the answer is the value, for an operation that [`decide`] writes at
/// the end of the transaction. Called through `sync.resolve_conflict`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn resolve_conflict(table_name: &str, key: &str, column_name: &str, node_id: i32, seq: i64) -> JsonbText {
    restore(table_name, key, column_name, Version { node_id, seq }).unwrap_or_else(|refusal| refusal.raise()).into()
}

fn restore(table_name: &str, key: &str, column_name: &str, loser: Version) -> Result<Value, Refusal> {
    serial::alone();
    this_node().ok_or_else(|| refused("this database is no node yet"))?;
    let tracked = Tracked::find(table_name).ok_or_else(|| refused("that table is not tracked"))?;
    let is_there = row::lock_row(&tracked, key);
    let heads = stored_heads::lock(table_name, key);
    let heads = if column_name == EXISTS { &[] } else { heads.heads(column_name) };
    let head = heads
        .iter()
        .find(|head| head.version == loser)
        .ok_or_else(|| refused("nobody's value any more: somebody has written that column knowing of it"))?;
    if heads.len() == 1 {
        return Err(refused("it is the only value: there is no conflict about that column any more"));
    }
    if is_there {
        row::show(&tracked, key, column_name, &head.value);
    }
    Ok(head.value.clone())
}

/// Writes an operation that has seen all values of a column, and chooses this one. Called at the end of the transaction, by
/// the trigger `sync.capture_resolution`: the counter of operations is locked as short as can be, and after all rows are.
#[pg_extern(volatile, parallel_unsafe)]
pub fn decide(table_name: &str, key: &str, column_name: &str, value: JsonbText) {
    let value = value.read_as("a value").unwrap_or_else(|refusal| refusal.raise());
    let (Some(this_node), Some(tracked)) = (this_node(), Tracked::find(table_name)) else { return };
    write(this_node, &tracked, key, Patch::from([(column_name.to_owned(), value)]));
}

/// Chooses anew for one column of a thing, by the rules of now. Called after a policy changed.
#[pg_extern(volatile, parallel_unsafe)]
pub fn choose_again(table_name: &str, key: &str, column_name: &str) {
    let Some(tracked) = Tracked::find(table_name) else { return };
    let work = || {
        let is_new = !row::lock_row(&tracked, key);
        let state = stored_heads::lock(table_name, key);
        row::write(&tracked, key, &state, [column_name.to_owned()].iter(), is_new)
    };
    // Who changes a policy here is told; where the change arrives, nothing may stop it.
    let settled = if is_capturing() { work() } else { attempt(work) };
    let fault = settled.map_or_else(Some, |settled| settled.fault(column_name));
    if let Some(fault) = fault {
        wait(&stored_heads::lock(table_name, key), table_name, key, column_name, &fault);
    }
}

/// The last operation of a column waits for what the new rule needs.
fn wait(state: &Entity, table_name: &str, key: &str, column_name: &str, fault: &DataFault) {
    let last = state.heads(column_name).iter().max_by_key(|head| (head.hlc, head.version));
    if let Some(head) = last {
        quarantine_entity(head.version, table_name, key, fault);
    }
}

fn refused(message: &str) -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

extension_sql!(
    r#"
comment on function resolve_conflict(text, text, text, integer, bigint) is
    'Gives a losing value its right: see sync.resolve_conflict.';
comment on function decide(text, text, text, jsonb) is
    'Writes an operation that has seen all values of a column and chooses this one. The trigger sync.capture_resolution calls it.';
comment on function choose_again(text, text, text) is 'Chooses among the heads of one column anew, by the policies of now.';
"#,
    name = "restore_comments",
    requires = [resolve_conflict, decide, choose_again]
);
