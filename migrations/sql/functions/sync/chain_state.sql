create or replace function sync.chain_state()
returns table (node_id integer, node text, direction text, state text, lag_bytes bigint, lag_operations bigint, silent_for_s bigint,
  received_until timestamptz, verified_until timestamptz, held bigint, quarantined bigint, drift bigint, version text, advice text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with held as (
    select r.node_id, count(*) as held from sales.receipt r where r.state = 'held' group by r.node_id
  )
  select n.node_id, n.node_code, 'here', 'running', null::bigint, null::bigint, null::bigint, null::timestamptz, null::timestamptz,
         coalesce((select sum(h.held) from held h where n.kind = 'central' or h.node_id = n.node_id), 0)::bigint,
         (select count(*) from sync.quarantine q where q.resolved_at is null),
         (select count(*) from sync.drift d where d.resolved_at is null),
         (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv'),
         case when exists (select from sync.quarantine q where q.resolved_at is null) then 'rows wait in quarantine'
              else 'nothing to do' end
    from sync.this_node t join org.node n on n.node_id = t.node_id
  union all
  select n.node_id, s.peer, s.direction, s.state, s.lag_bytes, s.lag_operations, extract(epoch from s.silent_for)::bigint,
         s.received_until, s.verified_until, coalesce((select h.held from held h where h.node_id = n.node_id), 0), s.quarantined,
         s.drift, s.version, s.advice
    from sync.status s join org.node n on n.node_code = s.peer
$$;
comment on function sync.chain_state() is
  'sync.status as the owner sees it, with a row for this node. For the view of schema own.';
do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || p.role from sec.permission p where p.permission = 'chain.read' loop
    execute format('grant execute on function sync.chain_state() to %I', scoped);
  end loop;
end $$;
