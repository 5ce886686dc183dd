-- A loser is written again: the row shows it at once, the operation comes with the commit and has seen all values.
\ir prelude/central.sql
\ir prelude/arrivals.sql

do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    assert test.arrives(1, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "phone": "1", "credit_limit": 10.50}');
    assert test.arrives(2, 1, 20, 'party.customer', ana, '{"phone": "2", "name": "Anna", "credit_limit": 20}');
    assert test.arrives(1, 2, 20, 'party.customer', ana, '{"address": {"street": "A", "city": "X"}}');
    assert test.arrives(2, 2, 30, 'party.customer', ana, '{"address": {"street": "B", "city": "Y"}}');
    assert (select count(*) from sync.sibling where not chosen) = 4;
end
$$;
begin;
-- All of one statement, also the group; one is edited in the same transaction, before or after.
update party.customer set name = 'Ann';
select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where node_id = 1 \g /dev/null
update party.customer set phone = '3';
do $$
begin
    assert (select (name, phone, credit_limit, street, city) from party.customer)::text = '(Ana,3,10.50,A,X)';
end
$$;
commit;
do $$
begin
    assert (select count(*) from sync.sibling) = 0;
    assert (select (name, phone, credit_limit, street, city) from party.customer)::text = '(Ana,3,10.50,A,X)';
    assert (select array_agg(h.key || ' ' || (h.value -> 0 ->> 3) || ' ' || jsonb_array_length(h.value) order by h.key) from sync.head s, jsonb_each(s.heads::jsonb) h
        where s.table_name = 'party.customer' and h.key in ('name', 'phone', 'credit_limit')) = '{"credit_limit 10.50 1","name Ana 1","phone 3 1"}';
    assert (select count(*) from sync.head where contested) = 0;
    assert (select array_agg(column_name || ' ' || node_id order by column_name) from sync.resolution) = '{"address 1","credit_limit 1","name 1","phone 1"}';
    assert (select state from test.refusal($q$select sync.resolve_conflict('party.customer', '00000000-0000-7000-8000-0000000000aa', 'phone', 1, 1)$q$)) = '22023';
end
$$;
-- One that is under review is settled by choosing what is shown already.
do $$
begin
    assert test.arrives(2, 3, 40, 'party.customer', '00000000-0000-7000-8000-0000000000aa', '{"credit_limit": 30}');
    perform sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where chosen;
end
$$;
do $$
begin
    assert (select count(*) from sync.sibling) = 0;
    assert (select refused.message from sync.head h
             cross join lateral (select h.heads::jsonb -> 'credit_limit' -> 0 as head) as first
             cross join lateral test.refusal(format('select sync.resolve_conflict(%L, %L, %L, %s, %s)',
               h.table_name, h.key, 'credit_limit', first.head ->> 0, first.head ->> 1)) refused
             where h.table_name = 'party.customer') like 'it is the only value%';
end
$$;
