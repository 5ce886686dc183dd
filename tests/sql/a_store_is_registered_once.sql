-- A database is one store: registering it again corrects it, another store and a zone that nobody
-- knows are refused, and receipts fix its clock.

\ir prelude/store.sql

create function test.register(node integer default 1, code text default 'S01', name text default 'Store 1',
    zone text default 'Europe/Madrid', cutoff integer default 4, currency text default 'EUR') returns text
language sql immutable as
$$ select format('select org.register_store(%L, %L, %L, %L, %L, %L)', node, code, name, zone, cutoff, currency) $$;

do $$
declare
    statement text;
    zone text;
begin
    assert org.this_node() = 1 and (select count(*) from org.store) = 1 and (select version from dat.profile) = 1
        and (select profile from dat.profile) = tpv.dat_legacy_profile(),
        'the store is there, with the legacy layout';

    foreach zone in array array['Madrid', 'Europe/Nowhere', '', 'CET', 'EST5EDT', '+02', 'posix/Europe/Madrid',
        'right/Europe/Madrid', 'europe/madrid', '../etc/passwd'] loop
        perform test.refused(test.register(zone => zone), '22023', 'the time zone is not known');
    end loop;
    perform test.refused(test.register(zone => null), '22023', what => 'none');
    perform test.refused(test.register(2, 'S02'), '22023', 'this database is another node', 'a second store');
    foreach statement in array array[test.register(cutoff => 24), test.register(cutoff => -1),
        test.register(currency => 'euro'),
        test.register(code => 'S 01'), test.register(code => '')]
    loop
        perform test.refused(statement, '23514');
    end loop;
    assert (select (timezone, cutoff_hour, currency, name)::text from org.store)
        = ('Europe/Madrid', 4, 'EUR', 'Store 1')::text
        and (select count(*) from org.node) = 1, 'nothing of it was kept';

    execute test.register(name => 'Store of Madrid', code => 'MAD');
    assert (select name from org.store) = 'Store of Madrid'
        and (select node_code from org.node) = 'MAD', 'a name can be corrected';
    execute test.register(zone => 'Atlantic/Canary', cutoff => 3);
    perform test.equal((select concat_ws(' ', timezone, cutoff_hour) from org.store),
        'Atlantic/Canary 3', 'so can the clock, before there are receipts');
    execute test.register();
    execute test.register();
    perform test.equal((select count(*) from dat.profile), 1, 'the layout is given once');
end
$$;

select test.take(test.receipt('1')) \g /dev/null

do $$
begin
    perform test.refused(test.register(zone => 'Atlantic/Canary'), '22023', what => 'with receipts the zone stays');
    perform test.refused(test.register(cutoff => 5), '22023', what => 'and the cut-off hour');
    assert (select state from test.refusal(test.register(name => 'New name'))) = '00000', 'the name may change';
end
$$;
