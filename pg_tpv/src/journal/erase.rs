//! Erasing at the node where somebody decides it: the row is emptied at once, and the operation that
//! says so follows at the end of the transaction.

use pgrx::prelude::*;
use tpv_core::merge::{Draft, Entity};

use super::capture::append;
use super::tracked::Tracked;
use super::{row, serial, stored_heads};
use crate::node::this_node;
use crate::postgres::Refusal;

/// Empties the row of an entity that is going to be erased. The operation that [`erase`] writes
/// follows at the end of the transaction. Called through `sync.erase`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn empty_row(table_name: &str, key: &str) {
    empty(table_name, key).unwrap_or_else(|refusal| refusal.raise());
}

fn empty(table_name: &str, key: &str) -> Result<(), Refusal> {
    let refused = |message: &str| Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message);
    serial::alone();
    this_node().ok_or_else(|| refused("this database is no node yet"))?;
    let tracked = Tracked::find(table_name).ok_or_else(|| refused("that table is not tracked"))?;
    if !row::lock_row(&tracked, key) {
        return Err(Refusal::new(PgSqlErrorCode::ERRCODE_NO_DATA_FOUND, "there is no row of that table with that key"));
    }
    let entity = stored_heads::lock(table_name, key);
    if entity.is_erased() {
        return Err(refused("that row was erased before"));
    }
    row::write_blank(&tracked, key, &entity, false);
    Ok(())
}

/// Writes the operation that erases an entity, and takes its values out of all that is here. The
/// trigger `sync.capture_erasure` calls it at the end of the transaction, after what was changed
/// before.
#[pg_extern(volatile, parallel_unsafe)]
pub fn erase(table_name: &str, key: &str) {
    let (Some(this_node), Some(tracked)) = (this_node(), Tracked::find(table_name)) else { return };
    append(this_node, &tracked, key, |entity: &Entity| Ok(Draft::erase(entity)))
        .unwrap_or_else(|refusal| refusal.raise());
}

extension_sql!(
    r#"
comment on function empty_row(text, text) is
    'Takes the values out of a row that is going to be erased. Callers use sync.erase.';
comment on function erase(text, text) is
    'Writes the operation that erases a row, and takes its values out of all that is here. The trigger sync.capture_erasure calls it.';
"#,
    name = "erase_comments",
    requires = [empty_row, erase]
);
