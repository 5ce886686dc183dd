-- owner_wins: of what was written at the same time, the value of the node that owns the row.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"owner_wins"');
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    bob text := '00000000-0000-7000-8000-0000000000bb';
begin
    -- Edits arrive before the owner is known.
    perform test.arrives(1, 1, 30, 'party.customer', ana, '{"phone": "one"}');
    perform test.arrives(3, 1, 40, 'party.customer', ana, '{"phone": "three"}');
    perform test.arrives(2, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "phone": "two"}');
    perform test.equal(test.customer(ana) ->> 'phone', 'three', 'nobody''s: the last');
    perform test.arrives(2, 2, 50, 'party.customer', ana, '{"home_node_id": 1}');
    perform test.equal(test.customer(ana) ->> 'phone', 'one', 'the owner''s value wins');
    perform test.equal(test.customer(ana) ->> 'home_node_id', '1', 'the owner is shown');
    perform test.equal((select array_agg(node_id) from sync.sibling where key = ana and chosen), '{1}', 'and chosen');
    -- Two that named an owner at the same time: the first holds, and it is what the table shows.
    perform test.arrives(3, 2, 45, 'party.customer', ana, '{"home_node_id": 3}');
    perform test.equal(test.customer(ana) ->> 'phone', 'three', 'the first owner''s value wins');
    perform test.equal(test.customer(ana) ->> 'home_node_id', '3', 'the first owner is shown');

    -- The node that makes a row owns it, and it stays so.
    insert into party.customer (customer_id, name) values (bob::uuid, 'Bob');
    perform test.equal(test.customer(bob) ->> 'home_node_id', '100', 'who makes a row owns it');
    perform test.refused('update party.customer set home_node_id = 1 where name = ''Bob''', '22023',
        what => 'the owner of a row cannot change');
    insert into party.customer (name, home_node_id) values ('Carl', 2);
    perform test.equal((select home_node_id from party.customer where name = 'Carl'), 2,
        'unless another one is named at once');
end
$$;
do $$
declare
    bob text := '00000000-0000-7000-8000-0000000000bb';
begin
    assert test.heads('party.customer', bob, 'home_node_id') like '100.%', 'the operation says so';
end
$$;
