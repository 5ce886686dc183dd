-- A release lets a held receipt count and publishes its .dat, under another name where the first is
-- taken; what cannot be is refused.

\ir prelude/store.sql

create function test.held(number text, items jsonb default null, terminal text default 'T01',
    total numeric default 99) returns uuid
language sql as $$
    select receipt_id from test.take(test.receipt(number, items, total, terminal => terminal), terminal)
    where outcome = 'held'
$$;

do $$
declare
    id uuid := test.held('1');
    asked record;
begin
    perform sales.release(id, 'counted by hand');
    perform test.equal((select concat_ws(' ', state, first_outcome, hold_code) from sales.receipt
        where receipt_id = id),
        'released held TOTAL_MISMATCH', 'it counts, and its story is kept');
    assert not exists (select from sales.held), 'nobody waits for it';
    select * into asked from dat.pending;
    assert asked.action = 'publish' and asked.receipt_id = id and asked.terminal = 'T01'
        and asked.folder = test.folder() and asked.name = 'scon011.dat'
        and asked.why = 'counted by hand' and asked.asked_by = 'login:postgres'
        and asked.done_at is null, 'the watcher is asked to publish it';
    assert (select (bytes, sha256)::text from dat.file where receipt_id = id) = (test.line(), asked.sha256)::text
        and asked.sha256 = sha256(test.line()), 'its .dat is made';
    assert (select body::jsonb from wire.doc where kind = 'release')
        = jsonb_build_object('about', id, 'by', 'login:postgres', 'why', 'counted by hand')
        and (select chain from wire.doc where kind = 'release') = '',
        'the decision is a document of the node''s own chain';

    perform test.refused(format('select sales.release(%L, %L)', id, 'again'),
        '22023', 'the receipt is released already', 'once');
    assert (select count(*) from dat.pending) = 1
        and (select count(*) from wire.doc where kind = 'release') = 1, 'the refusal left nothing';
end
$$;

-- A name that is taken.
do $$
declare
    id uuid := test.held('1', terminal => 'T05', total => 1);
    given text;
begin
    perform test.equal((select hold_code from sales.held where receipt_id = id),
        'NAME_COLLISION', 'its name is taken');
    perform test.refused(format('select sales.release(%L, %L)', id, 'why'),
        '23505', hint_like => '%file_name%', what => 'without another name it cannot be released');
    foreach given in array array['scon011.dat', 'SCON011.DAT'] loop
        perform test.refused(format('select sales.release(%L, %L, %L)', id, 'why', given),
            '23505', what => given || ' is taken as well');
    end loop;
    foreach given in array array['', '../x.dat', 'a/b', 'CON', 'con.dat', '.dat', 'x.', repeat('x', 65)] loop
        perform test.refused(format('select sales.release(%L, %L, %L)', id, 'why', given), '22023');
    end loop;
    assert (select state from sales.receipt where receipt_id = id) = 'held'
        and not exists (select from dat.file where receipt_id = id), 'it is still held';
    perform sales.release(id, 'why', 'scon011-T05.dat');
    assert (select name from dat.file where receipt_id = id) = 'scon011-T05.dat'
        and (select name from dat.pending where receipt_id = id) = 'scon011-T05.dat',
        'under another name it is published';
    perform test.equal((select state from sales.receipt where receipt_id = id), 'released', 'and counts');
end
$$;

-- A layout that cannot show it.
do $$
declare
    id uuid := test.held('2', jsonb_build_array(test.item(2), test.item(1, -1)), total => 1);
begin
    perform test.refused(format('select sales.release(%L, %L)', id, 'why'),
        '22023', '%SIGN_UNDEFINED%', detail_like => '%/items/1/quantity%', hint_like => '%dat.save_profile%');
    set local client_min_messages = error;
    perform dat.save_profile('{"fields": [{"name": "quantity", "type": "quantity", "length": 6, "align": "right",
        "sign": "leading"}]}', '01');
    perform sales.release(id, 'with a layout that has signs');
    perform test.equal((select convert_from(bytes, 'UTF8') from dat.file where receipt_id = id),
        E'  1000\r\n- 1000', 'the layout of today is used');
    perform test.equal((select profile_version from dat.file where receipt_id = id), 1,
        'which is the first of its department');
end
$$;

-- A number that is taken twice, and a receipt that was put on today for want of a date.
do $$
declare
    id uuid;
begin
    set local client_min_messages = error;
    perform test.take(test.receipt('5', terminal => 'T03'), 'T03');
    id := test.held('5', terminal => 'T03');
    perform sales.release(id, 'the other one is a copy', 'second.dat');
    perform test.equal((select count(*) from sales.receipt where receipt_number = '5'
        and state in ('accepted', 'released')), 2, 'both count');
    select receipt_id into id
    from test.take(test.receipt('6', printed => '2000-01-01T10:00:00', terminal => 'T03'), 'T03');
    perform sales.release(id, 'the clock was reset');
    assert (select business_date from sales.receipt where receipt_id = id) = test.day()
        and right(convert_from((select bytes from dat.file where receipt_id = id), 'UTF8'), 6) = '010100',
        'it counts today; its .dat says what is printed';
end
$$;

-- What cannot be released at all.
do $$
declare
    id uuid;
    refusal record;
begin
    select receipt_id into id from test.take(test.receipt('7', terminal => 'T04'), 'T04');
    for refusal in select s.statement, s.state as wanted, r.* from (values
        (format('select sales.release(%L, %L)', id, 'why'), '22023'),
        (format('select sales.release(%L, %L)', gen_random_uuid(), 'why'), 'P0002'),
        (format('select sales.release(%L, %L)', id, ''), '22023'),
        (format('select sales.release(%L, %L)', id, E' \t'), '22023'),
        (format('select sales.release(%L, null)', id), '22023'),
        ('select sales.release(null, ''why'')', '22004')) as s (statement, state),
        test.refusal(s.statement) as r
    loop
        assert refusal.state = refusal.wanted
            and refusal.detail not like '%.rs%',
            format('%s: %s %s', refusal.statement, refusal.state, refusal.message);
    end loop;
    perform test.equal((select state from sales.receipt where receipt_id = id), 'accepted', 'nothing became of it');
end
$$;
