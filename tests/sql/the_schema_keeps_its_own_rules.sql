-- What is true of every object of ours: it is commented, pinned, owned and typed as the rules say,
-- also when somebody adds one.

\ir prelude/test.sql

create temp view ours as select oid as schema, nspname as name from pg_namespace
    where nspname in ('org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own', 'journal', 'tpv_lock', 'rollup', 'bi');
create temp view relation as
select c.* from pg_class c join ours on ours.schema = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm');
create temp view its_column as
select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
    r.oid::regclass::text || '.' || a.attname as name from pg_attribute a join relation r on r.oid = a.attrelid
    where a.attnum > 0 and not a.attisdropped;
create temp view routine as
select p.*, p.oid::regprocedure::text as name from pg_proc p join ours on ours.schema = p.pronamespace;

do $$
declare
    wrong text;
begin
    assert (select count(*) from ours) = 13
        and (select count(*) from relation) > 20
        and (select count(*) from routine) > 20, 'there is something to look at';

    select string_agg(name, ', ') into wrong from ours where obj_description(schema, 'pg_namespace') is null;
    assert wrong is null, 'schemas without a comment: ' || wrong;
    select string_agg(oid::regclass::text, ', ') into wrong from relation
        where obj_description(oid, 'pg_class') is null;
    assert wrong is null, 'tables and views without a comment: ' || wrong;
    select string_agg(its_column.name, ', ') into wrong from its_column join relation on relation.oid = attrelid
    where relkind in ('r', 'p') and col_description(attrelid, attnum) is null
        and attrelid <> 'wire.doc_default'::regclass;
    assert wrong is null, 'columns without a comment: ' || wrong;
    select string_agg(name, ', ') into wrong from routine where obj_description(oid, 'pg_proc') is null;
    assert wrong is null, 'functions without a comment: ' || wrong;

    select string_agg(name, ', ') into wrong from routine
    where not coalesce(proconfig::text like '%search_path=pg_catalog, pg_temp%', false)
        -- A procedure that commits can have no settings: it writes all names in full, and its steps pin it.
        and name <> 'sync.ban(text,text,text)';
    assert wrong is null, 'functions that do not pin search_path: ' || wrong;
    select string_agg(name, ', ') into wrong from routine where proowner <> 'tpv_owner'::regrole;
    assert wrong is null, 'functions that are not tpv_owner''s: ' || wrong;
    assert not exists (select from pg_proc where pronamespace = 'tpv'::regnamespace and prosecdef),
        'no function of the extension takes its owner''s rights';
    select string_agg(oid::regclass::text, ', ') into wrong from relation where relowner <> 'tpv_owner'::regrole;
    assert wrong is null, 'tables that are not tpv_owner''s: ' || wrong;
    -- Those of schemas journal and own are there for readers who may not see the tables, and are barriers. Those of
    -- bi answer with what every reader of bi may see.
    select string_agg(oid::regclass::text, ', ') into wrong from relation where relkind = 'v' and relnamespace <> 'bi'::regnamespace
        and not coalesce(case when relnamespace in ('journal'::regnamespace, 'own'::regnamespace) then 'security_barrier=true' else 'security_invoker=true' end
            = any (reloptions), false);
    assert wrong is null, 'views that show what their reader may not see: ' || wrong;
    select string_agg(its_column.name, ', ') into wrong from its_column join relation on relation.oid = attrelid
    where relnamespace in ('journal'::regnamespace, 'own'::regnamespace) and col_description(attrelid, attnum) is null;
    assert wrong is null, 'columns of such views without a comment: ' || wrong;

    select string_agg(name, ', ') into wrong from its_column
        where atttypid in ('real'::regtype, 'double precision'::regtype, 'money'::regtype);
    assert wrong is null, 'columns that cannot hold money: ' || wrong;
    -- What a table holds; what a view works out of it is of the type that comes out.
    select string_agg(name || ' ' || format_type(atttypid, atttypmod), ', ') into wrong from its_column
        join relation r on r.oid = attrelid and relkind <> 'v'
    where attname in ('total', 'lines_total', 'total_difference', 'net', 'tax', 'price', 'quantity')
        and format_type(atttypid, atttypmod)
        <> case when r.relnamespace = 'rollup'::regnamespace then 'numeric(20,2)' when attname = 'price' then 'numeric(14,4)'
            when attname = 'quantity' then 'numeric(14,3)' else 'numeric(14,2)' end;
    assert wrong is null, 'amounts of another type: ' || wrong;
    select string_agg(name, ', ') into wrong from its_column join relation r on r.oid = attrelid and relkind <> 'v'
    where atttypid = 'numeric'::regtype and atttypmod = -1;
    assert wrong is null, 'numbers without a scale: ' || wrong;
    select string_agg(name, ', ') into wrong from its_column where atttypid = 'timestamp'::regtype
        and attname !~ 'local';
    assert wrong is null, 'instants without a zone: ' || wrong;
    select string_agg(name, ', ') into wrong from its_column where atttypid = 'date'::regtype and attname ~ '_at$'
        or atttypid in ('timestamptz'::regtype) and attname ~ '_date$';
    assert wrong is null, 'names that lie: ' || wrong;

    select string_agg(oid::regclass::text, ', ') into wrong from relation r
    where relkind in ('r', 'p')
        -- Those are locked, and have neither rows nor columns.
        and r.oid::regclass::text not like 'tpv_lock.%'
        -- What is noted for the fold is emptied as a whole.
        and r.oid not in ('sync.touched'::regclass, 'rollup.guess_due'::regclass)
        and not exists (select from pg_index i where i.indrelid = r.oid and (i.indisprimary or i.indisunique));
    assert wrong is null, 'tables without a key: ' || wrong;
end
$$;

-- The wire: built-in types, nothing but the key, and guarded in every leaf, whoever inserts.
do $$
declare
    wrong text;
begin
    select string_agg(its_column.name, ', ') into wrong from its_column join pg_type t on t.oid = atttypid
    where its_column.name like 'wire.%' and (t.typnamespace <> 'pg_catalog'::regnamespace or t.oid >= 16384);
    assert wrong is null, 'columns of types that another version may not know: ' || wrong;
    perform test.equal((select array_agg(concat(attname, ' ', format_type(atttypid, atttypmod),
            case when attnotnull then '!' end) order by attnum)
        from its_column where attrelid = 'wire.doc'::regclass),
        '{"node_id integer!","doc_id uuid!","business_date date!","kind text!","to_node integer","hlc bigint!",'
        '"schema_version integer!","chain text!","chain_seq bigint!","prev_hash bytea!","body text!",'
        '"content_hash bytea!"}',
        'the columns of wire.doc are frozen');
    select string_agg(conrelid::regclass || '.' || conname, ', ') into wrong from pg_constraint c
        join relation r on r.oid = conrelid
    where r.relnamespace = 'wire'::regnamespace and contype not in ('p', 'n');
    assert wrong is null, 'constraints that could stop apply: ' || wrong;
    select string_agg(conrelid::regclass || '.' || conname, ', ') into wrong from pg_constraint c
    where confrelid in (select oid from relation where relnamespace = 'wire'::regnamespace) or condeferrable
        and contype <> 't' and conrelid in (select oid from relation);
    assert wrong is null, 'keys that point to documents, or wait: ' || wrong;

    -- Beats and resends are no documents: old ones go, so that this is not refused.
    select string_agg(r.oid::regclass || '.' || g.name, ', ') into wrong
    from relation r
    join (values ('wire.(doc|op)', '_900_refuse', 'tpv.refuse_change()', 27),
        ('wire.(doc|op)', '_900_refuse_truncate', 'tpv.refuse_change()', 34),
        ('wire.doc', '_100_receive', 'tpv.receive_document()', 7),
        ('wire.op', '_100_receive', 'tpv.receive_operation()', 7),
        ('wire.beat', '_100_receive', 'tpv.receive_beat()', 7),
        ('wire.resend', '_100_receive', 'tpv.receive_resend()', 7)) as g (of_table, name, called, type)
        on r.oid::regclass::text ~ ('^' || g.of_table)
    where not exists (select from pg_trigger t where t.tgrelid = r.oid and t.tgname = g.name and t.tgenabled = 'A'
        and t.tgfoid::regprocedure::text = g.called and t.tgtype = g.type);
    assert wrong is null, 'tables without a guard: ' || wrong;
    perform test.equal((select count(*) from pg_trigger t join relation r on r.oid = t.tgrelid
        where r.relnamespace = 'wire'::regnamespace),
        (select sum(case when oid::regclass::text ~ 'beat|resend' then 1 else 3 end) from relation
            where relnamespace = 'wire'::regnamespace), 'and there is no other trigger');
end
$$;
