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
  if wanted.what = 'operations' and (is_central or wanted.subject = here::text)
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
    sent := sync.send_snapshot(wanted.node_id);
  elsif wanted.what = 'operations' and (is_central or wanted.subject = here::text) then
    with part as (
      select o.*, (row_number() over (order by o.seq) - 1) / 500 as part from (
        select * from wire.op o
         where o.node_id = wanted.subject::integer and o.seq >= wanted.from_seq
           and (wanted.to_seq is null or o.seq <= wanted.to_seq)
         order by o.seq limit most) o
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'operations',
             json_build_object('operations', json_agg(json_build_array(
               p.node_id, p.seq, p.hlc, p.table_name, p.key, p.patch, p.base) order by p.seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.seq) into sent, last_seq from part p;
  elsif wanted.what = 'hash_chain' then
    -- Beforehand: only values that the planner takes for constants lead it along the index.
    select c.writer_id, c.chain into writer, name from tpv.hash_chain_called(wanted.subject, here) c;
    with part as (
      -- At most 100 documents or a megabyte; one that is larger goes alone.
      select d.*, (row_number() over chain - 1) / 100 as hundred,
             (sum(octet_length(d.body)) over chain - octet_length(d.body)) / 1000000 as megabyte
        from (
        select d.* from wire.doc d
         where d.node_id = writer and d.chain = name and d.chain_seq >= wanted.from_seq and (wanted.to_seq is null or d.chain_seq <= wanted.to_seq)
           -- A store gives central all that it writes. Central gives a store what is addressed to
           -- it.
           and (not is_central or d.to_node = wanted.node_id)
           and (is_central or d.node_id = here)
         order by d.chain_seq limit most) d
      window chain as (order by d.chain_seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'documents',
             json_build_object('documents', json_agg(json_build_object(
               'node_id', p.node_id, 'doc_id', p.doc_id, 'business_date', p.business_date, 'kind', p.kind,
               'to_node', p.to_node, 'hlc', p.hlc, 'schema_version', p.schema_version, 'chain', p.chain,
               'chain_seq', p.chain_seq, 'prev_hash', p.prev_hash, 'body', p.body, 'content_hash', p.content_hash) order by p.chain_seq))::text
        from part p group by p.hundred, p.megabyte order by p.hundred, p.megabyte
    )
    select count(*), max(p.chain_seq) into sent, last_seq from part p;
  end if;
  if wanted.what in ('operations', 'hash_chain') and sent = most then
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
  wanted sync.request;
  sent integer;
begin
  with next as (
    delete from sync.outgoing o where o.nth = (select min(f.nth) from sync.outgoing f) returning o.to_node, o.kind, o.body
  )
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  select org.this_node(), n.to_node, tpv.hlc_now(), n.kind, n.body from next n join sync.peer p on p.node_id = n.to_node;
  get diagnostics sent = row_count;
  if sent > 0 or exists (select from sync.outgoing) then
    return 1;
  end if;
  -- Operations before documents: a receipt waits in quarantine until the operation that tells of
  -- its store is here.
  select * into wanted from sync.request r where r.requested_at <= clock_timestamp() and r.what <> 'heads'
   order by r.what = 'snapshot' desc, r.what = 'operations' desc, r.requested_at limit 1 for update skip locked;
  if not found then
    return 0;
  end if;
  begin
    return sync.serve_request(wanted, serve_requests.most);
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
  'Sends the next part of what peers requested. Returns 0 if there was nothing to send. The '
  'background worker calls it.';
grant execute on function sync.serve_requests(integer) to tpv_worker;
