create or replace function sync.track(table_name text, writer text default null, groups jsonb default null, owner_column text default null,
                           duplicates jsonb default null, only_stricter jsonb default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set client_min_messages = 'warning' as $$
declare
  relation regclass := to_regclass(table_name);
  key_name text;
  said text := '';
  before sync.tracked_table;
  after sync.tracked_table;
  same record;
  existing bigint;
begin
  table_name := relation::text;
  select * into before from sync.tracked_table e where e.table_name = track.table_name;
  -- What is left out is as it was.
  writer := coalesce(writer, before.writer, 'any');
  groups := coalesce(groups, before.groups, '{}');
  owner_column := coalesce(owner_column, before.owner_column);
  duplicates := coalesce(duplicates, before.duplicates, '{}');
  only_stricter := coalesce(only_stricter, before.only_stricter, '{}');
  -- Whose word counts is part of what every operation came to, at each node.
  if writer <> before.writer and exists (select from sync.head h where h.table_name = track.table_name) then
    raise exception '% is written by % already', table_name, before.writer using errcode = '55000',
      hint = 'the writer of a table can be changed only before anybody has written it';
  end if;
  key_name := sync.check_table(relation, writer, groups, owner_column, duplicates, only_stricter);
  if not exists (select from pg_attribute a where a.attrelid = relation and a.attname = 'deleted' and not a.attisdropped) then
    execute format('alter table %s add column deleted boolean not null default false', relation);
    execute format('comment on column %s.deleted is %L', relation, 'Whether it was deleted. Rows are never removed.');
    said := said || 'added column deleted; ';
  end if;
  if duplicates <> '{}' and not exists (
    select from pg_attribute a where a.attrelid = relation and a.attname = 'alias_of' and not a.attisdropped) then
    execute format('alter table %s add column alias_of uuid', relation);
    execute format('comment on column %s.alias_of is %L', relation,
                   'The row that this one turned out to be; null where it is itself. sync.make_alias says so.');
    said := said || 'added column alias_of; ';
  end if;
  for same in
    select d.key as kind, array_agg(c order by c) as columns
      from jsonb_each(duplicates) d cross join jsonb_array_elements_text(d.value) c group by d.key
  loop
    if to_regclass(format('%s_same_%s', relation, same.kind)) is null then
      execute format('create index %I on %s (%s) where not deleted and alias_of is null',
                     (select c.relname from pg_class c where c.oid = relation) || '_same_' || same.kind, relation,
                     (select string_agg(format('lower(%I::text)', c), ', ' order by c) from unnest(same.columns) c));
      said := said || format('added an index that finds the same %s; ', same.kind);
    end if;
  end loop;

  insert into sync.tracked_table (table_name, key_column, writer, groups, owner_column, duplicates, only_stricter)
  values (track.table_name, key_name, track.writer, track.groups, track.owner_column, track.duplicates, track.only_stricter)
  on conflict on constraint tracked_table_pkey do update
    set key_column = excluded.key_column, writer = excluded.writer, groups = excluded.groups, owner_column = excluded.owner_column,
        duplicates = excluded.duplicates, only_stricter = excluded.only_stricter
  returning * into after;
  if before.writer is distinct from after.writer
     or (select count(*) from pg_trigger t where t.tgrelid = relation
            and t.tgname in ('_100_guard', '_100_guard_delete', '_100_guard_truncate', '_900_capture'))
        < 3 + (after.writer = 'central')::integer
  then
    execute format('drop trigger if exists _100_guard on %s', relation);
    execute format('drop trigger if exists _100_guard_delete on %s', relation);
    execute format('drop trigger if exists _100_guard_truncate on %s', relation);
    execute format('drop trigger if exists _900_capture on %s', relation);
    -- What the merge writes is nobody's decision: not even the call of a trigger is spent on it.
    if writer = 'central' then
      execute format('create trigger _100_guard before insert or update on %s for each row when (tpv.is_capturing()) execute function sync.guard()', relation);
    end if;
    execute format('create trigger _100_guard_delete before delete on %s for each row execute function sync.guard()', relation);
    execute format('create trigger _100_guard_truncate before truncate on %s for each statement execute function sync.guard()', relation);
    execute format('create constraint trigger _900_capture after insert or update on %s deferrable initially deferred '
                   'for each row when (tpv.is_capturing()) execute function sync.capture()', relation);
    said := said || 'added its triggers; ';
  end if;
  execute format('drop trigger if exists _200_check on %s', relation);
  if owner_column is not null or duplicates <> '{}' or only_stricter <> '{}' then
    execute format('create trigger _200_check before insert or update on %s for each row when (tpv.is_capturing()) execute function sync.check_row()', relation);
  end if;
  execute format('grant select, insert, update on %s to tpv_apply', relation);
  -- What is there already is decided now, so that the journal is whole.
  execute format('select count(tpv.capture_change(%L, null, to_jsonb(t))) from %s t '
                 'where not exists (select from sync.head h where h.table_name = %L and h.key = t.%I::text)',
                 track.table_name, relation, track.table_name, key_name) into existing;
  if said = '' and existing = 0 and to_jsonb(before) = to_jsonb(after) then
    return format('%s was tracked like this already', table_name);
  end if;
  return said || format('%s is tracked by %s, written by %s; %s rows were there', table_name, key_name, writer, existing);
end $$;
comment on function sync.track(text, text, jsonb, text, jsonb, jsonb) is
  'Shares a table with the chain: adds what it lacks, its triggers, and an operation for each row that is there. Says what it did. Can be repeated; what is left out is then as it was.';

create or replace function sync.check_table(relation regclass, writer text, groups jsonb, owner_column text, duplicates jsonb, only_stricter jsonb)
returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  key_name text;
  torn record;
  wrong text;
  table_of pg_class;
begin
  if relation is null then
    raise exception 'there is no table of that name' using errcode = '42P01', hint = 'give it with its schema, such as catalog.product';
  end if;
  if writer is null or writer not in ('any', 'central') then
    raise exception 'writer must be any or central' using errcode = '22023';
  end if;
  select * into table_of from pg_class c where c.oid = relation;
  if table_of.relkind <> 'r' or table_of.relpersistence <> 'p' then
    raise exception 'only an ordinary table can be tracked'
      using errcode = '22023', hint = 'no view, none with partitions, none that is temporary or unlogged';
  end if;
  if relation::text !~ '^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$' then
    raise exception 'the names of a tracked table and its schema are of a-z, 0-9 and _' using errcode = '22023';
  end if;
  if table_of.relnamespace in ('wire'::regnamespace, 'tpv'::regnamespace)
     or (table_of.relnamespace = 'sync'::regnamespace and relation::text <> 'sync.policy') then
    raise exception 'a table of schema % can not be tracked', table_of.relnamespace::regnamespace using errcode = '22023';
  end if;
  if table_of.relowner <> 'tpv_owner'::regrole then
    raise exception 'a tracked table belongs to tpv_owner' using errcode = '22023', hint = format('alter table %s owner to tpv_owner', relation);
  end if;
  select a.attname into key_name
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
   where i.indrelid = relation and i.indisprimary and i.indnkeyatts = 1 and a.atttypid = 'uuid'::regtype;
  if key_name is null then
    raise exception 'a tracked table has a primary key of one uuid column' using errcode = '22023';
  end if;
  select string_agg(a.attname, ', ') into wrong
    from pg_attribute a
   where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and (
     a.attname like '@%' or (a.attname = 'deleted' and a.atttypid <> 'boolean'::regtype)
     or (a.attname = 'alias_of' and (a.atttypid <> 'uuid'::regtype or check_table.duplicates = '{}')));
  if wrong is not null then
    raise exception 'a column has a name that means something else here' using errcode = '22023', detail = wrong,
      hint = 'deleted is a boolean; alias_of a uuid, where there are duplicates; @ begins what the journal says itself';
  end if;
  select string_agg(format('%s of %s', c.column_name, c.what), ', ') into wrong
    from (
      select 'group ' || g.key as what, x as column_name from jsonb_each(check_table.groups) g cross join jsonb_array_elements_text(g.value) x
      union all
      select 'duplicates ' || g.key, x from jsonb_each(check_table.duplicates) g cross join jsonb_array_elements_text(g.value) x
      union all
      select 'only_stricter', s.key from jsonb_each(check_table.only_stricter) s
      union all
      select 'owner_column', check_table.owner_column where check_table.owner_column is not null) c
   where not exists (
     select from pg_attribute a where a.attrelid = relation and a.attname = c.column_name and a.attnum > 0 and not a.attisdropped
        and a.attname not in (key_name, 'deleted', 'alias_of'));
  if wrong is not null then
    raise exception 'the table has no such column, or it means something else already' using errcode = '22023', detail = wrong;
  end if;
  select string_agg(t.x, ', ') into wrong from (
    select x from jsonb_each(check_table.groups) g cross join jsonb_array_elements_text(g.value) x group by x having count(*) > 1) t;
  if wrong is not null then
    raise exception 'a column belongs to one group' using errcode = '22023', detail = wrong;
  end if;
  select string_agg(g.key, ', ') into wrong
    from jsonb_each(check_table.groups) g
   where g.key = '' or g.key like '@%' or exists (
     select from pg_attribute a where a.attrelid = relation and a.attname = g.key and a.attnum > 0 and not a.attisdropped);
  if wrong is not null then
    raise exception 'a group has a name of its own, not that of a column' using errcode = '22023', detail = wrong;
  end if;
  select string_agg(x, ', ') into wrong
    from jsonb_each(check_table.groups) g cross join jsonb_array_elements_text(g.value) x
   where x = check_table.owner_column or check_table.only_stricter ? x;
  if wrong is not null then
    raise exception 'an owner, and what only grows stricter, is in no group' using errcode = '22023', detail = wrong;
  end if;
  if owner_column is not null and not exists (
    select from pg_attribute a where a.attrelid = relation and a.attname = check_table.owner_column and a.atttypid = 'integer'::regtype
       and not a.atthasdef and not a.attnotnull) then
    raise exception 'the column of an owner is an integer that may be null and has no default' using errcode = '22023',
      hint = 'where it is not given, the node that makes the row is its owner';
  end if;
  select string_agg(format('%s %s', a.attname, format_type(a.atttypid, null)), ', ') into wrong
    from jsonb_each(check_table.duplicates) g cross join jsonb_array_elements_text(g.value) x
    join pg_attribute a on a.attrelid = relation and a.attname = x
   where a.atttypid not in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype);
  if wrong is not null then
    raise exception 'duplicates are told by texts, whole numbers and uuids' using errcode = '22023', detail = wrong;
  end if;
  if exists (select from jsonb_each(check_table.only_stricter) s where jsonb_typeof(s.value) <> 'array' or s.value = '[]') then
    raise exception 'what only grows stricter has a scale, an array from the strictest value' using errcode = '22023';
  end if;
  -- Two columns of one CHECK, written at two nodes, could together break it.
  select c.conname, k.columns into torn
    from pg_constraint c
    cross join lateral (
      select array_agg(a.attname::text) as columns from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) k
   where c.conrelid = relation and c.contype = 'c' and cardinality(c.conkey) > 1 and check_table.writer = 'any'
     and not exists (
       select from jsonb_each(check_table.groups) g where k.columns <@ array(select jsonb_array_elements_text(g.value)))
   limit 1;
  if found then
    raise exception 'the columns of CHECK % must be one group', torn.conname
      using errcode = '22023', detail = array_to_string(torn.columns, ', '), hint = 'groups => ''{"name": ["column", "column"]}''';
  end if;
  if writer = 'any' and (
    exists (select from pg_constraint c where c.conrelid = relation and c.contype in ('x', 'f'))
    or exists (select from pg_index i where i.indrelid = relation and i.indisunique and not i.indisprimary)) then
    raise exception 'a table that every node may write has no UNIQUE, EXCLUDE or FOREIGN KEY beside its key'
      using errcode = '22023', detail = 'two nodes could each be right and never agree',
        hint = 'duplicates => ''{"name": ["column"]}'' refuses them where they can be seen, and shows the others';
  end if;
  return key_name;
end $$;
comment on function sync.check_table(regclass, text, jsonb, text, jsonb, jsonb) is
  'Refuses what can not be tracked, or not like this; answers the column of the key.';
