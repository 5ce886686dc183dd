-- owner_wins: of what was written at the same time, what the node wrote that the thing belongs to.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"owner_wins"');
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    bob text := '00000000-0000-7000-8000-0000000000bb';
begin
    -- Edits arrive before whose it is.
    assert test.arrives(1, 1, 30, 'party.customer', ana, '{"phone": "one"}');
    assert test.arrives(3, 1, 40, 'party.customer', ana, '{"phone": "three"}');
    assert test.arrives(2, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "phone": "two"}');
    assert test.customer(ana) ->> 'phone' = 'three', 'nobody''s: the last';
    assert test.arrives(2, 2, 50, 'party.customer', ana, '{"home_node_id": 1}');
    assert test.customer(ana) ->> 'phone' = 'one' and (test.customer(ana) ->> 'home_node_id') = '1';
    assert (select array_agg(node_id) from sync.sibling where key = ana and chosen) = '{1}';
    -- Two that said so at the same time: the first holds, and it is what the table shows.
    assert test.arrives(3, 2, 45, 'party.customer', ana, '{"home_node_id": 3}');
    assert test.customer(ana) ->> 'phone' = 'three' and (test.customer(ana) ->> 'home_node_id') = '3';

    -- Who makes a thing owns it, and it stays so.
    insert into party.customer (customer_id, name) values (bob::uuid, 'Bob');
    assert (test.customer(bob) ->> 'home_node_id') = '100';
    assert (select state from test.refusal('update party.customer set home_node_id = 1 where name = ''Bob''')) = '22023';
    insert into party.customer (name, home_node_id) values ('Carl', 2);
    assert (select home_node_id from party.customer where name = 'Carl') = 2;
end
$$;
do $$
declare
    bob text := '00000000-0000-7000-8000-0000000000bb';
begin
    assert test.heads('party.customer', bob, 'home_node_id') like '100.%', 'the operation says so';
end
$$;
