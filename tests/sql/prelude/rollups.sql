-- The roll-ups as the comments of schema rollup define them, by plain SQL over receipts and lines: what the fold is compared
-- with. Each distinct code of a day is looked up in the catalog once.

-- What each line of each receipt means.
create view test.line as
select r.node_id, r.business_date, r.department, r.terminal, r.receipt_id, r.state, r.state in ('accepted', 'released') as counts,
    extract(hour from r.printed_local)::smallint as hour, r.printed_at, l.line_number, l.barcode, l.description, l.quantity, l.total,
    m.item, m.rate, m.source
from sales.receipt r
join sales.receipt_line l using (node_id, receipt_id)
join (select c.node_id, c.business_date, c.department, c.barcode, c.tax_rate,
        catalog.item_key(c.node_id, c.department, c.barcode, c.business_date) as item, t.rate, t.source
    from (select distinct r.node_id, r.business_date, r.department, l.barcode, l.tax_rate
        from sales.receipt r join sales.receipt_line l using (node_id, receipt_id)) c
    cross join lateral catalog.line_tax(c.node_id, c.department, c.barcode, c.tax_rate, c.business_date) t) m
    on m.node_id = r.node_id and m.business_date = r.business_date and m.department = r.department and m.barcode = l.barcode
    and m.tax_rate is not distinct from l.tax_rate;

-- Each receipt by rate and source. A rate is rounded once for a receipt; where several say it, the first source is rounded by
-- itself, the second together with it.
create view test.receipt_rate as
select g.node_id, g.business_date, g.department, g.receipt_id, g.rate, g.source, g.lines, g.gross,
    case when g.rate is null then 0
        else round(g.gross_so_far * 100 / (100 + g.rate), 2) - round((g.gross_so_far - g.gross) * 100 / (100 + g.rate), 2) end as net
from (select l.node_id, l.business_date, l.department, l.receipt_id, l.rate, l.source, count(*) as lines, sum(l.total) as gross,
        sum(sum(l.total)) over (partition by l.node_id, l.receipt_id, l.rate
            order by array_position(array['receipt', 'product', 'department', 'unknown'], l.source)) as gross_so_far
    from test.line l where l.counts
    group by 1, 2, 3, 4, 5, 6) g;

create view test.receipt_sum as
select r.node_id, r.business_date, r.department, r.terminal, r.receipt_id, extract(hour from r.printed_local)::smallint as hour,
    r.state, r.state in ('accepted', 'released') as counts, r.flags, r.total as printed_total,
    greatest(floor(extract(epoch from r.recorded_at - r.printed_at)), 0)::bigint as waited,
    coalesce(a.lines, 0) as lines, coalesce(u.units, 0) as units, coalesce(a.gross, 0) as gross, coalesce(a.net, 0) as net,
    coalesce(a.tax, 0) as tax, coalesce(a.guessed_tax, 0) as guessed_tax, coalesce(a.without_rate, 0) as without_rate
from sales.receipt r
left join (select t.node_id, t.receipt_id, sum(t.lines) as lines, sum(t.gross) as gross, sum(t.net) as net,
        coalesce(sum(t.gross - t.net) filter (where t.rate is not null), 0) as tax,
        coalesce(sum(t.gross - t.net) filter (where t.rate is not null and t.source <> 'receipt'), 0) as guessed_tax,
        coalesce(sum(t.gross) filter (where t.rate is null), 0) as without_rate
    from test.receipt_rate t group by 1, 2) a using (node_id, receipt_id)
left join (select l.node_id, l.receipt_id, sum(case when l.quantity = trunc(l.quantity) then l.quantity
            else sign(coalesce(l.quantity, l.total)) end) as units
    from test.line l where l.counts group by 1, 2) u using (node_id, receipt_id);

create view test.sales_hour as
select node_id, business_date, department, hour, (count(*) filter (where counts))::integer as tickets,
    (count(*) filter (where state = 'voided'))::integer as voided, sum(lines)::integer as lines, sum(units)::bigint as units,
    sum(gross)::numeric(20,2) as gross, sum(net)::numeric(20,2) as net, sum(tax)::numeric(20,2) as tax,
    sum(guessed_tax)::numeric(20,2) as guessed_tax, sum(without_rate)::numeric(20,2) as without_rate
from test.receipt_sum group by 1, 2, 3, 4
-- An hour in which receipts only wait says nothing.
having count(*) filter (where state <> 'held') > 0;

create view test.terminal_day as
select node_id, business_date, department, terminal, (count(*) filter (where state = 'accepted'))::integer as accepted,
    (count(*) filter (where state = 'released'))::integer as released, (count(*) filter (where state = 'held'))::integer as held,
    (count(*) filter (where state = 'voided'))::integer as voided, (count(*) filter (where 'LATE' = any (flags)))::integer as late,
    sum(lines)::integer as lines, sum(gross)::numeric(20,2) as gross, sum(net)::numeric(20,2) as net, sum(tax)::numeric(20,2) as tax,
    sum(without_rate)::numeric(20,2) as without_rate,
    coalesce(sum(printed_total) filter (where state = 'held'), 0)::numeric(20,2) as held_total,
    coalesce(sum(printed_total) filter (where state = 'voided'), 0)::numeric(20,2) as voided_total,
    sum(waited)::bigint as waited_seconds, max(waited)::integer as waited_most
from test.receipt_sum group by 1, 2, 3, 4;

create view test.tax_day as
select node_id, business_date, department, rate::numeric(5,2) as tax_rate, source, count(*)::integer as receipts,
    sum(lines)::integer as lines, sum(gross)::numeric(20,2) as gross, sum(net)::numeric(20,2) as net,
    (case when rate is null then 0 else sum(gross - net) end)::numeric(20,2) as tax
from test.receipt_rate group by 1, 2, 3, rate, 5;

create view test.item_day as
select node_id, business_date, department, item, sum(lines)::integer as lines, sum(sold)::numeric(20,3) as sold,
    sum(returned)::numeric(20,3) as returned, sum(gross)::numeric(20,2) as gross,
    coalesce(sum(round(gross * 100 / (100 + rate), 2)), 0)::numeric(20,2) as net,
    coalesce(sum(gross) filter (where rate is null), 0)::numeric(20,2) as without_rate
from (select node_id, business_date, department, item, rate, count(*) as lines, sum(greatest(coalesce(quantity, 0), 0)) as sold,
        sum(greatest(-coalesce(quantity, 0), 0)) as returned, sum(total) as gross
    from test.line where counts group by 1, 2, 3, 4, 5) r
group by 1, 2, 3, 4;

create view test.item as
select distinct on (node_id, department, item) node_id, department, item, barcode, description,
    min(business_date) over w as first_on, max(business_date) over w as last_on
from test.line
window w as (partition by node_id, department, item)
order by node_id, department, item, business_date desc, printed_at desc, receipt_id desc, line_number desc;

create view test.bucket as
select r.node_id, r.business_date, r.department, count(*)::integer as receipts, sum(r.line_count)::integer as lines,
    coalesce(max(g.guessed), 0)::integer as guessed_lines,
    exists (select from sales.day_close c where c.node_id = r.node_id and c.business_date = r.business_date) as is_closed
from sales.receipt r
left join (select node_id, business_date, department, count(*) as guessed from test.line where source <> 'receipt' group by 1, 2, 3) g
    using (node_id, business_date, department)
group by 1, 2, 3;

-- Writes the roll-ups, as the fold does.
create function test.fill_rollups() returns void language sql as $$
    delete from rollup.sales_hour;
    delete from rollup.terminal_day;
    delete from rollup.tax_day;
    delete from rollup.item_day;
    delete from rollup.item;
    delete from rollup.bucket;
    delete from rollup.due;
    insert into rollup.sales_hour (node_id, business_date, department, hour, tickets, voided, lines, units, gross, net, tax, guessed_tax, without_rate)
    select node_id, business_date, department, hour, tickets, voided, lines, units, gross, net, tax, guessed_tax, without_rate from test.sales_hour;
    insert into rollup.terminal_day (node_id, business_date, department, terminal, accepted, released, held, voided, late, lines, gross, net, tax,
        without_rate, held_total, voided_total, waited_seconds, waited_most)
    select node_id, business_date, department, terminal, accepted, released, held, voided, late, lines, gross, net, tax, without_rate,
        held_total, voided_total, waited_seconds, waited_most from test.terminal_day;
    insert into rollup.tax_day (node_id, business_date, department, tax_rate, source, receipts, lines, gross, net, tax)
    select node_id, business_date, department, tax_rate, source, receipts, lines, gross, net, tax from test.tax_day;
    insert into rollup.item_day (node_id, business_date, department, item, lines, sold, returned, gross, net, without_rate)
    select node_id, business_date, department, item, lines, sold, returned, gross, net, without_rate from test.item_day;
    insert into rollup.item (node_id, department, item, barcode, description, first_on, last_on)
    select node_id, department, item, barcode, description, first_on, last_on from test.item;
    insert into rollup.bucket (node_id, business_date, department, receipts, lines, guessed_lines, is_closed, computed_at)
    select node_id, business_date, department, receipts, lines, guessed_lines, is_closed, clock_timestamp() from test.bucket;
$$;

-- Every row of the roll-ups that the views above do not say, and the other way round; null when they are the same. When a
-- bucket was summed up is no part of it, nor what the catalog said of an item then.
create function test.rollup_difference() returns text language plpgsql as $$
declare
    name text;
    columns text;
    found text;
    difference text;
begin
    foreach name in array array['sales_hour', 'terminal_day', 'tax_day', 'item_day', 'item', 'bucket'] loop
        select string_agg(quote_ident(attname), ', ' order by attnum) into columns
        from pg_attribute where attrelid = format('rollup.%I', name)::regclass and attnum > 0 and not attisdropped
            and not (attname = 'computed_at' or name = 'item' and attname = 'guessed');
        execute format('select string_agg(d::text, e''\n'') from (
            (select ''missing'', %1$s from test.%2$I except all select ''missing'', %1$s from rollup.%2$I) union all
            (select ''added'', %1$s from rollup.%2$I except all select ''added'', %1$s from test.%2$I)) as d', columns, name) into found;
        difference := concat_ws(e'\n', difference, name || ': ' || found);
    end loop;
    return nullif(difference, '');
end
$$;
