//! A row of `wire.beat`.

use pgrx::pg_sys;
use pgrx::prelude::*;

use tpv_core::json::Value;
use tpv_core::row_limits::OF_BEAT;

use super::arrival::Arrives;
use super::refused::{Refused, number};
use super::tuple::{Tuple, Unfit};

pub struct BeatRow {
    pub node_id: i32,
    pub beat: i64,
    pub hlc: i64,
    pub low_water: TimestampWithTimeZone,
    pub ops: String,
    pub chains: String,
    pub version: String,
    /// JSON, for what later versions learn to say.
    pub more: String,
}

impl BeatRow {
    /// What is kept of it when a part of it cannot be read.
    pub fn as_refused(&self) -> Refused {
        let text = |key: &str, text: &str| (key.to_owned(), Value::String(text.to_owned()));
        let row = vec![
            ("beat".to_owned(), Value::Number(self.beat.to_string())),
            text("ops", &self.ops),
            text("chains", &self.chains),
            text("version", &self.version),
            text("more", &self.more),
        ];
        Refused { node_id: self.node_id, kind: "heartbeat".to_owned(), row: Value::Object(row) }
    }
}

impl Arrives for BeatRow {
    unsafe fn measure(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> (usize, Option<Unfit>) {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe { Tuple::<8>::of(tuple, relation, "wire.beat").measure(&OF_BEAT) }
    }

    unsafe fn outline(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Refused {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<8>::of(tuple, relation, "wire.beat");
            let known = vec![("beat", number(columns.optional(1)))];
            Refused::outline(columns.optional(0), None, "heartbeat", known)
        }
    }

    unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<8>::of(tuple, relation, "wire.beat");
            Self {
                node_id: columns.get(0),
                beat: columns.get(1),
                hlc: columns.get(2),
                low_water: columns.get(3),
                ops: columns.get(4),
                chains: columns.get(5),
                version: columns.get(6),
                more: columns.get(7),
            }
        }
    }
}
