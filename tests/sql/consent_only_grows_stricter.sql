-- Who saw none may not write all. Only the customer's word makes it looser, and that is on record.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_operator;
insert into party.customer (customer_id, name, consent) values ('00000000-0000-7000-8000-0000000000aa', 'Ana', 'all');
do $$
declare
    aa uuid := '00000000-0000-7000-8000-0000000000aa';
    refused record;
begin
    update party.customer set consent = 'email';
    select * into refused from test.refusal('update party.customer set consent = ''all''');
    assert refused.state = '23514' and refused.message = 'consent of party.customer only grows stricter'
        and refused.hint like '%sync.loosen(''party.customer'', ''00000000-0000-7000-8000-0000000000aa'', ''consent''%', refused::text;
    update party.customer set consent = 'none', name = 'Anna';
    update party.customer set consent = 'none', name = 'Ana';

    assert (select state from test.refusal(format('select sync.loosen(''party.customer'', %L, ''consent'', ''all'', '''')', aa))) = '22023';
    assert (select state from test.refusal(format('select sync.loosen(''party.customer'', %L, ''name'', ''x'', ''her word'')', aa))) = '22023';
    assert (select state from test.refusal('select sync.loosen(''party.customer'', gen_random_uuid(), ''consent'', ''all'', ''her word'')')) = 'P0002';
    assert (select state from test.refusal(format('select sync.loosen(''party.customer'', %L, ''consent'', ''fax'', ''her word'')', aa))) = '23514';
    perform sync.loosen('party.customer', aa, 'consent', 'email', 'she signed the form of 3 May');
    assert (select consent from party.customer) = 'email';
    assert (select array_agg(concat(column_name, ' ', value, ' ', why)) from sync.loosening) = '{"consent email she signed the form of 3 May"}';
    assert (select state from test.refusal('update party.customer set consent = ''all''')) = '23514', 'only what was said, and only once';
    assert (select state from test.refusal('insert into sync.loosening (table_name, key, column_name, value, why) values ('''', gen_random_uuid(), '''', '''', ''x'')')) = '42501';
end
$$;
reset role;

-- Two nodes at once: the stricter holds, and a person who restores the other one needs the customer's word as well.
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    assert test.arrives(1, 1, 10, 'party.customer', ana, '{"consent": "none"}', '{}');
    assert test.customer(ana) ->> 'consent' = 'none';
    assert (select state from test.refusal(format('select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where not chosen'))) = '23514';
    assert test.customer(ana) ->> 'consent' = 'none';
    perform sync.loosen('party.customer', ana::uuid, 'consent', 'email', 'her word');
    assert test.customer(ana) ->> 'consent' = 'email';
end
$$;
select count(*) = 0 as settled from sync.sibling \gset
\if :settled \else \quit 3 \endif
