-- Purpose: the journal of decisions, its capture and merge; peers, beats, and the entities that the chain shares.
-- Limits:  wire.op and wire.beat are frozen like wire.doc: their columns replicate by name.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

do $$
begin
  if (select count(*) from pg_catalog.pg_roles where rolname in ('tpv_apply', 'tpv_replicator')) < 2 then
    raise exception 'the roles of the chain are missing' using hint = 'a superuser runs tpv-migrate bootstrap-sql again';
  end if;
  execute format('grant connect on database %I to tpv_apply, tpv_replicator', current_database());
end $$;

-- The journal --------------------------------------------------------------------------------------------------------

create table wire.op (
  node_id integer not null,
  seq     bigint not null,
  hlc     bigint not null,
  entity  text not null,
  key     text not null,
  patch   text not null,
  base    text not null,
  primary key (node_id, seq)
) partition by range (seq);
comment on table wire.op is 'Decisions as operations: who changed which columns of which thing, and which versions they had seen.';
comment on column wire.op.node_id is 'The node that decided.';
comment on column wire.op.seq is 'Counts that node''s operations in commit order, without gaps.';
comment on column wire.op.hlc is 'When, as in wire.doc; it orders only what was concurrent.';
comment on column wire.op.entity is 'Table of the thing, such as party.customer.';
comment on column wire.op.key is 'Key of the thing, as text.';
comment on column wire.op.patch is 'Canonical JSON: the columns and groups that changed, with their values. @exists tells of creation and deletion.';
comment on column wire.op.base is 'Canonical JSON: for each of them the versions [node, seq] that the writer saw.';
create index op_key on wire.op (entity, key);

create table wire.op_1 (like wire.op including defaults including comments);
alter table wire.op attach partition wire.op_1 for values from (minvalue) to (100000000);
comment on table wire.op_1 is 'The first hundred million operations of each node.';
create table wire.op_default (like wire.op including defaults including comments);
alter table wire.op attach partition wire.op_default default;
comment on table wire.op_default is 'Operations beyond the other partitions. It ought to be empty.';

create trigger _100_take_in before insert on wire.op for each row execute function tpv.take_in_operation();
alter table wire.op enable always trigger _100_take_in;
create trigger _900_refuse before update or delete on wire.op for each row execute function tpv.refuse_change();
alter table wire.op enable always trigger _900_refuse;
do $$
declare
  leaf text;
begin
  foreach leaf in array array['op', 'op_1', 'op_default'] loop
    execute format('create trigger _900_refuse_truncate before truncate on wire.%I for each statement execute function tpv.refuse_change()', leaf);
    execute format('alter table wire.%I enable always trigger _900_refuse_truncate', leaf);
  end loop;
end $$;

create table sync.op_counter (
  node_id  integer primary key,
  last_seq bigint not null
);
comment on table sync.op_counter is 'The last sequence number of this node. Its row is locked from an operation to its commit, so that order of numbers is order of commits.';
comment on column sync.op_counter.node_id is 'This node.';
comment on column sync.op_counter.last_seq is 'The last number given.';

create table sync.entity (
  entity     text primary key,
  key_column text not null,
  writer     text not null check (writer in ('any', 'central')),
  groups     jsonb not null default '{}',
  tracked_at timestamptz not null default now()
);
comment on table sync.entity is 'Tables whose rows the chain shares.';
comment on column sync.entity.entity is 'The table.';
comment on column sync.entity.key_column is 'Its key, a uuid drawn where the row was made.';
comment on column sync.entity.writer is 'any: every node may write. central: a store that has joined may not.';
comment on column sync.entity.groups is 'Columns that belong together, by the name of their group: {"address": ["street", "city"]}.';
comment on column sync.entity.tracked_at is 'Since when.';

create table sync.policy (
  policy_id   uuid primary key default tpv.uuid7(),
  entity      text not null references sync.entity,
  column_name text not null,
  rule        jsonb not null,
  deleted     boolean not null default false,
  unique (entity, column_name)
);
comment on table sync.policy is 'Who wins where two nodes wrote one column without knowing of each other. Without a row: last_write.';
comment on column sync.policy.policy_id is 'Key.';
comment on column sync.policy.entity is 'The table.';
comment on column sync.policy.column_name is 'The column, or the group.';
comment on column sync.policy.rule is '"last_write", "first_write", "central_wins", "owner_wins", "greatest", "least", "union", "review", or {"rule": "least", "order": [...]}.';
comment on column sync.policy.deleted is 'Whether it was deleted; then last_write holds again. Rows are never removed.';

create table sync.head (
  entity text not null,
  key    text not null,
  heads  text not null,
  waits  boolean not null,
  primary key (entity, key)
);
comment on table sync.head is 'For each thing and column the versions that no later one has seen: usually one.';
comment on column sync.head.entity is 'Table of the thing.';
comment on column sync.head.key is 'Its key.';
comment on column sync.head.heads is 'JSON: column to [[node, seq, hlc], ...].';
comment on column sync.head.waits is 'True while operations are here and the creation of the thing is not.';

create table sync.sibling (
  entity      text not null,
  key         text not null,
  column_name text not null,
  node_id     integer not null,
  seq         bigint not null,
  hlc         bigint not null,
  value       jsonb,
  chosen      boolean not null,
  review      boolean not null,
  found_at    timestamptz not null default clock_timestamp(),
  primary key (entity, key, column_name, node_id, seq)
);
comment on table sync.sibling is 'Conflicts on record: every value of a column that was written at the same time as another, until somebody writes it knowing of them all.';
comment on column sync.sibling.entity is 'Table of the thing.';
comment on column sync.sibling.key is 'Its key.';
comment on column sync.sibling.column_name is 'The column, or the group.';
comment on column sync.sibling.node_id is 'Node that wrote this value.';
comment on column sync.sibling.seq is 'Its operation.';
comment on column sync.sibling.hlc is 'When.';
comment on column sync.sibling.value is 'The value.';
comment on column sync.sibling.chosen is 'Whether the table shows this one.';
comment on column sync.sibling.review is 'Whether a person is to look.';
comment on column sync.sibling.found_at is 'When this node noticed.';

create table sync.beat_counter (
  node_id integer primary key,
  beat    bigint not null
);
comment on table sync.beat_counter is 'Numbers this node''s beats, without gaps.';
comment on column sync.beat_counter.node_id is 'This node.';
comment on column sync.beat_counter.beat is 'The last number given.';

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

-- Tracking -----------------------------------------------------------------------------------------------------------

create function sync.is_joined_store() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central');
end;
comment on function sync.is_joined_store() is 'Whether this node is a store that has joined a chain: central then decides for it.';

create function sync.capture() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  perform tpv.capture_change(tg_table_schema || '.' || tg_table_name,
                             case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new));
  return null;
end $$;
comment on function sync.capture() is 'Turns a change of a tracked row into an operation, at the end of the transaction.';

create function sync.guard() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op in ('DELETE', 'TRUNCATE') then
    raise exception 'rows of % are never removed', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'update it and set deleted = true';
  end if;
  if tg_argv[0] = 'central' and tpv.is_capturing() and sync.is_joined_store() then
    raise exception '% is decided by central', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'change it at central; it arrives here by itself';
  end if;
  return new;
end $$;
comment on function sync.guard() is 'Refuses what may not be written here: removals, and in a store what central decides.';

create function sync.track(entity text, writer text default 'any', groups jsonb default '{}') returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  relation regclass := to_regclass(entity);
  key_name text;
  said text := '';
  torn record;
  existing bigint;
begin
  if relation is null then
    raise exception 'there is no table of that name' using errcode = '42P01', hint = 'give it with its schema, such as catalog.product';
  end if;
  if writer not in ('any', 'central') then
    raise exception 'writer must be any or central' using errcode = '22023';
  end if;
  select a.attname into key_name
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
   where i.indrelid = relation and i.indisprimary and i.indnkeyatts = 1 and a.atttypid = 'uuid'::regtype;
  if key_name is null then
    raise exception 'a tracked table has a primary key of one uuid column' using errcode = '22023';
  end if;
  -- Two columns of one CHECK, written at two nodes, could together break it.
  select c.conname, k.columns into torn
    from pg_constraint c
    cross join lateral (
      select array_agg(a.attname::text) as columns from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) k
   where c.conrelid = relation and c.contype = 'c' and cardinality(c.conkey) > 1 and track.writer = 'any'
     and not exists (
       select from jsonb_each(track.groups) g where k.columns <@ array(select jsonb_array_elements_text(g.value)))
   limit 1;
  if found then
    raise exception 'the columns of CHECK % must be one group', torn.conname
      using errcode = '22023', detail = array_to_string(torn.columns, ', '), hint = 'groups => ''{"name": ["column", "column"]}''';
  end if;
  if writer = 'any' and exists (
    select from pg_constraint c where c.conrelid = relation and c.contype in ('u', 'x', 'f')) then
    raise exception 'a table that every node may write has no UNIQUE, EXCLUDE or FOREIGN KEY beside its key'
      using errcode = '22023', hint = 'two nodes could each be right and never agree; refuse duplicates where they can be seen';
  end if;
  if not exists (select from pg_attribute a where a.attrelid = relation and a.attname = 'deleted' and not a.attisdropped) then
    execute format('alter table %s add column deleted boolean not null default false', relation);
    execute format('comment on column %s.deleted is %L', relation, 'Whether it was deleted. Rows are never removed.');
    said := said || 'added column deleted; ';
  end if;
  insert into sync.entity (entity, key_column, writer, groups)
  values (track.entity, key_name, track.writer, track.groups)
  on conflict on constraint entity_pkey do update set writer = excluded.writer, groups = excluded.groups;
  execute format('drop trigger if exists _100_guard on %s', relation);
  execute format('drop trigger if exists _100_guard_truncate on %s', relation);
  execute format('drop trigger if exists _900_capture on %s', relation);
  execute format('create trigger _100_guard before insert or update or delete on %s for each row execute function sync.guard(%L)', relation, writer);
  execute format('create trigger _100_guard_truncate before truncate on %s for each statement execute function sync.guard(%L)', relation, writer);
  execute format('create constraint trigger _900_capture after insert or update on %s deferrable initially deferred '
                 'for each row when (tpv.is_capturing()) execute function sync.capture()', relation);
  execute format('grant select, insert, update on %s to tpv_apply', relation);
  -- What is there already is decided now, so that the journal is whole.
  execute format('select count(tpv.capture_change(%L, null, to_jsonb(t))) from %s t '
                 'where not exists (select from sync.head h where h.entity = %L and h.key = t.%I::text)',
                 track.entity, relation, track.entity, key_name) into existing;
  return said || format('%s is tracked by %s, written by %s; %s rows were there', entity, key_name, writer, existing);
end $$;
comment on function sync.track(text, text, jsonb) is
  'Shares a table with the chain: adds what it lacks, its triggers, and an operation for each row that is there. Says what it did.';

create function sync.restore_loser(entity text, key text, column_name text, node_id integer, seq bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.restore_loser(entity, key, column_name, node_id, seq) $$;
comment on function sync.restore_loser(text, text, text, integer, bigint) is
  'Settles a conflict for a value that lost: it is written again, by an operation that knows of all the others.';

create function sync.policy_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Not by sync.sibling: values that the old policy united are no conflict on record, and may be one now.
  perform tpv.settle_again(h.entity, h.key)
     from (select i.entity, i.key from sync.head i
            where (i.entity = new.entity and json_array_length(i.heads::json -> new.column_name) > 1)
               or (i.entity = old.entity and json_array_length(i.heads::json -> old.column_name) > 1)
            order by 1, 2) h;
  return null;
end $$;
comment on function sync.policy_changed() is 'Chooses anew among values that were written at the same time when their policy changed.';

-- What central registers ---------------------------------------------------------------------------------------------

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

-- Entities of the chain ----------------------------------------------------------------------------------------------

create table catalog.tax (
  tax_id uuid primary key default tpv.uuid7(),
  code   text not null unique,
  name   text not null,
  rate   numeric(5,2) not null check (rate between 0 and 100)
);
comment on table catalog.tax is 'Tax rates.';
comment on column catalog.tax.tax_id is 'Key.';
comment on column catalog.tax.code is 'Short name.';
comment on column catalog.tax.name is 'Name for people.';
comment on column catalog.tax.rate is 'Percent.';

create table catalog.product (
  product_id  uuid primary key default tpv.uuid7(),
  sku         text not null unique,
  description text not null,
  tax_id      uuid references catalog.tax,
  unit        text not null default 'piece' check (unit in ('piece', 'kg', 'litre'))
);
comment on table catalog.product is 'What the chain sells.';
comment on column catalog.product.product_id is 'Key.';
comment on column catalog.product.sku is 'The chain''s own number.';
comment on column catalog.product.description is 'Name for people.';
comment on column catalog.product.tax_id is 'Its tax rate.';
comment on column catalog.product.unit is 'What a quantity of it counts.';

create table catalog.barcode (
  barcode_id uuid primary key default tpv.uuid7(),
  gtin14     text not null unique check (gtin14 ~ '^[0-9]{14}$'),
  product_id uuid not null references catalog.product
);
comment on table catalog.barcode is 'Which product a barcode is.';
comment on column catalog.barcode.barcode_id is 'Key.';
comment on column catalog.barcode.gtin14 is 'The GTIN in its 14-digit form.';
comment on column catalog.barcode.product_id is 'The product.';

create table catalog.price (
  price_id   uuid primary key default tpv.uuid7(),
  product_id uuid not null references catalog.product,
  node_id    integer,
  price      numeric(14,4) not null check (price >= 0),
  valid_from timestamptz not null,
  valid_to   timestamptz,
  check (valid_to > valid_from)
);
create index price_product on catalog.price (product_id, valid_from);
comment on table catalog.price is 'Unit prices with tax, and when they hold.';
comment on column catalog.price.price_id is 'Key.';
comment on column catalog.price.product_id is 'The product.';
comment on column catalog.price.node_id is 'The only store it holds in; null for all.';
comment on column catalog.price.price is 'Unit price with tax.';
comment on column catalog.price.valid_from is 'From when.';
comment on column catalog.price.valid_to is 'Until when, exclusive; null for until further notice.';

create schema party;
comment on schema party is 'People: customers and employees.';
grant usage on schema party to tpv_operator, tpv_apply;

create table party.customer (
  customer_id uuid primary key default tpv.uuid7(),
  name        text not null,
  email       text,
  phone       text,
  street      text,
  postcode    text,
  city        text,
  country     text,
  tags        jsonb not null default '[]' check (jsonb_typeof(tags) = 'array'),
  consent     text not null default 'none' check (consent in ('none', 'email', 'all')),
  credit_limit numeric(14,2)
);
comment on table party.customer is 'Customers. Every node may write them.';
comment on column party.customer.customer_id is 'Key, drawn where the customer was first met.';
comment on column party.customer.name is 'Name.';
comment on column party.customer.email is 'E-mail address.';
comment on column party.customer.phone is 'Telephone.';
comment on column party.customer.street is 'Street and number; the address is one group.';
comment on column party.customer.postcode is 'Postal code.';
comment on column party.customer.city is 'City.';
comment on column party.customer.country is 'ISO 3166 code.';
comment on column party.customer.tags is 'A set of words, as a JSON array; sets that were changed at once are united.';
comment on column party.customer.consent is 'What the customer allows; of two the stricter holds: none, email, all.';
comment on column party.customer.credit_limit is 'How much may be owed.';

select sync.track('org.legal_entity', 'central');
select sync.track('org.store', 'central');
select sync.track('org.department', 'central');
select sync.track('org.terminal', 'central');
select sync.track('dat.profile', 'central');
select sync.track('catalog.tax', 'central');
select sync.track('catalog.product', 'central');
select sync.track('catalog.barcode', 'central');
select sync.track('catalog.price', 'central');
select sync.track('party.customer', 'any', '{"address": ["street", "postcode", "city", "country"]}');
select sync.track('sync.policy', 'central');
create trigger _910_settle after insert or update on sync.policy for each row execute function sync.policy_changed();
alter table sync.policy enable always trigger _910_settle;

insert into sync.policy (policy_id, entity, column_name, rule) values
  ('00000000-0000-7000-8000-000000000001', 'party.customer', 'tags', '"union"'),
  ('00000000-0000-7000-8000-000000000002', 'party.customer', 'consent', '{"rule": "least", "order": ["none", "email", "all"]}'),
  ('00000000-0000-7000-8000-000000000003', 'party.customer', 'credit_limit', '"review"');

-- What arrives is written by tpv_apply -------------------------------------------------------------------------------

grant usage on schema wire, sync, sales, org, catalog, dat, sec, tpv to tpv_apply;
-- Rights are checked on the partition that a row goes to.
grant select, insert on all tables in schema wire to tpv_apply;
alter default privileges in schema wire grant select, insert on tables to tpv_apply;
grant select, insert, update, delete on sync.head, sync.sibling, sync.quarantine to tpv_apply;
grant select, update on sync.peer to tpv_apply;
grant select on sync.this_node, sync.entity, sync.policy, sync.chain, sync.op_counter, org.node to tpv_apply;
grant select, insert, update on sales.receipt, sales.receipt_line, sales.receipt_tax, sales.receipt_event, sales.day_close to tpv_apply;
grant insert on sec.audit to tpv_apply;
-- Asked for each row of a tracked table, with the rights of whoever writes it.
grant execute on function tpv.is_capturing() to tpv_apply, tpv_operator;
grant usage on schema tpv to tpv_operator;

-- What a peer may read: the wire tables and nothing else.
grant usage on schema wire to tpv_replicator;
grant select on wire.doc, wire.op, wire.beat to tpv_replicator;

-- Seeing and steering ------------------------------------------------------------------------------------------------

create function sync.replay(quarantine_id bigint) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.replay(quarantine_id) $$;
comment on function sync.replay(bigint) is 'Tries an item of sync.quarantine again: true when it is done, false when it still waits.';

create function sync.dismiss(quarantine_id bigint, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', session_user, why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
$$;
comment on function sync.dismiss(bigint, text) is 'Takes an item off the list although it was not taken in. What it holds stays in the wire tables.';

create function sync.replay_waiting(most integer default 1000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
  done integer := 0;
begin
  for item in
    select q.quarantine_id from sync.quarantine q
     where q.resolved_at is null and q.refused is null
     order by q.quarantine_id limit most
  loop
    done := done + sync.replay(item)::integer;
  end loop;
  return done;
end $$;
comment on function sync.replay_waiting(integer) is
  'Tries what waits in quarantine again, and answers how much of it is done. pg_cron calls it each minute.';
grant usage on schema sync to tpv_cron;
grant execute on function sync.replay_waiting(integer) to tpv_cron, tpv_operator;
grant execute on function sync.replay(bigint), sync.dismiss(bigint, text),
  sync.restore_loser(text, text, text, integer, bigint) to tpv_operator;

create view sync.status with (security_invoker = true) as
  with peer as (
    select p.*, n.node_code, n.kind,
           coalesce((select max(o.seq) from wire.op o where o.node_id = p.node_id), 0) as ops_here,
           (select count(*) from sync.quarantine q where q.node_id = p.node_id and q.resolved_at is null) as quarantined
      from sync.peer p join org.node n on n.node_id = p.node_id
  ), own as (
    select n.node_code from sync.this_node t join org.node n on n.node_id = t.node_id
  ), rows as (
    select p.node_code as peer, 'receives' as direction,
           case when s.oid is null then 'no subscription' when not s.subenabled then 'disabled'
                when w.pid is null then 'not running' else 'running' end as state,
           null::bigint as lag_bytes, greatest(p.ops - p.ops_here, 0) as lag_operations,
           now() - p.beat_at as silent_for, p.low_water as received_until, p.missed_beats, p.quarantined, p.ahead_ms, p.version
      from peer p
      left join pg_catalog.pg_subscription s on s.subname = p.subscription_name
       and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.relid is null
    union all
    select p.node_code, 'sends',
           case when r.slot_name is null then 'no slot' when r.wal_status = 'lost' then 'slot lost'
                when not r.active then 'not connected' else 'running' end,
           pg_wal_lsn_diff(pg_current_wal_lsn(), r.confirmed_flush_lsn)::bigint, null, null, null, null, null, null, null
      from peer p cross join own
      left join pg_catalog.pg_replication_slots r
        on r.slot_name = case p.kind when 'central' then 'tpv_up_' || sync.name_part(own.node_code) else 'tpv_to_' || sync.name_part(p.node_code) end
  )
  select r.*,
         case
           when r.state = 'no subscription' then 'the peer is known and not joined: run the rest of sync.join_plan'
           when r.state = 'disabled' then 'somebody disabled it: alter subscription ... enable, when the reason is gone'
           when r.state = 'not running' then 'its worker does not stay up: the server log says why; is the peer down, or the line?'
           when r.state = 'no slot' then 'the peer has no slot here: it is not joined, or its slot was dropped'
           when r.state = 'slot lost' then 'the peer was away for too long: it has to join anew'
           when r.state = 'not connected' then 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'
           when r.missed_beats > 0 then 'beats are missing, so rows may be: compare wire.verify_chains() of both'
           when r.silent_for > interval '1 minute' then 'no beat for over a minute: is the peer''s background worker running?'
           when r.ahead_ms > 0 then 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'
           when r.quarantined > 0 then 'rows wait: select * from sync.quarantine where resolved_at is null'
           else 'nothing to do'
         end as advice
    from rows r
   order by 1, 2;
comment on view sync.status is 'One row for each peer and direction: its state, how far behind, and in words what to do.';
comment on column sync.status.peer is 'The other node.';
comment on column sync.status.direction is 'receives: its rows come here. sends: ours go there.';
comment on column sync.status.state is 'running, or what is not.';
comment on column sync.status.lag_bytes is 'WAL that the peer has not confirmed.';
comment on column sync.status.lag_operations is 'Operations that the peer had written at its last beat and that are not here.';
comment on column sync.status.silent_for is 'Since its last beat.';
comment on column sync.status.received_until is 'Everything it recorded before is here; stops at a missing beat.';
comment on column sync.status.missed_beats is 'Beats that never came.';
comment on column sync.status.quarantined is 'Its rows that wait in quarantine.';
comment on column sync.status.ahead_ms is 'By how much its clock is too far ahead; 0 when it is not.';
comment on column sync.status.version is 'Version of its extension.';
comment on column sync.status.advice is 'What to do, in words.';
grant select on sync.status, sync.peer, sync.entity, sync.policy, sync.this_node, wire.beat to tpv_operator, tpv_analyst;
grant select on all tables in schema catalog to tpv_operator, tpv_analyst;
-- Operations hold what customers told us: analysts may count them and not read them.
grant select (node_id, seq, hlc, entity) on wire.op to tpv_analyst;
grant select on wire.op, sync.head, sync.sibling to tpv_operator;
grant select, insert, update on party.customer to tpv_operator;

create function sync.prune_beats() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select count(*) from gone
$$;
comment on function sync.prune_beats() is 'Removes beats that nobody needs any more. pg_cron calls it each hour.';
grant execute on function sync.prune_beats() to tpv_cron;

set local role tpv_cron;
select cron.schedule('tpv: what waits in quarantine', '* * * * *', 'select sync.replay_waiting()');
select cron.schedule('tpv: old beats', '23 * * * *', 'select sync.prune_beats()');
set local role tpv_owner;
