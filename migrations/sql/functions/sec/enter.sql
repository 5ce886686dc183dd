create or replace function sec.enter(session uuid, employee uuid, role text, authz integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  scope jsonb;
begin
  -- What it is given is not secret. SET ROLE changes no session_user.
  if session_user <> 'tpv_gateway_user' then
    raise exception 'people enter by the gateway' using errcode = '42501',
      hint = 'What a login of psql sees is in sec.login_scope.';
  end if;
  if current_setting('role') is distinct from 'tpv_' || enter.role then
    raise exception 'the transaction has another role' using errcode = 'TP403';
  end if;
  select jsonb_agg(jsonb_build_object(
           'node', g.node_id, 'department', g.department_code,
           -- Of others the days say only when the grant holds.
           'from', case when g.role = 'concessionaire' then g.valid_from end,
           'to', case when g.role = 'concessionaire' then g.valid_to end))
    into scope
    from sec.session s
    join party.employee e on e.employee_id = s.employee_id
    join sec.role_grant g on g.employee_id = s.employee_id and g.role = s.role
   where s.session_id = enter.session and s.employee_id = enter.employee and s.role = enter.role
     and s.ended_at is null and s.expires_at > now() and s.rotated_at > now() - interval '12 hours'
     and e.active and not e.deleted
     -- A session is of one authz for good, so that nothing that cut her off is undone by what comes
     -- after it. Only in whose session a password was changed has tokens that are older than that.
     -- A store may not have heard yet what central knew when it made the token.
     and case when s.admitted then enter.authz >= e.authz else s.authz = e.authz and enter.authz <= s.authz end
     and not g.deleted and sec.today(g.node_id) between g.valid_from and coalesce(g.valid_to, 'infinity')
     and not exists (select from sec.block b where b.employee_id = s.employee_id);
  if scope is null then
    raise exception 'the session is over' using errcode = 'TP401', hint = 'Log in again.';
  end if;
  perform tpv.enter(enter.employee, enter.role, scope);
end $$;
comment on function sec.enter(uuid, uuid, text, integer) is
  'Makes this transaction one of an employee, with what she may see in this role, until it ends. For '
  'the gateway, which has checked a token; refuses one whose session is over, or that was made before '
  'what she may, or her password, was changed.';

create or replace function sec.scope_of_login() returns table (role text, scope jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select s.role, jsonb_agg(jsonb_build_object(
           'node', s.node_id, 'department', s.department_code,
           'from', case when s.role = 'concessionaire' then s.valid_from end,
           'to', case when s.role = 'concessionaire' then s.valid_to end))
    from sec.login_scope s
   where s.login = session_user and current_setting('role') = 'tpv_' || s.role
     and sec.today(s.node_id) between coalesce(s.valid_from, '-infinity') and coalesce(s.valid_to, 'infinity')
   group by s.role;
end $$;
comment on function sec.scope_of_login() is
  'What the login of this session may see in the role that it has set; no row when it may see nothing. '
  'The extension asks once in a transaction.';

do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || r.role from sec.role r loop
    execute format('grant execute on function sec.enter(uuid, uuid, text, integer), sec.scope_of_login(), '
                   'tpv.may_see(integer, text, date), tpv.may_see_node(integer), tpv.acting_role(), tpv.acting_scope(), '
                   'tpv.acting_employee() to %I', scoped);
  end loop;
end $$;
