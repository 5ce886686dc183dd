//! A row of `wire.doc`.

use chrono::{DateTime, NaiveDate, Utc};
use pgrx::datum::Date;
use pgrx::pg_sys;
use tpv_core::hash_chain::sha256;
use tpv_core::json::Value;
use tpv_core::row_limits::{OF_DOCUMENT, TooLarge, check_document};
use uuid::Uuid;

use super::arrival::Arrives;
use super::refused::{Refused, number, text};
use super::tuple::{Tuple, Unfit, hex};
use crate::postgres::DataFault;
use crate::postgres::sql::{self, Row};

/// The one column that may be null.
const TO_NODE: usize = 4;
const PREV_HASH: usize = 9;

/// A document, without the hash of the one before.
#[derive(Clone, Debug)]
pub struct Document {
    /// The node that recorded it.
    pub node_id: i32,
    pub doc_id: Uuid,
    pub business_date: NaiveDate,
    /// `receipt`, `intake`, …
    pub kind: String,
    /// When it was recorded.
    pub hlc: i64,
    /// The version of its kind's body.
    pub schema_version: i32,
    /// The name of the hash chain that it continues: `tpv_core::hash_chain::ChainName`.
    pub chain: String,
    /// Its place there.
    pub chain_seq: i64,
    /// Canonical JSON.
    pub body: String,
    /// SHA-256 of the body, as its sender says.
    pub content_hash: Vec<u8>,
}

impl Document {
    /// Reads a row selected as node_id, doc_id, business_date, kind, hlc, schema_version, chain,
    /// chain_seq, body, content_hash.
    pub fn from_row(row: &Row<'_>) -> Self {
        Self {
            node_id: row.must(1),
            doc_id: row.uuid(2),
            business_date: row.date(3),
            kind: row.must(4),
            hlc: row.must(5),
            schema_version: row.must(6),
            chain: row.must(7),
            chain_seq: row.must(8),
            body: row.must(9),
            content_hash: row.must(10),
        }
    }

    /// Whom the row that a trigger is called for is addressed to; none for everybody who
    /// subscribes.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn addressee(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Option<i32> {
        // SAFETY: as above.
        unsafe { Tuple::<12>::of(tuple, relation, "wire.doc").optional(TO_NODE) }
    }

    /// The hash of the document before, of the row that a trigger is called for.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn prev_hash(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Vec<u8> {
        // SAFETY: as above.
        unsafe { Tuple::<12>::of(tuple, relation, "wire.doc").get(PREV_HASH) }
    }

    /// The primary key.
    pub fn key(&self) -> (i32, Uuid, NaiveDate) {
        (self.node_id, self.doc_id, self.business_date)
    }

    /// What is kept of it when its sender may not send it.
    pub fn as_refused(&self) -> Refused {
        let text = |key: &str, text: &str| (key.to_owned(), Value::String(text.to_owned()));
        let row = vec![
            text("doc_id", &self.doc_id.to_string()),
            text("business_date", &self.business_date.to_string()),
            text("chain", &self.chain),
            text("body", &self.body),
        ];
        Refused { node_id: self.node_id, kind: self.kind.clone(), row: Value::Object(row) }
    }

    /// When it was recorded.
    pub fn recorded_at(&self) -> DateTime<Utc> {
        recorded_at(self.hlc)
    }

    /// Whether the body is the one that its sender hashed.
    ///
    /// # Errors
    /// `BAD_HASH`.
    pub fn check_hash(&self) -> Result<(), DataFault> {
        if sha256(self.body.as_bytes()) == self.content_hash.as_slice() {
            return Ok(());
        }
        Err(DataFault::new("BAD_HASH", "content_hash is not the SHA-256 of the body"))
    }
}

/// When a document with this stamp was recorded.
pub fn recorded_at(hlc: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(hlc >> 16).unwrap_or_default()
}

impl Arrives for Document {
    unsafe fn measure(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> (usize, Option<Unfit>) {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe { Tuple::<12>::of(tuple, relation, "wire.doc").measure(&OF_DOCUMENT) }
    }

    unsafe fn outline(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Refused {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<12>::of(tuple, relation, "wire.doc");
            let [kind, chain, ..] = OF_DOCUMENT;
            let doc_id = columns.optional::<pgrx::Uuid>(1).map(|id| Uuid::from_bytes(*id.as_bytes()).to_string());
            let known = vec![
                ("doc_id", text(doc_id)),
                ("chain", text(columns.short(&chain))),
                ("chain_seq", number(columns.optional(8))),
            ];
            Refused::outline(columns.optional(0), columns.short(&kind), "wire.doc", known)
        }
    }

    unsafe fn is_sound(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> bool {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<12>::of(tuple, relation, "wire.doc");
            columns.has_all_but(TO_NODE) && sql::calendar_day(columns.get::<Date>(2)).is_ok()
        }
    }

    unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<12>::of(tuple, relation, "wire.doc");
            Self {
                node_id: columns.get(0),
                doc_id: Uuid::from_bytes(*columns.get::<pgrx::Uuid>(1).as_bytes()),
                business_date: sql::day(columns.get::<Date>(2)),
                kind: columns.get(3),
                hlc: columns.get(5),
                schema_version: columns.get(6),
                chain: columns.get(7),
                chain_seq: columns.get(8),
                body: columns.get(10),
                content_hash: columns.get(11),
            }
        }
    }

    fn too_large(&self) -> Option<(TooLarge, String)> {
        check_document(&self.kind, &self.body).err().map(|large| (large, hex(&sha256(self.body.as_bytes()))))
    }
}
