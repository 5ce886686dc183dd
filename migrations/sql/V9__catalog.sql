-- Purpose: what is sold: products, their taxes, barcodes, local codes and prices, and what the
--          chain's own barcodes mean (scale labels, tickets).
-- Limits:  a barcode rule is anchored: it reads numbers of exactly its prefix and length. The first
--          that fits wins. A code is unique among the rows that are not deleted. A rate and a price
--          hold until the next valid_from; so rows may arrive in any order, and no two overlap.
-- Undo:    drop the tables and functions of schema catalog.

create table catalog.tax (
  tax_id  uuid primary key default tpv.uuid7(),
  code    text not null,
  name    text not null,
  deleted boolean not null default false
);
create unique index tax_code on catalog.tax (code) where not deleted;
comment on table catalog.tax is 'Taxes. Their rates are in catalog.tax_rate.';
comment on column catalog.tax.tax_id is 'Key.';
comment on column catalog.tax.code is 'Short name.';
comment on column catalog.tax.name is 'Name for people.';
comment on column catalog.tax.deleted is
  'Whether it was deleted. Its code can be given again. Rows are never removed.';

create table catalog.tax_rate (
  tax_rate_id uuid primary key default tpv.uuid7(),
  tax_id      uuid not null references catalog.tax,
  rate        numeric(5,2) not null check (rate between 0 and 100),
  valid_from  date not null,
  deleted     boolean not null default false
);
create index tax_rate_tax on catalog.tax_rate (tax_id, valid_from);
comment on table catalog.tax_rate is
  'Rates of taxes. Each holds from its first day until the next one of the same tax.';
comment on column catalog.tax_rate.tax_rate_id is
  'Key. Of two with one first day, the one with the greater key holds: it was made later.';
comment on column catalog.tax_rate.tax_id is 'The tax.';
comment on column catalog.tax_rate.rate is 'Percent.';
comment on column catalog.tax_rate.valid_from is 'The first business day it holds.';
comment on column catalog.tax_rate.deleted is
  'Whether it was deleted. Then the one before holds on. Rows are never removed.';

alter table org.department add foreign key (tax_id) references catalog.tax;

create table catalog.product (
  product_id  uuid primary key default tpv.uuid7(),
  sku         text not null,
  description text not null,
  tax_id      uuid references catalog.tax,
  unit        text not null default 'piece' check (unit in ('piece', 'kg', 'litre')),
  deleted     boolean not null default false
);
create unique index product_sku on catalog.product (sku) where not deleted;
comment on table catalog.product is 'What the chain sells.';
comment on column catalog.product.product_id is 'Key.';
comment on column catalog.product.sku is 'The chain''s own number.';
comment on column catalog.product.description is 'Name for people.';
comment on column catalog.product.tax_id is 'Its tax; null for that of the department.';
comment on column catalog.product.unit is 'What a quantity of it counts.';
comment on column catalog.product.deleted is
  'Whether it was deleted. Its number can be given again. Rows are never removed.';

create table catalog.barcode (
  barcode_id uuid primary key default tpv.uuid7(),
  gtin14     text not null check (gtin14 ~ '^[0-9]{14}$'),
  product_id uuid not null references catalog.product,
  deleted    boolean not null default false
);
create unique index barcode_gtin14 on catalog.barcode (gtin14) where not deleted;
comment on table catalog.barcode is 'Which product a barcode is.';
comment on column catalog.barcode.barcode_id is 'Key.';
comment on column catalog.barcode.gtin14 is 'The GTIN in its 14-digit form.';
comment on column catalog.barcode.product_id is 'The product.';
comment on column catalog.barcode.deleted is
  'Whether it was deleted. The number can be given to another product. Rows are never removed.';

create table catalog.local_code (
  local_code_id   uuid primary key default tpv.uuid7(),
  node_id         integer,
  department_code text,
  code            text not null check (code <> '' and code = btrim(code)),
  product_id      uuid not null references catalog.product,
  deleted         boolean not null default false,
  check (department_code is null or node_id is not null)
);
create unique index local_code_code on catalog.local_code (code, node_id, department_code) nulls not distinct
  where not deleted;
comment on table catalog.local_code is
  'Which product a code is that is no GTIN: the number of a scale (PLU), the item digits inside a '
  'label, a code of the department''s own. That of a department goes before that of its store, and '
  'that before the chain''s.';
comment on column catalog.local_code.local_code_id is 'Key.';
comment on column catalog.local_code.node_id is 'The only store it holds in; null for all.';
comment on column catalog.local_code.department_code is
  'The only department of that store it holds in; null for all.';
comment on column catalog.local_code.code is 'The code as it is keyed in or printed, with its zeros.';
comment on column catalog.local_code.product_id is 'The product.';
comment on column catalog.local_code.deleted is
  'Whether it was deleted. The code can be given to another product. Rows are never removed.';
create trigger _300_place after insert or update of node_id, department_code, deleted on catalog.local_code
  for each row when (tpv.is_capturing()) execute function org.check_place();

create table catalog.price (
  price_id   uuid primary key default tpv.uuid7(),
  product_id uuid not null references catalog.product,
  node_id    integer,
  price      numeric(14,4) check (price >= 0),
  valid_from timestamptz not null,
  deleted    boolean not null default false
);
create index price_product on catalog.price (product_id, valid_from);
comment on table catalog.price is
  'Unit prices with tax. Each holds from its valid_from until the next one of the same product and '
  'store. A store''s own goes before the chain''s. catalog.price_at answers which holds.';
comment on column catalog.price.price_id is
  'Key. Of two with one valid_from, the one with the greater key holds: it was made later.';
comment on column catalog.price.product_id is 'The product.';
comment on column catalog.price.node_id is 'The only store it holds in; null for all.';
comment on column catalog.price.price is
  'Unit price with tax. Null ends what was before: in a store the chain''s price holds again, in the '
  'chain there is none.';
comment on column catalog.price.valid_from is 'From when.';
comment on column catalog.price.deleted is
  'Whether it was deleted. Then the one before holds on. Rows are never removed.';

create table catalog.barcode_rule (
  barcode_rule_id      uuid primary key default tpv.uuid7(),
  name                 text not null check (name <> ''),
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
  node_id              integer,
  department_code      text,
  valid_from           date,
  valid_to             date,
  deleted              boolean not null default false
);
create unique index barcode_rule_name on catalog.barcode_rule (name) where not deleted;
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
comment on column catalog.barcode_rule.deleted is 'Whether it was deleted. Rows are never removed.';

-- begin functions/catalog/barcode_rule.sql
create or replace function catalog.rule_as_json(r catalog.barcode_rule) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'name', r.name, 'priority', r.priority, 'prefix', r.prefix, 'length', r.length, 'kind', r.kind,
    'item', case when r.item_start is not null then jsonb_build_object('start', r.item_start, 'length', r.item_length) end,
    'value', case when r.value_start is not null then jsonb_build_object('start', r.value_start, 'length', r.value_length) end,
    'decimals', r.decimals, 'inner_check', r.inner_check, 'inner_check_position', r.inner_check_position,
    'department', r.department_code, 'valid_from', r.valid_from, 'valid_to', r.valid_to));
end $$;
comment on function catalog.rule_as_json(catalog.barcode_rule) is
  'The rule as tpv.barcode_decode reads it.';

create or replace function catalog.check_rule() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Raises 22023 with every fault: a bad rule must not get as far as a receipt.
  perform tpv.barcode_decode('0', jsonb_build_array(catalog.rule_as_json(new)));
  return new;
end $$;
comment on function catalog.check_rule() is 'Refuses a barcode rule with faults.';

create or replace function catalog.barcode_rules(node_id integer) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(catalog.rule_as_json(r) order by r.priority, r.name), '[]')
      from catalog.barcode_rule r
     where (r.node_id is null or r.node_id = barcode_rules.node_id) and not r.deleted);
end $$;
comment on function catalog.barcode_rules(integer) is
  'The rules that hold in a store, as tpv.barcode_decode reads them.';
-- end functions/catalog/barcode_rule.sql
-- begin functions/catalog/price.sql
create or replace function catalog.price_at(product_id uuid, node_id integer, at timestamptz default now()) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  -- The store's own, then the chain's: of each the last that has begun. A null of the store's
  -- leaves it to the chain's.
  return (
    select coalesce(
      (select p.price from catalog.price p
        where p.product_id = price_at.product_id and p.node_id = price_at.node_id and p.valid_from <= price_at.at and not p.deleted
        order by p.valid_from desc, p.price_id desc limit 1),
      (select p.price from catalog.price p
        where p.product_id = price_at.product_id and p.node_id is null and p.valid_from <= price_at.at and not p.deleted
        order by p.valid_from desc, p.price_id desc limit 1))
     where exists (select from catalog.product t where t.product_id = price_at.product_id and not t.deleted));
end $$;
comment on function catalog.price_at(uuid, integer, timestamptz) is
  'The price of a product in a store at a moment: the store''s own, else the chain''s; null when there '
  'is none. A price holds until the next valid_from; of two with one valid_from the greater key.';
grant execute on function catalog.price_at(uuid, integer, timestamptz) to tpv_operator, tpv_analyst;
-- end functions/catalog/price.sql
-- begin functions/catalog/product.sql
create or replace function catalog.item_key(node_id integer, department text, code text, on_date date) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return tpv.item_key(code, department, on_date, catalog.barcode_rules(node_id));
end $$;
comment on function catalog.item_key(integer, text, text, date) is
  'What was sold, as documents say it: a GTIN of 14 digits; R: with prefix and item digits of a '
  'restricted number, by the rule that held in that store on that day; else L:<department>:<code>.';

create or replace function catalog.find_product(node_id integer, department text, code text, on_date date) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  printed text := btrim(find_product.code);
  digits text;
  product uuid;
begin
  select p.product_id into product
    from catalog.barcode b join catalog.product p on p.product_id = b.product_id and not p.deleted
   where b.gtin14 = tpv.gtin14(printed) and not b.deleted;
  if product is not null then
    return product;
  end if;
  digits := tpv.item_digits(find_product.code, find_product.department, find_product.on_date,
                            catalog.barcode_rules(find_product.node_id));
  -- A scale pads the number of an item with zeros. What is in the catalog as it is printed goes
  -- first.
  select p.product_id into product
    from (values (1, digits), (2, ltrim(digits, '0')), (3, printed)) as w (step, code)
    join catalog.local_code c on c.code = w.code and not c.deleted
     and (c.node_id is null or c.node_id = find_product.node_id)
     and (c.department_code is null or c.department_code = find_product.department)
    join catalog.product p on p.product_id = c.product_id and not p.deleted
   order by w.step = 3, c.department_code is null, c.node_id is null, w.step
   limit 1;
  return product;
end $$;
comment on function catalog.find_product(integer, text, text, date) is
  'The product that a code means at a department of a store on a day; null when nobody knows. First as '
  'a GTIN; then by the item digits of a restricted number; then as a local code, of the department, '
  'else of the store, else of the chain.';
grant execute on function catalog.item_key(integer, text, text, date), catalog.find_product(integer, text, text, date)
  to tpv_operator, tpv_analyst;
-- end functions/catalog/product.sql
-- begin functions/catalog/tax.sql
create or replace function catalog.tax_rate_at(tax_id uuid, on_date date) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select r.rate from catalog.tax_rate r join catalog.tax t on t.tax_id = r.tax_id and not t.deleted
     where r.tax_id = tax_rate_at.tax_id and r.valid_from <= tax_rate_at.on_date and not r.deleted
     order by r.valid_from desc, r.tax_rate_id desc limit 1);
end $$;
comment on function catalog.tax_rate_at(uuid, date) is
  'The rate of a tax on a business day, in percent; null when it had none yet. A rate holds until the '
  'next valid_from; of two with one valid_from the greater key.';

create or replace function catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date)
returns table (rate numeric, source text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select t.rate, t.source
    from (
      select 1, line_tax.said, 'receipt'
      union all
      select 2, catalog.tax_rate_at(p.tax_id, line_tax.on_date), 'product'
        from catalog.product p
       where line_tax.said is null
         and p.product_id = catalog.find_product(line_tax.node_id, line_tax.department, line_tax.code, line_tax.on_date)
      union all
      select 3, catalog.tax_rate_at(d.tax_id, line_tax.on_date), 'department'
        from org.department d
       where line_tax.said is null and d.node_id = line_tax.node_id and d.code = line_tax.department and not d.deleted
      union all
      select 4, null, 'unknown'
    ) as t (step, rate, source)
   where t.rate is not null or t.source = 'unknown'
   order by t.step limit 1;
end $$;
comment on function catalog.line_tax(integer, text, text, numeric, date) is
  'The tax rate of a line, and who says so: receipt (said, what was printed), else product, else '
  'department, at their rate on that business day; else unknown, with no rate.';
grant execute on function catalog.tax_rate_at(uuid, date), catalog.line_tax(integer, text, text, numeric, date)
  to tpv_operator, tpv_analyst;
-- end functions/catalog/tax.sql

-- Also for rows that arrive: one rule that this version cannot read would stop every receipt of a
-- store. It waits in quarantine until the store is upgraded.
create trigger _150_check before insert or update on catalog.barcode_rule
  for each row execute function catalog.check_rule();
alter table catalog.barcode_rule enable always trigger _150_check;
create trigger _300_place after insert or update of node_id, department_code, deleted on catalog.barcode_rule
  for each row when (tpv.is_capturing()) execute function org.check_place();

grant select on all tables in schema catalog to tpv_operator, tpv_analyst;
