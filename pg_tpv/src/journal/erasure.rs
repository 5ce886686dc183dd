//! Erasure: the values of an entity are taken out of all that this node keeps of it.
//!
//! An operation is never changed, with this one exception. The trigger that refuses a change lets
//! an update of `wire.op` through while [`blank`] runs, and only one that leaves of an operation
//! what [`blank_texts`] leaves. No session can turn that on: the flag is in the memory of the
//! backend, and nothing but `blank` sets it.

use std::cell::Cell;

use pgrx::prelude::*;
use tpv_core::merge::{Draft, Entity, blank_texts};

use super::capture::append;
use super::tracked::Tracked;
use super::{row, serial, stored_heads};
use crate::node::this_node;
use crate::postgres::{Refusal, sql};

thread_local! {
    static BLANKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether an update of an operation, from one patch and base to others, is part of an erasure.
pub fn is_blanking(before: (&str, &str), after: (&str, &str)) -> bool {
    let blank = blank_texts(before.0, before.1);
    BLANKING.get() && (blank.0.as_str(), blank.1.as_str()) == after
}

const JOURNAL: &str = "select node_id, seq, patch, base from wire.op where table_name = $1 and key = $2";
/// With the rights of `tpv_owner`: nobody who merges may update `wire.op`.
const BLANK: &str = "select sync.blank_operation($1, $2, $3, $4)";
const BLANK_REST: &str = "select sync.blank_records($1, $2, $3)";

/// Takes the values of an erased entity out of the journal, the conflicts, the quarantine and what
/// people decided about it. What was blanked before stays as it is. `is_new`: this node has just
/// heard of it.
pub fn blank(table_name: &str, key: &str, is_new: bool) {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            BLANKING.set(false);
        }
    }
    let journal = sql::rows(JOURNAL, &[table_name.into(), key.into()], |row| {
        (row.must::<i32>(1), row.must::<i64>(2), row.must::<String>(3), row.must::<String>(4))
    });
    {
        let _reset = Reset;
        BLANKING.set(true);
        for (node_id, seq, patch, base) in journal {
            let blank = blank_texts(&patch, &base);
            if blank != (patch, base) {
                sql::execute(BLANK, &[node_id.into(), seq.into(), blank.0.into(), blank.1.into()]);
            }
        }
    }
    sql::execute(BLANK_REST, &[table_name.into(), key.into(), is_new.into()]);
}

/// Whether an entity was erased, as far as this node has heard.
pub fn is_erased(table_name: &str, key: &str) -> bool {
    stored_heads::find(table_name, key).is_some_and(|entity| entity.is_erased())
}

/// Whether an entity was erased. Called through `sync.is_erased`.
#[pg_extern(name = "is_erased", stable, parallel_unsafe)]
pub fn entity_is_erased(table_name: &str, key: &str) -> bool {
    is_erased(table_name, key)
}

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
comment on function is_erased(text, text) is
    'Whether a row was erased, as far as this node knows. Callers use sync.is_erased.';
comment on function empty_row(text, text) is
    'Takes the values out of a row that is going to be erased. Callers use sync.erase.';
comment on function erase(text, text) is
    'Writes the operation that erases a row, and takes its values out of all that is here. The trigger sync.capture_erasure calls it.';
"#,
    name = "erasure_comments",
    requires = [empty_row, entity_is_erased, erase]
);
