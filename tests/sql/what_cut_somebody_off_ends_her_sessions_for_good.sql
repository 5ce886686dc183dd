-- A session is of one count of what she may, and of her password. What changes either is counted, which
-- every node hears, as an operation or by a snapshot; sessions of before are over then, and nothing that
-- comes after it revives one.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01') \g /dev/null
select test.hire('ana', 'cashier', 1), test.hire('eva', 'cashier', 1), test.hire('mar', 'manager') \g /dev/null
select sec.set_password(test.employee(code), '$argon2id$1', null) from unnest(array['ana', 'mar']) code \g /dev/null
select sec.register_gateway_key('S01', repeat('A', 43) || '=') \g /dev/null
select sec.save_verifier(d.employee_id, d.node_id, d.gateway_key_id, 'SEALED', d.changed_at) from sec.verifiers_due(10) d \g /dev/null

create function test.enters(session test.token) returns boolean language plpgsql as $$
begin
    execute format('set local role %I', 'tpv_' || session.role);
    return (select case r.state when '00000' then true when 'TP401' then false end from test.refusal(format(
        'select sec.enter(%L, %L, %L, %s)', session.session_id, session.employee_id, session.role, session.authz)) r);
end
$$;
create function test.refreshes(session test.token) returns boolean language sql security definer as $$
    select r.outcome <> 'dead' from sec.refresh_session(session.session_id,
        (select s.counter from sec.session s where s.session_id = session.session_id), false) r
$$;
create function test.admitted(code text, role text, authz integer) returns test.token language plpgsql security definer as $$
declare
    session test.token := (gen_random_uuid(), test.employee(code), role, authz)::test.token;
begin
    perform sec.admit(session.session_id, session.employee_id, role, authz, now() + interval '10 minutes');
    return session;
end
$$;
create function test.change(statement text) returns void language plpgsql security definer as $$ begin execute statement; end $$;

set session authorization tpv_gateway_user;
do $$
declare
    session test.token;
    hers test.token;
    change text;
begin
    foreach change in array array[
        $q$update party.employee set active = not active where employee_id = test.employee('ana')$q$,
        $q$select sec.set_password(test.employee('ana'), '$argon2id$2', null)$q$,
        $q$update sec.role_grant set valid_to = current_date + 9 where employee_id = test.employee('ana')$q$]
    loop
        session := test.session('ana', 'cashier');
        perform test.equal(test.refreshes(session), true, change || ' before');
        perform test.change(change);
        perform test.change($q$update party.employee set active = true where code = 'ana'$q$);
        perform test.equal(test.enters(session), false, change || ' and back: her token');
        perform test.equal(test.refreshes(session), false, change || ' and back: her refresh token');
        perform test.equal(test.refreshes(test.session('ana', 'cashier')), true, change || ': she logs in again');
    end loop;

    -- The session in which she changes her password goes on, with the token that she has.
    session := test.session('mar', 'manager');
    hers := test.session('mar', 'manager');
    perform test.change(format($q$select sec.set_password(%L, '$argon2id$3', null, %L)$q$, hers.employee_id, hers.session_id));
    perform test.equal(test.enters(session), false, 'the others end');
    perform test.equal(test.refreshes(hers), true, 'hers does not');
    perform test.equal(test.enters(hers), true, 'nor does its token');
end
$$;
do $$
declare
    session test.token := test.admitted('mar', 'manager', (test.session('mar', 'manager')).authz);
begin
    -- Central's session at a store, of somebody who has no password there. What arrives is the count.
    perform test.change($q$update party.employee set authz = authz + 1 where code = 'mar'$q$);
    perform test.equal(test.enters(session), false, 'the token of before');
    session.authz := session.authz + 1;
    perform test.equal(test.enters(session), true, 'the one that central gave her afterwards');
end
$$;

-- Whoever compares a password with what was there before it was changed comes too late.
do $$
declare
    session test.token := test.session('ana', 'cashier');
begin
    perform test.refused(format('select test.change(%L)', format('select sec.open_session(%L, null, null, null, %s)', session.employee_id, session.authz - 1)),
        'TP401', what => 'it was changed meanwhile');
end
$$;
reset session authorization;
do $$
declare
    before integer := (select authz from party.employee where code = 'ana');
    due record;
begin
    perform test.equal((select sealed from sec.verifier where employee_id = test.employee('ana') and not deleted), '', 'the password of before opens no store');
    select * into due from sec.verifiers_due(10) d where d.employee_id = test.employee('ana');
    perform sec.set_password(test.employee('ana'), '$argon2id$5', null);
    perform sec.save_verifier(due.employee_id, due.node_id, due.gateway_key_id, 'LATE', due.changed_at);
    perform test.equal((select sealed from sec.verifier where employee_id = test.employee('ana') and not deleted), '', 'nor does one that was sealed meanwhile');
    perform sec.save_verifier(d.employee_id, d.node_id, d.gateway_key_id, 'SEALED', d.changed_at) from sec.verifiers_due(10) d;
    perform test.equal((select sealed from sec.verifier where employee_id = test.employee('ana') and not deleted), 'SEALED', 'then comes the new one');
    perform test.equal((select authz from party.employee where code = 'ana'), before + 1, 'which is counted once');
    -- A new key of the gateway ends nothing.
    perform sec.register_gateway_key('S01', repeat('B', 43) || '=');
    perform sec.save_verifier(d.employee_id, d.node_id, d.gateway_key_id, 'AGAIN', d.changed_at) from sec.verifiers_due(10) d;
    perform test.equal((select (authz, sealed)::text from party.employee e join sec.verifier v using (employee_id) where e.code = 'ana' and not v.deleted),
        format('(%s,AGAIN)', before + 1), 'sealed anew for the same password');
end
$$;
