//! Tax rates that no receipt says are guessed by the catalog. When the catalog says something else, the buckets
//! concerned are due. Triggers note what has changed, in `rollup.guess_due`.

use crate::postgres::{attempt_whatever, sql};

/// Items are found by the codes of what has changed: as a key, as they were printed, and by the last digits of
/// a restricted number. After a large change all that was guessed is summed up again.
const GUESS_AGAIN: &str = r"
    with gone as materialized (
      delete from rollup.guess_due returning what, node_id, department, code
    ), code as materialized (
      select distinct g.code from gone g where g.what = 'code' and g.code <> ''
    ), extent as materialized (
      select exists (select from gone g where g.what = 'all') or (select count(*) from code) > 1000 as is_all
    ), named as materialized (
      select i.node_id, i.department, i.item from code c join rollup.item i on i.item = c.code
       where i.guessed and not (select is_all from extent)
      union
      select i.node_id, i.department, i.item from code c join rollup.item i on btrim(i.barcode) = c.code
       where i.guessed and not (select is_all from extent)
      union
      select i.node_id, i.department, i.item from rollup.item i
       where i.item >= 'R:' and i.item < 'R;' and i.guessed and not (select is_all from extent)
         and exists (select from code c where right(i.item, length(c.code)) = c.code)
    ), bucket as (
      select d.node_id, d.business_date, d.department from named n join rollup.item_day d using (node_id, department, item)
      union
      select b.node_id, b.business_date, b.department from rollup.bucket b
       where b.guessed_lines > 0 and (select is_all from extent)
      union
      select b.node_id, b.business_date, b.department
        from gone g join rollup.bucket b on b.node_id = g.node_id and b.department = g.department
       where g.what = 'department' and b.guessed_lines > 0
      union
      select b.node_id, b.business_date, b.department
        from gone g join rollup.bucket b on b.node_id = coalesce(g.node_id, b.node_id)
       where g.what = 'rules'
    ), queued as (
      insert into rollup.due (node_id, business_date, department, round, due_at)
      select b.node_id, b.business_date, b.department, (select h.round from sync.change_head h), clock_timestamp()
        from bucket b order by 1, 2, 3
      on conflict do nothing
    )
    select count(*) > 0 from gone";

/// Whatever was noted: all that was guessed.
const ALL: &str = r"
    insert into rollup.due (node_id, business_date, department, round, due_at)
    select b.node_id, b.business_date, b.department, (select h.round from sync.change_head h), clock_timestamp()
      from rollup.bucket b where b.guessed_lines > 0
    on conflict do nothing";

/// Notes what is due. Answers whether the catalog has changed.
pub fn again() -> bool {
    const IS_NOTED: &str = "select exists (select from rollup.guess_due)";
    if sql::row(IS_NOTED, &[], |row| row.must(1)) != Some(true) {
        return false;
    }
    let read = |row: &sql::Row<'_>| row.must::<bool>(1);
    match attempt_whatever(|| Ok(sql::row(GUESS_AGAIN, &[], read) == Some(true))) {
        Ok(is_changed) => is_changed,
        Err(fault) => {
            pgrx::warning!("pg_tpv: all guessed tax rates are looked up again, since {}: {}", fault.code, fault.detail);
            sql::execute("delete from rollup.guess_due", &[]);
            sql::execute(ALL, &[]);
            true
        }
    }
}
