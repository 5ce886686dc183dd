-- Purpose: the merge of what the chain shares: which tables, by which rules, and what is kept of their operations.
-- Limits:  local to each node and never replicated, but for sync.policy, which is tracked itself.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

create table sync.op_counter (
  node_id  integer primary key,
  last_seq bigint not null
);
comment on table sync.op_counter is 'The last sequence number of this node. Its row is locked from an operation to its commit, so that order of numbers is order of commits.';
comment on column sync.op_counter.node_id is 'This node.';
comment on column sync.op_counter.last_seq is 'The last number given.';

create table sync.horizon (
  node_id integer primary key,
  seq     bigint not null
);
comment on table sync.horizon is 'Per node, up to which number its operations are part of what is here: because they are in wire.op, or because they came as state when this node joined.';
comment on column sync.horizon.node_id is 'The node that decided.';
comment on column sync.horizon.seq is 'The number. An operation at or below it that arrives is a repeat.';

create table sync.tracked_table (
  table_name     text primary key,
  key_column text not null,
  writer     text not null check (writer in ('any', 'central')),
  groups     jsonb not null default '{}',
  owner_column  text,
  duplicates    jsonb not null default '{}',
  only_stricter jsonb not null default '{}',
  tracked_at timestamptz not null default now()
);
comment on table sync.tracked_table is 'Tables whose rows the chain shares.';
comment on column sync.tracked_table.table_name is 'The table.';
comment on column sync.tracked_table.key_column is 'Its key, a uuid drawn where the row was made.';
comment on column sync.tracked_table.writer is 'any: every node may write. central: a store that has joined may not.';
comment on column sync.tracked_table.groups is 'Columns that belong together, by the name of their group: {"address": ["street", "city"]}.';
comment on column sync.tracked_table.owner_column is 'The column with the node_id of whoever owns a thing, for the policy owner_wins; said once, when the thing is made.';
comment on column sync.tracked_table.duplicates is 'What two things may not share, by name: {"email": ["email"]}. Refused where it is seen; after a merge it is in sync.duplicate.';
comment on column sync.tracked_table.only_stricter is 'Columns that only go down their scale: {"consent": ["none", "email", "all"]}. sync.loosen is the one way up.';
comment on column sync.tracked_table.tracked_at is 'Since when.';

create table sync.policy (
  policy_id   uuid primary key,
  table_name      text not null references sync.tracked_table,
  column_name text not null,
  rule        jsonb not null,
  deleted     boolean not null default false,
  unique (table_name, column_name)
);
comment on table sync.policy is 'Who wins where two nodes wrote one column without knowing of each other. Without a row: last_write.';
comment on column sync.policy.policy_id is 'Key; it follows from the table and the column (sync.policy_key), so that nobody makes two policies of one.';
comment on column sync.policy.table_name is 'The table.';
comment on column sync.policy.column_name is 'The column, or the group.';
comment on column sync.policy.rule is '"last_write", "first_write", "central_wins", "owner_wins", "greatest", "least", "union", "review", {"rule": "least", "order": [...]} or {"rule": "custom", "function": "schema.name"}.';
comment on column sync.policy.deleted is 'Whether it was deleted; then last_write holds again. Rows are never removed.';

create table sync.head (
  table_name text not null,
  key    text not null,
  heads  text not null,
  waits  boolean not null,
  contested boolean not null default false,
  primary key (table_name, key)
);
create index head_contested on sync.head (table_name, key) where contested;
comment on table sync.head is 'For each thing and column the versions that no later one has seen: usually one.';
comment on column sync.head.table_name is 'Table of the thing.';
comment on column sync.head.key is 'Its key.';
comment on column sync.head.heads is 'JSON: column to [[node, seq, hlc, value], ...].';
comment on column sync.head.waits is 'True while operations are here and the creation of the thing is not.';
comment on column sync.head.contested is 'Whether a column has several: what a changed policy has to look at.';

create table sync.awaited (
  node_id integer not null,
  seq     bigint not null,
  primary key (node_id, seq)
);
comment on table sync.awaited is 'Versions that operations here name and that are not here: when one arrives, somebody has replaced it already. Mostly empty.';
comment on column sync.awaited.node_id is 'The node.';
comment on column sync.awaited.seq is 'Its operation.';

create table sync.sibling (
  table_name      text not null,
  key         text not null,
  column_name text not null,
  node_id     integer not null,
  seq         bigint not null,
  hlc         bigint not null,
  value       jsonb,
  chosen      boolean not null,
  review      boolean not null,
  found_at    timestamptz not null default clock_timestamp(),
  primary key (table_name, key, column_name, node_id, seq)
);
comment on table sync.sibling is 'Conflicts on record: every value of a column that was written at the same time as another, until somebody writes it knowing of them all.';
comment on column sync.sibling.table_name is 'Table of the thing.';
comment on column sync.sibling.key is 'Its key.';
comment on column sync.sibling.column_name is 'The column, or the group.';
comment on column sync.sibling.node_id is 'Node that wrote this value.';
comment on column sync.sibling.seq is 'Its operation.';
comment on column sync.sibling.hlc is 'When.';
comment on column sync.sibling.value is 'The value.';
comment on column sync.sibling.chosen is 'Whether the table shows this one.';
comment on column sync.sibling.review is 'Whether a person is to look.';
comment on column sync.sibling.found_at is 'When this node noticed.';

create table sync.resolution (
  resolution_id bigint generated always as identity primary key,
  at             timestamptz not null default clock_timestamp(),
  actor          text not null default session_user,
  table_name         text not null,
  key            text not null,
  column_name    text not null,
  node_id        integer not null,
  seq            bigint not null,
  value          jsonb not null
);
comment on table sync.resolution is 'Conflicts that a person settled at this node, with sync.resolve_conflict.';
comment on column sync.resolution.resolution_id is 'Key.';
comment on column sync.resolution.at is 'When.';
comment on column sync.resolution.actor is 'Login that did it.';
comment on column sync.resolution.table_name is 'Table of the thing.';
comment on column sync.resolution.key is 'Its key.';
comment on column sync.resolution.column_name is 'The column, or the group.';
comment on column sync.resolution.node_id is 'Node that had written the value.';
comment on column sync.resolution.seq is 'Its operation.';
comment on column sync.resolution.value is 'The value.';

create table sync.loosening (
  loosening_id bigint generated always as identity primary key,
  at           timestamptz not null default clock_timestamp(),
  actor        text not null default session_user,
  table_name       text not null,
  key          uuid not null,
  column_name  text not null,
  value        text,
  why          text not null check (why <> ''),
  xact         xid8 not null default pg_current_xact_id()
);
create index loosening_key on sync.loosening (key);
comment on table sync.loosening is 'Each time that somebody at this node loosened what only grows stricter, with sync.loosen, and on whose word.';
comment on column sync.loosening.loosening_id is 'Key.';
comment on column sync.loosening.at is 'When.';
comment on column sync.loosening.actor is 'Login that did it.';
comment on column sync.loosening.table_name is 'Table of the thing.';
comment on column sync.loosening.key is 'Its key.';
comment on column sync.loosening.column_name is 'The column.';
comment on column sync.loosening.value is 'What it was set to.';
comment on column sync.loosening.why is 'On whose word.';
comment on column sync.loosening.xact is 'The transaction, which alone may do it.';

-- include functions/sync/op_number.sql

grant select on sync.tracked_table, sync.policy to tpv_operator, tpv_analyst, tpv_apply;
grant select on sync.horizon to tpv_operator, tpv_analyst;
grant select on sync.head, sync.sibling, sync.resolution, sync.loosening to tpv_operator;
grant select, insert, update, delete on sync.head, sync.awaited, sync.sibling to tpv_apply;
grant select, insert, update on sync.horizon to tpv_apply;
grant select on sync.op_counter to tpv_apply;
