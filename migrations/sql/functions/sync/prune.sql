create or replace function sync.prune_resends() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  -- What is still to be sent is in the WAL. The rows are kept only for people who want to look.
  with gone as (delete from wire.resend r where tpv.hlc_time(r.hlc) < now() - interval '1 day' returning 1),
       old_snapshot as (delete from sync.snapshot l where l.completed_at < now() - interval '90 days'),
       arrived as (
         delete from sync.awaited a
          where exists (select from wire.op o where o.node_id = a.node_id and o.seq = a.seq)
             or exists (select from sync.horizon h where h.node_id = a.node_id and h.seq >= a.seq)),
       old_drift as (delete from sync.drift d where d.resolved_at < now() - interval '90 days')
  select count(*) from gone
$$;
comment on function sync.prune_resends() is
  'Removes rows of wire.resend after a day, rows of sync.awaited whose operation has arrived, and '
  'snapshots and differences that ended more than 90 days ago. pg_cron calls it each hour.';
grant execute on function sync.prune_resends() to tpv_cron;

create or replace function sync.prune_beats() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select count(*) from gone
$$;
comment on function sync.prune_beats() is
  'Removes old heartbeats: all but the last thousand. pg_cron calls it each hour.';
grant execute on function sync.prune_beats() to tpv_cron;
