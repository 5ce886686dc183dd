create or replace function sync.hear_question(peer integer, token bigint, stamps bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update sync.peer p set own_token = hear_question.token
   where p.node_id = hear_question.peer and p.own_token is distinct from hear_question.token;
  if found then
    insert into sync.request as r (node_id, what, from_seq)
    values (hear_question.peer, 'own', least(greatest(hear_question.stamps, 1), 100000))
    on conflict (node_id, what, subject) do update set from_seq = excluded.from_seq;
  end if;
end $$;
comment on function sync.hear_question(integer, bigint, bigint) is
  'A peer asks in its heartbeat what this node has of its rows.';
grant execute on function sync.hear_question(integer, bigint, bigint) to tpv_apply;

create or replace function sync.chains_of(node_id integer) returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive own (chain) as (
    select min(d.chain) from wire.doc d where d.node_id = chains_of.node_id
    union all
    select (select min(d.chain) from wire.doc d where d.node_id = chains_of.node_id and d.chain > own.chain)
      from own where own.chain is not null
  )
  select own.chain from own where own.chain is not null;
end;
comment on function sync.chains_of(integer) is 'The hash chains of a node of which documents are here.';

create or replace function sync.mark(operation wire.op) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select (operation.hlc # hashtextextended(concat_ws(' ', operation.table_name, operation.key, operation.patch), 0)) & 9223372036854775807
$$;
comment on function sync.mark(wire.op) is
  'By what two operations of one number are told apart: the stamp, and what it says. A server that was put '
  'back soon may give the same stamps again.';

create or replace function sync.what_it_has(peer integer, stamps bigint) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  name text;
  followed record;
  verified sync.verified;
  chains jsonb := '{}';
begin
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central') then
    for name in select c.chain from sync.chains_of(what_it_has.peer) c (chain) loop
      select * into verified from sync.verified v where v.node_id = what_it_has.peer and v.chain = name;
      select f.seq, f.hash into followed
        from tpv.follow_hash_chain(what_it_has.peer, name, coalesce(verified.chain_seq, 0),
                                   coalesce(verified.hash, decode(repeat('00', 32), 'hex')), 9223372036854775807) f;
      chains := chains || jsonb_build_object(name, jsonb_build_array(followed.seq, encode(followed.hash, 'hex') || coalesce(
        (select ' ' || d.hlc from wire.doc d where d.node_id = what_it_has.peer and d.chain = name and d.chain_seq = followed.seq), '')));
    end loop;
  end if;
  return json_build_object(
    'last', greatest((select max(o.seq) from wire.op o where o.node_id = what_it_has.peer),
                     (select h.seq from sync.horizon h where h.node_id = what_it_has.peer), 0),
    'stamps', (select coalesce(json_agg(json_build_array(s.seq, sync.mark(s)) order by s.seq), '[]')
                 from (select o.* from wire.op o where o.node_id = what_it_has.peer order by o.seq desc limit what_it_has.stamps) s
                -- One without its values, which was erased or is not believed, says nothing of them.
                where strpos(s.patch, '"@blank":true') = 0),
    'chains', chains);
end $$;
comment on function sync.what_it_has(integer, bigint) is
  'What this node has of a peer''s own rows: the last number of its operations, the stamps of the last '
  'ones, and how far its hash chains link here.';

create or replace function sync.link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date,
    prev_hash bytea, content_hash bytea) returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
  select sha256(prev_hash || content_hash || convert_to(
    concat_ws('/', node_id, chain, chain_seq, doc_id, kind, to_char(business_date, 'YYYY-MM-DD')), 'UTF8'))
$$;
comment on function sync.link(integer, text, bigint, uuid, text, date, bytea, bytea) is
  'The link hash of a document: what the next of its hash chain names.';

create or replace function sync.link_of(chain text, chain_seq bigint) returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select sync.link(p.node_id, p.chain, p.chain_seq, p.doc_id, p.kind, p.business_date, p.prev_hash, p.content_hash)
    from (select d.node_id, d.chain, d.chain_seq, d.doc_id, d.kind, d.business_date, d.prev_hash, d.content_hash
            from wire.doc d
           where d.node_id = org.this_node() and d.chain = link_of.chain and d.chain_seq = link_of.chain_seq
          union all
          select s.node_id, s.chain, s.chain_seq, s.doc_id, s.kind, s.business_date, s.prev_hash, s.content_hash
            from sync.second_place s
           where s.node_id = org.this_node() and s.chain = link_of.chain and s.chain_seq = link_of.chain_seq) p limit 1
$$;
comment on function sync.link_of(text, bigint) is
  'The link hash of a document of this node, by its place; null when it is not here.';

create or replace function sync.set_aside_reused(seqs bigint[], peer integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  gone integer;
begin
  perform set_config('pg_tpv.maintenance', 'on', true);
  with aside as (
    delete from wire.op o where o.node_id = here and o.seq = any (seqs) returning o.*
  ), noted as (
    insert into sync.quarantine (node_id, kind, code, detail, key, refused)
    select here, a.table_name, 'NUMBER_REUSED',
           format('its number was given before this server was restored; node %s has that operation, and it stands', peer), a.key,
           jsonb_build_object('seq', a.seq, 'hlc', a.hlc, 'key', a.key, 'patch', a.patch, 'base', a.base)
      from aside a
  ), lost as (
    update sync.head h set heads = '{}', waits = true, contested = false, lost_at = clock_timestamp()
      from (select distinct a.table_name, a.key from aside a) k
     where (h.table_name, h.key) = (k.table_name, k.key)
  ), told as (
    -- The peer refuses them and keeps them, so that both sides have both values.
    insert into sync.outgoing (to_node, kind, body)
    select set_aside_reused.peer, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             a.node_id, a.seq, a.hlc, a.table_name, a.key, a.patch, a.base) order by a.seq))::text
      from (select a.*, (row_number() over (order by a.seq)) / 50 as part from aside a) a group by a.part
  ), conflicts as (
    delete from sync.sibling s using (select distinct a.table_name, a.key from aside a) k
     where (s.table_name, s.key) = (k.table_name, k.key)
  )
  select count(*) into gone from aside;
  -- An operation that waited under one of these numbers waits no longer.
  delete from sync.quarantine q where q.node_id = here and q.seq = any (seqs) and q.refused is null;
  update sync.horizon h set seq = least(h.seq, (select min(s) from unnest(seqs) s) - 1) where h.node_id = here;
  perform set_config('pg_tpv.maintenance', 'off', true);
  if gone > 0 then
    insert into sec.audit (event, subject, detail)
    values ('NUMBER_REUSED', format('node %s', here),
            format('%s operations had numbers that were given before a restore; sync.quarantine keeps them', gone));
  end if;
  return gone;
end $$;
comment on function sync.set_aside_reused(bigint[], integer) is
  'Sets aside operations of this node whose numbers were given before it was restored: what they wrote '
  'is on record in sync.quarantine, and what stands comes with a snapshot.';

create or replace function sync.remove_row(table_name text, key text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tracked sync.tracked_table;
begin
  select * into strict tracked from sync.tracked_table t where t.table_name = remove_row.table_name;
  if exists (select from sync.head h where h.table_name = remove_row.table_name and h.key = remove_row.key) then
    raise exception 'that row has heads' using errcode = '55000';
  end if;
  execute format('delete from %s where %I::text = $1', tracked.table_name::regclass, tracked.key_column) using key;
end $$;
comment on function sync.remove_row(text, text) is
  'Removes a row that was made under numbers that had been given before a restore: no other node has it. '
  'Only apply workers can; anybody else is refused by the table''s guard.';
grant execute on function sync.remove_row(text, text) to tpv_apply;

create or replace function sync.request_later(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.outgoing (to_node, kind, body)
  values (request_later.peer, 'request', json_build_object('wants', request_later.wants)::text);
end;
comment on function sync.request_later(integer, json) is
  'Has the background worker request rows from a peer: what an apply worker writes into wire.resend came '
  'from a peer.';

create or replace function sync.request_lost(peer integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Once in a while: central answers when it can.
  update sync.restored r set snapshot_requested_at = clock_timestamp()
   where r.ended_at is null and coalesce(r.snapshot_requested_at < clock_timestamp() - interval '5 minutes', true);
  if found then
    perform sync.request_later(peer, '[{"what": "snapshot"}]');
  end if;
end $$;
comment on function sync.request_lost(integer) is
  'Requests a snapshot with what this server has forgotten. Callers use sync.receive_own.';

create or replace function sync.receive_own(peer integer, said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
  own jsonb;
  reused bigint[];
  found record;
  detail text;
  is_deeper boolean := false;
  operations_differ boolean;
  depth bigint;
begin
  update sync.peer p set own_at = clock_timestamp() where p.node_id = receive_own.peer;
  -- Nothing is written here meanwhile.
  perform from sync.op_counter c where c.node_id = here.node_id for update;
  own := jsonb_build_object(
    'last', coalesce((select c.last_seq from sync.op_counter c where c.node_id = here.node_id), 0),
    'stamps', (select coalesce(jsonb_agg(jsonb_build_array(o.seq, sync.mark(o))), '[]')
                 from jsonb_array_elements(said -> 'stamps') s
                 join wire.op o on o.node_id = here.node_id and o.seq = (s ->> 0)::bigint
                where strpos(o.patch, '"@blank":true') = 0),
    'chains', (select coalesce(jsonb_object_agg(c.key, jsonb_build_array(
                        coalesce((select h.head_seq from sync.hash_chain h where h.node_id = here.node_id and h.chain = c.key), 0),
                        encode(sync.link_of(c.key, (c.value ->> 0)::bigint), 'hex') || coalesce(
                          (select ' ' || d.hlc from wire.doc d
                            where d.node_id = here.node_id and d.chain = c.key and d.chain_seq = (c.value ->> 0)::bigint), ''))), '{}')
                 from jsonb_each(said -> 'chains') c));
  select array_agg(f.from_seq) filter (where f.what = 'reused'), max(f.detail), coalesce(bool_or(f.what = 'deeper'), false),
         coalesce(bool_or(f.what <> 'hash_chain'), false)
    into reused, detail, is_deeper, operations_differ
    from tpv.own_differences(said, own) f;

  if here.kind = 'central' then
    perform sync.weigh_own(peer, said, reused, detail, is_deeper);
    return;
  end if;
  if exists (select from sync.head h where h.lost_at is not null) then
    perform sync.request_lost(peer);
  end if;
  if detail is null then
    -- Chains of which central names none are none of its business any more.
    delete from sync.own_chain;
    if exists (select from sync.restored r where r.ended_at is null)
       and not exists (select from sync.head h where h.lost_at is not null)
       and not exists (select from sync.snapshot s where s.completed_at is null and s.ended_at is null)
       and (select coalesce(v.seq, 0) <= k.seq from sync.contiguous() k
              left join sync.peer_vector v on v.node_id = receive_own.peer and v.writer_id = here.node_id
             where k.node_id = here.node_id) is not false then
      perform sync.end_restored('central has nothing of this node that is not here');
    end if;
    return;
  end if;

  perform sync.notice_restored(detail, sync.next_life(said, own));
  if is_deeper then
    update sync.restored r set stamps = least(r.stamps * 10, 100000) where r.ended_at is null;
  elsif reused is not null then
    perform sync.set_aside_reused(reused, peer);
  end if;
  if operations_differ then
    perform sync.request_lost(peer);
  end if;

  delete from sync.own_chain c where not exists (
    select from tpv.own_differences(said, own) f where f.what = 'hash_chain' and f.subject = c.chain);
  for found in select * from tpv.own_differences(said, own) f where f.what = 'hash_chain' loop
    insert into sync.own_chain as c (chain, chain_seq, hash) values (found.subject, found.to_seq, found.hash)
    on conflict (chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash,
          depth = case when c.is_deeper then least(c.depth * 10, 1000000000) else c.depth end,
          requested_at = case when not c.is_deeper then c.requested_at end, is_deeper = false;
    with asked as (
      update sync.own_chain c set requested_at = clock_timestamp()
       where c.chain = found.subject and coalesce(c.requested_at < clock_timestamp() - interval '30 seconds', true)
      returning c.depth
    )
    select a.depth into depth from asked a;
    if depth is not null then
      perform sync.request_later(peer, json_build_array(json_build_object(
        'what', 'own_documents', 'subject', found.subject, 'from', greatest(found.from_seq - depth, 1), 'to', found.to_seq)));
    end if;
  end loop;
end $$;
comment on function sync.receive_own(integer, jsonb) is
  'A peer says what it has of this node''s own rows. If that is more than is here, or something else, '
  'this server was restored: a store sets aside what it wrote under numbers that were taken, and requests '
  'what it has forgotten. Central only notes what one peer says, and believes two.';
grant execute on function sync.receive_own(integer, jsonb) to tpv_apply;

create or replace function sync.weigh_own(peer integer, said jsonb, reused bigint[], detail text, is_deeper boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if detail is null then
    delete from sync.own_said s where s.node_id = weigh_own.peer;
    -- All that are peers have been heard since it was noticed.
    if exists (select from sync.restored r where r.ended_at is null
                  and not exists (select from sync.own_said)
                  and not exists (select from sync.head h where h.lost_at is not null)
                  and not exists (select from sync.accepted_snapshot a where a.ended_at is null)
                  and not exists (select from sync.peer p where coalesce(p.own_at < r.noticed_at, true))) then
      perform sync.end_restored('no store has anything of this node that is not here');
    end if;
    return;
  end if;
  insert into sync.own_said as s (node_id, at, last_seq, reused, detail)
  values (weigh_own.peer, clock_timestamp(), (said ->> 'last')::bigint, coalesce(weigh_own.reused, '{}'), weigh_own.detail)
  on conflict (node_id) do update
    set at = excluded.at, last_seq = excluded.last_seq, reused = excluded.reused, detail = excluded.detail;
  if is_deeper then
    update sync.restored r set stamps = least(r.stamps * 10, 100000) where r.ended_at is null;
  end if;
  if (select count(*) from sync.own_said) > 1 then
    perform sync.notice_restored(format('nodes %s say so, such as: %s',
      (select string_agg(s.node_id::text, ', ' order by s.node_id) from sync.own_said s), weigh_own.detail));
  elsif not exists (select from sec.audit a where a.event = 'RESTORED_SAID' and a.subject = format('node %s', weigh_own.peer)
                       and a.at > clock_timestamp() - interval '1 day') then
    -- One alone may lie. It alarms, and nothing changes.
    insert into sec.audit (event, subject, detail) values ('RESTORED_SAID', format('node %s', weigh_own.peer), weigh_own.detail);
  end if;
end $$;
comment on function sync.weigh_own(integer, jsonb, bigint[], text, boolean) is
  'At central: what one store says of central''s own rows. Two that say the same kind of thing are believed. '
  'Callers use sync.receive_own.';
