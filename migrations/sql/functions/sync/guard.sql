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
