//! Brings projections to what documents say, slice by slice: the rows of one node and one business
//! date.
//!
//! | file | does |
//! | --- | --- |
//! | `mod` | goes from slice to slice |
//! | `run` | compares a slice, and has the differences written |
//! | `counts` | what became of the rows |
//! | `slice` | finds what a slice is made of, and which receipts differ |
//! | `receipts` | some receipts: their documents, what these explain, and what is there |
//! | `mend` | locks receipts, compares again, and writes the differences |
//! | `day` | whether the day is closed, and what waits in quarantine |
//! | `number` | the arbiter of this node's own receipts |
//! | `text` | rows as texts, to be compared |
//!
//! Documents are compared without a lock. What differs is locked, read and compared once more, and
//! written. Nobody waits for a lock that a session keeps: such a receipt is left, and counted as
//! busy. An apply worker waits for a receipt until the transaction of the rebuild ends, so whoever
//! calls it ends that soon.
//!
//! Who locks what, so that nothing is lost between the two:
//!
//! - Whoever writes the state of a receipt locks its row first, and reads the events then.
//! - Whoever finds no row lists the receipt in `sales.early_event`, and looks again after that: the
//!   rebuild holds that key while it adds the row.
//! - The rebuild holds the key of a receipt that is not here while it adds events of it: by a row
//!   of `sales.receipt` that nobody sees and that is gone at the end.

mod counts;
mod day;
mod mend;
mod number;
mod receipts;
mod run;
mod slice;
mod text;

use pgrx::datum::Date;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::node::this_node;
use crate::postgres::{Refusal, sql};
use counts::{Count, Counts, PROJECTIONS};
use slice::Slice;

const SLICES: &str = "select node_id, business_date from sales.slices($1, $2, $3)";

/// Brings the projections of these slices to what documents say; one row for each projection. At
/// most `most` receipts are written; what is left then is found by the next call.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn rebuild_projections(
    node: Option<i32>,
    from_date: Option<Date>,
    to_date: Option<Date>,
    dry_run: Option<bool>,
    most: Option<i32>,
) -> TableIterator<
    'static,
    (
        name!(projection, String),
        name!(looked_at, i64),
        name!(missing, i64),
        name!(wrong, i64),
        name!(unexplained, i64),
        name!(busy, i64),
    ),
> {
    let dry_run = dry_run.unwrap_or(false);
    may_run(from_date, to_date, most, dry_run).unwrap_or_else(|refusal| refusal.raise());
    let mut left = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let mut counts = Counts::default();
    let slices = match (node, from_date, to_date) {
        (Some(node_id), Some(from), Some(to)) if from.to_pg_epoch_days() == to.to_pg_epoch_days() => {
            vec![Slice { node_id, date: from }]
        }
        _ => sql::rows(SLICES, &[node.into(), from_date.into(), to_date.into()], |row| Slice {
            node_id: row.must(1),
            date: row.must(2),
        }),
    };
    for slice in slices {
        slice.rebuild(dry_run, &mut left, &mut counts);
    }
    TableIterator::new(PROJECTIONS.into_iter().map(move |(projection, name)| {
        let Count { looked_at, missing, wrong, unexplained, busy } = counts.0[projection as usize];
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        (name.to_owned(), number(looked_at), number(missing), number(wrong), number(unexplained), number(busy))
    }))
}

fn may_run(from: Option<Date>, to: Option<Date>, most: Option<i32>, dry_run: bool) -> Result<(), Refusal> {
    let wrong = |message: &str| Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message);
    if this_node().is_none() {
        let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
        return Err(Refusal::new(code, "this database is no node yet")
            .hint("Register it with org.register_central or org.register_store."));
    }
    if from.zip(to).is_some_and(|(from, to)| from.to_pg_epoch_days() > to.to_pg_epoch_days()) {
        return Err(wrong("from_date is after to_date"));
    }
    if most.is_some_and(|most| most < 1) {
        return Err(wrong("most takes 1 or more, or null for all"));
    }
    // SAFETY: a plain variable of this process.
    let is_old_snapshot = unsafe { pg_sys::XactIsoLevel } >= pg_sys::XACT_REPEATABLE_READ as i32;
    if is_old_snapshot && !dry_run {
        let code = PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION;
        return Err(Refusal::new(code, "projections are rebuilt at isolation level read committed")
            .detail("What arrives meanwhile has to be seen."));
    }
    Ok(())
}

extension_sql!(
    r#"
comment on function rebuild_projections(integer, date, date, boolean, integer) is
    'Brings projections to what documents say. Callers use sales.rebuild_projections, which runs as the owner of the tables.';
"#,
    name = "rebuild_comments",
    requires = [rebuild_projections]
);
