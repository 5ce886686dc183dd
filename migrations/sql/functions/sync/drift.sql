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
  insert into sync.accepted_drift (node_id, what, subject, from_seq, to_seq, why)
  values (accepted.node_id, accepted.what, accepted.subject, accepted.from_seq, accepted.to_seq, accept_drift.why);
  -- Operations that are missing stay missing: if they come after all, they are taken.
  if accepted.what in ('hash_chain', 'broken') then
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
  'verified_until moves on. Nothing is forgotten: what comes of it later is taken.';
grant execute on function sync.accept_drift(bigint, text) to tpv_operator;

create or replace function sync.compared_until() returns table (node_id integer, seq bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  passed bigint;
begin
  for node_id, seq in select k.node_id, k.seq from sync.contiguous() k loop
    -- Over what was accepted, and on along what is here.
    loop
      select max(a.to_seq) into passed from sync.accepted_drift a
       where a.what = 'operations' and a.subject = compared_until.node_id::text
         and a.from_seq <= compared_until.seq + 1 and a.to_seq > compared_until.seq;
      exit when passed is null;
      seq := passed + (
        select count(*) from (
          select o.seq, row_number() over (order by o.seq) as place from wire.op o
           where o.node_id = compared_until.node_id and o.seq > passed) beyond
         where beyond.seq = passed + beyond.place);
    end loop;
    return next;
  end loop;
  -- Of a node of which nothing is here.
  for node_id, seq in
    select a.subject::integer, max(a.to_seq) from sync.accepted_drift a
     where a.what = 'operations' and a.from_seq = 1
       and not exists (select from sync.contiguous() k where k.node_id::text = a.subject)
     group by a.subject
  loop
    return next;
  end loop;
end $$;
comment on function sync.compared_until() is
  'For each node the number up to which its operations are here, or were accepted as missing '
  '(sync.accept_drift).';
