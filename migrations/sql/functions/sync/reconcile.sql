create or replace function sync.follow_hash_chains(of_peer sync.peer) returns jsonb
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  with head as (
    select c.name, c.writer_id, c.chain, c.chain_seq as head_seq, c.hash as head_hash,
           coalesce(v.chain_seq, 0) as from_seq, coalesce(v.hash, decode(repeat('00', 32), 'hex')) as from_hash
      from sync.peer_chain c
      left join sync.verified v on v.node_id = c.writer_id and v.chain = c.chain
     where c.node_id = of_peer.node_id
       -- Most chains were followed to their heads before.
       and (c.chain_seq, c.hash) is distinct from (v.chain_seq, v.hash)
     -- Of a peer that names very many, some at a time, in no order: each has its turn.
     order by case when (select count(*) from sync.peer_chain o where o.node_id = of_peer.node_id) > 5000 then random() end
     limit 5000
  ), followed as materialized (
    select h.name, h.writer_id, h.chain, h.head_seq, h.head_hash, h.from_seq, f.seq, f.hash, f.broken
      from head h
      left join lateral tpv.follow_hash_chain(h.writer_id, h.chain, h.from_seq, h.from_hash, h.head_seq) f
        on h.head_seq >= h.from_seq
  ), stored as (
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select f.writer_id, f.chain, f.seq, f.hash from followed f where f.seq > f.from_seq
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at
  )
  select coalesce(jsonb_agg(jsonb_build_object(
           'chain', f.name, 'head_seq', f.head_seq, 'head_hash', encode(f.head_hash, 'hex'), 'from_seq', f.from_seq,
           'followed', case when f.seq is not null then
                         jsonb_build_object('seq', f.seq, 'hash', encode(f.hash, 'hex'), 'broken', f.broken) end,
           'next_seq', (select min(d.chain_seq) from wire.doc d
                         where d.node_id = f.writer_id and d.chain = f.chain
                           and d.chain_seq > f.seq and d.chain_seq <= f.head_seq)) order by f.name), '[]')
    from followed f;
end;
comment on function sync.follow_hash_chains(sync.peer) is
  'Follows the hash chains that a peer sends from where they were followed before to the heads that '
  'it named, link by link. Stores in sync.verified how far it came, and returns it.';

create or replace function sync.compare_with(of_peer sync.peer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  began timestamptz := clock_timestamp();
  is_central boolean;
  facts jsonb;
  differences integer;
  wants json;
  -- More hash chains than are followed at once.
  is_partly boolean := (
    select count(*) > 5000 from sync.peer_chain c left join sync.verified v on v.node_id = c.writer_id and v.chain = c.chain
     where c.node_id = of_peer.node_id and (c.chain_seq, c.hash) is distinct from (v.chain_seq, v.hash));
begin
  select n.kind = 'central' into is_central from org.node n where n.node_id = of_peer.node_id;
  facts := jsonb_build_object(
    'this_node', org.this_node(),
    'peer', of_peer.node_id,
    'peer_is_central', is_central,
    'reported', (select coalesce(jsonb_object_agg(v.writer_id, v.seq), '{}') from sync.peer_vector v where v.node_id = of_peer.node_id),
    'here', (select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') from sync.compared_until() k),
    'chains', sync.follow_hash_chains(of_peer),
    'open', (select coalesce(jsonb_agg(jsonb_build_object(
                      'what', d.what, 'subject', d.subject, 'from_seq', d.from_seq,
                      'waited_ms', (extract(epoch from began - d.requested_at) * 1000)::bigint)), '[]')
               from sync.drift d where d.node_id = of_peer.node_id and d.resolved_at is null));

  with found as materialized (
    select f.what, f.subject, f.from_seq, f.to_seq, f.detail, f.request from tpv.peer_differences(facts) f
     -- Operations that were accepted as missing are none, see sync.compared_until.
     where not exists (select from sync.accepted_drift a
                        where a.node_id = of_peer.node_id and a.what = f.what and a.what = 'restored' and a.subject = f.subject
                          and a.from_seq <= f.from_seq and a.to_seq >= f.to_seq)
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
       and not (is_partly and d.what in ('hash_chain', 'broken'))
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
  insert into sync.horizon as h (node_id, seq)
  select k.node_id, k.seq from sync.contiguous() k left join sync.horizon o on o.node_id = k.node_id
   where k.seq > coalesce(o.seq, 0)
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;

  if not is_central then
    perform sync.note_arrivals(of_peer.node_id);
  end if;

  if of_peer.whole_hlc is distinct from of_peer.beat_hlc then
    -- A heartbeat is missing, so what the peer wrote last in a hash chain may not be known. It is
    -- asked (sync.request_heads).
    differences := differences + 1;
  end if;
  if is_partly then
    differences := differences + 1;
  end if;
  return differences;
end $$;
comment on function sync.compare_with(sync.peer) is
  'Compares what a peer reported in its heartbeats with what is here (tpv.peer_differences '
  'decides), records the differences in sync.drift and requests what is missing. Returns how many '
  'differences there are; a missing heartbeat counts as one.';

create or replace function sync.note_verified(as_compared sync.peer) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with free as (
    select p.node_id from sync.peer p where p.node_id = as_compared.node_id for update skip locked
  )
  update sync.peer p
     set verified_until = as_compared.low_water, verified_at = clock_timestamp(),
         received_until = greatest(p.received_until, as_compared.low_water),
         -- What a store said of before it joined holds as far as it is here.
         joined_seq = case when p.verified_at is null and exists (
                             select from org.node n where n.node_id = p.node_id and n.kind = 'store')
                           then least(p.joined_seq, coalesce((select k.seq from sync.contiguous() k where k.node_id = p.node_id), 0))
                           else p.joined_seq end,
         gap_beat = case when p.gap_beat > as_compared.beat then p.gap_beat end
    from free f where p.node_id = f.node_id
$$;
comment on function sync.note_verified(sync.peer) is
  'Notes that all is here that a peer had reported when it was compared. Waits for nobody: a peer '
  'whose heartbeat is being received is noted the next time.';

create or replace function sync.forget_the_future() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Nothing is put off for longer than a quarter of an hour.
  update sync.request r set requested_at = clock_timestamp() where r.requested_at > clock_timestamp() + interval '20 minutes';
  update sync.served s
     set served_at = least(s.served_at, clock_timestamp()), snapshot_at = least(s.snapshot_at, clock_timestamp()),
         bytes_since = least(s.bytes_since, clock_timestamp())
   where greatest(s.served_at, s.snapshot_at, s.bytes_since) > clock_timestamp() + interval '20 minutes';
  update sync.drift d set requested_at = null
   where d.resolved_at is null and d.requested_at > clock_timestamp() + interval '20 minutes';
  update sync.peer p set heads_requested_at = null where p.heads_requested_at > clock_timestamp() + interval '20 minutes';
  update sync.quarantine q set try_at = clock_timestamp()
   where q.resolved_at is null and q.refused is null and q.try_at > clock_timestamp() + interval '20 minutes';
end $$;
comment on function sync.forget_the_future() is
  'Corrects times that this server noted while its clock was ahead. What was asked for then would be due when the '
  'right clock comes there. sync.reconcile calls it.';

create or replace function sync.reconcile() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  peer sync.peer;
  alike sync.peer[] := '{}';
  differences integer;
  open integer := 0;
begin
  begin
    lock table tpv_lock.reconcile in exclusive mode nowait;
  exception when lock_not_available then
    return null;
  end;
  perform sync.forget_the_future();
  perform sync.end_overdue_snapshots();
  perform sync.note_slots();
  -- Nobody joins for ever. What a store says of before it joined is otherwise cut when it is verified.
  with late as (
    select p.node_id, coalesce((select k.seq from sync.contiguous() k where k.node_id = p.node_id), 0) as seq
      from sync.peer p join org.node n on n.node_id = p.node_id and n.kind = 'store'
     where p.verified_at is null and p.added_at < clock_timestamp() - interval '7 days'
       for update of p skip locked
  )
  update sync.peer p set joined_seq = l.seq from late l
   where p.node_id = l.node_id and coalesce(p.joined_seq, l.seq + 1) > l.seq;
  for peer in select * from sync.peer p where p.beat is not null order by p.node_id loop
    begin
      differences := sync.compare_with(peer);
      if differences = 0 then
        alike := alike || peer;
      end if;
      open := open + differences;
    exception when others then
      -- What one peer says must not keep this node from comparing itself with the others.
      raise warning 'node % could not be compared with: %', peer.node_id, sqlerrm;
      open := open + 1;
    end;
  end loop;
  -- Last, and at once: the heartbeats of a peer wait for whoever has its row.
  foreach peer in array alike loop
    perform sync.note_verified(peer);
  end loop;
  return open;
end $$;
comment on function sync.reconcile() is
  'Compares this node with each of its peers. Returns how many differences there are; null while '
  'another session is doing it. pg_cron calls it each minute.';
grant execute on function sync.reconcile() to tpv_cron, tpv_operator;
