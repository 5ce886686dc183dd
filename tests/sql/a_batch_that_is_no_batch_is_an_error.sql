-- Too many files, names that do not go with them, and nulls are the caller's error; no file at all
-- is no error.

\ir prelude/store.sql

do $$
declare
    refusal record;
begin
    perform test.refused($q$ select * from sales.ingest_batch('T01', array_fill(''::bytea, array[65])) $q$,
        '22023', 'a batch has at most 64 files', 'sixty-five files');
    perform test.refused($q$ select * from sales.ingest_files('T01', array[''::bytea], array['a', 'b']) $q$,
        '22023', what => 'a name too many');
    perform test.refused($q$ select * from sales.ingest_files('T01', array[''::bytea, ''], array['a']) $q$,
        '22023', what => 'a name too few');
    for refusal in select * from (values ($q$ select * from sales.ingest_files(null, array[''::bytea], null) $q$),
        ($q$ select * from sales.ingest_files('T01', null, null) $q$),
        ($q$ select * from sales.ingest_batch('T01', null) $q$)) as s (statement),
        test.refusal(s.statement)
    loop
        assert refusal.state = '22004'
            and refusal.message ~ '^(terminal|files) must not be null$',
            format('%s: %s', refusal.state, refusal.message);
        assert refusal.detail is distinct from null
            and refusal.detail not like '%.rs%', 'nothing of our insides is told';
    end loop;
    assert not exists (select from sales.rejected) and not exists (select from wire.doc), 'nothing was written';

    assert (select count(*) from sales.ingest_batch('T01', '{}')) = 0
        and (select count(*) from sales.ingest_files('T01', '{}', '{}')) = 0
        and (select count(*) from sales.ingest_batch('T99', '{}')) = 0, 'no file, no answer';
    perform test.equal((select concat_ws(' ', code, receipt_id) from sales.ingest_batch('T01', array[null::bytea])),
        'EMPTY_FILE', 'a null is an empty file');
    perform test.equal((select (size_bytes, raw)::text from sales.rejected),
        (0, ''::bytea)::text, 'and is kept as one');
end
$$;
