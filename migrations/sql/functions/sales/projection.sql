create or replace function sales.slices(node integer default null, from_date date default null, to_date date default null)
returns table (node_id integer, business_date date, documents bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select s.node_id, s.business_date, sum(s.documents)::bigint
    from (
      select d.node_id, d.business_date, count(*) as documents from wire.doc d
       where d.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select r.node_id, r.business_date, 0 from sales.receipt r
       where r.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select l.node_id, l.business_date, 0 from sales.receipt_line l
       where l.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select e.node_id, e.business_date, 0 from sales.receipt_event e
       where e.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select c.node_id, c.business_date, 0 from sales.day_close c
       where c.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
      union all
      select t.node_id, k.business_date, 0 from sync.this_node t cross join sales.receipt_key k
       where k.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      -- What has no date is looked at with any day of its node.
      select u.node_id, coalesce(slices.from_date, slices.to_date, current_date), 0
        from (select e.node_id from sales.early_event e
              union select e.node_id from sales.receipt_event e where e.business_date is null) u
    ) s
   where slices.node is null or s.node_id = slices.node
   group by 1, 2 order by 2, 1;
end;
comment on function sales.slices(integer, date, date) is
  'What sales.rebuild_projections goes through: each node and business date that has documents or rows, '
  'with how many documents there are. Null means all.';

create or replace function sales.rebuild_projections(node integer default null, from_date date default null,
  to_date date default null, dry_run boolean default false, most integer default null)
returns table (projection text, looked_at bigint, missing bigint, wrong bigint, unexplained bigint, busy bigint)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select * from tpv.rebuild_projections(node, from_date, to_date, dry_run, most) $$;
comment on function sales.rebuild_projections(integer, date, date, boolean, integer) is
  'Compares the rows of these nodes and business dates with the documents, and writes only the '
  'differences: missing rows are added, wrong ones put right, and those that no document explains '
  'removed. Null means all. One transaction: tpv-migrate rebuild does it day by day. busy: left '
  'alone, since a session keeps the rows locked. most: writes at most so many receipts. dry_run: '
  'writes nothing.';
