-- Instants become days on the store's clock: before the cut-off hour, in an hour that comes twice,
-- in one that never comes.

\ir prelude/store.sql

set pg_tpv.max_receipt_age = '366d';

-- The last time that Madrid's clocks went back and forward, and the last 30th of June, where they
-- are within a year: receipts that are older are not believed.
create temp table turn as
select max(d) filter (where extract(month from d) = 10
    and d + 7 >= date_trunc('month', d) + interval '1 month') as back,
    max(d) filter (where extract(month from d) = 3 and d + 7 >= date_trunc('month', d) + interval '1 month') as forth,
    max(d) filter (where to_char(d, 'MMDD') = '0630') as june
from (select d::date from generate_series(current_date - 363, current_date - 2, interval '1 day') as d) as days (d)
where extract(dow from d) = 0 or to_char(d, 'MMDD') = '0630';

create function test.row(printed text, number text, terminal text default 'T01') returns sales.receipt
language plpgsql as $$
declare
    id uuid := (select a.receipt_id
        from test.take(test.receipt(number, printed => printed, terminal => terminal), terminal) as a);
    r sales.receipt;
begin
    select * into r from sales.receipt where receipt_id = id;
    return r;
end
$$;

do $$
declare
    back date := (select back from turn);
    forth date := (select forth from turn);
    june date := (select june from turn);
    r sales.receipt;
begin
    if june is not null then
        r := test.row(june || 'T22:15:00Z', 'june');
        assert r.printed_local = june + 1 + time '00:15' and r.printed_at = (june + time '22:15') at time zone 'UTC'
            and r.printed_text = june + 1 || 'T00:15:00+02:00', '22:15 UTC is a quarter past midnight in Madrid';
        perform test.equal(r.business_date, june, 'which is before the cut-off hour');
        perform test.equal((select printed_date from sales.receipt_key where receipt_id = r.receipt_id),
            june + 1, 'the number counts for the printed date');
        r := test.row(june || 'T00:15:00+02:00', 'june2');
        perform test.equal(r.printed_at,
            (june - 1 + time '22:15') at time zone 'UTC', 'an offset that is printed is believed');
        r := test.row(june || 'T04:00:00', 'june3');
        assert r.business_date = june
            and r.printed_at = (june + time '02:00') at time zone 'UTC', 'the day begins at the cut-off hour';
        r := test.row(june || 'T03:59:59', 'june4');
        perform test.equal(r.business_date, june - 1, 'and not before');
    end if;

    -- Twice: the earlier, unless the ticket before it was later.
    if back is not null then
        r := test.row(back || 'T02:30:00', '100');
        assert r.printed_at = (back + time '00:30') at time zone 'UTC'
            and r.flags = '{AMBIGUOUS_TIME}', 'without a ticket before it, the earlier';
        r := test.row(back || 'T02:10:00', '101');
        assert r.printed_at = (back + time '01:10') at time zone 'UTC' and r.printed_local = back + time '02:10'
            and r.flags = '{AMBIGUOUS_TIME}', 'a higher number with an earlier time is of the second hour';
        r := test.row(back || 'T02:20:00', '99');
        perform test.equal(r.printed_at, (back + time '00:20') at time zone 'UTC', 'a lower number is of the first');
        perform sales.ingest_files('T04', array[test.receipt('1', printed => back || 'T02:40', terminal => 'T04'),
            test.receipt('2', printed => back || 'T02:05', terminal => 'T04')], null);
        perform test.equal((select array_agg((printed_at - (back + time '00:00') at time zone 'UTC')::text
            order by receipt_number)
            from sales.receipt where terminal = 'T04'), '{00:40:00,01:05:00}', 'within one batch, too');
    end if;

    -- Never: shifted forward.
    if forth is not null then
        r := test.row(forth || 'T02:30:00', '1', 'T02');
        assert r.printed_at = (forth + time '01:30') at time zone 'UTC' and r.printed_local = forth + time '03:30'
            and r.flags = '{NONEXISTENT_TIME}' and r.printed_text = forth || 'T03:30:00+02:00',
            'an hour that never came is shifted forward';
    end if;

    assert (select bool_and(state = 'accepted') from sales.receipt), 'none of it stops a receipt';
end
$$;

-- A terminal whose clock shows another zone than its store's.
do $$
declare
    r sales.receipt;
begin
    set local client_min_messages = error;
    perform org.register_terminal('T03', '03', '{"timezone": "Atlantic/Canary"}');
    r := test.row(to_char(test.local() - interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS'), '1', 'T03');
    assert r.printed_at = test.at()
        and r.printed_local = test.local()
        and r.flags = '{}', 'it is read on its own clock';
    perform test.equal((select printed_date from sales.receipt_key where receipt_id = r.receipt_id),
        test.local()::date, 'and counted on the store''s');
end
$$;
