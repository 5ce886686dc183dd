-- Purpose: who may what: roles and permissions, grants, passwords, sessions, and what the gateway
--          asks about them.
-- Limits:  role_grant, verifier, gateway_key and issuer_key are shared and decided by central
--          (V12); everything else is local to a node. Passwords are at central alone; a store has
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

-- include functions/sec/gateway.sql
-- include functions/sec/grant.sql
-- include functions/sec/login.sql
-- include functions/sec/session.sql
-- include functions/sec/enter.sql
-- include functions/sec/password.sql
-- include functions/sec/key.sql
-- include functions/sec/revocation.sql
-- include functions/sec/prune.sql

create trigger _150_check before insert or update on sec.role_grant
  for each row when (tpv.is_capturing()) execute function sec.check_grant();
create trigger _300_place after insert or update of node_id, department_code, deleted on sec.role_grant
  for each row when (tpv.is_capturing()) execute function org.check_place();
create trigger _400_authz after insert or update on sec.role_grant
  for each row when (tpv.is_capturing()) execute function sec.grant_changed();
