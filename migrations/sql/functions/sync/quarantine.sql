create or replace function sync.replay(quarantine_id bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held sync.quarantine;
begin
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = replay.quarantine_id;
  select * into held from sync.quarantine q
   where q.quarantine_id = replay.quarantine_id and q.code = 'ERASURE_LIMIT' and q.resolved_at is null;
  if found then
    -- Its number stands for an operation that writes nothing, at every node. So this node erases.
    if not sync.is_erased(held.kind, held.key) then
      perform sync.erase(held.kind, held.key::uuid, format('released: row %s of the quarantine', held.quarantine_id));
    end if;
    update sync.quarantine q set resolved_at = clock_timestamp() where q.quarantine_id = held.quarantine_id;
    return true;
  end if;
  return tpv.replay(quarantine_id);
end $$;
comment on function sync.replay(bigint) is
  'Tries a row of sync.quarantine again: true when it is done, false when it still waits. An erasure that '
  'waits (ERASURE_LIMIT) is released: this node erases the row.';
grant execute on function sync.replay(bigint) to tpv_operator;

create or replace function sync.waiting(most integer, only_due boolean) returns setof bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- From node to node along the index, and of each its share: one that has filled the list keeps no
  -- other from it.
  with recursive node (node_id) as (
    select min(q.node_id) from sync.quarantine q where q.resolved_at is null and q.refused is null
    union all
    select (select min(q.node_id) from sync.quarantine q
             where q.resolved_at is null and q.refused is null and q.node_id > n.node_id)
      from node n where n.node_id is not null
  ), share as (
    select n.node_id, t.quarantine_id, t.nth
      from node n
     cross join lateral (
       select q.quarantine_id, row_number() over (order by q.try_at, q.quarantine_id) as nth
         from sync.quarantine q
        where q.node_id = n.node_id and q.resolved_at is null and q.refused is null
          and (not waiting.only_due or q.try_at <= clock_timestamp())
        order by q.try_at, q.quarantine_id limit waiting.most) t
     where n.node_id is not null
  )
  select s.quarantine_id from share s order by s.nth, s.node_id limit waiting.most;
end;
comment on function sync.waiting(integer, boolean) is
  'Rows of sync.quarantine that are tried next: of each node those that have waited longest, in turn.';

create or replace function sync.replay_waiting(most integer default 1000, only_due boolean default false) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
  done integer := 0;
  is_done boolean;
begin
  for item in select w from sync.waiting(most, only_due) w loop
    -- A rebuild of projections may be at it, or have done it.
    perform from sync.quarantine q where q.quarantine_id = item and q.resolved_at is null for update skip locked;
    continue when not found;
    begin
      -- Not sync.replay, which refuses what is of schema sec. This tries everything alike, and
      -- shows nobody what it was.
      is_done := tpv.replay(item);
    exception when others then
      -- One that cannot even be tried must not keep the others from it.
      raise warning 'row % of sync.quarantine could not be tried: %', item, sqlerrm;
      update sync.quarantine q set at = clock_timestamp() where q.quarantine_id = item;
      is_done := false;
    end;
    if is_done then
      done := done + 1;
    else
      -- Pauses grow to 15 minutes, so that what waits for ever costs next to nothing.
      update sync.quarantine q
         set tries = least(q.tries + 1, 1000),
             try_at = clock_timestamp() + least(interval '1 minute' * (2 ^ least(q.tries, 6)), interval '15 minutes')
       where q.quarantine_id = item;
    end if;
  end loop;
  return done;
end $$;
comment on function sync.replay_waiting(integer, boolean) is
  'Tries again what waits in quarantine, and returns how many rows are done: of each node its share, '
  'those first that have waited longest. With only_due those whose pause is over; pauses grow from a '
  'minute to a quarter of an hour. pg_cron calls it so each minute.';
grant execute on function sync.replay_waiting(integer, boolean) to tpv_cron, tpv_operator;

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
