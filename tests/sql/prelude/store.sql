-- A store in Madrid with four departments and five terminals, and the words that tests speak of it in.
\ir test.sql

set client_min_messages = error;
set role tpv_owner;
select org.register_store(node_id => 1, node_code => 'S01', name => 'Store 1', timezone => 'Europe/Madrid',
    cutoff_hour => 4, currency => 'EUR') \g /dev/null
select org.register_department(code => d.code, name => 'Department ' || d.code)
from (values ('01'), ('02'), ('03'), ('04')) as d (code) \g /dev/null
select org.register_terminal(code => t.code, department_code => t.department)
from (values ('T01', '01'), ('T02', '02'), ('T03', '03'), ('T04', '04'), ('T05', '01')) as t (code, department)
 \g /dev/null
reset role;
reset client_min_messages;

-- When the terminals print: a minute before the test began, so that no clock is ahead.
create table test.clock as select date_trunc('second', now()) - interval '1 minute' as at;

create function test.at() returns timestamptz language sql stable as 'select at from test.clock';

-- The store's wall clock, its business date, and the folder of what is published now.
create function test.local() returns timestamp
    language sql stable as $$ select test.at() at time zone 'Europe/Madrid' $$;
create function test.day() returns date language sql stable as $$ select (test.local() - interval '4 hours')::date $$;
create function test.folder() returns text language sql stable as
$$ select to_char(now() at time zone 'Europe/Madrid', 'YYYYMMDD') $$;

-- An instant as terminals print it.
create function test.stamp(at timestamptz) returns text language sql stable as
$$ select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

-- The same as a body has it: the wall clock of Madrid and its offset.
create function test.stored(at timestamptz) returns text language sql stable as $$
    select to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS') || to_char(local - at at time zone 'UTC', '"+"HH24:MI')
    from (select at at time zone 'Europe/Madrid') as wall (local)
$$;

-- A line, and a receipt of lines. Numbers keep the zeros they are written with.
create function test.item(price numeric default 1.00, quantity numeric default 1, description text default 'PAN',
    barcode text default '8436006836053') returns jsonb language sql stable as $$
    select jsonb_build_object('barcode', barcode, 'description', description, 'price', price, 'quantity', quantity)
$$;
create function test.tree(number text, items jsonb default null, total numeric default null,
    terminal text default 'T01', department text default null, printed text default null) returns jsonb
language sql stable as $$
    select jsonb_build_object('receiptId', number, 'terminalId', terminal,
        'departmentCode', coalesce(department, (select t.department_code from org.terminal t where t.code = terminal)),
        'items', i.items, 'timestamp', coalesce(printed, test.stamp(test.at())), 'total', coalesce(total,
            (select sum(round((i ->> 'price')::numeric * (i ->> 'quantity')::numeric, 2))
                from jsonb_array_elements(i.items) as i)))
    from (select coalesce(items, jsonb_build_array(test.item()))) as i (items)
$$;
create function test.file(tree jsonb) returns bytea
    language sql immutable as $$ select convert_to(tree::text, 'UTF8') $$;
create function test.receipt(number text, items jsonb default null, total numeric default null,
    terminal text default 'T01', department text default null, printed text default null) returns bytea
language sql stable as
$$ select test.file(test.tree(number, items, total, terminal, department, printed)) $$;

-- What a file alone is answered.
create function test.take(file bytea, terminal text default 'T01', name text default null)
returns table ("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea,
    trigger_name text, first_outcome text, flags text[], code text, pointer text, detail text) language sql as
$$ select * from sales.ingest_files(terminal, array[file], array[name]) $$;

-- A line of the legacy layout, printed now in department 01.
create function test.line(description text default 'PAN', cents bigint default 100, thousandths bigint default 1000,
    barcode text default '8436006836053') returns bytea language sql stable as $$
    select convert_to(lpad(barcode, 13, '0') || rpad(description, 20) || lpad(cents::text, 8, '0')
        || lpad(thousandths::text, 7, '0') || '001' || to_char(test.local(), 'DDMMYY'), 'WIN1252')
$$;
