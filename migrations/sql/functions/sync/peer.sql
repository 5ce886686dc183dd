create or replace function sync.name_part(node_code text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select replace(lower(node_code), '-', '_');
end;
comment on function sync.name_part(text) is
  'A node''s code as it is written in names of slots, which have no hyphen.';
grant execute on function sync.name_part(text) to tpv_operator, tpv_analyst;

create or replace function sync.login_name(node_code text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select 'tpv_peer_' || sync.name_part(node_code);
end;
comment on function sync.login_name(text) is
  'What the server of a node logs in as at its peer.';

create or replace function sync.schema_version() returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select max(h.version) from tpv_migration.history h;
end;
comment on function sync.schema_version() is 'The last migration of this database.';

create or replace function sync.add_peer(node_id integer, node_code text, kind text, extension text default null,
                                         schema integer default null)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known org.node;
  extension_here text := (select e.extversion from pg_extension e where e.extname = 'pg_tpv');
  schema_here integer := sync.schema_version();
begin
  if org.this_node() is null then
    raise exception 'this database is no node yet'
      using errcode = '55000', hint = 'Register it with org.register_store or org.register_central.';
  end if;
  if (add_peer.extension <> extension_here or add_peer.schema <> schema_here)
     and not exists (select from sync.peer p where p.node_id = add_peer.node_id) then
    raise exception 'the two nodes are of different versions' using errcode = '55000',
      detail = format('Here are pg_tpv %s and schema %s, there pg_tpv %s and schema %s.',
                      extension_here, schema_here, add_peer.extension, add_peer.schema),
      hint = 'A store joins with the versions that central has (alter extension pg_tpv update, then tpv-migrate run). '
             'Later they may differ by one release, also when it joins again.';
  end if;
  if add_peer.kind = 'store' then
    perform sync.refuse_banned(add_peer.node_id);
  end if;
  select * into known from org.node n where n.node_id = add_peer.node_id;
  if known.node_code <> add_peer.node_code or known.kind <> add_peer.kind then
    raise exception 'node % is taken', add_peer.node_id using errcode = '22023',
      detail = format('It is %s, %s.', known.node_code, known.kind), hint = 'Each node has a number of its own.';
  end if;
  if exists (select from org.node n where n.node_code = add_peer.node_code and n.node_id <> add_peer.node_id) then
    raise exception 'the name % belongs to another node', add_peer.node_code
      using errcode = '22023', hint = 'Each node has a name of its own.';
  end if;
  if add_peer.kind = 'central' and exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id
     where n.kind = 'central' and n.node_id <> add_peer.node_id) then
    raise exception 'this store belongs to another chain'
      using errcode = '22023', hint = 'Leave that chain first, with sync.leave_plan.';
  end if;
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = add_peer.kind) then
    raise exception 'two nodes of the kind % do not exchange rows', add_peer.kind using errcode = '22023',
      hint = 'A chain has one central, and stores that are its peers.';
  end if;
  insert into org.node (node_id, node_code, kind) values (add_peer.node_id, add_peer.node_code, add_peer.kind)
  on conflict do nothing;
  -- From here on central decides: a store notes its last operation of before, and central waits for
  -- its first heartbeat, which says it. Of a store that was banned it knows: what that wrote meanwhile
  -- is not of before.
  insert into sync.peer (node_id, subscription_name, joined_seq)
  values (add_peer.node_id,
          case kind when 'central' then 'tpv_from_central' else 'tpv_from_' || sync.name_part(add_peer.node_code) end,
          case kind when 'central' then coalesce((select max(c.last_seq) from sync.op_counter c where c.node_id = org.this_node()), 0)
                    else sync.joined_before_ban(add_peer.node_id) end)
  on conflict on constraint peer_pkey do nothing;
end $$;
comment on function sync.add_peer(integer, text, text, text, integer) is
  'Makes a node known as a peer, or refuses it: another version, a taken number or name, another '
  'chain, a ban.';

create or replace function sync.remove_peer(node_id integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from sync.request r where r.node_id = remove_peer.node_id;
  delete from sync.outgoing o where o.to_node = remove_peer.node_id;
  update sync.drift d set resolved_at = clock_timestamp(), detail = d.detail || ' (the peer left)'
   where d.node_id = remove_peer.node_id and d.resolved_at is null;
  -- A snapshot that it began to send and will not complete. What that covers comes from the nodes
  -- that decided it.
  delete from sync.snapshot_row t using sync.snapshot l
   where l.snapshot_id = t.snapshot_id and l.node_id = remove_peer.node_id and l.completed_at is null;
  delete from sync.snapshot l where l.node_id = remove_peer.node_id and l.completed_at is null;
  update sync.accepted_snapshot a set ended_at = clock_timestamp(), ended_why = 'the peer left'
   where a.node_id = remove_peer.node_id and a.ended_at is null;
  delete from sync.peer p where p.node_id = remove_peer.node_id;
end;
comment on function sync.remove_peer(integer) is 'Removes a peer. What came from it stays.';

create or replace function sync.mark_gap(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- received_until stays where it is until what was missed has been compared.
  update sync.peer p set gap_beat = coalesce(p.beat, 0) + 1 where p.node_id = mark_gap.peer;
  -- What it asks for now it needs, although it may have had a snapshot a moment ago.
  update sync.served s set snapshot_at = null where s.node_id = mark_gap.peer;
end;
comment on function sync.mark_gap(integer) is
  'Notes that rows of a peer may have been missed. Comparing finds which.';
