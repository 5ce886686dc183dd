-- Before a store is registered every call says so, with 55000 and what to do.

do $$
declare
    statement text;
    state text;
    hint text;
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
        state := null;
        begin
            execute statement;
        exception when others then
            get stacked diagnostics state = returned_sqlstate, hint = pg_exception_hint;
        end;
        assert state = '55000' and hint like '%org.register_store%', statement || coalesce(state, ' was not refused');
    end loop;
    assert org.this_node() is null and not exists (select from sales.rejected) and not exists (select from wire.verify_chains()), 'nothing happened';
end
$$;
