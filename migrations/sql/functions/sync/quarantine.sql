create or replace function sync.replay(quarantine_id bigint) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.replay(quarantine_id) $$;
comment on function sync.replay(bigint) is
  'Tries a row of sync.quarantine again: true when it is done, false when it still waits.';
grant execute on function sync.replay(bigint) to tpv_operator;

create or replace function sync.replay_waiting(most integer default 1000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
  done integer := 0;
begin
  for item in
    select q.quarantine_id from sync.quarantine q
     where q.resolved_at is null and q.refused is null
     order by q.quarantine_id limit most
  loop
    done := done + sync.replay(item)::integer;
  end loop;
  return done;
end $$;
comment on function sync.replay_waiting(integer) is
  'Tries again everything that waits in quarantine, and returns how many rows are done. pg_cron '
  'calls it each minute.';
grant execute on function sync.replay_waiting(integer) to tpv_cron, tpv_operator;

create or replace function sync.dismiss(quarantine_id bigint, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', session_user, why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
$$;
comment on function sync.dismiss(bigint, text) is
  'Takes a row off the list although it was not applied. What it holds stays in the wire tables.';
grant execute on function sync.dismiss(bigint, text) to tpv_operator;
