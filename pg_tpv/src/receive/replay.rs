//! Tries again what waits in quarantine: after an upgrade, or when what was missing has arrived.

use pgrx::prelude::*;

use crate::journal;
use crate::postgres::{Refusal, attempt, sql};
use crate::projection::project_again;
use crate::wire::{Document, OpRow, quarantine, quarantine_entity, quarantine_op};
use tpv_core::merge::Version;

const ITEM: &str = r"
    select q.seq, q.code, q.entire from sync.quarantine q
    where q.quarantine_id = $1 and q.resolved_at is null and q.refused is null for update";

const DOCUMENT: &str = r"
    select d.node_id, d.doc_id, d.business_date, d.kind, d.hlc, d.schema_version, d.chain, d.chain_seq, d.body, d.content_hash
    from sync.quarantine q
    join wire.doc d on d.node_id = q.node_id and d.doc_id = q.doc_id and d.business_date = q.business_date
    where q.quarantine_id = $1";

const OPERATION: &str = r"
    select o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base
    from sync.quarantine q join wire.op o on o.node_id = q.node_id and o.seq = q.seq
    where q.quarantine_id = $1";

const RESOLVE: &str = "update sync.quarantine set resolved_at = clock_timestamp() where quarantine_id = $1";

/// Tries one item again. True when it is done; false when it still waits, perhaps for another
/// reason. Called through `sync.replay`.
#[pg_extern(volatile, strict, parallel_unsafe)]
pub fn replay(quarantine_id: i64) -> bool {
    let item = |row: &sql::Row<'_>| (row.get::<i64>(1).is_some(), row.must::<String>(2), row.must::<bool>(3));
    let Some((is_operation, code, is_entity)) = sql::row(ITEM, &[quarantine_id.into()], item) else {
        let code = PgSqlErrorCode::ERRCODE_NO_DATA_FOUND;
        Refusal::new(code, "no item of that number waits in quarantine").raise();
    };
    let done = match is_operation {
        true if is_entity => replay_entity(quarantine_id),
        // An operation that could not be read is not among the heads yet; any other is.
        true => replay_operation(quarantine_id, !code.starts_with("OPERATION_")),
        false => replay_document(quarantine_id),
    };
    if done {
        sql::execute(RESOLVE, &[quarantine_id.into()]);
    }
    done
}

fn replay_document(quarantine_id: i64) -> bool {
    let Some(document) = sql::row(DOCUMENT, &[quarantine_id.into()], Document::from_row) else { return false };
    match attempt(|| project_again(&document)) {
        Ok(()) => true,
        Err(fault) => {
            quarantine(&document, &fault);
            false
        }
    }
}

fn replay_operation(quarantine_id: i64, was_read: bool) -> bool {
    let Some(row) = sql::row(OPERATION, &[quarantine_id.into()], OpRow::from_row) else {
        return replay_entity(quarantine_id);
    };
    match journal::merge_again(&row, was_read) {
        Ok(()) => true,
        Err(fault) => {
            quarantine_op(&row, &fault);
            false
        }
    }
}

const ENTITY: &str = "select node_id, seq, kind, key from sync.quarantine where quarantine_id = $1 and key is not null";

/// There is no operation to merge, only a row to write: the entity came in a snapshot, or more of
/// it waits than the operation wrote.
fn replay_entity(quarantine_id: i64) -> bool {
    let read = |row: &sql::Row<'_>| {
        (Version { node_id: row.must(1), seq: row.must(2) }, row.must::<String>(3), row.must::<String>(4))
    };
    let Some((version, table_name, key)) = sql::row(ENTITY, &[quarantine_id.into()], read) else { return false };
    match journal::write_entity(&table_name, &key) {
        Ok(()) => true,
        Err(fault) => {
            quarantine_entity(version, &table_name, &key, &fault);
            false
        }
    }
}

extension_sql!(
    r#"
comment on function replay(bigint) is
    'Tries an item of sync.quarantine again. True when it is done. Callers use sync.replay.';
"#,
    name = "replay_comments",
    requires = [replay]
);
