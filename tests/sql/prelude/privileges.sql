-- Everything that is in our schemas, whoever made it, and what a role may do to it.

create view test.routine as
select p.oid, p.oid::regprocedure::text as name, p.proacl, p.proowner from pg_proc p
where p.pronamespace::regnamespace::text in ('org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own', 'journal', 'tpv', 'rollup', 'bi');
create view test.relation as
select c.oid, c.oid::regclass::text as name, c.relacl, c.relkind, c.relispartition from pg_class c
where c.relnamespace::regnamespace::text in ('org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own', 'journal', 'tpv', 'rollup', 'bi')
    and c.relkind in ('r', 'p', 'v', 'm', 'S');

create function test.calls(role text) returns text[] language sql as $$
    select array(select name from test.routine where has_function_privilege(role, oid, 'execute') order by name)
$$;
-- Leaves are read through their table.
create function test.reads(role text) returns text[] language sql as $$
    select array(select name from test.relation
        where relkind <> 'S' and not relispartition and has_table_privilege(role, oid, 'select') order by name)
$$;
create function test.writes(role text) returns text[] language sql as $$
    select array(select name from test.relation where relkind <> 'S'
        and (has_table_privilege(role, oid, 'insert, update, delete, truncate, references, trigger')
            or has_any_column_privilege(role, oid, 'insert, update, references')))
$$;
create function test.sorted(names text[]) returns text[] language sql as $$
    select array(select n from unnest(names) as n order by n)
$$;
