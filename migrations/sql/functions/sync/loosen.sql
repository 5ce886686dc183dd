create or replace function sync.loosen(table_name text, key uuid, column_name text, value text, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  tracked sync.tracked_table;
  changed bigint;
begin
  perform sync.refuse_secret(loosen.table_name);
  select * into tracked from sync.tracked_table e where e.table_name = loosen.table_name;
  if not coalesce(tracked.only_stricter ? loosen.column_name, false) then
    raise exception 'that column can be updated like any other' using errcode = '22023';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023';
  end if;
  insert into sync.loosening (table_name, key, column_name, value, why) values (table_name, key, column_name, value, why);
  execute format('update %s t set %I = $1::%s where t.%I = $2', tracked.table_name, column_name,
                 (select format_type(a.atttypid, a.atttypmod) from pg_attribute a
                   where a.attrelid = to_regclass(tracked.table_name) and a.attname = loosen.column_name), tracked.key_column)
    using value, key;
  get diagnostics changed = row_count;
  if changed = 0 then
    raise exception 'there is no row of % with that key', table_name using errcode = 'P0002';
  end if;
end $$;
comment on function sync.loosen(text, uuid, text, text, text) is
  'Sets a column that only grows stricter to a looser value. sync.loosening keeps the reason, and '
  'who did it.';
grant execute on function sync.loosen(text, uuid, text, text, text) to tpv_operator;
