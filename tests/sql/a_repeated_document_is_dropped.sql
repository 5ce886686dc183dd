-- A document that is there already is dropped without a word: the row, the projections and the
-- quarantine stay.

\ir prelude/store.sql
\ir prelude/projections.sql

select test.mixed_work(), test.keep() \g /dev/null
create temp table sent as table wire.doc;

do $$
declare
    rows bigint;
begin
    insert into wire.doc select * from sent;
    get diagnostics rows = row_count;
    perform test.equal(rows, 0, 'nothing is inserted');
    -- The key alone is what makes it a repeat.
    insert into wire.doc (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash,
        body, content_hash)
    select node_id, doc_id, business_date, 'void', 1, 9, 'X', 99, '', '{}', sha256('{}') from sent;
    get diagnostics rows = row_count;
    perform test.equal(rows, 0, 'nor is another one under its key');
    assert not exists (table sent except table wire.doc)
        and (select count(*) from wire.doc) = (select count(*) from sent), 'the documents stay';
    assert test.difference() is null and not exists (select from sync.quarantine), 'so does what follows from them';
    -- Twice within one statement.
    insert into wire.doc
    select 1, '00000000-0000-8000-8000-000000000001', test.day(), 'day_close', null, n, 1, 'X', n, '', '{}',
        sha256('{}') from generate_series(1, 3) as n;
    get diagnostics rows = row_count;
    assert rows = 1 and (select hlc from wire.doc where chain = 'X') = 1, 'the first of a statement counts';
end
$$;

-- The same receipt under another day is no repeat: it is kept, and waits.
do $$
begin
    insert into wire.doc select node_id, doc_id, business_date - 1, kind, to_node, hlc, schema_version, 'X', 9,
        prev_hash, body, content_hash
    from sent where kind = 'receipt' and chain = 'T03';
    perform test.equal((select concat_ws(' ', code, kind) from sync.quarantine),
        '23505 receipt', 'it cannot be projected a second time');
    assert test.difference('receipt', 'receipt_line', 'receipt_tax', 'receipt_event') is null,
        'and what was projected stays';
end
$$;
