-- Many codes at once have the rates that they have one by one: by the product that each means, else by the department.
\ir prelude/store.sql

insert into catalog.tax (code, name) values ('G', 'General'), ('R', 'Reduced'), ('N', 'Of the next year');
insert into catalog.tax_rate (tax_id, rate, valid_from)
select tax_id, v.rate, v.valid_from
from catalog.tax join (values ('G', 21, '2020-01-01'::date), ('R', 10, '2020-01-01'), ('R', 5, '2026-06-01'), ('N', 4, '2027-01-01')) as v (code, rate, valid_from) using (code);
update org.department set tax_id = (select tax_id from catalog.tax where code = 'R') where code = '02';
insert into catalog.barcode_rule (name, prefix, length, kind, item_start, item_length, value_start, value_length, decimals)
values ('price label', '21', 13, 'price', 3, 5, 8, 5, 2);
insert into catalog.product (sku, description, tax_id, deleted)
select n::text, 'goods ' || n, (select tax_id from catalog.tax where code = (array['G', 'R', 'N', null])[1 + n % 4]), n % 11 = 0
from generate_series(1, 40) n;
insert into catalog.barcode (gtin14, product_id, deleted)
select tpv.gtin14(d.digits || tpv.gtin_check_digit(d.digits)::text), p.product_id, p.sku::integer % 7 = 0
from catalog.product p cross join lateral (select '84000' || lpad(p.sku, 7, '0') as digits) d where p.sku::integer % 2 = 0;
-- Of one code for the chain, a store and a department, the nearest holds.
insert into catalog.local_code (code, product_id, node_id, department_code)
select (p.sku::integer % 9)::text, p.product_id, 1, (array['01', '02'])[1 + p.sku::integer % 2]
from catalog.product p where p.sku::integer between 10 and 18;
insert into catalog.local_code (code, product_id) select lpad(sku, 5, '0'), product_id from catalog.product where sku::integer between 20 and 27;
insert into catalog.local_code (code, product_id) select sku, product_id from catalog.product where sku::integer between 28 and 36;
insert into catalog.local_code (code, product_id, node_id) select '7', product_id, 1 from catalog.product where sku = '39';

do $$
declare
    codes text[];
    wrong text;
    place record;
begin
    select array_agg(c.code) into codes from (
        select b.gtin14 as code from catalog.barcode b union select ltrim(b.gtin14, '0') from catalog.barcode b
        union select n::text from generate_series(0, 40) n union select ' ' || n || ' ' from generate_series(0, 9) n
        union select lpad(n::text, 5, '0') from generate_series(15, 40) n
        union select d.digits || tpv.gtin_check_digit(d.digits)::text
            from generate_series(1, 40) n cross join lateral (select '21' || lpad(n::text, 5, '0') || '01250' as digits) d
        union select 'nobody''s') c;
    for place in select d.code as department, day from (values ('01'), ('02'), ('03'), ('99')) d (code)
        cross join (values ('2019-12-31'::date), ('2026-05-31'), ('2026-06-01'), ('2027-01-01')) as v (day)
    loop
        select string_agg(concat_ws(' ', c.code, place.department, place.day, 'is', t.rate, t.source, 'and not', e.rate, e.source), e'\n')
        into wrong
        from unnest(codes) c (code)
        left join catalog.line_taxes(1, place.department, codes, place.day) t on t.code = c.code
        cross join lateral (
            select s.rate, s.source from (
                select 1 as step, catalog.tax_rate_at(p.tax_id, place.day) as rate, 'product' as source
                from catalog.product p where p.product_id = catalog.find_product(1, place.department, c.code, place.day)
                union all
                select 2, catalog.tax_rate_at(d.tax_id, place.day), 'department'
                from org.department d where d.node_id = 1 and d.code = place.department and not d.deleted
                union all
                select 3, null, 'unknown') s
            where s.rate is not null or s.source = 'unknown' order by s.step limit 1) e
        cross join lateral catalog.line_tax(1, place.department, c.code, null, place.day) o
        where (t.rate, t.source) is distinct from (e.rate, e.source) or (o.rate, o.source) is distinct from (e.rate, e.source);
        perform test.equal(coalesce(wrong, ''), '', 'rates');
    end loop;
    perform test.equal((select count(distinct (t.rate, t.source)) = 4 from unnest(array['01', '02']) d (code)
        cross join lateral catalog.line_taxes(1, d.code, codes, '2026-06-01') t), true, 'there is something to tell apart');
end
$$;
