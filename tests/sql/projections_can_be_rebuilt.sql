-- Every projection, and the arbiter of numbers, is brought to what the documents say, and nothing
-- else is written.

\ir prelude/store.sql
\ir prelude/projections.sql

select test.mixed_work(), test.keep() \g /dev/null

create function test.differences(node integer default null, from_date date default null, to_date date default null,
    dry_run boolean default false) returns text language sql as $$
    select string_agg(concat_ws(' ', projection, missing, wrong, unexplained), ', ')
    from sales.rebuild_projections(node, from_date, to_date, dry_run) where missing + wrong + unexplained + busy > 0
$$;

do $$
begin
    assert test.differences() is null, 'what is right is not written: ' || test.differences();
    assert test.difference() is null, test.difference();
    perform test.equal((select looked_at from sales.rebuild_projections() where projection = 'receipt'),
        (select count(*) from wire.doc where kind = 'receipt'), 'each receipt was looked at');
    assert not exists (select from sales.receipt where xmax::text <> '0' and xmin = pg_current_xact_id()::xid),
        'no row was written';
end
$$;

-- Whatever had become of the tables.
do $$
declare
    told text;
begin
    update sales.receipt set total = 77, state = 'voided', flags = '{X}';
    update sales.receipt set business_date = business_date - 1, printed_at = 'infinity', lines_total = 'NaN'
        where receipt_number = '2';
    delete from sales.receipt where receipt_number = '4';
    delete from sales.receipt_line where line_number = 1;
    update sales.receipt_line set price = 3.3333, quantity = null, description = 'x' where line_number = 2;
    insert into sales.receipt_line values (1, gen_random_uuid(), 1, current_date, 'x', null, 'x', 1, 1, 10, 1);
    insert into sales.receipt_line
    select node_id, receipt_id, 99, business_date, 'x', null, 'x', 1, 1, 10, 1 from sales.receipt limit 3;
    insert into sales.receipt (node_id, receipt_id, business_date, terminal, department, series, receipt_number,
        printed_text, printed_local, printed_at, recorded_at, line_count, total, lines_total, total_difference, state,
        first_outcome, flags)
    select node_id, gen_random_uuid(), business_date, 'T09', '09', '', 'x', '', now(), now(), now(), 1, 1, 1, 0,
        'accepted', 'accepted', '{}' from sales.receipt limit 2;
    delete from sales.receipt_event where kind <> 'intake';
    update sales.receipt_event set body = '{}', kind = 'void' where kind = 'intake';
    insert into sales.receipt_event (node_id, receipt_id, doc_node, doc_id, kind, hlc, body)
    values (1, gen_random_uuid(), 1, gen_random_uuid(), 'void', 1, '{}');
    insert into sales.early_event values (1, gen_random_uuid());
    insert into sales.early_event select node_id, receipt_id from sales.receipt limit 1;
    delete from sales.receipt_key where receipt_number = '1';
    update sales.receipt_key set business_date = business_date + 1, first_outcome = 'held';
    insert into sales.receipt_key (terminal, printed_date, series, receipt_number, receipt_id, business_date,
        content_hash, first_outcome) values ('T01', current_date, '', '777', gen_random_uuid(), current_date, '', 'held');
    insert into sales.day_close values (1, current_date, now());
    update sales.day_close set closed_at = 'infinity' where business_date < current_date;
    assert test.difference() is not null, 'a difference would be seen';
    told := test.differences(dry_run => true);
    assert told is not null, 'a dry run tells the differences';
    perform test.equal(test.differences(dry_run => true), told, 'and writes nothing');
    perform test.differences();
    assert test.difference() is null, test.difference();
    assert test.differences() is null, 'once is enough: ' || test.differences();
    assert (select outcome from test.take(test.receipt('1'))) = 'duplicate'
        and (select concat_ws(' ', outcome, first_outcome) from test.take(test.receipt('2', total => 9)))
            = 'duplicate held',
        'the arbiter knows every receipt again';
    assert (select bool_and(intact) from wire.verify_chains()), 'the documents are as they were';
    assert not exists (select from sync.quarantine where resolved_at is null), 'nothing waits';
end
$$;

-- All of it is lost.
do $$
begin
    truncate sales.receipt, sales.receipt_line, sales.receipt_event, sales.early_event, sales.day_close,
        sales.receipt_key;
    perform test.differences();
    assert test.difference() is null, test.difference();
    -- One kind of row alone.
    truncate sales.receipt;
    perform test.differences();
    assert test.difference() is null, test.difference();
    truncate sales.receipt_event;
    perform test.differences();
    assert test.difference() is null, test.difference();
end
$$;

-- A day alone, and one node alone.
do $$
declare
    day date := test.day();
    others text;
begin
    update sales.receipt set total = 77;
    select string_agg(r::text, ',' order by receipt_id) into others from sales.receipt r where business_date <> day;
    perform test.differences(1, day, day);
    assert not exists (select from sales.receipt where business_date = day and total = 77), 'the day is right';
    perform test.equal((select string_agg(r::text, ',' order by receipt_id) from sales.receipt r where business_date <> day),
        others, 'the others are as they were');
    assert test.differences(2) is null, 'another node has nothing here';
    assert test.differences(from_date => day) is null, 'nor have later days';
    perform test.differences(to_date => day);
    assert test.difference() is null, test.difference();
end
$$;

-- At most so many receipts in a transaction: the next call finds the rest.
do $$
declare
    calls integer := 0;
begin
    truncate sales.receipt, sales.receipt_line;
    loop
        exit when (select sum(missing + wrong + unexplained) = 0 from sales.rebuild_projections(most => 3));
        calls := calls + 1;
        assert calls < 50, 'it comes to an end';
    end loop;
    assert calls > 2, 'in several calls';
    assert test.difference() is null, test.difference();
end
$$;

-- What cannot be asked.
do $$
begin
    perform test.refused($q$ select * from sales.rebuild_projections(1, '2026-07-01', '2026-06-30') $q$, '22023',
        'from_date is after to_date');
    perform test.refused($q$ select * from sales.rebuild_projections(most => 0) $q$, '22023', 'most takes 1 or more%');
end
$$;
begin isolation level repeatable read;
select test.refused($q$ select * from sales.rebuild_projections() $q$, '25001', '%read committed') \g /dev/null
select from sales.rebuild_projections(dry_run => true) \g /dev/null
rollback;
