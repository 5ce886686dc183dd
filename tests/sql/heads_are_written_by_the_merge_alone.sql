-- One row of sync.head was deleted at a store; after its next snapshot the heads of that row were empty at
-- every node.
\ir prelude/central.sql

set role tpv_owner;
insert into catalog.product (product_id, sku, description) values ('00000000-0000-7000-8000-0000000000aa', '1', 'Pan');
do $$
begin
    perform test.refused('delete from sync.head', '42501', 'heads are written by the merge alone');
    perform test.refused('truncate sync.head', '42501', 'heads are written by the merge alone');
    perform test.refused($q$update sync.head set heads = '{}'$q$, '42501', 'heads are written by the merge alone');
    perform test.refused($q$insert into sync.head (table_name, key, heads, waits) values ('catalog.product', 'x', '{}', true)$q$, '42501');
end
$$;
reset role;
do $$
begin
    perform test.refused('delete from sync.head', '42501', what => 'nor a superuser');
    perform test.refused('set session_replication_role = replica; delete from sync.head', '42501', what => 'nor past ordinary triggers');
end
$$;
reset session_replication_role;
-- What people write is merged, and goes into them.
set role tpv_owner;
update catalog.product set description = 'Pan blanco';
reset role;
select test.equal((select heads::json #>> '{description,0,3}' from sync.head where table_name = 'catalog.product'
    and key = '00000000-0000-7000-8000-0000000000aa'), 'Pan blanco', 'the head is the last value') \g /dev/null
-- The owner of the tables, when she says so. A row without heads is in no snapshot.
begin;
set local pg_tpv.maintenance = on;
update sync.head set heads = '{}' where table_name = 'catalog.product';
commit;
insert into org.node values (1, 'S01', 'store');
insert into sync.peer (node_id, subscription_name) values (1, 'tpv_from_s01');
select sync.send_snapshot(1) \g /dev/null
select test.equal((select count(*) from sync.outgoing where body like '%0000000000aa%'), 0, 'nothing is said of it') \g /dev/null
