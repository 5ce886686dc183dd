-- A value of last year that a thief replaced yesterday left the journal within an hour, and nothing could
-- put it back. It stays as long as what replaced it is young, by its stamp or by when it came.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into org.node values (1, 'S01', 'store'), (2, 'S02', 'store');
create function test.here() returns text language sql as
$$ select string_agg(node_id || '.' || seq, ' ' order by node_id, seq) from wire.op where table_name = 'party.customer' $$;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(1, 1, 1, 'party.customer', ana, '{"@exists": true, "name": "Ana"}');
    perform test.arrives(1, 2, 2, 'party.customer', ana, '{"phone": "600"}');
    perform test.arrives(1, 3, 3, 'party.customer', ana, '{"email": "a@x"}');
    perform test.arrives(1, 4, 4, 'party.customer', ana, '{"credit_limit": 1}');
    perform test.arrives(1, 5, 5, 'party.customer', ana, '{"credit_limit": 2}', '{"credit_limit": [[1, 4]]}');
    perform test.arrives(2, 1, 6, 'party.customer', ana, '{"email": "b@x"}', '{"email": [[1, 3]]}');
end
$$;
update party.customer set phone = '666';
insert into sync.horizon select node_id, max(seq) from wire.op group by node_id
    on conflict (node_id) do update set seq = excluded.seq;
-- Peers that nobody waits for.
insert into sync.peer (node_id, subscription_name, added_at) select n, 'tpv_from_s0' || n, '2020-01-01' from generate_series(1, 2) n;
-- The last that store 2 had written two months ago came before its operation 1, whose stamp is of 1970.
insert into sync.arrival values (2, 'operations', '', now() - interval '61 days', 0);
create temp table last as select max(seq) as seq from wire.op where node_id = 100 and table_name = 'party.customer';

set pg_tpv.keep_operations = '60d';
select sync.prune_operations() \g /dev/null
select test.equal(test.here(), (select format('1.1 1.2 1.3 1.5 2.1 100.%s', seq) from last), 'what a young one replaced stays, by stamp and by arrival') \g /dev/null
update sync.arrival set seq = 1;
select sync.prune_operations() \g /dev/null
select test.equal(test.here(), (select format('1.1 1.2 1.5 2.1 100.%s', seq) from last), 'and leaves when that is old') \g /dev/null
set pg_tpv.keep_operations = 0;
select sync.prune_operations() \g /dev/null
select test.equal(test.here(), (select format('1.1 1.5 2.1 100.%s', seq) from last), 'nothing is to be kept for its age') \g /dev/null
