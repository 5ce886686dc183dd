create or replace function sync.note_touched() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into sync.touched (at, entity, key)
  values (now(), format('%I.%I', tg_table_schema, tg_table_name), (to_jsonb(new) ->> tg_argv[0])::uuid);
  return null;
end $$;
comment on function sync.note_touched() is
  'Trigger of tracked tables: the fold is to number the change. The argument names the column of the key.';
