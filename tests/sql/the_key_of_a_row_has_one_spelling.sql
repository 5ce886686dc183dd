-- A key in other letters is no second entity of the same row: nothing is replaced, and what was
-- erased stays erased. What a peer writes elsewhere than in values does no harm either.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
insert into catalog.product (product_id, sku, description) values ('00000000-0000-7000-8000-0000000000aa', '1', 'Pan');
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000ab', 'SECRET');
select sync.erase('party.customer', '00000000-0000-7000-8000-0000000000ab', 'request 7') \g /dev/null
reset role;
insert into sync.quarantine (node_id, kind, code, detail, refused)
values (2, 'resend operations', 'BAD_BODY', 'x', '{"body": "of another"}');
do $$
declare
    pan text := '00000000-0000-7000-8000-0000000000aa';
    ana text := '00000000-0000-7000-8000-0000000000ab';
    spelling text;
    seq bigint := 0;
begin
    foreach spelling in array array[upper(pan), replace(pan, '-', ''), '{' || pan || '}', ''] loop
        seq := seq + 1;
        perform test.arrives(1, seq, 9e17::bigint, 'catalog.product', spelling,
            '{"description": "Brot", "@exists": false, "@erased": true}', waits => 'NOT_ENTITLED');
    end loop;
    foreach spelling in array array[upper(ana), replace(ana, '-', ''), '{' || ana || '}', ''] loop
        seq := seq + 1;
        perform test.arrives(1, seq, 9e17::bigint, 'party.customer', spelling,
            '{"name": "SECRET", "@exists": true, "@erased": true}', waits => 'OPERATION_KEY');
    end loop;
    perform test.equal((select (description, deleted)::text from catalog.product), '(Pan,f)', 'central''s row is as it was');
    perform test.equal((select (name, deleted)::text from party.customer), '("",t)', 'the customer stays erased');
    perform test.equal((select array_agg(key order by key) from sync.head where table_name in ('catalog.product', 'party.customer')),
        array[pan, ana], 'there is one entity for each row');
    assert (select refused ? 'body' from sync.quarantine where code = 'BAD_BODY'), 'an erasure without a key wipes nothing';
    -- Such an operation does not keep others from getting a snapshot.
    perform sync.send_snapshot(1);
end
$$;

-- An alias that is no key, and texts that jsonb does not hold.
set role tpv_owner;
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000ba', 'Bob'),
    ('00000000-0000-7000-8000-0000000000bb', 'Carl'), ('00000000-0000-7000-8000-0000000000bc', 'Dora');
reset role;
do $$
begin
    perform test.arrives(2, 1, 9e17::bigint, 'party.customer', '00000000-0000-7000-8000-0000000000ba', '{"@alias": "x"}', waits => '22P02');
end
$$;
alter table wire.op disable trigger _100_receive;
insert into wire.op values (2, 2, 9e17::bigint, 'party.customer', '00000000-0000-7000-8000-0000000000bb',
    '{"@alias": "\u0000", "name": "A\u0000B"}', '{}');
insert into wire.op values (2, 3, 9e17::bigint, 'party.customer', '00000000-0000-7000-8000-0000000000bc',
    '{"tags/a\u0000": true, "tags/vip": true}', '{}');
alter table wire.op enable always trigger _100_receive;
insert into sync.quarantine (node_id, seq, kind, code, detail)
values (2, 2, 'party.customer', 'OPERATION_NEW', 'x'), (2, 3, 'party.customer', 'OPERATION_NEW', 'x');
select sync.replay_waiting() \g /dev/null
do $$
begin
    perform test.equal(test.waits(2, 2), '22P02', 'an alias that is no key waits');
    assert test.waits(2, 3) is null, 'an element that jsonb does not hold keeps nothing waiting';
    perform test.equal((select tags::text from party.customer where name = 'Dora'), '["vip"]', 'and is not shown');
end
$$;
-- A policy is chosen again, whatever stands in the heads.
set role tpv_owner;
insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'name', '"first_write"');
select party.erase('00000000-0000-7000-8000-0000000000ba', 'request 8') \g /dev/null
select party.erase('00000000-0000-7000-8000-0000000000bb', 'request 9') \g /dev/null
reset role;
do $$
begin
    perform test.equal((select count(*) from party.customer where name = '' and deleted and alias_of is null), 3,
        'rows with such an alias are erased');
    perform test.equal((select array_agg(sync.is_erased('party.customer', customer_id::text) order by customer_id)
        from party.customer), '{t,t,t,f}', 'and known as erased');
end
$$;
