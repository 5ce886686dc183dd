-- A clock that is off makes the day of arrival count, flagged; one that is off by years holds the receipt.

\ir prelude/store.sql

do $$
declare
    answer record;
    r sales.receipt;
    wrong text;
begin
    for answer in
        select c.*, a.outcome, a.code, a.pointer, a.flags, a.dat is not null as published, a.receipt_id
        from (values
            ('1', interval '-6 days 23 hours', null, '{}'::text[], false),
            ('2', interval '-8 days', null, '{CLOCK_SKEW}', true),
            ('3', interval '-12 months', null, '{CLOCK_SKEW}', true),
            ('4', interval '1 hour', null, '{}', false),
            ('5', interval '2 hours', null, '{CLOCK_SKEW}', true),
            ('6', interval '1 month', null, '{CLOCK_SKEW}', true),
            ('7', interval '-14 months', 'DATE_RANGE', '{}', true),
            ('8', interval '3 months', 'DATE_RANGE', '{}', true),
            ('9', timestamptz '2000-01-01 12:00Z' - test.at(), 'DATE_RANGE', '{}', true),
            ('10', timestamptz '9999-12-31 12:00Z' - test.at(), 'DATE_RANGE', '{}', true)
        ) as c (number, off, wanted, flagged, of_today)
        cross join lateral test.take(test.receipt(c.number, printed => test.stamp(test.at() + c.off))) as a
    loop
        select * into r from sales.receipt where receipt_id = answer.receipt_id;
        wrong := format('%s: %s %s %s %s', answer.off, answer.outcome, answer.code, answer.flags, r.business_date);
        assert answer.code is not distinct from answer.wanted and answer.flags = answer.flagged, wrong;
        assert answer.outcome = case when answer.wanted is null then 'accepted' else 'held' end
            and answer.published = (answer.wanted is null), wrong;
        assert r.business_date = case when answer.of_today then test.day()
            else ((test.at() + answer.off) at time zone 'Europe/Madrid' - interval '4 hours')::date end, wrong;
        assert r.printed_text = test.stored(test.at() + answer.off), wrong;
        assert answer.code is null or answer.pointer = '/timestamp', wrong;
    end loop;
    assert (select count(*) from sales.receipt) = 10 and not exists (select from sync.quarantine)
        and not exists (select from wire.doc_default), 'all of them are stored where they belong';

    set local pg_tpv.max_receipt_age = '1h';
    perform test.equal((select flags
        from test.take(test.receipt('11', printed => test.stamp(test.at() - interval '2 hours')))),
        '{CLOCK_SKEW}', 'how far a clock may be off is a setting');
end
$$;
