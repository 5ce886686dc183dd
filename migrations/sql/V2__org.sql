-- Purpose: nodes, legal entities, stores, departments and terminals, and one call to register each.
-- Limits:  a store's time zone and cut-off hour are part of how its past receipts are dated: they can not be changed
--          once it has documents.
-- Undo:    drop the tables and functions of schema org.

create table org.node (
  node_id   integer primary key check (node_id > 0),
  node_code text not null unique check (node_code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'),
  kind      text not null check (kind in ('central', 'store'))
);
comment on table org.node is 'The servers of the chain: central and one for each store.';
comment on column org.node.node_id is 'Number of the node; the first part of every key.';
comment on column org.node.node_code is 'Short name, such as S01.';
comment on column org.node.kind is 'central or store.';

create table sync.this_node (
  only_one boolean primary key default true check (only_one),
  node_id  integer not null references org.node
);
comment on table sync.this_node is 'Which node this database is. One row, never replicated.';
comment on column sync.this_node.only_one is 'Keeps the table at one row.';
comment on column sync.this_node.node_id is 'The node.';

create table org.legal_entity (
  legal_entity_id uuid primary key default tpv.uuid7(),
  name            text not null unique check (name <> ''),
  tax_id          text
);
comment on table org.legal_entity is 'Whoever can issue an invoice: the chain itself and its concessionaires.';
comment on column org.legal_entity.legal_entity_id is 'Key, drawn where the entity was registered.';
comment on column org.legal_entity.name is 'Registered name.';
comment on column org.legal_entity.tax_id is 'Tax number, if known.';

create table org.store (
  store_id        uuid primary key default tpv.uuid7(),
  node_id         integer not null unique references org.node,
  name            text not null,
  timezone        text not null,
  cutoff_hour     smallint not null check (cutoff_hour between 0 and 23),
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  legal_entity_id uuid references org.legal_entity
);
comment on table org.store is 'Stores. Each has a node of its own.';
comment on column org.store.store_id is 'Key, drawn where the store was registered.';
comment on column org.store.node_id is 'The store''s node.';
comment on column org.store.name is 'Name for people.';
comment on column org.store.timezone is 'IANA time zone of the store''s clocks, such as Europe/Madrid.';
comment on column org.store.cutoff_hour is 'Sales before this local hour belong to the business date before.';
comment on column org.store.currency is 'ISO 4217 code of every amount of this store.';
comment on column org.store.legal_entity_id is 'Who runs the store.';

create table org.department (
  department_id   uuid primary key default tpv.uuid7(),
  node_id         integer not null references org.store (node_id),
  code            text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'),
  name            text not null,
  legal_entity_id uuid references org.legal_entity,
  unique (node_id, code)
);
comment on table org.department is 'Departments of a store; many are leased to a concessionaire.';
comment on column org.department.department_id is 'Key, drawn where the department was registered.';
comment on column org.department.node_id is 'The store''s node.';
comment on column org.department.code is 'Code that its receipts carry in departmentCode.';
comment on column org.department.name is 'Name for people.';
comment on column org.department.legal_entity_id is 'The concessionaire; null for a department that the store runs itself.';

create table org.terminal (
  terminal_id     uuid primary key default tpv.uuid7(),
  node_id         integer not null,
  code            text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
  department_code text not null,
  declares        jsonb not null default '{}',
  active          boolean not null default true,
  unique (node_id, code),
  foreign key (node_id, department_code) references org.department (node_id, code)
);
comment on table org.terminal is 'Terminals (scales, tills) that drop receipts as files, one inbox folder for each.';
comment on column org.terminal.terminal_id is 'Key, drawn where the terminal was registered.';
comment on column org.terminal.node_id is 'The store''s node.';
comment on column org.terminal.code is 'Code; the name of its inbox folder and the terminalId of its receipts.';
comment on column org.terminal.department_code is 'The department it belongs to.';
comment on column org.terminal.declares is
  'What is special about its files: encoding, decimal_comma, price_decimals, numeric_barcode, timezone, total_tolerance_cents.';
comment on column org.terminal.active is 'An inactive terminal''s files are quarantined UNKNOWN_TERMINAL.';

create function org.this_node() returns integer
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select node_id from sync.this_node;
end;
comment on function org.this_node() is 'Number of the node that this database is; null before a store is registered.';

create function org.register_department(code text, name text, concessionaire text default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  entity uuid;
begin
  if concessionaire is not null then
    insert into org.legal_entity (name) values (concessionaire) on conflict do nothing;
    select e.legal_entity_id into entity from org.legal_entity e where e.name = concessionaire;
  end if;
  insert into org.department as d (node_id, code, name, legal_entity_id)
  values (org.this_node(), register_department.code, register_department.name, entity)
  on conflict on constraint department_node_id_code_key do update
    set name = excluded.name, legal_entity_id = coalesce(excluded.legal_entity_id, d.legal_entity_id);
end $$;
comment on function org.register_department(text, text, text) is
  'Registers a department of this store, or renames it. concessionaire is the registered name of whoever leases it.';

create function org.register_terminal(code text, department_code text, declares jsonb default '{}') returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  faults text;
begin
  select string_agg(format('%s: %s', pointer, detail), '; ') into faults from tpv.terminal_check(declares);
  if faults is not null then
    raise exception 'the declaration of the terminal has faults' using errcode = '22023', detail = faults;
  end if;
  insert into org.terminal (node_id, code, department_code, declares)
  values (org.this_node(), register_terminal.code, register_terminal.department_code, register_terminal.declares)
  on conflict on constraint terminal_node_id_code_key do update
    set department_code = excluded.department_code, declares = excluded.declares, active = true;
end $$;
comment on function org.register_terminal(text, text, jsonb) is
  'Registers a terminal of this store, or changes what it declares. A faulty declaration is refused with 22023.';
