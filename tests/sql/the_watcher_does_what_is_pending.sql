-- What is pending is listed oldest first, each publication is taken once, and each withdrawal ends
-- as done or failed.

\ir prelude/store.sql

do $$
declare
    one record;
    two uuid := (select receipt_id from test.take(test.receipt('2', total => 9)));
    three uuid := (select receipt_id from test.take(test.receipt('3', total => 9)));
    refusal record;
begin
    select * into one from test.take(test.receipt('1'));
    perform sales.release(two, 'counted');
    perform sales.void(one.receipt_id, 'twice');
    perform sales.release(three, 'counted');
    create temp table listed as select row_number() over () as n, * from dat.pending_list(100);
    perform test.equal((select array_agg(concat_ws(' ', action, dat_name) order by n) from listed),
        '{publish scon012.dat,withdraw scon011.dat,publish scon013.dat}', 'oldest first');
    assert (select array_agg(action) from dat.pending_list(1)) = '{publish}'
        and not exists (select from dat.pending_list(0)), 'so many as one asks for';
    perform test.equal((select (terminal, dat_folder, trigger_name, sha256)::text from listed where n = 2),
        ('T01', test.folder(), null::text, sha256(one.dat))::text, 'with all that the disk needs');

    perform test.equal((select (dat_folder, dat_name, dat, trigger_name)::text
        from dat.pending_take((select pending_id from listed where n = 1))),
        (test.folder(), 'scon012.dat', test.line(), null::text)::text, 'a publication is taken with its bytes');
    assert not exists (select from dat.pending_take((select pending_id from listed where n = 1))), 'once';
    assert not exists (select from dat.pending_take((select pending_id from listed where n = 2))),
        'a withdrawal is not taken';
    assert not exists (select from dat.pending_take(0))
        and not exists (select from dat.pending_take(null)), 'nor is what is not there';
    perform test.equal((select result from dat.pending where receipt_id = two and done_at is not null),
        'done', 'it is done');

    perform test.refused(format('select dat.pending_ack(%s, %L, %L)', (select pending_id from listed where n = 2),
        'perhaps', ''), '23514', what => 'perhaps is no end');
    perform dat.pending_ack((select pending_id from listed where n = 3), 'done', 'not mine');
    assert (select done_at is null from dat.pending where receipt_id = three), 'a publication is not acknowledged';
    perform dat.pending_ack((select pending_id from listed where n = 2), 'failed', 'no such file');
    perform test.equal((select concat_ws(', ', result, detail) from dat.pending where receipt_id = one.receipt_id),
        'failed, no such file', 'a withdrawal can fail');
    perform dat.pending_ack((select pending_id from listed where n = 2), 'done', 'found it');
    perform test.equal((select concat_ws(', ', result, detail) from dat.pending where receipt_id = one.receipt_id),
        'failed, no such file', 'once and for all');
    perform test.equal((select (receipt_id, folder, name, why, detail)::text from dat.withdraw_failed),
        (one.receipt_id, test.folder(), 'scon011.dat', 'twice', 'no such file')::text, 'which is an alarm');
    perform test.equal((select array_agg(dat_name) from dat.pending_list(100)), '{scon013.dat}', 'one is left');

    -- What was published and is voided then is asked back.
    perform sales.void(two, 'after all not');
    perform test.equal((select array_agg(concat_ws(' ', action, dat_name)) from dat.pending_list(100)),
        '{publish scon013.dat,withdraw scon012.dat}', 'what is out there is asked back');
    perform dat.pending_ack((select pending_id from dat.pending_list(100) where action = 'withdraw'), 'done',
        'renamed');
    perform test.equal((select count(*) from dat.withdraw_failed), 1, 'that one succeeded');
end
$$;
