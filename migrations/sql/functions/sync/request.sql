create or replace function sync.request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.send(request.peer, 'request', json_build_object('wants', request.wants)::text);
end;
comment on function sync.request(integer, json) is
  'Requests rows from a peer: [{"what": "hash_chain", "subject": "T01", "from": 12, "to": 20}, …].';

create or replace function sync.request_heads() returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with free as (
    -- A row that somebody has is left for the next time: the background worker waits for nobody.
    select p.node_id from sync.peer p
     where p.beat_hlc is distinct from p.whole_hlc
       and coalesce(p.heads_requested_at < clock_timestamp() - interval '50 seconds', true)
       for update skip locked
  ), missed as (
    update sync.peer p set heads_requested_at = clock_timestamp() from free f where p.node_id = f.node_id
    returning p.node_id
  ), requested as (
    select sync.request(m.node_id, json_build_array(json_build_object('what', 'heads'))) from missed m
  )
  select count(*)::integer from requested
$$;
comment on function sync.request_heads() is
  'Asks each peer of which a heartbeat is missing here to name all its hash chains in its next one; '
  'again after 50 seconds. Returns how many were asked. The background worker calls it.';
grant execute on function sync.request_heads() to tpv_worker;

create or replace function sync.request_all(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.request(request_all.peer, json_build_array(
    json_build_object('what', 'operations', 'subject', request_all.peer::text,
                      'from', coalesce((select k.seq from sync.contiguous() k where k.node_id = request_all.peer), 0) + 1),
    json_build_object('what', 'hash_chain', 'subject', '*'),
    json_build_object('what', 'documents')));
end;
comment on function sync.request_all(integer) is
  'Requests from a peer everything of its own that may be missing here.';

-- Both go from chain to chain along an index. Reading sync.hash_chain would be quicker, but
-- documents must be found even if the head of their chain is lost.
create or replace function sync.own_hash_chains() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive own (chain) as (
    select min(d.chain) from wire.doc d where d.node_id = org.this_node()
    union all
    select (select min(d.chain) from wire.doc d where d.node_id = org.this_node() and d.chain > own.chain)
      from own where own.chain is not null
  )
  select own.chain from own where own.chain is not null;
end;
comment on function sync.own_hash_chains() is 'The hash chains of the documents that this node wrote.';

create or replace function sync.addressed_hash_chains(to_node integer) returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive first (node_id, chain) as (
    select d.node_id, d.chain from wire.doc d where d.to_node = addressed_hash_chains.to_node order by 1, 2 limit 1
  ), addressed (node_id, chain) as (
    select f.node_id, f.chain from first f
    union all
    select n.node_id, n.chain
      from addressed a
     cross join lateral (
       select d.node_id, d.chain from wire.doc d
        where d.to_node = addressed_hash_chains.to_node and (d.node_id, d.chain) > (a.node_id, a.chain)
        order by 1, 2 limit 1) n
  )
  select case when a.node_id = org.this_node() then a.chain else a.node_id || a.chain end from addressed a;
end;
comment on function sync.addressed_hash_chains(integer) is
  'The hash chains of the documents here that are addressed to a node, as this node calls them.';

create or replace function sync.receive_request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.request as r (node_id, what, subject, from_seq, to_seq)
  select receive_request.peer, w.what, w.subject, min(w.from_seq),
         nullif(max(coalesce(w.to_seq, 9223372036854775807)), 9223372036854775807)
    from (
      select w.what,
             case when w.what not in ('snapshot', 'heads') then w.subject
                  -- Central names the snapshot that it asks a store for.
                  when w.what = 'snapshot' and c.asks and w.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then w.subject
                  else '' end as subject,
             coalesce(w."from", 1) as from_seq, w."to" as to_seq
        from json_to_recordset(receive_request.wants) as w (what text, subject text, "from" bigint, "to" bigint)
       cross join (select exists (select from org.node n
                                   where n.node_id = receive_request.peer and n.kind = 'central') as asks,
                           exists (select from org.node n
                                    where n.node_id = org.this_node() and n.kind = 'central') as is_central) c
       -- Only what is here, so that a peer cannot fill the table.
       where w.what in ('snapshot', 'heads')
          or (w.what = 'own_documents' and c.is_central
              and exists (select from wire.doc d where d.node_id = receive_request.peer and d.chain = w.subject))
          or (w.what = 'hash_chain' and w.subject is distinct from '*'
              and exists (select from tpv.hash_chain_called(w.subject, org.this_node()) c
                          join wire.doc d on d.node_id = c.writer_id and d.chain = c.chain))
          or (w.what = 'operations' and w.subject in (select k.node_id::text from sync.contiguous() k))
      union all
      -- Chain by chain, so that each is sent in parts.
      select 'hash_chain', c.chain, 1, null
        from json_to_recordset(receive_request.wants) as w (what text, subject text)
       cross join lateral (
         select o.chain from sync.own_hash_chains() o (chain) where w.what = 'hash_chain' and w.subject = '*'
         union all
         select a.chain from sync.addressed_hash_chains(receive_request.peer) a (chain) where w.what = 'documents') c
    ) w
   group by 2, 3
  on conflict (node_id, what, subject) do update
    set from_seq = least(r.from_seq, excluded.from_seq),
        to_seq = case when r.to_seq is null or excluded.to_seq is null then null else greatest(r.to_seq, excluded.to_seq) end;
end;
comment on function sync.receive_request(integer, json) is
  'Puts the requests of a peer into sync.request. Hash chain * is each chain that this node writes; '
  'documents are those that are addressed to the peer.';
grant execute on function sync.receive_request(integer, json) to tpv_apply;
