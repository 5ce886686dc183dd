-- tpv_analyst reads projections and documents, and no file's bytes; tpv_operator decides; tpv_cron keeps partitions; nobody else may anything.

\ir prelude/store.sql

create view test.routine as
select p.oid, p.oid::regprocedure::text as name, p.proacl, p.proowner from pg_proc p
where p.pronamespace::regnamespace::text in ('org', 'wire', 'sync', 'catalog', 'dat', 'sales', 'sec', 'tpv');
create view test.relation as
select c.oid, c.oid::regclass::text as name, c.relacl, c.relkind from pg_class c
where c.relnamespace::regnamespace::text in ('org', 'wire', 'sync', 'catalog', 'dat', 'sales', 'sec', 'tpv') and c.relkind in ('r', 'p', 'v', 'm', 'S')
    and not c.relispartition;

create function test.calls(role text) returns text[] language sql as
$$ select array(select name from test.routine where has_function_privilege(role, oid, 'execute') order by name) $$;
create function test.reads(role text) returns text[] language sql as
$$ select array(select name from test.relation where relkind <> 'S' and has_table_privilege(role, oid, 'select') order by name) $$;
create function test.writes(role text) returns text[] language sql as
$$ select array(select name from test.relation where relkind <> 'S' and (has_table_privilege(role, oid, 'insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege(role, oid, 'insert, update, references'))) $$;

do $$
declare
    org text[] := '{org.department,org.legal_entity,org.node,org.store,org.terminal}';
begin
    assert test.reads('tpv_analyst') = (select array_agg(n order by n) from unnest(org || '{catalog.barcode_rule,sales.day_close,sales.held,sales.receipt,'
        'sales.receipt_event,sales.receipt_line,sales.receipt_tax,sync.hash_chain,wire.doc,catalog.barcode,catalog.price,catalog.product,catalog.tax,'
        'sync.tracked_table,sync.peer,sync.policy,sync.status,sync.this_node,sync.drift,sync.snapshot,sync.verified,sync.request,sync.horizon,wire.beat}') as n), test.reads('tpv_analyst')::text;
    assert test.calls('tpv_analyst') = '{sync.contiguous(),sync.name_part(text),wire.verify_chains()}', test.calls('tpv_analyst')::text;
    assert has_column_privilege('tpv_analyst', 'dat.profile', 'profile', 'select') and not has_column_privilege('tpv_analyst', 'dat.profile', 'saved_by', 'select'),
        'layouts, not who made them';
    assert test.reads('tpv_operator') = (select array_agg(n order by n) from unnest(test.reads('tpv_analyst') || '{dat.file,dat.pending,dat.profile,dat.superseded,'
        'dat.withdraw_failed,sales.raw,sales.receipt_key,sales.rejected,sales.terminal_tail,sec.audit,'
        'sync.duplicate,sync.head,sync.loosening,sync.quarantine,sync.resolution,sync.sibling,wire.op}') as n), test.reads('tpv_operator')::text;
    assert test.calls('tpv_operator') = '{"dat.render_again(uuid,text)","dat.save_profile(jsonb,text,integer)","dat.withdraw(uuid,text)","sales.close_day(date,text)",'
        '"sales.release(uuid,text,text)","sales.void(uuid,text)","sync.accept_drift(bigint,text)","sync.canonical_key(text,uuid)",sync.contiguous(),"sync.dismiss(bigint,text)",sync.duplicates(),'
        '"sync.loosen(text,uuid,text,text,text)","sync.make_alias(text,uuid,uuid)",sync.name_part(text),"sync.policy_dry_run(text,text,jsonb)",sync.reconcile(),sync.replay(bigint),sync.replay_waiting(integer),'
        '"sync.resolve_conflict(text,text,text,integer,bigint)",tpv.is_capturing(),tpv.uuid7(),wire.maintain_partitions(),wire.verify_chains()}', test.calls('tpv_operator')::text;
    assert test.calls('tpv_cron') = '{sync.prune_beats(),sync.prune_resends(),sync.reconcile(),sync.replay_waiting(integer),wire.maintain_partitions()}' and test.reads('tpv_cron') = '{}', test.calls('tpv_cron')::text;
    assert test.writes('tpv_analyst') || test.writes('tpv_operator') || test.writes('tpv_cron') || test.writes('tpv_watcher') = '{}', 'nobody but the owner writes a table';

    assert not exists (select from test.routine r, aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) as a where a.grantee = 0), 'no function is everybody''s';
    assert not exists (select from test.relation r, aclexplode(r.relacl) as a where a.grantee = 0)
        and not exists (select from pg_attribute t, aclexplode(t.attacl) as a where a.grantee = 0 and t.attrelid in (select oid from test.relation)), 'no table';
    assert not exists (select from pg_namespace n, aclexplode(n.nspacl) as a where a.grantee = 0
        and n.nspname in ('org', 'wire', 'sync', 'catalog', 'dat', 'sales', 'sec', 'tpv')), 'and no schema';
    assert not has_database_privilege('public', 'tpv', 'connect'), 'nor may everybody connect';
end
$$;

-- An operator does what operators do.
do $$
declare
    accepted uuid := (select receipt_id from test.take(test.receipt('1')));
    held uuid := (select receipt_id from test.take(test.receipt('2', total => 9)));
begin
    set local role tpv_operator;
    perform sales.release(held, 'counted'), dat.render_again(accepted, 'again'), dat.withdraw(accepted, 'wrong'), sales.void(accepted, 'twice');
    perform sales.close_day(current_date - 3);
    set local client_min_messages = error;
    perform dat.save_profile('{"fields": [{"name": "barcode", "length": 13}]}');
    assert (select array_agg(state order by receipt_number) from sales.receipt) = '{voided,released}' and exists (select from sales.raw)
        and not exists (select from sales.held) and (select bool_and(intact) from wire.verify_chains()), 'it all took effect';
    set local role tpv_analyst;
    assert (select count(*) from sales.receipt) = 2 and (select count(*) from sales.receipt_line) = 2 and exists (select from wire.doc)
        and not exists (select from sales.held) and (select bool_and(intact) from wire.verify_chains()), 'an analyst sees it';
end
$$;

-- What they may not.
do $$
declare
    attempt record;
begin
    for attempt in select * from (values
        ('tpv_analyst', 'select * from sales.raw'), ('tpv_analyst', 'select * from sales.rejected'), ('tpv_analyst', 'select bytes from dat.file'),
        ('tpv_analyst', 'select * from sec.audit'), ('tpv_analyst', 'update sales.receipt set total = 0'), ('tpv_analyst', 'select sales.void(null, null)'),
        ('tpv_operator', 'update sales.receipt set total = 0'), ('tpv_operator', 'delete from dat.pending'), ('tpv_operator', 'delete from wire.doc'),
        ('tpv_operator', 'select * from sales.ingest_batch(''T01'', ''{}'')'), ('tpv_operator', 'select * from sales.rebuild_projections()'),
        ('tpv_operator', 'select org.register_department(''09'', ''x'')'), ('tpv_operator', 'select tpv.void_receipt(null, null)'),
        ('tpv_cron', 'select * from wire.doc'), ('tpv_cron', 'select wire.add_partition(current_date)'), ('tpv_cron', 'select sales.close_day(current_date)')
    ) as a (role, statement)
    loop
        begin
            execute format('set local role %I', attempt.role);
            execute attempt.statement;
            raise exception using errcode = 'P0099';
        exception
            when insufficient_privilege then null;
            when sqlstate 'P0099' then assert false, attempt.role || ' may ' || attempt.statement;
        end;
    end loop;
end
$$;
