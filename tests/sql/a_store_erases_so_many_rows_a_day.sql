-- Central takes so many erasures of a store on a day; the store's sessions are refused sooner.

\ir prelude/store.sql

set role tpv_owner;
insert into party.customer (customer_id, name) select ('00000000-0000-7000-8000-0000000000a' || n)::uuid, 'x' from generate_series(1, 3) as n;
insert into sync.erasure (at, table_name, key, why) select clock_timestamp() - interval '1 day', 'party.customer', n, 'a test' from generate_series(1, 400) as n;
insert into sync.erasure (table_name, key, why) select 'party.customer', n, 'a test' from generate_series(1, 199) as n;
select party.erase('00000000-0000-7000-8000-0000000000a1', 'alone, any number') \g /dev/null
select sync.add_peer(100, 'CENTRAL', 'central') \g /dev/null

do $$
begin
    perform test.equal((select count(*) from sync.erasure where at >= current_date), 200, 'so many today');
    perform test.refused($s$select party.erase('00000000-0000-7000-8000-0000000000a2', 'one more')$s$, '55000', '%200 rows today%');
    update sync.erasure set at = clock_timestamp() - interval '1 day' where key = '7';
    perform test.equal(party.erase('00000000-0000-7000-8000-0000000000a2', 'tomorrow'), 1, 'the next day');
end
$$;
reset role;
