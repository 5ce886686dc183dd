-- In a store that has joined a chain: who may what and which password is hers is decided by central, and
-- the refusal says where. Sessions of central are let in, and whoever is there may block at once.

\ir prelude/store.sql
\ir prelude/people.sql

select test.hire('ana', 'admin'), test.hire('eva', 'cashier', 1), test.hire('boss', 'manager', 1), test.hire('root', 'manager') \g /dev/null
insert into sec.gateway_key (gateway_key_id, node_id, public_key) values ('00000000-0000-7000-8000-0000000000cc', 1, repeat('A', 43) || '=');
insert into sec.verifier (employee_id, node_id, gateway_key_id, sealed) values (test.employee('eva'), 1, '00000000-0000-7000-8000-0000000000cc', 'SEALED');
select sec.publish_issuer_key('k1', repeat('a', 43), 'https://central.example') \g /dev/null
insert into sec.password (employee_id, phc) values (test.employee('eva'), '$argon2id$kept');
insert into org.node values (100, 'CENTRAL', 'central');
insert into sync.peer (node_id, subscription_name) values (100, 'tpv_from_central');

set session authorization tpv_gateway_user;
do $$
declare
    verb text;
begin
    perform test.enter('ana', 'admin');
    foreach verb in array array['create_employee', 'change_employee', 'grant_role', 'change_grant', 'end_grant', 'make_password_link', 'register_gateway_key'] loop
        perform test.refused(format('select own.%I(''{}'')', verb), 'TP409', what => verb, detail_like => '%"decided-by-central"%');
        perform test.refused(format('select own.%I(''{}'')', verb), 'TP409', what => verb, detail_like => '%"https://central.example"%');
    end loop;
    perform test.equal(test.faults($q$select own.settle('{"table_name": "catalog.product", "key": "00000000-0000-7000-8000-0000000000aa",
        "column_name": "sku", "node_id": 1, "seq": 1}')$q$), 'TP409 decided-by-central', 'as are products');
end
$$;

set session authorization tpv_gateway_auth;
do $$
declare
    sid uuid := '00000000-0000-7000-8000-0000000000dd';
    authz integer := 3;
begin
    perform test.equal((select (phc is null, sealed, left(gateway_key, 3))::text from sec.find_login('eva')), '(t,SEALED,AAA)', 'the sealed form, for this gateway');
    perform test.equal((select central_url from sec.this_gateway()), 'https://central.example', 'where central is');
    perform test.refused(format('select sec.set_password(%L, %L, null)', test.employee('eva'), '$argon2id$x'), 'TP409');
    perform test.refused(format('select sec.use_password_link(%L, %L)', sha256(''), '$argon2id$x'), 'TP409');
    perform test.refused(format('select sec.make_admin(%L, %L, %L)', 'xx', 'X', '$argon2id$x'), 'TP409');
    perform test.equal((select count(*) from sec.verifiers_due(10)), 0, 'nothing to seal here');

    -- A token of central's.
    perform test.refused(format('select sec.admit(%L, %L, %L, 1, now() + interval ''10 minutes'')', sid, test.employee('root'), 'manager'), 'TP401',
        what => 'of before a change that is known here');
    perform test.refused(format('select sec.admit(%L, %L, %L, 2, now() + interval ''10 minutes'')', sid, test.employee('root'), 'admin'), 'TP401',
        what => 'in a role that she has not here');
    perform sec.admit(sid, test.employee('root'), 'manager', 2, now() + interval '10 minutes');
    perform sec.admit(sid, test.employee('root'), 'manager', 4, now() + interval '10 minutes');
    perform test.equal((select outcome from sec.refresh_session(sid, 1, false)), 'dead', 'it is refreshed at central');
end
$$;
set session authorization tpv_gateway_user;
do $$
begin
    set local role tpv_manager;
    perform sec.enter('00000000-0000-7000-8000-0000000000dd', test.employee('root'), 'manager', 4);
    perform test.equal((select code from own.me), 'root', 'central may know of a change that has not arrived');
    perform own.block(jsonb_build_object('employee_id', test.employee('eva'), 'why', 'case 1'));
    perform test.equal(test.faults(format('select own.block(%L)', jsonb_build_object('employee_id', test.employee('eva'), 'why', 'x'))), 'TP409 state', 'she is blocked');
end
$$;
set session authorization tpv_gateway_auth;
select test.equal((select count(*) from sec.find_login('eva')), 0, 'who is blocked cannot log in') \g /dev/null
select sec.end_session('00000000-0000-7000-8000-0000000000dd', 'LOGOUT') \g /dev/null
select test.refused(format('select sec.admit(%L, %L, %L, 4, now() + interval ''10 minutes'')', '00000000-0000-7000-8000-0000000000dd', test.employee('root'), 'manager'),
    'TP401', what => 'what was ended here is not let in again') \g /dev/null
set session authorization tpv_gateway_user;
do $$
declare
    theirs uuid := (test.session('boss', 'manager')).session_id;
begin
    perform test.enter('boss', 'manager');
    perform test.equal(test.faults(format('select own.unblock(%L)', jsonb_build_object('employee_id', test.employee('eva'), 'why', 'case 1'))), 'TP403',
        'whom the chain blocked the store does not let in again');
    perform test.equal(own.end_session(jsonb_build_object('session_id', theirs)) -> 'ended', 'true', 'another session of her own');
    perform test.equal(test.faults(format('select own.end_session(%L)', jsonb_build_object('session_id', theirs))), 'TP404', 'it is over');
    perform test.equal(test.faults(format('select own.end_session(%L)', jsonb_build_object('session_id', (test.session('root', 'manager')).session_id))), 'TP404',
        'not of somebody of the whole chain');
    perform test.equal(test.faults(format('select own.block(%L)', jsonb_build_object('employee_id', test.employee('root'), 'why', 'x'))), 'TP404', 'nor is she blocked');
end
$$;
do $$
begin
    perform test.enter('root', 'manager');
    perform test.equal(own.unblock(jsonb_build_object('employee_id', test.employee('eva'), 'why', 'case 1')) -> 'blocked', 'false', 'let in again');
    perform test.equal((select array_agg(event order by audit_id) from own.audit), '{BLOCKED,UNBLOCKED}'::text[], 'both are on record');
end
$$;
do $$
begin
    perform test.enter('boss', 'manager');
    perform test.equal((own.end_session(jsonb_build_object('session_id', (test.session('eva', 'cashier')).session_id))) -> 'ended', 'true', 'of somebody whom she may block');
end
$$;
do $$
declare
    theirs uuid := (test.session('boss', 'manager')).session_id;
begin
    perform test.enter('eva', 'cashier');
    perform test.equal(test.faults(format('select own.end_session(%L)', jsonb_build_object('session_id', theirs))), 'TP404', 'a cashier ends her own');
end
$$;
