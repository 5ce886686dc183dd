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
      ('tpv_analyst', 'nologin', 'people who read')
    ) as w (role_name, login, meaning)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.role_name) then
      execute format('create role %I %s', wanted.role_name, wanted.login);
      execute format('comment on role %I is %L', wanted.role_name, wanted.meaning);
    end if;
  end loop;
end $$;

-- A superuser makes tpv_apply and tpv_replicator: one is not subject to row-level security, the
-- other may replicate.
do $$
begin
  if (select count(*) from pg_catalog.pg_roles where rolname in ('tpv_apply', 'tpv_replicator')) < 2 then
    raise exception 'the roles of the chain are missing'
      using hint = 'A superuser runs what tpv-migrate bootstrap-sql prints.';
  end if;
  execute format('grant connect on database %I to tpv_watcher, tpv_cron, tpv_operator, tpv_analyst, '
                 'tpv_apply, tpv_replicator', current_database());
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
comment on schema party is 'People: customers.';
create schema dat;
comment on schema dat is
  'The fixed-width files for the legacy checkout: layouts, published bytes, pending work.';
create schema sales;
comment on schema sales is
  'Receipts as analysts read them (projections of wire.doc), and the functions that receive files '
  'of terminals.';
create schema sec;
comment on schema sec is 'Events for whoever is responsible for security.';

grant usage on schema org, wire, sync, catalog, dat, sales to tpv_operator, tpv_analyst;
grant usage on schema party, sec, tpv to tpv_operator;
grant usage on schema dat, sales to tpv_watcher;
grant usage on schema wire, sync to tpv_cron;
grant usage on schema org, wire, sync, catalog, party, dat, sales, sec, tpv to tpv_apply;
grant usage on schema wire to tpv_replicator;
-- Rights are checked on the partition that a row goes to, and a new one is made each month.
alter default privileges in schema wire grant select, insert on tables to tpv_apply;
