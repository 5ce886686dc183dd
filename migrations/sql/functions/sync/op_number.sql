create or replace function sync.contiguous() returns table (node_id integer, seq bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- From the first node that has an operation here to the next one: as many look-ups as there are
  -- nodes.
  with recursive writer as (
    select min(o.node_id) as node_id from wire.op o
    union all
    select (select min(o.node_id) from wire.op o where o.node_id > w.node_id) from writer w where w.node_id is not null
  )
  select n.node_id, n.seq + case when n.next_seq - 1 > n.seq then 0 else (
           select count(*) from (
             select o.seq, row_number() over (order by o.seq) as place
               from wire.op o where o.node_id = n.node_id and o.seq > n.seq) beyond
            where beyond.seq = n.seq + beyond.place) end
    -- What is beyond a gap that stays is not counted again and again.
    from (select k.node_id, k.seq,
                 (select o.seq from wire.op o where o.node_id = k.node_id and o.seq > k.seq order by o.seq limit 1) as next_seq
            from (select coalesce(w.node_id, h.node_id) as node_id, coalesce(h.seq, 0) as seq
            from writer w full join sync.horizon h on h.node_id = w.node_id) k) n
   where n.node_id is not null;
end;
comment on function sync.contiguous() is
  'For each node the number up to which its operations are here without a gap.';
grant execute on function sync.contiguous() to tpv_operator, tpv_analyst, tpv_worker;

create or replace function sync.advance_op_counter(seq bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.op_counter as c (node_id, last_seq) values (org.this_node(), advance_op_counter.seq)
  on conflict (node_id) do update set last_seq = excluded.last_seq where c.last_seq < excluded.last_seq;
end;
comment on function sync.advance_op_counter(bigint) is
  'Moves the counter of this node''s operations forward, never back: the numbers up to this one '
  'were given before a restore.';
grant execute on function sync.advance_op_counter(bigint) to tpv_apply;
