-- One number that PostgreSQL cannot hold was merged into the heads, and from then on what a stolen machine had
-- written could be neither listed nor undone. The same for a patch that says it is blank, and has values.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into org.node values (1, 'S01', 'store'), (2, 'S02', 'store');
insert into party.customer (customer_id, name, phone, credit_limit) values ('00000000-0000-7000-8000-0000000000a1', 'Ana', '600', 10);
create function test.key() returns text language sql as $$ select '00000000-0000-7000-8000-0000000000a1' $$;
-- A patch as text, which a jsonb may not hold.
create function test.comes(seq bigint, patch text, base text default '{}') returns void language plpgsql as $$
declare
    item bigint;
begin
    alter table wire.op disable trigger _100_receive;
    insert into wire.op values (2, seq, 1, 'party.customer', test.key(), patch, base);
    alter table wire.op enable always trigger _100_receive;
    insert into sync.quarantine (node_id, seq, kind, code, detail, key) values (2, seq, 'party.customer', 'OPERATION_NEW', 'it has just come', test.key())
        returning quarantine_id into item;
    perform sync.replay(item);
end $$;
create function test.since() returns timestamptz language sql as $$ select '-infinity'::timestamptz $$;

do $$ begin
    perform test.comes(1, '{"credit_limit":1e400000}');
    perform test.comes(2, '{"tax_id":1e-20000}');
    perform test.comes(3, '{"@blank":true,"phone":"666"}');
    perform test.comes(4, '{"name":"Nobody"}');
    perform test.equal((select array_agg(concat_ws(' ', seq, code) order by seq) from sync.quarantine where resolved_at is null),
        '{1 OPERATION_PATCH,2 OPERATION_PATCH,3 OPERATION_PATCH}'::text[], 'they are not merged');
    perform test.equal((select concat_ws(' ', phone, credit_limit) from party.customer), '600 10.00', 'and change nothing');
    perform test.equal((select array_agg(concat_ws(' ', seq, column_name, state) order by seq) from sync.written_by('S02', null, 1)),
        '{"1 waits","2 waits","3 waits","4 name stands"}'::text[], 'all of it is listed');
end $$;

-- It may be among the heads: it was sent in a snapshot, or came to an older version.
alter table sync.head disable trigger _100_guard;
update sync.head set heads = jsonb_set(heads::jsonb, '{credit_limit}', (heads::jsonb -> 'credit_limit') || '[[2, 9, 1, 0]]')::text where key = test.key();
update sync.head set heads = replace(heads, '[2, 9, 1, 0]', '[2,9,1,1e400000]') where key = test.key();
alter table sync.head enable always trigger _100_guard;
do $$
begin
    perform test.equal((select value_written from sync.written_by('S02', null, 1) where seq = 9),
        jsonb_build_object('unreadable', encode(sha256('1e400000'), 'hex')), 'of such a value its hash is shown');
    perform test.equal((select array_agg(concat_ws(' ', seq, column_name, value, outcome) order by seq) from sync.undo_written('S02', null, 'report 4711', 1) where column_name is not null),
        '{"4 name \"Ana\" restored","9 credit_limit 10.00 restored"}'::text[], 'and it is undone');
    perform test.equal((select concat_ws(' ', name, credit_limit) from party.customer), 'Ana 10.00', 'as it was');
end $$;
