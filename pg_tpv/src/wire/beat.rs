//! A row of `wire.beat`.

use pgrx::pg_sys;
use pgrx::prelude::*;

use tpv_core::json::Value;

use super::refused::Refused;
use super::tuple::Tuple;

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
    /// Reads the row that a trigger is called for.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
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
