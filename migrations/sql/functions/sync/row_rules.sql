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
