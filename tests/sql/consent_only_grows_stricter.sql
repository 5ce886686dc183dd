-- Who saw none may not write all. Only the customer's word makes it looser, and that is on record.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_operator;
insert into party.customer (customer_id, name, consent) values ('00000000-0000-7000-8000-0000000000aa', 'Ana', 'all');
do $$
declare
    aa uuid := '00000000-0000-7000-8000-0000000000aa';
begin
    update party.customer set consent = 'email';
    perform test.refused('update party.customer set consent = ''all''',
        '23514', 'consent of party.customer only grows stricter', 'it is not loosened by an update',
        hint_like => '%sync.loosen(''party.customer'', ''00000000-0000-7000-8000-0000000000aa'', ''consent''%');
    update party.customer set consent = 'none', name = 'Anna';
    update party.customer set consent = 'none', name = 'Ana';

    perform test.refused(format('select sync.loosen(''party.customer'', %L, ''consent'', ''all'', '''')', aa),
        '22023', what => 'a reason is required');
    perform test.refused(format('select sync.loosen(''party.customer'', %L, ''name'', ''x'', ''her word'')', aa),
        '22023', what => 'a name has no scale');
    perform test.refused(
        $q$select sync.loosen('party.customer', gen_random_uuid(), 'consent', 'all', 'her word')$q$,
        'P0002', what => 'nobody has that key');
    perform test.refused(format('select sync.loosen(''party.customer'', %L, ''consent'', ''fax'', ''her word'')', aa),
        '23514', what => 'there is no such consent');
    perform sync.loosen('party.customer', aa, 'consent', 'email', 'she signed the form of 3 May');
    perform test.equal((select consent from party.customer), 'email', 'it is loosened on her word');
    perform test.equal((select array_agg(concat_ws(' ', column_name, value, why)) from journal.loosening),
        array['consent email she signed the form of 3 May'], 'which is on record');
    perform test.refused('update party.customer set consent = ''all''', '23514',
        what => 'only what was said, and only once');
    perform test.refused($q$insert into sync.loosening (table_name, key, column_name, value, why)
        values ('', gen_random_uuid(), '', '', 'x')$q$, '42501', what => 'nobody writes that record by hand');
end
$$;
reset role;

-- Two nodes at once: the stricter holds, and a person who restores the other one needs the
-- customer's word as well.
do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.arrives(1, 1, 10, 'party.customer', ana, '{"consent": "none"}');
    perform test.equal(test.customer(ana) ->> 'consent', 'none', 'the stricter holds');
    perform test.refused(
        'select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where not chosen',
        '23514', what => 'a looser value is not restored without her word');
    perform test.equal(test.customer(ana) ->> 'consent', 'none', 'the stricter still holds');
    perform sync.loosen('party.customer', ana::uuid, 'consent', 'email', 'her word');
    perform test.equal(test.customer(ana) ->> 'consent', 'email', 'it is loosened on her word');
end
$$;
do $$
begin
    perform test.equal((select count(*) from sync.sibling), 0, 'no conflict is left');
end
$$;
