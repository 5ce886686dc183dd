-- What happened: the oldest thousand rows of the quarantine were tried each minute, and no other. One
-- that raised anything but a fault of its data undid what was done for the others.

\ir prelude/store.sql

select from sales.ingest_files('T01', array[
    test.receipt('1', jsonb_build_array(test.item(1, 1))),
    test.receipt('2', jsonb_build_array(test.item(1, 1))),
    test.receipt('3', jsonb_build_array(test.item(1, 1)))], null) \g /dev/null

-- As if they had come before their store was known.
insert into sync.quarantine (node_id, doc_id, business_date, kind, code, detail)
select r.node_id, r.receipt_id, r.business_date, 'receipt', 'UNKNOWN_STORE', 'x' from sales.receipt r order by r.receipt_number;
delete from sales.receipt_line;
delete from sales.receipt;
create function public.raises() returns trigger language plpgsql as
$$ begin raise exception 'somebody put this here'; end $$;
create trigger _500_raises before insert on sales.receipt for each row when (new.receipt_number = '1')
execute function public.raises();

do $$
begin
    set client_min_messages = error;
    perform test.equal(sync.replay_waiting(1), 0, 'the first cannot even be tried');
    perform test.equal(sync.replay_waiting(1), 1, 'the next one has its turn');
    perform test.equal(sync.replay_waiting(), 1, 'and so has the third');
    perform test.equal((select string_agg(receipt_number, ' ' order by receipt_number) from sales.receipt), '2 3', 'two are there');
    perform test.equal((select count(*) from sync.quarantine where resolved_at is null), 1, 'one waits');
    drop trigger _500_raises on sales.receipt;
    perform test.equal(sync.replay_waiting(), 1, 'until what stopped it is gone');
    perform test.equal((select count(*) from sales.early_event), 0, 'and nothing is left behind');
end
$$;
