-- What a superuser does once for a node of tpv, connected to database postgres:
--     tpv-migrate bootstrap-sql | psql --no-psqlrc --dbname postgres
-- It may be run again at any time, and must be after each `alter extension pg_tpv update`: functions that come with a new
-- version belong to the superuser, and their rights are given here.
-- Undo: drop the database, then the roles.
\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = pg_catalog;
select set_config('tpv.database', :'database', false) \g /dev/null

-- Everything that is in the way is reported here, before anything is changed.
do $$
declare
    libraries text := current_setting('shared_preload_libraries');
    faults text[] := '{}';
begin
    if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        faults := faults || 'this must be run by a superuser'::text;
    end if;
    if current_setting('server_version_num')::int not between 150000 and 189999 then
        faults := faults || 'tpv runs on PostgreSQL 15 to 18'::text;
    end if;
    if libraries !~ '\mpg_tpv\M' or libraries !~ '\mpg_cron\M' then
        faults := faults || 'shared_preload_libraries needs pg_cron and pg_tpv (and the server a restart)'::text;
    end if;
    if libraries ~ '\mpg_cron\M' and current_setting('cron.database_name', true) <> current_setting('tpv.database') then
        faults := faults || format('cron.database_name must be %s (and the server a restart)', current_setting('tpv.database'));
    end if;
    if not exists (select from pg_catalog.pg_available_extensions where name = 'pg_tpv') then
        faults := faults || 'the files of the extension pg_tpv are not installed on this server'::text;
    end if;
    if cardinality(faults) > 0 then
        raise exception using errcode = 'object_not_in_prerequisite_state', message = array_to_string(faults, '; ');
    end if;
end
$$;

-- Owns every table and runs every migration; nobody logs in as it. It creates the other roles.
-- On PostgreSQL 15 a role with CREATEROLE can make itself a member of nearly any other: whoever may become tpv_owner is to
-- be trusted like a superuser there.
select 'create role tpv_owner'
where not exists (select from pg_catalog.pg_roles where rolname = 'tpv_owner') \gexec
alter role tpv_owner nologin createrole nosuperuser nocreatedb noreplication nobypassrls;

-- Owns the subscriptions: what arrives is written with its rights. Row-level security would stop the stream.
select 'create role tpv_apply'
where not exists (select from pg_catalog.pg_roles where rolname = 'tpv_apply') \gexec
alter role tpv_apply login bypassrls nosuperuser nocreatedb nocreaterole noreplication;
-- In a deadlock between a session and an apply worker, the one that checks for deadlocks first is
-- cancelled. That should be the session, which checks after a second: a subscription that has to
-- start again costs everybody more.
alter role tpv_apply set deadlock_timeout = '5s';
-- A subscription says to its peer which life of this server it is, so that a copy of the server is told from it.
alter role tpv_apply set pg_tpv.names_life = on;
-- What the background worker works as. It sees since when others' transactions run, which is how far
-- heartbeats are complete, and has the rights that migrations give it. It must keep LOGIN, which
-- PostgreSQL's workers need, and the path keeps others' schemas out of its statements.
select 'create role tpv_worker'
where not exists (select from pg_catalog.pg_roles where rolname = 'tpv_worker') \gexec
alter role tpv_worker login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role tpv_worker set search_path = pg_catalog, pg_temp;
grant pg_read_all_stats to tpv_worker;
-- What the fold works as: the second background worker, which writes the change log and the roll-ups. It sees since when
-- others' transactions run, which is how far the roll-ups of this store are complete.
select 'create role tpv_fold'
where not exists (select from pg_catalog.pg_roles where rolname = 'tpv_fold') \gexec
alter role tpv_fold login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role tpv_fold set search_path = pg_catalog, pg_temp;
grant pg_read_all_stats to tpv_fold;
-- The group of what peers log in as. sync.join_plan makes a login in it for each peer, which may
-- stream its own slot. pg_tpv refuses it everything else over a connection that names the database;
-- the lines for pg_hba.conf that `tpv-migrate bootstrap-hba` prints refuse it every other connection.
select 'create role tpv_peer'
where not exists (select from pg_catalog.pg_roles where rolname = 'tpv_peer') \gexec
alter role tpv_peer nologin noreplication nosuperuser nocreatedb nocreaterole nobypassrls;

select format('create database %I owner tpv_owner encoding ''UTF8'' template template0', :'database')
where not exists (select from pg_catalog.pg_database where datname = :'database') \gexec
select format('alter database %I owner to tpv_owner', :'database')
where not exists (
    select from pg_catalog.pg_database
    where datname = :'database' and pg_catalog.pg_get_userbyid(datdba) = 'tpv_owner') \gexec
-- A session that somebody forgot inside a transaction which has written holds up the low-water mark, so that no peer knows
-- any more how far what it has received is complete. It ends after this. Watcher and gateway have limits of their own; what
-- the DBA has set for the database stays.
select format('alter database %I set idle_in_transaction_session_timeout = ''10min''', :'database')
where not exists (
    select from pg_catalog.pg_db_role_setting r, unnest(r.setconfig) as c (setting)
    where r.setdatabase = (select oid from pg_catalog.pg_database where datname = :'database') and r.setrole = 0
    and c.setting like 'idle_in_transaction_session_timeout=%') \gexec
-- The migrations say who may connect, role by role.
revoke connect, temporary on database :"database" from public;
grant create, connect, temporary on database :"database" to tpv_owner;
-- They try from the start of the server on.
grant connect on database :"database" to tpv_worker, tpv_fold;

\connect :"database"
set client_min_messages = warning;
set search_path = pg_catalog;

revoke create on schema public from public;
-- Whoever may connect could fill the disk with large objects, or write into the WAL what subscribers read.
select format('revoke execute on function %s from public', oid::pg_catalog.regprocedure)
from pg_catalog.pg_proc
where pronamespace = 'pg_catalog'::pg_catalog.regnamespace
and proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message') \gexec
-- A loop over advisory locks fills the lock table of the whole server: then nobody can lock anything, and no new session
-- begins. Nothing of tpv needs them but tpv-migrate.
select format('revoke execute on function %s from public', oid::pg_catalog.regprocedure),
    format('grant execute on function %s to tpv_owner', oid::pg_catalog.regprocedure)
from pg_catalog.pg_proc
where pronamespace = 'pg_catalog'::pg_catalog.regnamespace and proname ~ '^pg_(try_)?advisory_(xact_)?lock' \gexec
create extension if not exists pg_tpv;
create extension if not exists pg_cron;

-- Functions of the extension: nobody but tpv_owner, who passes them on where a migration says so.
revoke all on schema tpv from public;
grant usage on schema tpv to tpv_owner with grant option;
revoke all on all routines in schema tpv from public;
grant execute on all routines in schema tpv to tpv_owner with grant option;

-- For repairs: while it is on, documents and operations can be changed. Besides superusers only the
-- owner may set it.
grant set on parameter pg_tpv.maintenance to tpv_owner;

-- Jobs run as a role that the migrations make, hence the option to pass this on. pg_cron shows each role its own jobs only,
-- by row-level security of its own.
grant usage on schema cron to tpv_owner with grant option;
select format('grant execute on function %s to tpv_owner', oid::pg_catalog.regprocedure)
from pg_catalog.pg_proc
where pronamespace = 'cron'::pg_catalog.regnamespace and proname in ('schedule', 'unschedule') \gexec
grant select on cron.job to tpv_owner;
grant select, delete on cron.job_run_details to tpv_owner;
