create or replace function sync.note_drift(peer integer, what text, subject text, from_seq bigint, to_seq bigint, detail text) returns text
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.drift as d (node_id, what, subject, from_seq, to_seq, detail)
  values (note_drift.peer, note_drift.what, note_drift.subject, note_drift.from_seq, note_drift.to_seq, note_drift.detail)
  on conflict (node_id, what, subject) where resolved_at is null do update
    -- What begins elsewhere than before is being mended: it is not asked for again yet.
    set requested_at = case when d.from_seq <> excluded.from_seq then clock_timestamp() else d.requested_at end,
        from_seq = excluded.from_seq, to_seq = excluded.to_seq, detail = excluded.detail
  returning d.what || ' ' || d.subject;
end;
comment on function sync.note_drift(integer, text, text, bigint, bigint, text) is
  'Puts a difference on record, or what has become of it. Answers what and subject in one.';

create or replace function sync.accept_drift(drift_id bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  accepted sync.drift;
begin
  update sync.drift d
     set resolved_at = clock_timestamp(), detail = d.detail || format(' (accepted by %s: %s)', session_user, accept_drift.why)
   where d.drift_id = accept_drift.drift_id and d.resolved_at is null
  returning * into accepted;
  if not found then
    raise exception 'there is no open difference of that number'
      using errcode = 'P0002', hint = 'select * from sync.drift where resolved_at is null';
  end if;
  if accepted.what = 'operations' then
    insert into sync.horizon as h (node_id, seq) values (accepted.subject::integer, accepted.to_seq)
    on conflict (node_id) do update set seq = greatest(h.seq, excluded.seq);
  else
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select p.node_id, c.key, (c.value ->> 0)::bigint, decode(c.value ->> 1, 'hex')
      from sync.peer p cross join json_each(p.chains::json) c
     where p.node_id = accepted.node_id and c.key = accepted.subject
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = clock_timestamp();
  end if;
  insert into sec.audit (event, subject, detail)
  values ('DRIFT_ACCEPTED', format('node %s, %s %s', accepted.node_id, accepted.what, accepted.subject), accept_drift.why);
end $$;
comment on function sync.accept_drift(bigint, text) is
  'Lets a difference stand, for somebody who has looked: comparing goes on behind it, and verified_until with it.';
grant execute on function sync.accept_drift(bigint, text) to tpv_operator;
