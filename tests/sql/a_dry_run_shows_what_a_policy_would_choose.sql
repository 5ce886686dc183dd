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
    assert test.dry('"review"') is null, 'nothing is there to choose from';
    perform test.arrives(1, 1, 10, 'party.customer', ana,
        '{"@exists": true, "name": "Ana", "phone": "1"}');
    perform test.arrives(2, 1, 20, 'party.customer', ana, '{"phone": "2"}');
    perform test.arrives(3, 1, 30, 'party.customer', bob,
        '{"@exists": true, "name": "Bob", "phone": "1", "home_node_id": 3}');
    perform test.arrives(1, 2, 40, 'party.customer', bob, '{"phone": "2"}', '{"phone": [[3, 1]]}');
    perform test.arrives(3, 2, 50, 'party.customer', bob, '{"phone": "3"}', '{"phone": [[3, 1]]}');
    perform test.equal(test.dry('"first_write"'), 'aa "2" "1" t, bb "3" "2" t', 'first_write would change both');
    perform test.equal(test.dry('"last_write"'), 'aa "2" "2" f, bb "3" "3" f', 'last_write is how it is');
    perform test.equal(test.dry('"owner_wins"'), 'aa "2" "2" f, bb "3" "3" f', 'owner_wins would change nothing');
    perform test.refused($q$select sync.policy_dry_run('party.customer', 'tags', '"last_write"')$q$,
        '22023', '%a set%', 'a set has no policy');
    perform test.refused($q$select sync.policy_dry_run('party.customer', 'phone', '"newest"')$q$,
        '22023', what => 'a rule that nobody knows');
    perform test.equal(test.customer(ana) ->> 'phone', '2', 'nothing has changed');
    -- Only the column of a policy is chosen anew.
    set local session_replication_role = replica;
    update party.customer set email = 'wrong', phone = 'wrong';
    set local session_replication_role = origin;
    insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"first_write"');
    perform test.equal((select array_agg(concat(email, ' ', phone) order by customer_id) from party.customer),
        array['wrong 1', 'wrong 2'], 'only the column of the policy is chosen anew');
end
$$;
set role tpv_operator;
select count(*) from sync.policy_dry_run('party.customer', 'phone', '"review"') \g /dev/null
reset role;
