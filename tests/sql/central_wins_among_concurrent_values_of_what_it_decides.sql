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
    perform test.arrives(1, 1, 9e17::bigint, 'catalog.product', pan,
        '{"@exists": true, "sku": "1", "description": "Brot", "unit": "kg"}');
    perform test.equal((select (description, unit)::text from catalog.product), '(Pan,piece)',
        'central''s values are shown');
    perform test.equal((select array_agg(concat_ws(' ', column_name, node_id, chosen) order by column_name, node_id)
        from sync.sibling),
        array['description 1 f', 'description 100 t', 'unit 1 f', 'unit 100 t'],
            'the store''s are on record beside them');
end
$$;
