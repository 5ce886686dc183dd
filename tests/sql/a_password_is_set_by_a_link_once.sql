-- Passwords are decided at central. An administrator makes a link, which is good for one use; what
-- stores need of a password is sealed for each store where she works, and for no other.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01'), test.node(2, 'S02', '01') \g /dev/null
select test.hire('boss', 'admin'), test.hire('ana', 'cashier', 1), test.hire('eva', 'cashier', 1), test.hire('eva', 'manager', 2),
    test.hire('roving', 'auditor') \g /dev/null

set session authorization tpv_gateway_user;
do $$
begin
    perform test.enter('boss', 'admin');
    perform test.equal((select has_password from own.employee where code = 'ana'), false, 'she has none yet');
    perform test.equal(test.faults($q$select own.make_password_link('{"link_hash": "abc", "expires_at": "tomorrow", "for": 1}')$q$),
        'TP422 /employee_id missing, /expires_at format, /for unknown, /link_hash format', 'all faults at once');
    perform test.equal(test.faults(format($q$select own.make_password_link('{"employee_id": "%s", "link_hash": "%s", "expires_at": "2020-01-01T00:00:00Z"}')$q$,
        test.employee('ana'), repeat('a', 64))), 'TP422 /expires_at range', 'in the past');
    perform test.refused(format($q$select own.make_password_link('{"employee_id": "%s", "link_hash": "%s"}')$q$,
        gen_random_uuid(), repeat('a', 64)), 'TP404', what => 'nobody');
    perform own.make_password_link(jsonb_build_object('employee_id', test.employee('ana'), 'link_hash', repeat('a', 64)));
    -- Another one takes its place.
    perform own.make_password_link(jsonb_build_object('employee_id', test.employee('ana'), 'link_hash', repeat('b', 64)));
end
$$;
set session authorization tpv_gateway_auth;
do $$
declare
    phc text := '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';
begin
    perform test.refused(format('select sec.use_password_link(%L, %L)', decode(repeat('a', 64), 'hex'), phc), 'TP404', what => 'it was replaced');
    perform test.refused(format('select sec.use_password_link(%L, %L)', decode(repeat('b', 64), 'hex'), 'plain'), '23514', what => 'no argon2id string');
    perform test.session('ana', 'cashier');
    perform test.equal(sec.use_password_link(decode(repeat('b', 64), 'hex'), phc), test.employee('ana'), 'whose it is');
    perform test.refused(format('select sec.use_password_link(%L, %L)', decode(repeat('b', 64), 'hex'), phc), 'TP404', what => 'a second time');
    perform test.equal((select f.phc from sec.find_login('ana') f), phc, 'what to check with');
    perform sec.set_password(test.employee('eva'), phc || 'e', 'login:test'), sec.set_password(test.employee('roving'), phc, 'login:test');
    perform sec.make_password_link(test.employee('eva'), sha256('old'), now() - interval '1 second');
    perform test.refused(format('select sec.use_password_link(%L, %L)', sha256('old'), phc), 'TP404', what => 'too late');
end
$$;
reset session authorization;
do $$
begin
    perform test.equal((select count(*) from sec.session where employee_id = test.employee('ana') and ended_why = 'PASSWORD_SET'), 1,
        'her sessions end');
    assert (select count(*) from sec.password_link where made_by = 'employee:' || test.employee('boss')) = 2, 'the administrator made them';
    perform test.equal((select array_agg(distinct event order by event) from sec.audit), '{PASSWORD_LINK,PASSWORD_SET}'::text[], 'and it is on record');
    perform test.equal((select count(*) from sec.verifiers_due(10)), 0, 'no gateway of a store is known yet');
end
$$;

-- A store's gateway has a key: what is due is sealed for it, for those whom a grant names there.
select sec.register_gateway_key('S01', repeat('A', 43) || '=') \g /dev/null
select sec.register_gateway_key('S02', repeat('B', 43) || '=') \g /dev/null
set session authorization tpv_gateway_auth;
do $$
declare
    due record;
begin
    perform test.equal((select array_agg(concat_ws(' ', e, d.node_id, left(d.gateway_key, 1)) order by d.node_id, e)
        from (select 'ana' union all select 'eva') as p (e) join sec.verifiers_due(10) d on d.employee_id = test.employee(e)),
        '{ana 1 A,eva 1 A,eva 2 B}'::text[], 'each where she works');
    perform test.equal((select count(*) from sec.verifiers_due(10)), 3, 'who has the whole chain logs in at central');
    perform test.equal((select count(*) from sec.verifiers_due(2)), 2, 'some at a time');
    for due in select * from sec.verifiers_due(10) loop
        perform sec.save_verifier(due.employee_id, due.node_id, due.gateway_key_id, 'SEALED', due.changed_at);
    end loop;
    perform test.equal((select count(*) from sec.verifiers_due(10)), 0, 'done');
    -- A password that changed, and one that changed while it was sealed.
    perform sec.set_password(test.employee('ana'), '$argon2id$2', 'login:test');
    select * into due from sec.verifiers_due(10);
    perform sec.set_password(test.employee('ana'), '$argon2id$3', 'login:test');
    perform sec.save_verifier(due.employee_id, due.node_id, due.gateway_key_id, 'SEALED-2', due.changed_at);
    perform test.equal((select d.phc from sec.verifiers_due(10) d), '$argon2id$3', 'the last one is due');
    select * into due from sec.verifiers_due(10);
    perform sec.save_verifier(due.employee_id, due.node_id, due.gateway_key_id, 'SEALED-3', due.changed_at);
end
$$;
reset session authorization;
do $$
begin
    perform sec.register_gateway_key('S01', repeat('A', 43) || '=');
    perform test.equal((select count(*) from sec.verifiers_due(10)), 0, 'the same key again is no other');
    perform sec.register_gateway_key('S01', repeat('C', 43) || '=');
    perform test.equal((select array_agg(distinct left(gateway_key, 1)) from sec.verifiers_due(10)), '{C}'::text[], 'for a new key all is sealed anew');
    update sec.role_grant set deleted = true where employee_id = test.employee('eva') and node_id = 2;
    perform test.equal((select array_agg(node_id) from sec.verifier where employee_id = test.employee('eva') and not deleted), '{1}'::integer[],
        'a store where she works no longer has none');
    perform test.refused($q$select sec.register_gateway_key('S09', '')$q$, 'TP404');
    perform sec.publish_issuer_key('k1', repeat('a', 43), 'https://central.example'), sec.publish_issuer_key('k2', repeat('b', 43));
    perform test.equal((select array_agg(kid) from sec.issuer_keys()), '{k1,k2}'::text[], 'keys of tokens');
    perform sec.retire_issuer_key('k1');
    perform test.equal((select array_agg(kid) from sec.issuer_keys()), '{k1,k2}'::text[], 'a retired one is good for an hour');
    update sec.issuer_key set retired_at = now() - interval '61 minutes' where kid = 'k1';
    perform test.equal((select array_agg(kid) from sec.issuer_keys()), '{k2}'::text[], 'and then no longer');
    perform test.equal((select (node_id, node_code, kind)::text from sec.this_gateway()), '(100,CENTRAL,central)', 'which node this is');
    perform sec.make_admin('root', 'Root', '$argon2id$r');
    perform test.equal((select array_agg(concat_ws(' ', role, node_id)) from sec.roles_of(test.employee('root'))), '{admin,manager}'::text[],
        'the first administrator');
end
$$;
