create or replace function sec.employee_body(employee uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  set constraints all immediate;
  return (select to_jsonb(e) from own.employee e where e.employee_id = employee_body.employee);
end $$;
comment on function sec.employee_body(uuid) is 'An employee as an answer shows her. Her version is that after this request.';

create or replace function own.create_employee(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'code login!; name line!'));
  if exists (select from party.employee e where e.code = args ->> 'code' and not e.deleted) then
    perform sec.refuse_conflict('somebody logs in with that name already', 'code-taken');
  end if;
  insert into party.employee (code, name) values (args ->> 'code', args ->> 'name') returning employee_id into made;
  return sec.employee_body(made);
end $$;
comment on function own.create_employee(jsonb) is 'Makes an employee. She can log in once she has a role and a password.';

create or replace function own.change_employee(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before party.employee;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'name line; active boolean');
  select faults || coalesce(jsonb_agg(sec.fault('/' || m, 'missing', 'it cannot be taken away') -> 0), '[]') into faults
    from unnest(array['name', 'active']) m where changes -> m = 'null';
  perform sec.refuse_faults(faults);
  select * into before from party.employee e where e.employee_id = (args ->> 'employee_id')::uuid and not e.deleted for update;
  if not exists (select from own.employee e where e.employee_id = before.employee_id) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select e.etag from own.employee e where e.employee_id = before.employee_id));
  update party.employee e set name = n.name, active = n.active
    from jsonb_populate_record(before, changes) n
   where e.employee_id = before.employee_id;
  if before.active and changes -> 'active' = 'false' then
    perform sec.end_sessions(before.employee_id, null, 'REVOKED');
  end if;
  return sec.employee_body(before.employee_id);
end $$;
comment on function own.change_employee(jsonb) is
  'Changes the name of an employee, or whether she may log in. Who may not is refused at once here, and '
  'in each store when it has heard.';

create or replace function sec.require_no_other(given sec.role_grant) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Two of them come one after the other.
  perform from party.employee e where e.employee_id = given.employee_id for update;
  if exists (select from sec.role_grant g
              where g.employee_id = given.employee_id and g.role = given.role and not g.deleted
                and g.role_grant_id is distinct from given.role_grant_id
                and (g.node_id, g.department_code) is not distinct from (given.node_id, given.department_code)
                and daterange(g.valid_from, g.valid_to, '[]') && daterange(given.valid_from, given.valid_to, '[]')) then
    perform sec.refuse_conflict('she has that role there on some of these days already', 'state');
  end if;
end $$;
comment on function sec.require_no_other(sec.role_grant) is
  'Refuses a grant of what somebody has on some of its days: ending one of two would leave the other.';

create or replace function own.grant_role(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  role text := args ->> 'role';
  faults jsonb;
  node integer;
  given sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  faults := tpv.form_faults(args,
    'employee_id uuid!; role string!; node code; department code; valid_from date; valid_to date');
  if not exists (select from sec.role r where r.role = args ->> 'role') and not faults @? '$[*] ? (@.pointer == "/role")' then
    faults := faults || sec.fault('/role', 'format', 'there is no such role');
  end if;
  perform sec.refuse_faults((select jsonb_agg(f order by f ->> 'pointer') from jsonb_array_elements(faults) f));
  select s.node_id into node from org.store s where s.code = args ->> 'node' and not s.deleted;
  select coalesce(jsonb_agg(sec.fault(f.pointer, f.code, f.detail) -> 0 order by f.pointer), '[]') into faults
    from (values
      ('/node', 'unknown-store', 'there is no such store', args ->> 'node' is not null and node is null),
      ('/node', 'missing', 'a lease is one of a department of a store', role = 'concessionaire' and args ->> 'node' is null),
      ('/node', 'not-here', 'an administrator is one of the whole chain', role = 'admin' and args ->> 'node' is not null),
      ('/department', 'missing', 'a lease is one of a department of a store', role = 'concessionaire' and args ->> 'department' is null),
      ('/department', 'not-here', 'a department is one of a store', args ->> 'department' is not null and args ->> 'node' is null),
      ('/department', 'unknown-department', 'the store has no such department',
       node is not null and args ->> 'department' is not null and not exists (
         select from org.department d where d.node_id = node and d.code = args ->> 'department' and not d.deleted)),
      ('/valid_to', 'order', 'it is before the first day',
       (args ->> 'valid_to')::date < coalesce((args ->> 'valid_from')::date, sec.today(node)))) as f (pointer, code, detail, is_so)
   where f.is_so;
  perform sec.refuse_faults(faults);
  if not exists (select from own.employee e where e.employee_id = (args ->> 'employee_id')::uuid) then
    perform sec.refuse_hidden();
  end if;
  given.employee_id := args ->> 'employee_id';
  given.role := role;
  given.node_id := node;
  given.department_code := args ->> 'department';
  given.valid_from := coalesce((args ->> 'valid_from')::date, sec.today(node));
  given.valid_to := args ->> 'valid_to';
  perform sec.require_no_other(given);
  insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from, valid_to)
  values (given.employee_id, given.role, given.node_id, given.department_code, given.valid_from, given.valid_to)
  returning * into given;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_GRANTED', format('employee %s', given.employee_id),
          concat_ws(' ', given.role, 'of node ' || given.node_id, 'department ' || given.department_code));
  set constraints all immediate;
  return (select to_jsonb(g) from own.role_grant g where g.role_grant_id = given.role_grant_id);
end $$;
comment on function own.grant_role(jsonb) is
  'Gives an employee a role: in the chain, in a store, or in a department. A lease says its days.';

create or replace function own.end_grant(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'role_grant_id uuid!; version text'));
  select * into before from sec.role_grant g where g.role_grant_id = (args ->> 'role_grant_id')::uuid and not g.deleted for update;
  if before.role_grant_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select g.etag from own.role_grant g where g.role_grant_id = before.role_grant_id));
  update sec.role_grant g set deleted = true where g.role_grant_id = before.role_grant_id;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_TAKEN', format('employee %s', before.employee_id),
          concat_ws(' ', before.role, 'of node ' || before.node_id, 'department ' || before.department_code));
  return jsonb_build_object('role_grant_id', before.role_grant_id, 'deleted', true);
end $$;
comment on function own.end_grant(jsonb) is 'Takes a role away at once. One that ends on a day has its valid_to from the start.';

create or replace function own.make_password_link(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  until timestamptz;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; link_hash hex32!; expires_at instant'));
  until := coalesce((args ->> 'expires_at')::timestamptz, date_trunc('second', now()) + interval '1 day');
  if until <= now() or until > now() + interval '7 days' then
    perform sec.refuse_faults(sec.fault('/expires_at', 'range', 'it is within the next seven days'));
  end if;
  perform sec.make_password_link((args ->> 'employee_id')::uuid, decode(args ->> 'link_hash', 'hex'), until);
  return jsonb_build_object('employee_id', args ->> 'employee_id', 'expires_at', until);
end $$;
comment on function own.make_password_link(jsonb) is
  'Makes a link by which an employee sets a password, once. Only the hash of its secret is kept.';

create or replace function own.register_gateway_key(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'node code!; public_key key32!'));
  perform sec.register_gateway_key(args ->> 'node', args ->> 'public_key');
  return jsonb_build_object('node', args ->> 'node', 'registered', true);
end $$;
comment on function own.register_gateway_key(jsonb) is
  'Registers the public key of a store''s gateway, which passwords of those who work there are sealed for.';

create or replace function sec.require_all_of(employee uuid) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- At a store what counts of her grants is what holds there.
  here integer := (select n.node_id from org.node n where n.node_id = org.this_node() and n.kind = 'store');
begin
  if exists (select from sec.role_grant g
              where g.employee_id = require_all_of.employee and not g.deleted
                and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)
                and (here is null or g.node_id is null or g.node_id = here)
                and not tpv.may_see(coalesce(here, g.node_id), g.department_code, null)) then
    raise exception 'she has a role beyond what you look after' using errcode = 'TP403';
  end if;
end $$;
comment on function sec.require_all_of(uuid) is
  'Refuses whoever may not look wherever an employee has a role as far as this node goes: what keeps her '
  'out here keeps her out of all of it.';

create or replace function own.block(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  employee uuid;
begin
  perform sec.require('employee.block');
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; why why!'));
  employee := args ->> 'employee_id';
  if not exists (select from own.employee e where e.employee_id = employee) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_all_of(employee);
  insert into sec.block as b (employee_id, why) values (employee, args ->> 'why') on conflict (employee_id) do nothing;
  if not found then
    perform sec.refuse_conflict('she is blocked already', 'state');
  end if;
  insert into sec.audit (event, subject, detail) values ('BLOCKED', format('employee %s', employee), args ->> 'why');
  return jsonb_build_object('employee_id', employee, 'blocked', true, 'sessions_ended', sec.end_sessions(employee, null, 'REVOKED'));
end $$;
comment on function own.block(jsonb) is
  'Keeps an employee out at this node, whatever central says, and ends her sessions here.';

create or replace function own.unblock(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  employee uuid;
begin
  perform sec.require('employee.block');
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; why why!'));
  employee := args ->> 'employee_id';
  if not exists (select from own.employee e where e.employee_id = employee) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_all_of(employee);
  if exists (select from sec.block b
              cross join lateral jsonb_to_recordset(coalesce(b.scope, '[{}]')) as s (node integer, department text)
              where b.employee_id = employee and not tpv.may_see(s.node, s.department, null)) then
    raise exception 'somebody blocked her who looks after more than you' using errcode = 'TP403';
  end if;
  delete from sec.block b where b.employee_id = employee;
  if not found then
    perform sec.refuse_conflict('she is not blocked', 'state');
  end if;
  insert into sec.audit (event, subject, detail) values ('UNBLOCKED', format('employee %s', employee), args ->> 'why');
  return jsonb_build_object('employee_id', employee, 'blocked', false);
end $$;
comment on function own.unblock(jsonb) is
  'Lets an employee in again who was blocked at this node, by whoever has at least the scope of the one '
  'who blocked her.';
