-- The right to be forgotten: every value of a customer is gone at this node, and number and time of
-- what was written stay.
\ir prelude/central.sql
\ir prelude/arrivals.sql

create function test.dump() returns text language sql as $$
    select concat_ws(' ', (select string_agg(t::text, ' ') from party.customer t), (select string_agg(t::text, ' ') from wire.op t),
        (select string_agg(t::text, ' ') from sync.head t), (select string_agg(t::text, ' ') from sync.sibling t),
        (select string_agg(t::text, ' ') from sync.quarantine t), (select string_agg(t::text, ' ') from sync.resolution t),
        (select string_agg(t::text, ' ') from sync.loosening t), (select string_agg(t::text, ' ') from sync.erasure t),
        (select string_agg(t::text, ' ') from sec.audit t))
$$;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    insert into party.customer (customer_id, name, email, street, tags, consent, credit_limit)
    values (ana::uuid, 'SECRET Ana', 'SECRET@x', 'SECRET street', '["SECRET", "vip"]', 'none', 4711.11);
    insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000ab', 'SECRET Anna'),
        ('00000000-0000-7000-8000-0000000000bb', 'Bob');
    perform sync.make_alias('party.customer', '00000000-0000-7000-8000-0000000000ab', ana::uuid);
    perform sync.loosen('party.customer', ana::uuid, 'consent', 'email', 'SECRET said so');
end
$$;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(1, 1, 10, 'party.customer', ana, '{"phone": "SECRET 1"}');
    perform test.arrives(2, 1, 20, 'party.customer', ana, '{"phone": "SECRET 2", "tags/SECRET too": true}');
    perform test.arrives(2, 2, 20, 'party.customer', ana, '{"shoe": "SECRET"}', waits => 'UNKNOWN_COLUMN');
    perform test.arrives(2, 3, 20, 'party.customer', ana, '{"@later": 1, "phone": "SECRET 3"}', waits => 'OPERATION_PATCH');
    update sync.quarantine set key = ana where node_id = 2;
    perform test.arrives(3, 1, 5, 'party.customer', ana, '{"tags/vip": false}');
    perform sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where node_id = 1;
    insert into sync.quarantine (node_id, kind, code, detail, refused) values
        (2, 'party.customer', 'NUMBER_REUSED', 'x', jsonb_build_object('key', ana, 'patch', '{"phone":"SECRET 4"}', 'base', '{}')),
        (2, 'resend operations', 'BAD_BODY', 'x', jsonb_build_object('body', 'SECRET ' || ana));
end
$$;
create temp table stamps as select node_id, seq, hlc, table_name, key from wire.op;

set role tpv_operator;
do $$
declare
    ana uuid := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.refused(format('select party.erase(%L, %L)', ana, ''), '22023', 'a reason is required');
    perform test.refused(format('select party.erase(%L, %L)', ana, null), '22023', 'a reason is required');
    perform test.refused(format('select party.erase(%L, %L)', ana, 'asked by secret ana'), '22023', 'the reason repeats a value%');
    perform test.refused(format('select party.erase(%L, %L)', gen_random_uuid(), 'request 7'), 'P0002');
    perform test.refused(format('select sync.erase(%L, %L, %L)', 'party.customer', ana, 'x'), '42501', what => 'only customers');
    perform test.equal(party.erase(ana, 'request 7'), 2, 'Ana, and the row that turned out to be her');
    perform test.equal((select concat_ws('|', name, email, phone, street, city, tags, consent, credit_limit, home_node_id, deleted)
        from party.customer where customer_id = ana), '|[]|none|t', 'the row is empty at once');
end
$$;
reset role;
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
    anna text := '00000000-0000-7000-8000-0000000000ab';
begin
    assert test.dump() not like '%SECRET%', 'a value is left: ' || substring(test.dump() from '.{40}SECRET.{40}');
    assert test.dump() not like '%4711.11%', 'a number is left';
    perform test.equal((select count(*) from stamps s left join wire.op o using (node_id, seq, hlc, table_name, key) where o.seq is null),
        0, 'numbers and stamps stay');
    perform test.equal((select array_agg(distinct r order by r) from sync.head h, json_object_keys(h.heads::json) r where h.key = ana),
        '{@erased,@exists}', 'the heads say that it was erased');
    perform test.equal((select alias_of::text from party.customer where customer_id = anna::uuid), ana, 'an alias stays one');
    perform test.equal((select array_agg(patch order by node_id, seq) from wire.op where key = ana and node_id < 100),
        array['{"@blank":true}', '{"@blank":true}', '{"@blank":true}', '{"@blank":true,"@later":1}', '{"@blank":true}'],
        'an operation says what was taken out of it');
    perform test.equal((select array_agg(concat_ws(' ', event, subject) order by subject) from sec.audit where event = 'ERASED'),
        array['ERASED party.customer ' || ana, 'ERASED party.customer ' || anna], 'it is a security event');
    perform test.equal((select array_agg(why) from sync.erasure), array['request 7', 'request 7'], 'the reason is kept');
    perform test.equal((select name from party.customer where customer_id <> all (array[ana, anna]::uuid[])), 'Bob', 'nobody else');
    assert test.waits(2, 2) is null, 'what waited for a column has nothing to wait for';
    perform test.equal(test.waits(2, 3), 'OPERATION_PATCH', 'what could not be read still waits for an upgrade');
end
$$;

-- What comes later brings nothing back.
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(4, 1, 99, 'party.customer', ana, '{"@exists": true, "name": "SECRET late", "tags/SECRET": true}');
    assert test.dump() not like '%SECRET%', 'a late operation is stored without its values';
    perform test.equal((select deleted from party.customer where customer_id = ana::uuid), true, 'and undeletes nothing');
    perform test.refused(format('update party.customer set name = %L where customer_id = %L', 'SECRET', ana), '55000', '%was erased');
    perform test.refused(format('update party.customer set deleted = false where customer_id = %L', ana), '55000', '%was erased');
    perform test.refused(format('select party.erase(%L, %L)', ana, 'again'), '22023', '%erased before');
    -- A store that heard first: the erasure comes before the customer does.
    perform test.arrives(4, 2, 99, 'party.customer', '00000000-0000-7000-8000-0000000000cc', '{"@erased": true, "@exists": false}');
    perform test.arrives(4, 3, 98, 'party.customer', '00000000-0000-7000-8000-0000000000cc', '{"@exists": true, "name": "SECRET"}');
    perform test.equal((select concat(name, deleted) from party.customer where customer_id = '00000000-0000-7000-8000-0000000000cc'), 't',
        'an erasure that comes first');
    assert test.dump() not like '%SECRET%', 'and its create is stored without values';
end
$$;

-- A change and an erasure in one transaction.
begin;
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000dd', 'SECRET Dora');
select party.erase('00000000-0000-7000-8000-0000000000dd', 'request 8') \g /dev/null
commit;
do $$ begin assert test.dump() not like '%SECRET%', 'what was written before, in the same transaction'; end $$;

-- A store erases nothing that central decides.
do $$
declare
    key text;
begin
    insert into catalog.tax (code, name) values ('A', 'Reduced') returning tax_id into key;
end
$$;
do $$
declare
    key text := (select t.tax_id from catalog.tax t);
begin
    perform test.arrives(1, 9, 10, 'catalog.tax', key, '{"@erased": true, "@exists": false}', waits => 'NOT_ENTITLED');
    perform test.equal((select name from catalog.tax where tax_id = key::uuid), 'Reduced', 'a store erases nothing of central''s');
end
$$;
