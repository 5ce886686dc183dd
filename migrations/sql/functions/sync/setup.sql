create or replace function sync.our_triggers()
returns table (relation regclass, trigger_name name, enabled "char", expected "char")
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  -- Those fire for what arrives too, and in a session that plays the part of a replica. Of the
  -- tables that have partitions so do those of each partition.
  with always (of_table, trigger_name) as (
    values ('catalog.barcode_rule', '_150_check'), ('dat.profile', '_150_check'), ('org.node', '_000_forget'), ('org.ban', '_000_forget'),
           ('org.terminal', '_150_check'), ('sync.head', '_100_guard'), ('sync.head', '_100_guard_truncate'), ('sync.policy', '_000_forget'), ('sync.policy', '_910_choose'),
           ('sync.tracked_table', '_000_forget'), ('wire.beat', '_100_receive'), ('wire.doc', '_100_receive'),
           ('wire.doc', '_900_refuse'), ('wire.doc', '_900_refuse_truncate'), ('wire.op', '_100_receive'),
           ('wire.op', '_900_refuse'), ('wire.op', '_900_refuse_truncate'), ('wire.resend', '_100_receive')
  )
  select c.oid::regclass, t.tgname, t.tgenabled, case when a.of_table is null and t.tgname not in ('_950_touched', '_960_guess', '_961_guess') then 'O' else 'A' end::"char"
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid
    left join always a on a.trigger_name = t.tgname and to_regclass(a.of_table) = coalesce(i.inhparent, c.oid)
   where not t.tgisinternal and t.tgname ~ '^_[0-9]{3}_'
     and n.nspname in ('catalog', 'dat', 'org', 'party', 'sales', 'sec', 'sync', 'wire');
end;
comment on function sync.our_triggers() is
  'The triggers of this database that tpv made, and how each should be enabled: O in sessions, A always.';

create or replace function sync.setup_faults() returns table (what text, remedy text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select format('%s triggers are not enabled as they should be (%s)', count(*),
                (array_agg(format('%s on %s', t.trigger_name, t.relation) order by t.relation::text, t.trigger_name))[1]
                || case when count(*) > 1 then ' and others' else '' end),
         'after a restore with --disable-triggers they are not; run: select sync.mend_triggers()'
    from sync.our_triggers() t where t.enabled <> t.expected having count(*) > 0
  union all
  select format('table %s lacks its trigger %s', e.table_name, g.name), format('run: select sync.track(%L)', e.table_name)
    from sync.tracked_table e
   cross join (values ('_100_guard_delete'), ('_100_guard_key'), ('_100_guard_truncate'), ('_900_capture'), ('_950_touched'))
         as g (name)
   where to_regclass(e.table_name) is not null
     and not exists (select from pg_trigger t where t.tgrelid = to_regclass(e.table_name) and t.tgname = g.name)
  union all
  select format('%s belongs to %s', c.oid::regclass, pg_get_userbyid(c.relowner)),
         format('run: alter %s %s owner to tpv_owner',
                case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, c.oid::regclass)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('bi', 'catalog', 'dat', 'journal', 'org', 'own', 'party', 'rollup', 'sales', 'sec', 'sync', 'tpv_lock', 'wire')
     and c.relkind in ('r', 'p', 'v', 'S') and pg_get_userbyid(c.relowner) <> 'tpv_owner'
  union all
  select format('function %s belongs to %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)),
         format('run: alter routine %s owner to tpv_owner', p.oid::regprocedure)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname in ('bi', 'catalog', 'dat', 'org', 'own', 'party', 'rollup', 'sales', 'sec', 'sync', 'wire')
     and pg_get_userbyid(p.proowner) <> 'tpv_owner'
  union all
  select format('subscription %s belongs to %s', s.subname, pg_get_userbyid(s.subowner)),
         'a dump does not say it: run sync.rejoin_plan for that peer'
    from sync.peer p join pg_subscription s on s.subname = p.subscription_name
   where s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
     and pg_get_userbyid(s.subowner) <> 'tpv_apply'
  union all
  select format('slot %s holds back vacuum', r.slot_name),
         'no subscription does that: was the peer tampered with? sync.leave_plan ends its slot and its login'
    from pg_replication_slots r
   where r.database = current_database() and r.slot_type = 'logical' and starts_with(r.slot_name, 'tpv_') and r.xmin is not null
  union all
  select format('%s is %s', s.setting_name, s.value), s.remedy
    from (values
      ('wal_level', current_setting('wal_level') <> 'logical' and exists (select from sync.peer), current_setting('wal_level'),
       'set it to logical in postgresql.conf and restart the server'),
      ('pg_tpv.database', current_setting('pg_tpv.database', true) is distinct from current_database(),
       current_setting('pg_tpv.database', true),
       format('set it to %s in postgresql.conf and restart the server: the background worker works there', current_database())),
      ('pg_tpv.fold_interval', current_setting('pg_tpv.fold_interval', true) = '0', '0',
       'the change log is not written and sums do not follow: set it to 1s'),
      -- The launcher of subscriptions, pg_cron and the two of tpv; parallel queries and the jobs of pg_cron need some, too.
      ('max_worker_processes',
       current_setting('max_worker_processes')::integer < current_setting('max_logical_replication_workers')::integer + 4,
       current_setting('max_worker_processes'),
       format('set it to %s or more in postgresql.conf and restart the server: workers of tpv or of subscriptions do not start',
              current_setting('max_logical_replication_workers')::integer + 8)),
      ('pg_tpv.beat_interval', current_setting('pg_tpv.beat_interval', true) = '0' and exists (select from sync.peer), '0',
       'peers hear nothing of this node: set it to 5s')) as s (setting_name, is_wrong, value, remedy)
   where s.is_wrong
  union all
  -- A query that somebody forgot would keep dead rows of everybody.
  select format('the login %s of an analyst has no limit of time', l.rolname),
         format('run: alter role %I in database %I set statement_timeout = ''5min''; docs/analyst.md has all of them',
                l.rolname, current_database())
    from pg_roles l
   where l.rolcanlogin and not l.rolsuper and pg_has_role(l.oid, 'tpv_analyst', 'usage')
     and not exists (select from pg_db_role_setting r cross join unnest(r.setconfig) as c (setting)
                      where (r.setrole = l.oid or r.setrole = 0)
                        and r.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
                        and c.setting ~ '^statement_timeout=(?!0$)')
  union all
  select format('%s days of departments cannot be summed up (%s of department %s of node %s: %s)', count(*),
                (array_agg(d.business_date order by d.business_date, d.department))[1],
                (array_agg(d.department order by d.business_date, d.department))[1],
                (array_agg(d.node_id order by d.business_date, d.department))[1],
                (array_agg(d.failed order by d.business_date, d.department))[1]),
         'the others are; docs/dba.md, "Sums are behind"'
    from rollup.due d where d.failed is not null having count(*) > 0
  union all
  select 'subscriptions do not name the life of this server', 'a superuser runs what tpv-migrate bootstrap-sql prints'
   where exists (select from sync.peer)
     and not exists (select from pg_db_role_setting r join pg_roles o on o.oid = r.setrole
                      where o.rolname = 'tpv_apply' and r.setdatabase = 0 and 'pg_tpv.names_life=on' = any (r.setconfig))
  union all
  select format('a setting of the database or a role is %s', c.setting),
         case when c.setting like 'pg_tpv.%' then 'documents could be changed: take it back with alter … reset pg_tpv.maintenance'
              else 'its sessions would change rows behind the triggers: take it back with alter … reset session_replication_role' end
    from pg_db_role_setting r cross join unnest(r.setconfig) as c (setting)
   where r.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
     and (c.setting like 'session\_replication\_role=%' and c.setting <> 'session_replication_role=origin'
          or c.setting in ('pg_tpv.maintenance=on', 'pg_tpv.maintenance=true'));
end;
comment on function sync.setup_faults() is
  'What is not as the migrations made it: triggers, owners, settings; and how to mend it. tpv-migrate '
  'status shows it, and the server''s log has it at each start.';
grant execute on function sync.setup_faults() to tpv_operator, tpv_worker;

create or replace function sync.note_slots() returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with noted as (
    insert into sec.audit (event, subject, detail)
    select 'SLOT_HOLDS_VACUUM', r.slot_name, 'whoever fetches by this slot keeps all tables here from being vacuumed'
      from pg_replication_slots r
     where r.database = current_database() and r.slot_type = 'logical' and starts_with(r.slot_name, 'tpv_') and r.xmin is not null
       and not exists (select from sec.audit a
                        where a.event = 'SLOT_HOLDS_VACUUM' and a.subject = r.slot_name and a.at > clock_timestamp() - interval '1 day')
    returning 1
  )
  select count(*)::integer from noted
$$;
comment on function sync.note_slots() is
  'Notes in sec.audit which slots of peers hold back vacuum, each once a day: a login that asks for that '
  '(feedback of a standby) is used for more than a subscription.';

create or replace function sync.mend_triggers() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set client_min_messages = 'warning' as $$
declare
  wrong record;
  mended integer := 0;
begin
  for wrong in select * from sync.our_triggers() t where t.enabled <> t.expected loop
    execute format('alter table only %s enable %s trigger %I', wrong.relation,
                   case wrong.expected when 'A' then 'always' else '' end, wrong.trigger_name);
    mended := mended + 1;
  end loop;
  return mended;
end $$;
comment on function sync.mend_triggers() is
  'Enables each trigger as the migrations did, and returns how many were not. Its owner or a superuser calls it.';
