create or replace function sec.grants_now(employee uuid)
returns table (role text, node_id integer, department_code text, valid_from date, valid_to date)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select g.role, g.node_id, g.department_code, g.valid_from, g.valid_to
    from sec.role_grant g
   where g.employee_id = grants_now.employee and not g.deleted
     and sec.today(g.node_id) between g.valid_from and coalesce(g.valid_to, 'infinity');
end;
comment on function sec.grants_now(uuid) is 'The grants of an employee that hold today.';

create or replace function sec.may_log_in(employee uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select exists (select from party.employee e where e.employee_id = may_log_in.employee and e.active and not e.deleted)
     and not exists (select from sec.block b where b.employee_id = may_log_in.employee);
end;
comment on function sec.may_log_in(uuid) is 'Whether an employee is active, and not blocked at this node.';

create or replace function sec.roles_of(employee uuid) returns table (role text, node_id integer, department_code text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select g.role, g.node_id, g.department_code
    from sec.grants_now(roles_of.employee) g join sec.role r on r.role = g.role
   order by r.rank, g.node_id nulls first, g.department_code nulls first;
end;
comment on function sec.roles_of(uuid) is 'The roles that an employee has today, and where.';
grant execute on function sec.roles_of(uuid) to tpv_gateway_auth;

create or replace function sec.check_grant() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not new.deleted and not exists (select from sec.role r where r.role = new.role) then
    raise exception 'there is no such role' using errcode = '23514', hint = 'They are in sec.role.';
  end if;
  if not new.deleted and (not isfinite(new.valid_from) or not isfinite(new.valid_to) or new.valid_to < new.valid_from) then
    raise exception 'a grant holds from a day to a later one' using errcode = '23514',
      hint = 'Leave valid_to out where it has no end.';
  end if;
  return new;
end $$;
comment on function sec.check_grant() is 'Refuses a grant of no role, and one whose days are not in order.';

create or replace function sec.grant_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update party.employee e set authz = e.authz + 1
   where e.employee_id = new.employee_id or tg_op = 'UPDATE' and e.employee_id = old.employee_id;
  -- A store where she works no longer has no use for it.
  update sec.verifier v set deleted = true
   where v.employee_id = new.employee_id and not v.deleted
     and not exists (select from sec.role_grant g
                      where g.employee_id = v.employee_id and g.node_id = v.node_id and not g.deleted
                        and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id));
  return null;
end $$;
comment on function sec.grant_changed() is
  'Counts a change of the grants of an employee, so that tokens of before are refused, and deletes her '
  'verifiers for stores that no grant names any more.';
