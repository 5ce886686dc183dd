-- Purpose: the tables of the merge: what is tracked, by which rules, and what is known of each row.
-- Limits:  all of it is local to a node. Only sync.policy is shared: it is a tracked table itself.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

create table sync.op_counter (
  node_id  integer primary key,
  last_seq bigint not null,
  held     boolean not null default false
);
comment on table sync.op_counter is
  'The last number of this node''s operations. The row is locked from an operation to its commit, '
  'so that the order of numbers is the order of commits.';
comment on column sync.op_counter.node_id is 'This node.';
comment on column sync.op_counter.last_seq is 'The last number given.';
comment on column sync.op_counter.held is
  'Whether no number is given: this server was restored, and has not got back what it forgot.';

create table sync.horizon (
  node_id integer primary key,
  seq     bigint not null
);
comment on table sync.horizon is
  'For each node the number up to which its operations are part of the rows here: they are in '
  'wire.op, or came in a snapshot.';
comment on column sync.horizon.node_id is 'The node that decided.';
comment on column sync.horizon.seq is
  'The number. An operation that arrives with this number or a lower one is a repeat.';

create table sync.tracked_table (
  table_name    text primary key,
  key_column    text not null,
  writer        text not null check (writer in ('any', 'central')),
  groups        jsonb not null default '{}',
  owner_column  text,
  duplicates    jsonb not null default '{}',
  only_stricter jsonb not null default '{}',
  sets          jsonb not null default '{}',
  own_column    text,
  tracked_at    timestamptz not null default now()
);
comment on table sync.tracked_table is 'The tables whose rows the chain shares.';
comment on column sync.tracked_table.table_name is 'The table.';
comment on column sync.tracked_table.key_column is 'Its key, a uuid generated where the row was made.';
comment on column sync.tracked_table.writer is
  'any: every node may write. central: a store that has joined may not.';
comment on column sync.tracked_table.groups is
  'Columns that belong together, by the name of their group: {"address": ["street", "city"]}.';
comment on column sync.tracked_table.owner_column is
  'The column with the node_id of the owner of a row, for the policy owner_wins. It is set on '
  'insert and does not change.';
comment on column sync.tracked_table.duplicates is
  'Columns whose values no two rows share, by the name of the rule: {"email": ["email"]}. A '
  'session is refused a second row; two rows of two nodes are in sync.duplicate.';
comment on column sync.tracked_table.only_stricter is
  'Columns that only grow stricter, with their scales from the strictest value: {"consent": '
  '["none", "email", "all"]}. Only sync.loosen makes them looser.';
comment on column sync.tracked_table.sets is
  'Columns that are sets, and how they change: {"tags": "union"}, or grow_only. Each element is '
  'merged by itself.';
comment on column sync.tracked_table.own_column is
  'Where central decides and a store keeps its own rows of before it joined: the column with the '
  'number of the store, or @exists, where a row belongs to whoever made it. tpv.who_decides says it '
  'in words.';
comment on column sync.tracked_table.tracked_at is 'When it was first tracked.';

create table sync.policy (
  policy_id   uuid primary key,
  table_name  text not null references sync.tracked_table,
  column_name text not null,
  rule        jsonb not null,
  deleted     boolean not null default false,
  unique (table_name, column_name)
);
comment on table sync.policy is
  'Which value wins where two nodes wrote a column at the same time. Without a row: last_write, or '
  'central_wins where central decides.';
comment on column sync.policy.policy_id is
  'Key, derived from the table and the column by sync.policy_key, so that there is one policy for '
  'a column.';
comment on column sync.policy.table_name is 'The table.';
comment on column sync.policy.column_name is 'The column, or the group.';
comment on column sync.policy.rule is
  '"last_write", "first_write", "central_wins", "owner_wins", "greatest", "least", "review", '
  '{"rule": "least", "order": [...]} or {"rule": "custom", "function": "schema.name"}.';
comment on column sync.policy.deleted is
  'Whether it was deleted. Then the column has no policy of its own any more. Rows are never '
  'removed.';

create table sync.head (
  table_name text not null,
  key        text not null,
  heads      text not null,
  waits      boolean not null,
  contested  boolean not null default false,
  lost_at    timestamptz,
  primary key (table_name, key)
);
create index head_contested on sync.head (table_name, key) where contested;
create index head_lost on sync.head (table_name, key) where lost_at is not null;
comment on table sync.head is
  'The heads of each row: for each column the values that no later writer has seen. Usually there '
  'is one.';
comment on column sync.head.table_name is 'The table.';
comment on column sync.head.key is 'The key of the row.';
comment on column sync.head.heads is 'JSON: column to [[node, seq, hlc, value], ...].';
comment on column sync.head.waits is
  'Whether the operation that created the row is still missing here. Until it arrives no row is '
  'written.';
comment on column sync.head.contested is
  'Whether a column has several heads. When its policy changes, one of them is chosen again.';
comment on column sync.head.lost_at is
  'When operations of this row were set aside, since their numbers had been given before a restore: '
  'what stands comes with the next snapshot. Null otherwise.';

-- Heads that were removed or changed by hand would go to all nodes with the next snapshot.
create trigger _100_guard before insert or update or delete on sync.head
  for each row execute function tpv.guard_heads();
create trigger _100_guard_truncate before truncate on sync.head
  for each statement execute function tpv.guard_heads();
alter table sync.head enable always trigger _100_guard;
alter table sync.head enable always trigger _100_guard_truncate;

-- Nothing is ever in these tables: they are there to be locked. Nobody but their owner may use the
-- schema. Who can name a table can lock it, by a PREPARE that reads it, without any right on it;
-- and an advisory lock can be held by every login.
create schema tpv_lock;
comment on schema tpv_lock is
  'Empty tables that are there to be locked. No login may use it, so that none can stop a node.';
create table tpv_lock.merge ();
comment on table tpv_lock.merge is
  'Each merge shares a lock on it (row exclusive). Who must be alone among merges holds it in '
  'exclusive mode.';
create table tpv_lock.reconcile ();
comment on table tpv_lock.reconcile is 'One session at a time compares this node with its peers.';
create table tpv_lock.snapshot ();
comment on table tpv_lock.snapshot is 'One session at a time puts a snapshot together.';

create unlogged table sync.claim (
  value_hash bigint primary key
);
comment on table sync.claim is
  'Always empty. A session that writes a value which no two rows may share inserts its hash here and '
  'deletes it again, so that another one that writes the same value waits for its transaction.';
comment on column sync.claim.value_hash is 'Hash of the table, the rule and the values.';

create table sync.awaited (
  node_id  integer not null,
  seq      bigint not null,
  by_node integer not null,
  primary key (node_id, seq)
);
create index awaited_by_node on sync.awaited (by_node);
comment on table sync.awaited is
  'Operations that operations here name and that have not arrived yet. When one of them arrives, '
  'it has already been replaced. Usually empty.';
comment on column sync.awaited.node_id is 'The node.';
comment on column sync.awaited.seq is 'The number of its operation.';
comment on column sync.awaited.by_node is 'The node whose operation named it first. Of one store there are 100,000 at most.';

create table sync.sibling (
  table_name  text not null,
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
comment on table sync.sibling is
  'Open conflicts: all values of a column that were written at the same time, until somebody who '
  'has seen them all writes it.';
comment on column sync.sibling.table_name is 'The table.';
comment on column sync.sibling.key is 'The key of the row.';
comment on column sync.sibling.column_name is 'The column, or the group.';
comment on column sync.sibling.node_id is 'The node that wrote this value.';
comment on column sync.sibling.seq is 'The number of its operation.';
comment on column sync.sibling.hlc is 'When it was written.';
comment on column sync.sibling.value is 'The value.';
comment on column sync.sibling.chosen is 'Whether the row has this value.';
comment on column sync.sibling.review is 'Whether a person should look at it.';
comment on column sync.sibling.found_at is 'When this node noticed.';

create table sync.resolution (
  resolution_id bigint generated always as identity primary key,
  at            timestamptz not null default clock_timestamp(),
  actor         text not null default sec.actor(),
  table_name    text not null,
  key           text not null,
  column_name   text not null,
  node_id       integer not null,
  seq           bigint not null,
  value         jsonb not null
);
create index resolution_key on sync.resolution (table_name, key);
comment on table sync.resolution is
  'Conflicts that a person resolved at this node, with sync.resolve_conflict.';
comment on column sync.resolution.resolution_id is 'Key.';
comment on column sync.resolution.at is 'When.';
comment on column sync.resolution.actor is 'Who did it, by sec.actor().';
comment on column sync.resolution.table_name is 'The table.';
comment on column sync.resolution.key is 'Its key.';
comment on column sync.resolution.column_name is 'The column, the group, or the element of a set.';
comment on column sync.resolution.node_id is 'The node that had written the value.';
comment on column sync.resolution.seq is 'The number of its operation.';
comment on column sync.resolution.value is 'The value.';

create table sync.undone (
  undone_id     bigint generated always as identity primary key,
  at            timestamptz not null default clock_timestamp(),
  actor         text not null default sec.actor(),
  node_id       integer not null,
  seq           bigint not null,
  table_name    text not null,
  key           text not null,
  column_name   text not null,
  value_written jsonb,
  value         jsonb not null,
  why           text not null check (why <> '')
);
create index undone_key on sync.undone (table_name, key);
comment on table sync.undone is
  'What a store had written and somebody at central took back, with sync.undo_written.';
comment on column sync.undone.undone_id is 'Key.';
comment on column sync.undone.at is 'When.';
comment on column sync.undone.actor is 'Who did it, by sec.actor().';
comment on column sync.undone.node_id is 'The store.';
comment on column sync.undone.seq is 'The number of its operation.';
comment on column sync.undone.table_name is 'The table.';
comment on column sync.undone.key is 'The key of the row.';
comment on column sync.undone.column_name is
  'The column, the group, or the element of a set. @exists: whether the row is there.';
comment on column sync.undone.value_written is 'What the store had written.';
comment on column sync.undone.value is 'What stands in its place.';
comment on column sync.undone.why is 'The reason. It names no person.';

create table sync.erasure (
  erasure_id bigint generated always as identity primary key,
  at         timestamptz not null default clock_timestamp(),
  actor      text not null default sec.actor(),
  table_name text not null,
  key        text not null,
  why        text not null check (why <> '')
);
comment on table sync.erasure is
  'Rows that somebody at this node erased, with party.erase, and why. The reason holds no value of '
  'the row.';
comment on column sync.erasure.erasure_id is 'Key.';
comment on column sync.erasure.at is 'When.';
comment on column sync.erasure.actor is 'Who did it, by sec.actor().';
comment on column sync.erasure.table_name is 'The table.';
comment on column sync.erasure.key is 'The key of the row.';
comment on column sync.erasure.why is 'The reason. It names no person.';

create table sync.set_aside (
  set_aside_id bigint generated always as identity primary key,
  at           timestamptz not null default clock_timestamp(),
  table_name   text not null,
  key          text not null,
  column_name  text not null,
  seq          bigint not null,
  hlc          bigint not null,
  value        text not null
);
create index set_aside_key on sync.set_aside (table_name, key);
comment on table sync.set_aside is
  'What this store wrote in tables that central decides while it was alone: before it joined, or '
  'after it had left. It left the rows when the snapshot of central arrived. A row of which nothing '
  'was left is deleted.';
comment on column sync.set_aside.set_aside_id is 'Key.';
comment on column sync.set_aside.at is 'When it was set aside.';
comment on column sync.set_aside.table_name is 'The table.';
comment on column sync.set_aside.key is 'The key of the row.';
comment on column sync.set_aside.column_name is 'The column, the group, or the element of a set.';
comment on column sync.set_aside.seq is 'The number of this node''s operation.';
comment on column sync.set_aside.hlc is 'When it was written.';
comment on column sync.set_aside.value is 'JSON: the value.';

create table sync.loosening (
  loosening_id bigint generated always as identity primary key,
  at           timestamptz not null default clock_timestamp(),
  actor        text not null default sec.actor(),
  table_name   text not null,
  key          uuid not null,
  column_name  text not null,
  value        text,
  why          text not null check (why <> ''),
  xact         xid8 not null default pg_current_xact_id()
);
create index loosening_key on sync.loosening (key);
comment on table sync.loosening is
  'Each use of sync.loosen at this node: who gave a looser value to a column that otherwise only '
  'grows stricter, and why.';
comment on column sync.loosening.loosening_id is 'Key.';
comment on column sync.loosening.at is 'When.';
comment on column sync.loosening.actor is 'Who did it, by sec.actor().';
comment on column sync.loosening.table_name is 'The table.';
comment on column sync.loosening.key is 'The key of the row.';
comment on column sync.loosening.column_name is 'The column.';
comment on column sync.loosening.value is 'The value that it was set to.';
comment on column sync.loosening.why is 'The reason. It names no person.';
comment on column sync.loosening.xact is 'The transaction in which this is allowed.';

-- begin functions/sync/op_number.sql
create or replace function sync.contiguous() returns table (node_id integer, seq bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- From the first node that has an operation here to the next one: as many look-ups as there are
  -- nodes.
  with recursive writer as (
    select min(o.node_id) as node_id from wire.op o
    union all
    select (select min(o.node_id) from wire.op o where o.node_id > w.node_id) from writer w where w.node_id is not null
  )
  select n.node_id, n.seq + case when n.next_seq - 1 > n.seq then 0 else (
           select count(*) from (
             select o.seq, row_number() over (order by o.seq) as place
               from wire.op o where o.node_id = n.node_id and o.seq > n.seq) beyond
            where beyond.seq = n.seq + beyond.place) end
    -- What is beyond a gap that stays is not counted again and again.
    from (select k.node_id, k.seq,
                 (select o.seq from wire.op o where o.node_id = k.node_id and o.seq > k.seq order by o.seq limit 1) as next_seq
            from (select coalesce(w.node_id, h.node_id) as node_id, coalesce(h.seq, 0) as seq
            from writer w full join sync.horizon h on h.node_id = w.node_id) k) n
   where n.node_id is not null;
end;
comment on function sync.contiguous() is
  'For each node the number up to which its operations are here without a gap.';
grant execute on function sync.contiguous() to tpv_operator, tpv_analyst, tpv_worker;

create or replace function sync.advance_op_counter(seq bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.op_counter as c (node_id, last_seq) values (org.this_node(), advance_op_counter.seq)
  on conflict (node_id) do update set last_seq = excluded.last_seq where c.last_seq < excluded.last_seq;
end;
comment on function sync.advance_op_counter(bigint) is
  'Moves the counter of this node''s operations forward, never back: the numbers up to this one '
  'were given before a restore.';
grant execute on function sync.advance_op_counter(bigint) to tpv_apply;
-- end functions/sync/op_number.sql

-- What operators read. These are the owner's views, and barriers: what schema sec has tracked, such
-- as sealed passwords, is in none of them.
create view journal.operation with (security_barrier = true) as
  select node_id, seq, hlc, table_name, key, patch, base from wire.op where not starts_with(table_name, 'sec.');
comment on view journal.operation is 'Operations, wire.op, as operators read them.';
create view journal.head with (security_barrier = true) as
  select table_name, key, heads, waits, contested from sync.head where not starts_with(table_name, 'sec.');
comment on view journal.head is 'The heads of each row, sync.head, as operators read them.';
create view journal.sibling with (security_barrier = true) as
  select table_name, key, column_name, node_id, seq, hlc, value, chosen, review, found_at
    from sync.sibling where not starts_with(table_name, 'sec.');
comment on view journal.sibling is
  'Open conflicts, sync.sibling, as operators read them. sync.resolve_conflict decides one.';
create view journal.resolution with (security_barrier = true) as
  select resolution_id, at, actor, table_name, key, column_name, node_id, seq, value
    from sync.resolution where not starts_with(table_name, 'sec.');
comment on view journal.resolution is
  'Conflicts that a person resolved at this node, sync.resolution, as operators read them.';
create view journal.loosening with (security_barrier = true) as
  select loosening_id, at, actor, table_name, key, column_name, value, why, xact
    from sync.loosening where not starts_with(table_name, 'sec.');
comment on view journal.loosening is
  'Each use of sync.loosen at this node, sync.loosening, as operators read them.';
create view journal.set_aside with (security_barrier = true) as
  select set_aside_id, at, table_name, key, column_name, seq, hlc, value
    from sync.set_aside where not starts_with(table_name, 'sec.');
comment on view journal.set_aside is
  'What this store wrote of central''s tables while it was alone, sync.set_aside, as operators read it.';
create view journal.erasure with (security_barrier = true) as
  select erasure_id, at, actor, table_name, key, why from sync.erasure where not starts_with(table_name, 'sec.');
comment on view journal.erasure is
  'Rows that were erased at this node, sync.erasure, as operators read them.';

grant select on sync.tracked_table, sync.policy to tpv_operator, tpv_analyst, tpv_apply;
grant select on sync.horizon to tpv_operator, tpv_analyst;
grant select on journal.erasure, journal.operation, journal.head, journal.sibling, journal.resolution, journal.loosening,
  journal.set_aside to tpv_operator;
grant select, insert, update, delete on sync.head, sync.awaited, sync.sibling to tpv_apply;
grant select, insert, update on sync.horizon to tpv_apply;
grant select on sync.op_counter to tpv_apply;
grant insert on sync.set_aside to tpv_apply;
