-- Purpose: tracking of tables, and the entities that the chain shares: org, catalog, layouts, customers, policies.
-- Limits:  a tracked table has a key of one uuid; one that every node may write has no other UNIQUE or FOREIGN KEY.
-- Undo:    drop the triggers _100_guard and _900_capture of a table to track it no more; its operations stay.

-- Tracking -----------------------------------------------------------------------------------------------------------

create function sync.is_joined_store() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central');
end;
comment on function sync.is_joined_store() is 'Whether this node is a store that has joined a chain: central then decides for it.';

create function sync.capture() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  perform tpv.capture_change(tg_table_schema || '.' || tg_table_name,
                             case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new));
  return null;
end $$;
comment on function sync.capture() is 'Turns a change of a tracked row into an operation, at the end of the transaction.';

create function sync.guard() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op in ('DELETE', 'TRUNCATE') then
    raise exception 'rows of % are never removed', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'update it and set deleted = true';
  end if;
  if tg_argv[0] = 'central' and tpv.is_capturing() and sync.is_joined_store() then
    raise exception '% is decided by central', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'change it at central; it arrives here by itself';
  end if;
  return new;
end $$;
comment on function sync.guard() is 'Refuses what may not be written here: removals, and in a store what central decides.';

create function sync.track(entity text, writer text default 'any', groups jsonb default '{}') returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  relation regclass := to_regclass(entity);
  key_name text;
  said text := '';
  torn record;
  existing bigint;
begin
  if relation is null then
    raise exception 'there is no table of that name' using errcode = '42P01', hint = 'give it with its schema, such as catalog.product';
  end if;
  if writer not in ('any', 'central') then
    raise exception 'writer must be any or central' using errcode = '22023';
  end if;
  select a.attname into key_name
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
   where i.indrelid = relation and i.indisprimary and i.indnkeyatts = 1 and a.atttypid = 'uuid'::regtype;
  if key_name is null then
    raise exception 'a tracked table has a primary key of one uuid column' using errcode = '22023';
  end if;
  -- Two columns of one CHECK, written at two nodes, could together break it.
  select c.conname, k.columns into torn
    from pg_constraint c
    cross join lateral (
      select array_agg(a.attname::text) as columns from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) k
   where c.conrelid = relation and c.contype = 'c' and cardinality(c.conkey) > 1 and track.writer = 'any'
     and not exists (
       select from jsonb_each(track.groups) g where k.columns <@ array(select jsonb_array_elements_text(g.value)))
   limit 1;
  if found then
    raise exception 'the columns of CHECK % must be one group', torn.conname
      using errcode = '22023', detail = array_to_string(torn.columns, ', '), hint = 'groups => ''{"name": ["column", "column"]}''';
  end if;
  if writer = 'any' and exists (
    select from pg_constraint c where c.conrelid = relation and c.contype in ('u', 'x', 'f')) then
    raise exception 'a table that every node may write has no UNIQUE, EXCLUDE or FOREIGN KEY beside its key'
      using errcode = '22023', hint = 'two nodes could each be right and never agree; refuse duplicates where they can be seen';
  end if;
  if not exists (select from pg_attribute a where a.attrelid = relation and a.attname = 'deleted' and not a.attisdropped) then
    execute format('alter table %s add column deleted boolean not null default false', relation);
    execute format('comment on column %s.deleted is %L', relation, 'Whether it was deleted. Rows are never removed.');
    said := said || 'added column deleted; ';
  end if;
  insert into sync.entity (entity, key_column, writer, groups)
  values (track.entity, key_name, track.writer, track.groups)
  on conflict on constraint entity_pkey do update set writer = excluded.writer, groups = excluded.groups;
  execute format('drop trigger if exists _100_guard on %s', relation);
  execute format('drop trigger if exists _100_guard_truncate on %s', relation);
  execute format('drop trigger if exists _900_capture on %s', relation);
  execute format('create trigger _100_guard before insert or update or delete on %s for each row execute function sync.guard(%L)', relation, writer);
  execute format('create trigger _100_guard_truncate before truncate on %s for each statement execute function sync.guard(%L)', relation, writer);
  execute format('create constraint trigger _900_capture after insert or update on %s deferrable initially deferred '
                 'for each row when (tpv.is_capturing()) execute function sync.capture()', relation);
  execute format('grant select, insert, update on %s to tpv_apply', relation);
  -- What is there already is decided now, so that the journal is whole.
  execute format('select count(tpv.capture_change(%L, null, to_jsonb(t))) from %s t '
                 'where not exists (select from sync.head h where h.entity = %L and h.key = t.%I::text)',
                 track.entity, relation, track.entity, key_name) into existing;
  return said || format('%s is tracked by %s, written by %s; %s rows were there', entity, key_name, writer, existing);
end $$;
comment on function sync.track(text, text, jsonb) is
  'Shares a table with the chain: adds what it lacks, its triggers, and an operation for each row that is there. Says what it did.';

create function sync.restore_loser(entity text, key text, column_name text, node_id integer, seq bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if sync.is_joined_store() and exists (
    select from sync.entity e where e.entity = restore_loser.entity and e.writer = 'central') then
    raise exception '% is decided by central', entity using errcode = '42501', hint = 'settle it there; that arrives here by itself';
  end if;
  perform tpv.restore_loser(entity, key, column_name, node_id, seq);
end $$;
comment on function sync.restore_loser(text, text, text, integer, bigint) is
  'Settles a conflict for a value that lost: it is written again, by an operation that knows of all the others.';

create function sync.policy_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Not by sync.sibling: values that the old policy united are no conflict on record, and may be one now.
  perform tpv.settle_again(h.entity, h.key)
     from (select i.entity, i.key from sync.head i
            where (i.entity = new.entity and json_array_length(i.heads::json -> new.column_name) > 1)
               or (i.entity = old.entity and json_array_length(i.heads::json -> old.column_name) > 1)
            order by 1, 2) h;
  return null;
end $$;
comment on function sync.policy_changed() is 'Chooses anew among values that were written at the same time when their policy changed.';

-- Entities of the chain ----------------------------------------------------------------------------------------------

create table catalog.tax (
  tax_id uuid primary key default tpv.uuid7(),
  code   text not null unique,
  name   text not null,
  rate   numeric(5,2) not null check (rate between 0 and 100)
);
comment on table catalog.tax is 'Tax rates.';
comment on column catalog.tax.tax_id is 'Key.';
comment on column catalog.tax.code is 'Short name.';
comment on column catalog.tax.name is 'Name for people.';
comment on column catalog.tax.rate is 'Percent.';

create table catalog.product (
  product_id  uuid primary key default tpv.uuid7(),
  sku         text not null unique,
  description text not null,
  tax_id      uuid references catalog.tax,
  unit        text not null default 'piece' check (unit in ('piece', 'kg', 'litre'))
);
comment on table catalog.product is 'What the chain sells.';
comment on column catalog.product.product_id is 'Key.';
comment on column catalog.product.sku is 'The chain''s own number.';
comment on column catalog.product.description is 'Name for people.';
comment on column catalog.product.tax_id is 'Its tax rate.';
comment on column catalog.product.unit is 'What a quantity of it counts.';

create table catalog.barcode (
  barcode_id uuid primary key default tpv.uuid7(),
  gtin14     text not null unique check (gtin14 ~ '^[0-9]{14}$'),
  product_id uuid not null references catalog.product
);
comment on table catalog.barcode is 'Which product a barcode is.';
comment on column catalog.barcode.barcode_id is 'Key.';
comment on column catalog.barcode.gtin14 is 'The GTIN in its 14-digit form.';
comment on column catalog.barcode.product_id is 'The product.';

create table catalog.price (
  price_id   uuid primary key default tpv.uuid7(),
  product_id uuid not null references catalog.product,
  node_id    integer,
  price      numeric(14,4) not null check (price >= 0),
  valid_from timestamptz not null,
  valid_to   timestamptz,
  check (valid_to > valid_from)
);
create index price_product on catalog.price (product_id, valid_from);
comment on table catalog.price is 'Unit prices with tax, and when they hold.';
comment on column catalog.price.price_id is 'Key.';
comment on column catalog.price.product_id is 'The product.';
comment on column catalog.price.node_id is 'The only store it holds in; null for all.';
comment on column catalog.price.price is 'Unit price with tax.';
comment on column catalog.price.valid_from is 'From when.';
comment on column catalog.price.valid_to is 'Until when, exclusive; null for until further notice.';

create schema party;
comment on schema party is 'People: customers and employees.';
grant usage on schema party to tpv_operator, tpv_apply;

create table party.customer (
  customer_id uuid primary key default tpv.uuid7(),
  name        text not null,
  email       text,
  phone       text,
  street      text,
  postcode    text,
  city        text,
  country     text,
  tags        jsonb not null default '[]' check (jsonb_typeof(tags) = 'array'),
  consent     text not null default 'none' check (consent in ('none', 'email', 'all')),
  credit_limit numeric(14,2)
);
comment on table party.customer is 'Customers. Every node may write them.';
comment on column party.customer.customer_id is 'Key, drawn where the customer was first met.';
comment on column party.customer.name is 'Name.';
comment on column party.customer.email is 'E-mail address.';
comment on column party.customer.phone is 'Telephone.';
comment on column party.customer.street is 'Street and number; the address is one group.';
comment on column party.customer.postcode is 'Postal code.';
comment on column party.customer.city is 'City.';
comment on column party.customer.country is 'ISO 3166 code.';
comment on column party.customer.tags is 'A set of words, as a JSON array; sets that were changed at once are united.';
comment on column party.customer.consent is 'What the customer allows; of two the stricter holds: none, email, all.';
comment on column party.customer.credit_limit is 'How much may be owed.';

select sync.track('org.legal_entity', 'central');
select sync.track('org.store', 'central');
select sync.track('org.department', 'central');
select sync.track('org.terminal', 'central');
select sync.track('dat.profile', 'central');
select sync.track('catalog.tax', 'central');
select sync.track('catalog.product', 'central');
select sync.track('catalog.barcode', 'central');
select sync.track('catalog.price', 'central');
select sync.track('party.customer', 'any', '{"address": ["street", "postcode", "city", "country"]}');
select sync.track('sync.policy', 'central');
create trigger _910_settle after insert or update on sync.policy for each row execute function sync.policy_changed();
alter table sync.policy enable always trigger _910_settle;

-- Nobody decides these: a store that is upgraded after others must not write them again over what central has said since.
alter table sync.policy disable trigger _900_capture;
insert into sync.policy (policy_id, entity, column_name, rule) values
  ('00000000-0000-7000-8000-000000000001', 'party.customer', 'tags', '"union"'),
  ('00000000-0000-7000-8000-000000000002', 'party.customer', 'consent', '{"rule": "least", "order": ["none", "email", "all"]}'),
  ('00000000-0000-7000-8000-000000000003', 'party.customer', 'credit_limit', '"review"');
alter table sync.policy enable trigger _900_capture;

-- What arrives is written by tpv_apply -------------------------------------------------------------------------------

grant usage on schema wire, sync, sales, org, catalog, dat, sec, tpv to tpv_apply;
-- Rights are checked on the partition that a row goes to.
grant select, insert on all tables in schema wire to tpv_apply;
alter default privileges in schema wire grant select, insert on tables to tpv_apply;
grant select, insert, update, delete on sync.head, sync.sibling, sync.quarantine to tpv_apply;
grant select, update on sync.peer to tpv_apply;
grant select on sync.this_node, sync.entity, sync.policy, sync.chain, sync.op_counter, org.node to tpv_apply;
grant select, insert, update on sales.receipt, sales.receipt_line, sales.receipt_tax, sales.receipt_event, sales.day_close to tpv_apply;
grant insert on sec.audit to tpv_apply;
-- Asked for each row of a tracked table, with the rights of whoever writes it.
grant execute on function tpv.is_capturing() to tpv_apply, tpv_operator;
-- The key of a customer whom an operator enters.
grant execute on function tpv.uuid7() to tpv_operator;
grant usage on schema tpv to tpv_operator;

-- What a peer may read: the wire tables and nothing else.
grant usage on schema wire to tpv_replicator;
grant select on wire.doc, wire.op, wire.beat to tpv_replicator;
