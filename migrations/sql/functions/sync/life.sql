create or replace function sync.peer_of_slot(slot text) returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.node_id
    from sync.peer p
    join org.node n on n.node_id = p.node_id
   where peer_of_slot.slot = case n.kind
           when 'central' then 'tpv_up_' || sync.name_part((select h.node_code from org.node h where h.node_id = org.this_node()))
           else 'tpv_to_' || sync.name_part(n.node_code) end;
end;
comment on function sync.peer_of_slot(text) is 'The peer that a slot here is for; null when it is for none.';

create or replace function sync.note_clone(node_id integer, life text, from_node integer, is_here boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_at timestamptz := clock_timestamp();
  known sync.clone;
  -- A peer can name as many as it likes.
  most_a_day constant integer := 20;
begin
  select * into known from sync.clone c
   where c.node_id = note_clone.node_id and c.life = note_clone.life and c.from_node = note_clone.from_node;
  if known.settled_at is null and known.last_at > found_at - interval '10 seconds' then
    return;
  end if;
  if known.life is null and most_a_day <= (
    select count(*) from sync.clone c
     where c.node_id = note_clone.node_id and c.from_node = note_clone.from_node and c.first_at > found_at - interval '1 day') then
    return;
  end if;
  insert into sync.clone as c (node_id, life, from_node, is_here, first_at, last_at)
  values (note_clone.node_id, note_clone.life, note_clone.from_node, note_clone.is_here, found_at, found_at)
  on conflict on constraint clone_pkey do update set last_at = excluded.last_at, settled_at = null;
  if known.life is null or known.settled_at is not null then
    insert into sec.audit (event, subject, detail)
    values ('CLONE', format('node %s, life %s', note_clone.node_id, note_clone.life),
            format(case when note_clone.is_here then 'node %s refuses this server: another one has its place'
                        when note_clone.from_node = org.this_node()
                          then 'a second server says that it is that node, and was refused'
                        else 'node %s has refused a copy of this server' end, note_clone.from_node));
  end if;
end $$;
comment on function sync.note_clone(integer, text, integer, boolean) is
  'Notes that a server was refused, since another one is that node (sync.clone), and raises the alarm '
  'once. Of one node it notes 20 a day.';
grant execute on function sync.note_clone(integer, text, integer, boolean) to tpv_apply;

create or replace function sync.note_refusal(subscription oid, life text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.note_clone(org.this_node(), note_refusal.life, p.node_id, true)
    from pg_subscription s join sync.peer p on p.subscription_name = s.subname
   where s.oid = note_refusal.subscription;
end;
comment on function sync.note_refusal(oid, text) is
  'Notes that the peer of a subscription has refused this server. The background worker calls it.';
grant execute on function sync.note_refusal(oid, text) to tpv_worker;

create or replace function sync.accept_life(peer integer, why text, life text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changed bigint;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  if accept_life.life is not null
     and not exists (select from sync.life l where l.node_id = accept_life.peer and l.life = accept_life.life) then
    raise exception 'no server of node % has come under that name', accept_life.peer using errcode = 'P0002',
      hint = 'There, select tpv.life() says it. What has come is in sync.life.';
  end if;
  -- Who streams goes on until its connection ends, and is refused then.
  update sync.life l
     set state = 'replaced', replaced_at = clock_timestamp(), replacement = accept_life.life, pid = null
   where l.node_id = accept_life.peer and l.state = 'current' and l.life is distinct from accept_life.life;
  get diagnostics changed = row_count;
  update sync.life l
     set state = 'current', replaced_at = null, replacement = null, refusals = 0
   where l.node_id = accept_life.peer and l.life = accept_life.life and l.state <> 'current';
  if found or changed > 0 then
    insert into sec.audit (event, subject, detail)
    values ('LIFE_ACCEPTED', concat_ws(', ', format('node %s', accept_life.peer), 'life ' || accept_life.life), accept_life.why);
  end if;
  update sync.clone c set settled_at = clock_timestamp()
   where c.settled_at is null
     and ((c.node_id = accept_life.peer and c.from_node = org.this_node())
          or (c.node_id = org.this_node() and c.from_node = accept_life.peer));
end $$;
comment on function sync.accept_life(integer, text, text) is
  'Decides which server a peer is: the one of that life, or without one whichever comes next. All others '
  'of before are refused. A step of sync.rejoin_plan.';
