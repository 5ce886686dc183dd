-- Purpose: the nodes that this one exchanges rows with: their heartbeats, which of their rows wait
--          or are missing, what is sent again, and the plans by which a store joins, catches up and
--          leaves.
-- Limits:  a node sends requests to its peers only. Central serves the operations of every node, a
--          store its own. A plan returns statements and runs none; a superuser runs them, each on
--          its own.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

-- Peers and their heartbeats

create table sync.peer (
  node_id           integer primary key references org.node,
  subscription_name text not null unique,
  added_at          timestamptz not null default now(),
  beat              bigint,
  beat_at           timestamptz,
  low_water         timestamptz,
  gap_beat          bigint,
  received_until    timestamptz,
  verified_until    timestamptz,
  verified_at       timestamptz,
  version           text,
  ahead_ms          bigint not null default 0,
  beat_hlc          bigint,
  whole_hlc         bigint,
  heads_requested_at timestamptz,
  joined_seq        bigint
-- Each heartbeat writes its row anew. It is small, and most of a page is free, so that the new one
-- lies beside the old one and no index is written. What seldom changes is in the tables below.
) with (fillfactor = 50);
comment on table sync.peer is
  'The nodes that this one exchanges rows with, and how much of theirs is here.';
comment on column sync.peer.node_id is 'The peer.';
comment on column sync.peer.subscription_name is 'The subscription that its rows arrive by.';
comment on column sync.peer.added_at is 'When it was added.';
comment on column sync.peer.beat is 'Number of its last heartbeat.';
comment on column sync.peer.beat_at is 'When that heartbeat arrived.';
comment on column sync.peer.low_water is
  'The low-water mark of that heartbeat: nothing that was recorded before this moment can still '
  'commit there.';
comment on column sync.peer.gap_beat is
  'A heartbeat before this number is missing, so rows may be missing too. Null once this was '
  'compared and all are here.';
comment on column sync.peer.received_until is
  'Everything that the peer recorded before this moment is here.';
comment on column sync.peer.verified_until is
  'Everything that the peer recorded before this moment is here, and was compared: its hash chains '
  'link up to the heads that it named, and its operations have no gap.';
comment on column sync.peer.verified_at is 'When that was compared last.';
comment on column sync.peer.version is 'Version of its extension.';
comment on column sync.peer.ahead_ms is
  'By how much its clock was ahead of ours at its last heartbeat, where that was too much to '
  'follow.';

comment on column sync.peer.beat_hlc is 'The stamp of its last heartbeat.';
comment on column sync.peer.whole_hlc is
  'The stamp of the last heartbeat with which the heads of all its hash chains were known here. '
  'Behind beat_hlc while a heartbeat is missing; the peer is asked to name all then.';
comment on column sync.peer.joined_seq is
  'The last operation that a store wrote before it joined. Of a store, as its first heartbeat said '
  'it; at a store, its own, in the row of central. Null while it joins. After it, nothing of the '
  'store is believed in what central decides.';
comment on column sync.peer.heads_requested_at is 'When it was asked to; null when nothing is missing.';

create table sync.peer_chain (
  node_id   integer not null references sync.peer on delete cascade,
  name      text not null,
  writer_id integer not null,
  chain     text not null,
  chain_seq bigint not null,
  hash      bytea not null,
  hlc       bigint,
  primary key (node_id, name)
) with (fillfactor = 70);
comment on table sync.peer_chain is
  'The head of each hash chain that a peer sends to this node, as its heartbeats named it last. A '
  'row is written when its chain has moved.';
comment on column sync.peer_chain.node_id is 'The peer.';
comment on column sync.peer_chain.name is
  'How the peer calls it: the name of a chain of its own; 1>2 for chain >2 of node 1, which it '
  'passes on.';
comment on column sync.peer_chain.writer_id is 'The node that writes the chain.';
comment on column sync.peer_chain.chain is 'Its name there, as in wire.doc.';
comment on column sync.peer_chain.chain_seq is
  'chain_seq of the last document; 0 when the peer names the chain no longer.';
comment on column sync.peer_chain.hash is 'Link hash of that document.';
comment on column sync.peer_chain.hlc is 'hlc of that document; null for a chain that is passed on.';

create table sync.peer_vector (
  node_id   integer not null references sync.peer on delete cascade,
  writer_id integer not null,
  seq       bigint not null,
  primary key (node_id, writer_id)
) with (fillfactor = 70);
comment on table sync.peer_vector is
  'Up to which number a peer has the operations of each node, as its last heartbeat said. A row is '
  'written when its number has changed.';
comment on column sync.peer_vector.node_id is 'The peer.';
comment on column sync.peer_vector.writer_id is 'The node that wrote the operations.';
comment on column sync.peer_vector.seq is 'The peer has all of them up to this number.';

create table sync.beat_counter (
  node_id integer primary key,
  beat    bigint not null
);
comment on table sync.beat_counter is 'Numbers the heartbeats of this node, without gaps.';
comment on column sync.beat_counter.node_id is 'This node.';
comment on column sync.beat_counter.beat is 'The last number given.';

-- Rows that wait or were refused

create table sync.quarantine (
  quarantine_id bigint generated always as identity primary key,
  at            timestamptz not null default clock_timestamp(),
  node_id       integer not null,
  doc_id        uuid,
  business_date date,
  kind          text not null,
  code          text not null,
  detail        text not null,
  resolved_at   timestamptz,
  seq           bigint,
  key           text,
  entire        boolean not null default false,
  refused       jsonb,
  tries         integer not null default 0,
  try_at        timestamptz not null default clock_timestamp(),
  unique (node_id, doc_id, business_date)
);
comment on table sync.quarantine is
  'Documents that are stored and could not be projected, operations and rows of a snapshot that '
  'could not be applied, and rows that were refused; with the reason. They count in no report '
  'until they are done.';
comment on column sync.quarantine.quarantine_id is 'Key.';
comment on column sync.quarantine.at is 'When it was last tried.';
comment on column sync.quarantine.node_id is 'The node that wrote it.';
comment on column sync.quarantine.doc_id is 'The document, where it is one.';
comment on column sync.quarantine.business_date is 'Its business date.';
comment on column sync.quarantine.kind is 'The kind of a document; the table of an operation.';
comment on column sync.quarantine.code is
  'A stable code such as UNKNOWN_KIND, BAD_HASH or FORGED_SENDER, or the SQLSTATE that stopped it.';
comment on column sync.quarantine.detail is 'A sentence.';
comment on column sync.quarantine.resolved_at is
  'When it was done after all, or dismissed; null while it waits.';
comment on column sync.quarantine.seq is 'The number of the operation, where it is one.';
comment on column sync.quarantine.key is 'The key of the row that the operation is about.';
comment on column sync.quarantine.entire is
  'Whether the whole row waits under the number of that operation, and not only the columns that '
  'it wrote.';
comment on column sync.quarantine.tries is 'How often it was tried again in vain.';
comment on column sync.quarantine.try_at is
  'When it is tried again, at the earliest. Pauses grow to a quarter of an hour.';
comment on column sync.quarantine.refused is 'The row itself, where it was refused and not stored.';
create unique index quarantine_op on sync.quarantine (node_id, seq) where seq is not null;
create index quarantine_waits on sync.quarantine (node_id, try_at, quarantine_id)
  where resolved_at is null and refused is null;

create table sync.refusal (
  node_id integer not null,
  day     date not null,
  refused bigint not null,
  last_at timestamptz not null default clock_timestamp(),
  primary key (node_id, day)
) with (fillfactor = 50);
comment on table sync.refusal is
  'How many rows of a peer were refused on a day. The first 200 are kept in sync.quarantine, and one '
  'row more that says that there are others.';
comment on column sync.refusal.node_id is 'The peer that sent them; 0 for a subscription that belongs to none.';
comment on column sync.refusal.day is 'The day.';
comment on column sync.refusal.refused is 'How many.';
comment on column sync.refusal.last_at is 'When the last one came.';

create table sec.audit (
  audit_id bigint generated always as identity primary key,
  at       timestamptz not null default clock_timestamp(),
  event    text not null,
  subject  text not null,
  actor    text not null default sec.actor(),
  detail   text not null default ''
);
comment on table sec.audit is
  'Security events: files of unknown terminals, rows of senders that may not send them, who was given or '
  'lost a role.';
comment on column sec.audit.audit_id is 'Key.';
comment on column sec.audit.at is 'When.';
comment on column sec.audit.event is
  'What happened, as a stable code: UNKNOWN_TERMINAL, FORGED_SENDER, ROLE_GRANTED …';
comment on column sec.audit.subject is 'What it is about: a terminal, a document.';
comment on column sec.audit.actor is 'Who acted, by sec.actor().';
comment on column sec.audit.detail is 'A sentence.';

-- include functions/sync/quarantine.sql

-- That something of schema sec waits is seen, and what it holds is not.
create view journal.quarantine with (security_barrier = true) as
  select q.quarantine_id, q.at, q.node_id, q.doc_id, q.business_date, q.kind, q.code,
         case when starts_with(q.kind, 'sec.') then 'it is about a table of schema sec' else q.detail end as detail,
         q.resolved_at, q.seq, q.key, q.entire, q.tries, q.try_at,
         -- What is sent again may hold rows of any table, whatever it says of itself.
         case when not starts_with(q.kind, 'sec.') and not starts_with(q.kind, 'resend ') then q.refused end as refused
    from sync.quarantine q;
comment on view journal.quarantine is
  'What waits or was refused, sync.quarantine, as operators read it. Of rows of schema sec the detail '
  'and the row are left out; of what was sent again, the row.';
grant select on journal.quarantine to tpv_operator;

-- As in the tables that they show.
do $$
declare
  shown record;
begin
  for shown in
    select v.attrelid::regclass as seen, v.attname, col_description(t.attrelid, t.attnum) as comment
      from (values ('operation', 'wire.op'), ('head', 'sync.head'), ('sibling', 'sync.sibling'),
                   ('resolution', 'sync.resolution'), ('set_aside', 'sync.set_aside'), ('loosening', 'sync.loosening'), ('erasure', 'sync.erasure'),
                   ('quarantine', 'sync.quarantine'))
           as s (view_name, table_name)
      join pg_catalog.pg_attribute v on v.attrelid = ('journal.' || s.view_name)::regclass and v.attnum > 0
      join pg_catalog.pg_attribute t on t.attrelid = s.table_name::regclass and t.attname = v.attname
  loop
    execute format('comment on column %s.%I is %L', shown.seen, shown.attname, shown.comment);
  end loop;
end $$;

-- Comparing

create table sync.verified (
  node_id     integer not null,
  chain       text not null,
  chain_seq   bigint not null,
  hash        bytea not null,
  verified_at timestamptz not null default clock_timestamp(),
  primary key (node_id, chain)
);
comment on table sync.verified is 'How far the hash chains of peers were followed here, link by link.';
comment on column sync.verified.node_id is 'The node that writes the chain.';
comment on column sync.verified.chain is 'Its name, as in wire.doc.';
comment on column sync.verified.chain_seq is 'The last document that links.';
comment on column sync.verified.hash is 'Its link hash.';
comment on column sync.verified.verified_at is 'When.';

create table sync.drift (
  drift_id     bigint generated always as identity primary key,
  node_id      integer not null,
  what         text not null check (what in ('operations', 'hash_chain', 'broken', 'restored')),
  subject      text not null,
  from_seq     bigint not null,
  to_seq       bigint not null,
  detail       text not null,
  found_at     timestamptz not null default clock_timestamp(),
  requested_at timestamptz,
  resolved_at  timestamptz
);
create unique index drift_open on sync.drift (node_id, what, subject) where resolved_at is null;
comment on table sync.drift is 'Rows that a peer has and this node has not, and what became of them.';
comment on column sync.drift.drift_id is 'Key.';
comment on column sync.drift.node_id is 'The peer.';
comment on column sync.drift.what is
  'operations or hash_chain: rows are missing and are requested. broken: a hash chain does not '
  'link; a person has to look. restored: this node has lost operations of its own that the peer '
  'has; a snapshot is requested.';
comment on column sync.drift.subject is
  'The node whose operations they are, or the hash chain as the peer calls it: sync.peer_chain.name.';
comment on column sync.drift.from_seq is 'The first that is missing.';
comment on column sync.drift.to_seq is 'The last that is missing.';
comment on column sync.drift.detail is 'A sentence.';
comment on column sync.drift.found_at is 'When it was found.';
comment on column sync.drift.requested_at is 'When the rows were requested last.';
comment on column sync.drift.resolved_at is
  'When they were here, or the difference was accepted; null while it is open.';

create table sync.accepted_drift (
  accepted_drift_id bigint generated always as identity primary key,
  at                timestamptz not null default clock_timestamp(),
  actor             text not null default sec.actor(),
  node_id           integer not null,
  what              text not null,
  subject           text not null,
  from_seq          bigint not null,
  to_seq            bigint not null,
  why               text not null
);
create index accepted_drift_node on sync.accepted_drift (node_id, what, subject);
comment on table sync.accepted_drift is
  'Differences that somebody let stand, with sync.accept_drift: comparing passes over these numbers. What '
  'comes of them later is taken.';
comment on column sync.accepted_drift.accepted_drift_id is 'Key.';
comment on column sync.accepted_drift.at is 'When.';
comment on column sync.accepted_drift.actor is 'Who did it, by sec.actor().';
comment on column sync.accepted_drift.node_id is 'The peer.';
comment on column sync.accepted_drift.what is 'As in sync.drift.';
comment on column sync.accepted_drift.subject is 'As in sync.drift.';
comment on column sync.accepted_drift.from_seq is 'The first number.';
comment on column sync.accepted_drift.to_seq is 'The last number.';
comment on column sync.accepted_drift.why is 'The reason. It names no person.';

-- Sending again

create table sync.served (
  node_id     integer primary key references sync.peer on delete cascade,
  served_at   timestamptz not null,
  snapshot_at timestamptz,
  bytes       bigint not null default 0,
  bytes_since timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
comment on table sync.served is
  'When each peer had its turn, so that none waits for another that asks for more and more.';
comment on column sync.served.node_id is 'The peer.';
comment on column sync.served.served_at is 'When something was sent to it last.';
comment on column sync.served.bytes is 'How much WAL its requests have made since bytes_since.';
comment on column sync.served.bytes_since is 'Since when that is counted: for five minutes.';
comment on column sync.served.snapshot_at is
  'When a snapshot was prepared that it had asked for. It gets the next one five minutes later.';

create table sync.request (
  node_id      integer not null,
  what         text not null check (what in ('operations', 'hash_chain', 'snapshot', 'heads')),
  subject      text not null default '',
  from_seq     bigint not null default 1,
  to_seq       bigint,
  requested_at timestamptz not null default clock_timestamp(),
  primary key (node_id, what, subject)
);
comment on table sync.request is
  'What peers have requested and this node has not sent yet. The background worker sends it.';
comment on column sync.request.node_id is 'The peer.';
comment on column sync.request.what is
  'operations of a node, documents of a hash chain, or a snapshot; heads: the next heartbeat is to '
  'name all hash chains.';
comment on column sync.request.subject is
  'The node whose operations they are, or the hash chain; 1>2 is chain >2 of node 1. For a snapshot the name '
  'under which central asked a store for it.';
comment on column sync.request.from_seq is 'The next to send.';
comment on column sync.request.to_seq is 'The last to send; null for all there are.';
comment on column sync.request.requested_at is
  'When it was requested. After an attempt that failed: when it is tried again.';

create table sync.outgoing (
  nth     bigint generated always as identity primary key,
  to_node integer not null,
  kind    text not null,
  body    text not null
);
create index outgoing_to_node on sync.outgoing (to_node, nth);
comment on table sync.outgoing is
  'Parts of snapshots that were prepared in one moment and are sent one by one, so that the '
  'receiver locks few rows at a time.';
comment on column sync.outgoing.nth is 'Their order.';
comment on column sync.outgoing.to_node is 'The receiver.';
comment on column sync.outgoing.kind is 'As in wire.resend.';
comment on column sync.outgoing.body is 'As in wire.resend.';

create table sync.snapshot (
  snapshot_id     uuid primary key,
  node_id         integer not null,
  covers          text not null default '{"vector":{}}',
  parts           integer not null default 0,
  digest          numeric(40,0) not null default 0,
  expected_parts  integer,
  expected_digest numeric(40,0),
  started_at      timestamptz not null default clock_timestamp(),
  part_at         timestamptz not null default clock_timestamp(),
  completed_at    timestamptz,
  ended_at        timestamptz
);
comment on table sync.snapshot is 'Snapshots that arrive or arrived here, and whether they are complete.';
comment on column sync.snapshot.snapshot_id is 'The snapshot.';
comment on column sync.snapshot.node_id is 'The node that sent it.';
comment on column sync.snapshot.covers is
  'The operations that it covers: {"vector": {"node": seq}, "beyond": [[node, from, to]]}.';
comment on column sync.snapshot.parts is 'How many parts have arrived.';
comment on column sync.snapshot.digest is 'The sum of their hashes.';
comment on column sync.snapshot.expected_parts is
  'How many parts there are; known when its end has arrived.';
comment on column sync.snapshot.expected_digest is 'The sum of the hashes of all parts.';
comment on column sync.snapshot.started_at is 'When the first part arrived.';
comment on column sync.snapshot.part_at is 'When the last part arrived.';
comment on column sync.snapshot.completed_at is 'When all parts had arrived and the sums agreed.';

comment on column sync.snapshot.ended_at is
  'When somebody ended it, or its time was over, before it was complete. Parts that come after that '
  'are not taken.';

create table sync.accepted_snapshot (
  snapshot_id uuid primary key,
  node_id     integer not null,
  after_seq   bigint not null,
  up_to_seq   bigint not null,
  at          timestamptz not null default clock_timestamp(),
  actor       text not null default sec.actor(),
  why         text not null check (why <> ''),
  ends_at     timestamptz not null,
  ended_at    timestamptz,
  ended_why   text
);
create unique index accepted_snapshot_open on sync.accepted_snapshot (node_id) where ended_at is null;
comment on table sync.accepted_snapshot is
  'Snapshots of stores that somebody at central asked for, with sync.accept_snapshot: central takes no '
  'other of a store.';
comment on column sync.accepted_snapshot.snapshot_id is 'The snapshot: the store sends it under this name.';
comment on column sync.accepted_snapshot.node_id is 'The store.';
comment on column sync.accepted_snapshot.after_seq is 'What central still has: its own operations up to this number.';
comment on column sync.accepted_snapshot.up_to_seq is
  'What it has forgotten, at most: its own operations up to this number. Nothing beyond it is taken.';
comment on column sync.accepted_snapshot.at is 'When it was asked for.';
comment on column sync.accepted_snapshot.actor is 'Who did it, by sec.actor().';
comment on column sync.accepted_snapshot.why is 'The reason. It names no person.';
comment on column sync.accepted_snapshot.ends_at is 'Parts that come after this moment are not taken.';
comment on column sync.accepted_snapshot.ended_at is 'When it was complete, was ended or was over; null while it is open.';
comment on column sync.accepted_snapshot.ended_why is 'Which of these.';

create table sync.snapshot_row (
  snapshot_id uuid not null references sync.snapshot,
  table_name  text not null,
  key         text not null,
  primary key (table_name, key, snapshot_id)
);
create index snapshot_row_snapshot on sync.snapshot_row (snapshot_id);
comment on table sync.snapshot_row is
  'Rows of snapshots that are not complete: an operation on one of them that the snapshot covers '
  'may still arrive, and is late.';
comment on column sync.snapshot_row.snapshot_id is 'The snapshot.';
comment on column sync.snapshot_row.table_name is 'The table.';
comment on column sync.snapshot_row.key is 'The key.';

-- Pruning

create table sync.pruned (
  node_id   integer primary key,
  seq       bigint not null default 0,
  next_seq  bigint not null default 1,
  gone      bigint not null default 0,
  looked_at timestamptz not null default '-infinity'
);
comment on table sync.pruned is
  'What left the journal: for each node up to which number operations may be missing in wire.op. '
  'All up to there are part of the rows here (sync.horizon), and a peer that asks for them gets a '
  'snapshot.';
comment on column sync.pruned.node_id is 'The node that decided.';
comment on column sync.pruned.seq is 'The number. Below it are heads, and what named a missing one.';
comment on column sync.pruned.next_seq is 'Where sync.prune_operations goes on.';
comment on column sync.pruned.gone is 'How many have left.';
comment on column sync.pruned.looked_at is 'When its operations were looked at last.';

create table sync.pruning (
  pruning_id bigint generated always as identity primary key,
  at         timestamptz not null default clock_timestamp(),
  what       text not null,
  gone       bigint not null
);
comment on table sync.pruning is 'What was removed since it was old and done, and when.';
comment on column sync.pruning.pruning_id is 'Key.';
comment on column sync.pruning.at is 'When.';
comment on column sync.pruning.what is 'The table.';
comment on column sync.pruning.gone is 'How many rows.';

-- include functions/sync/send.sql
-- include functions/sync/accept.sql
-- include functions/sync/snapshot.sql
-- include functions/sync/request.sql
-- include functions/sync/serve.sql
-- include functions/sync/drift.sql
-- include functions/sync/reconcile.sql
-- include functions/sync/prune.sql

-- Joining

-- include functions/sync/peer.sql
-- include functions/sync/statement.sql
-- include functions/sync/plan.sql
-- include functions/sync/restored.sql
-- include functions/sync/status.sql
-- include functions/sync/setup.sql

grant select on sync.peer, sync.peer_chain, sync.peer_vector, sync.refusal, sync.verified, sync.request, sync.snapshot,
  sync.accepted_snapshot, sync.pruned,
  sync.pruning to tpv_operator, tpv_analyst;
grant select on sync.drift, sync.accepted_drift to tpv_operator;
-- Without the reason that somebody gave who accepted it.
grant select (drift_id, node_id, what, subject, from_seq, to_seq, found_at, requested_at, resolved_at)
  on sync.drift to tpv_analyst;
grant select on sec.audit to tpv_operator;
-- Refused rows and details may hold data of customers. Analysts may count them, but not read them;
-- operators read journal.quarantine.
grant select (quarantine_id, at, node_id, doc_id, business_date, kind, seq, entire, code, resolved_at, tries, try_at)
  on sync.quarantine to tpv_operator, tpv_analyst;
grant select, update on sync.peer to tpv_apply;
grant select, insert, update on sync.peer_chain, sync.refusal to tpv_apply;
grant select, insert, update, delete on sync.peer_vector to tpv_apply;
grant select, insert, update, delete on sync.quarantine, sync.snapshot to tpv_apply;
grant select, insert, delete on sync.snapshot_row to tpv_apply;
grant insert on sec.audit to tpv_apply;
grant select, update on sync.accepted_snapshot to tpv_apply;
-- What a heartbeat says, and whether somebody has asked for all of it. To leave a row that somebody
-- has locked takes the right to change one column of it.
grant select, insert, update on sync.beat_counter to tpv_worker;
grant select on sync.verified to tpv_worker;
grant select, delete, update (requested_at) on sync.request to tpv_worker;
