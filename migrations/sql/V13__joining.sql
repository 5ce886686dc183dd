-- Purpose: the plans by which a store joins the chain, catches up and leaves, as statements that a DBA can read.
-- Limits:  a plan answers statements and runs none. They are run by a superuser, each on its own.
-- Undo:    drop what is created here.

create function sync.schema_version() returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select max(h.version) from tpv_migration.history h;
end;
comment on function sync.schema_version() is 'The last migration of this database.';

create function sync.add_peer(node_id integer, node_code text, kind text, extension text default null, schema integer default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known org.node;
  extension_here text := (select e.extversion from pg_extension e where e.extname = 'pg_tpv');
  schema_here integer := sync.schema_version();
begin
  if org.this_node() is null then
    raise exception 'this database is no node yet' using errcode = '55000', hint = 'org.register_store or org.register_central says which';
  end if;
  if add_peer.extension <> extension_here or add_peer.schema <> schema_here then
    raise exception 'the two nodes are of different versions' using errcode = '55000',
      detail = format('pg_tpv %s and schema %s here, pg_tpv %s and schema %s there', extension_here, schema_here, add_peer.extension, add_peer.schema),
      hint = 'a store joins with the versions that central has (alter extension pg_tpv update, then tpv-migrate run); later they may differ by one';
  end if;
  select * into known from org.node n where n.node_id = add_peer.node_id;
  if known.node_code <> add_peer.node_code or known.kind <> add_peer.kind then
    raise exception 'node % is taken', add_peer.node_id using errcode = '22023',
      detail = format('it is %s, %s', known.node_code, known.kind), hint = 'each node has a number of its own';
  end if;
  if exists (select from org.node n where n.node_code = add_peer.node_code and n.node_id <> add_peer.node_id) then
    raise exception 'the name % belongs to another node', add_peer.node_code using errcode = '22023', hint = 'each node has a name of its own';
  end if;
  if add_peer.kind = 'central' and exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central' and n.node_id <> add_peer.node_id) then
    raise exception 'this store belongs to another chain' using errcode = '22023', hint = 'sync.leave_plan lets it leave that one';
  end if;
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = add_peer.kind) then
    raise exception 'two nodes of the kind % do not exchange rows', add_peer.kind using errcode = '22023',
      hint = 'a chain has one central, and stores that meet it';
  end if;
  insert into org.node (node_id, node_code, kind) values (add_peer.node_id, add_peer.node_code, add_peer.kind) on conflict do nothing;
  insert into sync.peer (node_id, subscription_name)
  values (add_peer.node_id, case kind when 'central' then 'tpv_from_central' else 'tpv_from_' || sync.name_part(add_peer.node_code) end)
  on conflict on constraint peer_pkey do nothing;
end $$;
comment on function sync.add_peer(integer, text, text, text, integer) is
  'Makes a node known as a peer, or refuses it: another version, a taken number or name, another chain.';

create function sync.publish_statement(publication text, docs text, ops text, beats text, resends text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if not exists (select from pg_publication where pubname = %1$L) then '
    'create publication %1$I for table '
    'wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) where (%2$s), '
    'wire.op (node_id, seq, hlc, table_name, key, patch, base) where (%3$s), '
    'wire.beat (node_id, beat, hlc, low_water, ops, chains, version) where (%4$s), '
    'wire.resend (node_id, resend_id, to_node, hlc, kind, body) where (%5$s) '
    'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', publication, docs, ops, beats, resends)
$$;
comment on function sync.publish_statement(text, text, text, text, text) is 'The statement of a plan that makes a publication, if it is not there.';

create function sync.slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format('select pg_create_logical_replication_slot(%1$L, ''pgoutput'') '
                'where not exists (select from pg_replication_slots where slot_name = %1$L)', slot)
$$;
comment on function sync.slot_statement(text) is 'The statement of a plan that makes a slot, if it is not there.';

create function sync.subscription_options(version integer, origin text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- What arrives is written as tpv_apply and not as the owner of each table, whose role it can not take; no password is asked
  -- for in conninfo, since it may come from a passfile.
  select 'create_slot = false, enabled = false, copy_data = false, binary = true, streaming = off, disable_on_error = false'
    || case when version >= 160000 then format(', origin = %s, password_required = false, run_as_owner = true', origin) else '' end;
end;
comment on function sync.subscription_options(integer, text) is 'The options of a subscription on a version of PostgreSQL.';

create function sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ declare version integer := current_setting(''server_version_num'')::integer; begin '
    'if exists (select from pg_subscription where subname = %1$L) then '
    'execute format(''alter subscription %1$I connection %%L'', %2$L); '
    'else execute format(''create subscription %1$I connection %%L publication %3$I with (slot_name = %4$I, %%s)'', '
    '%2$L, sync.subscription_options(version, %5$L)); '
    -- Only a superuser can be given a subscription before 16: tpv_apply is one within this transaction and never after it.
    'if version < 160000 then alter role tpv_apply superuser; end if; '
    'alter subscription %1$I owner to tpv_apply; '
    'if version < 160000 then alter role tpv_apply nosuperuser; end if; '
    'end if; end $do$', subscription, conninfo, publication, slot, origin)
$$;
comment on function sync.subscribe_statement(text, text, text, text, text) is 'The statement of a plan that subscribes without copying, if it was not done.';

create function sync.unsubscribe_statement(subscription text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if exists (select from pg_subscription where subname = %1$L) then '
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I; end if; end $do$', subscription)
$$;
comment on function sync.unsubscribe_statement(text) is 'The statement of a plan that drops a subscription and leaves its slot alone, which may be gone.';

create function sync.drop_slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin '
    'perform pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = %1$L and active_pid is not null; '
    'perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %1$L; end $do$', slot)
$$;
comment on function sync.drop_slot_statement(text) is 'The statement of a plan that drops a slot, if it is there.';

create function sync.mark_gap(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- received_until stays where it is until what was missed has been compared.
  update sync.peer p set gap_beat = coalesce(p.beat, 0) + 1 where p.node_id = mark_gap.peer;
end;
comment on function sync.mark_gap(integer) is 'Says that rows of a peer may have been missed. Which ones is found by comparing.';

create function sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.step, s.run_on, s.sql, s.why
    from (select 'tpv_to_' || sync.name_part(store_code) as down, 'tpv_from_' || sync.name_part(store_code) as up,
                 'tpv_up_' || sync.name_part(store_code) as up_slot,
                 (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv') as extension,
                 sync.schema_version() as schema) v
   cross join lateral (values
    (10, central_code, format('select sync.add_peer(%s, %L, %L, %L, %s)', store_id, store_code, 'store', extension, schema),
      'central knows the store, and that its number is free'),
    (11, central_code, sync.publish_statement(down, format('to_node = %s', store_id), format('node_id <> %s', store_id),
                                              format('node_id = %s', central_id), format('to_node = %s', store_id)),
      'what goes down: operations of everybody else, central''s beats, documents and resends addressed to the store'),
    (12, central_code, sync.slot_statement(down), 'from here on central keeps for the store what it decides'),
    (20, store_code, format('select sync.add_peer(%s, %L, %L, %L, %s)', central_id, central_code, 'central', extension, schema),
      'the store knows central, and that it belongs to no other chain'),
    (21, store_code, sync.publish_statement('tpv_up', format('node_id = %s', store_id), format('node_id = %s', store_id),
                                            format('node_id = %s', store_id), format('node_id = %s', store_id)),
      'what goes up: the store''s own documents, operations, beats and resends'),
    (22, store_code, sync.slot_statement(up_slot), 'from here on the store keeps for central what it records'),
    (23, store_code, sync.subscribe_statement('tpv_from_central', central_conninfo, down, down, 'any'), 'the store can receive'),
    (24, store_code, 'alter subscription tpv_from_central enable', 'and does'),
    (30, central_code, sync.subscribe_statement(up, store_conninfo, 'tpv_up', up_slot, 'none'), 'central can receive'),
    (31, central_code, format('alter subscription %I enable', up), 'and does'),
    (32, central_code, format('select sync.send_snapshot(%s)', store_id), 'the state of all things, as of one moment after the slot was made, is prepared and sent'),
    (33, central_code, format('select sync.request_all(%s)', store_id), 'what the store recorded before is sent by its background worker')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
comment on function sync.join_steps(text, integer, text, integer, text, text) is 'The steps of sync.join_plan.';

create function sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  -- Not by sync.peer alone: a plan that was run half must be there to be run again.
  if exists (
    select from sync.peer p join pg_subscription s on s.subname = p.subscription_name
     where p.node_id in (join_plan.store_id, join_plan.central_id) and s.subenabled
       and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())) then
    raise exception '% has joined already', join_plan.store_code using errcode = '55000',
      hint = 'sync.rejoin_plan lets it catch up after its slot was lost; sync.leave_plan lets it leave';
  end if;
  return query select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo);
end $$;
comment on function sync.join_plan(text, integer, text, integer, text, text) is
  'The statements by which a store joins: run those of each node there, in the order of steps, each on its own. Each can be repeated. Refuses a store that has joined.';

create function sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.step, s.run_on, s.sql, s.why
    from (values
    (1, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)), 'the old stream to central ends'),
    (2, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)), 'the store''s slot here may be lost already'),
    (3, central_code, format('select sync.mark_gap(%s)', store_id), 'received_until waits until both were compared'),
    (4, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the old stream to the store ends'),
    (5, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)), 'and so does central''s slot here'),
    (6, store_code, format('select sync.mark_gap(%s)', central_id), 'received_until waits here too')
  ) as s (step, run_on, sql, why)
  union all
  select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo)
  order by 1
$$;
comment on function sync.rejoin_plan(text, integer, text, integer, text, text) is
  'The statements by which a store whose slot was lost, or that was away for too long, catches up: as sync.join_plan. Nothing is truncated, and the store goes on selling.';

create function sync.remove_peer(node_id integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from sync.request r where r.node_id = remove_peer.node_id;
  delete from sync.outgoing o where o.to_node = remove_peer.node_id;
  update sync.drift d set resolved_at = clock_timestamp(), detail = d.detail || ' (the peer left)'
   where d.node_id = remove_peer.node_id and d.resolved_at is null;
  -- What it began to send and will not end. What that stood for comes from those who decided it.
  delete from sync.snapshot_row t using sync.snapshot l
   where l.snapshot_id = t.snapshot_id and l.node_id = remove_peer.node_id and l.completed_at is null;
  delete from sync.snapshot l where l.node_id = remove_peer.node_id and l.completed_at is null;
  delete from sync.peer p where p.node_id = remove_peer.node_id;
end;
comment on function sync.remove_peer(integer) is 'Forgets a peer. What came from it stays.';

create function sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.step, s.run_on, s.sql, s.why
    from (values
    (10, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the store receives no more'),
    (20, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)), 'central receives no more'),
    (21, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)), 'central keeps nothing for it'),
    (22, central_code, format('drop publication if exists %I', 'tpv_to_' || sync.name_part(store_code)), 'nothing is offered to it'),
    (23, central_code, format('select sync.remove_peer(%s)', store_id), 'central no longer waits for it'),
    (30, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)), 'the store keeps nothing for central'),
    (31, store_code, 'drop publication if exists tpv_up', 'and offers nothing'),
    (32, store_code, format('select sync.remove_peer(%s)', central_id), 'the store decides for itself again')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
comment on function sync.leave_plan(text, integer, text, integer) is
  'The statements by which a store leaves: run those of each node there, in the order of steps, each on its own. Each can be repeated; rows that were exchanged stay.';
