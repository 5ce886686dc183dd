-- A rule that nobody can follow is refused where it is written, with what is accepted; one that
-- arrives is shown as waiting.
\ir prelude/central.sql
\ir prelude/arrivals.sql

do $$
declare
    try record;
begin
    for try in select * from (values
        ('party.customer', 'phone', '"newest"', 'there are last_write, first_write'),
        ('party.customer', 'phone', '{}', 'there are last_write'),
        ('party.customer', 'phone', '7', 'there are last_write'),
        ('party.customer', 'phone', '{"rule": "least", "order": ["a"]}', 'two values or more'),
        ('party.customer', 'phone', '"union"', 'sync.track declares what is a set'),
        ('party.customer', 'phone', '{"rule": "grow_only"}', 'sync.track declares what is a set'),
        ('party.customer', 'tags', '"last_write"', 'a set, which has no policy'),
        ('party.customer', 'tags/vip', '"last_write"', 'no such column'),
        ('party.customer', 'fax', '"review"', 'no such column'),
        ('party.customer', 'city', '"review"', 'belongs to a group'),
        ('party.customer', 'home_node_id', '"review"', 'the owner column'),
        ('party.customer', 'deleted', '"review"', 'no such column'),
        ('sync.policy', 'rule', '"review"', 'policies have no policy'),
        ('catalog.product', 'description', '"owner_wins"', 'an owner column'),
        ('party.pet', 'name', '"review"', 'not tracked')
    ) as t (table_name, column_name, rule, message) loop
        perform test.refused(format('insert into sync.policy (table_name, column_name, rule) values (%L, %L, %L)',
            try.table_name, try.column_name, try.rule), '22023', '%' || try.message || '%');
    end loop;
    perform test.refused(
        $q$insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'city', '"review"')$q$,
        '22023', hint_like => '%address%', what => 'it names the group');

    insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"first_write"'),
        ('party.customer', 'name', '{"rule": "greatest"}'), ('party.customer', 'address', '"owner_wins"');
    perform test.refused($q$update sync.policy set column_name = 'email' where column_name = 'phone'$q$,
        '22023', what => 'a policy does not move to another column');
    perform test.refused(
        $q$insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"review"')$q$,
        '23505', what => 'a column has one policy');
end
$$;

-- One of a later version arrives from a central that was upgraded first: it is kept, waits where
-- everybody sees it, and until then the last writer wins. This node is a store from here on.
update org.node set kind = 'store' where node_id = 100;
insert into org.node values (7, 'C07', 'central');
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    policy text := sync.policy_key('party.customer', 'email');
begin
    -- Nobody writes deleted by its name.
    perform test.arrives(7, 1, 1, 'sync.policy', policy,
        '{"@exists": true, "table_name": "party.customer", "column_name": "email", "rule": "longest",
          "deleted": false}', waits => 'UNKNOWN_COLUMN');
    perform test.arrives(7, 2, 2, 'sync.policy', policy, '{"rule": "longest"}', '{"rule": [[7, 1]]}',
        waits => 'POLICY_RULE');
    assert (select detail from sync.quarantine where node_id = 7 and seq = 2) like '%there are last_write%',
        'it waits with what is accepted';
    perform test.equal((select rule from sync.policy where column_name = 'email'), '"longest"', 'and is kept');

    perform test.arrives(1, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "email": "old"}');
    perform test.arrives(2, 1, 20, 'party.customer', ana, '{"email": "new"}');
    perform test.equal(test.customer(ana) ->> 'email', 'new', 'until then the last writer wins');
    -- What has nothing to do with it is not touched.
    perform test.arrives(7, 3, 3, 'sync.policy', policy, '{"rule": "first_write"}', '{"rule": [[7, 2]]}');
    perform test.equal(test.customer(ana) ->> 'email', 'old', 'a rule that is known decides anew');
    perform sync.replay(quarantine_id) from sync.quarantine where node_id = 7 and seq = 2;
    assert test.waits(7, 2) is null, 'the other one was replaced by one that is known';
end
$$;
