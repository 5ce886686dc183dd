-- A void ends a receipt in whatever state: it does not count, its .dat is asked back, and no
-- release undoes it.

\ir prelude/store.sql

do $$
declare
    accepted record;
    held uuid := (select receipt_id from test.take(test.receipt('2', total => 9)));
    released uuid := (select receipt_id from test.take(test.receipt('3', total => 9)));
    refusal record;
begin
    select * into accepted from test.take(test.receipt('1'));
    perform sales.void(accepted.receipt_id, 'typed twice');
    perform test.equal((select concat_ws(' ', state, first_outcome) from sales.receipt
        where receipt_id = accepted.receipt_id), 'voided accepted', 'an accepted one');
    perform test.equal((select concat_ws(' ', action, name, sha256) from dat.pending),
        'withdraw scon011.dat ' || sha256(accepted.dat)::text, 'its .dat is asked back');
    assert (select withdrawn_at is not null from dat.file where receipt_id = accepted.receipt_id), 'and withdrawn';
    perform test.equal((select body::jsonb from wire.doc where kind = 'void'),
        jsonb_build_object('about', accepted.receipt_id, 'by', 'login:postgres', 'why', 'typed twice'), 'it is a document');

    perform sales.void(held, 'nonsense');
    perform test.equal((select concat_ws(' ', state, hold_code) from sales.receipt where receipt_id = held),
        'voided TOTAL_MISMATCH', 'a held one');
    perform test.equal((select count(*) from dat.pending), 1, 'which has no .dat to be asked back');
    perform test.refused(format('select sales.release(%L, %L)', held, 'why'),
        '22023', 'the receipt is voided, and a void beats a release', 'a release comes too late');

    -- Released and voided before the watcher came: the publication is cancelled.
    perform sales.release(released, 'counted');
    perform sales.void(released, 'after all not');
    perform test.equal((select state from sales.receipt where receipt_id = released),
        'voided', 'a void beats a release');
    perform test.equal((select array_agg(concat_ws(', ', action, result, detail)) from dat.pending
        where receipt_id = released),
        array['publish, cancelled, withdrawn before it was published'], 'what was never published is not asked back');
    assert not exists (select from dat.pending_list(100) where dat_name = 'scon013.dat')
        and not exists (select from dat.pending_take(
        (select pending_id from dat.pending where receipt_id = released))), 'and never will be';

    for refusal in select s.statement, s.state as wanted, r.* from (values
        (format('select sales.void(%L, %L)', accepted.receipt_id, 'again'), '22023'),
        (format('select sales.void(%L, null)', accepted.receipt_id), '22023'),
        (format('select sales.void(%L, %L)', gen_random_uuid(), 'why'), 'P0002'),
        ('select sales.void(null, ''why'')', '22004'),
        (format('select dat.render_again(%L, %L)', accepted.receipt_id, 'why'), '22023'),
        (format('select dat.withdraw(%L, %L)', accepted.receipt_id, 'why'), '22023')) as s (statement, state),
            test.refusal(s.statement) as r
    loop
        perform test.equal(refusal.state,
            refusal.wanted, format('%s: %s %s', refusal.statement, refusal.state, refusal.message));
    end loop;
    perform test.equal((select count(*) from wire.doc where kind = 'void'), 3, 'each is voided once');
    assert (select array_agg(state) from sales.receipt where state <> 'voided') is null, 'all three are voided';

    -- The release that was said elsewhere, before: whatever comes after, it is voided.
    insert into wire.doc select 1, gen_random_uuid(), test.day(), 'release', null, 1, 1, 'X', 1, '', b,
        sha256(convert_to(b, 'UTF8'))
    from (select format('{"about":"%s"}', held) as b) as body;
    perform test.equal((select state from sales.receipt where receipt_id = held),
        'voided', 'a release that arrives later changes nothing');
end
$$;
