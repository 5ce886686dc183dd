create or replace function sync.reconcile_with(peer integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  began timestamptz := clock_timestamp();
  of_peer sync.peer;
  is_central boolean;
  missing record;
  head record;
  followed record;
  before_next bigint;
  seen text[] := '{}';
  wants json;
begin
  select * into of_peer from sync.peer p where p.node_id = reconcile_with.peer and p.beat is not null;
  if not found then
    return 0;
  end if;
  select n.kind = 'central' into is_central from org.node n where n.node_id = reconcile_with.peer;

  -- A store answers for its own operations, central for those of all.
  for missing in
    select v.node_id, coalesce(k.seq, 0) + 1 as from_seq, v.seq as to_seq
      from (select key::integer as node_id, value::bigint as seq from json_each_text(of_peer.ops::json)) v
      left join sync.contiguous() k on k.node_id = v.node_id
     where (is_central or v.node_id in (reconcile_with.peer, org.this_node())) and v.seq > coalesce(k.seq, 0)
  loop
    if missing.node_id = org.this_node() then
      seen := seen || sync.note_drift(reconcile_with.peer, 'restored', missing.node_id::text, missing.from_seq, missing.to_seq,
        format('this node does not know its own operations %s to %s any more: it was restored from a backup, and gets them back as state', missing.from_seq, missing.to_seq));
    else
      seen := seen || sync.note_drift(reconcile_with.peer, 'operations', missing.node_id::text, missing.from_seq, missing.to_seq,
        format('operations %s to %s of node %s are missing here', missing.from_seq, missing.to_seq, missing.node_id));
    end if;
  end loop;

  -- Documents come from the store that wrote them.
  for head in
    select c.key as chain, (c.value ->> 0)::bigint as seq, decode(c.value ->> 1, 'hex') as hash,
           coalesce(v.chain_seq, 0) as from_seq, coalesce(v.hash, decode(repeat('00', 32), 'hex')) as from_hash
      from json_each(of_peer.chains::json) c
      left join sync.verified v on v.node_id = reconcile_with.peer and v.chain = c.key
     where not is_central
     order by 1
  loop
    if head.seq < head.from_seq then
      seen := seen || sync.note_drift(reconcile_with.peer, 'broken', head.chain, head.seq + 1, head.from_seq,
        'the chain at the peer is shorter than it was: was the peer restored from a backup?');
      continue;
    end if;
    select * into followed from tpv.follow_hash_chain(reconcile_with.peer, head.chain, head.from_seq, head.from_hash, head.seq);
    if followed.seq > head.from_seq then
      insert into sync.verified as v (node_id, chain, chain_seq, hash)
      values (reconcile_with.peer, head.chain, followed.seq, followed.hash)
      on conflict (node_id, chain) do update
        set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at;
    end if;
    if followed.broken is not null or (followed.seq = head.seq and followed.hash <> head.hash) then
      seen := seen || sync.note_drift(reconcile_with.peer, 'broken', head.chain, followed.seq + 1, head.seq,
        coalesce(followed.broken, 'the peer names another document as its last'));
    elsif followed.seq < head.seq then
      select min(d.chain_seq) - 1 into before_next from wire.doc d
       where d.node_id = reconcile_with.peer and d.chain = head.chain and d.chain_seq > followed.seq and d.chain_seq <= head.seq;
      before_next := coalesce(before_next, head.seq);
      seen := seen || sync.note_drift(reconcile_with.peer, 'hash_chain', head.chain, followed.seq + 1, before_next,
        format('documents %s to %s of chain %L are missing here', followed.seq + 1, before_next, head.chain));
    end if;
  end loop;

  update sync.drift d set resolved_at = clock_timestamp()
   where d.node_id = reconcile_with.peer and d.resolved_at is null and d.what || ' ' || d.subject <> all (seen);
  with asked as (
    update sync.drift d set requested_at = clock_timestamp()
     where d.node_id = reconcile_with.peer and d.resolved_at is null and d.what in ('operations', 'hash_chain', 'restored')
       and (d.requested_at is null or d.requested_at < began - interval '50 seconds')
    returning d.what, d.subject, d.from_seq, d.to_seq
  )
  select json_agg(case a.what when 'restored' then json_build_object('what', 'snapshot')
                       else json_build_object('what', a.what, 'subject', a.subject, 'from', a.from_seq, 'to', a.to_seq) end) into wants
    from asked a;
  if wants is not null then
    perform sync.request(reconcile_with.peer, wants);
  end if;

  -- What is known without a gap need not be counted again.
  insert into sync.horizon as h (node_id, seq) select k.node_id, k.seq from sync.contiguous() k where k.seq > 0
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;

  if cardinality(seen) = 0 then
    update sync.peer p
       set verified_until = of_peer.low_water, verified_at = clock_timestamp(),
           received_until = greatest(p.received_until, of_peer.low_water),
           gap_beat = case when p.gap_beat > of_peer.beat then p.gap_beat end
     where p.node_id = reconcile_with.peer;
  end if;
  return cardinality(seen);
end $$;
comment on function sync.reconcile_with(integer) is
  'Compares what a peer said in its last beat with what is here, puts differences into sync.drift and asks for what is missing. Answers how many differences there are.';

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
  'Compares this node with each of its peers. Answers how many differences there are; null when another session is at it. pg_cron calls it each minute.';
grant execute on function sync.reconcile() to tpv_cron, tpv_operator;
