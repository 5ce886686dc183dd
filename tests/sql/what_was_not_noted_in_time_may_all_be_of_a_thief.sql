-- Where central had noted nothing of a store by the moment that somebody asks about, the stamps decided, and
-- those say what a thief likes. Nor did it list a document before the beginning of its hash chain.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into org.node values (1, 'S01', 'store'), (2, 'S02', 'store');
create temp table moment as select clock_timestamp() as since;
do $$ begin
    -- Stamped 1970.
    perform test.arrives(2, 1, 1, 'party.customer', '00000000-0000-7000-8000-0000000000a1', '{"@exists": true, "name": "Ghost"}');
    perform test.equal((select sync.written_from(2, since) from moment), 1::bigint, 'with nothing noted, all may be of after it');
end $$;
select sync.note_arrivals(2) \g /dev/null
select test.equal((select sync.written_from(2, since) from moment), 1::bigint, 'and with what was noted later') \g /dev/null
select test.equal(sync.written_from(2, clock_timestamp()), 2::bigint, 'but what was here then is older') \g /dev/null

alter table wire.doc disable trigger _100_receive;
insert into wire.doc select 2, gen_random_uuid(), current_date, 'receipt', null, 1, 1, 'T01', place, '\x00', '{}', sha256('{}')
    from unnest(array[-1, 0, 1]) place;
alter table wire.doc enable always trigger _100_receive;
select test.equal((select array_agg(chain_seq) from sync.documents_written(2, (select since from moment))), array[-1, 0, 1]::bigint[],
    'documents, too') \g /dev/null
insert into sync.arrival values (2, 'hash_chain', 'T01', now() - interval '1 day', 1);
select test.equal((select array_agg(chain_seq) from sync.documents_written(2, (select since from moment))), array[-1, 0]::bigint[],
    'those that are in no place are always listed') \g /dev/null

-- Nor does a session of ours write one there.
do $$ begin
    perform test.refused($q$insert into wire.doc values (100, gen_random_uuid(), current_date, 'release', null, 1, 1, '', 0, '\x00', '{}', sha256('{}'))$q$,
        '22023', 'the place of the document in its hash chain is below 1');
end $$;

-- What it replaced stays in the journal as long as what replaced it is young, though its stamp be old.
insert into party.customer (customer_id, name, phone) values ('00000000-0000-7000-8000-0000000000b1', 'Bea', '600');
do $$ begin
    perform test.arrives(2, 2, 1, 'party.customer', '00000000-0000-7000-8000-0000000000b1', '{"phone": "666"}',
        format('{"phone": [[100, %s]]}', (select max(seq) from wire.op where node_id = 100)));
end $$;
delete from sync.arrival where what = 'operations';
insert into sync.arrival values (2, 'operations', '', clock_timestamp(), 1);
select tpv.prune_operations(100, 1, '{"100": 1000, "2": 1000}', tpv.hlc_now() - 65536 * 1000, 1000) \g /dev/null
select test.equal((select count(*) from wire.op where node_id = 100 and key like '%b1'), 1, 'it is there') \g /dev/null
