create or replace function sync.capture_undone() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- The first of a row writes for all of them: what one call takes back has one moment.
  if not exists (select from sync.undone u
                  where u.table_name = new.table_name and u.key = new.key and u.at = new.at and u.undone_id < new.undone_id) then
    perform tpv.decide_undone(new.table_name, new.key, jsonb_object_agg(u.column_name, u.value))
       from sync.undone u where u.table_name = new.table_name and u.key = new.key and u.at = new.at;
  end if;
  return null;
end $$;
comment on function sync.capture_undone() is
  'Writes the operation that takes something back of a row, at the end of the transaction like every other.';

create or replace function sync.written_by(store text, since timestamptz, since_seq bigint default null)
returns table (what text, seq bigint, written_at timestamptz, table_name text, key text, column_name text,
  value_before jsonb, value_written jsonb, value_now jsonb, state text, undo text, detail text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  node integer := sync.store_number(store);
begin
  if written_by.since is null and written_by.since_seq is null then
    raise exception 'since when is required' using errcode = '22004', hint = 'Give a moment, or the number of an operation.';
  end if;
  return query
    select * from (
      select 'operation' as what, w.seq, tpv.hlc_time(w.hlc), w.table_name, w.key, w.column_name, w.value_before, w.value_written,
             w.value_now, w.state, w.undo, w.detail
        from tpv.written_by(node, coalesce(since_seq, sync.written_from(node, since))) w
      union all
      select 'document', d.chain_seq, tpv.hlc_time(d.hlc), 'wire.doc', d.doc_id::text, d.kind, null, null, null, 'fact', null,
             case d.chain when '' then 'in the hash chain of the node' else format('in hash chain %s', d.chain) end
        from sync.documents_written(node, since) d) t
     order by t.what desc, case when t.what = 'document' then t.detail end, t.seq, t.table_name, t.key, t.column_name;
end $$;
comment on function sync.written_by(text, timestamptz, bigint) is
  'What a store may have written since a moment, as far as it came here: each value that an operation of it '
  'wrote, what it replaced, what is there now, whether it still stands (state), and what '
  'sync.undo_written would make of it (undo); and each of its documents, which are facts and stay. The moment '
  'is one of central''s clock (sync.arrival): the clock of a stolen machine says what its thief likes. '
  'since_seq is the number of the first operation, for who knows better.';

create or replace function sync.undo_written(store text, since timestamptz, why text, since_seq bigint default null)
returns table (seq bigint, table_name text, key text, column_name text, value_written jsonb, value jsonb, outcome text, detail text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  node integer := sync.store_number(store);
  moment timestamptz := clock_timestamp();
  from_seq bigint;
begin
  -- Alone among merges, and before any row is locked: see tpv.undo_written.
  lock table tpv_lock.merge in exclusive mode;
  perform sync.require_central();
  if coalesce(undo_written.why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  if undo_written.since is null and undo_written.since_seq is null then
    raise exception 'since when is required' using errcode = '22004', hint = 'sync.written_by shows what would be taken back.';
  end if;
  from_seq := coalesce(since_seq, sync.written_from(node, since));
  insert into sec.audit (event, subject, detail)
  values ('WRITTEN_UNDONE', format('node %s, from its operation %s on', node, from_seq), undo_written.why);
  -- What cannot be read yet would be merged when it can be. Every node hears of it by the ban.
  update org.ban b set undone_seq = least(b.undone_seq, from_seq)
   where b.node_id = node and b.lifted_at is null and not b.deleted
     and from_seq <= b.last_seq and (b.undone_seq is null or b.undone_seq > from_seq);
  return query
    with found as materialized (
      select f.seq, f.table_name, f.key, f.column_name, f.value_written, f.value, f.outcome, f.detail
        from tpv.undo_written(node, from_seq) f
    ), noted as (
      -- A row that is deleted keeps its values.
      insert into sync.undone (at, node_id, seq, table_name, key, column_name, value_written, value, why)
      select moment, node, f.seq, f.table_name, f.key, f.column_name, f.value_written, f.value, undo_written.why
        from found f where f.outcome = 'restored' or (f.outcome = 'deleted' and f.column_name = '@exists')
    )
    , unread as (
      update sync.quarantine q
         set resolved_at = clock_timestamp(), detail = q.detail || format(' (taken back by %s: %s)', sec.actor(), undo_written.why)
       where q.node_id = node and q.seq >= from_seq and q.resolved_at is null
         and (q.code = 'ERASURE_LIMIT' or (q.code like 'OPERATION%' and q.refused is null))
      returning q.seq, q.kind, q.key, q.code
    )
    select t.* from (
      select f.seq, f.table_name, f.key, f.column_name, f.value_written, f.value, f.outcome, f.detail from found f
      union all
      select u.seq, u.kind, u.key, null, null, null, 'dismissed',
             case u.code when 'ERASURE_LIMIT' then 'it waited for a person, and erases nothing any more'
                         else format('it could not be read (%s), and is not merged any more', u.code) end
        from unread u) t (seq, table_name, key, column_name, value_written, value, outcome, detail)
     order by t.seq, t.table_name, t.key, t.column_name;
end $$;
comment on function sync.undo_written(text, timestamptz, text, bigint) is
  'Takes back what a store wrote since a moment, at central: in each column where a value of it still stands, '
  'what it replaced stands again; a row that it made, and nobody else wrote, is deleted. What somebody wrote '
  'who had seen its value stays. Answers a row for each value, with its outcome: restored, deleted; or not '
  'undone: unknown (the value before has left the journal), erased, left (detail says why), refused by the '
  'table. What waited and could not be read is dismissed, and merged by no node any more. Can be repeated; sync.undone keeps what was done. since and since_seq are as for sync.written_by.';
