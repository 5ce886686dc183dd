-- A customer is changed by who has read the present version. All faults of a request are told at once,
-- each with its place; what the rules of the table refuse is told before they do.

\ir prelude/central.sql
\ir prelude/people.sql
\ir prelude/arrivals.sql

select test.hire('ana', 'cashier'), test.hire('boss', 'manager'), test.hire('aud', 'auditor') \g /dev/null
set session authorization tpv_gateway_user;

do $$
declare
    rosa jsonb;
    later jsonb;
    id uuid;
begin
    perform test.enter('ana', 'cashier');
    perform test.equal(test.faults($q$select own.create_customer('{"name": "", "email": "a", "phone": "x", "country": "Spain", "tags": ["a", 1],
        "consent": "fax", "credit_limit": 12.3, "home_node_id": 2, "street": "a\u0007b", "postcode": 46001}')$q$),
        'TP422 /consent format, /country format, /credit_limit format, /email format, /home_node_id unknown, /name format, /phone format, '
        '/postcode format, /street format, /tags format', 'all faults at once');
    rosa := own.create_customer('{"name": "Rosa Gil", "email": "rosa@example.com", "phone": "+34 600 000 000", "street": "Calle Mayor 1", "postcode": "46001",
        "city": "Valencia", "country": "ES", "tags": ["vip", "new"], "consent": "email", "credit_limit": "12.3"}');
    id := rosa ->> 'customer_id';
    perform test.equal(rosa - 'customer_id' - 'etag', '{"name": "Rosa Gil", "email": "rosa@example.com", "phone": "+34 600 000 000", "street": "Calle Mayor 1",
        "postcode": "46001", "city": "Valencia", "country": "ES", "tags": ["new", "vip"], "consent": "email", "credit_limit": "12.30",
        "home_node_id": 100, "alias_of": null, "conflicts": 0}'::jsonb, 'the customer');
    perform test.equal((select etag from own.customer), rosa ->> 'etag', 'the version of the answer is that of the row');
    perform test.refused($q$select own.create_customer('{"name": "Rosa", "email": "ROSA@example.com"}')$q$, '23505', what => 'she is there already');

    perform test.refused(format('select own.change_customer(%L)', jsonb_build_object('customer_id', id, 'changes', '{"phone": null}'::jsonb)), 'TP428', what => 'no version');
    perform test.refused(format('select own.change_customer(%L)', jsonb_build_object('customer_id', id, 'version', 'x', 'changes', '{"phone": null}'::jsonb)), 'TP412',
        what => 'another version');
    perform test.equal(test.faults(format('select own.change_customer(%L)', jsonb_build_object('customer_id', gen_random_uuid(), 'version', 'x',
        'changes', '{"phone": null}'::jsonb))), 'TP404', 'nobody');
    perform test.equal(test.faults(format('select own.change_customer(%L)', jsonb_build_object('customer_id', id, 'changes', '{}'::jsonb))),
        'TP422 /changes format', 'nothing to change');
    perform test.equal(test.faults(format('select own.change_customer(%L)', jsonb_build_object('customer_id', id, 'changes',
        '{"name": null, "tags": null, "email": "x", "customer_id": 1}'::jsonb))),
        'TP422 /customer_id unknown, /email format, /name missing, /tags missing', 'places within the changes');
    later := own.change_customer(jsonb_build_object('customer_id', id, 'version', rosa -> 'etag', 'changes',
        '{"phone": null, "tags": ["vip"], "consent": "none", "credit_limit": "200"}'::jsonb));
    perform test.equal(jsonb_build_array(later -> 'phone', later -> 'tags', later -> 'consent', later -> 'credit_limit', later -> 'name'),
        '[null, ["vip"], "none", "200.00", "Rosa Gil"]'::jsonb, 'what was named is changed');
    assert later -> 'etag' <> rosa -> 'etag' and (select etag from own.customer) = later ->> 'etag', 'it has another version';
    perform test.refused(format('select own.change_customer(%L)', jsonb_build_object('customer_id', id, 'version', rosa -> 'etag', 'changes',
        '{"phone": "123"}'::jsonb)), 'TP412', what => 'who has not seen that is refused');
    perform test.equal(test.faults(format('select own.change_customer(%L)', jsonb_build_object('customer_id', id, 'version', later -> 'etag', 'changes',
        '{"consent": "all"}'::jsonb))), 'TP422 /consent looser', 'consent only grows stricter');
    later := own.loosen_consent(jsonb_build_object('customer_id', id, 'consent', 'all', 'why', 'form 12'));
    perform test.equal(later ->> 'consent', 'all', 'but for her word');
    perform test.refused(format('select own.delete_customer(%L)', jsonb_build_object('customer_id', id)), 'TP428');
    perform test.refused('select own.erase_customer(''{}'')', '42501', what => 'a manager''s');
    perform test.equal((select array_agg(name) from own.customer where name_key ^@ lower('ROS')), '{Rosa Gil}'::text[], 'by the beginning of the name');
end
$$;
do $$
declare
    id uuid;
    etag text;
begin
    perform test.enter('boss', 'manager');
    select c.customer_id, c.etag into id, etag from own.customer c;
    perform test.equal(own.delete_customer(jsonb_build_object('customer_id', id, 'version', etag)) -> 'deleted', 'true', 'deleted');
    perform test.equal((select count(*) from own.customer), 0, 'nobody finds her');
    perform test.equal(test.faults(format('select own.loosen_consent(%L)', jsonb_build_object('customer_id', id, 'consent', 'all', 'why', 'x'))), 'TP404', 'she is gone');
    perform test.equal(test.faults(format('select own.erase_customer(%L)', jsonb_build_object('customer_id', id, 'why', 'Rosa Gil asks'))),
        'TP422 /why repeats', 'a reason names nobody');
    perform test.equal(own.erase_customer(jsonb_build_object('customer_id', id, 'why', 'request 7')) -> 'erased', '1', 'erased');
    perform test.equal(test.faults(format('select own.erase_customer(%L)', jsonb_build_object('customer_id', gen_random_uuid(), 'why', 'x'))), 'TP404', 'nobody');
end
$$;
reset session authorization;

-- Two nodes at once: it is shown, and settled.
do $$
declare
    key text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(1, 1, 10, 'party.customer', key, '{"@exists": true, "name": "Pia", "phone": "1"}');
    perform test.arrives(2, 1, 20, 'party.customer', key, '{"phone": "2", "credit_limit": 7.5}');
end
$$;
set session authorization tpv_gateway_user;
do $$
begin
    perform test.enter('boss', 'manager');
    perform test.equal((select conflicts from own.customer), 1, 'one column');
    perform test.equal((select array_agg(concat_ws(' ', column_name, value #>> '{}', node_id, seq, shown) order by node_id) from own.sibling),
        '{phone 1 1 1 f,phone 2 2 1 t}'::text[], 'its values');
    perform test.equal(test.faults($q$select own.settle('{"table_name": "party.customer", "key": "00000000-0000-7000-8000-0000000000aa",
        "column_name": "phone", "node_id": 3, "seq": 1}')$q$), 'TP404', 'no such value');
    perform test.equal(test.faults($q$select own.settle('{"table_name": "sec.verifier", "key": "00000000-0000-7000-8000-0000000000aa",
        "column_name": "sealed", "node_id": 3, "seq": 1}')$q$), 'TP404', 'nothing of schema sec');
    perform test.equal(test.faults($q$select own.settle('{"node_id": "1", "seq": 1.5}')$q$),
        'TP422 /column_name missing, /key missing, /node_id format, /seq format, /table_name missing', 'all faults at once');
    perform test.equal(own.settle('{"table_name": "party.customer", "key": "00000000-0000-7000-8000-0000000000aa", "column_name": "phone", "node_id": 1, "seq": 1}'),
        '{"table_name": "party.customer", "key": "00000000-0000-7000-8000-0000000000aa", "column_name": "phone", "settled": true}'::jsonb, 'settled');
    perform test.equal((select phone from own.customer), '1', 'it wins');
    perform test.equal(test.faults($q$select own.make_alias('{"table_name": "party.customer", "key": "00000000-0000-7000-8000-0000000000aa",
        "of_key": "00000000-0000-7000-8000-0000000000aa"}')$q$), 'TP409 state', 'no alias of itself');
    perform test.equal(test.faults($q$select own.make_alias('{"table_name": "catalog.product", "key": "00000000-0000-7000-8000-0000000000aa"}')$q$),
        'TP409 state', 'products have none');
end
$$;
do $$
begin
    perform test.enter('boss', 'manager');
    perform test.equal((select count(*) from own.sibling), 0, 'no conflict is left');
end
$$;
