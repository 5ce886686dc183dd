create or replace function sec.may(permission text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select exists (select from sec.permission p where p.role = tpv.acting_role() and p.permission = may.permission));
end $$;
comment on function sec.may(text) is 'Whether whoever acts has a permission, by the role in which she acts.';

create or replace function sec.require(permission text, node integer default null, department text default null,
                                       business_date date default null)
returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not sec.may(require.permission) then
    raise exception 'the role does not have the permission %', require.permission using errcode = 'TP403';
  end if;
  if require.node is not null and not tpv.may_see(require.node, require.department, require.business_date) then
    raise exception 'the role was not granted there' using errcode = 'TP403';
  end if;
end $$;
comment on function sec.require(text, integer, text, date) is
  'Refuses whoever lacks a permission, or has it elsewhere.';

create or replace function sec.require_version(given jsonb, present text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(given, 'null') = 'null' then
    raise exception 'the version of what is to be changed must be given' using errcode = 'TP428', hint = 'It is its etag.';
  end if;
  if given #>> '{}' is distinct from present then
    raise exception 'it was changed meanwhile' using errcode = 'TP412', hint = 'Read it again.';
  end if;
end $$;
comment on function sec.require_version(jsonb, text) is
  'Refuses a change of a row that somebody else has changed since it was read.';

create or replace function sec.refuse_hidden() returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'there is nothing of that kind here' using errcode = 'TP404';
end $$;
comment on function sec.refuse_hidden() is
  'Refuses what is not there, and what whoever asks may not see, alike.';

create or replace function sec.may_read_table(table_name text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  readable boolean;
begin
  if starts_with(may_read_table.table_name, 'sec.') then
    return false;
  end if;
  select bool_or(sec.may(r.permission)) into readable
    from sec.resource r where r.kind = 'view' and may_read_table.table_name = any (r.shows);
  -- Employees are of the whole chain, and so are the tables that no view shows.
  return coalesce(readable, sec.may('chain.read'))
     and (readable is true and may_read_table.table_name <> 'party.employee' or tpv.may_see_node(null));
end $$;
comment on function sec.may_read_table(text) is
  'Whether whoever acts may see values of a table: by the views of schema own that show it; a table that '
  'none shows is for those who look after the whole chain. Of schema sec nobody sees values.';

create or replace function sec.permissions() returns table (role text, permission text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query select p.role, p.permission from sec.permission p;
end $$;
comment on function sec.permissions() is
  'sec.permission, for the gateway: whoever lacks a permission hears that before anything else is wrong.';
grant execute on function sec.permissions() to tpv_gateway_auth;

do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || r.role from sec.role r loop
    execute format('grant execute on function sec.may_read_table(text) to %I', scoped);
  end loop;
end $$;
