-- A document's link can be calculated again in SQL, and a new uuid carries the time.

\ir prelude/test.sql

do $$
declare
    genesis bytea := decode(repeat('00', 32), 'hex');
    content bytea := sha256('{}');
    doc_id uuid := '0190a5d0-1234-8abc-9def-0123456789ab';
begin
    perform test.equal(tpv.document_link(1, 'T04', 7, doc_id, 'receipt', '2026-07-01', genesis, content),
        sha256(genesis || content || convert_to('1/T04/7/' || doc_id || '/receipt/2026-07-01', 'UTF8')),
        'the link is the hash that an auditor makes');
    perform test.equal(tpv.document_link(1, '', 1, doc_id, 'intake', '2026-07-01', genesis, content),
        sha256(genesis || content || convert_to('1//1/' || doc_id || '/intake/2026-07-01', 'UTF8')),
        'a chain of the node itself has no name');
    assert tpv.document_link(1, 'T04', 7, doc_id, 'receipt', '2026-07-01', null, content) is null,
        'null in, null out';
    perform test.refused(format('select tpv.document_link(1, ''T04'', 7, %L, ''receipt'', ''-infinity'', %L, %L)',
        doc_id, genesis, content), '22008', what => 'infinity is no business date');

    assert (select count(distinct id) = 10000 and bool_and(substring(id::text from 15 for 1) = '7')
        and bool_and(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint
            between extract(epoch from clock_timestamp()) * 1000 - 60000
                and extract(epoch from clock_timestamp()) * 1000 + 60000)
        from (select tpv.uuid7() as id from generate_series(1, 10000)) as made),
        'each call makes another uuid of version 7 with the time in front';
end
$$;
