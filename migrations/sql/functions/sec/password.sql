create or replace function sec.set_password(employee uuid, phc text, made_by text, kept_session uuid default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  counted integer;
begin
  perform sec.decided_by_central();
  perform from party.employee e where e.employee_id = employee and not e.deleted for update;
  if not found then
    raise exception 'there is no such employee' using errcode = 'TP404';
  end if;
  update sec.password p set phc = set_password.phc, changed_at = clock_timestamp() where p.employee_id = employee;
  if found then
    -- Every node hears it at once: sessions of before are over there too, and nobody gets in with the
    -- password of before, until the new one is sealed and comes.
    update party.employee e set authz = e.authz + 1 where e.employee_id = employee returning e.authz into counted;
    update sec.verifier v set sealed = '' where v.employee_id = employee and not v.deleted and v.sealed <> '';
    update sec.session s set authz = counted
     where s.session_id = kept_session and s.employee_id = employee and s.ended_at is null;
  else
    insert into sec.password (employee_id, phc) values (employee, set_password.phc);
  end if;
  perform sec.end_sessions(employee, kept_session, 'PASSWORD_SET');
  insert into sec.audit (event, subject, actor, detail)
  values ('PASSWORD_SET', format('employee %s', employee), coalesce(made_by, sec.actor()), 'a password was set');
end $$;
comment on function sec.set_password(uuid, text, text, uuid) is
  'Sets the password of an employee, as an argon2id string, and ends her sessions at every node but '
  'kept_session. made_by is who did it, an id and no name.';
grant execute on function sec.set_password(uuid, text, text, uuid) to tpv_gateway_auth;

create or replace function sec.make_password_link(employee uuid, link_hash bytea, expires_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.decided_by_central();
  if not exists (select from party.employee e where e.employee_id = employee and not e.deleted) then
    raise exception 'there is no such employee' using errcode = 'TP404';
  end if;
  update sec.password_link l set used_at = clock_timestamp() where l.employee_id = employee and l.used_at is null;
  insert into sec.password_link (link_hash, employee_id, expires_at)
  values (make_password_link.link_hash, employee, make_password_link.expires_at);
  insert into sec.audit (event, subject, detail)
  values ('PASSWORD_LINK', format('employee %s', employee), 'a link to set a password was made');
end $$;
comment on function sec.make_password_link(uuid, bytea, timestamptz) is
  'Makes a link by which an employee sets a password, in place of the one before.';
grant execute on function sec.make_password_link(uuid, bytea, timestamptz) to tpv_gateway_auth;

create or replace function sec.use_password_link(link_hash bytea, phc text) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  employee uuid;
begin
  perform sec.decided_by_central();
  update sec.password_link l set used_at = clock_timestamp()
   where l.link_hash = use_password_link.link_hash and l.used_at is null and l.expires_at > clock_timestamp()
     and sec.may_log_in(l.employee_id)
  returning l.employee_id into employee;
  if employee is null then
    raise exception 'the link was used already, or is no longer good' using errcode = 'TP404';
  end if;
  perform sec.set_password(employee, phc, 'employee:' || employee);
  return employee;
end $$;
comment on function sec.use_password_link(bytea, text) is
  'Sets the password that a link is for, once, and ends the sessions of the employee, who is the answer.';
grant execute on function sec.use_password_link(bytea, text) to tpv_gateway_auth;

create or replace function sec.make_admin(code text, name text, phc text) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  employee uuid;
begin
  perform sec.decided_by_central();
  if exists (select from sec.role_grant g
               join party.employee e on e.employee_id = g.employee_id
               join sec.password p on p.employee_id = g.employee_id
              where g.role = 'admin' and not g.deleted and sec.today() between g.valid_from and coalesce(g.valid_to, 'infinity')
                and sec.may_log_in(e.employee_id)) then
    perform sec.refuse_conflict('there is an administrator, who makes all others', 'state');
  end if;
  insert into party.employee (code, name) values (make_admin.code, make_admin.name) returning employee_id into employee;
  insert into sec.role_grant (employee_id, role, valid_from)
  select employee, r, sec.today() - 1 from unnest(array['admin', 'manager']) r;
  insert into sec.audit (event, subject, detail)
  values ('ADMIN_MADE', format('employee %s', employee), 'an administrator of the chain was made from the command line');
  perform sec.set_password(employee, phc, null);
  return employee;
end $$;
comment on function sec.make_admin(text, text, text) is
  'Makes the first employee: administrator and manager of the whole chain. While one can log in there is '
  'no other.';
grant execute on function sec.make_admin(text, text, text) to tpv_gateway_auth;
