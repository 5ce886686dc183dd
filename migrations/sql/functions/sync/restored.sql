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
    select s.step, s.run_on, s.sql, s.why
      from sync.peer p
      join org.node n on n.node_id = p.node_id
      join pg_subscription u on u.subname = p.subscription_name
       and u.subdbid = (select d.oid from pg_database d where d.datname = current_database())
     cross join lateral (
       -- The plan names the login anew.
       select r.* from sync.rejoin_plan(n.node_code, n.node_id, here.node_code, here.node_id,
                                        regexp_replace(u.subconninfo, '\s*\muser\s*=\s*\S+', '', 'g'),
                                        restored_plan.central_conninfo) r
       union all
       -- When every store has said in a heartbeat what it has.
       select 40, here.node_code, format('select sync.ask_when_heard(%s, %L)', n.node_id, restored_plan.reason),
              'what the store decided, and what central had decided and forgot, comes back in a snapshot') s
     order by s.step, n.node_id;
end $$;
comment on function sync.restored_plan(text, text) is
  'The statements that bring back a central that was restored, for all its stores at once: run those of each '
  'node there, in the order of steps, each on its own. How the stores are reached is taken from the '
  'subscriptions here; central_conninfo is how they reach this server.';

create or replace function sync.ask_when_heard(store integer, why text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  -- A heartbeat of after the plan says which operations of this node the store has.
  while not exists (select from sync.peer p where p.node_id = ask_when_heard.store and p.beat >= coalesce(p.gap_beat, 0)) loop
    if clock_timestamp() > until then
      raise exception 'no heartbeat of node % has come', store using errcode = '55000',
        hint = 'Is the store connected? When it is, run this step again.';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.accept_snapshot(store, why);
end $$;
comment on function sync.ask_when_heard(integer, text) is
  'Waits until a heartbeat of a store says what it has, then asks it for a snapshot. A step of '
  'sync.restored_plan.';
