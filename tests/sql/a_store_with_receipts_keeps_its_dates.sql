-- The same file would be another receipt in another time zone, and a repeat of it a sale.

\ir prelude/store.sql

update org.store set cutoff_hour = 5;
update org.store set cutoff_hour = 6;
select from sales.ingest_files('T01', array[test.receipt('1')], null) \g /dev/null

do $$
declare
    kept text := 'the time zone and the cut-off hour of a store with receipts cannot be changed';
begin
    perform test.refused($q$ update org.store set timezone = 'Atlantic/Canary' $q$, '22023', kept);
    perform test.refused($q$ update org.store set cutoff_hour = 4 $q$, '22023', kept);
    perform test.refused($q$ select org.register_store(1, 'S01', 'Store', 'Atlantic/Canary', 6, 'EUR') $q$, '22023', kept);
    update org.store set deleted = true;
    perform test.refused($q$ insert into org.store (node_id, code, name, timezone, cutoff_hour, currency)
        values (1, 'S01', 'Again', 'Atlantic/Canary', 6, 'EUR') $q$, '22023', kept);
    update org.store set deleted = false, name = 'Another name', cutoff_hour = 6;
    perform test.equal((select name from org.store), 'Another name', 'all else may change');
end
$$;
