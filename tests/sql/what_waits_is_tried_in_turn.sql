-- What happened: the operations of one store on unknown tables were tried each minute, a thousand of
-- them, and a receipt of another store was never tried.
\ir prelude/store.sql

select from test.take(test.receipt('1')) \g /dev/null
insert into sync.quarantine (node_id, doc_id, business_date, kind, code, detail)
select r.node_id, r.receipt_id, r.business_date, 'receipt', 'UNKNOWN_STORE', 'x' from sales.receipt r;
delete from sales.receipt_line;
delete from sales.receipt;

alter table wire.op disable trigger _100_receive;
insert into wire.op select n % 2 + 2, n, n, 'nothing.here', gen_random_uuid(), '{"a":1}', '{}' from generate_series(1, 3000) n;
alter table wire.op enable always trigger _100_receive;
insert into sync.quarantine (node_id, seq, kind, key, code, detail, try_at)
select o.node_id, o.seq, o.table_name, o.key, 'UNKNOWN_TABLE', 'x', now() - interval '1 day' from wire.op o
where o.table_name = 'nothing.here';

do $$
begin
    perform test.equal((select array_agg(n order by n) from (
        select count(*) as n from sync.waiting(11, true) w join sync.quarantine q on q.quarantine_id = w group by q.node_id) s),
        array[1, 5, 5]::bigint[], 'each node has its share');
    perform test.equal(sync.replay_waiting(10, only_due => true), 1, 'the receipt is among the first ten');
    perform test.equal((select count(*) from sales.receipt), 1, 'and is here');
    perform test.equal((select count(*) from sync.quarantine where tries = 1 and try_at > now() + interval '50 seconds'), 9,
        'the others have a pause');
    perform test.equal((select count(*) from sync.waiting(9, true) w join sync.quarantine q on q.quarantine_id = w
        where q.tries > 0), 0, 'and those behind them have their turn');
    update sync.quarantine set try_at = now() + interval '1 hour' where tries = 0;
    perform test.equal((select count(*) from sync.waiting(9, true)), 0, 'nothing is due');
    perform test.equal((select count(*) from sync.waiting(9, false)), 9, 'and a person may try all the same');
    update sync.quarantine set tries = 900, try_at = now() where quarantine_id = (select min(quarantine_id)
        from sync.quarantine where resolved_at is null);
    perform sync.replay_waiting(1, only_due => true);
    perform test.equal((select max(try_at) < clock_timestamp() + interval '16 minutes' from sync.quarantine where tries > 900),
        true, 'a pause is no longer than a quarter of an hour');
end
$$;
