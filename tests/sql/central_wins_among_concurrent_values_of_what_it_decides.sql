-- A store named its department before it joined; central had named the same one.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
insert into org.node values (1, 'S01', 'store');
insert into org.store (node_id, code, name, timezone, cutoff_hour, currency) values (1, 'S01', 'S01', 'Europe/Madrid', 4, 'EUR');
insert into org.department (department_id, node_id, code, name) values ('00000000-0000-7000-8000-0000000000aa', 1, '01', 'Pan');
reset role;
do $$
declare
    pan text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(1, 1, 9e17::bigint, 'org.department', pan,
        '{"@exists": true, "node_id": 1, "code": "01", "name": "Brot", "tax_id": "00000000-0000-7000-8000-0000000000bb"}');
    perform test.equal((select (name, tax_id)::text from org.department), '(Pan,)',
        'central''s values are shown');
    perform test.equal((select array_agg(concat_ws(' ', column_name, node_id, chosen) order by column_name, node_id)
        from sync.sibling),
        array['name 1 f', 'name 100 t', 'tax_id 1 f', 'tax_id 100 t'],
            'the store''s are on record beside them');
end
$$;
