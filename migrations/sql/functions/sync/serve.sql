create or replace function sync.snapshot_was_sent(to_node integer, writer text, seq bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with sent as materialized (
    select s.body from wire.resend s
     where s.node_id = org.this_node() and s.to_node = snapshot_was_sent.to_node and s.kind = 'snapshot_end'
       and tpv.hlc_time(s.hlc) > clock_timestamp() - interval '5 minutes'
  )
  select exists (
    select from sent s
     where (s.body::json -> 'vector' ->> snapshot_was_sent.writer)::bigint >= snapshot_was_sent.seq);
end;
comment on function sync.snapshot_was_sent(integer, text, bigint) is
  'Whether a snapshot that covers this operation went to a peer in the last five minutes, so that it '
  'may still be on its way. A peer that asks after that gets another one.';

create or replace function sync.serve_request(wanted sync.request, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  last_seq bigint;
  writer integer;
  name text;
  sent integer := 0;
begin
  if not exists (select from sync.peer p where p.node_id = wanted.node_id) then
    delete from sync.request r where r.node_id = wanted.node_id;
    return 0;
  end if;
  -- Central believes no snapshot of a store that it has not asked for, so a store sends what it has.
  if wanted.what = 'operations' and is_central
     and wanted.from_seq <= (select h.seq from sync.horizon h where h.node_id::text = wanted.subject)
     and (wanted.from_seq <= (select p.seq from sync.pruned p where p.node_id::text = wanted.subject)
          or not exists (select from wire.op o where o.node_id = wanted.subject::integer and o.seq = wanted.from_seq)) then
    -- It came here in a snapshot, or left the journal, and can only be passed on in a snapshot.
    if sync.snapshot_was_sent(wanted.node_id, wanted.subject, wanted.from_seq) then
      -- It is on its way. The peer asks again if it lacks them all the same.
      delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
      return 1;
    end if;
    -- One snapshot has the operations of all writers.
    delete from sync.request r where r.node_id = wanted.node_id and r.what in ('operations', 'snapshot');
    wanted.what := 'snapshot';
  end if;
  if wanted.what = 'snapshot' then
    if is_central and sync.is_restored() then
      -- What it decided a second time, under numbers that were given, must not go to a store as its state.
      insert into sync.request as r (node_id, what, subject, requested_at)
      values (wanted.node_id, 'snapshot', wanted.subject, clock_timestamp() + interval '5 seconds')
      on conflict (node_id, what, subject) do update set requested_at = excluded.requested_at;
      return 1;
    end if;
    if is_central and exists (
         select from sync.served s
                where s.node_id = wanted.node_id and s.snapshot_at > clock_timestamp() - interval '5 minutes') then
      -- It had one a moment ago, of all rows. What it lacks all the same it asks for again.
      insert into sync.request as r (node_id, what, subject, requested_at)
      select wanted.node_id, 'snapshot', wanted.subject, s.snapshot_at + interval '5 minutes' from sync.served s where s.node_id = wanted.node_id
      on conflict (node_id, what, subject) do update set requested_at = excluded.requested_at;
      return 1;
    end if;
    -- Central names the one that it asks for.
    sent := sync.send_snapshot(wanted.node_id,
                               case when wanted.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then wanted.subject::uuid end);
    update sync.served s set snapshot_at = clock_timestamp() where s.node_id = wanted.node_id;
  elsif wanted.what = 'operations' and (is_central or wanted.subject = here::text) then
    with part as (
      -- At most 500 operations or some megabytes.
      select o.*, array[(row_number() over sized - 1) / 500,
                        sum(octet_length(o.patch) + octet_length(o.base)) over sized / 4000000] as part from (
        select * from wire.op o
         where o.node_id = wanted.subject::integer and o.seq >= wanted.from_seq
           and (wanted.to_seq is null or o.seq <= wanted.to_seq)
         order by o.seq limit most) o
      window sized as (order by o.seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'operations',
             json_build_object('operations', json_agg(json_build_array(
               p.node_id, p.seq, p.hlc, p.table_name, p.key, p.patch, p.base) order by p.seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.seq) into sent, last_seq from part p;
  elsif wanted.what = 'own' then
    -- It is small, and one row.
    perform sync.send(wanted.node_id, 'own', sync.what_it_has(wanted.node_id, wanted.from_seq)::text);
  elsif wanted.what in ('hash_chain', 'own_documents') then
    -- Beforehand: only values that the planner takes for constants lead it along the index.
    if wanted.what = 'hash_chain' then
      select c.writer_id, c.chain into writer, name from tpv.hash_chain_called(wanted.subject, here) c;
    else
      writer := wanted.node_id;
      name := wanted.subject;
    end if;
    with part as (
      -- At most 100 documents or a megabyte; one that is larger goes alone.
      select d.*, (row_number() over chain - 1) / 100 as hundred,
             (sum(octet_length(d.body)) over chain - octet_length(d.body)) / 1000000 as megabyte
        from (
        select d.*, false as is_second from wire.doc d
         where d.node_id = writer and d.chain = name and d.chain_seq >= wanted.from_seq and (wanted.to_seq is null or d.chain_seq <= wanted.to_seq)
           and (wanted.what = 'hash_chain' or is_central)
           -- A store gives central all that it writes. Central gives a store what is addressed to
           -- it.
           and (not is_central or d.to_node = wanted.node_id or wanted.what = 'own_documents')
           and (is_central or d.node_id = here)
        union all
        -- The same document in another place: see sync.second_place.
        select d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, s.hlc, d.schema_version, s.chain, s.chain_seq, s.prev_hash,
               d.body, s.content_hash, true
          from sync.second_place s
          join wire.doc d on d.node_id = s.node_id and d.doc_id = s.doc_id and d.business_date = s.business_date
         where s.node_id = writer and s.chain = name and s.chain_seq >= wanted.from_seq
           and (wanted.to_seq is null or s.chain_seq <= wanted.to_seq) and (wanted.what = 'own_documents') = is_central
         order by chain_seq limit most) d
      window chain as (order by d.chain_seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), case wanted.what when 'hash_chain' then 'documents' else 'own_documents' end,
             json_build_object('documents', json_agg(json_build_object(
               'node_id', p.node_id, 'doc_id', p.doc_id, 'business_date', p.business_date, 'kind', p.kind,
               'to_node', p.to_node, 'hlc', p.hlc, 'schema_version', p.schema_version, 'chain', p.chain,
               'chain_seq', p.chain_seq, 'prev_hash', p.prev_hash, 'body', p.body, 'content_hash', p.content_hash,
               'second', case when p.is_second then true end) order by p.chain_seq))::text
        from part p group by p.hundred, p.megabyte order by p.hundred, p.megabyte
    )
    select count(*), max(p.chain_seq) into sent, last_seq from part p;
  end if;
  if wanted.what in ('operations', 'hash_chain', 'own_documents') and sent = most then
    update sync.request r set from_seq = last_seq + 1
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  else
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  end if;
  return greatest(sent, 1);
end $$;
comment on function sync.serve_request(sync.request, integer) is
  'Sends the next part of what a peer requested.';

create or replace function sync.serve_requests(most integer default 2000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- Central sends a store no more than this in five minutes. What somebody needs after months comes
  -- in a snapshot. A store sends central all that it has.
  most_bytes bigint := case when exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central')
                            then 256000000 else 9000000000000000000 end;
  turn integer;
  wanted sync.request;
  sent integer;
  began pg_lsn := pg_current_wal_insert_lsn();
begin
  update sync.served s set bytes = 0, bytes_since = clock_timestamp()
   where s.bytes > 0 and s.bytes_since < clock_timestamp() - interval '5 minutes';
  -- The peers take turns: whoever asks for more and more waits for the others.
  select p.node_id into turn
    from sync.peer p left join sync.served s on s.node_id = p.node_id
   where exists (select from sync.outgoing o where o.to_node = p.node_id)
      or exists (select from sync.request r
                  where r.node_id = p.node_id and r.requested_at <= clock_timestamp() and r.what <> 'heads'
                    and coalesce(s.bytes, 0) < most_bytes)
   order by s.served_at nulls first, p.node_id limit 1;
  if not found then
    delete from sync.outgoing o where not exists (select from sync.peer p where p.node_id = o.to_node);
    return 0;
  end if;
  insert into sync.served as s (node_id, served_at) values (turn, clock_timestamp())
  on conflict (node_id) do update set served_at = excluded.served_at;
  with part as (
    delete from sync.outgoing o where o.nth = (select min(f.nth) from sync.outgoing f where f.to_node = turn)
    returning o.to_node, o.kind, o.body
  )
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  select org.this_node(), p.to_node, tpv.hlc_now(), p.kind, p.body from part p;
  if found then
    return 1;
  end if;
  -- Operations before documents: a receipt waits in quarantine until the operation that tells of
  -- its store is here.
  select * into wanted from sync.request r
   where r.node_id = turn and r.requested_at <= clock_timestamp() and r.what <> 'heads'
     and exists (select from sync.served s where s.node_id = turn and s.bytes < most_bytes)
   order by r.what = 'own' desc, r.what = 'snapshot' desc, r.what = 'operations' desc, r.requested_at limit 1 for update skip locked;
  if not found then
    -- It is just being repeated, or the peer has had enough.
    return 1;
  end if;
  begin
    sent := sync.serve_request(wanted, serve_requests.most);
    update sync.served s set bytes = s.bytes + pg_wal_lsn_diff(pg_current_wal_insert_lsn(), began)::bigint where s.node_id = turn;
    return sent;
  exception when others then
    -- A request that cannot be served must not keep the background worker from the others, nor from
    -- heartbeats.
    raise warning 'the request of node % could not be served: %', wanted.node_id, sqlerrm;
    update sync.request r set requested_at = clock_timestamp() + interval '1 minute'
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    return 1;
  end;
end $$;
comment on function sync.serve_requests(integer) is
  'Sends the next part of what peers requested, to each in turn. Returns 0 if there was nothing to '
  'send. The background worker calls it.';
grant execute on function sync.serve_requests(integer) to tpv_worker;
