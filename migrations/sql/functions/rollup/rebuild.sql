create or replace function rollup.rebuild(node integer default null, from_date date default null, to_date date default null)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_buckets bigint;
begin
  -- A table without a key, so that nobody waits for whoever does this in a long transaction.
  insert into sync.touched (at, entity, node_id, business_date, department)
  select now(), 'rollup.bucket', s.node_id, s.business_date, s.department
    from (select r.node_id, r.business_date, r.department from sales.receipt r
           where r.business_date between coalesce(rebuild.from_date, '-infinity') and coalesce(rebuild.to_date, 'infinity')
           group by 1, 2, 3
          union
          select b.node_id, b.business_date, b.department from rollup.bucket b
           where b.business_date between coalesce(rebuild.from_date, '-infinity') and coalesce(rebuild.to_date, 'infinity')) s
   where rebuild.node is null or s.node_id = rebuild.node;
  get diagnostics found_buckets = row_count;
  return found_buckets;
end $$;
comment on function rollup.rebuild(integer, date, date) is
  'Has the roll-ups of these business days summed up again: how many buckets that are. Null means all. The fold does it in '
  'the background, and sums stay readable; sync.touched and rollup.due are what is left.';
grant execute on function rollup.rebuild(integer, date, date) to tpv_operator;
