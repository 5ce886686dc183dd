create or replace function sync.replay(quarantine_id bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = replay.quarantine_id;
  return tpv.replay(quarantine_id);
end $$;
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
     order by q.at limit most
  loop
    -- A rebuild of projections may be at it, or have done it.
    perform from sync.quarantine q where q.quarantine_id = item and q.resolved_at is null for update skip locked;
    continue when not found;
    begin
      -- Not sync.replay, which refuses what is of schema sec. This tries everything alike, and
      -- shows nobody what it was.
      done := done + tpv.replay(item)::integer;
    exception when others then
      -- One that cannot even be tried must not keep the others from it.
      raise warning 'row % of sync.quarantine could not be tried: %', item, sqlerrm;
      update sync.quarantine q set at = clock_timestamp() where q.quarantine_id = item;
    end;
  end loop;
  return done;
end $$;
comment on function sync.replay_waiting(integer) is
  'Tries again what waits in quarantine, and returns how many rows are done: those first that were '
  'tried longest ago. pg_cron calls it each minute.';
grant execute on function sync.replay_waiting(integer) to tpv_cron, tpv_operator;

create or replace function sync.dismiss(quarantine_id bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dismissed sync.quarantine;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = dismiss.quarantine_id;
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', sec.actor(), dismiss.why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
  returning * into dismissed;
  if found then
    insert into sec.audit (event, subject, detail)
    values ('DISMISSED', format('%s of node %s, %s', dismissed.code, dismissed.node_id, dismissed.kind), dismiss.why);
  end if;
end $$;
comment on function sync.dismiss(bigint, text) is
  'Takes a row off the list although it was not applied, with a reason. What it holds stays in the '
  'wire tables. It is a security event.';
grant execute on function sync.dismiss(bigint, text) to tpv_operator;
