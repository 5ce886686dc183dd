-- dat.withdraw takes the .dat away and leaves the receipt; a second call is refused until there is a .dat again.

\ir prelude/store.sql

do $$
declare
    first record;
    id uuid;
    refusal record;
begin
    select * into first from test.take(test.receipt('1'));
    id := first.receipt_id;
    perform dat.withdraw(id, 'wrong paper');
    assert (select state from sales.receipt where receipt_id = id) = 'accepted', 'the receipt stays';
    assert (select action || name || why || asked_by from dat.pending) = 'withdrawscon011.datwrong paperpostgres', 'the watcher is asked';
    select * into refusal from test.refusal(format('select dat.withdraw(%L, %L)', id, 'again'));
    assert refusal.state = '22023' and refusal.message = 'the receipt has no .dat that could be withdrawn', 'it is gone already';
    assert (select count(*) from dat.pending) = 1 and (select count(*) from wire.doc where kind = 'withdraw') = 1, 'the refusal left nothing';

    perform dat.render_again(id, 'new paper');
    perform dat.withdraw(id, 'wrong again');
    assert (select count(*) from wire.doc where kind = 'withdraw') = 2 and (select count(distinct doc_id) from wire.doc where kind = 'withdraw') = 2,
        'each withdrawal is a document of its own';

    -- A held receipt has none, a withdrawn name stays taken.
    select receipt_id into id from test.take(test.receipt('2', total => 9));
    assert (select state from test.refusal(format('select dat.withdraw(%L, %L)', id, 'why'))) = '22023', 'a held one has no .dat';
    assert (select code from test.take(test.receipt('1', terminal => 'T05'), 'T05')) = 'NAME_COLLISION', 'the name is not given to another';
    assert (select bool_and(intact) from wire.verify_chains()), 'the chains hold';
end
$$;
