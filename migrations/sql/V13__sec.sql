-- Purpose: who may what: roles and permissions, grants, passwords, sessions, and what the gateway
--          asks about them.
-- Limits:  role_grant, verifier, gateway_key and issuer_key are shared and decided by central
--          (V14); everything else is local to a node. Passwords are at central alone; a store has
--          them sealed for its own gateway.
-- Undo:    drop the tables and functions that are created here; sec.audit is V5's.

-- Roles and what each may, the same at every node

create table sec.role (
  role    text primary key,
  rank    integer not null unique,
  meaning text not null
);
comment on table sec.role is 'The roles that can be granted. Each is also a role of PostgreSQL, tpv_ and its name.';
comment on column sec.role.role is 'Its name.';
comment on column sec.role.rank is
  'Whoever has several and names none gets the one with the least number.';
comment on column sec.role.meaning is 'Whom it is for.';
insert into sec.role (rank, role, meaning) values
  (1, 'admin', 'Says who may what, and looks after the chain. Sees no sales and no customers.'),
  (2, 'manager', 'Runs a store.'),
  (3, 'supervisor', 'Releases and voids, and looks after .dat files.'),
  (4, 'auditor', 'Looks, and changes nothing.'),
  (5, 'concessionaire', 'Leases a department, and sees what it sold while the lease holds.'),
  (6, 'cashier', 'Works at a till.');

create table sec.permission (
  role       text not null references sec.role,
  permission text not null check (permission ~ '^[a-z]+\.[a-z]+$'),
  primary key (role, permission)
);
comment on table sec.permission is
  'What each role may. The views and functions of schema own, the gateway and its page follow it.';
comment on column sec.permission.role is 'The role.';
comment on column sec.permission.permission is 'What it may, such as receipt.release.';
insert into sec.permission (role, permission)
select g.role, p
  from (values
    ('cashier', 'store.read catalog.read receipt.read customer.read customer.write'),
    ('supervisor', 'store.read catalog.read receipt.read customer.read customer.write receipt.release receipt.void '
                   'dat.decide raw.read conflict.read'),
    ('manager', 'store.read catalog.read receipt.read customer.read customer.write receipt.release receipt.void '
                'dat.decide raw.read conflict.read day.close customer.erase conflict.settle employee.read '
                'employee.block chain.read chain.decide audit.read'),
    ('auditor', 'store.read catalog.read receipt.read raw.read customer.read employee.read chain.read conflict.read audit.read'),
    ('concessionaire', 'store.read catalog.read receipt.read raw.read'),
    ('admin', 'store.read catalog.read employee.read employee.write employee.block chain.read chain.decide audit.read '
              'conflict.read conflict.settle')) as g (role, permissions)
 cross join lateral string_to_table(g.permissions, ' ') p;

-- Shared, decided by central

create table sec.role_grant (
  role_grant_id   uuid primary key default tpv.uuid7(),
  employee_id     uuid not null references party.employee,
  role            text not null,
  node_id         integer,
  department_code text,
  valid_from      date not null,
  valid_to        date,
  deleted         boolean not null default false,
  check (department_code is null or node_id is not null),
  check (role <> 'concessionaire' or department_code is not null),
  check (role <> 'admin' or node_id is null)
);
create index role_grant_employee on sec.role_grant (employee_id);
comment on table sec.role_grant is 'Who has which role, where and from when to when.';
comment on column sec.role_grant.role_grant_id is 'Key.';
comment on column sec.role_grant.employee_id is 'The employee.';
comment on column sec.role_grant.role is 'The role, one of sec.role.';
comment on column sec.role_grant.node_id is 'The only store it holds in; null for the whole chain.';
comment on column sec.role_grant.department_code is 'The only department of that store; null for all.';
comment on column sec.role_grant.valid_from is
  'The first day it holds. A concessionaire sees sales from that business date on.';
comment on column sec.role_grant.valid_to is
  'The last day it holds; null for always. A concessionaire sees sales up to that business date.';
comment on column sec.role_grant.deleted is 'Whether it was deleted. Rows are never removed.';

create table sec.gateway_key (
  gateway_key_id uuid primary key default tpv.uuid7(),
  node_id        integer not null,
  public_key     text not null,
  deleted        boolean not null default false,
  check (deleted or public_key ~ '^[A-Za-z0-9+/]{43}=$')
);
create unique index gateway_key_node on sec.gateway_key (node_id) where not deleted;
comment on table sec.gateway_key is
  'The key of each store''s gateway, X25519: what is sealed with it, that gateway alone can open.';
comment on column sec.gateway_key.gateway_key_id is 'Key.';
comment on column sec.gateway_key.node_id is 'The store.';
comment on column sec.gateway_key.public_key is 'The public key, 32 bytes in base64. The other half is a file beside the gateway.';
comment on column sec.gateway_key.deleted is 'Whether it was deleted. Rows are never removed.';

create table sec.verifier (
  verifier_id    uuid primary key default tpv.uuid7(),
  employee_id    uuid not null references party.employee,
  node_id        integer not null,
  gateway_key_id uuid not null references sec.gateway_key,
  sealed         text not null,
  deleted        boolean not null default false
);
create unique index verifier_employee on sec.verifier (employee_id, node_id) where not deleted;
comment on table sec.verifier is
  'What a store''s gateway checks a password with: the argon2id string of an employee who has a grant '
  'that names the store, sealed for that gateway (crypto_box_seal). Every node has the row.';
comment on column sec.verifier.verifier_id is 'Key.';
comment on column sec.verifier.employee_id is 'The employee.';
comment on column sec.verifier.node_id is 'The store.';
comment on column sec.verifier.gateway_key_id is 'The key that it is sealed for.';
comment on column sec.verifier.sealed is
  'The sealed box in base64; empty while a password that was changed is not sealed yet.';
comment on column sec.verifier.deleted is
  'Whether it was deleted, since no grant names the store any more. Rows are never removed.';

create table sec.issuer_key (
  issuer_key_id uuid primary key default tpv.uuid7(),
  kid           text not null,
  public_key    text not null,
  url           text check (url ~ '^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^[:space:]@]*)?$'),
  retired_at    timestamptz,
  deleted       boolean not null default false,
  check (deleted or kid ~ '^[A-Za-z0-9._-]{1,64}$'),
  check (deleted or public_key ~ '^[A-Za-z0-9_-]{43}$')
);
create unique index issuer_key_kid on sec.issuer_key (kid) where not deleted;
comment on table sec.issuer_key is
  'The keys that central''s gateway signs tokens with, Ed25519. Stores believe these tokens.';
comment on column sec.issuer_key.issuer_key_id is 'Key.';
comment on column sec.issuer_key.kid is 'The name of the key in the header of a token.';
comment on column sec.issuer_key.public_key is 'The public key, 32 bytes in base64url. The other half is a file at central.';
comment on column sec.issuer_key.url is
  'Where central''s gateway answers, as http://host:port or https://host:port; null when it does not say.';
comment on column sec.issuer_key.retired_at is
  'When it was signed with for the last time; null while it is in use. Tokens live for less than an hour.';
comment on column sec.issuer_key.deleted is 'Whether it was deleted. Rows are never removed.';

-- Local: passwords

create table sec.password (
  employee_id uuid primary key,
  phc         text not null check (phc like '$argon2id$%'),
  changed_at  timestamptz not null default clock_timestamp()
);
comment on table sec.password is 'Passwords of employees, where they are decided: at central.';
comment on column sec.password.employee_id is 'The employee.';
comment on column sec.password.phc is 'The argon2id string.';
comment on column sec.password.changed_at is 'When it was set.';

create table sec.sealing (
  employee_id    uuid not null,
  node_id        integer not null,
  gateway_key_id uuid not null,
  changed_at     timestamptz not null,
  primary key (employee_id, node_id)
);
comment on table sec.sealing is 'Which password each verifier was made of, so that the next one is made when it changes.';
comment on column sec.sealing.employee_id is 'The employee.';
comment on column sec.sealing.node_id is 'The store.';
comment on column sec.sealing.gateway_key_id is 'The key that it was sealed for.';
comment on column sec.sealing.changed_at is 'sec.password.changed_at at that time.';

create table sec.password_link (
  link_hash   bytea primary key check (length(link_hash) = 32),
  employee_id uuid not null,
  made_by     text not null default sec.actor(),
  made_at     timestamptz not null default clock_timestamp(),
  expires_at  timestamptz not null,
  used_at     timestamptz
);
comment on table sec.password_link is
  'Links by which an employee sets a first or a forgotten password. Each is good for one use.';
comment on column sec.password_link.link_hash is 'SHA-256 of the secret in the link.';
comment on column sec.password_link.employee_id is 'The employee.';
comment on column sec.password_link.made_by is 'Who made it, by sec.actor().';
comment on column sec.password_link.made_at is 'When.';
comment on column sec.password_link.expires_at is 'Until when it can be used.';
comment on column sec.password_link.used_at is 'When it was used, or replaced by another; null while it can be.';

-- Local: sessions

create table sec.session (
  session_id   uuid primary key default gen_random_uuid(),
  employee_id  uuid not null,
  role         text not null references sec.role,
  authz        integer not null,
  counter      integer not null default 1,
  rotated_at   timestamptz not null default clock_timestamp(),
  created_at   timestamptz not null default clock_timestamp(),
  last_used_at timestamptz not null default clock_timestamp(),
  expires_at   timestamptz not null,
  address      text,
  user_agent   text,
  ended_at     timestamptz,
  ended_why    text,
  admitted     boolean not null default false,
  check ((ended_at is null) = (ended_why is null))
);
create index session_employee on sec.session (employee_id) where ended_at is null;
comment on table sec.session is
  'Sessions of people at this node''s gateway. A token names one, and is good while it lasts.';
comment on column sec.session.session_id is 'Key, sid of the tokens.';
comment on column sec.session.employee_id is 'The employee.';
comment on column sec.session.role is 'The role it is for.';
comment on column sec.session.authz is
  'party.employee.authz when it began. When the employee has another one the session is over.';
comment on column sec.session.counter is 'The number in the refresh token that is good now.';
comment on column sec.session.rotated_at is 'When that number was given. Twelve hours later the session is over.';
comment on column sec.session.created_at is 'When she logged in.';
comment on column sec.session.last_used_at is 'When it was refreshed last.';
comment on column sec.session.expires_at is 'When it is over, whatever she does.';
comment on column sec.session.address is 'The address she logged in from.';
comment on column sec.session.user_agent is 'The program she logged in with, as it called itself.';
comment on column sec.session.ended_at is 'When it was ended; null while it was not.';
comment on column sec.session.ended_why is 'Why, as a stable code: LOGOUT, REFRESH_REUSED …';
comment on column sec.session.admitted is
  'Whether it is one of central''s gateway, whose token was shown here.';

create table sec.login_scope (
  login           text not null,
  role            text not null references sec.role,
  node_id         integer,
  department_code text,
  valid_from      date,
  valid_to        date,
  unique nulls not distinct (login, role, node_id, department_code),
  check (department_code is null or node_id is not null),
  check (role <> 'concessionaire' or department_code is not null)
);
comment on table sec.login_scope is
  'What a login of the database sees in schema own that became a role with SET ROLE. The owner writes it.';
comment on column sec.login_scope.login is 'The login, as session_user says it.';
comment on column sec.login_scope.role is 'The role, without tpv_.';
comment on column sec.login_scope.node_id is 'The only store; null for the whole chain.';
comment on column sec.login_scope.department_code is 'The only department of that store; null for all.';
comment on column sec.login_scope.valid_from is 'The first day; null for always. As in sec.role_grant.';
comment on column sec.login_scope.valid_to is 'The last day; null for always.';

create table sec.block (
  employee_id uuid primary key,
  since       timestamptz not null default clock_timestamp(),
  blocked_by  text not null default sec.actor(),
  why         text not null check (why <> ''),
  scope       jsonb default tpv.acting_scope()
);
comment on table sec.block is
  'Employees whom somebody keeps out at this node, whatever central says: while a store is cut off it '
  'does not hear whom central disabled. sec.audit has those that were let in again.';
comment on column sec.block.employee_id is 'The employee.';
comment on column sec.block.since is 'Since when.';
comment on column sec.block.blocked_by is 'Who did it, by sec.actor().';
comment on column sec.block.why is 'The reason. It names no person.';
comment on column sec.block.scope is
  'Where whoever did it may look. Who lets her in again may look there too; null is the whole chain.';

create table sec.throttle (
  subject        bytea primary key,
  failures       integer not null,
  last_failed_at timestamptz not null,
  blocked_until  timestamptz
) with (fillfactor = 70);
comment on table sec.throttle is
  'Attempts to log in that nobody got in by, and how long the next one has to wait.';
comment on column sec.throttle.subject is 'A hash of what is counted: an account and a source.';
comment on column sec.throttle.failures is 'How many, one after another.';
comment on column sec.throttle.last_failed_at is 'When it failed last. A day later they are forgotten.';
comment on column sec.throttle.blocked_until is 'Until when further attempts are refused; null while there were few.';

create table sec.idempotency (
  actor       text not null default sec.actor(),
  key         text not null check (length(key) between 1 and 255),
  fingerprint bytea not null,
  answer      text,
  made_at     timestamptz not null default now(),
  primary key (actor, key)
);
create index idempotency_made on sec.idempotency (made_at);
comment on table sec.idempotency is
  'Answers to requests that may be sent again under the same key (the header Idempotency-Key). A row '
  'is committed together with what the request did.';
comment on column sec.idempotency.actor is 'Who asked, by sec.actor().';
comment on column sec.idempotency.key is 'The key that the client chose.';
comment on column sec.idempotency.fingerprint is 'A hash of the request: the same key with another one is a mistake.';
comment on column sec.idempotency.answer is 'The answer, as JSON.';
comment on column sec.idempotency.made_at is 'When.';

-- What schema own consists of, and which permission each part wants.
create table sec.resource (
  name       text primary key,
  kind       text not null check (kind in ('view', 'verb')),
  permission text,
  shows      text[] not null default '{}'
);
comment on table sec.resource is
  'The views and functions of schema own. A role may use those whose permission it has in '
  'sec.permission.';
comment on column sec.resource.name is 'Name of the view or function in schema own.';
comment on column sec.resource.kind is 'view, or verb: a function that takes one JSON object and answers one.';
comment on column sec.resource.permission is 'The permission it wants; null for every role.';
comment on column sec.resource.shows is 'The tables whose values a view shows.';

-- begin functions/sec/gateway.sql
create or replace function sec.central_url() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.url from sec.issuer_key k where not k.deleted and k.retired_at is null and k.url is not null
   order by k.issuer_key_id desc limit 1;
end;
comment on function sec.central_url() is
  'Where central''s gateway answers, as its signing key says; null when it does not say.';

create or replace function sec.this_gateway()
returns table (node_id integer, node_code text, kind text, central_url text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select n.node_id, n.node_code, n.kind, sec.central_url()
    from sync.this_node t join org.node n on n.node_id = t.node_id;
end;
comment on function sec.this_gateway() is
  'Which node this is, for its gateway, and where central''s gateway answers. No row before the node is registered.';
grant execute on function sec.this_gateway() to tpv_gateway_auth;

create or replace function sec.refuse_conflict(message text, code text, gateway_url text default null) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using message = refuse_conflict.message, errcode = 'TP409',
    detail = jsonb_strip_nulls(jsonb_build_object('code', refuse_conflict.code, 'gateway_url', refuse_conflict.gateway_url))::text;
end $$;
comment on function sec.refuse_conflict(text, text, text) is
  'Refuses what the present state does not allow. The detail is JSON: a code, and where to ask instead.';

create or replace function sec.decided_by_central() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if sync.is_joined_store() then
    perform sec.refuse_conflict('that is decided by central', 'decided-by-central', sec.central_url());
  end if;
end $$;
comment on function sec.decided_by_central() is 'Refuses a store that has joined a chain what central decides.';

create or replace function sec.today(node integer default null) returns date
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Of no setting of the session: TimeZone is anybody's.
  return (
    select (now() at time zone coalesce((
             select s.timezone from org.store s
              where s.node_id = coalesce(today.node, (select t.node_id from sync.this_node t)) and not s.deleted), 'UTC'))::date);
end $$;
comment on function sec.today(integer) is
  'The date on the wall of a store, of this one if none is given; in UTC where there is no store. It says '
  'which grants hold.';

create or replace function sec.record(event text, subject text, detail text default '') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if record.event is null or record.event !~ '^[A-Z][A-Z0-9_]{2,39}$' then
    raise exception 'an event is a code of capitals' using errcode = '22023';
  end if;
  insert into sec.audit (event, subject, detail) values (record.event, record.subject, coalesce(record.detail, ''));
end $$;
comment on function sec.record(text, text, text) is 'Writes a security event that the gateway saw.';
grant execute on function sec.record(text, text, text) to tpv_gateway_auth;
-- end functions/sec/gateway.sql
-- begin functions/sec/grant.sql
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
-- end functions/sec/grant.sql
-- begin functions/sec/login.sql
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
-- end functions/sec/login.sql
-- begin functions/sec/session.sql
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
-- end functions/sec/session.sql
-- begin functions/sec/enter.sql
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
-- end functions/sec/enter.sql
-- begin functions/sec/password.sql
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
-- end functions/sec/password.sql
-- begin functions/sec/key.sql
create or replace function sec.publish_issuer_key(kid text, public_key text, url text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform sec.decided_by_central();
  insert into sec.issuer_key as k (kid, public_key, url)
  values (publish_issuer_key.kid, publish_issuer_key.public_key, publish_issuer_key.url)
  on conflict (kid) where not deleted do update
    set public_key = excluded.public_key, url = excluded.url
    where (k.public_key, k.url) is distinct from (excluded.public_key, excluded.url);
end $$;
comment on function sec.publish_issuer_key(text, text, text) is
  'Tells every node a key that this gateway signs tokens with, and where the gateway answers. Can be repeated.';
grant execute on function sec.publish_issuer_key(text, text, text) to tpv_gateway_auth;

create or replace function sec.retire_issuer_key(kid text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.decided_by_central();
  update sec.issuer_key k set retired_at = clock_timestamp()
   where k.kid = retire_issuer_key.kid and not k.deleted and k.retired_at is null;
end $$;
comment on function sec.retire_issuer_key(text) is
  'Says that a key signs no more tokens. Those that it has signed are good for an hour, or until they end.';
grant execute on function sec.retire_issuer_key(text) to tpv_gateway_auth;

create or replace function sec.issuer_keys() returns table (kid text, public_key text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.kid, k.public_key from sec.issuer_key k
   where not k.deleted and (k.retired_at is null or k.retired_at > now() - interval '1 hour')
   order by k.kid;
end;
comment on function sec.issuer_keys() is 'The keys of central''s gateway whose tokens are good.';
grant execute on function sec.issuer_keys() to tpv_gateway_auth;

create or replace function sec.register_gateway_key(node_code text, public_key text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  node integer := (select n.node_id from org.node n where n.node_code = register_gateway_key.node_code and n.kind = 'store');
begin
  perform sec.decided_by_central();
  if node is null then
    raise exception 'there is no store of that name' using errcode = 'TP404';
  end if;
  perform sync.refuse_banned(node);
  insert into sec.gateway_key as k (node_id, public_key) values (node, register_gateway_key.public_key)
  on conflict (node_id) where not deleted do update
    set public_key = excluded.public_key where k.public_key <> excluded.public_key;
  if found then
    -- What was sealed for the key before cannot be opened any more.
    delete from sec.sealing s where s.node_id = node;
    insert into sec.audit (event, subject, detail)
    values ('GATEWAY_KEY', format('node %s', node), 'passwords are sealed for this key of a store''s gateway from now on');
  end if;
end $$;
comment on function sec.register_gateway_key(text, text) is
  'Registers the public key of a store''s gateway, in place of the one before. Passwords of those who '
  'work there are sealed for it.';

create or replace function sec.withdraw_gateway(node integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  people uuid[];
begin
  update sec.gateway_key k set deleted = true where k.node_id = node and not k.deleted;
  delete from sec.sealing s where s.node_id = node;
  with gone as (
    update sec.verifier v set deleted = true, sealed = '' where v.node_id = node and not v.deleted returning v.employee_id)
  select array_agg(distinct g.employee_id) into people from gone g;
  -- Whoever has the machine may have seen their tokens.
  update party.employee e set authz = e.authz + 1 where e.employee_id = any (people) and not e.deleted;
  return coalesce(cardinality(people), 0);
end $$;
comment on function sec.withdraw_gateway(integer) is
  'Seals nothing any more for the gateway of a store, takes back what was sealed for it, and ends the sessions '
  'of those who had a password there, at every node. Returns how many they are: their passwords can be guessed '
  'at on that machine. What its gateway signed nobody else believes.';

create or replace function sec.verifiers_due(most integer)
returns table (employee_id uuid, node_id integer, gateway_key_id uuid, gateway_key text, phc text, changed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select e.employee_id, k.node_id, k.gateway_key_id, k.public_key, p.phc, p.changed_at
    from sec.gateway_key k
    join (select distinct g.employee_id, g.node_id from sec.role_grant g
           where g.node_id is not null and not g.deleted and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)) w
      on w.node_id = k.node_id
    join party.employee e on e.employee_id = w.employee_id and e.active and not e.deleted
    join sec.password p on p.employee_id = e.employee_id
   where not k.deleted and not sync.is_joined_store()
     and not exists (
       select from sec.verifier v
         join sec.sealing s on s.employee_id = v.employee_id and s.node_id = v.node_id
        where v.employee_id = e.employee_id and v.node_id = k.node_id and not v.deleted
          and s.gateway_key_id = k.gateway_key_id and s.changed_at = p.changed_at)
   order by p.changed_at limit verifiers_due.most;
end;
comment on function sec.verifiers_due(integer) is
  'Passwords that are to be sealed for the gateway of a store where their employee works.';
grant execute on function sec.verifiers_due(integer) to tpv_gateway_auth;

create or replace function sec.save_verifier(employee uuid, node integer, key uuid, sealed text, changed_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.decided_by_central();
  -- One that was changed meanwhile is sealed next.
  perform from sec.password p where p.employee_id = employee and p.changed_at = save_verifier.changed_at for share;
  if not found then
    return;
  end if;
  insert into sec.verifier as v (employee_id, node_id, gateway_key_id, sealed)
  values (employee, node, key, save_verifier.sealed)
  on conflict (employee_id, node_id) where not deleted do update
    set gateway_key_id = excluded.gateway_key_id, sealed = excluded.sealed;
  insert into sec.sealing as s (employee_id, node_id, gateway_key_id, changed_at)
  values (employee, node, key, save_verifier.changed_at)
  on conflict on constraint sealing_pkey do update set gateway_key_id = excluded.gateway_key_id, changed_at = excluded.changed_at;
end $$;
comment on function sec.save_verifier(uuid, integer, uuid, text, timestamptz) is
  'Saves a sealed password for a store, unless it was changed since sec.verifiers_due said it and its '
  'changed_at.';
grant execute on function sec.save_verifier(uuid, integer, uuid, text, timestamptz) to tpv_gateway_auth;
-- end functions/sec/key.sql
-- begin functions/sec/revocation.sql
-- Of tables and built-in functions alone: schema own shows the same query.
create or replace view sec.pending_revocation with (security_invoker = true) as
  -- The operation by which central counted last: a register's version is [node, seq, hlc, value].
  -- json and not jsonb, which refuses what a name may hold.
  with counted as (
    select e.employee_id, e.code, r.register, (v.version ->> 0)::integer as writer_id, (v.version ->> 1)::bigint as seq,
           (v.version ->> 2)::bigint as hlc
      from party.employee e
      join sync.head h on h.table_name = 'party.employee' and h.key = e.employee_id::text
     cross join lateral (values ('authz'), ('code')) as r (register)
     cross join lateral json_array_elements(h.heads::json -> r.register) as v (version)
  ), known as (
    select c.*, p.node_id, p.beat_at, coalesce(v.seq, 0) >= c.seq as heard
      from counted c
     cross join sync.peer p
      left join sync.peer_vector v on v.node_id = p.node_id and v.writer_id = c.writer_id
  )
  select a.employee_id, a.code, n.node_code as store, timestamptz 'epoch' + (max(a.hlc) >> 16) * interval '1 millisecond' as since,
         a.beat_at as last_heard_at
    from known a
    join org.node n on n.node_id = a.node_id and n.kind = 'store'
   where a.register = 'authz' and not a.heard
     -- Who is new there has nothing that could end.
     and exists (select from known c where c.employee_id = a.employee_id and c.node_id = a.node_id and c.register = 'code' and c.heard)
     and (exists (select from sec.role_grant g where g.employee_id = a.employee_id and (g.node_id is null or g.node_id = a.node_id))
          or exists (select from sec.verifier r where r.employee_id = a.employee_id and r.node_id = a.node_id))
   group by a.employee_id, a.code, n.node_code, a.beat_at
   order by 4, 2, 3;
comment on view sec.pending_revocation is
  'Employees whose sessions of before central ended (they were disabled or deleted, a grant or the '
  'password was changed), for each store that has not said yet that it has heard. There they may go on '
  'until it has.';
comment on column sec.pending_revocation.employee_id is 'The employee.';
comment on column sec.pending_revocation.code is 'What she logs in with.';
comment on column sec.pending_revocation.store is 'The store.';
comment on column sec.pending_revocation.since is 'When central decided.';
comment on column sec.pending_revocation.last_heard_at is 'When the last heartbeat of the store came.';
-- end functions/sec/revocation.sql
-- begin functions/sec/prune.sql
create or replace function sec.prune() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
  total bigint := 0;
begin
  delete from sec.session s
   where coalesce(s.ended_at, least(s.expires_at, s.rotated_at + interval '12 hours')) < now() - interval '7 days';
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sec.session', gone);
  -- Answers may hold values of customers.
  delete from sec.idempotency i where i.made_at < now() - interval '1 day';
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sec.idempotency', gone);
  delete from sec.throttle t where t.last_failed_at < now() - interval '1 day';
  delete from sec.password_link l where least(l.used_at, l.expires_at) < now() - interval '7 days';
  get diagnostics gone = row_count;
  return total + sync.note_pruning('sec.password_link', gone);
end $$;
comment on function sec.prune() is
  'Removes sessions and password links a week after their end, and answers to repeated requests and '
  'failed attempts to log in after a day. pg_cron calls it each hour.';
grant execute on function sec.prune() to tpv_cron;
-- end functions/sec/prune.sql

create trigger _150_check before insert or update on sec.role_grant
  for each row when (tpv.is_capturing()) execute function sec.check_grant();
create trigger _300_place after insert or update of node_id, department_code, deleted on sec.role_grant
  for each row when (tpv.is_capturing()) execute function org.check_place();
create trigger _400_authz after insert or update on sec.role_grant
  for each row when (tpv.is_capturing()) execute function sec.grant_changed();
