//! Operations that this node received inside a snapshot.
//!
//! They are part of the heads here and are not in `wire.op`. A complete snapshot is covered by
//! `sync.horizon`. An incomplete one covers only the entities that it has brought so far: an
//! operation that one of their heads replaced may still arrive, and no operation in the journal
//! names it.

use tpv_core::json;
use tpv_core::merge::{Knowledge, Vector, Version};

use crate::postgres::sql::{self, Row};

/// Which operations on one entity were received inside a snapshot.
#[derive(Debug)]
pub struct Coverage {
    incomplete: Vec<Knowledge>,
    horizon: Vector,
}

const INCOMPLETE: &str = r"
    select s.covers from sync.snapshot s join sync.snapshot_row r on r.snapshot_id = s.snapshot_id
    where s.completed_at is null and s.ended_at is null and r.table_name = $1 and r.key = $2";
const HORIZON: &str = "select node_id, seq from sync.horizon";

impl Coverage {
    /// It holds as long as the heads of the entity are locked.
    pub fn of(table_name: &str, key: &str) -> Self {
        // In this order, a snapshot that becomes complete in between is seen twice and not missed.
        let incomplete = sql::rows(INCOMPLETE, &[table_name.into(), key.into()], knowledge);
        let horizon = sql::rows(HORIZON, &[], |row| (row.must(1), row.must(2))).into_iter().collect();
        Self { incomplete, horizon: Vector(horizon) }
    }

    pub fn covers(&self, version: Version) -> bool {
        self.horizon.covers(version) || self.incomplete.iter().any(|knows| knows.covers(version))
    }
}

fn knowledge(row: &Row<'_>) -> Knowledge {
    let value = json::read(&row.must::<String>(1), usize::MAX).unwrap_or_else(|error| sql::broken(error));
    Knowledge::from_value(&value).unwrap_or_else(|fault| sql::broken(fault))
}
