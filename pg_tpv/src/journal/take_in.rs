//! An operation of another node.

use pgrx::pg_sys;
use tpv_core::json::Value;
use tpv_core::merge::{Operation, Version};

use super::entity::Tracked;
use super::{settle, state};
use crate::attempt::DataFault;
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
    pub entity: String,
    /// The key.
    pub key: String,
    /// What it writes.
    pub patch: String,
    /// What its writer saw.
    pub base: String,
}

const JOURNAL: &str = "select node_id, seq, hlc, entity, key, patch, base from wire.op where entity = $1 and key = $2";

const SAME: &str = "select (hlc, key, patch, base) = ($3, $4, $5, $6) from wire.op where node_id = $1 and seq = $2";
const IN_STATE: &str = "select exists (select from sync.horizon where node_id = $1 and seq >= $2)";

impl OpRow {
    /// Reads a row selected as node_id, seq, hlc, entity, key, patch, base.
    pub fn from_row(row: &Row<'_>) -> Self {
        Self {
            node_id: row.must(1),
            seq: row.must(2),
            hlc: row.must(3),
            entity: row.must(4),
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
                entity: columns.get(3),
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
        Refused { node_id: self.node_id, kind: self.entity.clone(), row: Value::Object(row) }
    }

    fn read(&self) -> Result<Operation, DataFault> {
        let version = Version { node_id: self.node_id, seq: self.seq };
        Operation::from_text(version, self.hlc, &self.patch, &self.base)
            .map_err(|fault| DataFault { code: fault.code().to_owned(), detail: fault.to_string() })
    }
}

/// The operations on a thing that are here as such, and can be read.
pub fn journal_of(entity: &str, key: &str) -> Vec<Operation> {
    let journal = sql::rows(JOURNAL, &[entity.into(), key.into()], OpRow::from_row);
    journal.iter().filter_map(|row| row.read().ok()).collect()
}

/// Merges an operation into the row it is about.
///
/// # Errors
/// What this node can not do (yet): the operation stays in the journal and waits in quarantine.
pub fn merge(row: &OpRow) -> Result<(), DataFault> {
    let operation = row.read()?;
    let Some(tracked) = Tracked::find(&row.entity) else {
        return Err(misfit("UNKNOWN_ENTITY", "this node does not share that table, or not yet"));
    };
    // Sessions lock the row first and its heads at their end; so does the merge.
    settle::lock_row(&tracked, &row.key);
    let mut entity = state::lock(&row.entity, &row.key);
    let unclear = entity.advance(&operation);
    if !unclear.is_empty() {
        let journal = sql::rows(JOURNAL, &[row.entity.as_str().into(), row.key.as_str().into()], OpRow::from_row);
        // The row itself is not in the table yet: its trigger runs before it.
        let mut operations: Vec<Operation> = journal.iter().filter_map(|row| row.read().ok()).collect();
        operations.push(operation.clone());
        entity.recompute(&unclear, &operations);
    }
    settle::settle(&tracked, &row.key, &entity, operation.patch.keys())?;
    state::store(&row.entity, &row.key, &entity);
    Ok(())
}

/// A fault of our own.
pub fn misfit(code: &str, detail: &str) -> DataFault {
    DataFault { code: code.to_owned(), detail: detail.to_owned() }
}
