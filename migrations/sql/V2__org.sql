-- Purpose: nodes, legal entities, stores, departments and terminals, and one call to register each.
-- Limits:  a store's time zone and cut-off hour are part of how its past receipts are dated: they
--          cannot be changed once it has documents. Rows are deleted with deleted = true, and a code
--          is unique among those that are not, so that it can come back. No foreign key can point at
--          such a code: org.check_place and org.check_vacant are in its place.
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
  tax_id          text,
  deleted         boolean not null default false
);
comment on table org.legal_entity is
  'Legal entities that can issue an invoice: the chain itself and its concessionaires.';
comment on column org.legal_entity.legal_entity_id is 'Key, generated where the entity was registered.';
comment on column org.legal_entity.name is 'Registered name.';
comment on column org.legal_entity.tax_id is 'Tax number, if known.';
comment on column org.legal_entity.deleted is 'Whether it was deleted. Rows are never removed.';

-- node_id is no foreign key: a store knows all stores, but of the nodes only central and itself.
-- Replication would not check the key, and a dump that violates it cannot be restored.
create table org.store (
  store_id        uuid primary key default tpv.uuid7(),
  node_id         integer not null,
  code            text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'),
  name            text not null,
  timezone        text not null,
  cutoff_hour     smallint not null check (cutoff_hour between 0 and 23),
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  legal_entity_id uuid references org.legal_entity,
  -- No user and no password: the row reaches every node.
  gateway_url     text check (gateway_url ~ '^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^[:space:]@]*)?$'),
  deleted         boolean not null default false
);
create unique index store_node on org.store (node_id) where not deleted;
create unique index store_code on org.store (code) where not deleted;
comment on table org.store is 'Stores. Each has a node of its own.';
comment on column org.store.store_id is 'Key, generated where the store was registered.';
comment on column org.store.node_id is 'The store''s node.';
comment on column org.store.code is
  'Short code that is printed for people, such as S01. The node''s code, if none was given.';
comment on column org.store.name is 'Name for people.';
comment on column org.store.timezone is 'IANA time zone of the store''s clocks, such as Europe/Madrid.';
comment on column org.store.cutoff_hour is
  'Sales before this local hour belong to the business date before.';
comment on column org.store.currency is 'ISO 4217 code of every amount of this store.';
comment on column org.store.legal_entity_id is 'Whoever runs the store.';
comment on column org.store.gateway_url is
  'Where the gateway of its node answers, as http://host:port or https://host:port; null when it has '
  'none.';
comment on column org.store.deleted is
  'Whether it was deleted. Then it receives no files; what it recorded keeps its dates.';

create table org.department (
  department_id   uuid primary key default tpv.uuid7(),
  node_id         integer not null,
  code            text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'),
  name            text not null,
  legal_entity_id uuid references org.legal_entity,
  tax_id          uuid,
  deleted         boolean not null default false
);
create unique index department_code on org.department (node_id, code) where not deleted;
comment on table org.department is 'Departments of a store; many are leased to a concessionaire.';
comment on column org.department.department_id is
  'Key, generated where the department was registered.';
comment on column org.department.node_id is 'The store''s node.';
comment on column org.department.code is 'Code that its receipts carry in departmentCode.';
comment on column org.department.name is 'Name for people.';
comment on column org.department.legal_entity_id is
  'The concessionaire; null for a department that the store runs itself.';
comment on column org.department.tax_id is
  'The tax of what is sold there, where neither the receipt nor the product says one.';
comment on column org.department.deleted is
  'Whether it was deleted. Its code can be given again. Rows are never removed.';

create table org.terminal (
  terminal_id     uuid primary key default tpv.uuid7(),
  node_id         integer not null,
  code            text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
  kind            text not null default 'department' check (kind in ('department', 'till')),
  department_code text,
  declares        jsonb not null default '{}',
  active          boolean not null default true,
  deleted         boolean not null default false,
  check (kind = 'till' or department_code is not null)
);
create unique index terminal_code on org.terminal (node_id, code) where not deleted;
comment on table org.terminal is
  'Terminals (scales, tills) that drop receipts as files, one inbox folder for each.';
comment on column org.terminal.terminal_id is 'Key, generated where the terminal was registered.';
comment on column org.terminal.node_id is 'The store''s node.';
comment on column org.terminal.code is
  'Code; the name of its inbox folder and the terminalId of its receipts.';
comment on column org.terminal.kind is
  'department: it issues the tickets of a department. till: it is where customers pay.';
comment on column org.terminal.department_code is
  'The department it belongs to; null for a till that belongs to none.';
comment on column org.terminal.declares is
  'What is special about its files: encoding, decimal_comma, price_decimals, numeric_barcode, '
  'timezone, total_tolerance_cents, ignore_keys, id_map.';
comment on column org.terminal.active is 'An inactive terminal''s files are quarantined UNKNOWN_TERMINAL.';
comment on column org.terminal.deleted is
  'Whether it was deleted. Then its files are quarantined UNKNOWN_TERMINAL.';

-- include functions/org/this_node.sql
-- include functions/org/register.sql
-- include functions/org/place.sql

-- What the merge writes was checked where it was decided.
create trigger _150_check before insert or update on org.terminal
  for each row execute function org.check_declaration();
alter table org.terminal enable always trigger _150_check;
create trigger _200_dates before insert or update of node_id, timezone, cutoff_hour on org.store
  for each row when (tpv.is_capturing()) execute function org.keep_dates();
create trigger _300_place after insert or update of node_id, deleted on org.department
  for each row when (tpv.is_capturing()) execute function org.check_place();
create trigger _300_place after insert or update of node_id, department_code, deleted on org.terminal
  for each row when (tpv.is_capturing()) execute function org.check_place();
-- At the end of the transaction: what is deleted together may be deleted in any order.
create constraint trigger _310_vacant after update of node_id, deleted on org.store deferrable initially deferred
  for each row when (tpv.is_capturing()) execute function org.check_vacant();
create constraint trigger _310_vacant after update of node_id, code, deleted on org.department deferrable initially deferred
  for each row when (tpv.is_capturing()) execute function org.check_vacant();

grant select on all tables in schema org to tpv_operator, tpv_analyst;
grant select on sync.this_node to tpv_operator, tpv_analyst, tpv_apply, tpv_worker;
grant select on org.node to tpv_apply;
