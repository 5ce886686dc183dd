-- Supervisors and managers of a store release, void, withdraw, render again and close days, each within
-- the scope of the role. What they may not see is not there.

\ir prelude/store.sql
\ir prelude/people.sql

select test.hire('sup', 'supervisor', 1), test.hire('fish', 'supervisor', 1, '02'), test.hire('boss', 'manager', 1),
    test.hire('man', 'manager', 1, '01'), test.hire('cash', 'cashier', 1), test.hire('lease', 'concessionaire', 1, '02', test.day()),
    test.hire('chief', 'manager') \g /dev/null
grant select on test.clock to public;
create table test.ticket as select 'held' as name, receipt_id from test.take(test.receipt('1', total => 9));
insert into test.ticket select 'held too', receipt_id from test.take(test.receipt('2', total => 9));
insert into test.ticket select 'good', receipt_id from test.take(test.receipt('3'));
insert into test.ticket select 'fish', receipt_id from test.take(test.receipt('4', terminal => 'T02'), 'T02');
select count(*) from unnest(array['T01', 'T02', 'T99']) t cross join lateral test.take('garbage', t) \g /dev/null
-- Of another store, as central has them.
insert into org.node values (7, 'S07', 'store');
insert into org.store (node_id, code, name, timezone, cutoff_hour, currency, gateway_url)
values (7, 'S07', 'Store 7', 'Europe/Madrid', 4, 'EUR', 'https://s07.example');
insert into sales.receipt select 7, '0197a2b0-0000-7000-8000-000000000007', business_date, 'T01', '01', '', '1', printed_text, printed_local,
    printed_at, recorded_at, 1, 1, 1, 0, 'held', 'held', 'TOTAL_MISMATCH', '', '', '{}' from sales.receipt limit 1;
create function test.ticket(name text) returns uuid language sql stable security definer as
$$ select receipt_id from test.ticket t where t.name = ticket.name $$;
create function test.about(name text, more jsonb default '{"why": "counted"}') returns jsonb language sql stable as
$$ select jsonb_build_object('receipt_id', test.ticket(name)) || more $$;

set session authorization tpv_gateway_user;

do $$
declare
    answer jsonb;
begin
    perform test.enter('sup', 'supervisor');
    perform test.equal(test.faults(format('select own.release(%L)', '{}')), 'TP422 /receipt_id missing, /why missing', 'all faults at once');
    perform test.equal(test.faults(format('select own.release(%L)', '[]')), 'TP422  type, /receipt_id missing, /why missing', 'no object');
    perform test.equal(test.faults(format('select own.release(%L)', '{"receipt_id": 5, "why": " ", "file_name": "a/b", "a/b": 1}')),
        'TP422 /a~1b unknown, /file_name format, /receipt_id format, /why format', 'each with its place');
    answer := own.release(test.about('held'));
    perform test.equal(jsonb_build_array(answer -> 'state', answer -> 'total', answer -> 'lines_total', answer -> 'receipt_number', answer -> 'node_id'),
        '["released", "9.00", "1.00", "1", 1]'::jsonb, 'the receipt, its amounts as text');
    assert answer ->> 'printed_at' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$', 'instants of UTC';
    perform test.equal(test.faults(format('select own.release(%L)', test.about('held'))), 'TP409 state', 'it is released already');
    perform test.equal(test.faults(format('select own.release(%L)', test.about('good'))), 'TP409 state', 'it was never held');
    perform test.equal(own.withdraw(test.about('good')) ->> 'state', 'accepted', 'the .dat is withdrawn');
    perform test.equal(test.faults(format('select own.withdraw(%L)', test.about('good'))), 'TP409 state', 'once');
    perform own.render_again(test.about('good'));
    perform test.equal(own.void(test.about('held too')) ->> 'state', 'voided', 'voided');
    perform test.equal(test.faults(format('select own.void(%L)', test.about('held too'))), 'TP409 state', 'once');
    perform test.equal(test.faults(format('select own.void(%L)', jsonb_build_object('receipt_id', gen_random_uuid(), 'why', 'x'))), 'TP404', 'no receipt');
    perform test.equal(test.faults($q$select own.void('{"receipt_id": "0197a2b0-0000-7000-8000-000000000007", "why": "x"}')$q$), 'TP404',
        'a receipt of another store is hidden');
    perform test.refused('select own.close_day(''{}'')', '42501', what => 'a manager''s');
    perform test.equal((select array_agg(concat_ws(' ', kind, actor) order by at, kind) from own.receipt_event where receipt_id = test.ticket('held')),
        array['intake', 'release employee:' || test.employee('sup')]::text[], 'who decided is on record');
    perform test.equal((select array_agg(concat_ws(' ', terminal, department) order by terminal) from own.rejected), '{T01 01,T02 02,T99}'::text[], 'refused files');
    perform test.equal((select array_agg(state order by state) from own.dat_file), '{pending,pending,published}'::text[], 'files for the checkout');
end
$$;
do $$
begin
    perform test.enter('fish', 'supervisor');
    perform test.equal(test.faults(format('select own.void(%L)', test.about('good'))), 'TP404', 'another department''s');
    perform test.equal((select array_agg(terminal) from own.rejected), '{T02}'::text[], 'files of her department');
    perform test.equal((select array_agg(terminal) from own.raw), '{T02}'::text[], 'of her department');
    perform test.equal(own.void(test.about('fish')) ->> 'state', 'voided', 'her own');
end
$$;
do $$
begin
    perform test.enter('lease', 'concessionaire');
    perform test.equal((select array_agg(department) from own.receipt), '{02}'::text[], 'her own sales');
    perform test.equal((select array_agg(terminal) from own.raw), '{T02}'::text[], 'her own files');
end
$$;
do $$
begin
    perform test.enter('chief', 'manager');
    perform test.refused($q$select own.void('{"receipt_id": "0197a2b0-0000-7000-8000-000000000007", "why": "x"}')$q$, 'TP409', detail_like => '%"decided-by-store"%');
    perform test.refused($q$select own.void('{"receipt_id": "0197a2b0-0000-7000-8000-000000000007", "why": "x"}')$q$, 'TP409', detail_like => '%"https://s07.example"%');
end
$$;
do $$
declare
    day text := to_char(test.day() - 2, 'YYYY-MM-DD');
begin
    perform test.enter('boss', 'manager');
    perform test.equal(test.faults('select own.close_day(''{"business_date": "2026-02-30"}'')'), 'TP422 /business_date format', 'no day');
    perform test.equal(own.close_day(jsonb_build_object('business_date', day)) - 'closed_at', jsonb_build_object('node_id', 1, 'business_date', day), 'closed');
    perform test.equal(test.faults(format('select own.close_day(%L)', jsonb_build_object('business_date', day))), 'TP409 state', 'once');
    perform test.equal(test.faults(format('select own.close_day(%L)', jsonb_build_object('business_date', '2099-01-01'))), 'TP409 state', 'not one that is to come');
end
$$;
do $$
begin
    perform test.enter('man', 'manager');
    perform test.equal(test.faults('select own.close_day(''{"business_date": "2026-01-01"}'')'), 'TP403', 'a department does not close the store''s day');
end
$$;
