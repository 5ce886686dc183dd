//! An operation of another node.

use std::cell::LazyCell;

use tpv_core::merge::{Entity, Operation, Version};

use super::coverage::Coverage;
use super::tracked::{POLICY, Tracked};
use super::{row, serial, stored_heads};
use crate::postgres::{DataFault, attempt, sql};
use crate::wire::OpRow;

/// As far as its node may decide: what does not count is as if it had not been said.
fn read(row: &OpRow) -> Result<Operation, DataFault> {
    let version = Version { node_id: row.node_id, seq: row.seq };
    let operation = Operation::from_text(version, row.hlc, &row.patch, &row.base).map_err(DataFault::from)?;
    Ok(match Tracked::find(&row.table_name) {
        Some(tracked) => tracked.entitled(operation),
        None => operation,
    })
}

const JOURNAL: &str =
    "select node_id, seq, hlc, table_name, key, patch, base from wire.op where table_name = $1 and key = $2";

/// The operations on a thing that are here as such, and can be read.
pub fn journal_of(table_name: &str, key: &str) -> Vec<Operation> {
    let journal = sql::rows(JOURNAL, &[table_name.into(), key.into()], OpRow::from_row);
    journal.iter().filter_map(|row| read(row).ok()).collect()
}

/// Merges an operation into the heads of the thing that it is about, and settles its row.
///
/// # Errors
/// What this node can not do (yet). The operation stays in the journal and waits in quarantine; the heads are right all the
/// same, unless it can not be read, and the row is what follows from them as far as this node can write it.
pub fn merge(row: &OpRow) -> Result<(), DataFault> {
    merge_one(row, false)
}

/// One that could not be read when it arrived is in the journal already. What names it may have come since, and nobody noted
/// it; what came as state since and stands for it took it off the list.
fn merge_one(row: &OpRow, waited: bool) -> Result<(), DataFault> {
    let operation = read(row)?;
    serialise(row);
    let settled = attempt(|| {
        let tracked = Tracked::find(&row.table_name).ok_or_else(unknown_table)?;
        // Sessions lock the row first and its heads at their end; so does the merge.
        let is_new = !row::lock_row(&tracked, &row.key);
        let entity = take(row, &operation, waited);
        row::write(&tracked, &row.key, &entity, operation.patch.keys(), is_new)
    });
    match settled {
        Ok(settled) => settled.complete_for(&operation),
        Err(fault) => {
            take(row, &operation, waited);
            Err(fault)
        }
    }
}

/// Tries an operation again that waits in quarantine: settles all of its thing.
///
/// # Errors
/// As for [`merge`].
pub fn merge_again(row: &OpRow, was_read: bool) -> Result<(), DataFault> {
    if !was_read {
        merge_one(row, true)?;
    }
    let operation = read(row)?;
    serialise(row);
    let tracked = Tracked::find(&row.table_name).ok_or_else(unknown_table)?;
    let settle = |entire: bool| {
        attempt(|| {
            let is_new = !row::lock_row(&tracked, &row.key);
            let entity = stored_heads::lock(&row.table_name, &row.key);
            let registers = entity.0.keys().filter(|register| entire || operation.patch.contains_key(*register));
            row::write(&tracked, &row.key, &entity, registers, is_new)
        })
    };
    // Where another operation's column fails, this one's may be written.
    let settled = settle(true).or_else(|_| settle(false))?;
    settled.complete_for(&operation)
}

/// Before any rule is read and any row is locked. What an operation on a policy brings about is no merge beside others.
fn serialise(row: &OpRow) {
    if row.table_name == POLICY { serial::alone() } else { serial::share() }
}

/// The heads of the thing, with the operation among them or replaced.
fn take(row: &OpRow, operation: &Operation, waited: bool) -> Entity {
    let mut entity = stored_heads::lock(&row.table_name, &row.key);
    await_missing(operation, &entity);
    let is_in_state = LazyCell::new(|| !waited && Coverage::of(&row.table_name, &row.key).covers(operation.version));
    let naming = LazyCell::new(|| if waited || was_awaited(row) { named_by(row) } else { Vec::new() });
    entity.advance(operation, |register| {
        *is_in_state || naming.iter().any(|other| other.seen(register).contains(&operation.version))
    });
    stored_heads::store(&row.table_name, &row.key, &entity);
    entity
}

const AWAIT: &str = r"
    insert into sync.awaited (node_id, seq)
    select v.node_id, v.seq from unnest($1::integer[], $2::bigint[]) as v (node_id, seq)
     where not exists (select from wire.op o where o.node_id = v.node_id and o.seq = v.seq)
       and not exists (select from sync.horizon h where h.node_id = v.node_id and h.seq >= v.seq)
    on conflict do nothing";

/// Takes note of what it names and what is not here. Heads are, as operations or as state.
fn await_missing(operation: &Operation, entity: &Entity) {
    let is_head = |version: &Version| entity.0.values().flatten().any(|head| head.version == *version);
    let (nodes, seqs): (Vec<i32>, Vec<i64>) =
        operation.names().filter(|version| !is_head(version)).map(|Version { node_id, seq }| (node_id, seq)).unzip();
    if !nodes.is_empty() {
        sql::execute(AWAIT, &[nodes.into(), seqs.into()]);
    }
}

const ARRIVED: &str = "delete from sync.awaited where node_id = $1 and seq = $2";

/// Whether an operation here may name it.
fn was_awaited(row: &OpRow) -> bool {
    sql::execute(ARRIVED, &[row.node_id.into(), row.seq.into()]) > 0
}

/// Only what may name it is read: a base is JSON, so that a version in it is two numbers with a comma between, and white
/// space at most.
const NAMING: &str = r"
    select node_id, seq, hlc, table_name, key, patch, base from wire.op
    where table_name = $1 and key = $2
      and strpos(translate(base, e' \t\n\r', ''), '[' || $3::integer || ',' || $4::bigint || ']') > 0";

/// The operations here whose base may name this one. One that can not be read has no say in the heads.
fn named_by(row: &OpRow) -> Vec<Operation> {
    let args = [row.table_name.as_str().into(), row.key.as_str().into(), row.node_id.into(), row.seq.into()];
    sql::rows(NAMING, &args, OpRow::from_row).iter().filter_map(|row| read(row).ok()).collect()
}

/// A table that is not tracked here.
pub fn unknown_table() -> DataFault {
    DataFault::new("UNKNOWN_TABLE", "this node does not share that table, or not yet")
}
