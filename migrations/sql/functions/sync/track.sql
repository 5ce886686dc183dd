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
            and t.tgname in ('_100_guard', '_100_guard_delete', '_100_guard_key', '_100_guard_truncate', '_900_capture',
                             '_950_touched'))
        < 5 + (after.writer = 'central')::integer
  then
    execute format('drop trigger if exists _100_guard on %s', relation);
    execute format('drop trigger if exists _100_guard_delete on %s', relation);
    execute format('drop trigger if exists _100_guard_key on %s', relation);
    execute format('drop trigger if exists _100_guard_truncate on %s', relation);
    execute format('drop trigger if exists _900_capture on %s', relation);
    execute format('drop trigger if exists _950_touched on %s', relation);
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
    -- What the merge writes was changed, too.
    execute format('create trigger _950_touched after insert or update on %s '
                   'for each row execute function sync.note_touched(%L)', relation, key_name);
    execute format('alter table %s enable always trigger _950_touched', relation);
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
