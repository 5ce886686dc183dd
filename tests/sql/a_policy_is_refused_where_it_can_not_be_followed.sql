-- A rule that nobody can follow is refused where it is written, with what is accepted; one that arrives is shown as waiting.
\ir prelude/central.sql
\ir prelude/arrivals.sql

do $$
declare
    try record;
    got record;
begin
    for try in select * from (values
        ('party.customer', 'phone', '"newest"', '22023', 'there are last_write, first_write'),
        ('party.customer', 'phone', '{}', '22023', 'there are last_write'),
        ('party.customer', 'phone', '7', '22023', 'there are last_write'),
        ('party.customer', 'phone', '{"rule": "least", "order": ["a"]}', '22023', 'two values or more'),
        ('party.customer', 'fax', '"union"', '22023', 'no such column'),
        ('party.customer', 'city', '"union"', '22023', 'belongs to a group'),
        ('party.customer', 'home_node_id', '"union"', '22023', 'the owner column'),
        ('party.customer', 'deleted', '"union"', '22023', 'no such column'),
        ('sync.policy', 'rule', '"union"', '22023', 'policies have no policy'),
        ('catalog.product', 'description', '"owner_wins"', '22023', 'an owner column'),
        ('party.pet', 'name', '"union"', '22023', 'not tracked')
    ) as t (table_name, column_name, rule, state, said) loop
        select * into got from test.refusal(format('insert into sync.policy (table_name, column_name, rule) values (%L, %L, %L)',
            try.table_name, try.column_name, try.rule));
        assert got.state = try.state and got.message like '%' || try.said || '%', format('%s: %s', try, got);
    end loop;
    assert (select hint from test.refusal($q$insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'city', '"union"')$q$))
        like '%address%', 'it names the group';

    insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"first_write"'),
        ('party.customer', 'name', '{"rule": "greatest"}'), ('party.customer', 'address', '"owner_wins"');
    assert (select state from test.refusal($q$update sync.policy set column_name = 'email' where column_name = 'phone'$q$)) = '22023';
    assert (select state from test.refusal($q$insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"union"')$q$)) = '23505';
end
$$;

-- One of a later version arrives (from a central that was upgraded first): it is kept, waits where everybody sees it, and until
-- then the last writer wins.
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    policy text := sync.policy_key('party.customer', 'email');
    item bigint;
begin
    assert not test.arrives(7, 1, 1, 'sync.policy', policy,
        '{"@exists": true, "table_name": "party.customer", "column_name": "email", "rule": "longest", "deleted": false}');
    assert test.waits(7, 1) = 'UNKNOWN_COLUMN', 'nobody writes deleted by its name';
    assert not test.arrives(7, 2, 2, 'sync.policy', policy, '{"rule": "longest"}', '{"rule": [[7, 1]]}');
    assert test.waits(7, 2) = 'POLICY_RULE';
    assert (select detail from sync.quarantine where node_id = 7 and seq = 2) like '%there are last_write%';
    assert (select rule from sync.policy where column_name = 'email') = '"longest"';

    assert test.arrives(1, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "email": "old"}');
    assert test.arrives(2, 1, 20, 'party.customer', ana, '{"email": "new"}');
    assert test.customer(ana) ->> 'email' = 'new';
    -- What has not to do with it is not touched.
    assert test.arrives(7, 3, 3, 'sync.policy', policy, '{"rule": "first_write"}', '{"rule": [[7, 2]]}');
    assert test.customer(ana) ->> 'email' = 'old';
    perform sync.replay(quarantine_id) from sync.quarantine where node_id = 7 and seq = 2;
    assert test.waits(7, 2) is null, 'it was replaced by one that is known';
end
$$;
