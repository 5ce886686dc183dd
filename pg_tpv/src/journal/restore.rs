//! What a person decides about a conflict.

use pgrx::prelude::*;
use tpv_core::merge::{Draft, Version};

use super::capture::write;
use super::entity::Tracked;
use super::{settle, state};
use crate::node::this_node;
use crate::refusal::Refusal;

/// Gives a losing value its right: an operation that has seen all of them. Called through `sync.restore_loser`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn restore_loser(entity: &str, key: &str, column_name: &str, node_id: i32, seq: i64) {
    restore(entity, key, column_name, Version { node_id, seq }).unwrap_or_else(|refusal| refusal.raise());
}

/// Chooses anew for one thing, by the rules of now. Called after a policy changed.
#[pg_extern(volatile, parallel_unsafe)]
pub fn settle_again(entity: &str, key: &str) {
    let Some(tracked) = Tracked::find(entity) else { return };
    let is_new = !settle::lock_row(&tracked, key);
    let state = state::lock(entity, key);
    let registers: Vec<String> = state.0.keys().cloned().collect();
    if let Err(fault) = settle::settle(&tracked, key, &state, registers.iter(), is_new) {
        refused(&fault.detail).raise();
    }
}

fn restore(entity: &str, key: &str, column_name: &str, loser: Version) -> Result<(), Refusal> {
    let this_node = this_node().ok_or_else(|| refused("this database is no node yet"))?;
    let tracked = Tracked::find(entity).ok_or_else(|| refused("that table is not tracked"))?;
    let is_new = !settle::lock_row(&tracked, key);
    let heads = state::lock(entity, key);
    let draft = Draft::restore_loser(&heads, column_name, loser)
        .ok_or_else(|| refused("nobody's value any more: somebody has written that column knowing of it"))?;
    write(this_node, &tracked, key, draft.patch);
    let heads = state::lock(entity, key);
    let registers = [column_name.to_owned()];
    settle::settle(&tracked, key, &heads, registers.iter(), is_new).map_err(|fault| refused(&fault.detail))?;
    Ok(())
}

fn refused(message: &str) -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

extension_sql!(
    r#"
comment on function restore_loser(text, text, text, integer, bigint) is
    'Gives a losing value its right: see sync.restore_loser.';
comment on function settle_again(text, text) is 'Chooses among the heads of one thing anew, by the policies of now.';
"#,
    name = "restore_comments",
    requires = [restore_loser, settle_again]
);
