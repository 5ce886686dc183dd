-- A store and a department are named by their codes. Who names one that is not there is refused, and
-- so is deleting one while others name it; what is deleted together may be deleted in any order.

\ir prelude/store.sql

do $$
declare
    refusal record;
begin
    perform test.refused($q$ insert into org.department (node_id, code, name) values (2, '01', 'x') $q$, '23503',
        'node 2 has no store');
    perform test.refused($q$ update org.terminal set department_code = '77' where code = 'T01' $q$, '23503',
        'the store of node 1 has no such department');
    insert into catalog.product (sku, description) values ('1', 'Pan');
    perform test.refused($q$ insert into catalog.local_code (node_id, department_code, code, product_id)
        select 1, '77', '5', product_id from catalog.product $q$, '23503', what => 'a local code');
    perform test.refused($q$ insert into catalog.local_code (department_code, code, product_id)
        select '01', '5', product_id from catalog.product $q$, '23514', what => 'a department of no store');
    perform test.refused($q$ insert into catalog.barcode_rule (name, prefix, length, kind, node_id)
        values ('x', '29', 13, 'ticket', 2) $q$, '23503', what => 'a rule');
    perform test.refused($q$ insert into dat.profile (node_id, department_code, version, profile)
        values (1, '77', 1, tpv.dat_legacy_profile()) $q$, '23503', what => 'a layout');

    insert into catalog.local_code (node_id, department_code, code, product_id)
    select 1, '01', '5', product_id from catalog.product;
    select * into refusal from test.refusal($q$ update org.department set deleted = true where code = '01';
        set constraints all immediate $q$);
    assert refusal.state = '23503' and refusal.message = 'that department is still used'
        and refusal.detail = 'Rows that name it: catalog.local_code: 1, org.terminal: 2.',
        'it says which: ' || concat_ws(' ', refusal.state, refusal.message, refusal.detail);
    perform test.refused($q$ update org.department set code = '09' where code = '01'; set constraints all immediate $q$,
        '23503', what => 'another code is no better');
    perform test.refused($q$ update org.store set deleted = true; set constraints all immediate $q$, '23503',
        'that store is still used');
    perform test.equal((select count(*) from org.department where not deleted), 4, 'nothing of it was kept');
end
$$;

-- Together, in the order that a foreign key would refuse.
begin;
update org.department set deleted = true where code = '01';
update org.terminal set deleted = true where department_code = '01';
update catalog.local_code set deleted = true;
commit;

-- And with another in its place they may stay.
begin;
update org.department set deleted = true where code = '02';
select org.register_department('02', 'New') \g /dev/null
commit;

do $$
begin
    perform test.equal((select array_agg(concat_ws(' ', code, name) order by code) from org.department where not deleted),
        array['02 New', '03 Department 03', '04 Department 04'], 'it was done');
    perform test.refused($q$ update org.terminal set deleted = false where code = 'T01' $q$, '23503',
        'the store of node 1 has no such department', 'what comes back is looked at again');
    perform test.equal((select outcome from test.take(test.receipt('1', terminal => 'T02'), 'T02')), 'accepted',
        'a terminal belongs to the department that has its code now');
end
$$;
