create or replace function org.register_store(node_id integer, node_code text, name text, timezone text,
                                              cutoff_hour integer, currency text, code text default null,
                                              gateway_url text default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  -- Both must know it: PostgreSQL, which has more names than IANA, and tpv, which reads the clocks.
  if register_store.timezone is null or register_store.timezone !~ '/|^UTC$'
     or not exists (select from pg_catalog.pg_timezone_names z where z.name = register_store.timezone)
     or exists (select from tpv.terminal_check(jsonb_build_object('timezone', register_store.timezone))) then
    raise exception 'the time zone is not known' using errcode = '22023',
      hint = 'Give an IANA name such as Europe/Madrid. They are in pg_timezone_names.';
  end if;
  if org.this_node() <> register_store.node_id then
    raise exception 'this database is another node' using errcode = '22023',
      detail = format('It is node %s.', org.this_node()), hint = 'Each store has a database of its own.';
  end if;
  insert into org.node (node_id, node_code, kind) values (register_store.node_id, register_store.node_code, 'store')
  on conflict (node_id) do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_store.node_id) on conflict do nothing;
  insert into org.store as s (node_id, code, name, timezone, cutoff_hour, currency, gateway_url)
  values (register_store.node_id, coalesce(register_store.code, register_store.node_code), register_store.name,
          register_store.timezone, register_store.cutoff_hour, register_store.currency, register_store.gateway_url)
  on conflict (node_id) where not deleted do update
    set name = excluded.name, timezone = excluded.timezone, cutoff_hour = excluded.cutoff_hour, currency = excluded.currency,
        code = coalesce(register_store.code, s.code), gateway_url = coalesce(register_store.gateway_url, s.gateway_url);
  if not exists (select from dat.profile p
                  where p.node_id = register_store.node_id and p.department_code is null and not p.deleted) then
    perform dat.save_profile(tpv.dat_legacy_profile());
  end if;
end $$;
comment on function org.register_store(integer, text, text, text, integer, text, text, text) is
  'Makes this database a store, and gives it the legacy .dat layout if it has none. Can be '
  'repeated to correct the name. code is what is printed for people, the node''s code if none is '
  'given; gateway_url is where its gateway answers. Left out, both stay as they were.';

create or replace function org.register_central(node_id integer, node_code text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  tracked record;
begin
  if org.this_node() <> register_central.node_id then
    raise exception 'this database is another node'
      using errcode = '22023', detail = format('It is node %s.', org.this_node());
  end if;
  insert into org.node (node_id, node_code, kind) values (register_central.node_id, register_central.node_code, 'central')
  on conflict on constraint node_pkey do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_central.node_id) on conflict do nothing;
  -- Rows that migrations wrote are the same at every node and have no operation yet: central writes
  -- one for each.
  for tracked in select * from sync.tracked_table order by tracked_at, table_name loop
    execute format('select tpv.capture_change(%L, null, to_jsonb(t)) from %s t '
                   'where not exists (select from sync.head h where h.table_name = %L and h.key = t.%I::text)',
                   tracked.table_name, tracked.table_name, tracked.table_name, tracked.key_column);
  end loop;
end $$;
comment on function org.register_central(integer, text) is
  'Makes this database the central node. Can be repeated.';

create or replace function org.register_department(code text, name text, concessionaire text default null,
    node_id integer default null, tax text default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  entity uuid;
  default_tax uuid;
begin
  if concessionaire is not null then
    -- There is no unique index: two stores may each register a concessionaire before they join.
    lock table org.legal_entity in share row exclusive mode;
    select e.legal_entity_id into entity from org.legal_entity e
     where e.name = register_department.concessionaire and not e.deleted order by 1 limit 1;
    if not found then
      insert into org.legal_entity (name) values (register_department.concessionaire) returning legal_entity_id into entity;
    end if;
  end if;
  if tax is not null then
    select t.tax_id into default_tax from catalog.tax t where t.code = register_department.tax and not t.deleted;
    if not found then
      raise exception 'there is no such tax' using errcode = '23503', hint = 'Their codes are in catalog.tax.';
    end if;
  end if;
  insert into org.department as d (node_id, code, name, legal_entity_id, tax_id)
  values (coalesce(register_department.node_id, org.this_node()), register_department.code, register_department.name,
          entity, default_tax)
  on conflict (node_id, code) where not deleted do update
    set name = excluded.name, legal_entity_id = coalesce(excluded.legal_entity_id, d.legal_entity_id),
        tax_id = coalesce(excluded.tax_id, d.tax_id);
end $$;
comment on function org.register_department(text, text, text, integer, text) is
  'Registers a department, or renames it. concessionaire is the registered name of whoever leases '
  'it; node_id the store, this one if it is not given; tax the code in catalog.tax of what is sold '
  'there without one.';

create or replace function org.register_terminal(code text, department_code text, declares jsonb default '{}',
                                                 node_id integer default null, kind text default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  insert into org.terminal as t (node_id, code, kind, department_code, declares)
  values (coalesce(register_terminal.node_id, org.this_node()), register_terminal.code,
          coalesce(register_terminal.kind, 'department'), register_terminal.department_code, register_terminal.declares)
  on conflict (node_id, code) where not deleted do update
    set department_code = excluded.department_code, declares = excluded.declares, active = true,
        kind = coalesce(register_terminal.kind, t.kind);
end $$;
comment on function org.register_terminal(text, text, jsonb, integer, text) is
  'Registers a terminal of a store (this one if no node_id is given), or changes what it declares. '
  'kind is department or till. A faulty declaration is refused with 22023.';
