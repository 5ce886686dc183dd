create or replace function sync.accept_drift(drift_id bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  accepted sync.drift;
begin
  update sync.drift d
     set resolved_at = clock_timestamp(), detail = d.detail || format(' (accepted by %s: %s)', sec.actor(), accept_drift.why)
   where d.drift_id = accept_drift.drift_id and d.resolved_at is null
  returning * into accepted;
  if not found then
    raise exception 'there is no open difference with that number'
      using errcode = 'P0002', hint = 'Open differences are in sync.drift, where resolved_at is null.';
  end if;
  if accepted.what = 'operations' then
    insert into sync.horizon as h (node_id, seq) values (accepted.subject::integer, accepted.to_seq)
    on conflict (node_id) do update set seq = greatest(h.seq, excluded.seq);
  else
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select c.writer_id, c.chain, c.chain_seq, c.hash
      from sync.peer_chain c
     where c.node_id = accepted.node_id and c.name = accepted.subject
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = clock_timestamp();
  end if;
  insert into sec.audit (event, subject, detail)
  values ('DRIFT_ACCEPTED', format('node %s, %s %s', accepted.node_id, accepted.what, accepted.subject), accept_drift.why);
end $$;
comment on function sync.accept_drift(bigint, text) is
  'Accepts a difference that somebody has looked at: comparing continues after it, and '
  'verified_until moves on.';
grant execute on function sync.accept_drift(bigint, text) to tpv_operator;
