-- A loser is written again: the row shows it at once, the operation comes with the commit and has
-- seen all values.
\ir prelude/central.sql
\ir prelude/arrivals.sql

do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(1, 1, 10, 'party.customer', ana,
        '{"@exists": true, "name": "Ana", "phone": "1", "credit_limit": 10.50}');
    perform test.arrives(2, 1, 20, 'party.customer', ana, '{"phone": "2", "name": "Anna", "credit_limit": 20}');
    perform test.arrives(1, 2, 20, 'party.customer', ana, '{"address": {"street": "A", "city": "X"}}');
    perform test.arrives(2, 2, 30, 'party.customer', ana, '{"address": {"street": "B", "city": "Y"}}');
    perform test.equal((select count(*) from sync.sibling where not chosen), 4, 'four values lost');
end
$$;
begin;
-- All of one statement, also the group; one is edited in the same transaction, before or after.
update party.customer set name = 'Ann';
select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling
    where node_id = 1 \g /dev/null
update party.customer set phone = '3';
do $$
begin
    perform test.equal((select (name, phone, credit_limit, street, city)::text from party.customer),
        '(Ana,3,10.50,A,X)', 'the row shows the values that had lost, before the commit');
end
$$;
commit;
do $$
begin
    perform test.equal((select count(*) from sync.sibling), 0, 'no conflict is left');
    perform test.equal((select (name, phone, credit_limit, street, city)::text from party.customer),
        '(Ana,3,10.50,A,X)', 'the row shows the values that had lost, after the commit');
    perform test.equal((select array_agg(concat_ws(' ', h.key, h.value -> 0 ->> 3, jsonb_array_length(h.value))
        order by h.key)
        from sync.head s, jsonb_each(s.heads::jsonb) h
        where s.table_name = 'party.customer' and h.key in ('name', 'phone', 'credit_limit')),
        array['credit_limit 10.50 1', 'name Ana 1', 'phone 3 1'], 'each register has one head');
    perform test.equal((select count(*) from sync.head where contested), 0, 'no entity is contested');
    perform test.equal((select array_agg(concat_ws(' ', column_name, node_id) order by column_name)
        from sync.resolution),
        array['address 1', 'credit_limit 1', 'name 1', 'phone 1'], 'each resolution is on record');
    perform test.refused(
        $q$select sync.resolve_conflict('party.customer', '00000000-0000-7000-8000-0000000000aa', 'phone', 1, 1)$q$,
        '22023', what => 'what is resolved is not resolved again');
end
$$;
-- One that is under review is resolved by choosing what is shown already.
do $$
begin
    perform test.arrives(2, 3, 40, 'party.customer', '00000000-0000-7000-8000-0000000000aa', '{"credit_limit": 30}');
    perform sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where chosen;
end
$$;
do $$
declare
    only_head jsonb := (select heads::jsonb -> 'credit_limit' -> 0 from sync.head where table_name = 'party.customer');
begin
    perform test.equal((select count(*) from sync.sibling), 0, 'no conflict is left');
    perform test.refused(format('select sync.resolve_conflict(%L, %L, %L, %s, %s)', 'party.customer',
        '00000000-0000-7000-8000-0000000000aa', 'credit_limit', only_head ->> 0, only_head ->> 1),
        '22023', 'it is the only value%', 'there is nothing to resolve where there is one value');
end
$$;
