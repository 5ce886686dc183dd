-- A void ends a receipt in whatever state: it does not count, its .dat is asked back, and no release undoes it.

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
    assert (select state || first_outcome from sales.receipt where receipt_id = accepted.receipt_id) = 'voidedaccepted', 'an accepted one';
    assert (select action || name || (sha256 = sha256(accepted.dat)) from dat.pending) = 'withdrawscon011.dattrue', 'its .dat is asked back';
    assert (select withdrawn_at is not null from dat.file where receipt_id = accepted.receipt_id), 'and withdrawn';
    assert (select body::jsonb from wire.doc where kind = 'void') = jsonb_build_object('about', accepted.receipt_id, 'by', 'postgres', 'why', 'typed twice'), 'it is a document';

    perform sales.void(held, 'nonsense');
    assert (select state || hold_code from sales.receipt where receipt_id = held) = 'voidedTOTAL_MISMATCH', 'a held one';
    assert (select count(*) from dat.pending) = 1, 'which has no .dat to be asked back';
    select * into refusal from test.refusal(format('select sales.release(%L, %L)', held, 'why'));
    assert refusal.state = '22023' and refusal.message = 'the receipt is voided, and a void beats a release', 'a release comes too late';

    -- Released and voided before the watcher came: the publication is cancelled.
    perform sales.release(released, 'counted');
    perform sales.void(released, 'after all not');
    assert (select state from sales.receipt where receipt_id = released) = 'voided', 'a void beats a release';
    assert (select array_agg(action || result || detail) from dat.pending where receipt_id = released) = '{"publishcancelledwithdrawn before it was published"}',
        'what was never published is not asked back';
    assert not exists (select from dat.pending_list(100) where dat_name = 'scon013.dat') and not exists (select from dat.pending_take(
        (select pending_id from dat.pending where receipt_id = released))), 'and never will be';

    for refusal in select s.statement, s.state as wanted, r.* from (values
        (format('select sales.void(%L, %L)', accepted.receipt_id, 'again'), '22023'), (format('select sales.void(%L, null)', accepted.receipt_id), '22023'),
        (format('select sales.void(%L, %L)', gen_random_uuid(), 'why'), 'P0002'), ('select sales.void(null, ''why'')', '22004'),
        (format('select dat.render_again(%L, %L)', accepted.receipt_id, 'why'), '22023'),
        (format('select dat.withdraw(%L, %L)', accepted.receipt_id, 'why'), '22023')) as s (statement, state), test.refusal(s.statement) as r
    loop
        assert refusal.state = refusal.wanted, format('%s: %s %s', refusal.statement, refusal.state, refusal.message);
    end loop;
    assert (select count(*) from wire.doc where kind = 'void') = 3, 'each is voided once';
    assert (select array_agg(state) from sales.receipt where state <> 'voided') is null, 'all three are voided';

    -- The release that was said elsewhere, before: whatever comes after, it is voided.
    insert into wire.doc select 1, gen_random_uuid(), test.day(), 'release', null, 1, 1, 'X', 1, '', b, sha256(convert_to(b, 'UTF8'))
    from (select format('{"about":"%s"}', held) as b) as body;
    assert (select state from sales.receipt where receipt_id = held) = 'voided', 'a release that arrives later changes nothing';
end
$$;
