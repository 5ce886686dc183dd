//! A row of `wire.op`.

use pgrx::pg_sys;
use tpv_core::json::Value;

use super::refused::Refused;
use super::tuple::Tuple;
use crate::postgres::sql::{self, Row};

#[derive(Clone, Debug)]
pub struct OpRow {
    /// The node that wrote it.
    pub node_id: i32,
    /// Its place among that node's operations.
    pub seq: i64,
    pub hlc: i64,
    pub table_name: String,
    pub key: String,
    /// JSON: the values that it writes.
    pub patch: String,
    /// JSON: the versions that its writer saw.
    pub base: String,
}

const SAME: &str = "select (hlc, key, patch, base) = ($3, $4, $5, $6) from wire.op where node_id = $1 and seq = $2";
const IN_SNAPSHOT: &str = "select exists (select from sync.horizon where node_id = $1 and seq >= $2)";

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

    /// Whether the operation here that has its number is the same.
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

    /// Whether this node received it inside a snapshot that is complete.
    pub fn came_in_snapshot(&self) -> bool {
        sql::row(IN_SNAPSHOT, &[self.node_id.into(), self.seq.into()], |row| row.must(1)).unwrap_or(false)
    }

    /// What is kept of it when its sender may not send it.
    pub fn as_refused(&self) -> Refused {
        let text = |key: &str, text: &str| (key.to_owned(), Value::String(text.to_owned()));
        let seq = ("seq".to_owned(), Value::Number(self.seq.to_string()));
        let row = vec![seq, text("key", &self.key), text("patch", &self.patch), text("base", &self.base)];
        Refused { node_id: self.node_id, kind: self.table_name.clone(), row: Value::Object(row) }
    }
}
