create or replace function sync.restored_plan(central_conninfo text, reason text default 'this server was restored')
returns table (step integer, run_on text, sql text, why text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
begin
  if here.kind is distinct from 'central' then
    raise exception 'this node is not central' using errcode = '22023',
      hint = 'A store that was restored is brought back by sync.rejoin_plan.';
  end if;
  return query
    select 0, here.node_code, format('select sync.notice_restored(%L)', restored_plan.reason),
           'nobody changes here what the chain shares, until it is back'
    union all (
    select s.step, s.run_on, s.sql, s.why
      from sync.peer p
      join org.node n on n.node_id = p.node_id
      join pg_subscription u on u.subname = p.subscription_name
       and u.subdbid = (select d.oid from pg_database d where d.datname = current_database())
       and not exists (select from org.ban b where b.node_id = n.node_id and b.lifted_at is null and not b.deleted)
     cross join lateral (
       -- The plan names the login anew, and passwords stay.
       select r.* from sync.rejoin_plan(n.node_code, n.node_id, here.node_code, here.node_id,
                                        p.conninfo,
                                        restored_plan.central_conninfo) r
        -- What this server decided a second time must not go to a store as its state.
        where r.step <> 32
       union all
       -- When every store has said in a heartbeat what it has.
       select 40, here.node_code, format('select sync.ask_when_heard(%s, %L)', n.node_id, restored_plan.reason),
              'what the store decided, and what central had decided and forgot, comes back in a snapshot'
       union all
       select 50, here.node_code, format('select sync.send_when_whole(%s)', n.node_id),
              'the store gets a snapshot of all tracked rows') s
     order by s.step, n.node_id);
end $$;
comment on function sync.restored_plan(text, text) is
  'The statements that bring back a central that was restored, for all its stores at once: run those of each '
  'node there, in the order of steps, each on its own. How the stores are reached is taken from the '
  'subscriptions here; central_conninfo is how they reach this server. Stores that are banned are left out.';

create or replace function sync.send_when_whole(store integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  while exists (select from sync.own_said) or exists (select from sync.head h where h.lost_at is not null)
        or exists (select from sync.accepted_snapshot a where a.ended_at is null) loop
    if clock_timestamp() > until then
      raise exception 'this server has not got back yet what it forgot' using errcode = '55000',
        hint = 'sync.own_said and sync.accepted_snapshot show what is missing. When that is over, run this step again.';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.send_snapshot(store);
end $$;
comment on function sync.send_when_whole(integer) is
  'Waits until this server has got back what it forgot, then sends a store a snapshot. A step of '
  'sync.restored_plan.';

create or replace function sync.ask_when_heard(store integer, why text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  -- A heartbeat of after the plan says which operations of this node the store has, and its answer
  -- which numbers were given twice.
  while not exists (select from sync.peer p
                     where p.node_id = ask_when_heard.store and p.beat >= coalesce(p.gap_beat, 0)
                       and p.own_at > (select max(r.noticed_at) from sync.restored r))
        -- One store alone is not believed about numbers that were given twice.
        or (select count(*) from sync.peer p where p.own_at > (select max(r.noticed_at) from sync.restored r))
           < least(2, (select count(*) from sync.peer p
                        -- One whose stream was ended by sync.ban says nothing any more.
                        where exists (select from pg_subscription u where u.subname = p.subscription_name))) loop
    if clock_timestamp() > until then
      raise exception 'no answer of node % has come, or of no other store', store using errcode = '55000',
        hint = 'Is the store connected, and one more? When they are, run this step again. If there is no other: '
               'sync.accept_snapshot(…, alone => true).';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.accept_snapshot(store, why);
end $$;
comment on function sync.ask_when_heard(integer, text) is
  'Waits until a heartbeat of a store says what it has, then asks it for a snapshot. A step of '
  'sync.restored_plan.';
