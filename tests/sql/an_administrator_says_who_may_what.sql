-- Employees and their roles are decided at central by administrators. What they change counts with the
-- next request of whoever it is about.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01 PESC'), test.node(2, 'S02', '01') \g /dev/null
select test.hire('boss', 'admin'), test.hire('boss', 'manager') \g /dev/null
create table test.kept (name text primary key, value jsonb);
grant select, insert on test.kept to public;

set session authorization tpv_gateway_user;
do $$
declare
    ana jsonb;
    eva jsonb;
    given jsonb;
    grant_of jsonb;
begin
    perform test.enter('boss', 'admin');
    perform test.equal(test.faults($q$select own.create_employee('{"code": "Ana", "active": true}')$q$),
        'TP422 /active unknown, /code format, /name missing', 'all faults at once');
    ana := own.create_employee('{"code": "ana", "name": "Ana Sanz"}');
    perform test.equal(ana - 'employee_id' - 'etag', '{"code": "ana", "name": "Ana Sanz", "active": true, "blocked": false, "has_password": false}'::jsonb, 'the employee');
    perform test.equal(test.faults($q$select own.create_employee('{"code": "ana", "name": "Another"}')$q$), 'TP409 code-taken', 'the name is taken');

    grant_of := jsonb_build_object('employee_id', ana -> 'employee_id');
    perform test.equal(test.faults(format('select own.grant_role(%L)', grant_of || '{"role": "boss", "node": 1, "valid_from": "2026-02-30"}')),
        'TP422 /node format, /role format, /valid_from format', 'the form first');
    perform test.equal(test.faults(format('select own.grant_role(%L)', grant_of || '{"role": "concessionaire"}')),
        'TP422 /department missing, /node missing', 'a lease has a place');
    perform test.equal(test.faults(format('select own.grant_role(%L)', grant_of || '{"role": "admin", "node": "S01"}')), 'TP422 /node not-here', 'of the chain');
    perform test.equal(test.faults(format('select own.grant_role(%L)', grant_of
        || '{"role": "concessionaire", "node": "S01", "department": "PAN", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}')),
        'TP422 /department unknown-department, /valid_to order', 'what it names is not there');
    perform test.equal(test.faults(format('select own.grant_role(%L)', grant_of || '{"role": "cashier", "node": "S09", "department": "01"}')),
        'TP422 /node unknown-store', 'no such store');
    perform test.equal(test.faults(format('select own.grant_role(%L)', jsonb_build_object('employee_id', gen_random_uuid(), 'role', 'cashier'))), 'TP404', 'nobody');
    given := own.grant_role(grant_of || '{"role": "cashier", "node": "S01", "department": "PESC"}');
    perform test.equal(given - 'role_grant_id' - 'employee_id' - 'etag', jsonb_build_object('role', 'cashier', 'node_id', 1, 'department_code', 'PESC',
        'valid_from', to_char(now() at time zone 'Europe/Madrid', 'YYYY-MM-DD'), 'valid_to', null), 'the grant, from today on');
    perform test.equal(test.faults(format('select own.grant_role(%L)', grant_of || '{"role": "cashier", "node": "S01", "department": "PESC", "valid_to": "2999-01-01"}')),
        'TP409 state', 'a second time on the same days');
    insert into test.kept values ('ana', ana), ('grant', given);
end
$$;
do $$
declare
    ana jsonb := (select value from test.kept where name = 'ana');
    given jsonb := (select value from test.kept where name = 'grant');
begin
    perform test.enter('boss', 'admin');
    perform test.refused(format('select own.change_employee(%L)', jsonb_build_object('employee_id', ana -> 'employee_id', 'changes', '{"active": false}'::jsonb)), 'TP428');
    perform test.refused(format('select own.change_employee(%L)', jsonb_build_object('employee_id', ana -> 'employee_id', 'version', ana -> 'etag',
        'changes', '{"active": false}'::jsonb)), 'TP412', what => 'the grant has changed her');
    perform test.equal(test.faults(format('select own.change_employee(%L)', jsonb_build_object('employee_id', ana -> 'employee_id',
        'changes', '{"active": "no", "code": "x", "name": null}'::jsonb))), 'TP422 /active format, /code unknown, /name missing', 'all faults at once');
    perform test.equal(test.faults(format('select own.end_grant(%L)', jsonb_build_object('role_grant_id', gen_random_uuid(), 'version', 'x'))), 'TP404', 'no grant');
    perform test.equal((select array_agg(concat_ws(' ', role, node_id, department_code)) from own.role_grant where employee_id = (ana ->> 'employee_id')::uuid),
        '{cashier 1 PESC}'::text[], 'her grants');
end
$$;

-- She works; then she does not.
begin;
select test.enter('ana', 'cashier') \g /dev/null
select test.equal((select count(*) from own.department), 1, 'she is in') \g /dev/null
commit;
do $$
declare
    ana jsonb := (select value from test.kept where name = 'ana');
    changed jsonb;
begin
    perform test.enter('boss', 'admin');
    changed := own.change_employee(jsonb_build_object('employee_id', ana -> 'employee_id', 'version', (select etag from own.employee where code = 'ana'),
        'changes', '{"active": false}'::jsonb));
    perform test.equal(changed -> 'active', 'false', 'she is disabled');
    perform own.change_employee(jsonb_build_object('employee_id', ana -> 'employee_id', 'version', changed -> 'etag', 'changes', '{"active": true, "name": "Ana"}'::jsonb));
end
$$;
reset session authorization;
do $$
begin
    perform test.equal((select count(*) from sec.session where employee_id = test.employee('ana') and ended_why = 'REVOKED'), 1, 'her session was ended');
    perform test.equal((select authz from party.employee where code = 'ana'), 4, 'each change was counted');
end
$$;
set session authorization tpv_gateway_user;
do $$
declare
    given jsonb := (select value from test.kept where name = 'grant');
begin
    perform test.enter('boss', 'admin');
    given := given || own.change_grant(jsonb_build_object('role_grant_id', given -> 'role_grant_id', 'version', given -> 'etag',
        'changes', jsonb_build_object('valid_to', current_date + 30)));
    perform test.equal(given ->> 'valid_to', (current_date + 30)::text, 'it has an end now');
    perform test.equal(test.faults(format('select own.change_grant(%L)', jsonb_build_object('role_grant_id', given -> 'role_grant_id',
        'version', given -> 'etag', 'changes', '{"valid_to": "2020-01-01"}'::jsonb))), 'TP422 /valid_to order', 'which is not before its begin');
    perform test.equal(test.faults(format('select own.change_grant(%L)', jsonb_build_object('role_grant_id', given -> 'role_grant_id',
        'version', given -> 'etag', 'changes', '{"valid_from": null, "role": "admin"}'::jsonb))), 'TP422 /role unknown, /valid_from missing', 'only its days change');
    perform test.equal(test.faults(format('select own.change_grant(%L)', jsonb_build_object('role_grant_id', given -> 'role_grant_id',
        'version', 'x', 'changes', '{"valid_to": null}'::jsonb))), 'TP412', 'in the version that was seen');
    perform test.equal(own.end_grant(jsonb_build_object('role_grant_id', given -> 'role_grant_id', 'version', given -> 'etag')) -> 'deleted', 'true', 'the grant is taken away');
    perform test.equal((select array_agg(concat_ws(' ', event, split_part(detail, ' from ', 1)) order by audit_id) from own.audit),
        '{ROLE_GRANTED cashier of node 1 department PESC,ROLE_CHANGED cashier of node 1 department PESC,ROLE_TAKEN cashier of node 1 department PESC}'::text[], 'all are on record');
    perform test.refused('select test.enter(''ana'', ''cashier'')', 'TP403', what => 'she has no role any more');
    perform test.equal(own.register_gateway_key(jsonb_build_object('node', 'S01', 'public_key', repeat('A', 43) || '=')), '{"node": "S01", "registered": true}'::jsonb, 'a key');
    perform test.equal(test.faults($q$select own.register_gateway_key('{"node": "S09", "public_key": "AAAA"}')$q$), 'TP422 /public_key format', 'no key');
    perform test.equal(test.faults(format('select own.register_gateway_key(%L)', jsonb_build_object('node', 'S09', 'public_key', repeat('A', 43) || '='))), 'TP404', 'no store');
end
$$;
reset session authorization;

-- Where the table is written by hand its rules hold as well.
do $$
begin
    perform test.refused($q$select test.hire('x1', 'king')$q$, '23514', 'there is no such role');
    perform test.refused($q$select test.hire('x1', 'concessionaire', 1)$q$, '23514', what => 'a lease without a department');
    perform test.refused($q$select test.hire('x1', 'admin', 1)$q$, '23514', what => 'an administrator of a store');
    perform test.refused($q$select test.hire('x1', 'cashier', 1, 'NONE')$q$, '23503', what => 'a department that is not there');
    perform test.refused($q$select test.hire('x1', 'cashier', 1, null, '2026-02-01', '2026-01-01')$q$, '23514', what => 'it ends before it begins');
    perform test.hire('lessee', 'concessionaire', 1, 'PESC');
    perform test.refused($q$do $d$ begin update org.department set deleted = true where code = 'PESC'; set constraints all immediate; end $d$ $q$, '23503',
        'that department is still used', 'another lessee must not get it with her', '%sec.role_grant: 1%');
    perform test.refused('delete from sec.role_grant', '42501', what => 'rows are never removed');
end
$$;
