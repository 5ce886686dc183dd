//! Operations that are in the journal and cannot be read, so that they are not part of any heads
//! yet.

use tpv_core::merge::Version;

use crate::postgres::sql;

#[derive(Clone, Debug)]
pub struct Unparsed {
    pub version: Version,
    pub table_name: String,
    pub key: String,
}

const UNPARSED: &str = r"
    select node_id, seq, kind, key from sync.quarantine
    where seq is not null and key is not null and code like 'OPERATION%' and resolved_at is null";
const RESOLVE: &str = r"
    update sync.quarantine set resolved_at = clock_timestamp(), detail = detail || ' (received inside a snapshot)'
    where node_id = $1 and seq = $2 and resolved_at is null";

impl Unparsed {
    /// All of them.
    pub fn here() -> Vec<Self> {
        sql::rows(UNPARSED, &[], |row| {
            let version = Version { node_id: row.must(1), seq: row.must(2) };
            Self { version, table_name: row.must(3), key: row.must(4) }
        })
    }

    /// A snapshot covers it: it is part of the heads now, and need not be read any more.
    pub fn resolve(&self) {
        sql::execute(RESOLVE, &[self.version.node_id.into(), self.version.seq.into()]);
    }
}
