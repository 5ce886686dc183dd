-- Every projection, and the arbiter of numbers, comes out of the documents the same as it went in.

\ir prelude/store.sql
\ir prelude/projections.sql

select test.mixed_work(), test.keep() \g /dev/null

do $$
begin
    create temp table rebuilt as select * from sales.rebuild_projections();
    assert test.difference() is null, test.difference();
    assert (select bool_and(documents = projected and quarantined = 0) from rebuilt), 'nothing was left out';
    perform test.equal((select array_agg((kind, documents)::text order by kind) from rebuilt),
        (select array_agg((kind, documents)::text order by kind)
            from (select kind, count(*) as documents from wire.doc group by kind) as d), 'each document was counted');
end
$$;

-- Whatever had become of the tables.
do $$
begin
    update sales.receipt set total = 77, state = 'voided', flags = '{X}';
    delete from sales.receipt_line where line_number = 1;
    insert into sales.receipt_line values (1, gen_random_uuid(), 1, current_date, 'x', null, 'x', 1, 1, 10, 1);
    truncate sales.receipt_event, sales.receipt_key;
    insert into sales.day_close values (1, current_date, now());
    assert test.difference() is not null, 'a difference would be seen';
    perform sales.rebuild_projections();
    assert test.difference() is null, test.difference();
    assert (select outcome from test.take(test.receipt('1'))) = 'duplicate'
        and (select concat_ws(' ', outcome, first_outcome) from test.take(test.receipt('2', total => 9)))
            = 'duplicate held',
        'the arbiter knows every receipt again';
    assert (select bool_and(intact) from wire.verify_chains()), 'the documents are as they were';
end
$$;
