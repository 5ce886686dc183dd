create or replace function sync.note_arrivals(node integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.arrival (node_id, what, subject, seq)
  select note_arrivals.node, h.what, h.subject, h.seq
    from (select 'operations' as what, '' as subject, k.seq, interval '0' as pause
            from sync.contiguous() k where k.node_id = note_arrivals.node
          union all
          select 'hash_chain', v.chain, v.chain_seq, interval '1 day'
            from sync.verified v where v.node_id = note_arrivals.node) h
    left join lateral (
      select a.seq, a.at from sync.arrival a
       where a.node_id = note_arrivals.node and a.what = h.what and a.subject = h.subject
       order by a.at desc limit 1) last on true
   where last.at is null or (last.seq <> h.seq and last.at <= clock_timestamp() - h.pause)
  on conflict do nothing;
end;
comment on function sync.note_arrivals(integer) is
  'Notes up to which number operations and documents of a store are here now, where that has changed. '
  'Central does so each minute when it compares itself with the store.';

create or replace function sync.written_from(node integer, since timestamptz) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(
    (select a.seq + 1 from sync.arrival a
      where a.node_id = written_from.node and a.what = 'operations' and a.at <= written_from.since
      order by a.at desc limit 1),
    1);
end;
comment on function sync.written_from(integer, timestamptz) is
  'The first operation of a store that was not here at a moment, by central''s clock (sync.arrival): all '
  'from it on may have been written after that moment, whatever their stamps say. Where nothing of that '
  'moment or before was noted, all may be: from 1 on.';

create or replace function sync.documents_written(node integer, since timestamptz)
returns table (doc_id uuid, kind text, chain text, chain_seq bigint, hlc bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with chain as (
    select distinct d.chain from wire.doc d where d.node_id = documents_written.node
  ), start as (
    select c.chain, coalesce(
             (select a.seq + 1 from sync.arrival a
               where a.node_id = documents_written.node and a.what = 'hash_chain' and a.subject = c.chain
                 and a.at <= documents_written.since
               order by a.at desc limit 1),
             -- A hash chain of which nothing was noted by then is new, or may be.
             1) as from_seq
      from chain c
  )
  select d.doc_id, d.kind, d.chain, d.chain_seq, d.hlc
    from start s
    join wire.doc d on d.node_id = documents_written.node and d.chain = s.chain
     -- One before the beginning of its hash chain is in no place that was compared.
     and (d.chain_seq >= s.from_seq or d.chain_seq < 1)
   order by d.chain, d.chain_seq;
end;
comment on function sync.documents_written(integer, timestamptz) is
  'The documents of a store that were not here at a moment, as for sync.written_from. What was here of '
  'a hash chain is noted once a day, so there may be some of the day before.';
