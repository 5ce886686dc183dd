create or replace function sync.make_alias(table_name text, key uuid, of_key uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tracked sync.tracked_table;
  changed bigint;
begin
  perform sync.refuse_secret(make_alias.table_name);
  select * into tracked from sync.tracked_table e where e.table_name = make_alias.table_name;
  if tracked.table_name is null or tracked.duplicates = '{}' then
    raise exception 'rows of that table have no aliases'
      using errcode = '22023', hint = 'Give sync.track an argument duplicates; it adds column alias_of.';
  end if;
  execute format('update %s t set alias_of = $1 where t.%I = $2', tracked.table_name, tracked.key_column) using of_key, key;
  get diagnostics changed = row_count;
  if changed = 0 then
    raise exception 'there is no row of % with that key', table_name using errcode = 'P0002';
  end if;
end $$;
comment on function sync.make_alias(text, uuid, uuid) is
  'Makes a row an alias of the row that it duplicates; null makes it a row of its own again. The '
  'change reaches every node.';
grant execute on function sync.make_alias(text, uuid, uuid) to tpv_operator;

create or replace function sync.canonical_key(table_name text, key uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.canonical_key(table_name, key::text)::uuid $$;
comment on function sync.canonical_key(text, uuid) is
  'The key of the row that this one is an alias of, directly or by way of other aliases; its own '
  'key if it is no alias.';
grant execute on function sync.canonical_key(text, uuid) to tpv_operator;

create or replace function sync.duplicates() returns table (table_name text, kind text, keys uuid[], shared jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  same record;
begin
  for same in
    select e.table_name, e.key_column, d.key as kind, array_agg(c order by c) as columns
      from sync.tracked_table e cross join jsonb_each(e.duplicates) d cross join jsonb_array_elements_text(d.value) c
     -- Operators call it, and read nothing of schema sec.
     where to_regclass(e.table_name) is not null and not starts_with(e.table_name, 'sec.')
     group by e.table_name, e.key_column, d.key order by e.table_name, d.key
  loop
    return query execute format(
      'select %L, %L, array_agg(t.%I order by t.%I), jsonb_build_object(%s) from %s t '
      'where not t.deleted and t.alias_of is null and %s group by %s having count(*) > 1 order by 3',
      same.table_name, same.kind, same.key_column, same.key_column,
      (select string_agg(format('%L, lower(t.%I::text)', c, c), ', ' order by c) from unnest(same.columns) c), same.table_name,
      (select string_agg(format('t.%I is not null', c), ' and ') from unnest(same.columns) c),
      (select string_agg(format('lower(t.%I::text)', c), ', ' order by c) from unnest(same.columns) c));
  end loop;
end $$;
comment on function sync.duplicates() is 'The rows of sync.duplicate.';
grant execute on function sync.duplicates() to tpv_operator;

create or replace view sync.duplicate with (security_invoker = true) as
  select d.table_name, d.kind, d.keys, d.shared from sync.duplicates() d;
comment on view sync.duplicate is
  'Rows with the same values where no two rows may share them, made at two nodes. sync.make_alias '
  'resolves it. Deleted rows and aliases are left out.';
comment on column sync.duplicate.table_name is 'The table.';
comment on column sync.duplicate.kind is 'The name of the rule, as in sync.track.';
comment on column sync.duplicate.keys is 'The rows.';
comment on column sync.duplicate.shared is 'The values that they share.';
grant select on sync.duplicate to tpv_operator;
