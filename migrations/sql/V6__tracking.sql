-- Purpose: tracking of tables: what the chain shares, by which rules, and what a person decides about it.
-- Limits:  a tracked table has a key of one uuid; one that every node may write has no other UNIQUE or FOREIGN KEY.
-- Undo:    drop the triggers _100_guard, _100_guard_delete and _900_capture of a table to track it no more; its operations stay.

create or replace function sync.is_joined_store() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central');
end;
comment on function sync.is_joined_store() is 'Whether this node is a store that has joined a chain: central then decides for it.';

create or replace function sync.guard() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op in ('DELETE', 'TRUNCATE') then
    raise exception 'rows of % are never removed', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'update it and set deleted = true';
  end if;
  if sync.is_joined_store() then
    raise exception '% is decided by central', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'change it at central; it arrives here by itself';
  end if;
  return new;
end $$;
comment on function sync.guard() is 'Refuses what may not be written here: removals, and in a store what central decides.';

create or replace function sync.capture() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  perform tpv.capture_change(tg_table_schema || '.' || tg_table_name,
                             case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new));
  return null;
end $$;
comment on function sync.capture() is 'Turns a change of a tracked row into an operation, at the end of the transaction.';

create or replace function sync.capture_resolution() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tpv.decide(new.table_name, new.key, new.column_name, new.value);
  return null;
end $$;
comment on function sync.capture_resolution() is 'Writes the operation of a restoration, at the end of the transaction like every other.';

-- What sync.track was told of a table's rows. It holds where somebody writes; a merge takes what was written elsewhere.

-- What sync.track was told of a table's rows. It holds where somebody writes; a merge takes what was written elsewhere.

create or replace function sync.check_row() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  tracked sync.tracked_table;
  image jsonb := to_jsonb(new);
  before jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) end;
  own_key uuid;
begin
  select * into tracked from sync.tracked_table e where e.table_name = tg_table_schema || '.' || tg_table_name;
  own_key := (image ->> tracked.key_column)::uuid;
  if tg_op = 'INSERT' and image -> tracked.owner_column = 'null' then
    new := jsonb_populate_record(new, jsonb_build_object(tracked.owner_column, org.this_node()));
  elsif tg_op = 'UPDATE' and image -> tracked.owner_column is distinct from before -> tracked.owner_column then
    raise exception 'whose a row of % is does not change', tracked.table_name
      using errcode = '22023', detail = format('column %s', tracked.owner_column);
  end if;
  perform sync.check_stricter(tracked, own_key, before, image);
  if tracked.duplicates <> '{}' then
    perform sync.check_alias(tracked, own_key, before, image);
    perform sync.check_duplicate(tracked, own_key, before, image);
  end if;
  return new;
end $$;
comment on function sync.check_row() is 'Says whose a new row is; refuses another owner, a looser value, an alias of nothing, a duplicate.';

create or replace function sync.is_looser(steps jsonb, before jsonb, after jsonb) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- What is not on the scale is looser than all that is.
  select coalesce(
    (select min(n) from jsonb_array_elements(steps) with ordinality as s (step, n) where step = after), jsonb_array_length(steps) + 1)
    > (select min(n) from jsonb_array_elements(steps) with ordinality as s (step, n) where step = before);
end;
comment on function sync.is_looser(jsonb, jsonb, jsonb) is
  'Whether the second value is further up the scale than the first, or off it. Null when the first is not on it.';

create or replace function sync.check_stricter(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  scale record;
begin
  for scale in select s.key as column_name, s.value as steps from jsonb_each(tracked.only_stricter) s loop
    if sync.is_looser(scale.steps, before -> scale.column_name, image -> scale.column_name)
       and not exists (
         select from sync.loosening l
          where l.xact = pg_current_xact_id_if_assigned() and l.table_name = tracked.table_name and l.key = check_stricter.key
            and l.column_name = scale.column_name and l.value is not distinct from image ->> scale.column_name) then
      raise exception '% of % only grows stricter', scale.column_name, tracked.table_name
        using errcode = '23514', detail = format('from the strictest: %s', scale.steps),
          hint = format('if its owner says so: select sync.loosen(%L, %L, %L, value, why)', tracked.table_name, key, scale.column_name);
    end if;
  end loop;
end $$;
comment on function sync.check_stricter(sync.tracked_table, uuid, jsonb, jsonb) is 'Refuses a value that is looser than the one before.';

create or replace function sync.check_alias(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  known boolean;
begin
  if image -> 'alias_of' = 'null' or image -> 'alias_of' = before -> 'alias_of' then
    return;
  end if;
  if image ->> 'alias_of' = key::text then
    raise exception 'nothing is an alias of itself' using errcode = '22023', hint = 'null where it is none';
  end if;
  execute format('select exists (select from %s t where t.%I = $1)', tracked.table_name, tracked.key_column)
    into known using (image ->> 'alias_of')::uuid;
  if not known then
    raise exception 'there is no row of % for it to be an alias of', tracked.table_name using errcode = '22023';
  end if;
end $$;
comment on function sync.check_alias(sync.tracked_table, uuid, jsonb, jsonb) is 'Refuses an alias of itself, or of nothing.';

create or replace function sync.shared(image jsonb, columns text[]) returns text[]
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select array_agg(lower(image ->> c) order by c) from unnest(columns) c having bool_and(image ->> c is not null);
end;
comment on function sync.shared(jsonb, text[]) is 'What a row could share with another; null when a part of it is null.';

create or replace function sync.check_duplicate(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  same record;
  other uuid;
begin
  if image -> 'deleted' = 'true' or image -> 'alias_of' <> 'null' then
    return;
  end if;
  for same in
    select d.key as kind, c.columns, sync.shared(image, c.columns) as shared
      from jsonb_each(tracked.duplicates) d
      cross join lateral (select array_agg(x order by x) as columns from jsonb_array_elements_text(d.value) x) c
  loop
    continue when same.shared is null
      -- What was so before is not refused now: a person who says that an alias is none after all is to see both.
      or (sync.shared(before, same.columns) = same.shared and before -> 'deleted' = 'false');
    -- Two sessions that write the same at the same time do not see each other.
    perform pg_advisory_xact_lock(hashtextextended(format('%s %s %s', tracked.table_name, same.kind, same.shared), 0));
    execute format('select t.%1$I from %2$s t where %3$s and t.%1$I <> $2 and not t.deleted and t.alias_of is null limit 1',
                   tracked.key_column, tracked.table_name,
                   (select string_agg(format('lower(t.%I::text) = lower($1 ->> %L)', c, c), ' and ') from unnest(same.columns) c))
      into other using image, key;
    if other is not null then
      raise exception 'there is a row of % with this % already', tracked.table_name, array_to_string(same.columns, ', ')
        using errcode = '23505', detail = format('its key is %s', other), hint = format('use that one, or change it first: %s', other);
    end if;
  end loop;
end $$;
comment on function sync.check_duplicate(sync.tracked_table, uuid, jsonb, jsonb) is 'Refuses a second row with what two may not share.';

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

create or replace function sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tracked sync.tracked_table;
  before jsonb;
  value jsonb;
begin
  -- Alone among merges, and before any row is locked: see tpv.resolve_conflict.
  perform pg_advisory_xact_lock(7631990, 1);
  select * into tracked from sync.tracked_table e where e.table_name = resolve_conflict.table_name;
  if tracked.writer = 'central' and sync.is_joined_store() then
    raise exception '% is decided by central', table_name using errcode = '42501', hint = 'settle it there; that arrives here by itself';
  end if;
  if tracked.only_stricter ? resolve_conflict.column_name then
    execute format('select to_jsonb(t) -> %L from %s t where t.%I = $1::uuid', column_name, tracked.table_name, tracked.key_column)
      into before using key;
  end if;
  value := tpv.resolve_conflict(table_name, key, column_name, node_id, seq);
  if sync.is_looser(tracked.only_stricter -> column_name, before, value) then
    raise exception '% of % only grows stricter', column_name, table_name
      using errcode = '23514', hint = format('if its owner says so: select sync.loosen(%L, %L, %L, value, why)', table_name, key, column_name);
  end if;
  insert into sync.resolution (table_name, key, column_name, node_id, seq, value) values (table_name, key, column_name, node_id, seq, value);
end $$;
comment on function sync.resolve_conflict(text, text, text, integer, bigint) is
  'Settles a conflict for a value that lost: it is written again, by an operation that knows of all the others.';
grant execute on function sync.resolve_conflict(text, text, text, integer, bigint) to tpv_operator;

create or replace function sync.loosen(table_name text, key uuid, column_name text, value text, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  tracked sync.tracked_table;
  changed bigint;
begin
  select * into tracked from sync.tracked_table e where e.table_name = loosen.table_name;
  if not coalesce(tracked.only_stricter ? loosen.column_name, false) then
    raise exception 'that column may be updated like any other' using errcode = '22023';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'say on whose word' using errcode = '22023';
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
  'Sets a column that only grows stricter to a looser value, on somebody''s word, which sync.loosening keeps.';
grant execute on function sync.loosen(text, uuid, text, text, text) to tpv_operator;

create or replace function sync.make_alias(table_name text, key uuid, of_key uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tracked sync.tracked_table;
  changed bigint;
begin
  select * into tracked from sync.tracked_table e where e.table_name = make_alias.table_name;
  if tracked.table_name is null or tracked.duplicates = '{}' then
    raise exception 'rows of that table have no aliases' using errcode = '22023', hint = 'sync.track(…, duplicates => …) gives them some';
  end if;
  execute format('update %s t set alias_of = $1 where t.%I = $2', tracked.table_name, tracked.key_column) using of_key, key;
  get diagnostics changed = row_count;
  if changed = 0 then
    raise exception 'there is no row of % with that key', table_name using errcode = 'P0002';
  end if;
end $$;
comment on function sync.make_alias(text, uuid, uuid) is
  'Says that a row turned out to be another one; with null, that it is itself after all. Every node learns it.';
grant execute on function sync.make_alias(text, uuid, uuid) to tpv_operator;

create or replace function sync.canonical_key(table_name text, key uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.canonical_key(table_name, key::text)::uuid $$;
comment on function sync.canonical_key(text, uuid) is 'The key of the row that this one became by sync.make_alias; the key itself when it became none.';
grant execute on function sync.canonical_key(text, uuid) to tpv_operator;

create or replace function sync.duplicates() returns table (table_name text, kind text, keys uuid[], shared jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  same record;
begin
  for same in
    select e.table_name, e.key_column, d.key as kind, array_agg(c order by c) as columns
      from sync.tracked_table e cross join jsonb_each(e.duplicates) d cross join jsonb_array_elements_text(d.value) c
     where to_regclass(e.table_name) is not null
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
comment on function sync.duplicates() is 'What sync.duplicate shows.';
grant execute on function sync.duplicates() to tpv_operator;

create or replace view sync.duplicate with (security_invoker = true) as select d.table_name, d.kind, d.keys, d.shared from sync.duplicates() d;
comment on view sync.duplicate is 'Rows that two nodes made of what looks like one: sync.make_alias settles it. Deleted rows and aliases are left out.';
comment on column sync.duplicate.table_name is 'The table.';
comment on column sync.duplicate.kind is 'What may not be shared, by its name in sync.track.';
comment on column sync.duplicate.keys is 'The rows.';
comment on column sync.duplicate.shared is 'What they share.';
grant select on sync.duplicate to tpv_operator;

create or replace function sync.policy_key(table_name text, column_name text) returns uuid
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- A uuid v8 of the names.
  select (overlay(overlay(s.h placing '8' from 13) placing '8' from 17))::uuid
    from (select substr(encode(sha256(convert_to(table_name || ' ' || column_name, 'UTF8')), 'hex'), 1, 32)) as s (h);
end;
comment on function sync.policy_key(text, text) is 'The key of a policy, the same wherever it is made.';

create or replace function sync.lock_policies() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- Alone among merges: one that had read the old rule would leave its choice where the change can not see it.
  perform pg_advisory_xact_lock(7631990, 1);
  return null;
end $$;
comment on function sync.lock_policies() is 'Lets no merge run beside a change of policies.';

create or replace function sync.check_policy() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not tpv.is_capturing() then
    return new;
  end if;
  if tg_op = 'UPDATE' and (new.policy_id, new.table_name, new.column_name) is distinct from (old.policy_id, old.table_name, old.column_name) then
    raise exception 'a policy stays that of its column' using errcode = '22023', hint = 'set deleted = true, and insert another';
  end if;
  if exists (select from sync.this_node t join org.node n on n.node_id = t.node_id where n.kind <> 'central') then
    raise exception 'policies are decided by central' using errcode = '42501', hint = 'change it there; it arrives here by itself';
  end if;
  new.policy_id := sync.policy_key(new.table_name, new.column_name);
  if not new.deleted then
    perform tpv.policy_check(new.table_name, new.column_name, new.rule);
  end if;
  return new;
end $$;
comment on function sync.check_policy() is 'Refuses a policy that could not be followed, and one that is not central''s.';

create or replace function sync.policy_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Not by sync.sibling: values that the old policy united are no conflict on record, and may be one now.
  perform tpv.choose_again(h.table_name, h.key, new.column_name)
     from (select i.table_name, i.key from sync.head i
            where i.table_name = new.table_name and i.contested and json_array_length(i.heads::json -> new.column_name) > 1
            order by 1, 2) h;
  return null;
end $$;
comment on function sync.policy_changed() is 'Chooses anew among values that were written at the same time when their policy changed.';

create or replace function sync.policy_dry_run(table_name text, column_name text, rule jsonb)
returns table (key text, value_now jsonb, value_then jsonb, differs boolean)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select d.key, d.value_now, d.value_then, d.differs from tpv.policy_dry_run(table_name, column_name, rule) d $$;
comment on function sync.policy_dry_run(text, text, jsonb) is
  'What a policy would choose among the values that were written at the same time, beside what holds now. Changes nothing.';
grant execute on function sync.policy_dry_run(text, text, jsonb) to tpv_operator;


-- Sessions keep what these tables say until one of them changes, be it by what arrived. First of its kind at each table: what
-- the other triggers do follows the new rules.
create trigger _000_forget after insert or update or delete on sync.tracked_table for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on sync.policy for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on org.node for each row execute function tpv.forget_rules();
alter table sync.tracked_table enable always trigger _000_forget;
alter table sync.policy enable always trigger _000_forget;
alter table org.node enable always trigger _000_forget;

create constraint trigger _900_capture_resolution after insert on sync.resolution deferrable initially deferred
  for each row execute function sync.capture_resolution();

-- Asked for each row of a tracked table, with the rights of whoever writes it.
grant execute on function tpv.is_capturing() to tpv_apply, tpv_operator;
-- The default of a new row's key.
grant execute on function tpv.uuid7() to tpv_operator;
