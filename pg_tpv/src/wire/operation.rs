//! A row of `wire.op`.

use pgrx::{IntoDatum, pg_sys};
use tpv_core::hash_chain::sha256;
use tpv_core::json::Value;
use tpv_core::merge::{blank_texts, is_same_operation, void_texts};
use tpv_core::row_limits::{OF_OPERATION, TooLarge, check_base};

use super::arrival::Arrives;
use super::refused::{Refused, number, text};
use super::tuple::{Tuple, Unfit, hex};
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

const HERE: &str =
    "select (hlc, table_name, key) = ($3, $4, $5), patch, base from wire.op where node_id = $1 and seq = $2";
/// Their places, counted from 1.
const PATCH_AND_BASE: [i32; 2] = [6, 7];

/// The patch of an operation whose values were taken out.
const NOTHING: &str = r#"{"@blank":true}"#;

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

    /// Whether the operation here that has its number is the same. Either may have lost its values,
    /// if its entity was erased.
    pub fn is_the_one_here(&self) -> bool {
        let args = [
            self.node_id.into(),
            self.seq.into(),
            self.hlc.into(),
            self.table_name.as_str().into(),
            self.key.as_str().into(),
        ];
        let here = sql::row(HERE, &args, |row| (row.must::<bool>(1), row.must::<String>(2), row.must::<String>(3)));
        here.is_none_or(|(same, patch, base)| {
            // Of one that was refused nothing is here but its place.
            let was_refused = is_nothing(&patch, &base);
            same && (was_refused || is_same_operation((&self.patch, &self.base), (patch.as_str(), base.as_str())))
        })
    }

    /// Whether two rows differ in patch and base at most.
    pub fn is_at_the_place_of(&self, other: &Self) -> bool {
        (self.node_id, self.seq, self.hlc, &self.table_name, &self.key)
            == (other.node_id, other.seq, other.hlc, &other.table_name, &other.key)
    }

    /// Whether this node received it inside a snapshot that is complete.
    pub fn came_in_snapshot(&self) -> bool {
        Self::is_in_snapshot(self.node_id, self.seq)
    }

    /// The same of an operation that is not read.
    pub fn is_in_snapshot(node_id: i32, seq: i64) -> bool {
        sql::row(IN_SNAPSHOT, &[node_id.into(), seq.into()], |row| row.must(1)).unwrap_or(false)
    }

    /// The row without the values, if it has any.
    pub fn blanked(&self) -> Self {
        let (patch, base) = blank_texts(&self.patch, &self.base);
        Self { patch, base, ..self.clone() }
    }

    /// The row as it is stored when nothing of it is believed.
    pub fn voided(&self) -> Self {
        let (patch, base) = void_texts(&self.patch, &self.base);
        Self { patch, base, ..self.clone() }
    }

    /// The row as it is stored when it is refused at the node that decides: it writes nothing, so
    /// that whoever gets it from here need not decide again.
    pub fn emptied(&self) -> Self {
        Self { patch: NOTHING.to_owned(), base: "{}".to_owned(), ..self.clone() }
    }

    /// The tuple of this row, which differs from `arrived` in patch and base at most.
    ///
    /// # Safety
    /// The tuple is the one that `arrived` was read from, one of that relation.
    pub unsafe fn in_place_of(
        self,
        arrived: &Self,
        tuple: pg_sys::HeapTuple,
        relation: pg_sys::Relation,
    ) -> pg_sys::HeapTuple {
        let Self { patch, base, .. } = self;
        if (&patch, &base) == (&arrived.patch, &arrived.base) {
            return tuple;
        }
        let mut values = [patch.into_datum(), base.into_datum()].map(|value| value.unwrap_or(pg_sys::Datum::null()));
        let (mut places, mut nulls) = (PATCH_AND_BASE, [false; 2]);
        // SAFETY: the caller's promise; two texts for two columns of type text.
        unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                tuple,
                (*relation).rd_att,
                2,
                places.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
        }
    }

    /// Where an operation that is not read would stand: node, number and stamp, if it says so.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn place(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Option<(i32, i64, i64)> {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<7>::of(tuple, relation, "wire.op");
            Some((columns.optional(0)?, columns.optional(1)?, columns.optional(2)?))
        }
    }

    /// The tuple of an operation that writes nothing, in the place of one that is not read: its
    /// number is not missing then, here and at whoever gets it from here. Name and key are those of
    /// the operation as far as they can be.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn placeholder(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> pg_sys::HeapTuple {
        let [table_name, key, ..] = OF_OPERATION;
        // SAFETY: the caller's promise; four texts for four columns of type text.
        unsafe {
            let columns = Tuple::<7>::of(tuple, relation, "wire.op");
            let table_name = columns.short(&table_name).unwrap_or_default();
            let key = columns.short(&key).unwrap_or_default();
            let values = [table_name, key, NOTHING.to_owned(), "{}".to_owned()];
            let mut values = values.map(|value| value.into_datum().unwrap_or(pg_sys::Datum::null()));
            let (mut places, mut nulls) = ([4, 5, 6, 7], [false; 4]);
            pg_sys::heap_modify_tuple_by_cols(
                tuple,
                (*relation).rd_att,
                4,
                places.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
        }
    }

    /// Whether it writes nothing, and never did at this node.
    pub fn is_placeholder(&self) -> bool {
        is_nothing(&self.patch, &self.base)
    }

    /// What is kept of it when its sender may not send it.
    pub fn as_refused(&self) -> Refused {
        let text = |key: &str, text: &str| (key.to_owned(), Value::String(text.to_owned()));
        let seq = ("seq".to_owned(), Value::Number(self.seq.to_string()));
        let row = vec![seq, text("key", &self.key), text("patch", &self.patch), text("base", &self.base)];
        Refused { node_id: self.node_id, kind: self.table_name.clone(), row: Value::Object(row) }
    }
}

fn is_nothing(patch: &str, base: &str) -> bool {
    patch == NOTHING && base == "{}"
}

impl Arrives for OpRow {
    unsafe fn measure(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> (usize, Option<Unfit>) {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe { Tuple::<7>::of(tuple, relation, "wire.op").measure(&OF_OPERATION) }
    }

    unsafe fn outline(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Refused {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<7>::of(tuple, relation, "wire.op");
            let [table_name, key, ..] = OF_OPERATION;
            let known = vec![
                ("seq", number(columns.optional(1))),
                ("hlc", number(columns.optional(2))),
                ("key", text(columns.short(&key))),
            ];
            Refused::outline(columns.optional(0), columns.short(&table_name), "wire.op", known)
        }
    }

    unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
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

    fn too_large(&self) -> Option<(TooLarge, String)> {
        check_base(&self.base).err().map(|large| (large, hex(&sha256(self.base.as_bytes()))))
    }
}
