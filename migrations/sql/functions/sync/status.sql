create or replace function sync.is_restored() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from sync.restored r where r.ended_at is null);
end $$;
comment on function sync.is_restored() is
  'Whether this server was restored from a backup and has not got back yet what it forgot.';
grant execute on function sync.is_restored() to tpv_operator, tpv_analyst;

create or replace view sync.status with (security_invoker = true) as
  with peer as (
    select p.*, n.node_code, n.kind, p.whole_hlc is not distinct from p.beat_hlc as whole,
           (select count(*) from sync.quarantine q where q.node_id = p.node_id and q.resolved_at is null) as quarantined,
           (select count(*) from sync.drift d where d.node_id = p.node_id and d.resolved_at is null) as drift,
           exists (select from sync.drift d
                    where d.node_id = p.node_id and d.resolved_at is null and d.what = 'broken') as broken,
           exists (select from sync.drift d
                    where d.node_id = p.node_id and d.resolved_at is null and d.what = 'restored') as restored,
           -- At a store central has passed it on, which it should have refused.
           exists (select from sync.quarantine q
                    where q.code = 'NOT_ENTITLED' and q.resolved_at is null
                      and (q.node_id = p.node_id or n.kind = 'central')) as unentitled,
           exists (select from org.ban b where b.node_id = p.node_id and b.lifted_at is null and not b.deleted) as banned,
           exists (select from sync.snapshot l where l.node_id = p.node_id and l.completed_at is not null) as copied,
           c.cloned, c.copy_of_this, c.this_refused
      from sync.peer p join org.node n on n.node_id = p.node_id
     -- What was refused within the hour. A peer that has refused this server sends no heartbeat.
     cross join lateral (
       select coalesce(bool_or(c.node_id = p.node_id), false) as cloned,
              coalesce(bool_or(c.from_node = p.node_id and not c.is_here), false) as copy_of_this,
              coalesce(bool_or(c.from_node = p.node_id and c.is_here and c.last_at > now() - interval '1 minute'
                               and c.last_at > coalesce(p.beat_at, '-infinity')), false) as this_refused
         from sync.clone c cross join sync.this_node t
        where c.settled_at is null and c.last_at > now() - interval '1 hour'
          and ((c.node_id = p.node_id and c.from_node = t.node_id) or (c.node_id = t.node_id and c.from_node = p.node_id))) c
  ), own as (
    select n.node_id, n.node_code from sync.this_node t join org.node n on n.node_id = t.node_id
  ), known as (
    select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') as ops from sync.contiguous() k
  ), sums as (
    select now() - least((select min(t.at) from sync.touched t),
                         (select min(d.due_at) from rollup.due d where d.due_at < now() and d.failed is null)) as age
  ), rows as (
    select p.node_code as peer, 'receives' as direction,
           case when s.oid is null then 'no subscription' when not s.subenabled then 'disabled'
                when p.this_refused then 'refused' when w.pid is null then 'not running' when b.pid is not null then 'waiting for a lock'
                when h.pid is not null then 'keeps others waiting'
                when p.kind = 'central' and not p.copied then 'copying'
                when p.received_until is null then 'comparing' else 'running' end as state,
           null::bigint as lag_bytes,
           -- A store answers for its own operations, central for those of all.
           -- Numbers that a peer names are any: no sum of them may be too large.
           (select least(coalesce(sum(greatest(v.seq - coalesce((k.ops ->> v.writer_id::text)::bigint, 0), 0)), 0),
                         9223372036854775807)::bigint
              from sync.peer_vector v
             where v.node_id = p.node_id and (p.kind = 'central' or v.writer_id = p.node_id)) as lag_operations,
           null::text as slot, null::bigint as slot_safe_bytes,
           now() - p.beat_at as silent_for, p.received_until, p.verified_until, p.drift, p.quarantined, p.ahead_ms,
           p.version, p.broken, p.restored, p.whole, p.unentitled, p.banned, p.kind as peer_kind, p.cloned, p.copy_of_this,
           b.pid as blocker, b.is_worker as behind_worker, h.pid as holder, p.subscription_name
      from peer p
      cross join known k
      left join pg_catalog.pg_subscription s on s.subname = p.subscription_name
       and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.relid is null
      -- Only who may read the activity of others sees this. A worker that waits for another one is
      -- named by who that waits for, if it is a session.
      left join lateral (
        -- Its name has more words from PostgreSQL 17 on.
        select t.pid, o.backend_type like 'logical replication%worker' as is_worker
          from pg_catalog.pg_stat_activity a
          cross join lateral (select (pg_blocking_pids(a.pid))[1] as pid) f
          left join pg_catalog.pg_stat_activity m
            on m.pid = f.pid and m.backend_type like 'logical replication%worker' and m.wait_event_type = 'Lock'
          cross join lateral (select coalesce((pg_blocking_pids(m.pid))[1], f.pid) as pid) t
          left join pg_catalog.pg_stat_activity o on o.pid = t.pid
         where a.pid = w.pid and a.wait_event_type = 'Lock'
           and a.xact_start < clock_timestamp() - interval '5 seconds') b on true
      -- A peer may send a transaction that does not end, and whose locks stay.
      left join lateral (
        select a.pid from pg_catalog.pg_stat_activity a
         where a.pid = w.pid and a.xact_start < clock_timestamp() - interval '1 minute'
           and exists (select from pg_catalog.pg_stat_activity o
                        where o.wait_event_type = 'Lock' and a.pid = any (pg_blocking_pids(o.pid)))) h on true
    union all
    select p.node_code, 'sends',
           case when r.slot_name is null then 'no slot' when r.wal_status = 'lost' then 'slot lost'
                when r.xmin is not null then 'holds back vacuum'
                when r.confirmed_flush_lsn > pg_current_wal_lsn() then 'restored'
                when not r.active then 'not connected' else 'running' end,
           greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), r.confirmed_flush_lsn), -9223372036854775807)::bigint,
           -- What the peer says it has, beside what is here.
           (select coalesce(sum(greatest(v.value::bigint - coalesce(h.seq, 0), 0)), 0)::bigint
              from jsonb_each_text(k.ops) v
              left join sync.peer_vector h on h.node_id = p.node_id and h.writer_id = v.key::integer
             where (p.kind = 'central' and v.key = own.node_id::text) or (p.kind = 'store' and v.key <> p.node_id::text)),
           r.wal_status, r.safe_wal_size, now() - p.beat_at, null, null, p.drift, p.quarantined, p.ahead_ms,
           p.version, p.broken, p.restored, p.whole, p.unentitled, p.banned, p.kind, p.cloned, p.copy_of_this, null, null, null, null
      from peer p cross join own cross join known k
      left join pg_catalog.pg_replication_slots r
        on r.slot_name = case p.kind when 'central' then 'tpv_up_' || sync.name_part(own.node_code)
                                     else 'tpv_to_' || sync.name_part(p.node_code) end
  )
  select r.peer, r.direction, r.state, r.lag_bytes, r.lag_operations, r.slot, r.slot_safe_bytes, r.silent_for,
         r.received_until, r.verified_until, r.drift, r.quarantined, r.ahead_ms, r.version,
         case
           when r.banned
             then 'it is banned and still a peer: was this server restored from a backup of before? call sync.ban(…) once more'
           when r.state = 'no subscription' then 'the peer is known and not joined: run the rest of sync.join_plan'
           when r.state = 'disabled' then 'somebody disabled it: alter subscription ... enable, when the reason is gone'
           when r.state = 'refused'
             then 'the peer refuses this server, since another one has its place: which is it? docs/dba.md, "Two servers say '
                  'that they are one node"'
           when r.state = 'not running' then 'its worker does not stay up: the server log says why; is the peer down, or the line?'
           when r.state = 'waiting for a lock' and r.behind_worker
             then format('it waits for the worker of another peer (%s), which is at work: look again in a minute', r.blocker)
           when r.state = 'waiting for a lock'
             then format('session %1$s keeps a row locked that is to be written here: let it end, or '
                         'select pg_terminate_backend(%1$s)', r.blocker)
           when r.state = 'keeps others waiting'
             then format('its worker is in one transaction for over a minute, and others wait for it. If that stays: '
                         'alter subscription %I disable; select pg_terminate_backend(%s)', r.subscription_name, r.holder)
           when r.state = 'holds back vacuum'
             then 'whoever fetches by this slot keeps all tables here from being vacuumed, which no subscription does: was the '
                  'peer tampered with? sync.leave_plan ends its slot and its login'
           when r.state = 'no slot'
             then 'the peer has no slot here, so it receives nothing: sync.rejoin_plan, or sync.join_plan if it never joined'
           when r.state = 'slot lost' then 'the peer was away for too long: run sync.rejoin_plan'
           when r.state = 'restored'
             then 'the peer has more WAL of this server than there is: one was restored from a backup. Run sync.rejoin_plan'
           when r.cloned and r.direction = 'sends'
             then format('two servers say that they are %s, and one is refused here: a copy, or one that was restored. '
                         'docs/dba.md, "Two servers say that they are one node"', r.peer)
           when r.copy_of_this and r.direction = 'receives'
             then format('%s refuses a copy of this server: find it. docs/dba.md, "Two servers say that they are one node"', r.peer)
           when r.state = 'not connected' then 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'
           when r.slot in ('extended', 'unreserved')
             then 'its slot will soon be lost: get the peer to fetch, or raise max_slot_wal_keep_size'
           when sync.is_restored() and r.peer_kind = 'store'
             then 'this server was restored from a backup, and changes of what the chain shares are refused until it has what it '
                  'forgot: run sync.restored_plan, and see sync.restored and sync.own_said'
           when sync.is_restored()
             then 'this server was restored from a backup, and changes of what the chain shares are refused until it has what it '
                  'forgot; selling goes on. If no rows arrive, run sync.rejoin_plan; sync.restored has more'
           when r.restored and r.peer_kind = 'store'
             then 'the store has operations of this node that are not here: was this server restored from a backup? Then '
                  'sync.restored_plan. If not, that store was tampered with'
           when r.restored
             then 'this node has lost operations of its own and is getting them back: let nobody change what the chain shares '
                  'until then'
           when r.unentitled and r.direction = 'receives'
             then 'a store wrote what central decides, which was refused: was it tampered with? '
                  'select * from journal.quarantine where code = ''NOT_ENTITLED'' and resolved_at is null'
           when r.broken then 'a hash chain does not link: select * from sync.drift where resolved_at is null'
           when r.drift > 0 then 'rows are missing and were requested: sync.drift tells which; look again in a few minutes'
           when r.silent_for > interval '1 minute' then 'no heartbeat for over a minute: is the peer''s background worker running?'
           when r.ahead_ms > 0 then 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'
           when r.direction = 'receives' and r.quarantined > 0
             then 'rows wait: select * from journal.quarantine where resolved_at is null'
           when r.direction = 'receives' and not r.whole
             then 'a heartbeat is missing: the peer was asked to name all its hash chains; look again in a minute'
           when r.state = 'copying' then 'it has just joined: the snapshot of all tracked rows is on its way'
           when r.state = 'comparing' then 'it has just joined: both are compared within a minute, or by select sync.reconcile()'
           when s.age > interval '5 minutes' then 'sums of this node are behind: docs/dba.md, "Sums are behind"'
           when r.version <> (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv')
             then 'the peer has another version of pg_tpv: upgrade the older one when it suits'
           else 'nothing to do'
         end as advice,
         s.age as sums_age
    from rows r cross join sums s
   order by 1, 2;
comment on view sync.status is
  'One row for each peer and direction: its state, how far behind, and in words what to do.';
comment on column sync.status.peer is 'The other node.';
comment on column sync.status.direction is 'receives: its rows come here. sends: ours go there.';
comment on column sync.status.state is
  'running, or what it is instead: disabled, slot lost, copying …';
comment on column sync.status.lag_bytes is 'WAL that the peer has not confirmed.';
comment on column sync.status.lag_operations is
  'Operations that the sender had and the receiver lacked at the peer''s last heartbeat.';
comment on column sync.status.slot is
  'wal_status of the peer''s slot here: reserved is good, extended and unreserved are a warning, '
  'lost is lost.';
comment on column sync.status.slot_safe_bytes is
  'How much WAL can be written before the slot is in danger; null without max_slot_wal_keep_size.';
comment on column sync.status.silent_for is 'Time since its last heartbeat.';
comment on column sync.status.received_until is
  'Everything that the peer recorded before this moment is here. Does not move while rows may be '
  'missing.';
comment on column sync.status.verified_until is
  'Everything that the peer recorded before this moment is here, and was compared with what it '
  'reports.';
comment on column sync.status.drift is 'Differences from it that are not resolved: see sync.drift.';
comment on column sync.status.quarantined is 'Its rows that wait in quarantine.';
comment on column sync.status.ahead_ms is 'By how much its clock is too far ahead; 0 when it is not.';
comment on column sync.status.version is 'Version of its extension.';
comment on column sync.status.advice is 'What to do, in words.';
comment on column sync.status.sums_age is
  'How long the oldest change waits to be in the change log and in the sums of this node; null when none does. The same in '
  'each row.';
grant select on sync.status to tpv_operator, tpv_analyst;
