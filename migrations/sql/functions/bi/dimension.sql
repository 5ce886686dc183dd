-- Of stores, departments and terminals that share a code, the one that is not deleted, else the one that was registered last.

create or replace view bi.store as
  select distinct on (s.node_id) s.node_id, s.code as store, s.name, s.timezone, s.cutoff_hour, s.currency,
         l.name as legal_entity, not s.deleted as is_open,
         exists (select from sync.this_node t where t.node_id = s.node_id)
         or exists (select from sync.peer p where p.node_id = s.node_id) as is_here
    from org.store s
    left join org.legal_entity l on l.legal_entity_id = s.legal_entity_id
   order by s.node_id, s.deleted, s.store_id desc;
comment on view bi.store is
  'Dimension: stores. Grain: a store. Closed ones are here too, since they have sales.';
comment on column bi.store.name is 'Name for people.';
comment on column bi.store.legal_entity is 'Registered name of whoever runs the store; null when it is not said.';
comment on column bi.store.currency is 'ISO 4217 code of all amounts of the store.';
comment on column bi.store.is_open is 'Whether the store is registered. A closed one receives no receipts.';
comment on column bi.store.is_here is
  'Whether its receipts come to this database: of a store''s database its own, of central''s those of the stores that have joined.';

create or replace view bi.date as
  select d.day::date as business_date, extract(year from d.day)::integer as year, extract(quarter from d.day)::integer as quarter,
         extract(month from d.day)::integer as month, to_char(d.day, 'YYYY-MM') as year_month,
         extract(isoyear from d.day)::integer as iso_year, extract(week from d.day)::integer as iso_week,
         to_char(d.day, 'IYYY"-W"IW') as iso_year_week, extract(isodow from d.day)::integer as weekday,
         to_char(d.day, 'FMDay') as weekday_name, extract(isodow from d.day) > 5 as is_weekend
    from (select date_trunc('year', min(b.business_date)::timestamp) as first_day,
                 date_trunc('year', max(b.business_date)::timestamp) + interval '1 year -1 day' as last_day
            from rollup.bucket b) r
   cross join lateral generate_series(r.first_day, r.last_day, interval '1 day') as d (day);
comment on view bi.date is
  'Dimension: the calendar. Grain: a day. Whole years, from the first business day with a receipt to the last; empty before '
  'the first receipt. Days without sales are here too.';
comment on column bi.date.year is 'Calendar year.';
comment on column bi.date.quarter is 'Quarter of the calendar year, 1 to 4.';
comment on column bi.date.month is 'Month, 1 to 12.';
comment on column bi.date.year_month is 'Year and month, 2026-06.';
comment on column bi.date.iso_year is 'Year of the ISO 8601 week. The first days of January may belong to the year before.';
comment on column bi.date.iso_week is 'ISO 8601 week, 1 to 53. It begins on Monday. Use it together with iso_year.';
comment on column bi.date.iso_year_week is 'ISO year and week, 2026-W27.';
comment on column bi.date.weekday is 'Day of the week, 1 for Monday to 7 for Sunday.';
comment on column bi.date.weekday_name is 'Its name in English.';
comment on column bi.date.is_weekend is 'Whether it is Saturday or Sunday.';

create or replace view bi.department as
  select distinct on (d.node_id, d.code) d.node_id, s.store, d.code as department, d.name, d.legal_entity_id as concessionaire_id,
         l.name as concessionaire, t.code as tax_code, not d.deleted as is_open
    from org.department d
    join bi.store s on s.node_id = d.node_id
    left join org.legal_entity l on l.legal_entity_id = d.legal_entity_id
    left join catalog.tax t on t.tax_id = d.tax_id
   order by d.node_id, d.code, d.deleted, d.department_id desc;
comment on view bi.department is
  'Dimension: departments of stores. Grain: a store and a department. Where a code was given again, it is the department that '
  'has it now.';
comment on column bi.department.name is 'Name for people.';
comment on column bi.department.tax_code is 'Tax of what is sold there, where neither receipt nor product says one.';
comment on column bi.department.is_open is 'Whether the department is registered.';

create or replace view bi.concessionaire as
  select d.concessionaire_id, d.concessionaire, e.tax_id as tax_number, d.node_id, d.store, d.department, g.lease_from, g.lease_to,
         d.is_open
    from bi.department d
    join org.legal_entity e on e.legal_entity_id = d.concessionaire_id
    left join lateral (
      select min(g.valid_from) as lease_from, case when bool_and(g.valid_to is not null) then max(g.valid_to) end as lease_to
        from sec.role_grant g
       where g.role = 'concessionaire' and g.node_id = d.node_id and g.department_code = d.department and not g.deleted) g on true;
comment on view bi.concessionaire is
  'Dimension: who leases which department now. Grain: a store and a department that is leased. Departments that the store runs '
  'itself are not here, and neither are earlier lessees: contracts are not recorded yet.';
comment on column bi.concessionaire.tax_number is 'Tax number of the concessionaire; null when it is not known.';
comment on column bi.concessionaire.lease_from is
  'The first business day that somebody was given as a concessionaire there; null when nobody was.';
comment on column bi.concessionaire.lease_to is 'The last such day; null when it has no end or nobody was.';
comment on column bi.concessionaire.is_open is 'Whether the department is registered.';

create or replace view bi.terminal as
  select distinct on (t.node_id, t.code) t.node_id, s.store, t.code as terminal, t.kind, t.department_code as department,
         t.active and not t.deleted as is_active
    from org.terminal t
    join bi.store s on s.node_id = t.node_id
   order by t.node_id, t.code, t.deleted, t.terminal_id desc;
comment on view bi.terminal is
  'Dimension: terminals and tills. Grain: a store and a terminal. When each was last heard is in bi.terminal_freshness.';
comment on column bi.terminal.kind is 'department: it issues the tickets of a department. till: it is where customers pay.';
comment on column bi.terminal.department is 'The department it belongs to; null for a till that belongs to none.';
comment on column bi.terminal.is_active is 'Whether its files are taken in.';

create or replace view bi.tax as
  select t.code as tax_code, t.name, r.rate as tax_rate, r.valid_from,
         lead(r.valid_from) over (partition by t.tax_id order by r.valid_from) - 1 as valid_to
    from catalog.tax t
    join (select distinct on (r.tax_id, r.valid_from) r.tax_id, r.valid_from, r.rate
            from catalog.tax_rate r where not r.deleted
           order by r.tax_id, r.valid_from, r.tax_rate_id desc) r on r.tax_id = t.tax_id
   where not t.deleted;
comment on view bi.tax is
  'Dimension: taxes and their rates. Grain: a tax and a rate of it. Deleted ones, and taxes without a rate, are not here.';
comment on column bi.tax.name is 'Name for people.';
comment on column bi.tax.tax_rate is 'Percent.';
comment on column bi.tax.valid_from is 'The first business day it holds.';
comment on column bi.tax.valid_to is 'The last business day it holds; null when no other rate follows.';

-- As catalog.find_product answers. A GTIN is joined: first as a barcode, then as a code of the department, the store or the
-- chain; what cannot be a GTIN, as such a code. Only for labels and the like the function is called, once for each row.
create or replace view bi.product as
  select i.node_id, s.store, i.department, i.item, i.barcode, i.description, i.first_on as first_receipt_on,
         i.last_on as last_receipt_on, p.product_id, p.sku, p.description as product_description, p.unit, t.code as tax_code,
         catalog.price_at(p.product_id, i.node_id) as price_now
    from rollup.item i
    join bi.store s on s.node_id = i.node_id
    left join catalog.barcode b on b.gtin14 = i.item and not b.deleted
    left join catalog.product bp on bp.product_id = b.product_id and not bp.deleted
    left join catalog.product p
      on p.product_id = case
           when bp.product_id is not null then bp.product_id
           when i.item ~ '^[0-9]{14}$' or i.item ~ '^L:' and btrim(i.barcode) !~ '^([0-9]{8}|[0-9]{12,14})$' then (
             select lp.product_id
               from catalog.local_code c
               join catalog.product lp on lp.product_id = c.product_id and not lp.deleted
              where c.code = btrim(i.barcode) and not c.deleted
                and (c.node_id is null or c.node_id = i.node_id)
                and (c.department_code is null or c.department_code = i.department)
              order by c.department_code is null, c.node_id is null
              limit 1)
           else catalog.find_product(i.node_id, i.department, i.barcode, i.last_on)
         end
    left join catalog.tax t on t.tax_id = p.tax_id and not t.deleted;
comment on view bi.product is
  'Dimension: what was sold, and the product that the catalog has for it now. Grain: a store, a department and an item. Items '
  'that were on no receipt are not here. The catalog is asked when somebody reads: filter by item or store first.';
comment on column bi.product.barcode is 'The code on the last receipt with it.';
comment on column bi.product.description is 'As the last receipt with it says.';
comment on column bi.product.first_receipt_on is 'The first business day with it on a receipt, in whatever state.';
comment on column bi.product.last_receipt_on is 'The last such day.';
comment on column bi.product.product_description is 'As the catalog says now; null where it does not know the item.';
comment on column bi.product.unit is 'What a quantity of it counts: piece, kg or litre.';
comment on column bi.product.tax_code is 'Tax of the product now; null for that of the department.';
comment on column bi.product.price_now is 'Unit price with tax in that store now; null when there is none.';
