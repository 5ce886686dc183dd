-- A rule may be a function over all heads. Only a function that says the same everywhere, and that
-- the owner made, is one.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
create function party.longest(heads jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select h -> 'value' from jsonb_array_elements(heads) h
    order by length(h ->> 'value') desc, (h ->> 'node_id')::integer limit 1
$$;
create function party.seen(heads jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select to_jsonb(string_agg(concat_ws('.', h ->> 'node_id', h ->> 'seq', h ->> 'hlc', h ->> 'value'), ' '
        order by n))
    from jsonb_array_elements(heads) with ordinality as e (h, n)
$$;
create function party.broken(heads jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin raise exception 'no idea'; end $$;
create function party.moody(heads jsonb) returns jsonb
language sql volatile set search_path = pg_catalog, pg_temp as 'select to_jsonb(now())';
create function party.texts(heads jsonb) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$ select 'a' $$;
create function party.secret(heads jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as $$ select '1'::jsonb $$;
grant execute on function
    party.longest(jsonb), party.seen(jsonb), party.broken(jsonb), party.moody(jsonb), party.texts(jsonb) to tpv_apply;
reset role;
create role stranger_of_this_test;
create schema authorization stranger_of_this_test;
grant usage on schema stranger_of_this_test to public;
set role stranger_of_this_test;
create function stranger_of_this_test.planted(heads jsonb) returns jsonb
    language sql immutable as $$ select '1'::jsonb $$;
reset role;

do $$
declare
    try record;
begin
    for try in select * from (values
        ('party.nothing', 'no such function'), ('longest', 'with its schema'), ('party.moody', 'immutable'),
        ('party.texts', 'give one jsonb'), ('party.secret', 'tpv_apply must be allowed'),
        ('stranger_of_this_test.planted', 'must belong to tpv_owner'), ('party.a b"(', 'no such')
    ) as t (function, detail) loop
        perform test.refused(format(
            'insert into sync.policy (table_name, column_name, rule) values (''party.customer'', ''phone'', %L)',
            jsonb_build_object('rule', 'custom', 'function', try.function)),
            '22023', detail_like => '%' || try.detail || '%');
    end loop;
end
$$;

insert into sync.policy (table_name, column_name, rule) values
    ('party.customer', 'phone', '{"rule": "custom", "function": "party.seen"}'),
    ('party.customer', 'name', '{"rule": "custom", "function": "party.longest"}'),
    ('party.customer', 'email', '{"rule": "custom", "function": "party.broken"}');
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(2, 1, 10, 'party.customer', ana,
        '{"@exists": true, "name": "Ana Maria", "phone": "1", "email": "a"}');
    -- A single value stands as it was written: there is nothing to choose, and no function is asked.
    perform test.equal(test.customer(ana) ->> 'phone', '1', 'a single value stands');
    perform test.equal(test.customer(ana) ->> 'email', 'a', 'also where the function would fail');
    perform test.arrives(1, 1, 20, 'party.customer', ana, '{"name": "Ana", "phone": "2"}');
    perform test.equal(test.customer(ana) ->> 'phone', '1.1.20.2 2.1.10.1', 'it is given all heads, by version');
    perform test.equal(test.customer(ana) ->> 'name', 'Ana Maria', 'the row has what the function chose');
    perform test.equal((select array_agg(chosen order by node_id) from sync.sibling where column_name = 'name'),
        '{f,t}', 'the conflict says which value was chosen');

    -- It fails: the last writer wins provisionally, and everybody sees that it waits.
    perform test.arrives(1, 2, 30, 'party.customer', ana, '{"email": "b"}', waits => 'CUSTOM_FUNCTION');
    perform test.equal(test.customer(ana) ->> 'email', 'b', 'the last writer wins');
    perform test.equal((select detail from sync.quarantine where node_id = 1 and seq = 2),
        'P0001: no idea', 'the function''s own words are kept');
end
$$;
create or replace function party.broken(heads jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as 'select null::jsonb';
select sync.replay_waiting() \g /dev/null
do $$
begin
    assert test.waits(1, 2) is null, 'it waits no longer';
    perform test.equal(test.customer('00000000-0000-7000-8000-0000000000aa') -> 'email', 'null',
        'null is a value as well');
end
$$;

-- It is not here yet, at a node that gets the policy before the migration that brings the function.
drop function party.longest(jsonb);
update org.node set kind = 'store' where node_id = 100;
insert into org.node values (7, 'C07', 'central');
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(3, 1, 40, 'party.customer', ana, '{"name": "A."}', waits => 'UNKNOWN_FUNCTION');
    perform test.equal(test.customer(ana) ->> 'name', 'A.', 'the last writer wins');
    perform test.arrives(7, 1, 1, 'sync.policy', sync.policy_key('party.customer', 'address')::text,
        '{"@exists": true, "table_name": "party.customer", "column_name": "address",
          "rule": {"rule": "custom", "function": "party.longest"}}', waits => 'UNKNOWN_FUNCTION');
end
$$;
set role tpv_owner;
create function party.longest(heads jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select h -> 'value' from jsonb_array_elements(heads) h
    order by length(h ->> 'value') desc, (h ->> 'node_id')::integer limit 1
$$;
grant execute on function party.longest(jsonb) to tpv_apply;
reset role;
select sync.replay_waiting() \g /dev/null
do $$
begin
    perform test.equal(test.customer('00000000-0000-7000-8000-0000000000aa') ->> 'name',
        'Ana Maria', 'with the function back it chooses');
    perform test.equal((select count(*) from sync.quarantine where resolved_at is null), 0, 'nothing waits');
end
$$;
drop schema stranger_of_this_test cascade;
drop role stranger_of_this_test;
