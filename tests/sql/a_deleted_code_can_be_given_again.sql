-- Rows are never removed. What is deleted gives its code back, and two that are there never share one.

\ir prelude/store.sql

select org.register_store(1, 'S01', 'Store 1', 'Europe/Madrid', 4, 'EUR', code => 'MAD-1') \g /dev/null
insert into catalog.tax (code, name) values ('R', 'Reduced');
insert into catalog.product (sku, description) values ('1', 'Pan');
insert into catalog.barcode (gtin14, product_id) select '04006381333931', product_id from catalog.product;
insert into catalog.local_code (code, product_id) select '128', product_id from catalog.product;
insert into catalog.local_code (code, node_id, product_id) select '128', 1, product_id from catalog.product;
insert into catalog.local_code (code, node_id, department_code, product_id) select '128', 1, '01', product_id from catalog.product;
insert into catalog.barcode_rule (name, prefix, length, kind) values ('ticket', '29', 13, 'ticket');

-- Each with what deletes it and what makes it again.
create table test.code as select * from (values
    (1, 'org.terminal', 'code = ''T05''', $$ insert into org.terminal (node_id, code, department_code) values (1, 'T05', '01') $$),
    (2, 'org.department', 'code = ''03''', $$ insert into org.department (node_id, code, name) values (1, '03', 'x') $$),
    (3, 'org.store', 'code = ''MAD-1''', $$ insert into org.store (node_id, code, name, timezone, cutoff_hour, currency)
        values (1, 'MAD-2', 'x', 'Europe/Madrid', 4, 'EUR') $$),
    (4, 'org.store', 'code = ''MAD-1''', $$ insert into org.store (node_id, code, name, timezone, cutoff_hour, currency)
        values (2, 'MAD-1', 'x', 'Europe/Madrid', 4, 'EUR') $$),
    (5, 'catalog.tax', 'true', $$ insert into catalog.tax (code, name) values ('R', 'x') $$),
    (6, 'catalog.product', 'true', $$ insert into catalog.product (sku, description) values ('1', 'x') $$),
    (7, 'catalog.barcode', 'true', $$ insert into catalog.barcode (gtin14, product_id)
        select '04006381333931', product_id from catalog.product limit 1 $$),
    (8, 'catalog.local_code', 'node_id is null', $$ insert into catalog.local_code (code, product_id)
        select '128', product_id from catalog.product limit 1 $$),
    (9, 'catalog.local_code', 'node_id is not null and department_code is null', $$ insert into catalog.local_code
        (code, node_id, product_id) select '128', 1, product_id from catalog.product limit 1 $$),
    (10, 'catalog.local_code', 'department_code is not null', $$ insert into catalog.local_code
        (code, node_id, department_code, product_id) select '128', 1, '01', product_id from catalog.product limit 1 $$),
    (11, 'catalog.barcode_rule', 'true', $$ insert into catalog.barcode_rule (name, prefix, length, kind)
        values ('ticket', '28', 13, 'ticket') $$),
    (12, 'dat.profile', 'true', $$ insert into dat.profile (node_id, version, profile) values (1, 1, tpv.dat_legacy_profile()) $$)
) as c (nth, of_table, which, again);

do $$
declare
    code record;
    what text;
begin
    for code in select * from test.code order by nth loop
        what := code.of_table || ' ' || code.nth;
        perform test.refused(code.again, '23505', what => what || ' is there');
        begin
            -- Departments and terminals name the store, and a department is needed by its terminals.
            set local session_replication_role = replica;
            execute format('update %s set deleted = true where %s', code.of_table, code.which);
            execute code.again;
            perform test.refused(code.again, '23505', what => what || ' is there again, once');
            perform test.refused(format('update %s set deleted = false where deleted and (%s)', code.of_table, code.which), '23505',
                what => what || ': the first one cannot come back beside it');
            raise exception 'undone';
        exception when raise_exception then
            set local session_replication_role = origin;
        end;
    end loop;
end
$$;

-- Every unique index of central's tables is like that.
do $$
declare
    wrong text;
begin
    select string_agg(i.indexrelid::regclass::text, ', ') into wrong
    from pg_index i join sync.tracked_table t on i.indrelid = t.table_name::regclass
    -- A policy has a key that is made of its column, so its row comes back and no other.
    where i.indisunique and not i.indisprimary and t.table_name <> 'sync.policy'
        and coalesce(pg_get_expr(i.indpred, i.indrelid), '') !~* '(^\(|and )\(?not deleted\)';
    assert wrong is null, 'codes that a deleted row keeps: ' || wrong;
    assert (select count(*) from pg_index i join sync.tracked_table t on i.indrelid = t.table_name::regclass
        where i.indisunique and not i.indisprimary) > 8, 'there is something to look at';
end
$$;

-- The registering functions make a new row for a deleted one.
do $$
declare
    old uuid := (select terminal_id from org.terminal where code = 'T05');
begin
    update org.terminal set deleted = true where code = 'T05';
    perform org.register_terminal('T05', '02');
    perform test.equal((select array_agg(concat_ws(' ', department_code, deleted) order by deleted)
        from org.terminal where code = 'T05'), '{02 f,01 t}', 'a terminal');
    assert (select terminal_id from org.terminal where code = 'T05' and not deleted) <> old, 'it is another row';
    update org.terminal set deleted = true where department_code = '03';
    update org.department set deleted = true where code = '03';
    perform org.register_department('03', 'Deli');
    perform test.equal((select array_agg(concat_ws(' ', name, deleted) order by deleted)
        from org.department where code = '03'), array['Deli f', 'Department 03 t'], 'a department');
end
$$;
