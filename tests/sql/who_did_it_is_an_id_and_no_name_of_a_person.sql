-- What is recorded of whoever acts is an id: the person whom the gateway vouches for, until the
-- transaction ends; else the login. No setting and no role changes it.

\ir prelude/store.sql

create role clerk_7 login in role tpv_operator;

-- A login is a login, whatever it becomes and whatever it is called.
set session authorization clerk_7;
do $$
begin
    perform test.equal(sec.actor(), 'login:clerk_7', 'the login');
    set local role tpv_operator;
    perform test.equal(sec.actor(), 'login:clerk_7', 'not the role that it takes');
    perform test.refused($q$set pg_tpv.person = '00000000-0000-7000-8000-0000000000aa'$q$, '42602');
    perform set_config('tpv.person', '00000000-0000-7000-8000-0000000000aa', true);
    set local application_name = 'employee:00000000-0000-7000-8000-0000000000aa';
    perform test.equal(sec.actor(), 'login:clerk_7', 'no setting makes it a person');
    perform test.refused($q$select tpv.enter('00000000-0000-7000-8000-0000000000aa', 'cashier', '[]')$q$, '42501',
        what => 'nobody vouches for himself');
    perform test.refused('select tpv.actor()', '42501');
end
$$;
select sales.close_day(current_date - 3, 'counted') \g /dev/null
reset session authorization;

create function test.ana() returns uuid language sql immutable as $$ select '00000000-0000-7000-8000-0000000000aa'::uuid $$;

-- As the gateway: its function has checked the session, and runs as the owner.
create function test.enter(employee uuid) returns void language sql security definer as $$ select tpv.enter(employee, 'cashier', '[]') $$;
alter function test.enter(uuid) owner to tpv_owner;

set session authorization clerk_7;
begin;
set local client_min_messages = error;
select test.enter(test.ana()) \g /dev/null
do $$
begin
    perform test.equal(sec.actor(), 'employee:00000000-0000-7000-8000-0000000000aa', 'the person');
    perform test.refused($q$select test.enter('00000000-0000-7000-8000-0000000000bb')$q$, '55000',
        'this transaction is another person''s already');
    perform test.refused($q$select test.enter('00000000-0000-7000-8000-0000000000aa')$q$, '55000',
        what => 'nor the same one twice');
    perform test.equal(sec.actor(), 'employee:00000000-0000-7000-8000-0000000000aa',
        'the rollback of an attempt changes nothing');
end
$$;
reset role;
select sales.close_day(current_date - 4, 'counted'), dat.save_profile('{"fields": [{"name": "barcode", "length": 13}]}') \g /dev/null
commit;

do $$
begin
    perform test.equal(sec.actor(), 'login:clerk_7', 'with the transaction it ends');
end
$$;

-- Whoever is vouched for inside of an attempt that fails stays: another one may not come after it.
begin;
set local client_min_messages = error;
savepoint before;
select test.enter(test.ana()) \g /dev/null
rollback to before;
do $$
begin
    perform test.equal(sec.actor(), 'employee:00000000-0000-7000-8000-0000000000aa', 'a savepoint brings nobody else');
end
$$;
rollback;
do $$
begin
    perform test.equal(sec.actor(), 'login:clerk_7', 'also with a rollback');
end
$$;
reset session authorization;

do $$
declare
    told text[];
begin
    select array_agg(d.body::jsonb ->> 'by' order by d.business_date) into told from wire.doc d where d.kind = 'day_close';
    perform test.equal(told, '{employee:00000000-0000-7000-8000-0000000000aa,login:clerk_7}', 'documents');
    perform test.equal((select saved_by from dat.profile where version = 2),
        'employee:00000000-0000-7000-8000-0000000000aa', 'layouts');
end
$$;

-- Every table that says who, says it so.
do $$
declare
    wrong text;
begin
    select string_agg(a.attrelid::regclass || '.' || a.attname, ', ') into wrong
    from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace::regnamespace::text in ('org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own')
        and (a.attname ~ '^(actor|.*_by)$' or pg_get_expr(d.adbin, d.adrelid) ~* 'session_user|current_user')
        and pg_get_expr(d.adbin, d.adrelid) is distinct from 'sec.actor()'
        -- A tracked table has no such default: dat.check_profile says it, as is tested above; sync.ban.
        and a.attrelid not in ('dat.profile'::regclass, 'org.ban'::regclass);
    assert wrong is null, 'columns that say who in another way: ' || wrong;
    select string_agg(p.oid::regprocedure::text, ', ') into wrong from pg_proc p
    -- These ask for a right, the jobs or the scope of their caller, and record nothing.
    where p.oid not in ('sync.refuse_secret(text)'::regprocedure, 'sync.prune_runs()'::regprocedure,
        'sec.scope_of_login()'::regprocedure, 'sec.enter(uuid,uuid,text,integer)'::regprocedure)
        and p.pronamespace::regnamespace::text in ('org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own')
        and coalesce(p.prosrc, '') || coalesce(pg_get_function_sqlbody(p.oid), '') ~* 'session_user|current_user';
    assert wrong is null, 'functions that ask for the login: ' || wrong;
end
$$;

drop role clerk_7;
