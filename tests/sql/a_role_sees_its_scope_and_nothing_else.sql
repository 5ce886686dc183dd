-- Three stores and all roles. What is out of scope is not there: no row of another store, another
-- department, another lessee's days.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', 'CARN PESC'), test.node(2, 'S02', 'CARN PESC'), test.node(3, 'S03', 'PESC') \g /dev/null
insert into org.terminal (node_id, code, department_code, kind) values (1, 'T01', 'CARN', 'department'), (1, 'T02', 'PESC', 'department'),
    (1, 'TILL', null, 'till'), (2, 'T01', 'PESC', 'department');
insert into sales.receipt
select n, ('0197a2b0-0000-7000-8000-' || lpad(format('%s%s%s', n, d.nth, day), 12, '0'))::uuid, date '2026-03-01' + day, 'T0' || d.nth,
    d.code, '', day::text, 'x', now(), now(), now(), 1, 1, 1, 0, case day when 3 then 'held' else 'accepted' end, 'accepted', null, null, null, '{}'
from generate_series(1, 3) n cross join (values (1, 'CARN'), (2, 'PESC')) as d (nth, code) cross join generate_series(1, 5) day
where n < 3 or d.nth = 2;
insert into sales.receipt_line (node_id, receipt_id, line_number, business_date, barcode, description, price, total)
select node_id, receipt_id, 1, business_date, '1', department, 1, 1 from sales.receipt;
insert into sales.receipt_event (node_id, receipt_id, doc_node, doc_id, kind, hlc, body)
select node_id, receipt_id, node_id, receipt_id, 'void', 65536000::bigint, '{"by": "login:x", "why": "test"}' from sales.receipt;
insert into catalog.product (product_id, sku, description) values ('00000000-0000-7000-8000-0000000000aa', '1', 'Pan');
insert into catalog.price (product_id, node_id, price, valid_from)
select '00000000-0000-7000-8000-0000000000aa', n, 1, now() from unnest(array[null, 1, 2]) n;
insert into catalog.local_code (node_id, department_code, code, product_id)
select n, d, 'C', '00000000-0000-7000-8000-0000000000aa' from (values (null, null), (1, null), (1, 'CARN'), (1, 'PESC'), (2, null)) as l (n, d);
insert into party.customer (name) values ('Rosa');
insert into sync.quarantine (node_id, kind, code, detail) values (1, 'party.customer', 'X', 'a'), (2, 'sec.verifier', 'X', 'secret'), (100, 'receipt', 'X', 'c');
insert into sync.drift (node_id, what, subject, from_seq, to_seq, detail) values (1, 'operations', '1', 1, 1, 'x'), (2, 'operations', '2', 1, 1, 'x');
insert into sec.audit (event, subject) values ('TEST', 'x');
insert into sync.sibling (table_name, key, column_name, node_id, seq, hlc, value, chosen, review)
select t, k, c, n, 1, 1, to_jsonb(n), n = 1, false
from (values ('party.customer', (select customer_id::text from party.customer), 'phone'),
             ('catalog.product', '00000000-0000-7000-8000-0000000000aa', 'description'),
             ('dat.profile', '00000000-0000-7000-8000-0000000000ab', 'profile'),
             ('sec.verifier', '00000000-0000-7000-8000-0000000000ac', 'sealed')) as v (t, k, c) cross join generate_series(1, 2) n;

select test.hire('chain', r.role) from sec.role r where role <> 'concessionaire' \g /dev/null
select test.hire('one', r.role, 1) from sec.role r where role not in ('admin', 'concessionaire') \g /dev/null
select test.hire('fish', 'cashier', 1, 'PESC'), test.hire('stall', 'manager', 1, 'PESC') \g /dev/null
select test.hire('two', 'cashier', 1, 'PESC'), test.hire('two', 'cashier', 2) \g /dev/null
-- A lessee went and another one came.
select test.hire('old', 'concessionaire', 1, 'PESC', '2026-01-01', '2027-03-31'), test.hire('new', 'concessionaire', 1, 'CARN', '2026-03-04') \g /dev/null

create function test.counts() returns jsonb language plpgsql as $$
declare
    seen record;
    n bigint;
    counts jsonb := '{}';
begin
    for seen in select c.relname from pg_class c where c.relnamespace = 'own'::regnamespace and has_table_privilege(c.oid, 'select') loop
        execute format('select count(*) from own.%I', seen.relname) into n;
        counts := counts || jsonb_build_object(seen.relname, n);
    end loop;
    return counts;
end
$$;

set session authorization tpv_gateway_user;

-- What each sees of what has a place.
do $$
begin
    perform test.enter('chain', 'manager');
    perform test.refused($q$ select own.scan('{"code": "C", "node": 60000}') $q$, 'TP404', what => 'a store that is not there');
    perform test.equal(test.counts() - '{me,scope,session,tax,tax_rate,barcode,role_grant,employee,node}'::text[], '{
        "store": 3, "department": 5, "terminal": 4, "product": 1, "local_code": 5, "price": 3, "customer": 1, "receipt": 25,
        "receipt_line": 25, "receipt_event": 25, "dat_file": 0, "raw": 0, "rejected": 0, "pending_revocation": 0,
        "quarantine": 3, "drift": 2, "sibling": 6, "audit": 1}'::jsonb, 'a manager of the chain');
end
$$;
do $$
begin
    perform test.enter('one', 'manager');
    perform test.equal(test.counts() - '{me,scope,session,tax,tax_rate,barcode,role_grant,employee,node}'::text[], '{
        "store": 1, "department": 2, "terminal": 3, "product": 1, "local_code": 4, "price": 2, "customer": 1, "receipt": 10,
        "receipt_line": 10, "receipt_event": 10, "dat_file": 0, "raw": 0, "rejected": 0, "pending_revocation": 0,
        "quarantine": 1, "drift": 1, "sibling": 4, "audit": 0}'::jsonb, 'a manager of one store, at central');
    perform test.equal((select array_agg(distinct node_id) from own.receipt), '{1}'::integer[], 'of that store');
    perform test.equal((select array_agg(code order by code) from own.employee), '{fish,new,old,one,stall,two}'::text[],
        'who works there, and not who is of the whole chain');
end
$$;
do $$
begin
    perform test.enter('chain', 'manager');
    perform test.equal((select array_agg(concat_ws(' ', node_id, detail) order by node_id) from own.quarantine),
        '{1 a,2 it is about a table whose values you may not see,100 c}'::text[], 'nothing of schema sec is shown');
    perform test.equal((select array_agg(concat_ws(' ', node_id, held) order by node_id) from own.node), '{"100 5"}'::text[],
        'central itself, with what is held in all stores');
    perform test.equal((select array_agg(concat_ws(' ', actor, why, at)) from own.receipt_event limit 1),
        array_fill(concat_ws(' ', 'login:x', 'test', to_timestamp(1)), array[25]), 'who decided and why');
end
$$;
do $$
begin
    perform test.enter('fish', 'cashier');
    perform test.equal(test.counts() - '{me,scope,session,tax,tax_rate,barcode}'::text[], '{
        "store": 1, "department": 1, "terminal": 1, "product": 1, "local_code": 3, "price": 2, "customer": 1, "receipt": 5,
        "receipt_line": 5, "receipt_event": 5, "dat_file": 0}'::jsonb, 'a cashier of one department');
    perform test.equal((select array_agg(distinct department) from own.receipt_line), '{PESC}'::text[], 'of that department');
    perform test.equal(own.scan('{"code": "C", "department": "PESC", "node": 1}') ->> 'sku', '1', 'a code that is scanned there');
    perform test.refused(format('select own.scan(%L)', s), 'TP404', what => 'and nowhere else')
    from unnest(array['{"code": "C", "department": "CARN", "node": 1}', '{"code": "C", "department": "PESC", "node": 2}']) s;
end
$$;
do $$
begin
    perform test.enter('two', 'cashier');
    perform test.equal((select array_agg(distinct concat_ws(' ', node_id, department) order by concat_ws(' ', node_id, department))
        from own.receipt), '{1 PESC,2 CARN,2 PESC}'::text[], 'grants add up');
    perform test.equal((select array_agg(concat_ws(' ', node_id, department_code) order by node_id) from own.scope), '{1 PESC,2}'::text[],
        'as own.scope says');
end
$$;
do $$
begin
    perform test.enter('chain', 'admin');
    perform test.equal((select array_agg(k order by k) from jsonb_object_keys(test.counts()) k),
        '{audit,barcode,department,drift,employee,local_code,me,node,pending_revocation,price,product,quarantine,role_grant,scope,session,sibling,store,tax,tax_rate,terminal}'::text[],
        'an administrator sees no sales and no customers');
    perform test.equal((select array_agg(distinct table_name order by table_name) from own.sibling), '{catalog.product,dat.profile}'::text[],
        'nor a customer by way of a conflict');
    perform test.equal((select detail from own.quarantine where node_id = 1), 'it is about a table whose values you may not see',
        'nor by what was refused');
    perform test.refused(format('select own.make_alias(%L)', jsonb_build_object('table_name', 'party.customer',
        'key', '00000000-0000-7000-8000-0000000000ad')), 'TP404', what => 'nor does she decide about one');
end
$$;
do $$
begin
    perform test.enter('stall', 'manager');
    perform test.equal((select array_agg(code order by code) from own.employee), '{fish,old,stall,two}'::text[], 'a manager of a department sees who works there');
    perform test.equal((select array_agg(distinct department_code) from own.role_grant), '{PESC}'::text[], 'as what');
    perform test.equal((select count(*) from own.quarantine) + (select count(*) from own.drift) + (select count(*) from own.node)
        + (select count(*) from own.audit), 0, 'and nothing that is the whole store''s');
end
$$;
-- A lessee sees what her department sold while the lease holds, and not what it sold under another.
do $$
begin
    perform test.enter('new', 'concessionaire');
    perform test.equal((select array_agg(concat_ws(' ', node_id, department, business_date) order by business_date) from own.receipt),
        '{1 CARN 2026-03-04,1 CARN 2026-03-05,1 CARN 2026-03-06}'::text[], 'from the first day of the lease on');
    perform test.equal((select array_agg(business_date order by business_date) from own.receipt_line), '{2026-03-04,2026-03-05,2026-03-06}'::date[], 'so with lines');
    perform test.equal((select count(*) from own.receipt where business_date = '2026-03-03'), 0, 'the day before is another''s');
    perform test.equal((select count(*) from own.receipt where department = 'PESC'), 0, 'as is the stall beside it');
    perform test.refused('select * from own.customer', '42501', what => 'no customer');
    perform test.refused('select own.void(''{}'')', '42501', what => 'and no decision');
end
$$;
do $$
begin
    perform test.enter('old', 'concessionaire');
    perform test.equal((select count(*) from own.receipt), 5, 'up to the last day of the lease');
end
$$;
