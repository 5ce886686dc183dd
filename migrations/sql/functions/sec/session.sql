create or replace function sec.open_session(employee uuid, wanted_role text, address text, user_agent text,
                                            seen_authz integer default null)
returns table (session_id uuid, counter integer, authz integer, expires_at timestamptz, role text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  granted text;
begin
  select g.role into granted from sec.grants_now(employee) g join sec.role r on r.role = g.role
   where wanted_role is null or g.role = wanted_role
   order by r.rank limit 1;
  if granted is null or not sec.may_log_in(employee) then
    raise exception 'nobody granted that role here' using errcode = 'TP403';
  end if;
  return query
    insert into sec.session as s (employee_id, role, authz, expires_at, address, user_agent)
    select e.employee_id, granted, e.authz, now() + interval '30 days', open_session.address, left(open_session.user_agent, 400)
      from party.employee e where e.employee_id = employee and e.authz = coalesce(seen_authz, e.authz)
    returning s.session_id, s.counter, s.authz, least(s.rotated_at + interval '12 hours', s.expires_at), s.role;
  if not found then
    raise exception 'her password was changed meanwhile' using errcode = 'TP401';
  end if;
end $$;
comment on function sec.open_session(uuid, text, text, text, integer) is
  'Begins a session of an employee whose password was checked, in this role; in the first that she has '
  'when none is wanted. expires_at is when it is over unless it is refreshed. seen_authz is what '
  'sec.find_login said with what the password was checked with.';
grant execute on function sec.open_session(uuid, text, text, text, integer) to tpv_gateway_auth;

create or replace function sec.end_session(session uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update sec.session s set ended_at = clock_timestamp(), ended_why = end_session.why
   where s.session_id = end_session.session and s.ended_at is null;
end;
comment on function sec.end_session(uuid, text) is 'Ends a session, so that its tokens are refused at once.';
grant execute on function sec.end_session(uuid, text) to tpv_gateway_auth;

create or replace function sec.end_sessions(employee uuid, except_session uuid, why text) returns integer
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  with ended as (
    update sec.session s set ended_at = clock_timestamp(), ended_why = end_sessions.why
     where s.employee_id = end_sessions.employee and s.ended_at is null
       and s.session_id is distinct from end_sessions.except_session
    returning 1)
  select count(*)::integer from ended;
end;
comment on function sec.end_sessions(uuid, uuid, text) is 'Ends all sessions of an employee at this node but one, and counts them.';
grant execute on function sec.end_sessions(uuid, uuid, text) to tpv_gateway_auth;

create or replace function sec.refresh_session(session uuid, given_counter integer, seen_counter_used boolean)
returns table (outcome text, counter integer, employee_id uuid, role text, authz integer, expires_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  known sec.session;
  refused text;
begin
  -- Refreshes of one session take turns here.
  select * into known from sec.session s where s.session_id = session for update;
  if known.session_id is null or known.ended_at is not null or known.admitted then
    return query select 'dead', null::integer, null::uuid, null::text, null::integer, null::timestamptz;
    return;
  end if;
  refused := case
    when known.expires_at <= clock_timestamp() then 'EXPIRED'
    when known.rotated_at + interval '12 hours' <= clock_timestamp() then 'IDLE'
    when given_counter = known.counter
         or given_counter = known.counter - 1 and not coalesce(seen_counter_used, true)
            and known.rotated_at > clock_timestamp() - interval '30 seconds' then null
    else 'REFRESH_REUSED' end;
  if refused is null and not (sec.may_log_in(known.employee_id) and exists (
       select from sec.grants_now(known.employee_id) g where g.role = known.role) and exists (
       select from party.employee e where e.employee_id = known.employee_id and e.authz = known.authz)) then
    refused := 'REVOKED';
  end if;
  if refused is not null then
    perform sec.end_session(session, refused);
    if refused = 'REFRESH_REUSED' then
      insert into sec.audit (event, subject, detail)
      values ('REFRESH_REUSED', format('session %s', session),
              'a refresh token was shown that had been replaced: somebody has a copy of it. The session was ended');
    end if;
    return query select 'dead', null::integer, known.employee_id, null::text, null::integer, null::timestamptz;
    return;
  end if;
  return query
    update sec.session s
       set counter = given_counter + 1,
           rotated_at = case given_counter when known.counter then clock_timestamp() else s.rotated_at end,
           last_used_at = clock_timestamp()
     where s.session_id = session
    returning case given_counter when known.counter then 'rotated' else 'repeated' end, s.counter, s.employee_id, s.role,
      s.authz, least(s.rotated_at + interval '12 hours', s.expires_at);
end $$;
comment on function sec.refresh_session(uuid, integer, boolean) is
  'Refreshes a session by the number in its refresh token. rotated: the next number. repeated: the '
  'number before, within 30 seconds and while no token of the new one was used, as after a lost answer; '
  'the same new number again. dead: it is over, or was ended now; so is one of before a change of what '
  'she may or of her password.';
grant execute on function sec.refresh_session(uuid, integer, boolean) to tpv_gateway_auth;

create or replace function sec.admit(session uuid, employee uuid, role text, authz integer, expires_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not sec.may_log_in(employee)
     or exists (select from party.employee e where e.employee_id = employee and e.authz > admit.authz)
     or not exists (select from sec.grants_now(employee) g where g.role = admit.role) then
    raise exception 'central''s session does not count here' using errcode = 'TP401';
  end if;
  insert into sec.session as s (session_id, employee_id, role, authz, expires_at, admitted)
  values (session, employee, admit.role, admit.authz, admit.expires_at, true)
  on conflict (session_id) do update
    set authz = greatest(s.authz, excluded.authz), expires_at = greatest(s.expires_at, excluded.expires_at),
        rotated_at = clock_timestamp(), last_used_at = clock_timestamp()
    where s.admitted and s.ended_at is null and s.employee_id = excluded.employee_id and s.role = excluded.role;
  if not found then
    raise exception 'that session was ended here' using errcode = 'TP401';
  end if;
end $$;
comment on function sec.admit(uuid, uuid, text, integer, timestamptz) is
  'Lets a session of central''s gateway in, whose token was checked and is good until expires_at. Can be '
  'repeated. authz may be ahead of what this store has heard, and not behind.';
grant execute on function sec.admit(uuid, uuid, text, integer, timestamptz) to tpv_gateway_auth;
