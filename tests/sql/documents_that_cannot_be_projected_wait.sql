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
    assert (select array_agg((kind, documents, projected, quarantined)::text order by kind) from rebuilt)
        = '{"(day_close,3,2,1)","(receipt,4,2,2)","(void,3,1,2)"}',
        (select array_agg(r::text) from rebuilt as r)::text;
    perform test.equal((select array_agg(right(doc_id::text, 1) order by doc_id) from sync.quarantine
        where resolved_at is not null), '{1,4}', 'what got in is told as resolved');
    perform test.equal((select array_agg(concat_ws(' ', right(doc_id::text, 1), code) order by doc_id)
        from sync.quarantine where resolved_at is null),
        array['2 BAD_BODY', '3 BAD_BODY', '5 BAD_BODY', '6 BAD_BODY', '7 BAD_BODY'], 'the others wait on');
    perform test.equal((select count(*) from sales.day_close), 1, 'and the day is closed');
end
$$;
