create or replace view bi.chain_freshness as
  select count(*)::integer as stores, count(u.complete_until)::integer as stores_known,
         case when count(*) = count(u.complete_until) then min(u.complete_until) end as complete_until
    from bi.store s
    left join rollup.until u on u.node_id = s.node_id
   where s.is_here and s.is_open;
comment on view bi.chain_freshness is
  'How complete the figures of all stores are together. Grain: one row. Stores that have not joined are not counted.';
comment on column bi.chain_freshness.stores is 'Open stores whose receipts come to this database.';
comment on column bi.chain_freshness.stores_known is 'Those of which it is known up to when they are complete.';
comment on column bi.chain_freshness.complete_until is
  'The least over these stores: whatever any of them recorded before this is in the figures. Null while one is not known.';

create or replace view bi.sales_by_hour as
  select h.node_id, s.store, h.business_date, h.department, h.hour::integer as hour, h.tickets::bigint as tickets,
         h.voided::bigint as voided, h.lines::bigint as lines, h.units, h.gross, h.net,
         h.tax, h.guessed_tax, h.without_rate, round(h.gross / nullif(h.tickets, 0), 2) as average_ticket,
         round(h.units::numeric / nullif(h.tickets, 0), 2) as units_per_ticket, s.currency, u.complete_until
    from rollup.sales_hour h
    join bi.store s on s.node_id = h.node_id
    left join rollup.until u on u.node_id = h.node_id;
comment on view bi.sales_by_hour is
  'Sales by hour. Grain: a store, a business day, a department and an hour of the store''s wall clock. Held and voided receipts '
  'are in no amount. Hours after midnight and before the cut-off belong to the business day before.';

-- Added up by few keys first, and joined then: sorting wide rows would take most of the time. Here the store is one of the
-- keys, so that a condition on it is asked before anything is added up; of days there are few enough without.
create or replace view bi.sales_by_department as
  select h.node_id, h.store, h.business_date, h.department, h.tickets, h.voided, h.lines, h.units, h.gross, h.net, h.tax, h.guessed_tax,
         h.without_rate, round(h.gross / nullif(h.tickets, 0), 2) as average_ticket,
         round(h.units::numeric / nullif(h.tickets, 0), 2) as units_per_ticket, h.currency, u.complete_until
    from (select h.node_id, s.store, s.currency, h.business_date, h.department, sum(h.tickets)::bigint as tickets,
                 sum(h.voided)::bigint as voided, sum(h.lines)::bigint as lines, sum(h.units)::bigint as units, sum(h.gross) as gross,
                 sum(h.net) as net, sum(h.tax) as tax, sum(h.guessed_tax) as guessed_tax, sum(h.without_rate) as without_rate
            from rollup.sales_hour h
            join bi.store s on s.node_id = h.node_id
           group by h.node_id, s.store, s.currency, h.business_date, h.department) h
    left join rollup.until u on u.node_id = h.node_id;
comment on view bi.sales_by_department is
  'Sales by department. Grain: a store, a business day and a department. Held and voided receipts are in no amount.';

create or replace view bi.sales_by_day as
  select h.node_id, s.store, h.business_date, h.tickets, h.voided, h.lines, h.units, h.gross, h.net, h.tax, h.guessed_tax,
         h.without_rate, round(h.gross / nullif(h.tickets, 0), 2) as average_ticket,
         round(h.units::numeric / nullif(h.tickets, 0), 2) as units_per_ticket, s.currency,
         exists (select from sales.day_close c where c.node_id = h.node_id and c.business_date = h.business_date) as is_closed,
         coalesce(u.complete_until >= (h.business_date + 1 + make_interval(hours => s.cutoff_hour)) at time zone s.timezone,
                  false) as is_complete,
         u.complete_until
    from (select h.node_id, h.business_date, sum(h.tickets)::bigint as tickets, sum(h.voided)::bigint as voided,
                 sum(h.lines)::bigint as lines, sum(h.units)::bigint as units, sum(h.gross) as gross, sum(h.net) as net,
                 sum(h.tax) as tax, sum(h.guessed_tax) as guessed_tax, sum(h.without_rate) as without_rate
            from rollup.sales_hour h group by h.node_id, h.business_date) h
    join bi.store s on s.node_id = h.node_id
    left join rollup.until u on u.node_id = h.node_id;
comment on view bi.sales_by_day is
  'Sales by store and day. Grain: a store and a business day. Held and voided receipts are in no amount. A day without '
  'receipts has no row.';

create or replace view bi.chain_sales_by_day as
  select h.business_date, h.currency, count(*)::integer as stores, sum(h.tickets)::bigint as tickets,
         sum(h.voided)::bigint as voided, sum(h.lines)::bigint as lines, sum(h.units)::bigint as units, sum(h.gross) as gross,
         sum(h.net) as net, sum(h.tax) as tax, sum(h.guessed_tax) as guessed_tax, sum(h.without_rate) as without_rate,
         round(sum(h.gross) / nullif(sum(h.tickets), 0), 2) as average_ticket,
         round(sum(h.units) / nullif(sum(h.tickets), 0), 2) as units_per_ticket,
         (select f.complete_until from bi.chain_freshness f) as complete_until
    from bi.sales_by_day h
   group by h.business_date, h.currency;
comment on view bi.chain_sales_by_day is
  'Sales of all stores in this database. Grain: a business day and a currency. Held and voided receipts are in no amount.';
comment on column bi.chain_sales_by_day.stores is 'Stores with receipts of that day. Compare it with bi.chain_freshness.stores.';
comment on column bi.chain_sales_by_day.complete_until is
  'The least over all open stores, also those without receipts of that day: whatever any of them recorded before this is in '
  'the figures. Null while one is not known.';

create or replace view bi.sales_by_terminal as
  select d.node_id, s.store, d.business_date, d.department, d.terminal, (d.accepted + d.released)::bigint as tickets,
         d.voided::bigint as voided, d.lines::bigint as lines, d.gross, d.net, d.tax, d.without_rate, round(d.gross / nullif(d.accepted + d.released, 0), 2) as average_ticket, s.currency, u.complete_until
    from rollup.terminal_day d
    join bi.store s on s.node_id = d.node_id
    left join rollup.until u on u.node_id = d.node_id;
comment on view bi.sales_by_terminal is
  'Sales by terminal. Grain: a store, a business day, a department and a terminal. Held and voided receipts are in no amount.';

create or replace view bi.sales_by_concessionaire as
  select d.concessionaire_id, d.concessionaire, h.node_id, h.store, h.business_date, h.department, h.tickets, h.lines, h.units, h.gross,
         h.net, h.tax, h.without_rate, h.currency, h.complete_until
    from bi.sales_by_department h
    join bi.department d on d.node_id = h.node_id and d.department = h.department
   where d.concessionaire_id is not null;
comment on view bi.sales_by_concessionaire is
  'Sales of leased departments. Grain: a concessionaire, a store, a department and a business day. All days are given to whoever '
  'has the department now: who had it before is not recorded yet. Departments that the store runs itself are not here.';

create or replace view bi.sales_by_item as
  select d.node_id, s.store, d.business_date, d.department, d.item, i.description, d.lines::bigint as lines, d.sold, d.returned, d.sold - d.returned as quantity,
         d.gross, d.net, d.without_rate, s.currency, u.complete_until
    from rollup.item_day d
    join bi.store s on s.node_id = d.node_id
    left join rollup.item i on i.node_id = d.node_id and i.department = d.department and i.item = d.item
    left join rollup.until u on u.node_id = d.node_id;
comment on view bi.sales_by_item is
  'Sales by item. Grain: a store, a business day, a department and an item. Held and voided receipts are not in it. Which product '
  'it is now is in bi.product.';
comment on column bi.sales_by_item.description is 'As the last receipt with the item says.';
comment on column bi.sales_by_item.net is
  'Amount without tax. It is rounded for a day, and so may differ by cents from bi.tax_by_day, where receipts are rounded one '
  'by one.';

-- Each is one look-up in the key of rollup.item_day.
create or replace view bi.stopped_selling as
  select i.node_id, s.store, i.department, i.item, i.description, l.last_sold_on, e.last_business_date - l.last_sold_on as days_without_sale,
         (select sum(b.sold) from rollup.item_day b
           where b.node_id = i.node_id and b.department = i.department and b.item = i.item
             and b.business_date between l.last_sold_on - 27 and l.last_sold_on) as sold_in_last_weeks,
         (select sum(b.gross) from rollup.item_day b
           where b.node_id = i.node_id and b.department = i.department and b.item = i.item
             and b.business_date between l.last_sold_on - 27 and l.last_sold_on) as gross_in_last_weeks,
         s.currency, u.complete_until
    from rollup.item i
    join bi.store s on s.node_id = i.node_id
    join (select b.node_id, max(b.business_date) as last_business_date from rollup.bucket b group by b.node_id) e on e.node_id = i.node_id
    left join rollup.until u on u.node_id = i.node_id
   cross join lateral (
     select d.business_date as last_sold_on from rollup.item_day d
      where d.node_id = i.node_id and d.department = i.department and d.item = i.item and d.sold > 0
      order by d.business_date desc limit 1) l
   where l.last_sold_on < e.last_business_date;
comment on view bi.stopped_selling is
  'Items that did not sell on the last business day of their store, and for how long. Grain: a store, a department and an item. '
  'Days are counted up to the last business day with a receipt there, so a store whose line is cut does not look as if nothing '
  'sold. Items that never sold are not here.';
comment on column bi.stopped_selling.description is 'As the last receipt with the item says.';
comment on column bi.stopped_selling.last_sold_on is 'The last business day it was sold. Returns are no sale.';
comment on column bi.stopped_selling.days_without_sale is 'Days from then to the last business day of the store.';
comment on column bi.stopped_selling.sold_in_last_weeks is 'Pieces or kilograms sold in the 28 days that end with last_sold_on.';
comment on column bi.stopped_selling.gross_in_last_weeks is 'Amount with tax in these days, less returns.';

create or replace view bi.tax_by_day as
  select t.node_id, s.store, t.business_date, t.department, t.tax_rate, t.source as tax_source,
         t.receipts::bigint as tickets, t.lines::bigint as lines, t.gross, t.net, t.tax, s.currency, u.complete_until
    from rollup.tax_day t
    join bi.store s on s.node_id = t.node_id
    left join rollup.until u on u.node_id = t.node_id;
comment on view bi.tax_by_day is
  'Sales by tax rate. Grain: a store, a business day, a department, a rate and who says the rate. Held and voided receipts are '
  'not in it.';
comment on column bi.tax_by_day.tickets is
  'Receipts with lines of that rate. A receipt with two rates is in two rows: do not add them up.';
comment on column bi.tax_by_day.net is
  'Amount without tax: for each receipt and rate rounded half away from zero to cents. 0 where nobody says the rate.';
comment on column bi.tax_by_day.tax is 'gross - net; 0 where nobody says the rate.';
comment on column bi.tax_by_day.gross is 'Amount with tax: net + tax; where nobody says the rate, net and tax are 0.';
comment on column bi.sales_by_item.gross is
  'Amount with tax: the sum of the lines. What it has beyond net and without_rate is tax.';
comment on column bi.sales_by_concessionaire.concessionaire is 'Registered name of the concessionaire.';
