-- Purpose: seeing and steering the chain with SQL.
-- Limits:  what waits in quarantine is tried again each minute by pg_cron.
-- Undo:    drop what is created here, and unschedule its two jobs.

-- Seeing and steering ------------------------------------------------------------------------------------------------

create function sync.replay(quarantine_id bigint) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.replay(quarantine_id) $$;
comment on function sync.replay(bigint) is 'Tries an item of sync.quarantine again: true when it is done, false when it still waits.';

create function sync.dismiss(quarantine_id bigint, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', session_user, why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
$$;
comment on function sync.dismiss(bigint, text) is 'Takes an item off the list although it was not taken in. What it holds stays in the wire tables.';

create function sync.replay_waiting(most integer default 1000) returns integer
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
  'Tries what waits in quarantine again, and answers how much of it is done. pg_cron calls it each minute.';
grant usage on schema sync to tpv_cron;
grant execute on function sync.replay_waiting(integer) to tpv_cron, tpv_operator;
grant execute on function sync.replay(bigint), sync.dismiss(bigint, text),
  sync.restore_loser(text, text, text, integer, bigint) to tpv_operator;

create view sync.status with (security_invoker = true) as
  with peer as (
    select p.*, n.node_code, n.kind,
           coalesce((select max(o.seq) from wire.op o where o.node_id = p.node_id), 0) as ops_here,
           (select count(*) from sync.quarantine q where q.node_id = p.node_id and q.resolved_at is null) as quarantined
      from sync.peer p join org.node n on n.node_id = p.node_id
  ), own as (
    select n.node_code from sync.this_node t join org.node n on n.node_id = t.node_id
  ), rows as (
    select p.node_code as peer, 'receives' as direction,
           case when s.oid is null then 'no subscription' when not s.subenabled then 'disabled'
                when w.pid is null then 'not running' else 'running' end as state,
           null::bigint as lag_bytes, greatest(p.ops - p.ops_here, 0) as lag_operations,
           now() - p.beat_at as silent_for, p.low_water as received_until, p.missed_beats, p.quarantined, p.ahead_ms, p.version
      from peer p
      left join pg_catalog.pg_subscription s on s.subname = p.subscription_name
       and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.relid is null
    union all
    select p.node_code, 'sends',
           case when r.slot_name is null then 'no slot' when r.wal_status = 'lost' then 'slot lost'
                when not r.active then 'not connected' else 'running' end,
           pg_wal_lsn_diff(pg_current_wal_lsn(), r.confirmed_flush_lsn)::bigint, null, null, null, null, null, null, null
      from peer p cross join own
      left join pg_catalog.pg_replication_slots r
        on r.slot_name = case p.kind when 'central' then 'tpv_up_' || sync.name_part(own.node_code) else 'tpv_to_' || sync.name_part(p.node_code) end
  )
  select r.*,
         case
           when r.state = 'no subscription' then 'the peer is known and not joined: run the rest of sync.join_plan'
           when r.state = 'disabled' then 'somebody disabled it: alter subscription ... enable, when the reason is gone'
           when r.state = 'not running' then 'its worker does not stay up: the server log says why; is the peer down, or the line?'
           when r.state = 'no slot' then 'the peer has no slot here: it is not joined, or its slot was dropped'
           when r.state = 'slot lost' then 'the peer was away for too long: it has to join anew'
           when r.state = 'not connected' then 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'
           when r.missed_beats > 0 then 'beats are missing, so rows may be: compare wire.verify_chains() of both'
           when r.silent_for > interval '1 minute' then 'no beat for over a minute: is the peer''s background worker running?'
           when r.ahead_ms > 0 then 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'
           when r.quarantined > 0 then 'rows wait: select * from sync.quarantine where resolved_at is null'
           else 'nothing to do'
         end as advice
    from rows r
   order by 1, 2;
comment on view sync.status is 'One row for each peer and direction: its state, how far behind, and in words what to do.';
comment on column sync.status.peer is 'The other node.';
comment on column sync.status.direction is 'receives: its rows come here. sends: ours go there.';
comment on column sync.status.state is 'running, or what is not.';
comment on column sync.status.lag_bytes is 'WAL that the peer has not confirmed.';
comment on column sync.status.lag_operations is 'Operations that the peer had written at its last beat and that are not here.';
comment on column sync.status.silent_for is 'Since its last beat.';
comment on column sync.status.received_until is 'Everything it recorded before is here; stops at a missing beat.';
comment on column sync.status.missed_beats is 'Beats that never came.';
comment on column sync.status.quarantined is 'Its rows that wait in quarantine.';
comment on column sync.status.ahead_ms is 'By how much its clock is too far ahead; 0 when it is not.';
comment on column sync.status.version is 'Version of its extension.';
comment on column sync.status.advice is 'What to do, in words.';
grant select on sync.status, sync.peer, sync.entity, sync.policy, sync.this_node, wire.beat to tpv_operator, tpv_analyst;
grant select on all tables in schema catalog to tpv_operator, tpv_analyst;
-- Operations hold what customers told us: analysts may count them and not read them.
grant select (node_id, seq, hlc, entity) on wire.op to tpv_analyst;
grant select on wire.op, sync.head, sync.sibling to tpv_operator;
grant select, insert, update on party.customer to tpv_operator;

create function sync.prune_beats() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select count(*) from gone
$$;
comment on function sync.prune_beats() is 'Removes beats that nobody needs any more. pg_cron calls it each hour.';
grant execute on function sync.prune_beats() to tpv_cron;

set local role tpv_cron;
select cron.schedule('tpv: what waits in quarantine', '* * * * *', 'select sync.replay_waiting()');
select cron.schedule('tpv: old beats', '23 * * * *', 'select sync.prune_beats()');
set local role tpv_owner;
