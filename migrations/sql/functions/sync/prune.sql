create or replace function sync.kept_since(setting text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select case current_setting(kept_since.setting)
           when '-1' then '-infinity'
           else now() - current_setting(kept_since.setting)::interval
         end;
end;
comment on function sync.kept_since(text) is
  'What is older than this is not kept any more, by a setting such as pg_tpv.keep_audit.';
grant execute on function sync.kept_since(text) to tpv_cron;

create or replace function sync.note_pruning(what text, gone bigint) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into sync.pruning (what, gone) select note_pruning.what, note_pruning.gone where note_pruning.gone > 0;
  select note_pruning.gone;
$$;
comment on function sync.note_pruning(text, bigint) is 'Notes in sync.pruning how many rows were removed, if any were.';

create or replace function sync.prune_resends() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  -- What is still to be sent is in the WAL. The rows are kept only for people who want to look.
  with gone as (delete from wire.resend r where tpv.hlc_time(r.hlc) < now() - interval '1 day' returning 1),
       arrived as (
         delete from sync.awaited a
          where exists (select from wire.op o where o.node_id = a.node_id and o.seq = a.seq)
             or exists (select from sync.horizon h where h.node_id = a.node_id and h.seq >= a.seq))
  select sync.note_pruning('wire.resend', count(*)) from gone
$$;
comment on function sync.prune_resends() is
  'Removes rows of wire.resend after a day, and rows of sync.awaited whose operation has arrived. '
  'pg_cron calls it each hour.';
grant execute on function sync.prune_resends() to tpv_cron;

create or replace function sync.prune_beats() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select sync.note_pruning('wire.beat', count(*)) from gone
$$;
comment on function sync.prune_beats() is
  'Removes old heartbeats: all but the last thousand. pg_cron calls it each hour.';
grant execute on function sync.prune_beats() to tpv_cron;

create or replace function sync.prune_records() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
  total bigint := 0;
begin
  delete from sync.quarantine q where q.resolved_at < sync.kept_since('pg_tpv.keep_resolved');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.quarantine', gone);
  delete from sync.drift d where d.resolved_at < sync.kept_since('pg_tpv.keep_resolved');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.drift', gone);
  delete from sync.snapshot l
   where l.completed_at < sync.kept_since('pg_tpv.keep_resolved')
     -- sync.status says by the last one that the peer's rows are here.
     and exists (select from sync.snapshot n where n.node_id = l.node_id and n.completed_at > l.completed_at);
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.snapshot', gone);
  -- Of what is older than the journal the last row stays: it says what was here when that begins.
  delete from sync.arrival a
   where a.at < sync.kept_since('pg_tpv.keep_operations')
     and exists (select from sync.arrival n
                  where n.node_id = a.node_id and n.what = a.what and n.subject = a.subject
                    and n.at > a.at and n.at < sync.kept_since('pg_tpv.keep_operations'));
  delete from sync.refusal r where r.day < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.pruning p where p.at < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.clone c where c.last_at < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.change c where c.at < sync.kept_since('pg_tpv.keep_changes');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.change', gone);
  delete from sec.audit a where a.at < sync.kept_since('pg_tpv.keep_audit');
  get diagnostics gone = row_count;
  return total + sync.note_pruning('sec.audit', gone);
end $$;
comment on function sync.prune_records() is
  'Removes what is done and old: rows of sync.quarantine, sync.drift, sync.snapshot, sync.clone and '
  'sync.pruning (pg_tpv.keep_resolved), of sync.change (pg_tpv.keep_changes), and of sec.audit '
  '(pg_tpv.keep_audit). pg_cron calls it each day.';
grant execute on function sync.prune_records() to tpv_cron;

-- Runs as its caller: row security of pg_cron shows each role the runs of its own jobs only.
create or replace function sync.prune_runs() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
begin
  delete from cron.job_run_details r
   where r.username = current_user and coalesce(r.end_time, r.start_time) < sync.kept_since('pg_tpv.keep_runs');
  get diagnostics gone = row_count;
  if gone > 0 then
    raise log 'removed % old rows of cron.job_run_details', gone;
  end if;
  return gone;
end $$;
comment on function sync.prune_runs() is
  'Removes old runs of the jobs of its caller from cron.job_run_details (pg_tpv.keep_runs). pg_cron '
  'calls it each day as tpv_cron, whose jobs are those of tpv.';
grant execute on function sync.prune_runs() to tpv_cron;

create or replace function sync.known_to_all() returns table (node_id integer, seq bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select h.node_id, least(h.seq, (
           select min(coalesce(v.seq, 0))
             from sync.peer p left join sync.peer_vector v on v.node_id = p.node_id and v.writer_id = h.node_id
            where coalesce(p.beat_at, p.added_at) >= sync.kept_since('pg_tpv.wait_for_peer')))
    from sync.horizon h;
end;
comment on function sync.known_to_all() is
  'For each node the number up to which its operations are here and at each peer. A peer that was '
  'not heard for pg_tpv.wait_for_peer does not count.';

create or replace function sync.prune_operations(most integer default 20000) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set pg_tpv.maintenance = on as $$
declare
  oldest timestamptz := sync.kept_since('pg_tpv.keep_operations');
  known text;
  before_hlc bigint;
  place sync.pruned;
  done record;
  remaining integer := most;
  total bigint := 0;
begin
  if oldest = '-infinity' then
    return 0;
  end if;
  -- Stamps may be ahead of the wall clock, by ten seconds after a start.
  before_hlc := case current_setting('pg_tpv.keep_operations') when '0' then 9223372036854775807
                     else floor(extract(epoch from oldest) * 1000)::bigint << 16 end;
  select json_object_agg(k.node_id, k.seq)::text into known from sync.known_to_all() k;
  if known is null then
    return 0;
  end if;
  insert into sync.pruned (node_id) select k.node_id from sync.known_to_all() k on conflict do nothing;
  -- Whose turn was longest ago. Another session that prunes is left alone.
  for place in select p.* from sync.pruned p order by p.looked_at, p.node_id for update skip locked loop
    exit when remaining <= 0;
    select p.* into done from tpv.prune_operations(place.node_id, place.next_seq, known, before_hlc, remaining) p;
    remaining := remaining - done.looked_at::integer;
    total := total + done.gone;
    -- From the end it goes on at the beginning: what was a head may have been replaced.
    update sync.pruned p
       set next_seq = case when remaining <= 0 then done.last_seq + 1 else 1 end,
           seq = case when done.gone > 0 then greatest(p.seq, done.last_seq) else p.seq end,
           gone = p.gone + done.gone, looked_at = clock_timestamp()
     where p.node_id = place.node_id;
  end loop;
  return sync.note_pruning('wire.op', total);
end $$;
comment on function sync.prune_operations(integer) is
  'Takes operations out of wire.op that are older than pg_tpv.keep_operations, that all peers have, '
  'and that nothing needs any more (tpv.prune_operations decides). Looks at so many at most. Returns '
  'how many left. pg_cron calls it each hour.';
grant execute on function sync.prune_operations(integer) to tpv_cron;
