-- The tax of a line is what the receipt says; else that of its product; else that of its department. A
-- rate holds until the next, and what was guessed is told from what was printed.

\ir prelude/store.sql

insert into catalog.tax (code, name) values ('R', 'Reduced'), ('N', 'Normal'), ('Z', 'No rate yet');
insert into catalog.tax_rate (tax_id, rate, valid_from)
select tax_id, rate, valid_from::date from catalog.tax
join (values ('R', 12, '2030-01-01'), ('R', 10, '2020-01-01'), ('N', 21, '2020-01-01')) as r (code, rate, valid_from) using (code);
insert into catalog.product (sku, description, tax_id)
select 'pan', 'Pan', tax_id from catalog.tax where code = 'R'
union all select 'vela', 'Vela', tax_id from catalog.tax where code = 'Z'
union all select 'bolsa', 'Bolsa', null;
insert into catalog.barcode (gtin14, product_id)
select gtin, product_id from catalog.product
join (values ('pan', '08436006836053'), ('vela', '04006381333931'), ('bolsa', '00000095012346')) as b (sku, gtin) using (sku);

set client_min_messages = error;
select org.register_department('01', 'Bakery', tax => 'N') \g /dev/null
reset client_min_messages;

do $$
declare
    items jsonb := jsonb_build_array(test.item(1), test.item(2) || '{"taxRate": 4}', test.item(3, barcode => '4006381333931'),
        test.item(4, barcode => '95012346'), test.item(5, barcode => '4011'));
    taxed text[];
    named text[] := array['1 10.00 product', '2 4.00 receipt', '3 21.00 department', '4 21.00 department', '5 21.00 department'];
begin
    perform test.refused($q$ select org.register_department('01', 'Bakery', tax => 'X') $q$, '23503', 'there is no such tax');
    perform test.take(test.receipt('1', items));
    select array_agg(concat_ws(' ', line_number, tax_rate, tax_source) order by line_number) into taxed from sales.line_tax;
    perform test.equal(taxed, named, 'each line has a rate, and says whose');
    perform test.equal((select array_agg(concat_ws(' ', line_number, tax_rate) order by line_number) from sales.receipt_line),
        array['1', '2 4.00', '3', '4', '5'], 'what the receipt said is kept apart');

    update catalog.tax set deleted = true where code = 'N';
    perform test.equal((select string_agg(concat_ws(' ', line_number, tax_source, tax_rate), ', ' order by line_number)
        from sales.line_tax), '1 product 10.00, 2 receipt 4.00, 3 unknown, 4 unknown, 5 unknown', 'a deleted tax says nothing');
    set local role tpv_analyst;
    perform test.equal((select count(*) from sales.line_tax where tax_source = 'unknown'), 3, 'analysts see it');
end
$$;

do $$
declare
    reduced uuid := (select tax_id from catalog.tax where code = 'R');
begin
    perform test.equal(concat_ws(' ', catalog.tax_rate_at(reduced, '2029-12-31'), catalog.tax_rate_at(reduced, '2030-01-01'),
        coalesce(catalog.tax_rate_at(reduced, '2019-12-31'), -1)), '10.00 12.00 -1', 'a rate holds until the next');
    insert into catalog.tax_rate (tax_rate_id, tax_id, rate, valid_from) values
        ('ffffffff-0000-7000-8000-0000000000bb', reduced, 14, '2031-01-01'),
        ('ffffffff-0000-7000-8000-0000000000aa', reduced, 13, '2031-01-01');
    perform test.equal(catalog.tax_rate_at(reduced, '2031-01-01'), 14.00, 'of two with one first day the greater key');
    update catalog.tax_rate set deleted = true where rate in (12, 14);
    perform test.equal(concat_ws(' ', catalog.tax_rate_at(reduced, '2030-06-01'), catalog.tax_rate_at(reduced, '2031-01-01')),
        '10.00 13.00', 'deleted rates do not count');
end
$$;
