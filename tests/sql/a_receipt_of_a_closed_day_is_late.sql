-- After its day was closed a receipt is accepted with its own business date and flagged LATE; its
-- .dat is not published by itself.

\ir prelude/store.sql

do $$
declare
    yesterday date := test.day() - 1;
    printed text := test.stamp(test.at() - interval '1 day');
    before record;
    late record;
begin
    select * into before from test.take(test.receipt('1', printed => printed));
    assert before.outcome = 'accepted'
        and before.flags = '{}'
        and before.dat is not null, 'a day late, and the day is open';

    perform sales.close_day(yesterday, 'counted');
    perform test.equal((select count(*) from sales.day_close where business_date = yesterday and node_id = 1),
        1, 'the day is closed');
    select * into late from test.take(test.receipt('2', printed => printed));
    assert late.outcome = 'accepted' and late.flags = '{LATE}' and late.first_outcome = 'accepted', 'it is accepted';
    assert num_nulls(late.dat, late.dat_name, late.dat_folder) = 3
        and (select count(*) from dat.file) = 1, 'without a .dat';
    perform test.equal((select business_date from sales.receipt where receipt_id = late.receipt_id),
        yesterday, 'with its own date');
    perform test.equal((select flags from test.take(test.receipt('3'))), '{}', 'today is open');
    perform test.equal((select concat_ws(' ', outcome, flags, dat_name)
        from test.take(test.receipt('2', printed => printed))),
        'duplicate {LATE}', 'a late one again');

    perform test.refused(format('select sales.close_day(%L)', yesterday), '22023', what => 'a day is closed once');
    perform test.refused(format('select sales.close_day(%L)', test.day() + 2),
        '22023', what => 'and not before it begins');
    perform test.refused('select sales.close_day(null)', '22004', what => 'null is no day');
    perform test.refused('select sales.close_day(''infinity'')', '22008', what => 'nor is infinity');
    perform test.equal((select body::jsonb from wire.doc where kind = 'day_close'),
        '{"by": "login:postgres", "why": "counted"}', 'it is a document');

    set local pg_tpv.late_after = 0;
    select * into late from test.take(test.receipt('4', printed => test.stamp(test.at() - interval '2 days')));
    perform test.equal(late.flags, '{LATE}', 'a day may close by itself');
end
$$;
