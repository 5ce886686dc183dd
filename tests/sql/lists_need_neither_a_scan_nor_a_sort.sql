-- Three stores with 100,000 receipts each. The gateway's lists begin at an index on their store, or
-- store and department, and read a page of it. A view holds its order, since a barrier is planned
-- without its reader's ORDER BY.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(n, 'S0' || n, 'D0 D1 D2 D3') from generate_series(1, 3) n \g /dev/null
select test.hire('boss', 'manager', 2), test.hire('fish', 'cashier', 2, 'D1'), test.hire('lease', 'concessionaire', 2, 'D1', '2026-03-01') \g /dev/null

begin;
set local synchronous_commit = off;
set local session_replication_role = replica;
insert into sales.receipt
select n, ('0197a2b0-' || lpad(to_hex(i / 65536), 4, '0') || '-7000-8000-' || lpad(to_hex(i % 65536), 4, '0') || lpad(to_hex(n), 8, '0'))::uuid,
    date '2026-01-01' + i / 500, 'T0' || i % 5, 'D' || i % 4, '', (i / 5)::text, 'x', now(), now(), now(), 2, 1, 1, 0,
    case when i % 1000 = 0 then 'held' else 'accepted' end, 'accepted', null, null, null, '{}'
from generate_series(1, 100000) i cross join generate_series(1, 3) n order by i, n;
insert into sales.receipt_line (node_id, receipt_id, line_number, business_date, barcode, description, price, total)
select node_id, receipt_id, 1, business_date, '1', 'x', 1, 1 from sales.receipt;
insert into party.customer (name, email, phone) select md5(i::text), i || '@x.example', i::text from generate_series(1, 50000) i;
insert into party.customer (name, email, phone) values ('Zoë', 'One@x.example', '600 000 001');
commit;
analyze sales.receipt, sales.receipt_line, party.customer;

-- How many rows a statement reads from tables and sorts, at most; the plan when it is more.
create function test.reads(statement text, most integer) returns void language plpgsql as $$
declare
    plan jsonb;
    scanned bigint;
    sorted bigint;
    all_of_it text;
begin
    execute 'explain (analyze, timing off, format json) ' || statement into plan;
    select max((n ->> 'Actual Rows')::numeric * (n ->> 'Actual Loops')::numeric + coalesce((n ->> 'Rows Removed by Filter')::numeric, 0))
        filter (where n ->> 'Node Type' ~ 'Scan' and n ->> 'Node Type' !~ 'Subquery'),
        max((n ->> 'Actual Rows')::numeric) filter (where n ->> 'Node Type' ~ 'Sort'),
        string_agg(concat_ws(' ', n ->> 'Node Type', n ->> 'Relation Name', n ->> 'Actual Rows'), '; ')
        into scanned, sorted, all_of_it
    from jsonb_path_query(plan, 'strict $.**') n where jsonb_typeof(n) = 'object' and n ? 'Node Type';
    assert all_of_it !~ 'Seq Scan (receipt|receipt_line|customer)' and scanned <= most and coalesce(sorted, 0) <= most,
        concat_ws(' ', 'it reads', scanned, 'rows:', statement, all_of_it);
end
$$;

set session authorization tpv_gateway_user;
do $$
declare
    at uuid := '0197a2b0-0000-7000-8000-c35000000002';
begin
    perform test.enter('boss', 'manager');
    perform test.reads('select * from own.receipt where node_id = 2 limit 51', 60);
    perform test.reads(format('select * from own.receipt where node_id = 2 and receipt_id < %L limit 51', at), 60);
    perform test.reads('select * from own.receipt where node_id = 2 and department = ''D1'' limit 51', 60);
    perform test.reads(format('select * from own.receipt where node_id = 2 and department = ''D1'' and receipt_id < %L limit 51', at), 60);
    perform test.reads('select * from own.receipt where node_id = 2 and receipt_number = ''777'' limit 51', 60);
    perform test.reads('select * from own.receipt where node_id = 2 and state = ''held'' limit 51', 200);
    perform test.reads('select * from own.receipt where node_id = 2 and business_date = ''2026-02-01'' limit 51', 1000);
    perform test.reads(format('select * from own.receipt where node_id = 2 and receipt_id = %L', at), 1);
    perform test.reads(format('select * from own.receipt_line where node_id = 2 and receipt_id = %L limit 2000', at), 5);
    perform test.reads(format('select * from own.receipt_event where node_id = 2 and receipt_id = %L limit 200', at), 5);
    perform test.reads('select * from own.customer where name_key ^@ lower(''ABC'') limit 51', 100);
    perform test.reads('select * from own.customer where email_key = lower(''ONE@x.example'') limit 51', 5);
    perform test.reads('select * from own.customer where phone_key = ''600 000 001'' limit 51', 5);
    perform test.reads('select * from own.customer limit 51', 60);
    perform test.reads('select * from own.customer where (name_key, customer_id) > (lower(''ABC''), ''00000000-0000-7000-8000-000000000000'') limit 51', 60);
    -- And the order is the one that is promised.
    perform test.equal((select array_agg(receipt_id) from (select receipt_id from own.receipt where node_id = 2 limit 3) r),
        (select array_agg(receipt_id order by receipt_id desc) from (select receipt_id from own.receipt where node_id = 2 and business_date >= '2026-07-15'
            order by receipt_id desc limit 3) r), 'the newest first');
    perform test.equal((select array_agg(name) from (select name from own.customer where name_key ^@ 'ab' limit 3) c),
        (select array_agg(name order by name) from (select name from own.customer where name_key ^@ 'ab' order by name limit 3) c), 'by name');
    perform test.equal((select array_agg(name) from own.customer where email_key = 'one@x.example'), '{Zoë}', 'whatever its case');
    perform test.equal((select array_agg(name) from own.customer where name_key ^@ lower('ZOË')), '{Zoë}', 'whatever its case');
end
$$;
do $$
begin
    perform test.enter('fish', 'cashier');
    perform test.reads('select * from own.receipt where node_id = 2 and department = ''D1'' limit 51', 60);
    perform test.equal((select count(*) from (select from own.receipt where node_id = 2 and department = 'D2' limit 51) r), 0, 'nothing of another department');
end
$$;
do $$
begin
    perform test.enter('lease', 'concessionaire');
    perform test.reads('select * from own.receipt where node_id = 2 and department = ''D1'' limit 51', 60);
end
$$;
-- Planned once for all values, as the gateway's statements come to be.
set plan_cache_mode = force_generic_plan;
prepare newest (integer, uuid, bigint) as select * from own.receipt where node_id = $1 and receipt_id < $2 limit $3;
prepare of_department (integer, text, uuid, bigint) as select * from own.receipt where node_id = $1 and department = $2 and receipt_id < $3 limit $4;
do $$
begin
    perform test.enter('boss', 'manager');
    perform test.reads('execute newest (2, ''0197a2b0-0000-7000-8000-c35000000002'', 51)', 60);
    perform test.reads('execute of_department (2, ''D1'', ''0197a2b0-0000-7000-8000-c35000000002'', 51)', 60);
end
$$;
