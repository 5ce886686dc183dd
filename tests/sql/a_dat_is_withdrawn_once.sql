-- dat.withdraw takes the .dat away and leaves the receipt; a second call is refused until there is
-- a .dat again.

\ir prelude/store.sql

do $$
declare
    first record;
    id uuid;
begin
    select * into first from test.take(test.receipt('1'));
    id := first.receipt_id;
    perform dat.withdraw(id, 'wrong paper');
    perform test.equal((select state from sales.receipt where receipt_id = id), 'accepted', 'the receipt stays');
    perform test.equal((select concat_ws(', ', action, name, why, asked_by) from dat.pending),
        'withdraw, scon011.dat, wrong paper, login:postgres', 'the watcher is asked');
    perform test.refused(format('select dat.withdraw(%L, %L)', id, 'again'),
        '22023', 'the receipt has no .dat that could be withdrawn', 'it is gone already');
    assert (select count(*) from dat.pending) = 1
        and (select count(*) from wire.doc where kind = 'withdraw') = 1, 'the refusal left nothing';

    perform dat.render_again(id, 'new paper');
    perform dat.withdraw(id, 'wrong again');
    assert (select count(*) from wire.doc where kind = 'withdraw') = 2
        and (select count(distinct doc_id) from wire.doc where kind = 'withdraw') = 2,
        'each withdrawal is a document of its own';

    -- A held receipt has none, a withdrawn name stays taken.
    select receipt_id into id from test.take(test.receipt('2', total => 9));
    perform test.refused(format('select dat.withdraw(%L, %L)', id, 'why'), '22023', what => 'a held one has no .dat');
    perform test.equal((select code from test.take(test.receipt('1', terminal => 'T05'), 'T05')),
        'NAME_COLLISION', 'the name is not given to another');
    assert (select bool_and(intact) from wire.verify_chains()), 'the hash chains hold';
end
$$;
