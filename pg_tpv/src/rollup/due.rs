//! Sums up the buckets that are due.

use std::time::Instant;

use chrono::NaiveDate;

use super::bucket::Bucket;
use super::catalog::Catalog;
use super::summing;
use crate::postgres::{attempt_whatever, sql};

const LOCK: &str = "lock table tpv_lock.fold in exclusive mode";

/// Some of what is due, what is due longest first. Read once in a transaction: while an old snapshot keeps dead
/// entries of the index, each reading passes over all of them.
const NEXT: &str = r"
    select d.node_id, d.business_date, d.department, d.round from rollup.due d
     where d.due_at <= clock_timestamp() and d.business_date between '0001-01-01' and '9999-12-31'
     order by d.due_at limit 200";

const TAKE: &str = "delete from rollup.due where node_id = $1 and business_date = $2 and department = $3";

/// A bucket that cannot be summed up is tried again in a minute; the others are not held up.
const FAILED: &str = r"
    insert into rollup.due (node_id, business_date, department, round, due_at, failed)
    values ($1, $2, $3, $4, clock_timestamp() + interval '1 minute', $5)
    on conflict (node_id, business_date, department) do update set due_at = excluded.due_at, failed = excluded.failed";

/// All that was due of that round is summed up.
const PUBLISH: &str = r"
    update rollup.until u
       set complete_until = greatest(u.complete_until, u.next_until), next_until = null, next_round = null
     where u.next_round is not null
       and not exists (select from rollup.due d where d.node_id = u.node_id and d.round <= u.next_round)";

const IS_MORE: &str = "select exists (select from rollup.due d where d.due_at <= clock_timestamp())";

/// Sums up buckets until that time, one at least. Answers whether more are due.
pub fn sum_up(until: Instant, catalog: &mut Catalog) -> bool {
    sql::execute(LOCK, &[]);
    // A crash may forget the last sums; with them it forgets that these were due no more.
    sql::execute("set local synchronous_commit = off", &[]);
    let read = |row: &sql::Row<'_>| (row.must::<i32>(1), row.date(2), row.must::<String>(3), row.must::<i64>(4));
    for (node_id, date, department, round) in sql::rows(NEXT, &[], read) {
        let bucket = Bucket { node_id, date, department };
        sql::execute(TAKE, &bucket.args());
        let summed_up = attempt_whatever(|| {
            summing::sum_up(&bucket, catalog);
            Ok(())
        });
        if let Err(fault) = summed_up {
            *catalog = Catalog::default();
            note(&bucket, round, &format!("{}: {}", fault.code, fault.detail));
        }
        if Instant::now() >= until {
            break;
        }
    }
    sql::execute(PUBLISH, &[]);
    sql::row(IS_MORE, &[], |row| row.must(1)) == Some(true)
}

fn note(bucket: &Bucket, round: i64, why: &str) {
    let (date, department): (NaiveDate, &str) = (bucket.date, &bucket.department);
    let args = [bucket.node_id.into(), sql::date(date).into(), department.into(), round.into(), why.into()];
    sql::execute(FAILED, &args);
    pgrx::warning!("pg_tpv: {date} of department {department} of node {} cannot be summed up: {why}", bucket.node_id);
}
