-- Purpose: peers, beats, what central registers, and the plans by which a store joins and leaves.
-- Limits:  wire.beat is frozen like wire.doc. A plan's rows run one by one, each on its node.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

-- Peers and beats ----------------------------------------------------------------------------------------------------

create table sync.peer (
  node_id           integer primary key references org.node,
  subscription_name text not null unique,
  joined_at         timestamptz not null default now(),
  beat              bigint,
  beat_at           timestamptz,
  low_water         timestamptz,
  missed_beats      bigint not null default 0,
  ops               bigint,
  chains            text,
  version           text,
  ahead_ms          bigint not null default 0
);
comment on table sync.peer is 'The nodes that this one exchanges rows with.';
comment on column sync.peer.node_id is 'The peer.';
comment on column sync.peer.subscription_name is 'The subscription that its rows arrive by.';
comment on column sync.peer.joined_at is 'Since when.';
comment on column sync.peer.beat is 'Number of its last beat.';
comment on column sync.peer.beat_at is 'When that beat arrived.';
comment on column sync.peer.low_water is 'Everything that the peer recorded before is here, if no beat is missing.';
comment on column sync.peer.missed_beats is 'Beats that never came.';
comment on column sync.peer.ops is 'How many operations it had written at its last beat.';
comment on column sync.peer.chains is 'JSON: the heads of its chains at its last beat.';
comment on column sync.peer.version is 'Version of its extension.';
comment on column sync.peer.ahead_ms is 'By how much its clock was ahead of ours at its last beat, where that was too much to follow.';

create table wire.beat (
  node_id   integer not null,
  beat      bigint not null,
  hlc       bigint not null,
  low_water timestamptz not null,
  ops       bigint not null,
  chains    text not null,
  version   text not null,
  primary key (node_id, beat)
);
comment on table wire.beat is 'Heartbeats of this node. At the receiver they are folded into sync.peer and not stored.';
comment on column wire.beat.node_id is 'The node.';
comment on column wire.beat.beat is 'Counts without gaps.';
comment on column wire.beat.hlc is 'When.';
comment on column wire.beat.low_water is 'Nothing recorded before can still commit.';
comment on column wire.beat.ops is 'The last operation written.';
comment on column wire.beat.chains is 'JSON: the heads of its chains.';
comment on column wire.beat.version is 'Version of the extension.';
create trigger _100_take_in before insert on wire.beat for each row execute function tpv.take_in_beat();
alter table wire.beat enable always trigger _100_take_in;

alter table sync.quarantine alter column doc_id drop not null, alter column business_date drop not null;
alter table sync.quarantine add column seq bigint, add column refused jsonb;
comment on column sync.quarantine.seq is 'The operation, where it is one and no document.';
comment on column sync.quarantine.refused is 'The row itself, where its sender was not entitled to it and it was not stored.';
create unique index quarantine_op on sync.quarantine (node_id, seq) where seq is not null;
-- What was refused may tell of customers, and so may a sentence about a value. Analysts count.
revoke select on sync.quarantine from tpv_analyst;
grant select (quarantine_id, at, node_id, doc_id, business_date, kind, seq, code, resolved_at) on sync.quarantine to tpv_analyst;

-- What central registers ---------------------------------------------------------------------------------------------

-- Two stores may each have met a concessionaire before they met each other: his name is no key.
alter table org.legal_entity drop constraint legal_entity_name_key;

-- With the number of the store that it is for, since central decides about all of them.
drop function org.register_department(text, text, text);
create function org.register_department(code text, name text, concessionaire text default null, node_id integer default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  entity uuid;
begin
  if concessionaire is not null then
    -- No unique index stands for this: two stores may each have met somebody before they met each other.
    lock table org.legal_entity in share row exclusive mode;
    select e.legal_entity_id into entity from org.legal_entity e where e.name = concessionaire order by 1 limit 1;
    if not found then
      insert into org.legal_entity (name) values (concessionaire) returning legal_entity_id into entity;
    end if;
  end if;
  insert into org.department as d (node_id, code, name, legal_entity_id)
  values (coalesce(register_department.node_id, org.this_node()), register_department.code, register_department.name, entity)
  on conflict on constraint department_node_id_code_key do update
    set name = excluded.name, legal_entity_id = coalesce(excluded.legal_entity_id, d.legal_entity_id);
end $$;
comment on function org.register_department(text, text, text, integer) is
  'Registers a department, or renames it. concessionaire is the registered name of whoever leases it; node_id the store, this one if it is not given.';

drop function org.register_terminal(text, text, jsonb);
create function org.register_terminal(code text, department_code text, declares jsonb default '{}', node_id integer default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  faults text;
begin
  select string_agg(format('%s: %s', pointer, detail), '; ') into faults from tpv.terminal_check(declares);
  if faults is not null then
    raise exception 'the declaration of the terminal has faults' using errcode = '22023', detail = faults;
  end if;
  insert into org.terminal (node_id, code, department_code, declares)
  values (coalesce(register_terminal.node_id, org.this_node()), register_terminal.code, register_terminal.department_code, register_terminal.declares)
  on conflict on constraint terminal_node_id_code_key do update
    set department_code = excluded.department_code, declares = excluded.declares, active = true;
end $$;
comment on function org.register_terminal(text, text, jsonb, integer) is
  'Registers a terminal of a store (this one if no node_id is given), or changes what it declares. A faulty declaration is refused with 22023.';

drop function dat.save_profile(jsonb, text);
create function dat.save_profile(profile jsonb, department_code text default null, node_id integer default null) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  problem record;
  faults text;
  saved integer;
begin
  for problem in select * from tpv.dat_profile_check(save_profile.profile) loop
    if problem.detail like 'warning: %' then
      raise warning '% at "%": %', problem.code, problem.pointer, substr(problem.detail, 10);
    else
      faults := concat_ws('; ', faults, format('%s at "%s": %s', problem.code, problem.pointer, problem.detail));
    end if;
  end loop;
  if faults is not null then
    raise exception 'the profile has faults' using errcode = '22023', detail = faults;
  end if;
  -- One saver at a time, so that versions count without gaps.
  lock table dat.profile in share row exclusive mode;
  insert into dat.profile (node_id, department_code, version, profile)
  select coalesce(save_profile.node_id, org.this_node()), save_profile.department_code, coalesce(max(p.version), 0) + 1, save_profile.profile
    from dat.profile p
   where p.node_id = coalesce(save_profile.node_id, org.this_node()) and p.department_code is not distinct from save_profile.department_code
  returning version into saved;
  return saved;
end $$;
comment on function dat.save_profile(jsonb, text, integer) is
  'Saves a layout for one department, or for the whole store (node_id; this one if it is not given), and answers its version. Faults are refused with 22023, all at once; what is merely unwise is a warning.';
grant execute on function dat.save_profile(jsonb, text, integer) to tpv_operator;

create function org.register_central(node_id integer, node_code text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  tracked sync.entity;
begin
  if org.this_node() <> register_central.node_id then
    raise exception 'this database is another node' using errcode = '22023', detail = format('it is node %s', org.this_node());
  end if;
  insert into org.node (node_id, node_code, kind) values (register_central.node_id, register_central.node_code, 'central')
  on conflict on constraint node_pkey do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_central.node_id) on conflict do nothing;
  -- Rows that migrations wrote are the same at every node and were decided by none: central vouches for them.
  for tracked in select * from sync.entity order by tracked_at, entity loop
    execute format('select tpv.capture_change(%L, null, to_jsonb(t)) from %s t '
                   'where not exists (select from sync.head h where h.entity = %L and h.key = t.%I::text)',
                   tracked.entity, tracked.entity, tracked.entity, tracked.key_column);
  end loop;
end $$;
comment on function org.register_central(integer, text) is 'Says that this database is the central node. Can be repeated.';

create function sync.name_part(node_code text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select replace(lower(node_code), '-', '_');
end;
comment on function sync.name_part(text) is 'A node''s code as it stands in names of slots, which take no hyphen.';
grant execute on function sync.name_part(text) to tpv_operator, tpv_analyst;

-- Joining ------------------------------------------------------------------------------------------------------------

create function sync.meet(node_id integer, node_code text, kind text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known org.node;
begin
  select * into known from org.node n where n.node_id = meet.node_id;
  if known.node_code <> meet.node_code or known.kind <> meet.kind then
    raise exception 'node % is taken', meet.node_id using errcode = '22023',
      detail = format('it is %s, %s', known.node_code, known.kind), hint = 'each node has a number of its own';
  end if;
  if exists (select from org.node n where n.node_code = meet.node_code and n.node_id <> meet.node_id) then
    raise exception 'the name % belongs to another node', meet.node_code using errcode = '22023';
  end if;
  if meet.kind = 'central' and exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central' and n.node_id <> meet.node_id) then
    raise exception 'this store belongs to another chain' using errcode = '22023', hint = 'sync.leave_plan lets it leave that one';
  end if;
  insert into org.node (node_id, node_code, kind) values (meet.node_id, meet.node_code, meet.kind) on conflict do nothing;
  insert into sync.peer (node_id, subscription_name)
  values (meet.node_id, case kind when 'central' then 'tpv_from_central' else 'tpv_from_' || sync.name_part(meet.node_code) end)
  on conflict on constraint peer_pkey do nothing;
end $$;
comment on function sync.meet(integer, text, text) is 'Makes a node known as a peer, or refuses it: taken number, taken name, another chain.';

create function sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  with names as (
    select 'tpv_to_' || sync.name_part(store_code) as down, 'tpv_from_' || sync.name_part(store_code) as up,
           format('create_slot = true, enabled = false, binary = true, copy_data = true, streaming = off, disable_on_error = false%s',
                  '') as options
  )
  select s.step, s.run_on, s.sql, s.why
    from names cross join lateral (values
    (10, store_code, format('select sync.meet(%s, %L, %L)', central_id, central_code, 'central'),
      'the store knows central, and that it belongs to no other chain'),
    (20, central_code, format('select sync.meet(%s, %L, %L)', store_id, store_code, 'store'),
      'central knows the store, and that its number is free'),
    (30, store_code, format(
      'do $do$ begin if not exists (select from pg_publication where pubname = ''tpv_up'') then '
      'create publication tpv_up for table wire.doc where (node_id = %1$s), wire.op where (node_id = %1$s), wire.beat where (node_id = %1$s) '
      'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', store_id),
      'what goes up: this store''s own documents, operations and beats'),
    (40, central_code, format(
      'do $do$ begin if not exists (select from pg_publication where pubname = %2$L) then '
      'create publication %2$I for table wire.doc where (to_node = %1$s), wire.op where (node_id <> %1$s), wire.beat where (node_id = %3$s) '
      'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', store_id, down, central_id),
      'what goes down: operations of everybody else, documents addressed to the store, central''s beats'),
    (50, store_code, format('create subscription tpv_from_central connection %L publication %I with (%s, slot_name = %L)',
                            central_conninfo, down, options, down),
      'the store receives; what was decided before is copied first, through the same trigger'),
    (60, central_code, format('create subscription %I connection %L publication tpv_up with (%s, slot_name = %L)',
                              up, store_conninfo, options, 'tpv_up_' || sync.name_part(store_code)),
      'central receives'),
    (70, store_code, 'alter role tpv_apply superuser', 'on PostgreSQL 15 only a superuser can be given a subscription'),
    (71, store_code, 'alter subscription tpv_from_central owner to tpv_apply', 'rows arrive with the rights of tpv_apply'),
    (72, store_code, 'alter role tpv_apply nosuperuser', 'and it is none any more'),
    (80, central_code, 'alter role tpv_apply superuser', 'the same at central'),
    (81, central_code, format('alter subscription %I owner to tpv_apply', up), 'rows arrive with the rights of tpv_apply'),
    (82, central_code, 'alter role tpv_apply nosuperuser', 'and it is none any more'),
    (90, central_code, format('alter subscription %I enable', up), 'rows flow up'),
    (91, store_code, 'alter subscription tpv_from_central enable', 'rows flow down')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
comment on function sync.join_plan(text, integer, text, integer, text, text) is
  'The statements by which a store joins: run those of each node there, in the order of steps, each on its own.';

create function sync.part_from(node_id integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from sync.peer p where p.node_id = part_from.node_id;
end;
comment on function sync.part_from(integer) is 'Forgets a peer. What came from it stays.';

create function sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer)
returns table (step integer, run_on text, sql text, why text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.step, s.run_on, s.sql, s.why
    from (values
    (10, store_code, 'drop subscription if exists tpv_from_central', 'the store receives no more; its slot at central goes with it'),
    (20, central_code, format('drop subscription if exists %I', 'tpv_from_' || sync.name_part(store_code)),
      'central receives no more; its slot at the store goes with it'),
    (30, central_code, format('drop publication if exists %I', 'tpv_to_' || sync.name_part(store_code)), 'nothing is offered to it'),
    (40, store_code, 'drop publication if exists tpv_up', 'and nothing by it'),
    (50, store_code, format('select sync.part_from(%s)', central_id), 'the store decides for itself again'),
    (60, central_code, format('select sync.part_from(%s)', store_id), 'central no longer waits for it')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
comment on function sync.leave_plan(text, integer, text, integer) is
  'The statements by which a store leaves: run those of each node there, in the order of steps, each on its own. Rows that were exchanged stay.';

create function sync.accept_missing_beats(node_id integer, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update sync.peer p set missed_beats = 0 where p.node_id = accept_missing_beats.node_id;
  insert into sec.audit (event, subject, detail)
  values ('MISSING_BEATS_ACCEPTED', format('node %s', accept_missing_beats.node_id), accept_missing_beats.why);
end;
comment on function sync.accept_missing_beats(integer, text) is
  'Lets received_until of a peer go on after beats were missing: for somebody who has compared the chains of both.';
grant execute on function sync.accept_missing_beats(integer, text) to tpv_operator;
