-- Purpose: the entities that the chain shares: org, catalog, layouts, customers, policies; and who writes what arrives.
-- Limits:  as for every tracked table (V10).
-- Undo:    as for a tracked table, and drop the tables that are created here.

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
  credit_limit numeric(14,2),
  home_node_id integer
);
comment on table party.customer is 'Customers. Every node may write them.';
comment on column party.customer.customer_id is 'Key, drawn where the customer was first met.';
comment on column party.customer.name is 'Name.';
comment on column party.customer.email is 'E-mail address; two customers with one are duplicates.';
comment on column party.customer.phone is 'Telephone.';
comment on column party.customer.street is 'Street and number; the address is one group.';
comment on column party.customer.postcode is 'Postal code.';
comment on column party.customer.city is 'City.';
comment on column party.customer.country is 'ISO 3166 code.';
comment on column party.customer.tags is 'A set of words, as a JSON array; sets that were changed at once are united.';
comment on column party.customer.consent is 'What the customer allows: none, email, all. Of two the stricter holds, and only sync.loosen makes it looser.';
comment on column party.customer.credit_limit is 'How much may be owed.';
comment on column party.customer.home_node_id is 'The node that the customer belongs to: where it was made, unless said otherwise then. It does not change.';

select sync.track('org.legal_entity', 'central');
select sync.track('org.store', 'central');
select sync.track('org.department', 'central');
select sync.track('org.terminal', 'central');
select sync.track('dat.profile', 'central');
select sync.track('catalog.tax', 'central');
select sync.track('catalog.product', 'central');
select sync.track('catalog.barcode', 'central');
select sync.track('catalog.price', 'central');
select sync.track('party.customer', 'any', '{"address": ["street", "postcode", "city", "country"]}',
  owner_column => 'home_node_id', duplicates => '{"email": ["email"]}', only_stricter => '{"consent": ["none", "email", "all"]}');
select sync.track('sync.policy', 'central');
-- Nobody decides these: a store that is upgraded after others must not write them again over what central has said since.
-- So nothing is captured, and what refuses policies of stores comes after.
alter table sync.policy disable trigger _900_capture;
insert into sync.policy (policy_id, table_name, column_name, rule)
select sync.policy_key('party.customer', p.column_name), 'party.customer', p.column_name, p.rule::jsonb
  from (values ('tags', '"union"'), ('consent', '{"rule": "least", "order": ["none", "email", "all"]}'), ('credit_limit', '"review"'))
    as p (column_name, rule);
alter table sync.policy enable trigger _900_capture;
create trigger _000_lock before insert or update on sync.policy for each statement execute function sync.lock_policies();
create trigger _300_check before insert or update on sync.policy for each row execute function sync.check_policy();
create trigger _910_choose after insert or update on sync.policy for each row execute function sync.policy_changed();
alter table sync.policy enable always trigger _910_choose;

-- What arrives is written by tpv_apply -------------------------------------------------------------------------------

grant usage on schema wire, sync, sales, org, catalog, dat, sec, tpv to tpv_apply;
-- Rights are checked on the partition that a row goes to.
grant select, insert on all tables in schema wire to tpv_apply;
alter default privileges in schema wire grant select, insert on tables to tpv_apply;
grant select, insert, update, delete on sync.head, sync.awaited, sync.sibling, sync.quarantine to tpv_apply;
grant select, update on sync.peer to tpv_apply;
grant select on sync.this_node, sync.tracked_table, sync.policy, sync.hash_chain, sync.op_counter, org.node to tpv_apply;
grant select, insert, update on sales.receipt, sales.receipt_line, sales.receipt_tax, sales.receipt_event, sales.day_close to tpv_apply;
grant insert on sec.audit to tpv_apply;
grant execute on function sync.loosen(text, uuid, text, text, text), sync.make_alias(text, uuid, uuid), sync.canonical_key(text, uuid),
  sync.duplicates(), sync.policy_dry_run(text, text, jsonb) to tpv_operator;
grant select on sync.duplicate, sync.resolution, sync.loosening to tpv_operator;
-- Asked for each row of a tracked table, with the rights of whoever writes it.
grant execute on function tpv.is_capturing() to tpv_apply, tpv_operator;
grant usage on schema tpv to tpv_operator;
-- The default of a new customer's key.
grant execute on function tpv.uuid7() to tpv_operator;

-- What a peer may read: the wire tables and nothing else.
grant usage on schema wire to tpv_replicator;
grant select on wire.doc, wire.op, wire.beat to tpv_replicator;
