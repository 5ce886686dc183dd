-- tpv_analyst reads projections and no body, reason or byte of a file; tpv_operator decides; tpv_cron
-- keeps partitions; nobody else may anything. What each may do to each table is another list:
-- each_role_may_what_is_listed_and_nothing_else.

\ir prelude/store.sql
\ir prelude/privileges.sql

do $$
begin
    perform test.equal(test.calls('tpv_analyst'),
        test.sorted(array['catalog.find_product(integer,text,text,date)', 'catalog.item_key(integer,text,text,date)',
            'catalog.line_tax(integer,text,text,numeric,date)', 'catalog.line_taxes(integer,text,text[],date)', 'catalog.price_at(uuid,integer,timestamp with time zone)',
            'catalog.tax_rate_at(uuid,date)', 'sync.contiguous()', 'sync.is_restored()', 'sync.name_part(text)', 'wire.verify_chains()']),
            'what an analyst calls');
    assert has_column_privilege('tpv_analyst', 'dat.profile', 'profile', 'select')
        and not has_column_privilege('tpv_analyst', 'dat.profile', 'saved_by', 'select'),
        'layouts, not who made them';
    perform test.equal(test.calls('tpv_operator'), test.sorted(array[
        'catalog.find_product(integer,text,text,date)', 'catalog.item_key(integer,text,text,date)',
        'catalog.line_tax(integer,text,text,numeric,date)', 'catalog.line_taxes(integer,text,text[],date)', 'catalog.price_at(uuid,integer,timestamp with time zone)',
        'catalog.tax_rate_at(uuid,date)', 'sec.actor()',
        'dat.render_again(uuid,text)', 'dat.save_profile(jsonb,text,integer)', 'dat.withdraw(uuid,text)',
        'party.erase(uuid,text)', 'rollup.rebuild(integer,date,date)', 'sales.close_day(date,text)', 'sales.release(uuid,text,text)', 'sales.void(uuid,text)',
        'sync.accept_drift(bigint,text)', 'sync.canonical_key(text,uuid)', 'sync.contiguous()',
        'sync.dismiss(bigint,text)', 'sync.end_snapshot(uuid,text)',
        'sync.duplicates()', 'sync.end_restored(text)', 'sync.loosen(text,uuid,text,text,text)', 'sync.make_alias(text,uuid,uuid)',
        'sync.is_restored()', 'sync.name_part(text)', 'sync.policy_dry_run(text,text,jsonb)', 'sync.reconcile()', 'sync.replay(bigint)',
        'sync.replay_waiting(integer,boolean)', 'sync.resolve_conflict(text,text,text,integer,bigint)', 'sync.setup_faults()',
        'tpv.is_capturing()', 'tpv.uuid7()', 'wire.maintain_partitions()', 'wire.verify_chains()']),
        'what an operator calls');
    perform test.equal(test.calls('tpv_cron'), test.sorted(array['sec.prune()', 'sync.kept_since(text)',
        'sync.prune_beats()', 'sync.prune_operations(integer)', 'sync.prune_records()', 'sync.prune_resends()', 'sync.prune_runs()',
        'sync.reconcile()', 'sync.replay_waiting(integer,boolean)', 'wire.maintain_partitions()']), 'what pg_cron calls');
    assert not exists (select from test.routine r, aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) as a
        where a.grantee = 0), 'no function is everybody''s';
    assert not exists (select from test.relation r, aclexplode(r.relacl) as a where a.grantee = 0)
        and not exists (select from pg_attribute t, aclexplode(t.attacl) as a where a.grantee = 0
        and t.attrelid in (select oid from test.relation)), 'no table';
    assert not exists (select from pg_namespace n, aclexplode(n.nspacl) as a where a.grantee = 0
        and n.nspname in ('org', 'wire', 'sync', 'catalog', 'dat', 'sales', 'sec', 'own', 'tpv')), 'and no schema';
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
    perform sales.release(held, 'counted'), dat.render_again(accepted, 'again'), dat.withdraw(accepted, 'wrong'),
        sales.void(accepted, 'twice');
    perform sales.close_day(current_date - 3);
    set local client_min_messages = error;
    perform dat.save_profile('{"fields": [{"name": "barcode", "length": 13}]}');
    assert (select array_agg(state order by receipt_number) from sales.receipt) = '{voided,released}'
        and exists (select from sales.raw)
        and not exists (select from sales.held) and (select bool_and(intact) from wire.verify_chains()),
        'it all took effect';
    set local role tpv_analyst;
    assert (select count(*) from sales.receipt) = 2 and (select count(*) from sales.receipt_line) = 2
        and exists (select kind from wire.doc)
        and not exists (select from sales.held) and (select bool_and(intact) from wire.verify_chains()),
        'an analyst sees it';
end
$$;

-- What they may not.
do $$
declare
    attempt record;
begin
    for attempt in select * from (values
        ('tpv_analyst', 'select * from sales.raw'), ('tpv_analyst', 'select * from sales.rejected'),
        ('tpv_analyst', 'select bytes from dat.file'), ('tpv_analyst', 'select body from wire.doc'),
        ('tpv_analyst', 'select body from sales.receipt_event'), ('tpv_analyst', 'select detail from sync.drift'),
        ('tpv_analyst', 'select * from sec.audit'), ('tpv_analyst', 'update sales.receipt set total = 0'),
        ('tpv_analyst', 'select sales.void(null, null)'),
        ('tpv_operator', 'update sales.receipt set total = 0'), ('tpv_operator', 'delete from dat.pending'),
        ('tpv_operator', 'delete from wire.doc'),
        ('tpv_operator', 'select * from sales.ingest_batch(''T01'', ''{}'')'),
        ('tpv_operator', 'select * from sales.rebuild_projections()'),
        ('tpv_operator', 'select org.register_department(''09'', ''x'')'),
        ('tpv_operator', 'select tpv.void_receipt(null, null)'),
        ('tpv_cron', 'select * from wire.doc'), ('tpv_cron', 'select wire.add_partition(current_date)'),
        ('tpv_cron', 'select sales.close_day(current_date)')
    ) as a (role, statement)
    loop
        execute format('set local role %I', attempt.role);
        perform test.refused(attempt.statement, '42501', what => attempt.role || ': ' || attempt.statement);
        reset role;
    end loop;
end
$$;
