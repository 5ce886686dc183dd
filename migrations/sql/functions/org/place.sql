-- In place of foreign keys. A code is unique only among the rows that are not deleted, and no
-- foreign key can point at that. Like one, they hold for what is written here; what arrives was
-- checked where it was decided.

create or replace function org.check_place() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  image jsonb := to_jsonb(new);
  at_node integer := image ->> 'node_id';
  department text := image ->> 'department_code';
begin
  if at_node is null or image -> 'deleted' = 'true' then
    return null;
  end if;
  -- Locked, so that nobody deletes it before this is committed.
  perform from org.store s where s.node_id = at_node and not s.deleted for share;
  if not found then
    raise exception 'node % has no store', at_node using errcode = '23503',
      hint = 'A store registers itself with org.register_store, and is known here once it has joined.';
  end if;
  if department is not null then
    perform from org.department d where d.node_id = at_node and d.code = department and not d.deleted for share;
    if not found then
      raise exception 'the store of node % has no such department', at_node using errcode = '23503',
        detail = format('%s names department %s.', tg_table_schema || '.' || tg_table_name, department),
        hint = 'Register it with org.register_department.';
    end if;
  end if;
  return null;
end $$;
comment on function org.check_place() is
  'Refuses a row that names a store or a department that is not there, or is deleted.';

create or replace function org.keep_dates() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- One that was deleted dates its receipts all the same.
  if exists (select from org.store s where s.node_id = new.node_id
              and (s.timezone, s.cutoff_hour) is distinct from (new.timezone, new.cutoff_hour))
     and exists (select from wire.doc d where d.node_id = new.node_id) then
    raise exception 'the time zone and the cut-off hour of a store with receipts cannot be changed' using errcode = '22023';
  end if;
  return new;
end $$;
comment on function org.keep_dates() is
  'Refuses another time zone or cut-off hour of a store that has receipts: the same file would be '
  'another receipt then.';

create or replace function org.check_declaration() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  faults text;
begin
  select string_agg(format('%s: %s', f.pointer, f.detail), '; ') into faults from tpv.terminal_check(new.declares) f;
  if faults is not null and not new.deleted then
    raise exception 'the declaration of the terminal has faults' using errcode = '22023', detail = faults;
  end if;
  return new;
end $$;
comment on function org.check_declaration() is
  'Refuses a terminal whose declaration has faults, also where it arrives: one of a newer version '
  'waits, and the one before it holds.';

create or replace function org.check_vacant() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  at_node integer := old.node_id;
  department text := to_jsonb(old) ->> 'code';
  is_store boolean := tg_table_name = 'store';
  left_over text;
begin
  -- It went, or bears another name; and no other row has taken its place.
  if old.deleted
     or is_store and exists (select from org.store s where s.node_id = at_node and not s.deleted)
     or not is_store and exists (
       select from org.department d where d.node_id = at_node and d.code = department and not d.deleted) then
    return null;
  end if;
  select string_agg(u.user_name || ': ' || u.rows, ', ' order by u.user_name) into left_over
    from (
      select 'org.department' as user_name, count(*) as rows from org.department d
       where is_store and d.node_id = at_node and not d.deleted
      union all
      select 'org.terminal', count(*) from org.terminal t
       where t.node_id = at_node and not t.deleted and (is_store or t.department_code = department)
      union all
      select 'dat.profile', count(*) from dat.profile p
       where p.node_id = at_node and not p.deleted and (is_store or p.department_code = department)
      union all
      select 'catalog.barcode_rule', count(*) from catalog.barcode_rule r
       where r.node_id = at_node and not r.deleted and (is_store or r.department_code = department)
      union all
      -- A department that another lessee gets must be nobody's before.
      select 'sec.role_grant', count(*) from sec.role_grant g
       where g.node_id = at_node and not g.deleted and (is_store or g.department_code = department)
         and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)
      union all
      select 'catalog.local_code', count(*) from catalog.local_code c
       where c.node_id = at_node and not c.deleted and (is_store or c.department_code = department)
    ) u
   where u.rows > 0;
  if left_over is not null then
    raise exception 'that % is still used', tg_table_name using errcode = '23503',
      detail = format('Rows that name it: %s.', left_over),
      hint = 'Delete them too, in the same transaction, or let them name another.';
  end if;
  return null;
end $$;
comment on function org.check_vacant() is
  'Refuses that a store or a department is deleted, or gets another code, while other rows name it.';
