create or replace function sync.request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.send(request.peer, 'request', json_build_object('wants', request.wants)::text);
end;
comment on function sync.request(integer, json) is
  'Requests rows from a peer: [{"what": "hash_chain", "subject": "T01", "from": 12, "to": 20}, …].';

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

-- Goes from chain to chain along the index. Reading sync.hash_chain would be quicker, but documents
-- must be found even if the head of their chain is lost.
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

create or replace function sync.receive_request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.request as r (node_id, what, subject, from_seq, to_seq)
  select receive_request.peer, w.what, w.subject, min(w.from_seq),
         nullif(max(coalesce(w.to_seq, 9223372036854775807)), 9223372036854775807)
    from (
      select w.what, coalesce(c.chain, w.subject, '') as subject, coalesce(w."from", 1) as from_seq, w."to" as to_seq
        from json_to_recordset(receive_request.wants) as w (what text, subject text, "from" bigint, "to" bigint)
        left join sync.own_hash_chains() c (chain) on w.what = 'hash_chain' and w.subject = '*'
       where (w.what in ('documents', 'snapshot')
              or (w.what = 'hash_chain' and (w.subject is distinct from '*' or c.chain is not null))
              or (w.what = 'operations' and w.subject ~ '^[0-9]{1,9}$'))
    ) w
   group by 2, 3
  on conflict (node_id, what, subject) do update
    set from_seq = least(r.from_seq, excluded.from_seq),
        to_seq = case when r.to_seq is null or excluded.to_seq is null then null else greatest(r.to_seq, excluded.to_seq) end;
end;
comment on function sync.receive_request(integer, json) is 'Puts the requests of a peer into sync.request.';
grant execute on function sync.receive_request(integer, json) to tpv_apply;
