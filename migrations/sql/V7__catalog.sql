-- Purpose: what is sold: products, their taxes, barcodes and prices, and what the chain's own
--          barcodes mean (scale labels, tickets).
-- Limits:  a barcode rule is anchored: it reads numbers of exactly its prefix and length. The first
--          that fits wins.
-- Undo:    drop the tables and functions of schema catalog.

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

create table catalog.barcode_rule (
  barcode_rule_id      uuid primary key default tpv.uuid7(),
  name                 text not null unique check (name <> ''),
  priority             integer not null default 100 check (priority >= 0),
  prefix               text not null,
  length               smallint not null,
  kind                 text not null,
  item_start           smallint,
  item_length          smallint,
  value_start          smallint,
  value_length         smallint,
  decimals             smallint not null default 0,
  inner_check          text not null default 'none',
  inner_check_position smallint,
  node_id              integer references org.store (node_id),
  department_code      text,
  valid_from           date,
  valid_to             date
);
comment on table catalog.barcode_rule is
  'How to read restricted barcodes: where the item and the value stand in the number.';
comment on column catalog.barcode_rule.barcode_rule_id is 'Key.';
comment on column catalog.barcode_rule.name is 'Name for people; what is decoded names it.';
comment on column catalog.barcode_rule.priority is 'Lower is tried first.';
comment on column catalog.barcode_rule.prefix is 'Digits the number begins with.';
comment on column catalog.barcode_rule.length is 'Digits the number has, check digit included.';
comment on column catalog.barcode_rule.kind is 'What the value is: price, weight, count or ticket.';
comment on column catalog.barcode_rule.item_start is 'Position, from 1, of the digits that name the item.';
comment on column catalog.barcode_rule.item_length is 'How many digits name the item.';
comment on column catalog.barcode_rule.value_start is 'Position, from 1, of the digits that are the value.';
comment on column catalog.barcode_rule.value_length is 'How many digits the value has.';
comment on column catalog.barcode_rule.decimals is
  'How many digits of the value stand behind the decimal point.';
comment on column catalog.barcode_rule.inner_check is 'Check digit over the value: none, price4 or price5.';
comment on column catalog.barcode_rule.inner_check_position is
  'Position of that digit; null for right before the value.';
comment on column catalog.barcode_rule.node_id is 'The only store it holds in; null for all.';
comment on column catalog.barcode_rule.department_code is 'The only department it holds in; null for all.';
comment on column catalog.barcode_rule.valid_from is 'First day it holds; null for always.';
comment on column catalog.barcode_rule.valid_to is 'Last day it holds; null for always.';

-- include functions/catalog/barcode_rule.sql
create trigger _100_check before insert or update on catalog.barcode_rule
  for each row execute function catalog.check_rule();

grant select on all tables in schema catalog to tpv_operator, tpv_analyst;
