-- A code means a product: as a GTIN, by the item digits inside a restricted number, or as a local code
-- of the department, the store, the chain. What was sold has a key even if nobody knows it.

\ir prelude/store.sql

insert into catalog.barcode_rule (name, priority, prefix, length, kind, item_start, item_length, value_start, value_length,
    decimals, valid_to)
values ('label', 10, '21', 13, 'price', 3, 5, 8, 5, 2, '2026-06-30');
insert into catalog.product (sku, description)
select sku, sku from unnest(array['pan', 'merluza', 'of the department', 'of the store', 'of the chain', 'printed']) as p (sku);
insert into catalog.barcode (gtin14, product_id) select '04006381333931', product_id from catalog.product where sku = 'pan';

create function test.local(sku text, code text, node_id integer default null, department text default null) returns void
language sql as $$
    insert into catalog.local_code (node_id, department_code, code, product_id)
    select local.node_id, local.department, local.code, p.product_id from catalog.product p where p.sku = local.sku
$$;
select test.local('merluza', '12345'), test.local('of the department', '128', 1, '01'), test.local('of the store', '128', 1),
    test.local('of the chain', '128'), test.local('printed', '00128', 1, '02') \g /dev/null

create function test.found(code text, department text default '01', node_id integer default 1, on_date date default '2026-06-30')
returns text language sql as $$
    select coalesce((select sku from catalog.product
        where product_id = catalog.find_product(found.node_id, found.department, found.code, found.on_date)), '-')
$$;

do $$
declare
    padded text := '210012800500';
begin
    perform test.equal(array[tpv.item_key('2112345015002', '01', '2026-06-30', catalog.barcode_rules(1)),
        catalog.item_key(1, '01', '2112345007506', '2026-06-30')], array['R:2112345', 'R:2112345'], 'two labels are one item');
    perform test.equal(array[catalog.item_key(1, '01', '4006381333931', '2026-06-30'),
        catalog.item_key(1, '01', '128', '2026-06-30'), catalog.item_key(1, '02', 'x', '2026-06-30'),
        catalog.item_key(1, '01', '2112345015002', '2026-07-01')],
        array['04006381333931', 'L:01:128', 'L:02:x', 'L:01:2112345015002'], 'a GTIN, codes of departments, a rule that has ended');
    perform test.refused($q$ select tpv.item_key('1', '01', current_date, '[{"prefix": "x"}]') $q$, '22023',
        'the barcode rules cannot be used');

    perform test.equal(array[test.found('4006381333931'), test.found(' 4006381333931 '), test.found('04006381333931')],
        '{pan,pan,pan}', 'a GTIN, however it is written');
    perform test.equal(array[test.found('2112345015002'), test.found('2112345007506'), test.found('2112345007506', on_date => '2026-07-01')],
        '{merluza,merluza,-}', 'the item inside a label, while the rule holds');
    perform test.equal(array[test.found('128'), test.found('128', '02'), test.found('128', node_id => 2)],
        array['of the department', 'of the store', 'of the chain'], 'the nearest local code');
    padded := padded || tpv.gtin_check_digit(padded);
    perform test.equal(array[test.found(padded), test.found(padded, '02'), test.found(padded, '03')],
        array['of the department', 'printed', 'of the store'], 'without the zeros that a scale pads, unless they are in the catalog');
    perform test.equal(array[test.found('0128'), test.found(''), test.found('4006381333930')], '{-,-,-}', 'what nobody knows');

    update catalog.local_code set deleted = true where department_code = '01';
    perform test.equal(test.found('128'), 'of the store', 'a deleted code is not found');
    update catalog.product set deleted = true where sku = 'of the store';
    perform test.equal(test.found('128'), 'of the chain', 'nor a deleted product');
    update catalog.barcode set deleted = true;
    perform test.equal(test.found('4006381333931'), '-', 'nor a deleted barcode');

    set local role tpv_analyst;
    perform test.equal(catalog.item_key(1, '01', '128', '2026-06-30'), 'L:01:128', 'analysts may ask');
    perform catalog.find_product(1, '01', '128', '2026-06-30');
end
$$;
