-- Purpose: peers, their beats, and central.
-- Limits:  wire.beat is frozen like wire.doc.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

-- Peers and beats ----------------------------------------------------------------------------------------------------

create table sync.peer (
  node_id           integer primary key references org.node,
  subscription_name text not null unique,
  added_at            timestamptz not null default now(),
  beat              bigint,
  beat_at           timestamptz,
  low_water         timestamptz,
  gap_beat          bigint,
  received_until    timestamptz,
  verified_until    timestamptz,
  verified_at       timestamptz,
  ops               text not null default '{}',
  chains            text not null default '{}',
  version           text,
  ahead_ms          bigint not null default 0
);
comment on table sync.peer is 'The nodes that this one exchanges rows with, and how much of theirs is here.';
comment on column sync.peer.node_id is 'The peer.';
comment on column sync.peer.subscription_name is 'The subscription that its rows arrive by.';
comment on column sync.peer.added_at is 'Since when.';
comment on column sync.peer.beat is 'Number of its last beat.';
comment on column sync.peer.beat_at is 'When that beat arrived.';
comment on column sync.peer.low_water is 'What that beat said: nothing recorded before can still commit there.';
comment on column sync.peer.gap_beat is 'A beat before this one is missing, so rows may be too; null once they were looked for and are here.';
comment on column sync.peer.received_until is 'Everything that the peer recorded before is here.';
comment on column sync.peer.verified_until is 'Everything that the peer recorded before is here, and was compared: its chains link up to the heads it named, its operations have no gap.';
comment on column sync.peer.verified_at is 'When that was compared last.';
comment on column sync.peer.ops is 'JSON, at its last beat: for each node, up to which number the peer had its operations.';
comment on column sync.peer.chains is 'JSON, at its last beat: the head of each of its chains as [chain_seq, hash, hlc].';
comment on column sync.peer.version is 'Version of its extension.';
comment on column sync.peer.ahead_ms is 'By how much its clock was ahead of ours at its last beat, where that was too much to follow.';

create table wire.beat (
  node_id   integer not null,
  beat      bigint not null,
  hlc       bigint not null,
  low_water timestamptz not null,
  ops       text not null,
  chains    text not null,
  version   text not null,
  primary key (node_id, beat)
);
comment on table wire.beat is 'Heartbeats of this node. At the receiver they are folded into sync.peer and not stored.';
comment on column wire.beat.node_id is 'The node.';
comment on column wire.beat.beat is 'Counts without gaps.';
comment on column wire.beat.hlc is 'When.';
comment on column wire.beat.low_water is 'Nothing recorded before can still commit.';
comment on column wire.beat.ops is 'JSON: for each node, up to which number its operations are here without a gap.';
comment on column wire.beat.chains is 'JSON: the head of each chain that the node writes, as [chain_seq, hash, hlc].';
comment on column wire.beat.version is 'Version of the extension.';
create trigger _100_receive before insert on wire.beat for each row execute function tpv.receive_beat();
alter table wire.beat enable always trigger _100_receive;

alter table sync.quarantine alter column doc_id drop not null, alter column business_date drop not null;
alter table sync.quarantine add column seq bigint, add column key text, add column entire boolean not null default false, add column refused jsonb;
comment on column sync.quarantine.seq is 'The operation, where it is one and no document.';
comment on column sync.quarantine.key is 'Key of the thing that the operation is about; kind is its table.';
comment on column sync.quarantine.entire is 'Whether all of the thing waits under the name of that operation, and not only what the operation wrote.';
comment on column sync.quarantine.refused is 'The row itself, where its sender was not entitled to it and it was not stored.';
create unique index quarantine_op on sync.quarantine (node_id, seq) where seq is not null;
-- What was refused may tell of customers, and so may a sentence about a value. Analysts count.
revoke select on sync.quarantine from tpv_analyst;
grant select (quarantine_id, at, node_id, doc_id, business_date, kind, seq, entire, code, resolved_at) on sync.quarantine to tpv_analyst;

-- What central registers ---------------------------------------------------------------------------------------------

-- Two stores may each have met a concessionaire before they met each other: his name is no key.
alter table org.legal_entity drop constraint legal_entity_name_key;

-- A store knows all stores and no node but central and itself. Apply does not ask foreign keys, and a dump with orphans can not
-- be restored.
alter table org.store drop constraint store_node_id_fkey;

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
  tracked sync.tracked_table;
begin
  if org.this_node() <> register_central.node_id then
    raise exception 'this database is another node' using errcode = '22023', detail = format('it is node %s', org.this_node());
  end if;
  insert into org.node (node_id, node_code, kind) values (register_central.node_id, register_central.node_code, 'central')
  on conflict on constraint node_pkey do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_central.node_id) on conflict do nothing;
  -- Rows that migrations wrote are the same at every node and were decided by none: central vouches for them.
  for tracked in select * from sync.tracked_table order by tracked_at, table_name loop
    execute format('select tpv.capture_change(%L, null, to_jsonb(t)) from %s t '
                   'where not exists (select from sync.head h where h.table_name = %L and h.key = t.%I::text)',
                   tracked.table_name, tracked.table_name, tracked.table_name, tracked.key_column);
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
