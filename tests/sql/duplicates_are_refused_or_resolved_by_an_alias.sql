-- Two customers with one e-mail: refused where it can be seen; what two nodes made is shown, and
-- one becomes an alias.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_operator;
insert into party.customer (customer_id, name, email)
values ('00000000-0000-7000-8000-0000000000aa', 'Ana', 'ana@example.org');
insert into party.customer (customer_id, name)
values ('00000000-0000-7000-8000-0000000000bb', 'Bob'), ('00000000-0000-7000-8000-0000000000cc', 'Carl');
do $$
begin
    perform test.refused($q$insert into party.customer (name, email) values ('Anna', 'ANA@example.org')$q$,
        '23505', 'there is a row of party.customer with this email already', 'a second customer with her address',
        hint_like => '%00000000-0000-7000-8000-0000000000aa%');
    perform test.refused($q$update party.customer set email = 'ana@example.org' where name = 'Bob'$q$,
        '23505', what => 'another customer gets her address');
    update party.customer set email = 'ana@example.org', name = 'Ana M.' where name = 'Ana';
    update party.customer set deleted = true where name = 'Ana M.';
    update party.customer set email = 'Ana@example.org' where name = 'Bob';
    perform test.refused($q$update party.customer set deleted = false where name = 'Ana M.'$q$,
        '23505', what => 'she comes back while another one has her address');
    update party.customer set email = null where name = 'Bob';
    update party.customer set deleted = false where name = 'Ana M.';
    perform test.equal((select count(*) from sync.duplicate), 0, 'there are no duplicates');
end
$$;
reset role;

do $$
begin
    -- A store that did not know of her.
    perform test.arrives(1, 1, 10, 'party.customer', '00000000-0000-7000-8000-0000000000dd',
        '{"@exists": true, "name": "Anna", "email": "Ana@Example.org"}');
    perform test.arrives(2, 1, 10, 'party.customer', '00000000-0000-7000-8000-0000000000ee',
        '{"@exists": true, "name": "A.", "email": "ana@example.org"}');
end
$$;
set role tpv_operator;
do $$
declare
    aa uuid := '00000000-0000-7000-8000-0000000000aa';
    dd uuid := '00000000-0000-7000-8000-0000000000dd';
    ee uuid := '00000000-0000-7000-8000-0000000000ee';
    statement text;
begin
    perform test.equal((select (table_name, kind, keys, shared)::text from sync.duplicate),
        format('(party.customer,email,"{%s,%s,%s}","{""email"": ""ana@example.org""}")', aa, dd, ee),
            'all three are shown');
    -- Each may be edited meanwhile, as long as it does not become more.
    update party.customer set name = 'Anna!' where customer_id = dd;
    perform sync.make_alias('party.customer', dd, aa);
    perform sync.make_alias('party.customer', ee, dd);
    perform test.equal((select count(*) from sync.duplicate), 0, 'aliases are no duplicates');
    perform test.equal(sync.canonical_key('party.customer', ee), aa, 'an alias of an alias');
    perform test.equal(sync.canonical_key('party.customer', aa), aa, 'a row that is no alias stands for itself');
    perform test.equal(sync.canonical_key('catalog.tax', aa), aa, 'a table without aliases');
    -- Two people who resolved it in opposite ways: all of it is one, and its smallest key stands for it.
    perform sync.make_alias('party.customer', aa, ee);
    perform test.equal(sync.canonical_key('party.customer', ee), aa, 'in a ring the smallest key stands for all');
    perform test.equal(sync.canonical_key('party.customer', dd), aa, 'wherever one begins');
    perform sync.make_alias('party.customer', aa, null);
    -- After all it was none: both are shown again.
    perform sync.make_alias('party.customer', ee, null);
    perform test.equal((select keys from sync.duplicate), array[aa, ee],
        'what is no alias any more is a duplicate again');
    perform sync.make_alias('party.customer', ee, dd);
    foreach statement in array array[format('select sync.make_alias(''party.customer'', %L, %L)', aa, aa),
        format('select sync.make_alias(''party.customer'', %L, gen_random_uuid())', aa),
        'select sync.make_alias(''catalog.tax'', gen_random_uuid(), null)']
    loop
        perform test.refused(statement, '22023');
    end loop;
    perform test.refused('select sync.make_alias(''party.customer'', gen_random_uuid(), null)',
        'P0002', what => 'nobody has that key');
end
$$;
reset role;

-- It is an operation like every other: of two that were made at once the smaller key holds, and a
-- person is told.
do $$
declare
    dd text := '00000000-0000-7000-8000-0000000000dd';
begin
    perform test.equal((select patch from wire.op where node_id = 100 and key = dd and patch like '%@alias%'),
        '{"@alias":"00000000-0000-7000-8000-0000000000aa"}', 'an alias is an operation');
    perform test.arrives(2, 2, 20, 'party.customer', dd, '{"@alias": "00000000-0000-7000-8000-0000000000ee"}');
    perform test.equal(test.customer(dd) ->> 'alias_of', '00000000-0000-7000-8000-0000000000aa',
        'the smaller key holds');
    perform test.equal((select array_agg(concat_ws(' ', column_name, node_id, chosen, review) order by node_id)
        from sync.sibling where key = dd), array['@alias 2 f t', '@alias 100 t t'], 'a person is told');
    perform sync.resolve_conflict('party.customer', dd, '@alias', 2, 2);
    perform test.equal(test.customer(dd) ->> 'alias_of', '00000000-0000-7000-8000-0000000000ee', 'and decides');
end
$$;
do $$
begin
    perform test.equal((select count(*) from sync.sibling), 0, 'no conflict is left');
    assert (select base from wire.op where node_id = 100 and patch = '{"@alias":"00000000-0000-7000-8000-0000000000ee"}'
        and key like '%dd') like '{"@alias":[[2,2],[100,%', 'the decision has seen both';
end
$$;
