-- What stands in the projections does not depend on the order in which documents come: a void
-- before its receipt is a void.

\ir prelude/store.sql
\ir prelude/projections.sql

select test.mixed_work(), test.keep() \g /dev/null
create table test.sent as table wire.doc;

create procedure test.send_anew(how text) language plpgsql as $$
begin
    set local pg_tpv.maintenance = on;
    truncate wire.doc, sales.receipt, sales.receipt_line, sales.receipt_event, sales.day_close;
    set local pg_tpv.maintenance = off;
    execute 'insert into wire.doc select * from test.sent order by ' || how;
end
$$;

do $$
declare
    how text;
    difference text;
begin
    foreach how in array array['hlc', 'hlc desc', 'kind, doc_id', 'kind desc, doc_id desc', 'doc_id',
        'md5(doc_id::text)', 'content_hash'] loop
        call test.send_anew(how);
        difference := test.difference('receipt', 'receipt_line', 'receipt_tax', 'receipt_event', 'early_event',
            'day_close');
        assert difference is null, how || ': ' || difference;
        assert (select count(*) from wire.doc) = (select count(*) from test.sent)
            and not exists (select from sync.quarantine) and not exists (select from sales.early_event), how;
        -- And all of it once more, backwards.
        insert into wire.doc select * from test.sent order by hlc desc;
        difference := test.difference('receipt', 'receipt_line', 'receipt_tax', 'receipt_event', 'early_event',
            'day_close');
        assert difference is null
            and (select count(*) from wire.doc) = (select count(*) from test.sent), 'repeats change nothing';
    end loop;
end
$$;
