-- What schema sec tracks (sealed passwords, later) is in journal, heads, conflicts and quarantine like
-- everything else. Operators read these through views that leave it out.

\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
create table sec.sealed (
    sealed_id uuid primary key,
    sealed    text not null,
    plain     text not null default 'none' check (plain in ('none', 'all'))
);
select sync.track('sec.sealed', 'any', only_stricter => '{"plain": ["none", "all"]}') \g /dev/null
insert into sec.sealed (sealed_id, sealed) values ('00000000-0000-7000-8000-0000000000aa', 'SECRET-1');
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000aa', 'Ana');
reset role;

-- Of two nodes at once, resolved, loosened, waiting, refused, sent again.
do $$
declare
    key text := '00000000-0000-7000-8000-0000000000aa';
    refused jsonb := '{"table_name": "party.customer", "body": "SECRET-6"}';
begin
    perform test.arrives(1, 1, 9e17::bigint, 'sec.sealed', key, '{"sealed": "SECRET-2"}');
    perform test.arrives(1, 2, 9e17::bigint, 'party.customer', key, '{"name": "Anna"}');
    perform test.arrives(1, 3, 9e17::bigint, 'sec.sealed', gen_random_uuid()::text, '{"@exists": true, "sealed": "SECRET-3", "other": "SECRET-4"}',
        waits => 'UNKNOWN_COLUMN');
    insert into sync.quarantine (node_id, kind, code, detail, refused)
    values (1, 'sec.sealed', 'NUMBER_REUSED', 'it says SECRET-5', '{"patch": "SECRET-5"}'),
        (1, 'resend operations', 'BAD_RESEND', 'it cannot be read', refused),
        (1, 'party.customer', 'NUMBER_REUSED', 'it says Eva', '{"patch": "Eva"}');
    assert (select count(*) from sync.sibling where table_name = 'sec.sealed') = 2, 'there is a conflict about it';
end
$$;
select sync.resolve_conflict('sec.sealed', key, 'sealed', node_id, seq) from sync.sibling
where table_name = 'sec.sealed' order by node_id limit 1 \g /dev/null
select test.arrives(1, 4, 9e17::bigint, 'sec.sealed', '00000000-0000-7000-8000-0000000000aa', '{"sealed": "SECRET-7"}') \g /dev/null
select sync.loosen('sec.sealed', '00000000-0000-7000-8000-0000000000aa', 'plain', 'all', 'a test') \g /dev/null

create role operator_of_sec login in role tpv_operator;
set session authorization operator_of_sec;

do $$
declare
    seen record;
    rows text;
    shown bigint := 0;
begin
    -- Whatever it can read, now and when somebody adds a table, has no secret in it.
    for seen in
        select c.oid::regclass as relation, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
            and has_column_privilege(c.oid, a.attnum, 'select') and has_schema_privilege(c.relnamespace, 'usage')
        group by c.oid
    loop
        execute format('select string_agg(t::text, '' '') from (select %s from %s) t', seen.columns, seen.relation) into rows;
        assert coalesce(rows, '') !~ 'SECRET', format('%s shows a secret: %s', seen.relation, rows);
        shown := shown + 1;
    end loop;
    assert shown > 30, 'there is something to look at';

    perform test.equal(array[(select count(*) from journal.operation where table_name = 'party.customer'),
        (select count(*) from journal.head where table_name = 'party.customer'),
        (select count(*) from journal.sibling where table_name = 'party.customer')], '{2,1,2}'::bigint[], 'what is not of sec is shown');
    perform test.equal((select array_agg(concat_ws(' ', kind, code, detail, refused) order by kind, code)
        from journal.quarantine where resolved_at is null), array[
        'party.customer NUMBER_REUSED it says Eva {"patch": "Eva"}', 'resend operations BAD_RESEND it cannot be read',
        'sec.sealed NUMBER_REUSED it is about a table of schema sec', 'sec.sealed UNKNOWN_COLUMN it is about a table of schema sec'],
        'that something of sec waits is shown, and not what');

    perform test.refused('select patch from wire.op', '42501');
    perform test.refused('select * from sync.head', '42501');
    perform test.refused('select value from sync.sibling', '42501');
    perform test.refused('select refused from sync.quarantine', '42501');
    perform test.refused('select * from sec.sealed', '42501');
    perform test.refused($q$ select * from sync.policy_dry_run('sec.sealed', 'sealed', '"first_write"') $q$, '42501',
        'tables of schema sec are for tpv_owner only');
    perform test.refused($q$ select sync.resolve_conflict('sec.sealed', '00000000-0000-7000-8000-0000000000aa', 'sealed', 1, 4) $q$,
        '42501', 'tables of schema sec are for tpv_owner only');
    perform test.refused($q$ select sync.loosen('sec.sealed', '00000000-0000-7000-8000-0000000000aa', 'plain', 'all', 'x') $q$,
        '42501', 'tables of schema sec are for tpv_owner only');
    perform test.refused($q$ select sync.make_alias('sec.sealed', '00000000-0000-7000-8000-0000000000aa', null) $q$,
        '42501', 'tables of schema sec are for tpv_owner only');
    perform sync.policy_dry_run('party.customer', 'name', '"first_write"');
end
$$;


reset session authorization;
drop role operator_of_sec;
