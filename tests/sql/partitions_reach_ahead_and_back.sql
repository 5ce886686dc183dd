-- wire.doc has a partition for each month from 13 back to 3 ahead; what came before its month is
-- moved there when it is made. Documents of other months stay in the default partition: of a
-- thousand months that a store made up there would be a thousand partitions.

\ir prelude/store.sql

create function test.guarded(relation regclass) returns text[] language sql as $$
    select array_agg(tgname::text || tgenabled::text order by tgname) from pg_trigger where tgrelid = relation
$$;

do $$
declare
    far date := (date_trunc('month', current_date) + interval '3 months')::date;
    leaf text := 'wire.doc_' || to_char(far, 'YYYY_MM');
    guarded text[] := '{_100_receiveA,_900_refuseA,_900_refuse_truncateA}';
begin
    perform test.equal((select array_agg(inhrelid::regclass::text order by inhrelid::regclass::text) from pg_inherits
        where inhparent = 'wire.doc'::regclass),
        (select array_agg(n order by n) from (
            select 'wire.doc_' || to_char(m, 'YYYY_MM')
            from generate_series(date_trunc('month', now()) - interval '13 months',
                date_trunc('month', now()) + interval '3 months', interval '1 month') as m
            union all select 'wire.doc_default') as t (n)), 'the months are these');
    assert (select bool_and(test.guarded(inhrelid) = guarded) from pg_inherits where inhparent = 'wire.doc'::regclass)
        and test.guarded('wire.doc') = guarded, 'each is guarded';
    assert not exists (select from wire.doc_default), 'the default partition is empty';
    perform test.equal(wire.maintain_partitions(), 0, 'a second call makes none');

    -- As if nobody had made this month yet.
    execute format('drop table %s', leaf);
    insert into wire.doc select 1, ('00000000-0000-8000-8000-00000000000' || n)::uuid, far + n, 'day_close', null, n,
        1, 'X', n, '', '{}', sha256('{}')
    from generate_series(1, 3) as n;
    insert into wire.doc select 1, gen_random_uuid(), d::date, 'unheard', null, 9, 1, 'X', 9, '', '{}', sha256('{}')
    from unnest(array['0001-01-01', '1999-12-31', '9999-12-31']) as d;
    perform test.equal((select count(*) from wire.doc_default), 6, 'documents before their month wait');
    create temp table before as table wire.doc;
    perform test.equal(wire.maintain_partitions(), 1, 'their month is made');
    perform test.equal((select count(*) from wire.doc_default), 3, 'those of no month of ours stay');
    assert not exists (table before except table wire.doc)
        and (select count(*) from wire.doc) = 6, 'the others are moved, and none is changed';
    perform test.equal((select tableoid::regclass::text from wire.doc where business_date = far + 1),
        leaf, 'to their month');
    assert (select count(*) from sales.day_close) = 3
        and (select count(*) from sync.quarantine) = 3, 'they are not received again';
    assert (select bool_and(test.guarded(inhrelid) = guarded) from pg_inherits where inhparent = 'wire.doc'::regclass),
        'all is guarded, the default one again';
    perform test.refused('delete from ' || leaf, '42501');
    perform test.refused('truncate ' || leaf, '42501');
    perform test.equal(wire.maintain_partitions(), 0, 'and that is all');
    assert exists (select from pg_constraint where conrelid = leaf::regclass and contype = 'p'),
        'the new leaf has its key';
    insert into wire.doc select * from before;
    perform test.equal((select count(*) from wire.doc), 6, 'a repeat is known there as well');
    insert into wire.doc values (1, gen_random_uuid(), far, 'unheard', null, 9, 1, 'X', 10, '', '{}', sha256('{}'));
    perform test.equal((select count(*) from sync.quarantine), 4, 'and a new one is received');
end
$$;

-- As pg_cron does it.
set role tpv_cron;
select wire.maintain_partitions() \g /dev/null
reset role;

do $$
begin
    assert (select bool_and(relowner = 'tpv_owner'::regrole) from pg_class where relnamespace = 'wire'::regnamespace),
        'all of it is tpv_owner''s';
    assert not exists (select from pg_class where relnamespace = 'wire'::regnamespace and relkind in ('r', 'p')
        and obj_description(oid, 'pg_class') is null), 'each has its comment';
    -- Whatever becomes of the calendar, no month is made twice.
    assert wire.add_partition(current_date) = false
        and wire.add_partition(date '2199-12-31') = true
        and wire.add_partition(date '2199-12-01') = false, 'a month once';
end
$$;
