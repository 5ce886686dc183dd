-- Limits are settings; a file over 16 MiB is recorded by its size and hash only; what the watcher
-- itself refuses is one row.

\ir prelude/store.sql

do $$
declare
    big bytea := convert_to(repeat(' ', 16 * 1024 * 1024 + 1), 'UTF8');
    answer record;
begin
    select * into answer from test.take(big, name => 'big.json');
    assert answer.outcome = 'quarantined' and answer.code = 'TOO_LARGE', 'it is not even read';
    perform test.equal((select (size_bytes, sha256, raw is null)::text from sales.rejected),
        (length(big), sha256(big), true)::text, 'and not kept a second time');

    set local pg_tpv.max_receipt_lines = 2;
    perform test.equal((select code
        from test.take(test.receipt('1', jsonb_build_array(test.item(), test.item(), test.item())))),
        'TOO_MANY_LINES', 'three lines of two');
    perform test.equal((select outcome
        from test.take(test.receipt('1', jsonb_build_array(test.item(), test.item())))), 'accepted', 'two of two');
    set local pg_tpv.max_receipt_lines = 1;
    perform test.equal((select outcome from test.take(test.receipt('2'))), 'accepted', 'one of one');
    -- What was ingested stays readable when a limit is lowered.
    assert (select bool_and(missing + wrong + unexplained = 0) from sales.rebuild_projections()), 'a limit is for what comes';
    perform test.equal((select sum(line_count) from sales.receipt), 3, 'and not for what is there');

    for i in 1..3 loop
        perform sales.record_rejection('T01', 'cut.json', 3, sha256('{"a'), 'TRUNCATED',
            'the file was not written to its end', '{"a');
    end loop;
    perform sales.record_rejection('T01', 'other.json', 3, sha256('{"a'), 'TRUNCATED',
        'the file was not written to its end', '{"a');
    perform sales.record_rejection('T02', 'cut.json', 3, sha256('{"a'), 'TRUNCATED',
        'the file was not written to its end', '{"a');
    perform sales.record_rejection('T01', null, 0, sha256(''), 'EMPTY_FILE', 'the file is empty', null);
    perform sales.record_rejection('T01', null, 0, sha256(''), 'EMPTY_FILE', 'the file is empty', null);
    perform test.equal((select array_agg(concat_ws(' ', terminal, coalesce(file_name, '-'), code) order by rejected_id)
        from sales.rejected where code in ('TRUNCATED', 'EMPTY_FILE')),
        array['T01 cut.json TRUNCATED', 'T01 other.json TRUNCATED', 'T02 cut.json TRUNCATED', 'T01 - EMPTY_FILE'],
        'the same file under the same name is one row');
end
$$;
