-- tpv_watcher may call its seven functions, and reads no table: what it can do in the database is
-- what it needs.

\ir prelude/store.sql
\ir prelude/privileges.sql

do $$
begin
    perform test.equal(test.calls('tpv_watcher'), test.sorted(array[
        'dat.pending_ack(bigint,text,text)', 'dat.pending_list(integer)', 'dat.pending_take(bigint)',
        'dat.staged(text,text,bytea)', 'sales.ingest_batch(text,bytea[])', 'sales.ingest_files(text,bytea[],text[])',
        'sales.record_rejection(text,text,bigint,bytea,text,text,bytea)']), 'its seven functions');
    perform test.equal(array(select name from test.relation
        where has_table_privilege('tpv_watcher', oid, 'select, insert, update, delete, truncate, references, trigger')
            or has_any_column_privilege('tpv_watcher', oid, 'select, insert, update, references')), '{}',
                'and no table');
    assert not exists (select from pg_namespace
        where nspname in ('org', 'wire', 'sync', 'catalog', 'sec', 'tpv', 'cron')
        and has_schema_privilege('tpv_watcher', oid, 'usage, create'))
        and not has_schema_privilege('tpv_watcher', 'dat', 'create')
        and not has_schema_privilege('tpv_watcher', 'sales', 'create')
        and not has_database_privilege('tpv_watcher', 'tpv', 'create, temporary'), 'nor may it make anything';
    assert (select not (rolsuper or rolinherit and rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)
        from pg_roles where rolname = 'tpv_watcher')
        and not exists (select from pg_auth_members where member = 'tpv_watcher'::regrole),
        'it is nobody else, either';
end
$$;

set session authorization tpv_watcher;

-- It does its work.
do $$
begin
    assert (select count(*) from sales.ingest_files('T01', array['{'::bytea], array['a'])) = 1
        and (select count(*) from sales.ingest_batch('T01', array['{'::bytea])) = 1
        and (select count(*) from dat.pending_list(1)) = 0 and (select count(*) from dat.pending_take(1)) = 0
        and dat.staged('a', 'b', 'c') = 'unknown', 'it may call what it needs';
    perform dat.pending_ack(1, 'done', ''),
        sales.record_rejection('T01', 'b.json', 0, sha256(''), 'EMPTY_FILE', 'the file is empty', '');
end
$$;

-- And is refused all else.
do $$
declare
    statement text;
begin
    foreach statement in array array[
        'select * from sales.receipt', 'select * from sales.rejected', 'select * from wire.doc',
        'select * from dat.file',
        'select * from dat.pending', 'select * from org.terminal', 'select * from sec.audit',
        'select * from sync.hash_chain', 'delete from dat.pending',
        'insert into sales.raw (terminal, outcome, bytes) values (''T01'', ''accepted'', '''')',
        'select sales.release(gen_random_uuid(), ''why'')', 'select sales.void(gen_random_uuid(), ''why'')',
        'select sales.close_day(current_date)', 'select sales.rebuild_projections()',
        'select dat.withdraw(gen_random_uuid(), ''why'')', 'select dat.render_again(gen_random_uuid(), ''why'')',
        'select dat.save_profile(''{}'')', 'select org.register_terminal(''T01'', ''02'')',
        'select wire.maintain_partitions()', 'select * from wire.verify_chains()',
        'select * from tpv.ingest_files(''T01'', ''{}'', null)', 'select tpv.void_receipt(gen_random_uuid(), ''why'')',
        'select tpv.receipt_parse('''')', 'set pg_tpv.maintenance = on', 'set pg_tpv.max_receipt_age = 1',
        'set role tpv_owner', 'set role tpv_operator']
    loop
        perform test.refused(statement, '42501');
    end loop;
end
$$;

reset session authorization;

do $$
begin
    perform test.equal((select array_agg(concat_ws(' ', coalesce(file_name, '-'), code) order by rejected_id)
        from sales.rejected), array['a TRUNCATED', '- TRUNCATED', 'b.json EMPTY_FILE'], 'its work was done');
    assert not exists (select from pg_proc where pronamespace = 'tpv'::regnamespace
        and has_function_privilege('tpv_watcher', oid, 'execute')), 'functions that touch tables are behind ours';
end
$$;
