//! What of a node is not as the migrations made it: said in the server's log at each start.

use pgrx::prelude::*;

use crate::postgres::sql;

/// The tables of an older version have no such function, and an empty database has no tables.
const CAN_ASK: &str = r"
    select coalesce(has_function_privilege(to_regprocedure('sync.setup_faults()'), 'execute'), false)";
const FAULTS: &str = "select what, remedy from sync.setup_faults()";

/// Logs each fault, and what to do about it.
pub fn report() {
    if sql::row(CAN_ASK, &[], |row| row.must(1)) == Some(true) {
        for (what, remedy) in sql::rows(FAULTS, &[], |row| (row.must::<String>(1), row.must::<String>(2))) {
            warning!("pg_tpv: {what}; {remedy}");
        }
    }
}
