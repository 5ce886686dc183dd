-- Projections of receipts are written without a statement. What somebody adds to their tables holds
-- at once all the same, in sessions that have written them before: a check, an index, a trigger, a
-- column, a revoked privilege.

\ir prelude/store.sql

create function test.lines(number text) returns bigint language sql as $$
    select count(*) from sales.receipt_line l join sales.receipt r using (node_id, receipt_id)
        where r.receipt_number = number
$$;
create function test.code(number text) returns text language sql as $$
    select q.code from sync.quarantine q join wire.doc d using (node_id, doc_id, business_date)
        where d.body like '%"receiptId":"' || number || '"%'
$$;

select test.take(test.receipt('1')) \g /dev/null

alter table sales.receipt_line add constraint cheap check (price < 100);
select test.take(test.receipt('2', jsonb_build_array(test.item(100)))), test.take(test.receipt('3')) \g /dev/null
do $$
begin
    perform test.equal(test.code('2'), '23514', 'a check that is new holds');
    assert not exists (select from sales.receipt where receipt_number = '2'),
        'and nothing of that receipt is written';
    perform test.equal(test.lines('3'), 1, 'what it lets pass is written');
end
$$;
alter table sales.receipt_line drop constraint cheap;

-- No view may show a column whose type is changed.
set client_min_messages = error;
drop schema own, bi cascade;
reset client_min_messages;
alter table sales.receipt_line alter column price type numeric(6,4);
select test.take(test.receipt('4', jsonb_build_array(test.item(100)))),
    test.take(test.receipt('5', jsonb_build_array(test.item(99.99)))) \g /dev/null
do $$
begin
    perform test.equal(test.code('4'), '22003', 'a number that is out of range now is refused as by an INSERT');
    assert (select price = 99.99 and scale(price) = 4 from sales.receipt_line l
        join sales.receipt r using (receipt_id) where r.receipt_number = '5'),
        'others get the decimals of their column';
end
$$;
alter table sales.receipt_line alter column price type numeric(14,4);

create unique index one_price on sales.receipt_line (price) where price = 7;
select test.take(test.receipt('6', jsonb_build_array(test.item(7)))),
    test.take(test.receipt('7', jsonb_build_array(test.item(7)))) \g /dev/null
do $$
begin
    assert test.lines('6') = 1 and test.code('7') = '23505', 'a unique index that is new holds, where it applies';
end
$$;
drop index sales.one_price;

-- Beyond a plain table: an INSERT is what it gets.
create table test.seen (line_number integer, price numeric);
create function test.see() returns trigger language plpgsql as $$
begin
    insert into test.seen values (new.line_number, new.price);
    return null;
end
$$;
create trigger see after insert on sales.receipt_line for each row execute function test.see();
grant insert on test.seen to tpv_owner;
select test.take(test.receipt('8', jsonb_build_array(test.item(1.25), test.item(2, 3)))) \g /dev/null
do $$
begin
    perform test.equal((select array_agg(s::text order by line_number) from test.seen as s),
        '{"(1,1.2500)","(2,2.0000)"}', 'a trigger that somebody added fires');
    perform test.equal(test.lines('8'), 2, 'and the lines are there');
end
$$;
drop trigger see on sales.receipt_line;

alter table sales.receipt add column checked boolean not null default false;
select test.take(test.receipt('9')) \g /dev/null
do $$
begin
    assert (select not checked from sales.receipt where receipt_number = '9'),
        'a column that is new gets its default';
end
$$;
alter table sales.receipt drop column checked;
select test.take(test.receipt('10')) \g /dev/null
do $$
begin
    perform test.equal(test.lines('10'), 1, 'and when it is gone, all goes on');
end
$$;

-- A privilege that is gone is no fault of the receipt: the session is told, and nothing is kept.
revoke insert on sales.receipt_line from tpv_owner;
do $$
begin
    perform test.take(test.receipt('11'));
    raise exception 'it must not pass';
exception when insufficient_privilege then
    null;
end
$$;
grant insert on sales.receipt_line to tpv_owner;
select test.take(test.receipt('11')) \g /dev/null
do $$
begin
    assert test.lines('11') = 1 and test.code('11') is null, 'with the privilege back it is ingested';
end
$$;
