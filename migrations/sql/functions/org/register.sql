create or replace function org.register_store(node_id integer, node_code text, name text, timezone text,
                                              cutoff_hour integer, currency text)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  old org.store;
begin
  -- Both must know it: PostgreSQL, which has more names than IANA, and tpv, which reads the clocks.
  if timezone is null or timezone !~ '/|^UTC$'
     or not exists (select from pg_catalog.pg_timezone_names z where z.name = timezone)
     or exists (select from tpv.terminal_check(jsonb_build_object('timezone', timezone))) then
    raise exception 'the time zone is not known' using errcode = '22023',
      hint = 'Give an IANA name such as Europe/Madrid. They are in pg_timezone_names.';
  end if;
  if org.this_node() <> register_store.node_id then
    raise exception 'this database is another node' using errcode = '22023',
      detail = format('It is node %s.', org.this_node()), hint = 'Each store has a database of its own.';
  end if;
  select * into old from org.store s where s.node_id = register_store.node_id;
  if (old.timezone, old.cutoff_hour) is distinct from (register_store.timezone, register_store.cutoff_hour::smallint)
     and old.node_id is not null
     and exists (select from wire.doc d where d.node_id = register_store.node_id) then
    raise exception 'the time zone and the cut-off hour of a store with receipts cannot be changed' using errcode = '22023';
  end if;
  insert into org.node (node_id, node_code, kind) values (register_store.node_id, register_store.node_code, 'store')
  on conflict on constraint node_pkey do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_store.node_id) on conflict do nothing;
  insert into org.store (node_id, name, timezone, cutoff_hour, currency)
  values (register_store.node_id, register_store.name, register_store.timezone, register_store.cutoff_hour,
          register_store.currency)
  on conflict on constraint store_node_id_key do update
    set name = excluded.name, timezone = excluded.timezone, cutoff_hour = excluded.cutoff_hour, currency = excluded.currency;
  if not exists (select from dat.profile p where p.node_id = register_store.node_id and p.department_code is null) then
    perform dat.save_profile(tpv.dat_legacy_profile());
  end if;
end $$;
comment on function org.register_store(integer, text, text, text, integer, text) is
  'Makes this database a store, and gives it the legacy .dat layout if it has none. Can be '
  'repeated to correct the name.';

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
    node_id integer default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  entity uuid;
begin
  if concessionaire is not null then
    -- There is no unique index: two stores may each register a concessionaire before they join.
    lock table org.legal_entity in share row exclusive mode;
    select e.legal_entity_id into entity from org.legal_entity e where e.name = concessionaire order by 1 limit 1;
    if not found then
      insert into org.legal_entity (name) values (concessionaire) returning legal_entity_id into entity;
    end if;
  end if;
  insert into org.department as d (node_id, code, name, legal_entity_id)
  values (coalesce(register_department.node_id, org.this_node()), register_department.code, register_department.name, entity)
  on conflict on constraint department_node_id_code_key do update
    set name = excluded.name, legal_entity_id = coalesce(excluded.legal_entity_id, d.legal_entity_id);
end $$;
comment on function org.register_department(text, text, text, integer) is
  'Registers a department, or renames it. concessionaire is the registered name of whoever leases '
  'it; node_id the store, this one if it is not given.';

create or replace function org.register_terminal(code text, department_code text, declares jsonb default '{}',
                                                 node_id integer default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  faults text;
begin
  select string_agg(format('%s: %s', pointer, detail), '; ') into faults from tpv.terminal_check(declares);
  if faults is not null then
    raise exception 'the declaration of the terminal has faults' using errcode = '22023', detail = faults;
  end if;
  insert into org.terminal (node_id, code, department_code, declares)
  values (coalesce(register_terminal.node_id, org.this_node()), register_terminal.code,
          register_terminal.department_code, register_terminal.declares)
  on conflict on constraint terminal_node_id_code_key do update
    set department_code = excluded.department_code, declares = excluded.declares, active = true;
end $$;
comment on function org.register_terminal(text, text, jsonb, integer) is
  'Registers a terminal of a store (this one if no node_id is given), or changes what it declares. '
  'A faulty declaration is refused with 22023.';
