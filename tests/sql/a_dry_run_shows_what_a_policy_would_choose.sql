-- Nobody changes a policy blindly: what another would choose among what is on record.
\ir prelude/central.sql
\ir prelude/arrivals.sql

create function test.dry(rule jsonb, column_name text default 'phone') returns text language sql as $$
    select string_agg(concat_ws(' ', right(key, 2), value_now, value_then, differs), ', ' order by key)
    from sync.policy_dry_run('party.customer', column_name, rule)
$$;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    bob text := '00000000-0000-7000-8000-0000000000bb';
begin
    assert test.dry('"union"') is null;
    assert test.arrives(1, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "phone": "1", "tags": ["a"]}');
    assert test.arrives(2, 1, 20, 'party.customer', ana, '{"phone": "2", "tags": ["b"]}');
    assert test.arrives(3, 1, 30, 'party.customer', bob, '{"@exists": true, "name": "Bob", "phone": "1", "home_node_id": 3}');
    assert test.arrives(1, 2, 40, 'party.customer', bob, '{"phone": "2"}', '{"phone": [[3, 1]]}');
    assert test.arrives(3, 2, 50, 'party.customer', bob, '{"phone": "3"}', '{"phone": [[3, 1]]}');
    assert test.dry('"first_write"') = 'aa "2" "1" t, bb "3" "2" t', test.dry('"first_write"');
    assert test.dry('"last_write"') = 'aa "2" "2" f, bb "3" "3" f';
    assert test.dry('"owner_wins"') = 'aa "2" "2" f, bb "3" "3" f';
    -- What one policy united is no conflict, and may be one under another.
    assert test.dry('"last_write"', 'tags') = 'aa ["a", "b"] ["b"] t', test.dry('"last_write"', 'tags');
    assert (select state from test.refusal($q$select sync.policy_dry_run('party.customer', 'phone', '"newest"')$q$)) = '22023';
    assert (test.customer(ana) ->> 'phone') = '2', 'nothing has changed';
    -- Only the column of a policy is chosen anew.
    set local session_replication_role = replica;
    update party.customer set email = 'wrong', phone = 'wrong';
    set local session_replication_role = origin;
    insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"first_write"');
    assert (select array_agg(concat(email, ' ', phone) order by customer_id) from party.customer) = '{"wrong 1","wrong 2"}';
end
$$;
set role tpv_operator;
select count(*) from sync.policy_dry_run('party.customer', 'phone', '"review"') \g /dev/null
reset role;
