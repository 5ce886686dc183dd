-- In a store's own database schema bi has that store: with the files that it refused, which nobody else knows.

\ir prelude/store.sql
\ir prelude/projections.sql
\ir prelude/rollups.sql

select test.mixed_work() \g /dev/null
-- A file of a terminal that nobody has registered.
select sales.ingest_files('T77', array[test.receipt('1', terminal => 'T77')], null) \g /dev/null
select test.fill_rollups() \g /dev/null

do $$
begin
    assert test.rollup_difference() is null, test.rollup_difference();
    set local role tpv_analyst;
    perform test.equal((select array_agg(concat_ws(' ', store, is_here)) from bi.store), array['S01 t'], 'its store');
    perform test.equal((select array_agg(concat_ws(' ', terminal, code) order by terminal) from bi.rejected_file),
        array['T01 BAD_JSON', 'T77 UNKNOWN_TERMINAL'], 'refused files');
    perform test.equal((select array_agg(distinct concat_ws(' ', terminal, not_taken_in, success_percent)) from bi.terminal_success
        where terminal in ('T01', 'T77')), array['T01 0 100.00', 'T77 1 0.00'], 'valid files that were not taken in');
    assert (select sum(accepted + released) from bi.receipts_by_state) = (select count(*) from sales.receipt where state in ('accepted', 'released'))
        and (select sum(held) from bi.receipts_by_state) = (select count(*) from bi.held_receipt)
        and exists (select from bi.held_receipt) and (select sum(late) from bi.receipts_by_state) = 1, 'states';
    assert (select sum(gross) from bi.sales_by_day) = (select sum(lines_total) from sales.receipt where state in ('accepted', 'released')),
        'sales';
    perform test.equal((select count(*) from bi.freshness), 1::bigint, 'freshness of one store');
    assert (select bool_and(last_heard_at is not null) from bi.terminal_freshness where terminal in ('T01', 'T02', 'T05'))
        and (select last_heard_at is null from bi.terminal_freshness where terminal = 'T04'), 'terminals that were heard';
    assert not exists (select from bi.terminal_freshness
        where last_heard_at < now() - interval '1 hour' or last_heard_at > now() + interval '1 minute'), 'and when';
end
$$;
