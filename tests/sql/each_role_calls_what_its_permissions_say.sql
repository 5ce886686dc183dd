-- sec.permission says who may what. Rights of PostgreSQL follow it, function by function, and each
-- function asks again for whoever was entered.

\ir prelude/central.sql
\ir prelude/people.sql
\ir prelude/privileges.sql

select test.hire('all', r.role) from sec.role r where role <> 'concessionaire' \g /dev/null
select test.node(1, 'S01', '01') \g /dev/null
select test.hire('all', 'concessionaire', 1, '01') \g /dev/null

do $$
declare
    wrong text;
begin
    -- Beside the functions of schema own there is what enters a person, and what views ask.
    select string_agg(concat_ws(' ', r.role, 'calls', test.calls('tpv_' || r.role), 'and not', e.calls), e'\n') into wrong
    from sec.role r cross join lateral (
        select test.sorted(array['own.once(text,bytea,text,jsonb)', 'sec.enter(uuid,uuid,text,integer)', 'sec.may_read_table(text)',
            'sec.scope_of_login()',
            'tpv.acting_employee()', 'tpv.acting_role()', 'tpv.acting_scope()', 'tpv.may_see(integer,text,date)',
            'tpv.may_see_node(integer)'] || array(
                select format('own.%s(jsonb)', v.name) from sec.resource v
                where v.kind = 'verb' and (v.permission is null or v.permission in (
                    select p.permission from sec.permission p where p.role = r.role))) || array(
                select 'sync.chain_state()' from sec.permission p where p.role = r.role and p.permission = 'chain.read')) as calls) e
    where test.calls('tpv_' || r.role) <> e.calls;
    assert wrong is null, wrong;
    select string_agg(p.oid::regprocedure::text, ', ') into wrong from pg_proc p
    where p.pronamespace = 'own'::regnamespace and p.proname <> 'once'
        and not exists (select from sec.resource v where v.kind = 'verb' and v.name = p.proname);
    assert wrong is null, 'functions that nobody offers: ' || wrong;
    select string_agg(v.permission, ', ') into wrong from sec.resource v
    where not exists (select from sec.permission p where p.permission = v.permission);
    assert wrong is null, 'permissions that no role has: ' || wrong;
    perform test.equal(test.calls('tpv_gateway_user') || test.calls('tpv_gateway_system'), '{}', 'the logins themselves call nothing');
    perform test.equal(test.calls('tpv_gateway_auth'), test.sorted(array[
        'sec.admit(uuid,uuid,text,integer,timestamp with time zone)', 'sec.end_session(uuid,text)', 'sec.end_sessions(uuid,uuid,text)',
        'sec.find_login(text)', 'sec.forget_attempts(bytea)', 'sec.issuer_keys()', 'sec.make_admin(text,text,text)',
        'sec.make_password_link(uuid,bytea,timestamp with time zone)',
        'sec.open_session(uuid,text,text,text,integer)', 'sec.permissions()', 'sec.publish_issuer_key(text,text,text)', 'sec.record(text,text,text)',
        'sec.refresh_session(uuid,integer,boolean)', 'sec.retire_issuer_key(text)', 'sec.return_attempt(bytea)', 'sec.roles_of(uuid)',
        'sec.save_verifier(uuid,integer,uuid,text,timestamp with time zone)', 'sec.set_password(uuid,text,text,uuid)',
        'sec.take_attempt(bytea)', 'sec.this_gateway()', 'sec.use_password_link(bytea,text)', 'sec.verifiers_due(integer)']),
        'and what finds out who asks calls these');
end
$$;

-- Each function in each role that lacks its permission: PostgreSQL refuses it, and so does the function
-- when the role of the login is another one than that of the person.
create table test.attempt as
select r.role, v.name, (select p.role from sec.permission p where p.permission = v.permission order by p.role limit 1) as able
from sec.role r cross join sec.resource v
where v.kind = 'verb' and v.permission is not null
    and not exists (select from sec.permission p where p.role = r.role and p.permission = v.permission);
create function test.attempts(role text) returns table (name text, able text) language sql security definer as
$$ select a.name, a.able from test.attempt a where a.role = attempts.role $$;
create function test.refused_all(code text, role text) returns integer language plpgsql as $$
declare
    attempt record;
    n integer := 0;
begin
    perform test.enter(code, role);
    for attempt in select * from test.attempts(role) loop
        execute format('set local role %I', 'tpv_' || role);
        perform test.refused(format('select own.%I(''{}'')', attempt.name), '42501', what => concat_ws(' ', role, attempt.name));
        perform test.refused(format('select own.once(null, null, %L, ''{}'')', attempt.name), 'TP403', what => concat_ws(' ', role, attempt.name, 'once'));
        execute format('set local role %I', 'tpv_' || attempt.able);
        perform test.refused(format('select own.%I(''{}'')', attempt.name), 'TP403', what => concat_ws(' ', role, attempt.name, 'as', attempt.able));
        n := n + 1;
    end loop;
    return n;
end
$$;
set session authorization tpv_gateway_user;
begin; select test.refused_all('all', 'cashier') as n \gset cashier_
commit;
begin; select test.refused_all('all', 'supervisor') \g /dev/null
commit;
begin; select test.refused_all('all', 'manager') \g /dev/null
commit;
begin; select test.refused_all('all', 'auditor') as n \gset auditor_
commit;
begin; select test.refused_all('all', 'concessionaire') \g /dev/null
commit;
begin; select test.refused_all('all', 'admin') \g /dev/null
commit;
select test.equal(:auditor_n, 24, 'an auditor changes nothing'), test.equal(:cashier_n, 20, 'a cashier writes customers') \g /dev/null
