-- Keeps the projections as they are, tells how they differ from what was kept, and makes work that
-- touches all of them.

create function test.projections() returns text[] language sql immutable as $$
    select array['receipt', 'receipt_line', 'receipt_tax', 'receipt_event', 'early_event', 'day_close', 'receipt_key']
$$;

create function test.keep() returns void language plpgsql as $$
declare
    name text;
begin
    foreach name in array test.projections() loop
        execute format('drop table if exists test.kept_%1$s; create table test.kept_%1$s as table sales.%1$I', name);
    end loop;
end
$$;

-- Every row that is only on one side, as text; null when there is none.
create function test.difference(variadic names text[] default test.projections()) returns text language plpgsql as $$
declare
    name text;
    found text;
    difference text;
begin
    foreach name in array names loop
        execute format('select string_agg(d::text, e''\n'') from (
            (select ''missing'', * from test.kept_%1$s except all select ''missing'', * from sales.%1$I) union all
            (select ''added'', * from sales.%1$I except all select ''added'', * from test.kept_%1$s)) as d', name)
            into found;
        difference := concat_ws(e'\n', difference, name || ': ' || found);
    end loop;
    return nullif(difference, '');
end
$$;

-- Accepted, flagged, held, released, voided, undone, in conflict, late, taxed, refused, of several
-- terminals and days.
create function test.mixed_work() returns void language plpgsql as $$
declare
    id uuid;
    yesterday text := test.stamp(test.at() - interval '1 day');
begin
    set local client_min_messages = error;
    perform sales.ingest_files('T01', array[
        test.receipt('1'), 'garbage', test.receipt('2', total => 9), test.receipt('3', total => 9),
        test.receipt('1', jsonb_build_array(test.item(2))),
        test.receipt('4', jsonb_build_array(test.item(0), test.item(3, 0.333)), 0.99),
        test.receipt('1'), test.receipt('5', jsonb_build_array(test.item(7))),
        test.receipt('6', jsonb_build_array(test.item(7, -1)))], null);
    perform sales.ingest_files('T02', array[
        test.receipt('1', terminal => 'T02'), test.receipt('2', printed => yesterday, terminal => 'T02'),
        test.receipt('3', terminal => 'T02', printed => test.stamp(test.at() - interval '1 month')),
        test.receipt('4', terminal => 'T02', printed => '2000-01-01T10:00:00'),
        test.file(test.tree('5', jsonb_build_array(
                test.item(1.10) || '{"taxRate": 10}', test.item(2.10) || '{"taxRate": 4.0}', test.item()),
            terminal => 'T02') || '{"series": "R", "odd": [1.50]}')], null);
    perform sales.ingest_files('T05', array[
        test.receipt('1', jsonb_build_array(test.item(5)), terminal => 'T05')], null);
    perform sales.close_day(test.day() - 1, 'counted');
    perform test.take(test.receipt('9', printed => yesterday, terminal => 'T03'), 'T03');
    for id in select receipt_id from sales.held where hold_code = 'TOTAL_MISMATCH' order by receipt_number limit 1 loop
        perform sales.release(id, 'counted');
    end loop;
    for id in select receipt_id from sales.held where hold_code = 'DUP_CONFLICT' loop
        perform sales.void(id, 'a copy');
    end loop;
    for id in select receipt_id from sales.held where hold_code = 'NAME_COLLISION' loop
        perform sales.release(id, 'under another name', 'other.dat');
        perform sales.void(id, 'after all not');
    end loop;
    select receipt_id into strict id from sales.receipt where terminal = 'T01' and receipt_number = '1'
        and state = 'accepted';
    perform dat.withdraw(id, 'test');
    perform dat.render_again(id, 'test');
    perform dat.render_again(id, 'again');
    assert (select array_agg(distinct state order by state) from sales.receipt) = '{accepted,held,released,voided}',
        'all states are there';
    assert (select array_agg(distinct kind order by kind) from wire.doc)
        = '{day_close,intake,receipt,release,render,void,withdraw}',
        'all kinds are there';
end
$$;
