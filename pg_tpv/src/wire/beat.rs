//! A row of `wire.beat`.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::tuple::Tuple;

pub struct BeatRow {
    pub node_id: i32,
    pub beat: i64,
    pub hlc: i64,
    pub low_water: TimestampWithTimeZone,
    pub ops: String,
    pub chains: String,
    pub version: String,
}

impl BeatRow {
    /// Reads the row that a trigger is called for.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<7>::of(tuple, relation, "wire.beat");
            Self {
                node_id: columns.get(0),
                beat: columns.get(1),
                hlc: columns.get(2),
                low_water: columns.get(3),
                ops: columns.get(4),
                chains: columns.get(5),
                version: columns.get(6),
            }
        }
    }
}
