-- The same bytes of a clock that died may be two tickets: within ten minutes they are one delivery more,
-- later they are held. From the archive they are what they were on the day of their folder.

\ir prelude/store.sql

create function test.dead(name text default null, price numeric default 1.20) returns sales.receipt
language plpgsql as $$
declare
    id uuid;
    r sales.receipt;
begin
    select a.receipt_id into id from test.take(test.receipt('91', jsonb_build_array(test.item(price)),
        printed => '2000-01-01T00:03'), name => name) as a;
    select * into r from sales.receipt as s where s.receipt_id = id;
    return r;
end
$$;

-- As if what was recorded had been recorded earlier.
create procedure test.age(by interval) language sql as $$
    update wire.doc set hlc = hlc - ((extract(epoch from by) * 1000)::bigint << 16) where kind = 'receipt'
$$;
set pg_tpv.maintenance = on;

do $$
declare
    first sales.receipt;
    again sales.receipt;
    third sales.receipt;
begin
    first := test.dead();
    assert first.state = 'held' and first.hold_code = 'DATE_RANGE'
        and first.receipt_id::text like '20000101-0003-8%', first::text;
    again := test.dead();
    perform test.equal(again.receipt_id, first.receipt_id, 'a repeat within ten minutes is a duplicate');
    call test.age('9 minutes');
    again := test.dead();
    perform test.equal(again.receipt_id, first.receipt_id, 'after nine minutes, too');
    call test.age('2 minutes');
    again := test.dead();
    assert again.receipt_id <> first.receipt_id and again.state = 'held' and again.hold_code = 'DATE_RANGE'
        and again.hold_detail like 'the same content came at 20%', again::text;
    perform test.equal((test.dead()).receipt_id, again.receipt_id, 'a repeat of the second is one of the second');
    third := test.dead(price => 2);
    assert third.hold_code = 'DATE_RANGE' and third.hold_detail not like 'the same%',
        'another ticket under that number is no conflict: its date claims none';
    perform test.equal((select count(*) from sales.held), 3, 'an operator sees all three');
    perform test.equal((select array_agg(outcome order by raw_id) from sales.raw),
        '{held,duplicate,duplicate,held,duplicate,held}', 'and each delivery is kept');
end
$$;

-- A rebuild gives the arbiter what it had.
create temp table keys as select * from sales.receipt_key;
truncate sales.receipt_key;
select from sales.rebuild_projections() \g /dev/null
do $$
declare
    again sales.receipt;
begin
    assert not exists (table keys except table sales.receipt_key)
        and not exists (table sales.receipt_key except table keys), 'the keys are as before';
    call test.age('-2 minutes');
    again := test.dead();
    perform test.equal((select count(*) from wire.doc where kind = 'receipt'), 3, 'and tell a repeat');
end
$$;

-- Out of the archive: each day is another ticket, and the same day the same document whatever happened meanwhile.
do $$
declare
    day date := test.local()::date - 40;
    folder text := to_char(day, 'YYYYMMDD');
    first sales.receipt := test.dead(folder || '/T01/91.json');
    second sales.receipt := test.dead(to_char(day + 1, 'YYYYMMDD') || '/T01/91.json');
begin
    assert first.receipt_id <> second.receipt_id and first.hold_code = 'DATE_RANGE'
        and second.hold_code = 'DATE_RANGE', 'two days are two';
    perform test.equal(first.business_date, day, 'it counts for the day of its folder');
    perform test.equal((test.dead(folder || '/T01/again.json')).receipt_id, first.receipt_id, 'again it is a duplicate');
    truncate wire.doc, sync.hash_chain, sales.receipt, sales.receipt_line, sales.receipt_key, sales.receipt_event,
        sales.terminal_tail, dat.file, dat.pending;
    perform test.equal((test.dead(to_char(day + 1, 'YYYYMMDD') || '/T01/91.json')).receipt_id, second.receipt_id,
        'and the same document after the database was lost');
    perform test.equal((test.dead('/srv/tpv/archive/' || folder || '/T01/91.json')).receipt_id, first.receipt_id,
        'wherever the archive lies');
end
$$;
