-- A store described a product before it joined; central had described the same one.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
insert into catalog.product (product_id, sku, description) values ('00000000-0000-7000-8000-0000000000aa', '1', 'Pan');
reset role;
do $$
declare
    pan text := '00000000-0000-7000-8000-0000000000aa';
begin
    assert test.arrives(1, 1, 9e17::bigint, 'catalog.product', pan, '{"@exists": true, "sku": "1", "description": "Brot", "unit": "kg"}');
    assert (select (description, unit) from catalog.product)::text = '(Pan,piece)';
    assert (select array_agg(column_name || ' ' || node_id || ' ' || chosen order by 1) from sync.sibling)
        = '{"description 1 false","description 100 true","unit 1 false","unit 100 true"}';
end
$$;
