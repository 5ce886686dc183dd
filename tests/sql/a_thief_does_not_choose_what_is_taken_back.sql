-- What a stolen machine's operations say of themselves is what its thief likes: that a row was there before, which
-- old value they replaced. And so is how much they write: 5000 elements of a set, more than a session may make.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into org.node values (1, 'S01', 'store'), (2, 'S02', 'store');
create function test.key(who text) returns text language sql as $$ select '00000000-0000-7000-8000-0000000000' || who $$;
create function test.lies(seq bigint, who text, patch jsonb, base text default '{}') returns void language sql as
$$ select test.arrives(2, seq, 1, 'party.customer', test.key(who), patch, base) $$;
create function test.name_of(who text) returns text language sql as $$
    select concat_ws(' ', name, case when deleted then 'deleted' end) from party.customer where customer_id = test.key(who)::uuid
$$;
create function test.head(who text, register text) returns text language sql as $$
    select format('{"%s": [[100, %s]]}', register, (select s.heads::jsonb -> register -> 0 ->> 1 from sync.head s where s.key = test.key(who)))
$$;
insert into party.customer (customer_id, name) values (test.key('a1')::uuid, 'Ana'), (test.key('b1')::uuid, 'Bea');

do $$ begin
    -- Its own row, of which it says that somebody else had made it: by an operation on another row, or by none.
    perform test.lies(1, 'a1', '{"phone": "600"}');
    perform test.lies(5, '0a', '{"@exists": true, "name": "Ghost"}', '{"@exists": [[2, 1]]}');
    perform test.lies(6, '0b', '{"@exists": true, "name": "Ghost"}', '{"@exists": [[1, 77]]}');
    perform test.lies(7, '0c', '{"@exists": true, "name": "Ghost"}', '{"@exists": [[2, 4]], "name": [[2, 4]]}');
    -- 5000 elements in two operations, and a mebibyte.
    perform test.lies(8, 'b1', (select jsonb_object_agg('tags/' || n, true) from generate_series(1, 2500) n));
    perform test.lies(9, 'b1', (select jsonb_object_agg('tags/' || n, true) from generate_series(2501, 4999) n));
    perform test.lies(10, '0d', '{"@exists": true, "name": "Long"}');
end $$;
select test.equal((select jsonb_array_length(tags) from party.customer where name = 'Bea'), 4999, 'all of it is here') \g /dev/null

create temp table done as select * from sync.undo_written('S02', null, 'report 4711', 5);
do $$ begin
    perform test.equal((select array_agg(distinct outcome) from done where column_name not like 'tags/%'), '{deleted}'::text[], 'rows that it made');
    perform test.equal(array[test.name_of('0a'), test.name_of('0b'), test.name_of('0c')], array['Ghost deleted', 'Ghost deleted', 'Ghost deleted'], 'are deleted');
    perform test.equal((select array_agg(distinct outcome || ' ' || value) from done where column_name like 'tags/%'), '{"restored false"}'::text[], 'elements');
    perform test.equal((select tags from party.customer where name = 'Bea'), '[]'::jsonb, 'are out of the set');
    perform test.equal((select count(*) from sync.sibling where key <> test.key('a1')), 0, 'without a conflict');
    assert (select count(*) from wire.op where node_id = 100 and key = test.key('b1')) between 2 and 10, 'in a few operations';
end $$;

-- A value of others that has left the heads long ago does not come back beside what stands.
do $$ begin
    perform test.arrives(1, 1, 5, 'party.customer', test.key('a1'), '{"email": "old@x"}', test.head('a1', 'email'));
    perform test.arrives(1, 3, 7, 'party.customer', test.key('a1'), '{"email": "new@x"}', '{"email": [[1, 2]]}');
    perform test.lies(20, 'a1', '{"email": "evil@x"}', '{"email": [[1, 1]]}');
    perform test.equal((select array_agg(concat_ws(' ', value, outcome, left(detail, 17))) from sync.undo_written('S02', null, 'x', 20)),
        '{"\"new@x\" restored what others wrote"}'::text[], 'and that is said');
    perform test.equal((select email from party.customer where name = 'Ana'), 'new@x', 'what others wrote stands');
end $$;

-- What cannot be read yet is not merged later, when a newer version can read it.
insert into org.ban (node_id, last_seq, banned_at, banned_by, why) values (2, 30, now(), 'test', 'stolen');
do $$ begin
    perform test.arrives(2, 21, 1, 'party.customer', test.key('a1'), '{"@later": true, "name": "Nobody"}', waits => 'OPERATION_PATCH');
    perform test.equal((select array_agg(concat_ws(' ', seq, outcome)) from sync.undo_written('S02', null, 'x', 20)), '{"21 dismissed"}'::text[], 'it is dismissed');
    perform test.equal((select undone_seq from org.ban), 20::bigint, 'and every node hears of it');
    assert test.waits(2, 21) is null, 'nothing waits';
    -- At a store it waits, and a newer version could read it.
    perform test.arrives(2, 22, 1, 'party.customer', test.key('a1'), '{"name": "Nobody"}', waits => 'OPERATION_UNDONE');
    perform test.equal(test.name_of('a1'), 'Ana', 'it is not merged');
end $$;
