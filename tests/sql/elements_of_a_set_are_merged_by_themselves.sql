-- Each element of a set is a register of its own: who removes one and who adds another do not meet.
-- A three-way union of arrays lets an element come back that somebody removed.
\ir prelude/central.sql
\ir prelude/arrivals.sql

create function test.tags() returns text language sql as $$ select tags::text from party.customer $$;
create function test.last_patch() returns text language sql as
$$ select patch from wire.op where node_id = 100 order by seq desc limit 1 $$;

set role tpv_operator;
insert into party.customer (customer_id, name, tags)
values ('00000000-0000-7000-8000-0000000000aa', 'Ana', '["vip", "old", "vip"]');
reset role;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    own bigint := (select seq from wire.op where node_id = 100 and key = ana);
begin
    perform test.equal(test.tags(), '["old", "vip"]', 'a set is written sorted, each element once');
    assert test.last_patch() like '%"tags/old":true,"tags/vip":true%', 'each element is a register: ' || test.last_patch();

    -- S01 removes one element and S02 adds another at the same time.
    perform test.arrives(1, 1, 10, 'party.customer', ana, '{"tags/old": false}', format('{"tags/old": [[100, %s]]}', own));
    perform test.arrives(2, 1, 20, 'party.customer', ana, '{"tags/new": true}');
    perform test.equal(test.tags(), '["new", "vip"]', 'what one store removed does not come back');
    perform test.equal((select count(*) from sync.sibling), 0, 'and nothing is in conflict');

    -- S01 removes what S02 writes again.
    perform test.arrives(1, 2, 90, 'party.customer', ana, '{"tags/vip": false}', format('{"tags/vip": [[100, %s]]}', own));
    perform test.arrives(2, 2, 30, 'party.customer', ana, '{"tags/vip": true}', format('{"tags/vip": [[100, %s]]}', own));
    perform test.equal(test.tags(), '["new", "vip"]', 'what is added and removed at once stays');
    perform test.equal((select array_agg(concat_ws(' ', column_name, node_id, value, chosen) order by node_id) from sync.sibling),
        array['tags/vip 1 false f', 'tags/vip 2 true t'], 'and is on record');
end
$$;

-- A person decides about one element, and another writer has touched the set in the same transaction.
begin;
update party.customer set tags = '["new", "vip", "Zoo"]';
select sync.resolve_conflict('party.customer', key, column_name, node_id, seq) from sync.sibling where not chosen \g /dev/null
do $$ begin perform test.equal(test.tags(), '["Zoo", "new"]', 'both changes are in the row'); end $$;
commit;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.equal(test.tags(), '["Zoo", "new"]', 'and stay');
    perform test.equal((select count(*) from sync.sibling), 0, 'the conflict is resolved');
    perform test.equal((select jsonb_object_agg(k, v -> 0 -> 3) from sync.head h, jsonb_each(h.heads::jsonb) e (k, v)
        where h.key = ana and k like 'tags%'),
        '{"tags/Zoo": true, "tags/new": true, "tags/old": false, "tags/vip": false}', 'each element has its head');
end
$$;
update party.customer set tags = '[]';
do $$
begin
    perform test.equal(test.last_patch(), '{"tags/Zoo":false,"tags/new":false}', 'a patch names what changed');
    perform test.equal(test.tags(), '[]', 'an empty set');
end
$$;

-- What is no set is refused where it is written.
do $$
declare
    try record;
begin
    for try in select * from (values
        ('{}', 'array of texts'), ('["a", 1]', 'array of texts'), ('"a"', 'array of texts'),
        ('[""]', '1 to 100 characters'), (jsonb_build_array(repeat('x', 101))::text, '1 to 100 characters'),
        ((select jsonb_agg(n::text)::text from generate_series(1, 501) n), '500 elements at most')
    ) as t (tags, message) loop
        perform test.refused(format('update party.customer set tags = %L', try.tags), '22023', '%' || try.message || '%');
    end loop;
    update party.customer set tags = jsonb_build_array(repeat('ñ', 100), 'a/b', 'a+b', '@x', e'caf\u0065\u0301');
    perform test.equal(test.tags(), jsonb_build_array('@x', 'a+b', 'a/b', e'caf\u00e9', repeat('ñ', 100))::text,
        'any text is an element, in its composed form');
end
$$;

-- What arrives in another form waits: a set as a whole, an element of a column that is none, a value that is neither.
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    update party.customer set tags = '["a"]';
    perform test.arrives(3, 1, 50, 'party.customer', ana, '{"tags": ["b"]}', waits => 'UNKNOWN_COLUMN');
    perform test.arrives(3, 2, 50, 'party.customer', ana, '{"tags+b": true}', waits => 'UNKNOWN_COLUMN');
    perform test.arrives(3, 3, 50, 'party.customer', ana, '{"name/b": true}', waits => 'UNKNOWN_COLUMN');
    perform test.arrives(3, 4, 50, 'party.customer', ana, '{"tags/b": null}', waits => 'OPERATION_PATCH');
    perform test.equal(test.tags(), '["a"]', 'and changes nothing');
    -- A row that arrives whole.
    perform test.arrives(3, 5, 60, 'party.customer', '00000000-0000-7000-8000-0000000000bb',
        '{"@exists": true, "name": "Bob", "tags/x": true, "tags/B": true, "tags/y": false}');
    perform test.equal((select tags::text from party.customer where name = 'Bob'), '["B", "x"]', 'a new row has its set');
end
$$;

-- A column is a set from its first write on, or never.
set role tpv_owner;
create table party.pet (pet_id uuid primary key, toys jsonb not null default '[]', words jsonb not null default '[]');
insert into party.pet (pet_id, toys) values ('00000000-0000-7000-8000-00000000000d', '["b", "a"]');
do $$
begin
    perform test.refused($q$select sync.track('party.pet', sets => '{"toys": "some"}')$q$, '22023', '%union or grow_only%');
    perform test.refused($q$select sync.track('party.pet', sets => '{"pet_id": "union"}')$q$, '22023');
    perform sync.track('party.pet', sets => '{"toys": "union"}');
    perform test.equal((select toys::text from party.pet), '["a", "b"]', 'rows that are there get the form');
    perform test.equal((select patch from wire.op where table_name = 'party.pet'),
        '{"@exists":true,"toys/a":true,"toys/b":true,"words":[]}', 'and are written by elements');
    perform test.refused($q$select sync.track('party.pet', sets => '{}')$q$, '55000', 'column toys of party.pet was written%');
    perform test.refused($q$select sync.track('party.pet', sets => '{"toys": "grow_only"}')$q$, '55000');
    perform test.refused($q$select sync.track('party.pet', sets => '{"toys": "union", "words": "union"}')$q$,
        '55000', 'column words of party.pet was written%');
    alter table party.pet add column seen jsonb not null default '[]';
    perform sync.track('party.pet', sets => '{"toys": "union", "seen": "grow_only"}');
    perform test.equal(sync.track('party.pet'), 'party.pet was tracked like this already', 'it can be repeated');
end
$$;
reset role;
