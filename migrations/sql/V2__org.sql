-- Purpose: nodes, legal entities, stores, departments and terminals, and one call to register each;
--          which nodes are banned.
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

-- begin functions/org/this_node.sql
create or replace function org.this_node() returns integer
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (select node_id from sync.this_node);
end $$;
comment on function org.this_node() is
  'Number of the node that this database is; null before a store is registered.';
-- end functions/org/this_node.sql
-- begin functions/org/register.sql
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
-- end functions/org/register.sql
-- begin functions/org/place.sql
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
-- end functions/org/place.sql

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

-- A row for each ban, so that what a ban that was lifted was about stays on record.
create table org.ban (
  ban_id     uuid primary key default tpv.uuid7(),
  node_id    integer not null,
  last_seq   bigint not null,
  joined_seq bigint,
  banned_at  timestamptz not null,
  banned_by  text not null,
  why        text not null,
  lifted_at  timestamptz,
  lifted_by  text,
  lifted_why text,
  undone_seq bigint,
  deleted    boolean not null default false,
  -- An erased row has neither.
  check (deleted or why <> ''),
  check (deleted or (lifted_at is null) = (coalesce(lifted_why, '') = ''))
);
create unique index ban_node on org.ban (node_id) where lifted_at is null and not deleted;
comment on table org.ban is
  'Stores whose machine is not believed any more, because it was stolen: sync.ban. Every node has the '
  'row, and refuses what the store wrote after it.';
comment on column org.ban.ban_id is 'Key.';
comment on column org.ban.node_id is 'The store''s node.';
comment on column org.ban.last_seq is
  'Its last operation that central had then. No node takes one with a higher number.';
comment on column org.ban.joined_seq is
  'sync.peer.joined_seq of the store at central, for when the ban is lifted.';
comment on column org.ban.banned_at is 'When.';
comment on column org.ban.banned_by is 'Who did it, by sec.actor().';
comment on column org.ban.why is 'The reason. It names no person.';
comment on column org.ban.lifted_at is 'When the ban was lifted; null while it holds.';
comment on column org.ban.lifted_by is 'Who lifted it, by sec.actor().';
comment on column org.ban.lifted_why is 'The reason for that. It names no person.';
comment on column org.ban.undone_seq is
  'From this operation of the store on, up to last_seq, what it wrote was taken back (sync.undo_written). One '
  'that waits because it cannot be read is merged by no node.';
comment on column org.ban.deleted is 'Whether it was deleted. Rows are never removed.';
grant select on org.ban to tpv_operator;
-- Without reasons, and who gave them.
grant select (ban_id, node_id, last_seq, joined_seq, banned_at, lifted_at, undone_seq, deleted) on org.ban to tpv_analyst;
