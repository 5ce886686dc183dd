-- Purpose: the schemas of a node and the roles that use them.
-- Limits:  roles belong to the whole server; they are made only where they are missing. Passwords
--          are the DBA's.
-- Undo:    drop the schemas (that loses every receipt), then the roles.

-- Only its owner may call a function until a migration grants it to others.
alter default privileges revoke execute on functions from public;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('tpv_watcher', 'login', 'the watcher of a store: may hand in files and ask what to publish'),
      ('tpv_cron', 'login', 'what pg_cron runs its jobs as: may call the scheduled functions and nothing else'),
      ('tpv_operator', 'nologin', 'people who decide about held receipts and .dat files'),
      ('tpv_analyst', 'nologin', 'people who read'),
      ('tpv_monitor', 'nologin', 'what watches a node from outside: numbers, and nothing of what they count'),
      ('tpv_cashier', 'nologin', 'people at a till, in schema own: what their store or department sold'),
      ('tpv_supervisor', 'nologin', 'people who release and void, in schema own'),
      ('tpv_manager', 'nologin', 'people who run a store, in schema own'),
      ('tpv_auditor', 'nologin', 'people who look and change nothing, in schema own'),
      ('tpv_concessionaire', 'nologin', 'lessees of a department, in schema own: its sales while the lease holds'),
      ('tpv_admin', 'nologin', 'people who say who may what, in schema own'),
      ('tpv_gateway_user', 'login noinherit', 'the gateway for people: becomes the role of whoever asks, and has no right of its own'),
      ('tpv_gateway_system', 'login noinherit', 'the gateway for programs'),
      ('tpv_gateway_auth', 'login noinherit', 'the gateway while it finds out who asks: may call functions of schema sec')
    ) as w (role_name, login, meaning)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.role_name) then
      execute format('create role %I %s', wanted.role_name, wanted.login);
      execute format('comment on role %I is %L', wanted.role_name, wanted.meaning);
    end if;
  end loop;
end $$;

-- A superuser makes tpv_apply, which is not subject to row-level security, tpv_worker, which sees what
-- others do, and tpv_peer, the group of logins that may replicate.
do $$
begin
  if (select count(*) from pg_catalog.pg_roles where rolname in ('tpv_apply', 'tpv_worker', 'tpv_peer')) < 3 then
    raise exception 'the roles of the chain are missing'
      using hint = 'A superuser runs what tpv-migrate bootstrap-sql prints.';
  end if;
  execute format('grant connect on database %I to tpv_watcher, tpv_cron, tpv_operator, tpv_analyst, tpv_monitor, '
                 'tpv_apply, tpv_worker, tpv_peer, tpv_gateway_user, tpv_gateway_system, tpv_gateway_auth, '
                 'tpv_cashier, tpv_supervisor, tpv_manager, tpv_auditor, tpv_concessionaire, tpv_admin', current_database());
  -- The gateway has a right only while it is somebody. PostgreSQL 15 says so once for the login
  -- (noinherit), later versions for each membership.
  execute 'grant tpv_cashier, tpv_supervisor, tpv_manager, tpv_auditor, tpv_concessionaire, tpv_admin to tpv_gateway_user'
          || case when current_setting('server_version_num')::integer >= 160000 then ' with inherit false, set true' else '' end;
end $$;

create schema org;
comment on schema org is 'Who and where: nodes, legal entities, stores, departments, terminals.';
create schema wire;
comment on schema wire is
  'The only tables that replicate. Documents and operations are written once and never changed.';
create schema sync;
comment on schema sync is
  'What this node knows of its peers, and what is kept for the merge: local, never replicated. '
  'Only sync.policy is shared.';
create schema catalog;
comment on schema catalog is 'What is sold and what the codes on it mean.';
create schema party;
comment on schema party is 'People: customers and employees.';
create schema dat;
comment on schema dat is
  'The fixed-width files for the legacy checkout: layouts, published bytes, pending work.';
create schema sales;
comment on schema sales is
  'Receipts as analysts read them (projections of wire.doc), and the functions that receive files '
  'of terminals.';
create schema sec;
comment on schema sec is
  'Who acts, who may what, sessions and passwords, and events for whoever is responsible for '
  'security. Operators do not read what the journal has of tables in it.';
create schema own;
comment on schema own is
  'What people of the chain see and do, each within the scope of the role that was granted: views, '
  'and functions that take and give one JSON object. The gateway shows it.';
create schema journal;
comment on schema journal is
  'The journal and what is kept for the merge, as operators read it: without rows of schema sec.';

grant usage on schema org, wire, sync, catalog, dat, sales to tpv_operator, tpv_analyst;
grant usage on schema party, sec, journal, tpv to tpv_operator;
grant usage on schema dat, sales to tpv_watcher;
grant usage on schema wire, sync, sec to tpv_cron;
-- Nothing in them but what their grants name, function by function and view by view.
grant usage on schema own, sec to tpv_cashier, tpv_supervisor, tpv_manager, tpv_auditor, tpv_concessionaire, tpv_admin;
grant usage on schema sec to tpv_gateway_auth;
-- It prepares its statements before it is anybody; that takes no right on what they name.
grant usage on schema own, sec to tpv_gateway_user;
grant usage on schema org, wire, sync, catalog, party, dat, sales, sec, tpv to tpv_apply;
grant usage on schema wire, sync to tpv_worker;
-- Rights are checked on the partition that a row goes to, and a new one is made each month.
alter default privileges in schema wire grant select, insert on tables to tpv_apply;
-- tpv_peer and the logins in it have no right on any schema or table. A subscription that copies
-- nothing needs none: what it may stream is what publications name.

-- begin functions/sec/actor.sql
create or replace function sec.actor() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select tpv.actor();
end;
comment on function sec.actor() is
  'Who acts: employee:<uuid>, the person whom the gateway vouches for in this transaction; else '
  'login:<name>, the login of the session. An id and no name of a person: it stays for ever.';
grant execute on function sec.actor() to tpv_apply, tpv_operator;
-- end functions/sec/actor.sql
