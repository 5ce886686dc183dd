-- Two customers with one e-mail: refused where it can be seen; what two nodes made is shown, and one becomes an alias.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_operator;
insert into party.customer (customer_id, name, email) values ('00000000-0000-7000-8000-0000000000aa', 'Ana', 'ana@example.org');
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000bb', 'Bob'), ('00000000-0000-7000-8000-0000000000cc', 'Carl');
do $$
declare
    refused record;
begin
    select * into refused from test.refusal($q$insert into party.customer (name, email) values ('Anna', 'ANA@example.org')$q$);
    assert refused.state = '23505' and refused.message = 'there is a row of party.customer with this email already'
        and refused.hint like '%00000000-0000-7000-8000-0000000000aa%', refused::text;
    assert (select state from test.refusal($q$update party.customer set email = 'ana@example.org' where name = 'Bob'$q$)) = '23505';
    update party.customer set email = 'ana@example.org', name = 'Ana M.' where name = 'Ana';
    update party.customer set deleted = true where name = 'Ana M.';
    update party.customer set email = 'Ana@example.org' where name = 'Bob';
    assert (select state from test.refusal($q$update party.customer set deleted = false where name = 'Ana M.'$q$)) = '23505';
    update party.customer set email = null where name = 'Bob';
    update party.customer set deleted = false where name = 'Ana M.';
    assert (select count(*) from sync.duplicate) = 0;
end
$$;
reset role;

do $$
begin
    -- A store that did not know of her.
    assert test.arrives(1, 1, 10, 'party.customer', '00000000-0000-7000-8000-0000000000dd', '{"@exists": true, "name": "Anna", "email": "Ana@Example.org"}');
    assert test.arrives(2, 1, 10, 'party.customer', '00000000-0000-7000-8000-0000000000ee', '{"@exists": true, "name": "A.", "email": "ana@example.org"}');
end
$$;
set role tpv_operator;
do $$
declare
    aa uuid := '00000000-0000-7000-8000-0000000000aa';
    dd uuid := '00000000-0000-7000-8000-0000000000dd';
    ee uuid := '00000000-0000-7000-8000-0000000000ee';
    refused record;
begin
    assert (select (table_name, kind, keys, shared) from sync.duplicate)::text
        = format('(party.customer,email,"{%s,%s,%s}","{""email"": ""ana@example.org""}")', aa, dd, ee);
    -- Each may be edited meanwhile, as long as it does not become more.
    update party.customer set name = 'Anna!' where customer_id = dd;
    perform sync.make_alias('party.customer', dd, aa);
    perform sync.make_alias('party.customer', ee, dd);
    assert (select count(*) from sync.duplicate) = 0;
    assert sync.canonical_key('party.customer', ee) = aa and sync.canonical_key('party.customer', aa) = aa;
    assert sync.canonical_key('catalog.tax', aa) = aa, 'a table without aliases';
    -- Two people who settled it in opposite ways: all of it is one, and its smallest key stands for it.
    perform sync.make_alias('party.customer', aa, ee);
    assert sync.canonical_key('party.customer', ee) = aa and sync.canonical_key('party.customer', dd) = aa;
    perform sync.make_alias('party.customer', aa, null);
    -- After all it was none: both are shown again.
    perform sync.make_alias('party.customer', ee, null);
    assert (select keys from sync.duplicate) = array[aa, ee];
    perform sync.make_alias('party.customer', ee, dd);
    for refused in select r.* from (values (format('select sync.make_alias(''party.customer'', %L, %L)', aa, aa)),
        (format('select sync.make_alias(''party.customer'', %L, gen_random_uuid())', aa)), ('select sync.make_alias(''catalog.tax'', gen_random_uuid(), null)'))
        as s (q), test.refusal(s.q) r loop
        assert refused.state = '22023', refused::text;
    end loop;
    assert (select state from test.refusal('select sync.make_alias(''party.customer'', gen_random_uuid(), null)')) = 'P0002';
end
$$;
reset role;

-- It is an operation like every other: of two that were made at once the smaller key holds, and a person is told.
do $$
declare
    dd text := '00000000-0000-7000-8000-0000000000dd';
begin
    assert (select patch from wire.op where node_id = 100 and key = dd and patch like '%@alias%') = '{"@alias":"00000000-0000-7000-8000-0000000000aa"}';
    assert test.arrives(2, 2, 20, 'party.customer', dd, '{"@alias": "00000000-0000-7000-8000-0000000000ee"}');
    assert test.customer(dd) ->> 'alias_of' = '00000000-0000-7000-8000-0000000000aa';
    assert (select array_agg(concat(column_name, ' ', node_id, ' ', chosen, ' ', review) order by node_id) from sync.sibling where key = dd)
        = '{"@alias 2 f t","@alias 100 t t"}';
    perform sync.resolve_conflict('party.customer', dd, '@alias', 2, 2);
    assert test.customer(dd) ->> 'alias_of' = '00000000-0000-7000-8000-0000000000ee';
end
$$;
do $$
begin
    assert (select count(*) from sync.sibling) = 0;
    assert (select base from wire.op where node_id = 100 and patch = '{"@alias":"00000000-0000-7000-8000-0000000000ee"}'
        and key like '%dd') like '{"@alias":[[2,2],[100,%';
end
$$;
