-- An analyst reads schema bi, and by it no body, reason, byte of a file, customer or grant. The sums are read through it alone.

\ir prelude/three_stores.sql

do $$
declare
    attempt text;
    name text;
    wrong text;
begin
    select string_agg(c.oid::regclass::text, ', ') into wrong from pg_class c
    where c.relnamespace = 'bi'::regnamespace
        and (not has_table_privilege('tpv_analyst', c.oid, 'select')
            or has_table_privilege('tpv_analyst', c.oid, 'insert, update, delete, truncate, references, trigger'));
    assert wrong is null, 'of these an analyst should have select and nothing else: ' || wrong;
    select string_agg(concat_ws(' ', a.grantee::regrole, c.oid::regclass), ', ') into wrong
    from pg_class c cross join lateral aclexplode(c.relacl) a
    where c.relnamespace = 'bi'::regnamespace and a.grantee <> c.relowner and a.grantee <> 'tpv_analyst'::regrole;
    assert wrong is null, 'nobody else has a right: ' || wrong;
    -- sync.status asks which days are due with the rights of its reader.
    perform test.equal((select array_agg(c.oid::regclass::text) from pg_class c
        where c.relnamespace = 'rollup'::regnamespace and c.relkind = 'r' and has_any_column_privilege('tpv_analyst', c.oid, 'select')),
        array['rollup.due'], 'sums are read through bi');

    set local role tpv_analyst;
    for name in select c.relname from pg_class c where c.relnamespace = 'bi'::regnamespace loop
        begin
            execute format('select count(*) from bi.%1$I; select * from bi.%1$I limit 1', name);
        exception when others then
            raise exception 'an analyst cannot read bi.%: %', name, sqlerrm;
        end;
    end loop;
    foreach attempt in array array['select * from rollup.sales_hour', 'select * from sales.rejected', 'select value from sync.sibling',
        'select * from sec.role_grant', 'select body from wire.doc', 'select * from party.customer', 'select * from sync.change',
        'create view bi.mine as select 1', 'select rollup.rebuild()'] loop
        perform test.refused(attempt, '42501', what => attempt);
    end loop;
end
$$;

-- A conflict about a customer is on the list without its value, and one about who may what is not. A condition sees no more.
do $$
begin
    set local role tpv_analyst;
    assert (select count(*) from bi.conflict where table_name = 'party.customer') = 2
        and not exists (select from bi.conflict where table_name = 'party.customer' and value is not null)
        and not exists (select from bi.conflict where table_name ~ '^sec\.'), 'what is shown of conflicts';
    -- This fails on the value of a grant, if it ever gets to see one.
    perform count(*) from bi.conflict where case when table_name = 'sec.role_grant' then 1 / (length(key) - length(key)) else 1 end = 1;
end
$$;

-- Logins of analysts and their limits. What is set for the group counts for nobody.
create role bi_limited login in role tpv_analyst;
create role bi_unlimited login in role tpv_analyst;
alter role bi_limited set statement_timeout = '60s';
alter role bi_limited set lock_timeout = '5s';
select format('alter role bi_limited in database %I set idle_in_transaction_session_timeout = ''1min''', current_database()) \gexec
select format('alter role bi_limited in database %I set statement_timeout = ''30s''', current_database()) \gexec
alter role bi_unlimited set statement_timeout = 0;
do $$
begin
    set local role tpv_analyst;
    perform test.equal((select array_agg(concat_ws(' ', login, coalesce(statement_timeout, '-'), coalesce(idle_in_transaction_session_timeout, '-'),
            coalesce(lock_timeout, '-'), is_limited) order by login)
        from bi.analyst_login where login ~ '^bi_'), array['bi_limited 30s 1min 5s t', 'bi_unlimited 0 - - f'], 'logins and their limits');
end
$$;
drop role bi_limited, bi_unlimited;
