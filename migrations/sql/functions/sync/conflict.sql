create or replace function sync.resolve_conflict(table_name text, key text, column_name text, node_id integer,
                                                 seq bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tracked sync.tracked_table;
  before jsonb;
  value jsonb;
begin
  perform sync.refuse_secret(resolve_conflict.table_name);
  -- Alone among merges, and before any row is locked: see tpv.resolve_conflict.
  lock table tpv_lock.merge in exclusive mode;
  select * into tracked from sync.tracked_table e where e.table_name = resolve_conflict.table_name;
  if tracked.writer = 'central' and sync.is_joined_store() then
    raise exception '% is decided by central', table_name
      using errcode = '42501', hint = 'Resolve the conflict at central; the value arrives here by itself.';
  end if;
  if tracked.only_stricter ? resolve_conflict.column_name then
    execute format('select to_jsonb(t) -> %L from %s t where t.%I = $1::uuid',
                   column_name, tracked.table_name, tracked.key_column)
      into before using key;
  end if;
  value := tpv.resolve_conflict(table_name, key, column_name, node_id, seq);
  if sync.is_looser(tracked.only_stricter -> column_name, before, value) then
    raise exception '% of % only grows stricter', column_name, table_name
      using errcode = '23514',
        hint = format('Give a reason with sync.loosen(%L, %L, %L, value, why).', table_name, key, column_name);
  end if;
  insert into sync.resolution (table_name, key, column_name, node_id, seq, value)
  values (table_name, key, column_name, node_id, seq, value);
end $$;
comment on function sync.resolve_conflict(text, text, text, integer, bigint) is
  'Resolves a conflict: makes one of its values win. The value is written again, by an operation '
  'that has seen all the others.';
grant execute on function sync.resolve_conflict(text, text, text, integer, bigint) to tpv_operator;
