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
/// that. A store says of itself how far it is complete, by its low-water mark.
const CLAIM: &str = r"
    insert into rollup.until as u (node_id, next_until, next_round)
    select s.node_id, s.until, (select h.round + 1 from sync.change_head h)
      from (select p.node_id, p.received_until as until
              from sync.peer p join org.node n on n.node_id = p.node_id and n.kind = 'store'
            union all
            select n.node_id, to_timestamp($2 / 1000000.0) from org.node n where n.node_id = $1 and n.kind = 'store') s
     where s.until is not null
    on conflict (node_id) do update set next_until = excluded.next_until, next_round = excluded.next_round
     where u.next_round is null";

/// Of receipts their bucket is looked up; of a closed day all buckets are summed up again, since from then on
/// a change is one of a closed day.
const ROUND: &str = r"
    with gone as materialized (
      delete from sync.touched t where t.ctid = any (array(select s.ctid from sync.touched s limit $1))
      returning t.entity, t.node_id, t.key, t.business_date, t.department
    ), receipt as materialized (
      select g.node_id, g.key, r.business_date, r.department
        from (select distinct g.node_id, g.key from gone g where g.entity = 'sales.receipt') g
        left join sales.receipt r on r.node_id = g.node_id and r.receipt_id = g.key
    ), thing as materialized (
      select r.node_id, r.key, 'sales.receipt' as entity,
             coalesce(r.business_date, (select min(g.business_date) from gone g where g.entity = 'sales.receipt' and g.key = r.key)) as business_date
        from receipt r
      union all
      select distinct g.node_id, g.key, g.entity, g.business_date from gone g where g.entity <> 'sales.receipt'
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
      select r.node_id, r.business_date, r.department from receipt r where r.business_date is not null
      union
      select g.node_id, g.business_date, g.department from gone g where g.entity = 'sales.receipt' and g.department is not null
      union
      select b.node_id, b.business_date, b.department
        from gone g join rollup.bucket b on b.node_id = g.node_id and b.business_date = g.business_date
       where g.entity = 'sales.day_close'
    ), queued as (
      insert into rollup.due (node_id, business_date, department, round, due_at)
      select b.node_id, b.business_date, b.department, h.round,
             greatest(clock_timestamp(), d.computed_at + make_interval(secs => $2 / 1000.0))
        from bucket b cross join head h
        left join rollup.bucket d using (business_date, node_id, department)
       where isfinite(b.business_date)
       order by 1, 2, 3
      on conflict do nothing
    )
    select (select count(*) from gone), (select count(*) from thing), coalesce((select h.pos from head h), 0),
           exists (select from thing t
                    where t.entity in ('catalog.tax', 'catalog.tax_rate', 'catalog.product', 'catalog.barcode', 'catalog.local_code',
                                       'catalog.barcode_rule', 'org.department'))";

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
    let read = |row: &sql::Row<'_>| (row.must::<i64>(1), row.must::<i64>(2), row.must::<i64>(3), row.must::<bool>(4));
    let args = [MOST.into(), guc::fold_pause_ms().into()];
    let (gone, things, pos, catalog) = sql::row(ROUND, &args, read).unwrap_or_default();
    seen.more = gone >= MOST;
    seen.catalog = catalog;
    if catalog {
        guess::again(pos - things, pos);
    }
    if seen.more {
        sql::execute(CLAIM_LATER, &[]);
    }
    seen
}
