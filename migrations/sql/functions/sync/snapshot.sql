create or replace function sync.send_snapshot(to_node integer, asked uuid default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  sent bigint;
begin
  -- One after the other, so that their parts do not mix.
  lock table tpv_lock.snapshot in exclusive mode;
  perform sync.end_overdue_snapshots();
  if exists (select from sync.snapshot l where l.completed_at is null and l.ended_at is null) then
    raise exception 'an incoming snapshot is not complete yet'
      using errcode = '55000',
        hint = 'It is in sync.snapshot, where completed_at is null. Wait for the rest of it, or end it with sync.end_snapshot.';
  end if;
  -- Central takes nothing of a third node from a store. What central itself decided it takes, to where nothing
  -- is missing.
  if not is_central and exists (
    select from wire.op o left join sync.contiguous() k on k.node_id = o.node_id
     where o.node_id = send_snapshot.to_node and o.seq > coalesce(k.seq, 0)) then
    raise exception 'operations of node % are here beyond a gap, and a store cannot pass them on', to_node
      using errcode = '55000', hint = 'Wait until the gap is filled. sync.contiguous() shows it.';
  end if;
  -- One statement sees one moment: the heads of all rows, and which operations went into them.
  with known as (
    select k.node_id, k.seq from sync.contiguous() k
  ), unread as (
    -- Operations that this version cannot read. They are in the journal and in no heads, so the
    -- snapshot does not cover them; the receiver may be able to read them.
    select o.* from sync.quarantine q join wire.op o on o.node_id = q.node_id and o.seq = q.seq
     where q.code like 'OPERATION%' and q.code <> 'OPERATION_KEY' and q.resolved_at is null
  ), beyond as (
    -- Operations beyond a gap. They are sent as operations as well, and first: they may name what
    -- is in the gap.
    select o.* from wire.op o left join known k on k.node_id = o.node_id where o.seq > coalesce(k.seq, 0)
     and not exists (select from unread u where u.node_id = o.node_id and u.seq = o.seq)
  ), every_range as (
    select b.what, b.node_id, min(b.seq) as from_seq, max(b.seq) as to_seq
      from (select o.what, o.node_id, o.seq, o.seq - row_number() over (partition by o.what, o.node_id order by o.seq) as place
              from (select 'beyond' as what, e.node_id, e.seq from beyond e
                    union all
                    select 'without', u.node_id, u.seq from unread u) o) b
     group by b.what, b.node_id, b.place
  ), range as (
    -- Every part names them. Of a node with very many gaps the rest is left out, and comes again by
    -- comparing; until then a value that was replaced there may stand beside the one that replaced it.
    select f.* from (select e.*, row_number() over (partition by e.what, e.node_id order by e.from_seq) as nth
                       from every_range e) f
     where f.what = 'without' or f.nth <= 1000
  ), knows as (
    select (select coalesce(json_object_agg(k.node_id, k.seq order by k.node_id), '{}') from known k) as vector,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r where r.what = 'beyond') as beyond,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r where r.what = 'without') as without
  ), snapshot as (
    select coalesce(send_snapshot.asked, tpv.uuid7()) as snapshot_id
  ), entity as (
    select json_build_array(h.table_name, h.key, h.heads::json) as item,
           -- Policies first: the rest is then chosen once. At most 500 rows or some megabytes: a peer
           -- refuses a part that is too large.
           array[(row_number() over sized - 1) / 500, sum(octet_length(h.heads)) over sized / 4000000] as part
      from sync.head h
     -- A row without heads has merged nothing.
     where h.heads <> '{}'
    window sized as (order by h.table_name <> 'sync.policy', h.table_name, h.key)
  ), part as materialized (
    select t.part, (select json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
                                             'without', w.without, 'rows', json_agg(t.item))::text
                      from snapshot l cross join knows w) as body
      from entity t group by t.part
  ), operation as (
    -- A node gets its own operations from nobody, and central those of a store from nobody but that store.
    select b.*, array[(row_number() over sized - 1) / 500, sum(octet_length(b.patch) + octet_length(b.base)) over sized / 4000000]
             as part
      from (select e.* from beyond e
             where exists (select from range r
                            where r.what = 'beyond' and r.node_id = e.node_id and e.seq between r.from_seq and r.to_seq)
            union all select * from unread) b
     where b.node_id <> send_snapshot.to_node and (is_central or b.node_id = here)
    window sized as (order by b.node_id, b.seq)
  ), message (step, nth, kind, body) as (
    select 1, o.part, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base) order by o.node_id, o.seq))::text
      from operation o group by o.part
    union all
    select 2, p.part, 'snapshot', p.body from part p
    union all
    select 3, array[0, 0]::bigint[], 'snapshot_end', json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
             'without', w.without,
             'parts', (select count(*) from part),
             'digest', (select coalesce(sum(hashtextextended(p.body, 0)::numeric), 0) from part p)::text)::text
      from snapshot l cross join knows w
  ), written as (
    insert into sync.outgoing (to_node, kind, body)
    select send_snapshot.to_node, m.kind, m.body from message m order by m.step, m.nth
    returning 1
  )
  select count(*) into sent from written;
  return sent;
end $$;
comment on function sync.send_snapshot(integer, uuid) is
  'Prepares a snapshot of all tracked rows for a peer, with the operations that it covers; the '
  'background worker sends it. Returns how many rows of sync.outgoing it made. asked is the name under '
  'which central asked a store for it.';
