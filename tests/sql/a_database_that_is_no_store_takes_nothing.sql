-- Before a store is registered every call says so, with 55000 and what to do.

\ir prelude/test.sql

do $$
declare
    statement text;
begin
    foreach statement in array array[
        $q$ select * from sales.ingest_batch('T01', array['{}'::bytea]) $q$,
        $q$ select sales.release('00000000-0000-8000-8000-000000000000', 'why') $q$,
        $q$ select sales.void('00000000-0000-8000-8000-000000000000', 'why') $q$,
        $q$ select dat.withdraw('00000000-0000-8000-8000-000000000000', 'why') $q$,
        $q$ select dat.render_again('00000000-0000-8000-8000-000000000000', 'why') $q$,
        $q$ select sales.close_day(current_date) $q$,
        $q$ select * from sales.rebuild_projections() $q$
    ] loop
        perform test.refused(statement, '55000', hint_like => '%org.register_store%');
    end loop;
    assert org.this_node() is null
        and not exists (select from sales.rejected)
        and not exists (select from wire.verify_chains()), 'nothing happened';
end
$$;
