-- A store that was tampered with, or that left the chain and edited on, names what central decided. It counts for what it is:
-- another value beside central's, on record, and central's stands.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
insert into catalog.product (product_id, sku, description) values ('00000000-0000-7000-8000-0000000000aa', '1', 'Pan');
update catalog.product set description = 'Pan blanco';
reset role;
do $$
declare
    pan text := '00000000-0000-7000-8000-0000000000aa';
    central text := (select '[[100,' || split_part(test.heads('catalog.product', pan, 'description'), '.', 2) || ']]');
    made text := (select '[[100,' || split_part(test.heads('catalog.product', pan, '@exists'), '.', 2) || ']]');
begin
    assert test.arrives(1, 1, 9e17::bigint, 'catalog.product', pan, '{"description": "Brot", "@exists": false}',
                        format('{"description": %s, "@exists": %s}', central, made));
    assert (select (description, deleted) from catalog.product)::text = '("Pan blanco",f)';
    assert test.heads('catalog.product', pan, 'description') ~ '^1\.1 100\.\d+$';
    assert (select array_agg(node_id || ' ' || chosen order by 1) from sync.sibling where column_name = 'description') = '{"1 false","100 true"}';
    -- What it writes after that replaces its own and nothing else; in the journal stands what it said.
    assert test.arrives(1, 2, 9e17::bigint, 'catalog.product', pan, '{"description": "Brötchen"}', format('{"description": %s}', replace(central, ']]', '],[1,1]]')));
    assert (select description from catalog.product) = 'Pan blanco';
    assert test.heads('catalog.product', pan, 'description') ~ '^1\.2 100\.\d+$';
    assert (select base like '%100,%' from wire.op where node_id = 1 and seq = 2);
end
$$;
-- Central has seen all of it and writes again.
set role tpv_owner;
update catalog.product set description = 'Pan integral';
reset role;
do $$
begin
    assert test.heads('catalog.product', '00000000-0000-7000-8000-0000000000aa', 'description') ~ '^100\.\d+$';
    assert (select count(*) from sync.sibling where column_name = 'description') = 0;
    -- Which node's word counts is not changed behind what has been said.
    assert (select state from test.refusal($q$select sync.track('catalog.product', 'any')$q$)) = '55000';
end
$$;
