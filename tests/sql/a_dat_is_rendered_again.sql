-- dat.render_again publishes a .dat with the layout of today in place of the old one, which is
-- kept; also for late and withdrawn ones.

\ir prelude/store.sql

do $$
declare
    first record;
    id uuid;
    new_layout jsonb := '{"fields": [{"name": "description", "length": 5}],
        "file_name": "{departmentCode}-{terminalId}-{receiptId}.txt"}';
begin
    set local client_min_messages = error;
    select * into first from test.take(test.receipt('1'));
    id := first.receipt_id;
    perform dat.save_profile(new_layout);
    perform dat.render_again(id, 'new layout');
    perform test.equal((select concat_ws(', ', name, convert_from(bytes, 'UTF8'), profile_version, withdrawn_at)
        from dat.file where receipt_id = id), '01-T01-1.txt, PAN  , 2', 'a live one, not withdrawn');
    perform test.equal((select array_agg(concat_ws(' ', action, name) order by pending_id) from dat.pending),
        '{"withdraw scon011.dat","publish 01-T01-1.txt"}', 'the old one is asked back before the new one is published');
    perform test.equal((select array_agg(sha256 order by pending_id) from dat.pending),
        array[sha256(first.dat), sha256('PAN  ')], 'each with the hash of its bytes');
    perform test.equal((select (receipt_id, folder, name, bytes, sha256)::text from dat.superseded),
        (id, first.dat_folder, first.dat_name, first.dat, sha256(first.dat))::text,
        'what was published before is kept');
    perform test.equal((select dat from test.take(test.receipt('1'))),
        'PAN  ', 'a duplicate is answered with the new one');

    -- Again, before the watcher came: what it never published is not asked back.
    perform dat.render_again(id, 'and again');
    perform test.equal((select array_agg(concat_ws(' ', action, result) order by pending_id) from dat.pending),
        '{withdraw,"publish cancelled",publish}', 'one publication is left');
    assert (select count(*) from dat.superseded) = 2
        and (select count(*) from wire.doc where kind = 'render') = 2, 'each is recorded';

    -- A withdrawn one.
    perform dat.withdraw(id, 'wrong');
    perform dat.render_again(id, 'right');
    assert (select withdrawn_at is null from dat.file where receipt_id = id)
        and (select action from dat.pending where done_at is null order by pending_id desc limit 1) = 'publish',
        'a withdrawn one is published again';
    perform test.equal((select state from sales.receipt where receipt_id = id),
        'accepted', 'the receipt stays as it is');

    -- A late one, whose .dat was never made.
    perform sales.close_day(test.day() - 1);
    select receipt_id into id from test.take(test.receipt('2', printed => test.stamp(test.at() - interval '1 day')));
    assert not exists (select from dat.file where receipt_id = id), 'a late one has none';
    perform dat.render_again(id, 'the customer came back');
    assert (select folder || '/' || name from dat.file where receipt_id = id) = test.folder() || '/01-T01-2.txt'
        and (select action from dat.pending
        where receipt_id = id) = 'publish', 'until somebody wants it';

    -- A held one is released, not rendered.
    select receipt_id into id from test.take(test.receipt('3', total => 9));
    perform test.refused(format('select dat.render_again(%L, %L)', id, 'why'),
        '22023', hint_like => 'Release it with sales.release to publish its .dat.', what => 'a held one');

    -- A layout that cannot show it leaves all as it was.
    select receipt_id into id from test.take(test.receipt('4', jsonb_build_array(test.item(description => 'A')),
        terminal => 'T02'), 'T02');
    perform dat.save_profile('{"fields": [{"name": "price", "type": "price", "length": 1}]}', '02');
    perform test.refused(format('select dat.render_again(%L, %L)', id, 'why'), '22001', what => 'it does not fit');
    assert (select withdrawn_at is null from dat.file where receipt_id = id)
        and not exists (select from dat.pending where receipt_id = id), 'the old one stays out';
end
$$;
