create or replace function sync.follow_hash_chains(of_peer sync.peer) returns jsonb
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  with head as (
    select c.key as chain, (c.value ->> 0)::bigint as head_seq, decode(c.value ->> 1, 'hex') as head_hash,
           coalesce(v.chain_seq, 0) as from_seq, coalesce(v.hash, decode(repeat('00', 32), 'hex')) as from_hash
      from json_each(of_peer.chains::json) c
      left join sync.verified v on v.node_id = of_peer.node_id and v.chain = c.key
  ), followed as materialized (
    select h.chain, h.head_seq, h.head_hash, h.from_seq, f.seq, f.hash, f.broken
      from head h
      left join lateral tpv.follow_hash_chain(of_peer.node_id, h.chain, h.from_seq, h.from_hash, h.head_seq) f
        on h.head_seq >= h.from_seq
  ), stored as (
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select of_peer.node_id, f.chain, f.seq, f.hash from followed f where f.seq > f.from_seq
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at
  )
  select coalesce(jsonb_agg(jsonb_build_object(
           'chain', f.chain, 'head_seq', f.head_seq, 'head_hash', encode(f.head_hash, 'hex'), 'from_seq', f.from_seq,
           'followed', case when f.seq is not null then
                         jsonb_build_object('seq', f.seq, 'hash', encode(f.hash, 'hex'), 'broken', f.broken) end,
           'next_seq', (select min(d.chain_seq) from wire.doc d
                         where d.node_id = of_peer.node_id and d.chain = f.chain
                           and d.chain_seq > f.seq and d.chain_seq <= f.head_seq)) order by f.chain), '[]')
    from followed f;
end;
comment on function sync.follow_hash_chains(sync.peer) is
  'Follows the hash chains of a peer from where they were followed before to the heads of its last '
  'heartbeat, link by link. Stores in sync.verified how far it came, and returns it.';

create or replace function sync.reconcile_with(peer integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  began timestamptz := clock_timestamp();
  of_peer sync.peer;
  is_central boolean;
  facts jsonb;
  differences integer;
  wants json;
begin
  select * into of_peer from sync.peer p where p.node_id = reconcile_with.peer and p.beat is not null;
  if not found then
    return 0;
  end if;
  select n.kind = 'central' into is_central from org.node n where n.node_id = of_peer.node_id;
  facts := jsonb_build_object(
    'this_node', org.this_node(),
    'peer', of_peer.node_id,
    'peer_is_central', is_central,
    'reported', (select coalesce(jsonb_object_agg(key::integer, value::bigint), '{}') from json_each_text(of_peer.ops::json)),
    'here', (select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') from sync.contiguous() k),
    -- Documents come from the store that wrote them.
    'chains', case when is_central then '[]' else sync.follow_hash_chains(of_peer) end,
    'open', (select coalesce(jsonb_agg(jsonb_build_object(
                      'what', d.what, 'subject', d.subject, 'from_seq', d.from_seq,
                      'waited_ms', (extract(epoch from began - d.requested_at) * 1000)::bigint)), '[]')
               from sync.drift d where d.node_id = of_peer.node_id and d.resolved_at is null));

  with found as materialized (
    select f.what, f.subject, f.from_seq, f.to_seq, f.detail, f.request from tpv.peer_differences(facts) f
  ), noted as (
    insert into sync.drift as d (node_id, what, subject, from_seq, to_seq, detail, requested_at)
    select of_peer.node_id, f.what, f.subject, f.from_seq, f.to_seq, f.detail,
           case when f.request in ('rows', 'snapshot', 'coming') then clock_timestamp() end
      from found f
    on conflict (node_id, what, subject) where resolved_at is null do update
      set from_seq = excluded.from_seq, to_seq = excluded.to_seq, detail = excluded.detail,
          requested_at = coalesce(excluded.requested_at, d.requested_at)
  ), gone as (
    update sync.drift d set resolved_at = clock_timestamp()
     where d.node_id = of_peer.node_id and d.resolved_at is null
       and not exists (select from found f where f.what = d.what and f.subject = d.subject)
  )
  select count(*),
         json_agg(case f.request
                    when 'rows'
                    then json_build_object('what', f.what, 'subject', f.subject, 'from', f.from_seq, 'to', f.to_seq)
                    else json_build_object('what', 'snapshot')
                  end) filter (where f.request in ('rows', 'snapshot'))
    into differences, wants
    from found f;
  if wants is not null then
    perform sync.request(of_peer.node_id, wants);
  end if;

  -- What is here without a gap need not be counted again.
  insert into sync.horizon as h (node_id, seq) select k.node_id, k.seq from sync.contiguous() k where k.seq > 0
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;

  if differences = 0 then
    update sync.peer p
       set verified_until = of_peer.low_water, verified_at = clock_timestamp(),
           received_until = greatest(p.received_until, of_peer.low_water),
           gap_beat = case when p.gap_beat > of_peer.beat then p.gap_beat end
     where p.node_id = of_peer.node_id;
  end if;
  return differences;
end $$;
comment on function sync.reconcile_with(integer) is
  'Compares what a peer reported in its last heartbeat with what is here (tpv.peer_differences '
  'decides), records the differences in sync.drift and requests what is missing. Returns how many '
  'differences there are.';

create or replace function sync.reconcile() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  peer integer;
  open integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('sync.reconcile', 0)) then
    return null;
  end if;
  for peer in select p.node_id from sync.peer p order by 1 loop
    begin
      open := open + sync.reconcile_with(peer);
    exception when others then
      -- What one peer says must not keep this node from comparing itself with the others.
      raise warning 'node % could not be compared with: %', peer, sqlerrm;
      open := open + 1;
    end;
  end loop;
  return open;
end $$;
comment on function sync.reconcile() is
  'Compares this node with each of its peers. Returns how many differences there are; null while '
  'another session is doing it. pg_cron calls it each minute.';
grant execute on function sync.reconcile() to tpv_cron, tpv_operator;
