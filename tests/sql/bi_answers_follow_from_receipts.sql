-- Each answer of schema bi is worked out again from receipts and lines, without a roll-up.

\ir prelude/three_stores.sql

-- Two statements must answer the same rows.
create procedure test.same(answer text, expected text, what text) language plpgsql as $$
declare
    difference text;
    found bigint;
begin
    execute format('select count(*) from (%s) a', answer) into found;
    assert found > 0, what || ': there is something to compare';
    execute format('select string_agg(d::text, e''\n'') from (
        (select ''only the answer'', * from (%1$s) a except all select ''only the answer'', * from (%2$s) b) union all
        (select ''not the answer'', * from (%2$s) b except all select ''not the answer'', * from (%1$s) a)) d', answer, expected) into difference;
    assert difference is null, e'\n' || what || e'\n' || difference;
end
$$;

call test.same('select node_id, store, business_date, department, hour, tickets, gross from bi.sales_by_hour where tickets > 0', $$
    select r.node_id, s.code, r.business_date, r.department, extract(hour from r.printed_local)::integer, count(*), sum(r.lines_total)
    from sales.receipt r join org.store s using (node_id) where r.state in ('accepted', 'released') group by 1, 2, 3, 4, 5$$, 'by hour');
call test.same('select node_id, business_date, department, tickets, gross, average_ticket from bi.sales_by_department where tickets > 0', $$
    select node_id, business_date, department, count(*), sum(lines_total), round(avg(lines_total), 2)
    from sales.receipt where state in ('accepted', 'released') group by 1, 2, 3$$, 'by department');
call test.same('select node_id, business_date, tickets, lines, gross, net + without_rate as net, tax, is_closed from bi.sales_by_day', $$
    select r.node_id, r.business_date, count(distinct r.receipt_id), sum(t.lines)::bigint, sum(t.gross), sum(t.net), sum(t.gross - t.net),
        exists (select from sales.day_close c where c.node_id = r.node_id and c.business_date = r.business_date)
    from sales.receipt r
    cross join lateral (
        select count(*) as lines, sum(l.total) as gross, case when x.tax_rate is null then sum(l.total) else round(sum(l.total) * 100 / (100 + x.tax_rate), 2) end as net
        from sales.receipt_line l join sales.line_tax x using (node_id, receipt_id, line_number)
        where l.node_id = r.node_id and l.receipt_id = r.receipt_id group by x.tax_rate) t
    where r.state in ('accepted', 'released') group by 1, 2$$, 'by day');
call test.same('select business_date, stores, tickets, gross from bi.chain_sales_by_day', $$
    select business_date, count(distinct node_id)::integer, count(*), sum(lines_total)
    from sales.receipt where state in ('accepted', 'released') group by 1$$, 'the chain by day');
call test.same('select node_id, business_date, terminal, tickets, gross from bi.sales_by_terminal where tickets > 0', $$
    select node_id, business_date, terminal, count(*), sum(lines_total)
    from sales.receipt where state in ('accepted', 'released') group by 1, 2, 3$$, 'by terminal');
call test.same('select concessionaire, sum(gross) from bi.sales_by_concessionaire group by 1', $$
    select e.name, sum(r.lines_total) from sales.receipt r join org.department d on d.node_id = r.node_id and d.code = r.department
    join org.legal_entity e using (legal_entity_id) where r.state in ('accepted', 'released') group by 1$$, 'by concessionaire');
call test.same('select node_id, business_date, department, item, quantity, gross from bi.sales_by_item', $$
    select r.node_id, r.business_date, r.department, catalog.item_key(r.node_id, r.department, l.barcode, r.business_date), sum(l.quantity), sum(l.total)
    from sales.receipt r join sales.receipt_line l using (node_id, receipt_id) where r.state in ('accepted', 'released') group by 1, 2, 3, 4$$, 'by item');
call test.same('select node_id, business_date, tax_rate, tax_source, lines, gross from (select node_id, business_date, tax_rate, tax_source,
        sum(lines)::bigint as lines, sum(gross) as gross from bi.tax_by_day group by 1, 2, 3, 4) t', $$
    select t.node_id, t.business_date, t.tax_rate::numeric(5,2), t.tax_source, count(*), sum(t.total)
    from sales.line_tax t join sales.receipt r using (node_id, receipt_id) where r.state in ('accepted', 'released') group by 1, 2, 3, 4$$, 'by tax rate');
call test.same('select node_id, sum(receipts), sum(accepted), sum(released), sum(held), sum(voided), sum(late) from bi.receipts_by_state group by 1', $$
    select node_id, count(*), count(*) filter (where state = 'accepted'), count(*) filter (where state = 'released'), count(*) filter (where state = 'held'),
        count(*) filter (where state = 'voided'), count(*) filter (where 'LATE' = any (flags)) from sales.receipt group by 1$$, 'by state');
call test.same('select node_id, receipt_id, line_number, item, tax_rate, tax_source from bi.sale_line', $$
    select l.node_id, l.receipt_id, l.line_number, catalog.item_key(l.node_id, r.department, l.barcode, l.business_date), t.tax_rate::numeric(5,2), t.tax_source
    from sales.receipt_line l join sales.receipt r using (node_id, receipt_id) join sales.line_tax t using (node_id, receipt_id, line_number)$$, 'lines');
call test.same('select node_id, department, item, last_sold_on from bi.stopped_selling', $$
    select node_id, department, item, day from (
        select r.node_id, r.department, catalog.item_key(r.node_id, r.department, l.barcode, r.business_date) as item, max(r.business_date) as day
        from sales.receipt r join sales.receipt_line l using (node_id, receipt_id)
        where r.state in ('accepted', 'released') and l.quantity > 0 group by 1, 2, 3) i
    where day < (select max(r.business_date) from sales.receipt r where r.node_id = i.node_id)$$, 'what stopped selling');
call test.same('select node_id, receipt_id from bi.total_check',
    $$select node_id, receipt_id from sales.receipt where state in ('accepted', 'released') and total <> lines_total$$, 'totals');
-- A number is missing when nobody has it and somebody of the day has a lower one and somebody a higher one.
call test.same($$select node_id, terminal, generate_series(after_number + 1, before_number - 1) from bi.number_gap$$, $$
    select d.node_id, d.terminal, n from (
        select node_id, business_date, terminal, min(receipt_number::bigint) as low, max(receipt_number::bigint) as high from sales.receipt group by 1, 2, 3) d
    cross join lateral generate_series(d.low, d.high) n
    where not exists (select from sales.receipt r where r.node_id = d.node_id and r.terminal = d.terminal and r.receipt_number = n::text)$$, 'gaps');
call test.same('select node_id, terminal, sum(taken_in), sum(waited_seconds), max(waited_most_seconds) from bi.terminal_success group by 1, 2', $$
    select node_id, terminal, count(*), sum(extract(epoch from recorded_at - printed_at)), max(extract(epoch from recorded_at - printed_at))
    from sales.receipt group by 1, 2$$, 'how long receipts waited');

call test.same('select node_id, receipt_id, line_number, catalog_price, amount_difference from bi.price_check', $$
    select l.node_id, l.receipt_id, l.line_number, p.price, round((l.price - p.price) * l.quantity, 2)
    from sales.receipt_line l join sales.receipt r using (node_id, receipt_id)
    cross join lateral catalog.price_at(catalog.find_product(l.node_id, r.department, l.barcode, l.business_date), l.node_id, r.printed_at) as p (price)
    where r.state in ('accepted', 'released') and p.price <> l.price$$, 'prices');
-- The product of an item is what its code means: also where the catalog is odd.
set role tpv_owner;
insert into catalog.local_code (node_id, department_code, code, product_id)
values (null, null, '128', '00000000-0000-7000-8000-00000000b001'), (3, '01', '128', '00000000-0000-7000-8000-00000000b002'),
    (2, null, '8410000000016', '00000000-0000-7000-8000-00000000b007'), (null, null, '8410000000023', '00000000-0000-7000-8000-00000000b007');
update catalog.barcode set deleted = true where gtin14 = '08410000000016';
update catalog.product set deleted = true where sku = '1003';
-- A rule of one department, one that names no item, and codes with and without their zeros.
insert into catalog.barcode_rule (name, prefix, length, kind, item_start, item_length, value_start, value_length, decimals, priority, department_code)
values ('fish', '21', 13, 'price', 3, 4, 8, 5, 2, 10, '02');
insert into catalog.barcode_rule (name, prefix, length, kind, priority, node_id, valid_to) values ('gone', '21', 13, 'ticket', 5, 1, '2026-06-15');
insert into catalog.local_code (node_id, department_code, code, product_id)
values (2, null, '0012', '00000000-0000-7000-8000-00000000b007'), (1, '01', '00042', '00000000-0000-7000-8000-00000000b001'),
    (1, null, '2100042001892', '00000000-0000-7000-8000-00000000b123');
reset role;
call test.same('select node_id, receipt_id, line_number, catalog_price, amount_difference from bi.price_check', $$
    select l.node_id, l.receipt_id, l.line_number, p.price, round((l.price - p.price) * l.quantity, 2)
    from sales.receipt_line l join sales.receipt r using (node_id, receipt_id)
    cross join lateral catalog.price_at(catalog.find_product(l.node_id, r.department, l.barcode, l.business_date), l.node_id, r.printed_at) as p (price)
    where r.state in ('accepted', 'released') and p.price <> l.price$$, 'prices, where the catalog is odd');
call test.same('select node_id, department, item, product_id from bi.product', $$
    select node_id, department, item, catalog.find_product(node_id, department, barcode, last_on) from rollup.item$$, 'products');

do $$
begin
    perform test.equal((select concat_ws(' ', stores, stores_known, complete_until) from bi.chain_freshness),
        '3 3 2026-06-26 21:09:59+00', 'the chain is complete up to the least of its stores');
    perform test.equal((select count(*) from bi.date), 365::bigint, 'the calendar has whole years');
    perform test.equal((select concat_ws(' ', iso_year, iso_week, iso_year_week, weekday, weekday_name) from bi.date where business_date = '2026-01-01'),
        '2026 1 2026-W01 4 Thursday', 'the first of January');
    perform test.equal((select array_agg(store || ' ' || is_complete order by store) from bi.sales_by_day where business_date = '2026-06-26'),
        array['S01 true', 'S02 true', 'S03 false'], 'a store that was cut off has not told all of its last day');
    perform test.equal((select restatements from bi.day_status where store = 'S02' and business_date = '2026-06-16'), 1, 'a day that was restated');
    -- A store of which nothing is known yet.
    insert into org.node (node_id, node_code, kind) values (4, 'S04', 'store');
    insert into org.store (node_id, code, name, timezone, cutoff_hour, currency) values (4, 'S04', 'Vigo', 'Europe/Madrid', 4, 'EUR');
    perform test.equal((select stores from bi.chain_freshness), 3, 'one that has not joined does not count');
    insert into sync.peer (node_id, subscription_name) values (4, 'tpv_from_s04');
    assert (select complete_until is null and stores = 4 and stores_known = 3 from bi.chain_freshness), 'one that has joined does';
end
$$;
