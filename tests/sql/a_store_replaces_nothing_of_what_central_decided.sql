-- A store that left the chain and edited its own department on names what central decided about it.
-- It counts for what it is: another value beside central's, on record, and central's stands.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
insert into org.node values (1, 'S01', 'store');
insert into org.store (node_id, code, name, timezone, cutoff_hour, currency) values (1, 'S01', 'S01', 'Europe/Madrid', 4, 'EUR');
insert into org.department (department_id, node_id, code, name) values ('00000000-0000-7000-8000-0000000000aa', 1, '01', 'Pan');
update org.department set name = 'Pan blanco';
reset role;
do $$
declare
    pan text := '00000000-0000-7000-8000-0000000000aa';
    central text := (select '[[100,' || split_part(test.heads('org.department', pan, 'name'), '.', 2) || ']]');
    made text := (select '[[100,' || split_part(test.heads('org.department', pan, '@exists'), '.', 2) || ']]');
begin
    perform test.arrives(1, 1, 9e17::bigint, 'org.department', pan, '{"name": "Brot", "@exists": false}',
        format('{"name": %s, "@exists": %s}', central, made));
    perform test.equal((select (name, deleted)::text from org.department), '("Pan blanco",f)',
        'central''s stands');
    assert test.heads('org.department', pan, 'name') ~ '^1\.1 100\.\d+$',
        'the store''s is another head beside it';
    perform test.equal((select array_agg(concat_ws(' ', node_id, chosen) order by node_id) from sync.sibling
        where column_name = 'name'), array['1 f', '100 t'], 'and on record');
    -- What it writes after that replaces its own and nothing else; in the journal stands what it said.
    perform test.arrives(1, 2, 9e17::bigint, 'org.department', pan, '{"name": "Brötchen"}',
        format('{"name": %s}', replace(central, ']]', '],[1,1]]')));
    perform test.equal((select name from org.department), 'Pan blanco', 'central''s still stands');
    assert test.heads('org.department', pan, 'name') ~ '^1\.2 100\.\d+$', 'the store replaced its own value';
    assert (select base like '%100,%' from wire.op where node_id = 1 and seq = 2), 'the journal has what it said';
end
$$;
-- Central has seen all of it and writes again.
set role tpv_owner;
update org.department set name = 'Pan integral';
reset role;
do $$
begin
    assert test.heads('org.department', '00000000-0000-7000-8000-0000000000aa', 'name') ~ '^100\.\d+$',
        'central replaced both';
    perform test.equal((select count(*) from sync.sibling where column_name = 'name'), 0, 'no conflict is left');
    -- Which node's word counts is not changed behind what has been said.
    perform test.refused($q$select sync.track('org.department', 'any')$q$,
        '55000', what => 'the writer of a table that was written cannot change');
end
$$;
