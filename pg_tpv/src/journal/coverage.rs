//! What is part of the state here without being here as an operation.
//!
//! A load that is complete is covered by `sync.horizon`. Until then it counts for the things that it has brought, from the
//! moment on in which they came: an operation that one of their heads replaced may still arrive, and nothing in the journal
//! names it.

use tpv_core::json;
use tpv_core::merge::{Knowledge, Vector, Version};

use crate::postgres::sql::{self, Row};

/// Which operations on one thing came as state.
#[derive(Debug)]
pub struct Coverage {
    loads: Vec<Knowledge>,
    horizon: Vector,
}

const LOADS: &str = r"
    select l.covers from sync.snapshot l join sync.snapshot_row t on t.snapshot_id = l.snapshot_id
    where l.completed_at is null and t.table_name = $1 and t.key = $2";
const HORIZON: &str = "select node_id, seq from sync.horizon";

impl Coverage {
    /// As long as the heads of the thing are locked.
    pub fn of(table_name: &str, key: &str) -> Self {
        // In this order: one that becomes complete in between is seen twice and not missed.
        let loads = sql::rows(LOADS, &[table_name.into(), key.into()], knowledge);
        let horizon = sql::rows(HORIZON, &[], |row| (row.must(1), row.must(2))).into_iter().collect();
        Self { loads, horizon: Vector(horizon) }
    }

    /// Whether this one did.
    pub fn covers(&self, version: Version) -> bool {
        self.horizon.covers(version) || self.loads.iter().any(|knows| knows.covers(version))
    }
}

fn knowledge(row: &Row<'_>) -> Knowledge {
    let value = json::read(&row.must::<String>(1), usize::MAX).unwrap_or_else(|error| sql::broken(error));
    Knowledge::from_value(&value).unwrap_or_else(|fault| sql::broken(fault))
}

/// An operation that is here and could not be read, so that it is no part of anything yet.
#[derive(Clone, Debug)]
pub struct Unparsed {
    /// The operation.
    pub version: Version,
    /// The table.
    pub table_name: String,
    /// The key.
    pub key: String,
}

const UNREAD: &str = r"
    select node_id, seq, kind, key from sync.quarantine
    where seq is not null and key is not null and code like 'OPERATION%' and resolved_at is null";
const TAKEN: &str = r"
    update sync.quarantine set resolved_at = clock_timestamp(), detail = detail || ' (came as state)'
    where node_id = $1 and seq = $2 and resolved_at is null";

impl Unparsed {
    /// All of them.
    pub fn here() -> Vec<Self> {
        sql::rows(UNREAD, &[], |row| {
            let version = Version { node_id: row.must(1), seq: row.must(2) };
            Self { version, table_name: row.must(3), key: row.must(4) }
        })
    }

    /// It became part of the state of its thing, and need not be read any more.
    pub fn resolve(&self) {
        sql::execute(TAKEN, &[self.version.node_id.into(), self.version.seq.into()]);
    }
}
