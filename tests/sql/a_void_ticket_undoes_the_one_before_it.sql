-- A wholly negative ticket right behind its twin voids it: what was not published never is, what
-- was is asked back.

\ir prelude/store.sql

create function test.twins(number text, next text) returns bytea[] language sql stable as $$
    select array[test.receipt(number, jsonb_build_array(test.item(2, 1), test.item(3, 0.5))),
        test.receipt(next, jsonb_build_array(test.item(3, -0.5), test.item(2, -1)))]
$$;

-- In one batch.
do $$
declare
    first record;
    second record;
begin
    create temp table answer as select * from sales.ingest_files('T01', test.twins('1', '2'), null);
    select * into first from answer where "position" = 1;
    select * into second from answer where "position" = 2;
    assert first.outcome = 'accepted'
        and first.dat is null
        and first.dat_name is null, 'the first is accepted, and not published';
    assert second.outcome = 'accepted' and second.dat is null and second.flags = '{}', 'so is its void';
    assert (select state from sales.receipt where receipt_id = first.receipt_id) = 'voided'
        and (select state from sales.receipt where receipt_id = second.receipt_id) = 'voided', 'neither counts';
    assert not exists (select from dat.file)
        and not exists (select from dat.pending), 'the disk never hears of either';
    perform test.equal((select body::jsonb - 'why' from wire.doc where kind = 'void'),
        jsonb_build_object('about', first.receipt_id, 'becauseOf', second.receipt_id, 'by', 'terminal:T01'),
        'a document says what was undone by what');
    perform test.equal((select array_agg(concat_ws(' ', a.outcome, a.dat_name))
        from sales.ingest_files('T01', test.twins('1', '2'), null) as a),
        '{duplicate,duplicate}', 'when they come again, they are known, and still not published');
end
$$;

-- In two batches.
do $$
declare
    files bytea[] := test.twins('3', '4');
    first record;
    second record;
    asked record;
begin
    select * into first from test.take(files[1]);
    assert first.dat is not null, 'the first is published';
    select * into second from test.take(files[2]);
    assert second.outcome = 'accepted' and second.dat is null, 'its void is accepted';
    perform test.equal((select state from sales.receipt where receipt_id = first.receipt_id),
        'voided', 'the first does not count');
    select * into asked from dat.pending;
    assert asked.action = 'withdraw' and asked.receipt_id = first.receipt_id and asked.terminal = 'T01'
        and asked.name = first.dat_name and asked.folder = first.dat_folder and asked.sha256 = sha256(first.dat)
        and asked.done_at is null, 'its .dat is asked back';
    assert (select withdrawn_at from dat.file where receipt_id = first.receipt_id) is not null, 'and withdrawn';
    assert (select dat_name from test.take(files[1])) is null, 'the first again is not published again';

    perform dat.pending_ack(asked.pending_id, 'failed', 'gone');
    perform test.equal((select concat_ws(' ', receipt_id, detail) from dat.withdraw_failed),
        first.receipt_id || ' gone', 'a .dat that is gone is an alarm');
end
$$;

-- What is no twin right behind it, is no void.
do $$
begin
    perform test.equal((select array_agg(coalesce(a.code, a.outcome) order by a."position")
        from sales.ingest_files('T01', array[
        test.receipt('10', jsonb_build_array(test.item(2))), test.receipt('11'),
        test.receipt('12', jsonb_build_array(test.item(2, -1)))], null) as a),
        '{accepted,accepted,SIGN_UNDEFINED}', 'one ticket in between');
    perform test.equal((select array_agg(coalesce(a.code, a.outcome) order by a."position")
        from sales.ingest_files('T01', array[
        test.receipt('13', jsonb_build_array(test.item(2))), test.receipt('14', jsonb_build_array(test.item(1, -2)))],
        null) as a), '{accepted,SIGN_UNDEFINED}', 'the same total of other lines');
    perform test.equal((select array_agg(coalesce(a.code, a.outcome) order by a."position")
        from sales.ingest_files('T05', array[
        test.receipt('15', jsonb_build_array(test.item(2, -1)), terminal => 'T05')], null) as a),
        '{SIGN_UNDEFINED}', 'the ticket of another terminal');
end
$$;

-- An operator was faster. (The ticket's void has the id of the operator's; written a second time,
-- it stopped the hash chain, and the file came back for ever.)
do $$
declare
    first uuid := (select receipt_id from test.take(test.receipt('20', jsonb_build_array(test.item(4)))));
    second record;
begin
    perform sales.void(first, 'typed twice');
    select * into second from test.take(test.receipt('21', jsonb_build_array(test.item(4, -1))));
    assert second.outcome = 'accepted' and second.dat is null, 'its void is accepted';
    assert (select state from sales.receipt where receipt_id = first) = 'voided'
        and (select count(*) from sales.receipt_event
        where receipt_id = first and kind = 'void') = 1, 'which is not said twice';
    perform test.equal((select count(*) from dat.pending where receipt_id = first), 1, 'its .dat is asked back once');
    assert (select bool_and(intact) from wire.verify_chains()), 'the hash chains hold';
end
$$;

-- Whoever undid whom, such a pair is no sale and no return: what counts adds up to nothing.
do $$
begin
    assert not exists (select from sales.receipt where receipt_number in ('20', '21')
        and state in ('accepted', 'released')), 'neither of the pair counts';
end
$$;
