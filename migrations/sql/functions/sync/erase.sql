create or replace function sync.is_erased(table_name text, key text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- Not by jsonb: heads may hold a U+0000, which it refuses.
  select tpv.is_erased(is_erased.table_name, is_erased.key);
end;
comment on function sync.is_erased(text, text) is 'Whether a row was erased, as far as this node knows.';

create or replace function sync.blank_operation(node_id integer, seq bigint, patch text, base text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update wire.op o set patch = blank_operation.patch, base = blank_operation.base
   where o.node_id = blank_operation.node_id and o.seq = blank_operation.seq;
end;
comment on function sync.blank_operation(integer, bigint, text, text) is
  'Takes the values out of an operation. The trigger of wire.op refuses it, except while the '
  'extension erases a row, and then everything but this.';
grant execute on function sync.blank_operation(integer, bigint, text, text) to tpv_apply;

create or replace function sync.blank_records(table_name text, key text, is_new boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Only what was erased: whoever may call this may call it for any row.
  if not sync.is_erased(table_name, key) then
    return;
  end if;
  delete from sync.sibling s
   where s.table_name = blank_records.table_name and s.key = blank_records.key and s.column_name not like '@%';
  -- Its row needs nothing more than this node has. What cannot be read still has to be.
  update sync.quarantine q
     set detail = 'The row was erased.',
         resolved_at = case when q.code like 'OPERATION%' then q.resolved_at else coalesce(q.resolved_at, clock_timestamp()) end
   where q.kind = blank_records.table_name and q.key = blank_records.key and q.detail <> 'The row was erased.';
  -- Copies of what was not stored. The second kind has whole parts of snapshots, or many
  -- operations, or is no JSON. A key is a whole uuid (OPERATION_KEY), so it is in no other body by
  -- chance.
  update sync.quarantine q
     set refused = q.refused - 'patch' - 'base'
   where q.kind = blank_records.table_name and q.refused ->> 'key' = blank_records.key and q.refused ? 'patch';
  update sync.quarantine q
     set refused = q.refused - 'body'
   where q.kind like 'resend %' and strpos(q.refused ->> 'body', blank_records.key) > 0;
  update sync.resolution r
     set value = 'null', column_name = substring(r.column_name from '^[^/+]*')
   where r.table_name = blank_records.table_name and r.key = blank_records.key
     and (r.value <> 'null' or r.column_name ~ '[/+]');
  update sync.undone u
     set value_written = null, value = 'null', column_name = substring(u.column_name from '^[^/+]*')
   where u.table_name = blank_records.table_name and u.key = blank_records.key and u.column_name not like '@%'
     and (u.value <> 'null' or u.value_written is not null or u.column_name ~ '[/+]');
  update sync.loosening l
     set value = null, why = 'The row was erased.'
   where l.table_name = blank_records.table_name and l.key::text = blank_records.key and l.why <> 'The row was erased.';
  -- A request under the same key is not done again.
  update sec.idempotency i set answer = '{}' where strpos(i.answer, blank_records.key) > 0;
  if is_new then
    insert into sec.audit (event, subject, detail)
    values ('ERASED', format('%s %s', blank_records.table_name, blank_records.key), 'the values of the row were erased at this node');
  end if;
end $$;
comment on function sync.blank_records(text, text, boolean) is
  'Takes the values of an erased row out of conflicts, quarantine, resolutions, loosenings, what was undone, and answers '
  'that are kept for repeated requests. What is new to this node is a security event.';
grant execute on function sync.blank_records(text, text, boolean) to tpv_apply;

create or replace function sync.capture_erasure() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tpv.erase(new.table_name, new.key);
  return null;
end $$;
comment on function sync.capture_erasure() is
  'Writes the operation of an erasure, at the end of the transaction like every other.';

create or replace function sync.erase(table_name text, key uuid, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  tracked sync.tracked_table;
  image jsonb;
  repeated text;
begin
  -- Alone among merges, and before any row is locked: see tpv.empty_row.
  lock table tpv_lock.merge in exclusive mode;
  select * into tracked from sync.tracked_table e where e.table_name = erase.table_name;
  if tracked.table_name is null then
    raise exception 'that table is not tracked' using errcode = '22023';
  end if;
  if tracked.writer = 'central' and sync.is_joined_store() then
    raise exception '% is decided by central', table_name
      using errcode = '42501', hint = 'Erase the row at central.';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'Name the request, such as its number, and not the person.';
  end if;
  -- Central takes more on a day, so that several days without a line may come at once.
  if sync.is_joined_store() and (
    select count(*) = 200 and min(e.at) >= current_date
      from (select l.at from sync.erasure l order by l.erasure_id desc limit 200) e) then
    raise exception 'this store has erased 200 rows today' using errcode = '55000',
      hint = 'Erase the row at central, or tomorrow.';
  end if;
  execute format('select to_jsonb(t) from %s t where t.%I = $1', tracked.table_name, tracked.key_column) into image using key;
  -- The reason stays. Short values, and the words of a scale, stand in sentences by chance.
  select c.key into repeated
    from jsonb_each(image - tracked.key_column) c
    cross join lateral jsonb_path_query(c.value, 'strict $.**') v
   where jsonb_typeof(v) = 'string' and length(v #>> '{}') > 3 and not tracked.only_stricter ? c.key
     and strpos(lower(why), lower(v #>> '{}')) > 0
   limit 1;
  if repeated is not null then
    raise exception 'the reason repeats a value that is to be erased' using errcode = '22023',
      detail = format('Column %s holds it.', repeated), hint = 'Name the request, such as its number, and not the person.';
  end if;
  perform tpv.empty_row(table_name, key::text);
  insert into sync.erasure (table_name, key, why) values (table_name, key::text, why);
end $$;
comment on function sync.erase(text, uuid, text) is
  'Takes every value out of a row, at every node and for ever. Number and time of what was written '
  'stay. sync.erasure keeps the reason, and who did it.';
