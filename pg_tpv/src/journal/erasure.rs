//! Erasure: the values of an entity are taken out of all that this node keeps of it.
//!
//! An operation is never changed, with this one exception. The trigger that refuses a change lets
//! an update of `wire.op` through while [`blank`] runs, and only one that leaves of an operation
//! what [`blank_texts`] leaves. No session can turn that on: the flag is in the memory of the
//! backend, and nothing but `blank` sets it.

use std::cell::Cell;

use pgrx::prelude::*;
use tpv_core::merge::blank_texts;
use tpv_core::row_limits::{ERASED_A_DAY, ERASURES_KEPT};

use super::stored_heads;
use super::unmerged::Unmerged;
use crate::postgres::{DataFault, sql};

thread_local! {
    static BLANKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether an update of an operation, from one patch and base to others, is part of an erasure.
pub fn is_blanking(before: (&str, &str), after: (&str, &str)) -> bool {
    let blank = blank_texts(before.0, before.1);
    BLANKING.get() && (blank.0.as_str(), blank.1.as_str()) == after
}

const JOURNAL: &str = "select node_id, seq, patch, base from wire.op where table_name = $1 and key = $2";
/// With the rights of `tpv_owner`: nobody who merges may update `wire.op`.
const BLANK: &str = "select sync.blank_operation($1, $2, $3, $4)";
const BLANK_REST: &str = "select sync.blank_records($1, $2, $3)";

/// Takes the values of an erased entity out of the journal, the conflicts, the quarantine and what
/// people decided about it. What was blanked before stays as it is. `is_new`: this node has just
/// heard of it.
pub fn blank(table_name: &str, key: &str, is_new: bool) {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            BLANKING.set(false);
        }
    }
    let journal = sql::rows(JOURNAL, &[table_name.into(), key.into()], |row| {
        (row.must::<i32>(1), row.must::<i64>(2), row.must::<String>(3), row.must::<String>(4))
    });
    {
        let _reset = Reset;
        BLANKING.set(true);
        for (node_id, seq, patch, base) in journal {
            let blank = blank_texts(&patch, &base);
            if blank != (patch, base) {
                sql::execute(BLANK, &[node_id.into(), seq.into(), blank.0.into(), blank.1.into()]);
            }
        }
    }
    sql::execute(BLANK_REST, &[table_name.into(), key.into(), is_new.into()]);
}

const ERASED_TODAY: &str = "select erased from sync.refusal where node_id = $1 and day = current_date";
const COUNT: &str = r"
    insert into sync.refusal as r (node_id, day, refused, erased) values ($1, current_date, 0, 1)
    on conflict (node_id, day) do update set erased = r.erased + 1, last_at = clock_timestamp()";

/// Counts a row that a store erases.
///
/// # Errors
/// It has erased as many today as it may.
pub fn count(store: i32) -> Result<(), Unmerged> {
    let today = sql::row(ERASED_TODAY, &[store.into()], |row| row.must::<i64>(1)).unwrap_or(0);
    if today < ERASED_A_DAY + ERASURES_KEPT {
        sql::execute(COUNT, &[store.into()]);
    }
    let fault = || DataFault::new("ERASURE_LIMIT", "its store has erased more rows today than are taken unseen");
    match today {
        ..ERASED_A_DAY => Ok(()),
        _ if today < ERASED_A_DAY + ERASURES_KEPT => Err(Unmerged::Held(fault())),
        _ => Err(Unmerged::Refused(fault())),
    }
}

/// Whether an entity was erased, as far as this node has heard.
pub fn is_erased(table_name: &str, key: &str) -> bool {
    stored_heads::find(table_name, key).is_some_and(|entity| entity.is_erased())
}

/// Whether an entity was erased. Called through `sync.is_erased`.
#[pg_extern(name = "is_erased", stable, parallel_unsafe)]
pub fn entity_is_erased(table_name: &str, key: &str) -> bool {
    is_erased(table_name, key)
}

extension_sql!(
    r#"
comment on function is_erased(text, text) is
    'Whether a row was erased, as far as this node knows. Callers use sync.is_erased.';
"#,
    name = "erasure_comments",
    requires = [entity_is_erased]
);
