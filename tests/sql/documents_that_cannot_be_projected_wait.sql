-- A document that this version cannot project is stored and quarantined with a code; a rebuild
-- tries again, and says what it projected.

\ir prelude/store.sql

create procedure test.send(id uuid, kind text, body text, version integer default 1) language sql as $$
    insert into wire.doc values (1, id, test.day(), kind, null, 1, version, 'X', 1, decode(repeat('00', 32), 'hex'),
        body, sha256(convert_to(body, 'UTF8')))
$$;

do $$
begin
    call test.send('00000000-0000-8000-8000-000000000001', 'recount', '{}');
    call test.send('00000000-0000-8000-8000-000000000002', 'receipt', '{"half": "a receipt"}');
    call test.send('00000000-0000-8000-8000-000000000003', 'receipt', 'not even JSON');
    call test.send('00000000-0000-8000-8000-000000000004', 'day_close', '{}', 2);
    call test.send('00000000-0000-8000-8000-000000000005', 'void', '{"why": "about nothing"}');
    call test.send('00000000-0000-8000-8000-000000000006', 'void', '{"about": "not an id"}');
    call test.send('00000000-0000-8000-8000-000000000007', 'day_close', '[');
    call test.send('00000000-0000-8000-8000-000000000008', 'receipt',
        convert_from(test.receipt('1', terminal => 'T01'), 'UTF8'));
    perform test.equal((select array_agg(concat_ws(' ', right(doc_id::text, 1), kind, code) order by doc_id)
        from sync.quarantine where resolved_at is null),
        array['1 recount UNKNOWN_KIND', '2 receipt BAD_BODY', '3 receipt BAD_BODY', '4 day_close NEWER_SCHEMA',
            '5 void BAD_BODY', '6 void BAD_BODY', '7 day_close BAD_BODY'], 'each waits with its reason');
    assert (select bool_and(detail <> '' and node_id = 1 and business_date = test.day()) from sync.quarantine),
        'and a sentence';
    perform test.equal((select count(*) from wire.doc), 8, 'all are stored');
    assert (select count(*) from sales.receipt) = 1 and not exists (select from sales.receipt_event)
        and not exists (select from sales.day_close), 'only the sound one is projected';
end
$$;

-- A void of a receipt that is not there yet is no fault; it is what decides when the receipt comes.
do $$
begin
    call test.send('00000000-0000-8000-8000-000000000009', 'void', '{"about": "00000000-0000-8000-8000-000000000010"}');
    assert (select kind from sales.receipt_event) = 'void'
        and (select count(*) from sync.quarantine) = 7, 'it is projected';
    call test.send('00000000-0000-8000-8000-000000000010', 'receipt', convert_from(test.receipt('2'), 'UTF8'));
    perform test.equal((select state from sales.receipt where receipt_number = '2'),
        'voided', 'the receipt comes as a voided one');
end
$$;

-- The upgrade that knows the kind and the shape: here, the documents become what this version knows.
set pg_tpv.maintenance = on;
update wire.doc set kind = 'day_close' where kind = 'recount';
update wire.doc set schema_version = 1 where schema_version = 2;
set pg_tpv.maintenance = off;

create temp table rebuilt as select * from sales.rebuild_projections();

do $$
begin
    perform test.equal((select array_agg(concat_ws(' ', projection, missing, wrong, unexplained) order by projection)
        from rebuilt where missing + wrong + unexplained > 0),
        array['day_close 1 0 0', 'quarantine 0 0 2', 'receipt_key 2 0 0'],
        'two documents got in, and the arbiter hears of receipts that came past it');
    perform test.equal((select array_agg(right(doc_id::text, 1) order by doc_id) from sync.quarantine
        where resolved_at is not null), '{1,4}', 'what got in is told as resolved');
    perform test.equal((select array_agg(concat_ws(' ', right(doc_id::text, 1), code) order by doc_id)
        from sync.quarantine where resolved_at is null),
        array['2 BAD_BODY', '3 BAD_BODY', '5 BAD_BODY', '6 BAD_BODY', '7 BAD_BODY'], 'the others wait on');
    perform test.equal((select count(*) from sales.day_close), 1, 'and the day is closed');
end
$$;

-- A second time nothing is written: the others wait as they did.
do $$
declare
    before text := (select string_agg(q::text, ',' order by quarantine_id) from sync.quarantine q);
begin
    assert (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections()), 'nothing is written';
    perform test.equal((select string_agg(q::text, ',' order by quarantine_id) from sync.quarantine q), before,
        'nor in quarantine');
    -- What is not on the list, and should be.
    delete from sync.quarantine where resolved_at is null;
    perform test.equal((select missing from sales.rebuild_projections() where projection = 'quarantine'), 5::bigint,
        'they wait again');
    perform test.equal((select count(*) from sync.quarantine where resolved_at is null), 5, 'all of them');
end
$$;

-- What a table refuses, and not the program that reads it: it waits, and is tried again each time.
do $$
begin
    delete from sales.receipt where receipt_number = '2';
    alter table sales.receipt add constraint odd check (receipt_number <> '2');
    perform from sales.rebuild_projections();
    perform test.equal((select array_agg(code) from sync.quarantine
        where resolved_at is null and kind = 'receipt' and right(doc_id::text, 2) = '10'), '{23514}', 'it waits');
    assert exists (select from sales.early_event), 'what was said about it is not forgotten';
    assert (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections()), 'and is told once';
    assert (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections(dry_run => true)),
        'also by a dry run';
    alter table sales.receipt drop constraint odd;
    perform from sales.rebuild_projections();
    perform test.equal((select state from sales.receipt where receipt_number = '2'), 'voided', 'now it is there');
    assert not exists (select from sync.quarantine where resolved_at is null and right(doc_id::text, 2) = '10')
        and not exists (select from sales.early_event), 'and nothing waits for it';
end
$$;

-- What somebody dismissed stays dismissed, with the reason.
do $$
declare
    before text;
begin
    perform sync.dismiss(quarantine_id, 'seen') from sync.quarantine where resolved_at is null;
    before := (select string_agg(q::text, ',' order by quarantine_id) from sync.quarantine q);
    assert (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections()), 'nothing is written';
    perform test.equal((select string_agg(q::text, ',' order by quarantine_id) from sync.quarantine q), before,
        'nor reopened');
end
$$;

-- A table refuses more receipts than are written in one call: the others are written all the same,
-- the refused ones are on the list, and the calls come to an end.
do $$
declare
    calls integer := 0;
begin
    for nth in 20 .. 29 loop
        call test.send(('00000000-0000-8000-8000-0000000000' || nth)::uuid, 'receipt',
            convert_from(test.receipt(nth::text), 'UTF8'));
    end loop;
    delete from sales.receipt where receipt_number::integer between 20 and 29;
    delete from sales.receipt_line;
    alter table sales.receipt add constraint odd check (receipt_number::integer not between 20 and 26);
    loop
        exit when (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections(most => 2));
        calls := calls + 1;
        assert calls < 30, 'it comes to an end';
    end loop;
    perform test.equal((select string_agg(receipt_number, ' ' order by receipt_number) from sales.receipt
        where receipt_number::integer >= 20), '27 28 29', 'what is not refused is there');
    perform test.equal((select count(*) from sync.quarantine where resolved_at is null and code = '23514'), 7,
        'the others wait');
    assert (select bool_and(exists (select from sales.receipt_line l where l.receipt_id = r.receipt_id))
        from sales.receipt r), 'with their lines';
    alter table sales.receipt drop constraint odd;
    loop
        exit when (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections(most => 2));
        calls := calls + 1;
        assert calls < 60, 'it comes to an end';
    end loop;
    assert (select count(*) from sales.receipt where receipt_number::integer >= 20) = 10
        and not exists (select from sync.quarantine where resolved_at is null), 'now all are there';
end
$$;
