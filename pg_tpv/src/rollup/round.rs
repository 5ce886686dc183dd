//! What has changed gets the next numbers of the change log, and the buckets concerned are due.

use super::guess;
use crate::guc;
use crate::node::this_node;
use crate::peer::beat;
use crate::postgres::sql;

/// How much is numbered in one transaction.
const MOST: i64 = 20_000;

/// What a round has seen.
pub struct Seen {
    /// Whether anything had changed.
    pub some: bool,
    /// Whether there is more than one transaction takes.
    pub more: bool,
    /// Whether codes may mean something else now.
    pub catalog: bool,
}

const LOCK: &str = "lock table tpv_lock.fold in exclusive mode";

/// How far this node has everything of each store: read before what has changed is, so that all of it is in
/// that. A store says of itself how far it is complete, by its low-water mark; not while it lacks what it forgot
/// with a restore. What waits in quarantine is not here.
const CLAIM: &str = r"
    insert into rollup.until as u (node_id, next_until, next_round)
    select s.node_id, s.until, (select h.round + 1 from sync.change_head h)
      from (select p.node_id, p.received_until as until
              from sync.peer p join org.node n on n.node_id = p.node_id and n.kind = 'store'
            union all
            select n.node_id, to_timestamp($2 / 1000000.0) from org.node n
             where n.node_id = $1 and n.kind = 'store' and $2 > 0 and not sync.is_restored()) s
     where s.until is not null
       and not exists (select from sync.quarantine q
                        where q.node_id = s.node_id and q.doc_id is not null and q.resolved_at is null)
    on conflict (node_id) do update set next_until = excluded.next_until, next_round = excluded.next_round
     where u.next_round is null";

/// Of receipts their bucket is looked up; of a closed day all buckets are summed up again, since from then on
/// a change is one of a closed day. Documents have dates of four-digit years.
const ROUND: &str = r"
    with gone as materialized (
      delete from sync.touched t where t.ctid = any (array(select s.ctid from sync.touched s limit $1))
      returning t.entity, t.node_id, t.key, t.business_date, t.department
    ), receipt as materialized (
      select g.node_id, g.key, coalesce(r.business_date, g.business_date) as business_date, r.department
        from (select g.node_id, g.key, min(g.business_date) as business_date
                from gone g where g.entity = 'sales.receipt' group by 1, 2) g
        left join sales.receipt r on r.node_id = g.node_id and r.receipt_id = g.key
    ), thing as materialized (
      select r.node_id, r.key, 'sales.receipt' as entity, r.business_date from receipt r
      union all
      select distinct g.node_id, g.key, g.entity, g.business_date from gone g
       where g.entity not in ('sales.receipt', 'rollup.bucket')
    ), head as (
      update sync.change_head h
         set pos = h.pos + (select count(*) from thing), round = h.round + 1, round_at = clock_timestamp()
       where exists (select from gone)
      returning h.pos, h.round
    ), numbered as (
      insert into sync.change (pos, at, entity, node_id, key, business_date)
      select h.pos + 1 - row_number() over (order by t.entity desc, t.node_id desc, t.key desc, t.business_date desc),
             clock_timestamp(), t.entity, t.node_id, t.key, t.business_date
        from thing t cross join head h
    ), bucket as (
      select r.node_id, r.business_date, r.department from receipt r where r.department is not null
      union
      select g.node_id, g.business_date, g.department from gone g
       where g.entity in ('sales.receipt', 'rollup.bucket') and g.department is not null
      union
      select b.node_id, b.business_date, b.department
        from gone g join rollup.bucket b on b.node_id = g.node_id and b.business_date = g.business_date
       where g.entity = 'sales.day_close'
    ), queued as (
      insert into rollup.due (node_id, business_date, department, round, due_at)
      select b.node_id, b.business_date, b.department, h.round,
             -- A clock that was ahead must not put a bucket to sleep.
             least(greatest(clock_timestamp(), d.computed_at + p.pause), clock_timestamp() + p.pause)
        from bucket b cross join head h cross join (select make_interval(secs => $2 / 1000.0) as pause) p
        left join rollup.bucket d using (business_date, node_id, department)
       where b.business_date between '0001-01-01' and '9999-12-31'
       order by 1, 2, 3
      on conflict do nothing
    )
    select count(*) from gone";

const IS_TOUCHED: &str = "select exists (select from sync.touched)";

/// Of a round that has not seen everything.
const CLAIM_LATER: &str =
    "update rollup.until set next_round = null where next_round = (select h.round from sync.change_head h)";

/// Numbers what has changed. Nobody else does at the same time. At rest a node writes nothing here, unless it
/// is time to say how far its sums are complete.
pub fn round(is_time: bool) -> Seen {
    let mut seen =
        Seen { some: sql::row(IS_TOUCHED, &[], |row| row.must(1)) == Some(true), more: false, catalog: false };
    if !seen.some && !is_time {
        return seen;
    }
    sql::execute(LOCK, &[]);
    let node = this_node();
    let low_water = node.map_or(0, beat::low_water);
    sql::execute(CLAIM, &[node.into(), low_water.into()]);
    let args = [MOST.into(), guc::fold_pause_ms().into()];
    let gone: i64 = sql::row(ROUND, &args, |row| row.must(1)).unwrap_or_default();
    seen.more = gone >= MOST;
    seen.catalog = guess::again();
    if seen.more {
        sql::execute(CLAIM_LATER, &[]);
    }
    seen
}
