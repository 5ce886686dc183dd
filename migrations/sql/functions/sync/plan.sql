create or replace function sync.join_steps(store_code text, store_id integer, central_code text, central_id integer,
                                           store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.step, s.run_on, s.sql, s.why
    from (select 'tpv_to_' || sync.name_part(store_code) as down, 'tpv_from_' || sync.name_part(store_code) as up,
                 'tpv_up_' || sync.name_part(store_code) as up_slot,
                 sync.login_name(store_code) as store_login, sync.login_name(central_code) as central_login,
                 (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv') as extension,
                 sync.schema_version() as schema) v
   cross join lateral (values
    (10, central_code, format('select sync.add_peer(%s, %L, %L, %L, %s)', store_id, store_code, 'store', extension, schema),
      'central knows the store, and that its number is free'),
    (11, central_code, sync.publish_statement(down, format('to_node = %s', store_id), format('node_id <> %s', store_id),
                                              format('node_id = %s', central_id), format('to_node = %s', store_id)),
      'what goes down: operations of all other nodes, central''s heartbeats, documents and resends for the store'),
    (12, central_code, sync.slot_statement(down), 'from here on central keeps for the store what it decides'),
    (13, central_code, sync.login_statement(store_login, down, down),
      'what the store logs in as: it may stream that and do nothing else'),
    (20, store_code,
      format('select sync.add_peer(%s, %L, %L, %L, %s)', central_id, central_code, 'central', extension, schema),
      'the store knows central, and that it belongs to no other chain'),
    (21, store_code, sync.publish_statement('tpv_up', format('node_id = %s', store_id), format('node_id = %s', store_id),
                                            format('node_id = %s', store_id), format('node_id = %s', store_id)),
      'what goes up: the store''s own documents, operations, heartbeats and resends'),
    (22, store_code, sync.slot_statement(up_slot), 'from here on the store keeps for central what it records'),
    (23, store_code, sync.login_statement(central_login, up_slot, 'tpv_up'),
      'what central logs in as: it may stream that and do nothing else'),
    (24, store_code,
      sync.subscribe_statement('tpv_from_central', sync.conninfo_as(central_conninfo, store_login), down, down, 'any'),
      'the store subscribes to central'),
    (25, store_code, 'alter subscription tpv_from_central enable', 'and begins to receive'),
    (30, central_code,
      sync.subscribe_statement(up, sync.conninfo_as(store_conninfo, central_login), 'tpv_up', up_slot, 'none'),
      'central subscribes to the store'),
    (31, central_code, format('alter subscription %I enable', up), 'and begins to receive'),
    (32, central_code, format('select sync.send_snapshot(%s)', store_id),
      'a snapshot of all tracked rows, of one moment after the slot was made, is prepared and sent'),
    (33, central_code, format('select sync.request_all(%s)', store_id),
      'the background worker of the store sends what it recorded before')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
comment on function sync.join_steps(text, integer, text, integer, text, text) is
  'The steps of sync.join_plan.';

create or replace function sync.join_plan(store_code text, store_id integer, central_code text, central_id integer,
                                          store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  perform sync.refuse_banned(join_plan.store_id);
  -- Not by sync.peer alone: a plan that was run only in part must be given again.
  if exists (
    select from sync.peer p join pg_subscription s on s.subname = p.subscription_name
     where p.node_id in (join_plan.store_id, join_plan.central_id) and s.subenabled
       and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())) then
    raise exception '% has joined already', join_plan.store_code using errcode = '55000',
      hint = 'To catch up after its slot was lost, use sync.rejoin_plan; to leave, sync.leave_plan.';
  end if;
  return query
    select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo);
end $$;
comment on function sync.join_plan(text, integer, text, integer, text, text) is
  'The statements by which a store joins: run those of each node there, in the order of steps, '
  'each on its own. Each can be repeated. Refuses a store that has joined. The two connections name '
  'no user: the plan makes a login for each. Refuses a store that is banned, too.';

create or replace function sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer,
                                            store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  perform sync.refuse_banned(rejoin_plan.store_id);
  return query
  select s.step, s.run_on, s.sql, s.why
    from (values
    (1, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)),
      'the old stream to central ends'),
    (2, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)),
      'the store''s slot here may be lost already'),
    (3, central_code, format('select sync.mark_gap(%1$s), sync.accept_life(%1$s, %2$L)', store_id, 'it joins again'),
      'received_until waits until both were compared; whichever server comes next is the store''s'),
    (4, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the old stream to the store ends'),
    (5, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)), 'central''s slot here may be lost already'),
    (6, store_code, format('select sync.mark_gap(%1$s), sync.accept_life(%1$s, %2$L)', central_id, 'it joins again'),
      'received_until waits here too, and the server of central may be another one')
  ) as s (step, run_on, sql, why)
  union all
  select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo)
  order by 1;
end $$;
comment on function sync.rejoin_plan(text, integer, text, integer, text, text) is
  'The statements by which a store catches up after its slot was lost or it was away for too long. '
  'They are run like those of sync.join_plan. Nothing is emptied, and the store goes on selling.';

create or replace function sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.step, s.run_on, s.sql, s.why
    from (values
    (10, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the store receives no more'),
    (20, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)), 'central receives no more'),
    (21, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)), 'central keeps nothing for it'),
    (22, central_code, format('drop publication if exists %I', 'tpv_to_' || sync.name_part(store_code)),
      'nothing is offered to it'),
    (23, central_code, sync.drop_login_statement(sync.login_name(store_code)), 'and it cannot log in'),
    (24, central_code, format('select sync.remove_peer(%s)', store_id), 'central no longer waits for it'),
    (30, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)),
      'the store keeps nothing for central'),
    (31, store_code, 'drop publication if exists tpv_up', 'and offers nothing'),
    (32, store_code, sync.drop_login_statement(sync.login_name(central_code)), 'and central cannot log in'),
    (33, store_code, format('select sync.remove_peer(%s)', central_id), 'the store decides for itself again')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
comment on function sync.leave_plan(text, integer, text, integer) is
  'The statements by which a store leaves: run those of each node there, in the order of steps, '
  'each on its own. Each can be repeated; rows that were exchanged stay.';
