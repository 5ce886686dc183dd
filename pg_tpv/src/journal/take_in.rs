//! An operation of another node.

use std::cell::LazyCell;

use pgrx::pg_sys;
use tpv_core::json::Value;
use tpv_core::merge::{Entity, Operation, Version};

use super::entity::Tracked;
use super::known::Known;
use super::policy::POLICY;
use super::{serial, settle, state};
use crate::attempt::{DataFault, attempt};
use crate::sql::{self, Row};
use crate::take_in::{Refused, Tuple};

/// A row of `wire.op`.
#[derive(Clone, Debug)]
pub struct OpRow {
    /// The node that decided.
    pub node_id: i32,
    /// Its place among that node's operations.
    pub seq: i64,
    /// When.
    pub hlc: i64,
    /// The table.
    pub table_name: String,
    /// The key.
    pub key: String,
    /// What it writes.
    pub patch: String,
    /// What its writer saw.
    pub base: String,
}

const JOURNAL: &str =
    "select node_id, seq, hlc, table_name, key, patch, base from wire.op where table_name = $1 and key = $2";

const SAME: &str = "select (hlc, key, patch, base) = ($3, $4, $5, $6) from wire.op where node_id = $1 and seq = $2";
const IN_STATE: &str = "select exists (select from sync.horizon where node_id = $1 and seq >= $2)";

impl OpRow {
    /// Reads a row selected as node_id, seq, hlc, table_name, key, patch, base.
    pub fn from_row(row: &Row<'_>) -> Self {
        Self {
            node_id: row.must(1),
            seq: row.must(2),
            hlc: row.must(3),
            table_name: row.must(4),
            key: row.must(5),
            patch: row.must(6),
            base: row.must(7),
        }
    }

    /// Reads the row that a trigger is called for.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<7>::of(tuple, relation, "wire.op");
            Self {
                node_id: columns.get(0),
                seq: columns.get(1),
                hlc: columns.get(2),
                table_name: columns.get(3),
                key: columns.get(4),
                patch: columns.get(5),
                base: columns.get(6),
            }
        }
    }

    /// Whether the operation of that number that is here says the same.
    pub fn is_the_one_here(&self) -> bool {
        let args = [
            self.node_id.into(),
            self.seq.into(),
            self.hlc.into(),
            self.key.as_str().into(),
            self.patch.as_str().into(),
            self.base.as_str().into(),
        ];
        sql::row(SAME, &args, |row| row.must(1)).unwrap_or(true)
    }

    /// Whether it was part of the state that this node got when it joined.
    pub fn came_as_state(&self) -> bool {
        sql::row(IN_STATE, &[self.node_id.into(), self.seq.into()], |row| row.must(1)).unwrap_or(false)
    }

    /// What is kept of it when its sender was not entitled to it.
    pub fn as_refused(&self) -> Refused {
        let text = |key: &str, text: &str| (key.to_owned(), Value::String(text.to_owned()));
        let seq = ("seq".to_owned(), Value::Number(self.seq.to_string()));
        let row = vec![seq, text("key", &self.key), text("patch", &self.patch), text("base", &self.base)];
        Refused { node_id: self.node_id, kind: self.table_name.clone(), row: Value::Object(row) }
    }

    /// As far as its node may decide: what does not count is as if it had not been said.
    fn read(&self) -> Result<Operation, DataFault> {
        let version = Version { node_id: self.node_id, seq: self.seq };
        let operation = Operation::from_text(version, self.hlc, &self.patch, &self.base)
            .map_err(|fault| DataFault { code: fault.code().to_owned(), detail: fault.to_string() })?;
        Ok(match Tracked::find(&self.table_name) {
            Some(tracked) => tracked.entitled(operation),
            None => operation,
        })
    }
}

/// The operations on a thing that are here as such, and can be read.
pub fn journal_of(table_name: &str, key: &str) -> Vec<Operation> {
    let journal = sql::rows(JOURNAL, &[table_name.into(), key.into()], OpRow::from_row);
    journal.iter().filter_map(|row| row.read().ok()).collect()
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
    let operation = row.read()?;
    serialise(row);
    let settled = attempt(|| {
        let tracked = Tracked::find(&row.table_name).ok_or_else(unknown_entity)?;
        // Sessions lock the row first and its heads at their end; so does the merge.
        let is_new = !settle::lock_row(&tracked, &row.key);
        let entity = take(row, &operation, waited);
        settle::settle(&tracked, &row.key, &entity, operation.patch.keys(), is_new)
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
    let operation = row.read()?;
    serialise(row);
    let tracked = Tracked::find(&row.table_name).ok_or_else(unknown_entity)?;
    let settle = |entire: bool| {
        attempt(|| {
            let is_new = !settle::lock_row(&tracked, &row.key);
            let entity = state::lock(&row.table_name, &row.key);
            let registers = entity.0.keys().filter(|register| entire || operation.patch.contains_key(*register));
            settle::settle(&tracked, &row.key, &entity, registers, is_new)
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
    let mut entity = state::lock(&row.table_name, &row.key);
    await_missing(operation, &entity);
    let is_in_state = LazyCell::new(|| !waited && Known::of(&row.table_name, &row.key).covers(operation.version));
    let naming = LazyCell::new(|| if waited || was_awaited(row) { named_by(row) } else { Vec::new() });
    entity.advance(operation, |register| {
        *is_in_state || naming.iter().any(|other| other.seen(register).contains(&operation.version))
    });
    state::store(&row.table_name, &row.key, &entity);
    entity
}

const AWAIT: &str = "insert into sync.awaited (node_id, seq) \
    select v.node_id, v.seq from unnest($1::integer[], $2::bigint[]) as v (node_id, seq) \
     where not exists (select from wire.op o where o.node_id = v.node_id and o.seq = v.seq) \
       and not exists (select from sync.horizon h where h.node_id = v.node_id and h.seq >= v.seq) \
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
const NAMING: &str = "select node_id, seq, hlc, table_name, key, patch, base from wire.op \
    where table_name = $1 and key = $2 \
      and strpos(translate(base, e' \\t\\n\\r', ''), '[' || $3::integer || ',' || $4::bigint || ']') > 0";

/// The operations here whose base may name this one. One that can not be read has no say in the heads.
fn named_by(row: &OpRow) -> Vec<Operation> {
    let args = [row.table_name.as_str().into(), row.key.as_str().into(), row.node_id.into(), row.seq.into()];
    sql::rows(NAMING, &args, OpRow::from_row).iter().filter_map(|row| row.read().ok()).collect()
}

/// A table that is not tracked here.
pub fn unknown_entity() -> DataFault {
    misfit("UNKNOWN_TABLE", "this node does not share that table, or not yet")
}

/// A fault of our own.
pub fn misfit(code: &str, detail: &str) -> DataFault {
    DataFault { code: code.to_owned(), detail: detail.to_owned() }
}
