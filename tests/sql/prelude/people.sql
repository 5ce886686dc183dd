-- Employees, their roles, and how a test becomes one of them: as the gateway does, with a session, for
-- the rest of a transaction. A do block is one.

create function test.node(node_id integer, code text, departments text) returns void language plpgsql security definer as $$
#variable_conflict use_variable
begin
    insert into org.node (node_id, node_code, kind) values (node_id, code, 'store') on conflict do nothing;
    insert into org.store as s (node_id, code, name, timezone, cutoff_hour, currency, gateway_url)
    select node_id, code, code, 'Europe/Madrid', 4, 'EUR', 'https://' || lower(code) || '.example'
    where not exists (select from org.store s where s.node_id = node.node_id);
    insert into org.department (node_id, code, name)
    select node_id, d, d from string_to_table(departments, ' ') d
    where not exists (select from org.department o where o.node_id = node.node_id and o.code = d);
end
$$;

create function test.employee(code text) returns uuid language sql security definer stable as
$$ select e.employee_id from party.employee e where e.code = employee.code and not e.deleted $$;

-- Gives somebody a role; makes the person where there is none yet.
create function test.hire(code text, role text, node_id integer default null, department text default null,
    valid_from date default null, valid_to date default null) returns uuid language plpgsql security definer as $$
#variable_conflict use_variable
declare
    id uuid := test.employee(code);
    made uuid;
begin
    if id is null then
        insert into party.employee (code, name) values (code, initcap(code)) returning employee_id into id;
    end if;
    insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from, valid_to)
    values (id, role, node_id, department, coalesce(valid_from, current_date - 30), valid_to) returning role_grant_id into made;
    return made;
end
$$;

create type test.token as (session_id uuid, employee_id uuid, role text, authz integer);
create function test.session(code text, role text) returns test.token language sql security definer as $$
    select (o.session_id, test.employee(code), o.role, o.authz)::test.token
    from sec.open_session(test.employee(code), role, '192.0.2.1', 'test') o
$$;

create function test.enter(code text, role text) returns void language plpgsql as $$
declare
    session test.token := test.session(code, role);
begin
    execute format('set local role %I', 'tpv_' || session.role);
    perform sec.enter(session.session_id, session.employee_id, session.role, session.authz);
end
$$;

-- What a request is refused with: its state, and of its faults the places and codes.
create function test.faults(statement text) returns text language sql as $$
    select concat_ws(' ', r.state, (
        select string_agg(concat_ws(' ', f ->> 'pointer', f ->> 'code'), ', ' order by f ->> 'pointer', f ->> 'code')
        from jsonb_array_elements(case r.state when 'TP422' then r.detail::jsonb else '[]' end) f),
        case r.state when 'TP409' then r.detail::jsonb ->> 'code' end)
    from test.refusal(statement) r
$$;
