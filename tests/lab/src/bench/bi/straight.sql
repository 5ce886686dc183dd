-- The tables of schema rollup as views of receipts and lines. Rates that are not printed are those of the department: to
-- ask the catalog for each line, as the fold does for each code of a bucket, would take minutes.
create schema straight;
create schema straight_bi;

create table straight.department as
select d.node_id, d.code, catalog.tax_rate_at(d.tax_id, current_date) as tax_rate from org.department d where not d.deleted;
analyze straight.department;

create view straight.line as
select r.node_id, r.business_date, r.department, r.terminal, r.receipt_id, extract(hour from r.printed_local)::smallint as hour,
       r.state, r.state in ('accepted', 'released') as counts, l.tax_rate is null as guessed, coalesce(l.tax_rate, d.tax_rate) as tax_rate,
       case when l.barcode ~ '^2[13][0-9]{11}$' then 'R:' || left(l.barcode, 7)
            else coalesce(l.gtin14, 'L:' || r.department || ':' || l.barcode) end as item,
       l.quantity, l.total
  from sales.receipt r
  join sales.receipt_line l on l.node_id = r.node_id and l.receipt_id = r.receipt_id
  left join straight.department d on d.node_id = r.node_id and d.code = r.department;

create view straight.part as
select node_id, business_date, department, terminal, hour, receipt_id, state, counts, tax_rate, guessed, count(*) as lines,
       sum(case when quantity = trunc(quantity) then quantity else sign(quantity) end) as units, sum(total) as gross,
       round(sum(total) * 100 / (100 + tax_rate), 2) as net
  from straight.line
 group by node_id, business_date, department, terminal, hour, receipt_id, state, counts, tax_rate, guessed;

create view straight.sales_hour as
select node_id, business_date, department, hour, (count(distinct receipt_id) filter (where counts))::integer as tickets,
       (count(distinct receipt_id) filter (where state = 'voided'))::integer as voided,
       coalesce(sum(lines) filter (where counts), 0)::integer as lines,
       coalesce(sum(units) filter (where counts), 0)::bigint as units,
       coalesce(sum(gross) filter (where counts), 0)::numeric(20,2) as gross,
       coalesce(sum(net) filter (where counts), 0)::numeric(20,2) as net,
       coalesce(sum(gross - net) filter (where counts), 0)::numeric(20,2) as tax,
       coalesce(sum(gross - net) filter (where counts and guessed), 0)::numeric(20,2) as guessed_tax,
       coalesce(sum(gross) filter (where counts and tax_rate is null), 0)::numeric(20,2) as without_rate
  from straight.part
 where state <> 'held'
 group by node_id, business_date, department, hour;

create view straight.item_day as
select node_id, business_date, department, item, count(*)::integer as lines,
       coalesce(sum(quantity) filter (where quantity > 0), 0)::numeric(20,3) as sold,
       coalesce(-sum(quantity) filter (where quantity < 0), 0)::numeric(20,3) as returned,
       sum(total)::numeric(20,2) as gross, coalesce(sum(round(total * 100 / (100 + tax_rate), 2)), 0)::numeric(20,2) as net,
       coalesce(sum(total) filter (where tax_rate is null), 0)::numeric(20,2) as without_rate
  from straight.line
 where counts
 group by node_id, business_date, department, item;

create view straight.tax_day as
select node_id, business_date, department, tax_rate,
       case when tax_rate is null then 'unknown' when guessed then 'department' else 'receipt' end as source,
       count(*)::integer as receipts, sum(lines)::integer as lines, sum(gross)::numeric(20,2) as gross,
       coalesce(sum(net), 0)::numeric(20,2) as net, coalesce(sum(gross - net), 0)::numeric(20,2) as tax
  from straight.part
 where counts
 group by node_id, business_date, department, tax_rate, guessed;

create view straight.terminal_sales as
select node_id, business_date, department, terminal, sum(lines) as lines, sum(gross) as gross, sum(net) as net, sum(gross - net) as tax,
       sum(gross) filter (where tax_rate is null) as without_rate
  from straight.part
 where counts
 group by node_id, business_date, department, terminal;

create view straight.terminal_day as
select r.node_id, r.business_date, r.department, r.terminal, (count(*) filter (where r.state = 'accepted'))::integer as accepted,
       (count(*) filter (where r.state = 'released'))::integer as released, (count(*) filter (where r.state = 'held'))::integer as held,
       (count(*) filter (where r.state = 'voided'))::integer as voided, (count(*) filter (where 'LATE' = any (r.flags)))::integer as late,
       coalesce(max(s.lines), 0)::integer as lines, coalesce(max(s.gross), 0)::numeric(20,2) as gross,
       coalesce(max(s.net), 0)::numeric(20,2) as net, coalesce(max(s.tax), 0)::numeric(20,2) as tax,
       coalesce(max(s.without_rate), 0)::numeric(20,2) as without_rate,
       coalesce(sum(r.total) filter (where r.state = 'held'), 0)::numeric(20,2) as held_total,
       coalesce(sum(r.total) filter (where r.state = 'voided'), 0)::numeric(20,2) as voided_total,
       sum(greatest(floor(extract(epoch from r.recorded_at - r.printed_at)), 0))::bigint as waited_seconds,
       max(greatest(floor(extract(epoch from r.recorded_at - r.printed_at)), 0))::integer as waited_most
  from sales.receipt r
  left join straight.terminal_sales s using (node_id, business_date, department, terminal)
 group by r.node_id, r.business_date, r.department, r.terminal;
