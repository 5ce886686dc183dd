create or replace function sync.capture() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  perform tpv.capture_change(tg_table_schema || '.' || tg_table_name,
                             case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new));
  return null;
end $$;
comment on function sync.capture() is
  'Turns a change of a tracked row into an operation, at the end of the transaction.';

create or replace function sync.capture_resolution() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tpv.decide(new.table_name, new.key, new.column_name, new.value);
  return null;
end $$;
comment on function sync.capture_resolution() is
  'Writes the operation of a resolution, at the end of the transaction like every other.';
