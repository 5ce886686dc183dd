-- Old operations that all peers have leave wire.op. Heads stay, and so does what names something that
-- is missing, what a peer lacks, and what cannot be read.

\ir prelude/central.sql

create function test.here() returns text language sql as
$$ select coalesce(string_agg(node_id || '.' || seq, ' ' order by node_id, seq), '') from wire.op where table_name = 'party.customer' $$;

insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-000000000001', 'one');
update party.customer set name = 'two';
update party.customer set phone = '600';
update party.customer set name = 'three';
create temp table first as select min(seq) - 1 as before, max(seq) as last from wire.op where table_name = 'party.customer';

create function test.named(variadic numbers integer[]) returns text language sql as $$
    select coalesce(string_agg('100.' || before + n, ' ' order by n), '') from first, unnest(numbers) as n
$$;

do $$
begin
    set pg_tpv.keep_operations = 0;
    perform test.equal(sync.prune_operations(), 0::bigint, 'a node without a horizon has compared with nobody');
    insert into sync.horizon select 100, last - 1 from first;
    insert into org.node (node_id, node_code, kind) values (1, 'S01', 'store'), (2, 'S02', 'store');
    insert into sync.peer (node_id, subscription_name, beat_at) values (1, 'tpv_from_s01', now());
    insert into sync.peer_vector select 1, 100, before + 1 from first;
    insert into sync.peer (node_id, subscription_name, added_at) values (2, 'tpv_from_s02', now());
    perform sync.prune_operations();
    perform test.equal(test.here(), test.named(1, 2, 3, 4), 'a peer that was never heard may need all');
    update sync.peer set added_at = now() - interval '31 days' where node_id = 2;
    perform sync.prune_operations();
    -- 1 is the create, a head of @exists.
    perform test.equal(test.here(), test.named(1, 2, 3, 4), 'the other peer lacks 2');
    update sync.peer_vector set seq = last from first where node_id = 1;
    set pg_tpv.keep_operations = '60d';
    perform sync.prune_operations();
    perform test.equal(test.here(), test.named(1, 2, 3, 4), 'it is young');
    set pg_tpv.keep_operations = -1;
    perform sync.prune_operations();
    perform test.equal(test.here(), test.named(1, 2, 3, 4), 'all are to be kept');
    set pg_tpv.keep_operations = 0;
    perform sync.prune_operations();
    perform test.equal(test.here(), test.named(1, 3, 4), 'it was replaced, and nobody needs it');
    assert (select seq > 0 and gone > 0 from sync.pruned where node_id = 100)
        and (select gone > 0 from sync.pruning where what = 'wire.op'), 'which is noted';
    perform test.equal((select seq from sync.contiguous() where node_id = 100), (select last from first),
        'what left is no gap');
end
$$;

-- What a head was is none when somebody writes again, and the next rounds find it.
update party.customer set phone = '700';
do $$
begin
    update sync.horizon set seq = (select max(seq) from wire.op);
    update sync.peer_vector set seq = (select max(seq) from wire.op) where node_id = 1;
    perform sync.prune_operations(1), sync.prune_operations(1), sync.prune_operations(1), sync.prune_operations(1);
    perform sync.prune_operations();
    perform test.equal(test.here(), test.named(1, 4, 5), '3 has left too');
    perform test.equal((select phone from party.customer), '700', 'the row is as it was');
end
$$;

-- Sessions cannot do the same.
update party.customer set name = 'four';
select test.refused('delete from wire.op', '42501') \g /dev/null
select test.refused($q$ select from tpv.prune_operations(100, 1, '{"100": 9999}', 9223372036854775807, 9999) $q$, '42501')
 \g /dev/null
