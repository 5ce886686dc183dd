-- The gateway checks a token and says whose it is. The database says whether that counts: the session
-- lives, nothing that she may was changed since, and the role is hers today.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01 02'), test.node(2, 'S02', '01') \g /dev/null
select test.hire('ana', 'cashier', 1), test.hire('ana', 'manager', 2), test.hire('eva', 'cashier', 1),
    test.hire('luz', 'cashier', 1, valid_to => current_date - 1), test.hire('mar', 'admin'), test.hire('pia', 'cashier', 1) \g /dev/null

create function test.change(statement text) returns void language plpgsql security definer as $$ begin execute statement; end $$;

set session authorization tpv_gateway_user;

do $$
begin
    perform test.enter('ana', 'cashier');
    perform test.equal((select jsonb_agg(to_jsonb(m) - 'employee_id' - 'permissions') from own.me m), jsonb_build_array(jsonb_build_object(
        'code', 'ana', 'name', 'Ana', 'role', 'cashier', 'scope', '[{"node": 1, "department": null, "from": null, "to": null}]'::jsonb)), 'who she is');
    perform test.equal((select permissions from own.me),
        '{catalog.read,customer.read,customer.write,receipt.read,store.read}'::text[], 'and what she may');
    perform test.equal((select array_agg(code) from own.store), '{S01}'::text[], 'one of her roles at a time');
    perform test.equal((select count(*) from own.session), 1, 'her session');
    perform test.refused($q$select * from own.employee$q$, '42501', what => 'a manager''s view');
    perform test.refused($q$select * from party.employee$q$, '42501', what => 'a table');
    -- No setting and no role changes who she is and what she sees.
    perform test.refused($q$select test.enter('eva', 'cashier')$q$, '55000', 'this transaction is another person''s already');
    set local role tpv_manager;
    perform test.equal((select count(*) from own.employee), 0, 'the role of the login is not that of the person');
    assert (select count(*) from own.store) = 1, 'what both roles may she sees as the person';
    perform test.refused($q$select own.create_employee('{"code": "xx", "name": "X"}')$q$, '42501');
    reset role;
    perform test.refused('select * from own.me', '42501', what => 'the gateway has no right of its own');
end
$$;

do $$
declare
    session test.token := test.session('ana', 'cashier');
    call text := format('select sec.enter(%L, %L, %L, %s)', session.session_id, session.employee_id, 'cashier', session.authz);
begin
    perform test.refused(call, '42501', what => 'the gateway has to be somebody first');
    set local role tpv_manager;
    perform test.refused(call, 'TP403', what => 'in the role that the token says');
    set local role tpv_cashier;
    perform test.refused(format('select sec.enter(%L, %L, %L, %s)', gen_random_uuid(), session.employee_id, 'cashier', session.authz),
        'TP401', what => 'no session');
    perform test.refused(format('select sec.enter(%L, %L, %L, %s)', session.session_id, test.employee('eva'), 'cashier', session.authz),
        'TP401', what => 'another''s session');
    perform test.refused(format('select sec.enter(%L, %L, %L, %s)', session.session_id, session.employee_id, 'cashier', session.authz + 1),
        'TP401', what => 'a token of the future');
    perform test.refused($q$select tpv.enter('00000000-0000-7000-8000-0000000000aa', 'admin', '[{}]')$q$, '42501',
        what => 'nobody vouches for himself');
    perform test.equal((select count(*) from own.store), 0, 'nobody sees nothing');
    execute call;
    perform test.equal((select count(*) from own.store), 1, 'the session itself is good');
end
$$;

do $$
declare
    session test.token := test.session('eva', 'cashier');
    call text := format('select sec.enter(%L, %L, %L, %s)', session.session_id, session.employee_id, 'cashier', session.authz);
begin
    perform test.refused($q$select test.enter('luz', 'cashier')$q$, 'TP403', 'nobody granted that role here', 'a grant that is over');
    perform test.refused($q$select test.enter('ana', 'admin')$q$, 'TP403', what => 'a role that she has not');
    perform test.equal((select role from test.session('ana', null)), 'manager', 'the first of her roles when she names none');
    set local role tpv_cashier;
    -- Each is undone with its attempt.
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$update party.employee set active = false where code = 'eva'$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'she was disabled');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$update party.employee set deleted = true where code = 'eva'$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'she was deleted');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$update sec.role_grant set department_code = '01' where employee_id = test.employee('eva')$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'her grant was changed');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$update sec.role_grant set deleted = true where employee_id = test.employee('eva')$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'her grant was taken away');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$insert into sec.block (employee_id, why) values (test.employee('eva'), 'test')$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'she is blocked here');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$select sec.end_session('%s', 'LOGOUT')$c$); perform %s; end $d$
        $q$, session.session_id, substring(call from 8)), 'TP401', what => 'she has logged out');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$update sec.session set expires_at = now()$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'the session is 30 days old');
    perform test.refused(format($q$do $d$ begin
        perform test.change($c$update sec.session set rotated_at = now() - interval '12 hours'$c$); perform %s; end $d$
        $q$, substring(call from 8)), 'TP401', what => 'nobody refreshed it for 12 hours');
    execute call;
end
$$;

reset session authorization;

-- What changes while she is logged in counts with the next request.
select sec.end_sessions(test.employee('pia'), null, 'LOGOUT') \g /dev/null
update party.employee set name = 'Pia P' where code = 'pia';
do $$
begin
    perform test.equal((select authz from party.employee where code = 'pia'), 2, 'a name is no right');
    update party.employee set active = false where code = 'pia';
    update party.employee set active = true where code = 'pia';
    perform test.equal((select authz from party.employee where code = 'pia'), 4, 'each change of what she may counts');
end
$$;

-- People who may log in, and with what.
set session authorization tpv_gateway_auth;
do $$
begin
    perform test.equal((select count(*) from sec.find_login('ana')), 1, 'ana may');
    perform test.equal((select count(*) from sec.find_login('nobody')), 0, 'who is not there may not');
    perform test.equal((select array_agg(concat_ws(' ', role, node_id) order by role) from sec.roles_of(test.employee('ana'))),
        '{cashier 1,manager 2}', 'her roles');
    perform test.refused('select * from sec.session', '42501', what => 'no table');
    perform test.refused('select * from own.me', '42501', what => 'no view');
    perform test.refused('select sec.enter(null, null, null, null)', '42501', what => 'nor does it enter anybody');
end
$$;
