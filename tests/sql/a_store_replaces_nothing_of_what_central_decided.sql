-- A store that was tampered with, or that left the chain and edited on, names what central decided.
-- It counts for what it is: another value beside central's, on record, and central's stands.
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
    perform test.arrives(1, 1, 9e17::bigint, 'catalog.product', pan, '{"description": "Brot", "@exists": false}',
        format('{"description": %s, "@exists": %s}', central, made));
    perform test.equal((select (description, deleted)::text from catalog.product), '("Pan blanco",f)',
        'central''s stands');
    assert test.heads('catalog.product', pan, 'description') ~ '^1\.1 100\.\d+$',
        'the store''s is another head beside it';
    perform test.equal((select array_agg(concat_ws(' ', node_id, chosen) order by node_id) from sync.sibling
        where column_name = 'description'), array['1 f', '100 t'], 'and on record');
    -- What it writes after that replaces its own and nothing else; in the journal stands what it said.
    perform test.arrives(1, 2, 9e17::bigint, 'catalog.product', pan, '{"description": "Brötchen"}',
        format('{"description": %s}', replace(central, ']]', '],[1,1]]')));
    perform test.equal((select description from catalog.product), 'Pan blanco', 'central''s still stands');
    assert test.heads('catalog.product', pan, 'description') ~ '^1\.2 100\.\d+$', 'the store replaced its own value';
    assert (select base like '%100,%' from wire.op where node_id = 1 and seq = 2), 'the journal has what it said';
end
$$;
-- Central has seen all of it and writes again.
set role tpv_owner;
update catalog.product set description = 'Pan integral';
reset role;
do $$
begin
    assert test.heads('catalog.product', '00000000-0000-7000-8000-0000000000aa', 'description') ~ '^100\.\d+$',
        'central replaced both';
    perform test.equal((select count(*) from sync.sibling where column_name = 'description'), 0, 'no conflict is left');
    -- Which node's word counts is not changed behind what has been said.
    perform test.refused($q$select sync.track('catalog.product', 'any')$q$,
        '55000', what => 'the writer of a table that was written cannot change');
end
$$;
