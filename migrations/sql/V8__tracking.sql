-- Purpose: tracking of tables: what the chain shares, by which rules, and what a person decides
--          about it.
-- Limits:  the primary key of a tracked table is one uuid; a table that every node may write has no
--          UNIQUE, EXCLUDE or FOREIGN KEY beside it, and columns of one CHECK are one group.
-- Undo:    to stop tracking a table, drop its triggers _100_guard, _100_guard_delete,
--          _100_guard_truncate, _200_check and _900_capture; its operations stay.

-- begin functions/sync/guard.sql
create or replace function sync.is_joined_store() returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select exists (
      select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central'));
end $$;
comment on function sync.is_joined_store() is
  'Whether this node is a store that has joined a chain. Central then decides for it.';

create or replace function sync.guard() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op in ('DELETE', 'TRUNCATE') then
    raise exception 'rows of % are never removed', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'Update the row and set deleted = true.';
  end if;
  if not tpv.may_write(tg_table_schema || '.' || tg_table_name, sync.is_joined_store()) then
    raise exception '% is decided by central', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'Change it at central; it arrives here by itself.';
  end if;
  return new;
end $$;
comment on function sync.guard() is
  'Refuses what may not be written here: removals, and in a store what central decides.';

create or replace function sync.refuse_key_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the key of a row of % cannot change: KEY_CHANGED', tg_table_schema || '.' || tg_table_name
    using errcode = '22023', detail = 'Every node knows the row by it.',
      hint = 'Insert another row, and set deleted = true in this one.';
end $$;
comment on function sync.refuse_key_change() is
  'Refuses another key for a tracked row: no operation could say it, and the nodes would differ.';

create or replace function sync.refuse_secret(table_name text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if starts_with(refuse_secret.table_name, 'sec.') and not pg_has_role(session_user, 'tpv_owner', 'member') then
    raise exception 'tables of schema sec are for tpv_owner only' using errcode = '42501',
      hint = 'Let somebody do it who may become tpv_owner.';
  end if;
end $$;
comment on function sync.refuse_secret(text) is
  'Refuses an operator who means a table of schema sec: neither to show its values nor to decide about them.';
-- end functions/sync/guard.sql
-- begin functions/sync/capture.sql
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
-- end functions/sync/capture.sql
-- begin functions/sync/row_rules.sql
-- The rules that sync.track was given for the rows of a table. They hold for writes of this
-- node; a merge accepts what was written elsewhere.

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
    raise exception 'the owner of a row of % cannot change', tracked.table_name
      using errcode = '22023', detail = format('Column %s names the owner.', tracked.owner_column);
  end if;
  -- An erased row is deleted. So only of a deleted one it is asked.
  if before -> 'deleted' = 'true' and sync.is_erased(tracked.table_name, own_key::text) then
    raise exception 'that row of % was erased', tracked.table_name using errcode = '55000', hint = 'Make a new one.';
  end if;
  if tracked.sets <> '{}' then
    new := jsonb_populate_record(new, sync.check_sets(tracked, before, image));
  end if;
  perform sync.check_stricter(tracked, own_key, before, image);
  if tracked.duplicates <> '{}' then
    perform sync.check_alias(tracked, own_key, before, image);
    perform sync.check_duplicate(tracked, own_key, before, image);
  end if;
  return new;
end $$;
comment on function sync.check_row() is
  'Sets the owner of a new row; refuses another owner, a looser value, an alias of no row, a '
  'duplicate, what is no set, a change of an erased row.';

create or replace function sync.check_sets(tracked sync.tracked_table, before jsonb, image jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  a_set record;
  written jsonb;
  checked jsonb := '{}';
begin
  for a_set in select s.key as column_name, s.value #>> '{}' as rule from jsonb_each(tracked.sets) s loop
    written := image -> a_set.column_name;
    continue when written is null or written = 'null';
    checked := checked || jsonb_build_object(a_set.column_name, tpv.as_set(written));
    if a_set.rule = 'grow_only' and not (checked -> a_set.column_name) @> (before -> a_set.column_name) then
      raise exception '% of % only gains elements', a_set.column_name, tracked.table_name
        using errcode = '23514', hint = 'Write all elements that are there, and the new ones.';
    end if;
  end loop;
  return checked;
end $$;
comment on function sync.check_sets(sync.tracked_table, jsonb, jsonb) is
  'The sets of a row in their one form: sorted, each element once. Refuses what is no set, and that '
  'an element is taken from one that only grows.';

create or replace function sync.is_looser(steps jsonb, before jsonb, after jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  -- A value that is not on the scale is looser than all that are.
  return (
    select coalesce(
      (select min(n) from jsonb_array_elements(steps) with ordinality as s (step, n) where step = after),
      jsonb_array_length(steps) + 1)
      > (select min(n) from jsonb_array_elements(steps) with ordinality as s (step, n) where step = before));
end $$;
comment on function sync.is_looser(jsonb, jsonb, jsonb) is
  'Whether the second value is further up the scale than the first, or off it. Null when the first '
  'is not on it.';

create or replace function sync.check_stricter(tracked sync.tracked_table, key uuid, before jsonb, image jsonb)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  scale record;
begin
  for scale in
    select s.key as column_name, s.value as steps from jsonb_each(tracked.only_stricter) s
     where before -> s.key is distinct from image -> s.key
  loop
    if sync.is_looser(scale.steps, before -> scale.column_name, image -> scale.column_name)
       and not exists (
         select from sync.loosening l
          where l.xact = pg_current_xact_id_if_assigned() and l.table_name = tracked.table_name and l.key = check_stricter.key
            and l.column_name = scale.column_name and l.value is not distinct from image ->> scale.column_name) then
      raise exception '% of % only grows stricter', scale.column_name, tracked.table_name
        using errcode = '23514', detail = format('From the strictest: %s.', scale.steps),
          hint = format('Give a reason with sync.loosen(%L, %L, %L, value, why).',
                        tracked.table_name, key, scale.column_name);
    end if;
  end loop;
end $$;
comment on function sync.check_stricter(sync.tracked_table, uuid, jsonb, jsonb) is
  'Refuses a value that is looser than the one before.';

create or replace function sync.check_alias(tracked sync.tracked_table, key uuid, before jsonb, image jsonb)
returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  known boolean;
begin
  if image -> 'alias_of' = 'null' or image -> 'alias_of' = before -> 'alias_of' then
    return;
  end if;
  if image ->> 'alias_of' = key::text then
    raise exception 'a row cannot be an alias of itself'
      using errcode = '22023', hint = 'In a row that is no alias, alias_of is null.';
  end if;
  execute format('select exists (select from %s t where t.%I = $1)', tracked.table_name, tracked.key_column)
    into known using (image ->> 'alias_of')::uuid;
  if not known then
    raise exception 'there is no row of % with the key in alias_of', tracked.table_name using errcode = '22023';
  end if;
end $$;
comment on function sync.check_alias(sync.tracked_table, uuid, jsonb, jsonb) is
  'Refuses an alias of itself, or of a row that is not there.';

create or replace function sync.shared(image jsonb, columns text[]) returns text[]
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return (select array_agg(lower(image ->> c) order by c) from unnest(columns) c having bool_and(image ->> c is not null));
end $$;
comment on function sync.shared(jsonb, text[]) is
  'The values by which a row could be a duplicate, in lower case; null when one of them is null.';

create or replace function sync.check_duplicate(tracked sync.tracked_table, key uuid, before jsonb, image jsonb)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  same record;
  other uuid;
  claim bigint;
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
      -- A row that was a duplicate before is not refused now: whoever takes an alias back has to
      -- see both rows.
      or (sync.shared(before, same.columns) = same.shared and before -> 'deleted' = 'false');
    -- Two sessions that write the same values at the same time do not see each other. The second one
    -- waits in the index for the end of the first one's transaction, whatever becomes of its row
    -- here. So it costs no lock, however many rows a transaction writes; and nothing stays.
    claim := hashtextextended(format('%s %s %s', tracked.table_name, same.kind, same.shared), 0);
    insert into sync.claim (value_hash) values (claim);
    delete from sync.claim c where c.value_hash = claim;
    execute format('select t.%1$I from %2$s t where %3$s and t.%1$I <> $2 and not t.deleted and t.alias_of is null limit 1',
                   tracked.key_column, tracked.table_name,
                   (select string_agg(format('lower(t.%I::text) = lower($1 ->> %L)', c, c), ' and ')
                      from unnest(same.columns) c))
      into other using image, key;
    if other is not null then
      raise exception 'there is a row of % with this % already', tracked.table_name, array_to_string(same.columns, ', ')
        using errcode = '23505', detail = format('Its key is %s.', other),
          hint = format('Use row %s, or change it first.', other);
    end if;
  end loop;
end $$;
comment on function sync.check_duplicate(sync.tracked_table, uuid, jsonb, jsonb) is
  'Refuses a second row with values that no two rows may share.';
-- end functions/sync/row_rules.sql
-- begin functions/sync/track.sql
create or replace function sync.track(table_name text, writer text default null, groups jsonb default null,
                                      owner_column text default null, duplicates jsonb default null, only_stricter jsonb default null,
                                      sets jsonb default null)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
  set client_min_messages = 'warning' as $$
declare
  relation regclass := to_regclass(table_name);
  key_name text;
  report text := '';
  before sync.tracked_table;
  after sync.tracked_table;
  same record;
  existing bigint;
  column_name text;
begin
  table_name := relation::text;
  select * into before from sync.tracked_table e where e.table_name = track.table_name;
  -- An argument that is left out stays as it was.
  writer := coalesce(writer, before.writer, 'any');
  groups := coalesce(groups, before.groups, '{}');
  owner_column := coalesce(owner_column, before.owner_column);
  duplicates := coalesce(duplicates, before.duplicates, '{}');
  only_stricter := coalesce(only_stricter, before.only_stricter, '{}');
  sets := coalesce(sets, before.sets, '{}');
  -- Who may write is part of how every operation was merged, at each node.
  if writer <> before.writer and exists (select from sync.head h where h.table_name = track.table_name) then
    raise exception '% is written by % already', table_name, before.writer using errcode = '55000',
      hint = 'The writer of a table can be changed only before anybody has written it.';
  end if;
  key_name := sync.check_table(relation, jsonb_build_object(
    'writer', writer, 'groups', groups, 'owner_column', owner_column, 'duplicates', duplicates,
    'only_stricter', only_stricter, 'sets', sets));
  -- Operations write a set and another column in two forms, and nothing turns one into the other.
  for column_name in
    select coalesce(b.key, a.key)
      from jsonb_each(coalesce(before.sets, '{}')) b full join jsonb_each(sets) a on a.key = b.key
     where a.value is distinct from b.value
  loop
    if sync.was_written(table_name, column_name) then
      raise exception 'column % of % was written already', column_name, table_name using errcode = '55000',
        hint = 'What is a set is declared before anybody writes the column. Add another column.';
    end if;
    if sets ? column_name then
      execute format('update %s t set %I = tpv.as_set(t.%I) where t.%I <> tpv.as_set(t.%I)',
                     relation, column_name, column_name, column_name, column_name);
    end if;
  end loop;
  if not exists (select from pg_attribute a where a.attrelid = relation and a.attname = 'deleted' and not a.attisdropped) then
    execute format('alter table %s add column deleted boolean not null default false', relation);
    execute format('comment on column %s.deleted is %L', relation, 'Whether it was deleted. Rows are never removed.');
    report := report || 'added column deleted; ';
  end if;
  if duplicates <> '{}' and not exists (
    select from pg_attribute a where a.attrelid = relation and a.attname = 'alias_of' and not a.attisdropped) then
    execute format('alter table %s add column alias_of uuid', relation);
    execute format('comment on column %s.alias_of is %L', relation,
                   'The row that this one duplicates; null for a row that is no alias. sync.make_alias sets it.');
    report := report || 'added column alias_of; ';
  end if;
  for same in
    select d.key as kind, array_agg(c order by c) as columns
      from jsonb_each(duplicates) d cross join jsonb_array_elements_text(d.value) c group by d.key
  loop
    if to_regclass(format('%s_same_%s', relation, same.kind)) is null then
      execute format('create index %I on %s (%s) where not deleted and alias_of is null',
                     (select c.relname from pg_class c where c.oid = relation) || '_same_' || same.kind, relation,
                     (select string_agg(format('lower(%I::text)', c), ', ' order by c) from unnest(same.columns) c));
      report := report || format('added an index that finds the same %s; ', same.kind);
    end if;
  end loop;

  insert into sync.tracked_table (table_name, key_column, writer, groups, owner_column, duplicates, only_stricter, sets)
  values (track.table_name, key_name, track.writer, track.groups, track.owner_column, track.duplicates,
          track.only_stricter, track.sets)
  on conflict on constraint tracked_table_pkey do update
    set key_column = excluded.key_column, writer = excluded.writer, groups = excluded.groups,
        owner_column = excluded.owner_column, duplicates = excluded.duplicates, only_stricter = excluded.only_stricter,
        sets = excluded.sets
  returning * into after;
  if before.writer is distinct from after.writer
     or (select count(*) from pg_trigger t where t.tgrelid = relation
            and t.tgname in ('_100_guard', '_100_guard_delete', '_100_guard_key', '_100_guard_truncate', '_900_capture'))
        < 4 + (after.writer = 'central')::integer
  then
    execute format('drop trigger if exists _100_guard on %s', relation);
    execute format('drop trigger if exists _100_guard_delete on %s', relation);
    execute format('drop trigger if exists _100_guard_key on %s', relation);
    execute format('drop trigger if exists _100_guard_truncate on %s', relation);
    execute format('drop trigger if exists _900_capture on %s', relation);
    -- What the merge writes is nobody's decision. WHEN saves even the call of the trigger for it.
    if writer = 'central' then
      execute format('create trigger _100_guard before insert or update on %s '
                     'for each row when (tpv.is_capturing()) execute function sync.guard()', relation);
    end if;
    execute format('create trigger _100_guard_key before update on %s for each row '
                   'when (old.%2$I is distinct from new.%2$I) execute function sync.refuse_key_change()', relation, key_name);
    execute format('create trigger _100_guard_delete before delete on %s '
                   'for each row execute function sync.guard()', relation);
    execute format('create trigger _100_guard_truncate before truncate on %s '
                   'for each statement execute function sync.guard()', relation);
    execute format('create constraint trigger _900_capture after insert or update on %s deferrable initially deferred '
                   'for each row when (tpv.is_capturing()) execute function sync.capture()', relation);
    report := report || 'added its triggers; ';
  end if;
  execute format('drop trigger if exists _200_check on %s', relation);
  if owner_column is not null or duplicates <> '{}' or only_stricter <> '{}' or sets <> '{}' then
    execute format('create trigger _200_check before insert or update on %s '
                   'for each row when (tpv.is_capturing()) execute function sync.check_row()', relation);
  end if;
  execute format('grant select, insert, update on %s to tpv_apply', relation);
  -- Rows that are there already become operations now, so that the journal is whole. Not what a
  -- store has set aside: central decides about it.
  execute format('select count(tpv.capture_change(%L, null, to_jsonb(t))) from %s t '
                 'where not exists (select from sync.head h where h.table_name = %3$L and h.key = t.%4$I::text)'
                 ' and not exists (select from sync.set_aside a where a.table_name = %3$L and a.key = t.%4$I::text)',
                 track.table_name, relation, track.table_name, key_name) into existing;
  if report = '' and existing = 0 and to_jsonb(before) = to_jsonb(after) then
    return format('%s was tracked like this already', table_name);
  end if;
  return report || format('%s is tracked by %s, written by %s; %s rows were there', table_name, key_name, writer, existing);
end $$;
comment on function sync.track(text, text, jsonb, text, jsonb, jsonb, jsonb) is
  'Shares a table with the chain: adds the columns and triggers that it lacks, and an operation '
  'for each row that is there. Returns what it did. Can be repeated; an argument that is left out '
  'stays as it was.';

create or replace function sync.was_written(table_name text, column_name text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  -- The name of an element's register begins with that of its column.
  select exists (
    select from sync.head h cross join json_object_keys(h.heads::json) r
     where h.table_name = was_written.table_name and substring(r from '^[^/+]*') = was_written.column_name);
end;
comment on function sync.was_written(text, text) is
  'Whether an operation wrote the column, or an element of it.';

create or replace function sync.check_table(relation regclass, rules jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  described jsonb := sync.describe_table(relation);
  faults integer;
  state text;
  what text;
  detail text;
  hint text;
begin
  select count(*), max(f.state), string_agg(f.what, '; ' order by nth),
         string_agg(concat_ws(': ', f.code, nullif(f.detail, '')), e'\n' order by nth), string_agg(f.hint, e'\n' order by nth)
    into faults, state, what, detail, hint
    from tpv.table_check(described, rules) with ordinality as f (code, state, what, detail, hint, nth);
  if faults > 0 then
    raise exception using message = what, errcode = state, detail = detail, hint = hint;
  end if;
  return described ->> 'key';
end $$;
comment on function sync.check_table(regclass, jsonb) is
  'Refuses a table that cannot be tracked, or not by these rules, with all reasons at once; '
  'returns the column of its key.';

create or replace function sync.is_constant_default(relation oid, place smallint) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  -- The functions and operators in the stored expression, by their numbers. now() and its like are
  -- of a kind of their own, as is a cast by the texts of two types, which settings may change.
  select coalesce((
    select d.adbin::text !~ '[{](SQLVALUEFUNCTION|NEXTVALUEEXPR|COERCEVIAIO|SUBLINK) '
           and not exists (select from regexp_matches(d.adbin::text, ':(?:funcid|opfuncid) (\d+)', 'g') f
                             join pg_proc p on p.oid = f[1]::oid where p.provolatile <> 'i')
      from pg_attrdef d
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
     where d.adrelid = is_constant_default.relation and d.adnum = is_constant_default.place and a.attgenerated = ''), true);
end;
comment on function sync.is_constant_default(oid, smallint) is
  'Whether the default of a column, if it has one, is the same at every node and at all times.';

create or replace function sync.describe_table(relation regclass) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select jsonb_build_object(
           'name', c.oid::regclass::text,
           'schema', c.relnamespace::regnamespace::text,
           'ordinary', c.relkind = 'r' and c.relpersistence = 'p',
           'owner', c.relowner::regrole::text,
           'key', (select a.attname
                     from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                    where i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = 1 and a.atttypid = 'uuid'::regtype),
           'columns', (select coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', a.atttypid::regtype::text,
                                                                    'not_null', a.attnotnull, 'has_default', a.atthasdef,
                                                                    'constant', sync.is_constant_default(a.attrelid, a.attnum))
                                                 order by a.attnum), '[]')
                         from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
           'checks', (select coalesce(jsonb_agg(jsonb_build_object('name', k.conname, 'columns', (
                               select jsonb_agg(a.attname order by a.attnum)
                                 from pg_attribute a where a.attrelid = c.oid and a.attnum = any (k.conkey))) order by k.conname), '[]')
                        from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and cardinality(k.conkey) > 1),
           'other_keys', (select coalesce(jsonb_agg(o.name order by o.name), '[]')
                            from (select k.conname as name from pg_constraint k
                                   where k.conrelid = c.oid and k.contype in ('x', 'f')
                                  union
                                  select i.indexrelid::regclass::text from pg_index i
                                   where i.indrelid = c.oid and i.indisunique and not i.indisprimary) o))
    from pg_class c
   where c.oid = describe_table.relation;
end;
comment on function sync.describe_table(regclass) is
  'What tpv.table_check has to know of a table; null when there is none.';
-- end functions/sync/track.sql
-- begin functions/sync/conflict.sql
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
-- end functions/sync/conflict.sql
-- begin functions/sync/written.sql
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
-- end functions/sync/written.sql
-- begin functions/sync/loosen.sql
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
-- end functions/sync/loosen.sql
-- begin functions/sync/erase.sql
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
-- end functions/sync/erase.sql
-- begin functions/sync/duplicate.sql
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
-- end functions/sync/duplicate.sql
-- begin functions/sync/policy.sql
create or replace function sync.policy_key(table_name text, column_name text) returns uuid
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- A uuid v8 made of the names.
  select (overlay(overlay(s.h placing '8' from 13) placing '8' from 17))::uuid
    from (select substr(encode(sha256(convert_to(table_name || ' ' || column_name, 'UTF8')), 'hex'), 1, 32)) as s (h);
end;
comment on function sync.policy_key(text, text) is
  'The key of a policy. It is the same at whichever node it is made.';

create or replace function sync.lock_policies() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Alone among merges: one that had read the old rule would leave a value that the change does not
  -- see.
  lock table tpv_lock.merge in exclusive mode;
  return null;
end $$;
comment on function sync.lock_policies() is 'Keeps merges from running while policies change.';

create or replace function sync.check_policy() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not tpv.is_capturing() then
    return new;
  end if;
  if tg_op = 'UPDATE'
     and (new.policy_id, new.table_name, new.column_name) is distinct from (old.policy_id, old.table_name, old.column_name) then
    raise exception 'the column of a policy cannot change'
      using errcode = '22023', hint = 'Set deleted = true, and insert another policy.';
  end if;
  if exists (select from sync.this_node t join org.node n on n.node_id = t.node_id where n.kind <> 'central') then
    raise exception 'policies are decided by central'
      using errcode = '42501', hint = 'Change it at central; it arrives here by itself.';
  end if;
  new.policy_id := sync.policy_key(new.table_name, new.column_name);
  if not new.deleted then
    perform tpv.policy_check(new.table_name, new.column_name, new.rule);
  end if;
  return new;
end $$;
comment on function sync.check_policy() is
  'Refuses a policy that cannot be applied, and one that is written in a store.';

create or replace function sync.policy_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Not by sync.sibling: values that the old policy united are no conflict on record there, and may
  -- be one now.
  perform tpv.choose_again(h.table_name, h.key, new.column_name)
     from (select i.table_name, i.key from sync.head i
            where i.table_name = new.table_name and i.contested
            order by 1, 2) h;
  return null;
end $$;
comment on function sync.policy_changed() is
  'Chooses again among concurrent values when their policy changes.';

create or replace function sync.policy_dry_run(table_name text, column_name text, rule jsonb)
returns table (key text, value_now jsonb, value_then jsonb, differs boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sync.refuse_secret(policy_dry_run.table_name);
  return query
    select d.key, d.value_now, d.value_then, d.differs
      from tpv.policy_dry_run(policy_dry_run.table_name, policy_dry_run.column_name, policy_dry_run.rule) d;
end $$;
comment on function sync.policy_dry_run(text, text, jsonb) is
  'What a policy would choose among concurrent values, beside the present value. Changes nothing.';
grant execute on function sync.policy_dry_run(text, text, jsonb) to tpv_operator;
-- end functions/sync/policy.sql

-- Sessions remember what these tables hold until a row of them changes, also by replication. The
-- trigger is the first of its kind at each table, so that those after it follow the new rules.
create trigger _000_forget after insert or update or delete on sync.tracked_table
  for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on sync.policy
  for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on org.node
  for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on org.ban
  for each row execute function tpv.forget_rules();
alter table sync.tracked_table enable always trigger _000_forget;
alter table sync.policy enable always trigger _000_forget;
alter table org.node enable always trigger _000_forget;
alter table org.ban enable always trigger _000_forget;

create constraint trigger _900_capture_resolution after insert on sync.resolution deferrable initially deferred
  for each row execute function sync.capture_resolution();

create constraint trigger _900_capture_undone after insert on sync.undone deferrable initially deferred
  for each row execute function sync.capture_undone();

create constraint trigger _900_capture_erasure after insert on sync.erasure deferrable initially deferred
  for each row execute function sync.capture_erasure();

-- Triggers call it for each row of a tracked table, with the rights of whoever writes the row.
grant execute on function tpv.is_capturing() to tpv_apply, tpv_operator;
-- The default of a new row's key.
grant execute on function tpv.uuid7() to tpv_operator;
