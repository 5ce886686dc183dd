create or replace function sec.find_login(code text)
returns table (employee_id uuid, phc text, sealed text, gateway_key text, authz integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select e.employee_id, p.phc, nullif(v.sealed, ''), k.public_key, e.authz
    from party.employee e
    left join sec.password p on p.employee_id = e.employee_id and not sync.is_joined_store()
    left join sec.verifier v on v.employee_id = e.employee_id and not v.deleted
     and v.node_id = (select t.node_id from sync.this_node t)
    left join sec.gateway_key k on k.gateway_key_id = v.gateway_key_id and not k.deleted
   where e.code = find_login.code and not e.deleted and sec.may_log_in(e.employee_id);
end;
comment on function sec.find_login(text) is
  'Whose login a name is, and what to check the password with: the argon2id string at central; in a '
  'store its sealed form and the public key that it is sealed for. authz is for sec.open_session. No '
  'row for a name that nobody may log in with.';
grant execute on function sec.find_login(text) to tpv_gateway_auth;

create or replace function sec.take_attempt(subject bytea) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  insert into sec.throttle as t (subject, failures, last_failed_at) values (take_attempt.subject, 1, clock_timestamp())
  on conflict (subject) do update
    set failures = case when t.last_failed_at < clock_timestamp() - interval '24 hours' then 1 else t.failures + 1 end,
        last_failed_at = clock_timestamp(),
        -- A second after the fifth, then twice as long each time.
        blocked_until = case when t.last_failed_at >= clock_timestamp() - interval '24 hours' and t.failures >= 4
                             then clock_timestamp() + least(interval '15 minutes', interval '1 second' * (1 << least(t.failures - 4, 10)))
                        end
    where t.blocked_until is null or t.blocked_until <= clock_timestamp();
  if found then
    return null;
  end if;
  return coalesce((select t.blocked_until from sec.throttle t where t.subject = take_attempt.subject), clock_timestamp());
end $$;
comment on function sec.take_attempt(bytea) is
  'Counts an attempt to log in before its password is compared, and answers null; or until when it is '
  'refused, which is not counted. After the fifth each has to wait: a second, then twice as long each '
  'time, at most 15 minutes. After a day it is forgotten.';
grant execute on function sec.take_attempt(bytea) to tpv_gateway_auth;

create or replace function sec.return_attempt(subject bytea) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update sec.throttle t set failures = greatest(t.failures - 1, 0) where t.subject = return_attempt.subject;
end;
comment on function sec.return_attempt(bytea) is 'Takes an attempt back whose password was not compared after all.';
grant execute on function sec.return_attempt(bytea) to tpv_gateway_auth;

create or replace function sec.forget_attempts(subject bytea) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from sec.throttle t where t.subject = forget_attempts.subject;
end;
comment on function sec.forget_attempts(bytea) is 'Forgets the attempts of somebody who got in.';
grant execute on function sec.forget_attempts(bytea) to tpv_gateway_auth;
