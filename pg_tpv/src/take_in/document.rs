//! A row of `wire.doc`.

use chrono::{DateTime, NaiveDate, Utc};
use pgrx::datum::{Date, FromDatum};
use pgrx::pg_sys;
use tpv_core::chain::sha256;
use uuid::Uuid;

use crate::attempt::DataFault;
use crate::sql::{self, Row};

/// A document, as far as taking it in needs it.
#[derive(Clone, Debug)]
pub struct Document {
    /// The node that recorded it.
    pub node_id: i32,
    /// Its identity.
    pub doc_id: Uuid,
    /// The business day it belongs to.
    pub business_date: NaiveDate,
    /// `receipt`, `intake`, …
    pub kind: String,
    /// When it was recorded.
    pub hlc: i64,
    /// Version of the body's shape.
    pub schema_version: i32,
    /// The terminal, or empty.
    pub chain: String,
    /// Canonical JSON.
    pub body: String,
    /// What its sender says is SHA-256 of the body.
    pub content_hash: Vec<u8>,
}

/// How many columns the table has; they are frozen.
const COLUMNS: usize = 12;

impl Document {
    /// The columns in the order that [`Document::from_row`] reads.
    pub const COLUMNS: &str = "node_id, doc_id, business_date, kind, hlc, schema_version, chain, body, content_hash";

    /// Reads a row that was selected as [`Document::COLUMNS`].
    pub fn from_row(row: &Row<'_>) -> Self {
        Self {
            node_id: row.must(1),
            doc_id: row.uuid(2),
            business_date: row.date(3),
            kind: row.must(4),
            hlc: row.must(5),
            schema_version: row.must(6),
            chain: row.must(7),
            body: row.must(8),
            content_hash: row.must(9),
        }
    }

    /// Reads the row that a trigger is called for.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
        // SAFETY: the caller's promise; the arrays are as long as the row has columns, which is checked.
        unsafe {
            let shape = (*relation).rd_att;
            if usize::try_from((*shape).natts) != Ok(COLUMNS) {
                sql::broken("wire.doc has not its twelve columns");
            }
            let mut values = [pg_sys::Datum::null(); COLUMNS];
            let mut nulls = [false; COLUMNS];
            pg_sys::heap_deform_tuple(tuple, shape, values.as_mut_ptr(), nulls.as_mut_ptr());
            let columns = Columns { values, nulls };
            Self {
                node_id: columns.get(0),
                doc_id: Uuid::from_bytes(*columns.get::<pgrx::Uuid>(1).as_bytes()),
                business_date: sql::day(columns.get::<Date>(2)),
                kind: columns.get(3),
                hlc: columns.get(5),
                schema_version: columns.get(6),
                chain: columns.get(7),
                body: columns.get(10),
                content_hash: columns.get(11),
            }
        }
    }

    /// When it was recorded.
    pub fn recorded_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.hlc >> 16).unwrap_or_default()
    }

    /// Whether the body is the one that its sender hashed.
    ///
    /// # Errors
    /// `BAD_HASH`.
    pub fn check_hash(&self) -> Result<(), DataFault> {
        if sha256(self.body.as_bytes()) == self.content_hash.as_slice() {
            return Ok(());
        }
        Err(DataFault { code: "BAD_HASH".to_owned(), detail: "content_hash is not the SHA-256 of the body".to_owned() })
    }
}

struct Columns {
    values: [pg_sys::Datum; COLUMNS],
    nulls: [bool; COLUMNS],
}

impl Columns {
    /// # Safety
    /// The column is of that type.
    unsafe fn get<T: FromDatum>(&self, place: usize) -> T {
        // SAFETY: the caller's promise. The columns are NOT NULL, but BEFORE triggers run before that is checked.
        let value = unsafe { T::from_datum(self.values[place], self.nulls[place]) };
        value.unwrap_or_else(|| sql::not_null("wire.doc"))
    }
}
