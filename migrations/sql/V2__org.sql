-- Purpose: nodes, legal entities, stores, departments and terminals, and one call to register each.
-- Limits:  a store's time zone and cut-off hour are part of how its past receipts are dated: they
--          cannot be changed once it has documents.
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

-- The name is no key: two stores may each register a concessionaire before they join.
create table org.legal_entity (
  legal_entity_id uuid primary key default tpv.uuid7(),
  name            text not null check (name <> ''),
  tax_id          text
);
comment on table org.legal_entity is
  'Legal entities that can issue an invoice: the chain itself and its concessionaires.';
comment on column org.legal_entity.legal_entity_id is 'Key, generated where the entity was registered.';
comment on column org.legal_entity.name is 'Registered name.';
comment on column org.legal_entity.tax_id is 'Tax number, if known.';

-- node_id is no foreign key: a store knows all stores, but of the nodes only central and itself.
-- Replication would not check the key, and a dump that violates it cannot be restored.
create table org.store (
  store_id        uuid primary key default tpv.uuid7(),
  node_id         integer not null unique,
  name            text not null,
  timezone        text not null,
  cutoff_hour     smallint not null check (cutoff_hour between 0 and 23),
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  legal_entity_id uuid references org.legal_entity
);
comment on table org.store is 'Stores. Each has a node of its own.';
comment on column org.store.store_id is 'Key, generated where the store was registered.';
comment on column org.store.node_id is 'The store''s node.';
comment on column org.store.name is 'Name for people.';
comment on column org.store.timezone is 'IANA time zone of the store''s clocks, such as Europe/Madrid.';
comment on column org.store.cutoff_hour is
  'Sales before this local hour belong to the business date before.';
comment on column org.store.currency is 'ISO 4217 code of every amount of this store.';
comment on column org.store.legal_entity_id is 'Whoever runs the store.';

create table org.department (
  department_id   uuid primary key default tpv.uuid7(),
  node_id         integer not null references org.store (node_id),
  code            text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'),
  name            text not null,
  legal_entity_id uuid references org.legal_entity,
  unique (node_id, code)
);
comment on table org.department is 'Departments of a store; many are leased to a concessionaire.';
comment on column org.department.department_id is
  'Key, generated where the department was registered.';
comment on column org.department.node_id is 'The store''s node.';
comment on column org.department.code is 'Code that its receipts carry in departmentCode.';
comment on column org.department.name is 'Name for people.';
comment on column org.department.legal_entity_id is
  'The concessionaire; null for a department that the store runs itself.';

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
comment on table org.terminal is
  'Terminals (scales, tills) that drop receipts as files, one inbox folder for each.';
comment on column org.terminal.terminal_id is 'Key, generated where the terminal was registered.';
comment on column org.terminal.node_id is 'The store''s node.';
comment on column org.terminal.code is
  'Code; the name of its inbox folder and the terminalId of its receipts.';
comment on column org.terminal.department_code is 'The department it belongs to.';
comment on column org.terminal.declares is
  'What is special about its files: encoding, decimal_comma, price_decimals, numeric_barcode, '
  'timezone, total_tolerance_cents, ignore_keys, id_map.';
comment on column org.terminal.active is 'An inactive terminal''s files are quarantined UNKNOWN_TERMINAL.';

-- include functions/org/this_node.sql
-- include functions/org/register.sql

grant select on all tables in schema org to tpv_operator, tpv_analyst;
grant select on sync.this_node to tpv_operator, tpv_analyst, tpv_apply;
grant select on org.node to tpv_apply;
