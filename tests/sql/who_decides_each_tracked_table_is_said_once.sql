-- A store could set every price of the chain. Who decides about a tracked table is in this list, and
-- whoever tracks another one says here who does.
\ir prelude/central.sql
\ir prelude/arrivals.sql

create table test.decides (table_name text primary key, who text);
insert into test.decides
select btrim(t, e' \n'), d.who
from (values
    ('any node', 'party.customer'),
    ('central, and a store its own rows until it joins', 'dat.profile; org.department; org.legal_entity; org.store; org.terminal'),
    ('central', 'catalog.barcode; catalog.barcode_rule; catalog.local_code; catalog.price; catalog.product; catalog.tax;
        catalog.tax_rate; org.ban; party.employee; sec.gateway_key; sec.issuer_key; sec.role_grant; sec.verifier; sync.policy')
) as d (who, tables) cross join lateral string_to_table(d.tables, ';') t;

do $$
declare
    wrong text;
begin
    select string_agg(format('%s: %s', table_name, coalesce(t.who, 'nobody')), ', ') into wrong
    from (select table_name, tpv.who_decides(table_name) as who from sync.tracked_table) t full join test.decides d using (table_name)
    where t.who is distinct from d.who;
    assert wrong is null, 'this list says something else: ' || wrong;
    assert tpv.who_decides('no.table') is null, 'nobody knows yet';
    perform test.equal((select array_agg(table_name || ' ' || own_column order by table_name) from sync.tracked_table where own_column is not null),
        array['dat.profile node_id', 'org.department node_id', 'org.legal_entity @exists', 'org.store node_id', 'org.terminal node_id'],
        'how a row is a store''s own');

    -- Where rows are written: a store that has joined writes what any node may, others write all.
    perform test.equal((select bool_and(tpv.may_write(table_name, false)) from test.decides), true, 'central, and a store that is alone');
    perform test.equal((select array_agg(table_name) from test.decides where tpv.may_write(table_name, true)), '{party.customer}'::text[],
        'a store that has joined');
    perform test.equal((select array_agg(t.table_name order by 1) from sync.tracked_table t
            where not exists (select from pg_trigger g where g.tgrelid = to_regclass(t.table_name) and g.tgname = '_100_guard')),
        '{party.customer}'::text[], 'and the trigger that asks is on every other table');
end
$$;

-- Where operations arrive, table by table: store 1 has joined with its operation 50.
insert into org.node values (1, 'S01', 'store');
insert into sync.peer (node_id, subscription_name, joined_seq) values (1, 'tpv_from_s01', 50);
do $$
declare
    decided record;
    nth bigint := 100;
    before bigint := 10;
    row_key uuid;
begin
    for decided in select d.*, t.own_column from test.decides d join sync.tracked_table t using (table_name) order by 1 loop
        nth := nth + 10;
        row_key := gen_random_uuid();
        perform test.arrives(1, nth, 1, decided.table_name, row_key::text,
            (case when decided.table_name = 'party.customer' then '{"@exists": true, "name": "Ana"}' else '{"@exists": true, "node_id": 1}' end)::jsonb,
            waits => case when decided.who <> 'any node' then 'NOT_ENTITLED' end);
        perform test.equal(exists (select from sync.head h where h.table_name = decided.table_name and h.key = row_key::text),
            decided.who = 'any node', 'nothing of it is merged: ' || decided.table_name);
        -- Of another store's row it is not believed either, however early it was.
        continue when decided.own_column is distinct from 'node_id';
        before := before + 1;
        perform test.arrives(1, before, 1, decided.table_name, gen_random_uuid()::text, '{"@exists": true, "node_id": 2}', waits => 'NOT_ENTITLED');
    end loop;
    -- A table that was not known here when it came: nothing stands of it once central decides there.
    perform test.arrives(1, 60, 1, 'party.later', '00000000-0000-7000-8000-0000000000cc', '{"@exists": true, "name": "x"}', waits => 'UNKNOWN_TABLE');
    create table party.later (later_id uuid primary key, name text);
    alter table party.later owner to tpv_owner;
    perform sync.track('party.later', 'central');
    perform sync.replay(quarantine_id) from sync.quarantine where seq = 60;
    perform test.equal(test.waits(1, 60), 'NOT_ENTITLED', 'it waits for nothing any more');
    assert not exists (select from sync.head where table_name = 'party.later'), 'and is no head';
    -- Its own of before, so far as the table takes it.
    perform test.arrives(1, 2, 1, 'org.legal_entity', '00000000-0000-7000-8000-0000000000bb', '{"@exists": true, "name": "Lessee", "tax_id": null}');
    perform test.arrives(1, 3, 1, 'org.legal_entity', '00000000-0000-7000-8000-0000000000bb', '{"name": "Lessee S.L."}', '{"name": [[1, 2]]}');
    perform test.equal((select name from org.legal_entity), 'Lessee S.L.', 'the store named its concessionaire');
    perform test.arrives(1, 51, 1, 'org.legal_entity', '00000000-0000-7000-8000-0000000000bb', '{"name": "later"}', '{"name": [[1, 3]]}', 'NOT_ENTITLED');
    perform test.equal((select name from org.legal_entity), 'Lessee S.L.', 'and not after it had joined');
end
$$;
