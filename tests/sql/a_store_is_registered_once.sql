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

-- The code that is printed for people, and where the gateway answers.
do $$
declare
    url text;
begin
    perform test.equal((select concat_ws(' ', code, gateway_url) from org.store), 'S01', 'the node''s code if none is given');
    foreach url in array array['http://10.0.0.5:8080', 'https://s01.example.com', 'https://s01.example.com/tpv/',
        'http://[::1]:8080', 'http://localhost'] loop
        perform org.register_store(1, 'S01', 'Store 1', 'Europe/Madrid', 4, 'EUR', gateway_url => url);
        perform test.equal((select gateway_url from org.store), url, 'a gateway');
    end loop;
    foreach url in array array['', 's01.example.com', 'ftp://s01', 'http://', 'https://ops:secret@s01', 'https://s01/?u=a@b',
        'http://s 01', 'http://s01:123456', e'http://s01/\n'] loop
        perform test.refused(format($q$ select org.register_store(1, 'S01', 'Store 1', 'Europe/Madrid', 4, 'EUR',
            gateway_url => %L) $q$, url), '23514', what => 'no gateway: ' || url);
    end loop;
    perform org.register_store(1, 'S01', 'Store 1', 'Europe/Madrid', 4, 'EUR', code => 'MAD-1');
    execute test.register(name => 'Another name');
    perform test.equal((select concat_ws(' ', code, name, gateway_url) from org.store),
        'MAD-1 Another name http://localhost', 'what is left out stays');
    perform test.refused($q$ select org.register_store(1, 'S01', 'Store 1', 'Europe/Madrid', 4, 'EUR', code => 'M 1') $q$,
        '23514', what => 'a code with a blank');
    execute test.register();
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
