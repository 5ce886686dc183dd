create or replace function sync.peer_gauges()
returns table (peer text, direction text, state text, is_running integer, to_do integer, lag_bytes bigint, lag_operations bigint,
               slot_safe_bytes bigint, silent_seconds double precision, received_age_seconds double precision,
               verified_age_seconds double precision, drift bigint, quarantined bigint, ahead_seconds double precision,
               version text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select s.peer, s.direction, s.state, (s.state = 'running')::integer, (s.advice <> 'nothing to do')::integer, s.lag_bytes,
         s.lag_operations, s.slot_safe_bytes, extract(epoch from s.silent_for)::double precision,
         extract(epoch from clock_timestamp() - s.received_until)::double precision,
         extract(epoch from clock_timestamp() - s.verified_until)::double precision, s.drift, s.quarantined, s.ahead_ms / 1000.0,
         s.version
    from sync.status s
$$;
comment on function sync.peer_gauges() is 'sync.status in numbers: a row for each peer and direction.';
grant execute on function sync.peer_gauges() to tpv_monitor;

create or replace function sync.node_gauges()
returns table (node text, kind text, version text, schema integer, is_restored integer, setup_faults bigint, quarantined bigint,
               held_receipts bigint, held_oldest_seconds double precision, conflicts_to_review bigint,
               months_ahead integer, in_default_partition integer, last_document_seconds double precision,
               sums_age_seconds double precision)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select n.node_code, n.kind, (select e.extversion from pg_extension e where e.extname = 'pg_tpv'), sync.schema_version(),
         sync.is_restored()::integer, (select count(*) from sync.setup_faults()),
         (select count(*) from sync.quarantine q where q.resolved_at is null), h.held, h.oldest,
         (select count(*) from sync.sibling s where s.review),
         (select count(*)::integer from generate_series(1, 3) as ahead (months)
           where to_regclass('wire.doc_' || to_char(current_date + make_interval(months => ahead.months), 'YYYY_MM')) is not null),
         (select exists (select from wire.doc_default)::integer),
         (select extract(epoch from clock_timestamp() - max(tpv.hlc_time(c.head_hlc)))::double precision
            from sync.hash_chain c where c.node_id = n.node_id and c.head_seq > 0),
         coalesce(extract(epoch from clock_timestamp() - least(
           (select min(t.at) from sync.touched t),
           (select min(d.due_at) from rollup.due d where d.due_at < clock_timestamp() and d.failed is null)))::double precision, 0)
    from sync.this_node t join org.node n on n.node_id = t.node_id
   cross join (select count(*) as held, extract(epoch from clock_timestamp() - min(r.recorded_at))::double precision as oldest
                 from sales.receipt r where r.state = 'held') h
$$;
comment on function sync.node_gauges() is 'How this node is, in one row of numbers.';
grant execute on function sync.node_gauges() to tpv_monitor;

create or replace function sync.event_gauges() returns table (event text, recent bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  -- Those that alarm are there while none of them is, so that a collector sees the first. How many there are
  -- in all would be no counter: old ones are removed.
  select e.event, sum(e.seen)::bigint
    from (select v.event, 0 as seen
            from (values ('BANNED'), ('CLONE'), ('FORGED_SENDER'), ('MORE_REFUSED'), ('NOT_ENTITLED'), ('NUMBER_REUSED'),
                         ('RESTORED_SAID'), ('SLOT_HOLDS_VACUUM')) as v (event)
          union all
          select a.event, 1 from sec.audit a where a.at > clock_timestamp() - interval '15 minutes') e
   group by e.event
$$;
comment on function sync.event_gauges() is 'How many security events of each kind there were in the last 15 minutes.';
grant execute on function sync.event_gauges() to tpv_monitor;
