-- A batch is answered file by file in its order: what is bad, repeated or alike in it touches nothing else.

\ir prelude/store.sql

-- Good and bad mixed, with one file three times.
do $$
declare
    files bytea[] := array[
        test.receipt('1'), 'garbage'::bytea, test.receipt('2'), null, test.receipt('1'),
        decode(repeat('00', 99), 'hex'), test.receipt('3', total => 9), test.receipt('1'),
        test.receipt('2', jsonb_build_array(test.item(2))), test.receipt('x/y'), test.receipt('4')];
begin
    create temp table answer as select *
        from sales.ingest_files('T01', files, array['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', null]);
    perform test.equal((select array_agg("position") from answer),
        '{1,2,3,4,5,6,7,8,9,10,11}', 'one row for each file, in their order');
    perform test.equal((select array_agg(coalesce(code, outcome) order by "position") from answer),
        '{accepted,BAD_JSON,accepted,EMPTY_FILE,duplicate,'
        'TRUNCATED,TOTAL_MISMATCH,duplicate,DUP_CONFLICT,BAD_ID,accepted}', 'each for itself');
    assert (select bool_and(receipt_id = (select receipt_id from answer where "position" = 1) and dat = test.line()
            and dat_name = 'scon011.dat' and first_outcome = 'accepted') from answer where "position" in (5, 8)),
        'a repeat in the batch is answered as the first of them';
    perform test.equal((select array_agg(dat_name order by "position") from answer where outcome = 'accepted'),
        '{scon011.dat,scon012.dat,scon014.dat}', 'the good ones are published');
    perform test.equal((select array_agg(concat_ws(' ', coalesce(file_name, '-'), outcome) order by raw_id)
        from sales.raw),
        array['a accepted', 'c accepted', 'e duplicate', 'g held', 'h duplicate', 'i held', '- accepted'],
        'each delivery is recorded under its name');
    perform test.equal((select array_agg(concat_ws(' ', file_name, code) order by rejected_id) from sales.rejected),
        array['b BAD_JSON', 'd EMPTY_FILE', 'f TRUNCATED', 'j BAD_ID'], 'each refusal is, too');
    assert (select array_agg(chain_seq order by chain_seq) from wire.doc where chain = 'T01') = '{1,2,3,4,5,6,7}'
        and (select array_agg(kind order by chain_seq) from wire.doc)
        = '{receipt,receipt,receipt,intake,receipt,intake,receipt}', 'the hash chain is in the order of the files';
    assert (select bool_and(intact) from wire.verify_chains()), 'and holds';
end
$$;

-- As many as may be.
do $$
declare
    files bytea[] := (select array_agg(test.receipt('n' || n, terminal => 'T02') order by n)
        from generate_series(1, 64) as n);
begin
    create temp table many as select * from sales.ingest_files('T02', files, null);
    perform test.equal((select array_agg(concat_ws(' ', dat_name, outcome) order by "position") from many),
        (select array_agg('scon02n' || n || '.dat accepted' order by n) from generate_series(1, 64) as n),
        'sixty-four in one batch');
    perform test.equal((select array_agg(concat_ws(' ', "position", outcome) order by "position")
        from sales.ingest_batch('T02', files)),
        (select array_agg(n || ' duplicate' order by n) from generate_series(1, 64) as n), 'and all of them again');
    assert (select count(*) from sales.receipt where terminal = 'T02') = 64
        and (select count(*) from dat.file where terminal = 'T02') = 64
        and (select count(*) from sales.raw where terminal = 'T02') = 128, 'sixty-four receipts in 128 deliveries';
    perform test.equal((select count(*)
        from sales.ingest_batch('T03', array_fill(test.receipt('1', terminal => 'T03'), array[64])) as a
        where a.outcome = 'duplicate'), 63, 'the same file sixty-four times is one receipt');
end
$$;
