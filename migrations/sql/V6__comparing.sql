-- Purpose: what is compared with peers, which of their rows are missing here, and what is sent again: operations,
--          documents, snapshots of all rows. What leaves the journal in the end.
-- Limits:  a node sends requests to its peers only. Central serves the operations of every node, a
--          store its own.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

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

create table sync.arrival (
  node_id integer not null,
  what    text not null check (what in ('operations', 'hash_chain')),
  subject text not null,
  at      timestamptz not null default clock_timestamp(),
  seq     bigint not null,
  primary key (node_id, what, subject, at)
);
comment on table sync.arrival is
  'At central: what of each store was here at which moment, by central''s own clock. The clock of a '
  'store that was stolen says what its thief likes.';
comment on column sync.arrival.node_id is 'The store.';
comment on column sync.arrival.what is 'operations, or the documents of a hash_chain.';
comment on column sync.arrival.subject is 'The hash chain, as in wire.doc; empty for operations.';
comment on column sync.arrival.at is
  'The moment. Of operations there is one in a minute in which some came, of a hash chain one a day.';
comment on column sync.arrival.seq is 'All up to this number were here.';

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
  what         text not null check (what in ('operations', 'hash_chain', 'snapshot', 'heads', 'own', 'own_documents')),
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
  'name all hash chains; own: what this node has of the peer''s own rows; own_documents: documents of '
  'the peer itself, which it has forgotten.';
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

-- begin functions/sync/send.sql
create or replace function sync.send(to_node integer, kind text, body text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  values (org.this_node(), send.to_node, tpv.hlc_now(), send.kind, send.body);
end;
comment on function sync.send(integer, text, text) is 'Sends one row of wire.resend to one peer.';
-- end functions/sync/send.sql
-- begin functions/sync/accept.sql
create or replace function sync.accept_snapshot(peer integer, why text, up_to bigint default null, alone boolean default false)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked uuid := tpv.uuid7();
  after_seq bigint;
  told bigint;
  reused bigint[];
begin
  if not exists (select from sync.peer p join org.node n on n.node_id = p.node_id
                  where p.node_id = accept_snapshot.peer and n.kind = 'store') then
    raise exception 'node % is no store that is a peer of this node', accept_snapshot.peer using errcode = '22023',
      hint = 'Central asks a store. A store gets its snapshots from central by itself.';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  -- No two at the same time.
  lock table tpv_lock.snapshot in exclusive mode;
  perform sync.end_overdue_snapshots();
  if exists (select from sync.accepted_snapshot a where a.node_id = accept_snapshot.peer and a.ended_at is null) then
    raise exception 'a snapshot of node % was asked for already', accept_snapshot.peer using errcode = '55000',
      hint = 'It is in sync.accepted_snapshot. sync.end_snapshot ends it.';
  end if;
  -- What was written here since under numbers of which stores have others is set aside. One that says
  -- so alone could have this node set aside what it likes.
  select array_agg(n.seq) into reused
    from sync.own_said s cross join lateral unnest(s.reused) as n (seq)
   where s.node_id = accept_snapshot.peer
     and (accept_snapshot.alone or (select count(*) from sync.peer) = 1
          or exists (select from sync.own_said o where o.node_id <> s.node_id and n.seq = any (o.reused)));
  if reused is not null then
    perform sync.set_aside_reused(reused, peer);
  end if;
  after_seq := coalesce((select k.seq from sync.contiguous() k where k.node_id = org.this_node()), 0);
  told := coalesce((select v.seq from sync.peer_vector v
                     where v.node_id = accept_snapshot.peer and v.writer_id = org.this_node()), 0);
  up_to := greatest(coalesce(up_to, told), after_seq);
  if up_to > after_seq + 10000000 then
    raise exception 'this node would have forgotten % operations', up_to - after_seq using errcode = '22023',
      detail = format('The store says that it has those of this node up to %s; here they are up to %s.', told, after_seq),
      hint = 'No server forgets so many. If the store is believed all the same, give up_to, and ask for less at a time.';
  end if;
  insert into sync.accepted_snapshot (snapshot_id, node_id, after_seq, up_to_seq, why, ends_at)
  values (asked, accept_snapshot.peer, after_seq, up_to, accept_snapshot.why, clock_timestamp() + interval '1 hour');
  insert into sec.audit (event, subject, detail)
  values ('SNAPSHOT_ACCEPTED', format('node %s', accept_snapshot.peer), accept_snapshot.why);
  perform sync.request(accept_snapshot.peer, json_build_array(json_build_object('what', 'snapshot', 'subject', asked)));
  return format('asked node %s for what it decided, and for this node''s operations %s to %s; within an hour',
                accept_snapshot.peer, after_seq + 1, up_to);
end $$;
comment on function sync.accept_snapshot(integer, text, bigint, boolean) is
  'At central that was restored: asks a store for a snapshot, and takes it, once and within an hour. Of it '
  'are taken what the store decided, and what this node decided and has forgotten, up to up_to; if that is '
  'not given, up to where the store says. What this node has decided since under numbers of which two '
  'stores have others is set aside (sync.own_said); with alone, what this store says is enough.';

create or replace function sync.end_snapshot(snapshot_id uuid, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  of_node integer;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  select l.node_id into of_node from sync.snapshot l
   where l.snapshot_id = end_snapshot.snapshot_id and l.completed_at is null and l.ended_at is null;
  of_node := coalesce(of_node, (select a.node_id from sync.accepted_snapshot a
                                 where a.snapshot_id = end_snapshot.snapshot_id and a.ended_at is null));
  if of_node is null then
    raise exception 'no snapshot of that name is on its way' using errcode = 'P0002',
      hint = 'They are in sync.snapshot, where completed_at is null, and in sync.accepted_snapshot.';
  end if;
  perform sync.note_end(end_snapshot.snapshot_id, of_node, end_snapshot.why);
  insert into sec.audit (event, subject, detail) values ('SNAPSHOT_ENDED', format('node %s', of_node), end_snapshot.why);
end $$;
comment on function sync.end_snapshot(uuid, text) is
  'Ends a snapshot that is on its way and hangs: no more of it is taken. What it has brought stays. A store '
  'asks central for another with sync.request.';
grant execute on function sync.end_snapshot(uuid, text) to tpv_operator;

create or replace function sync.note_end(snapshot_id uuid, of_node integer, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- One that has not begun is noted too, so that its first part is not taken.
  insert into sync.snapshot as l (snapshot_id, node_id, ended_at) values (note_end.snapshot_id, note_end.of_node, clock_timestamp())
  on conflict on constraint snapshot_pkey do update set ended_at = excluded.ended_at where l.completed_at is null;
  delete from sync.snapshot_row r where r.snapshot_id = note_end.snapshot_id;
  update sync.accepted_snapshot a set ended_at = clock_timestamp(), ended_why = note_end.why
   where a.snapshot_id = note_end.snapshot_id and a.ended_at is null;
end;
comment on function sync.note_end(uuid, integer, text) is
  'Notes that no more of a snapshot is taken. Callers use sync.end_snapshot.';

create or replace function sync.end_overdue_snapshots() returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with overdue as (
    select a.snapshot_id, a.node_id from sync.accepted_snapshot a where a.ended_at is null and a.ends_at < clock_timestamp()
  ), ended as (
    select sync.note_end(o.snapshot_id, o.node_id, 'its time was over') from overdue o
  )
  select count(*)::integer from ended
$$;
comment on function sync.end_overdue_snapshots() is
  'Ends the snapshots of stores whose time is over.';
-- end functions/sync/accept.sql
-- begin functions/sync/snapshot.sql
create or replace function sync.send_snapshot(to_node integer, asked uuid default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  sent bigint;
begin
  -- One after the other, so that their parts do not mix.
  lock table tpv_lock.snapshot in exclusive mode;
  perform sync.end_overdue_snapshots();
  if exists (select from sync.snapshot l where l.completed_at is null and l.ended_at is null) then
    raise exception 'an incoming snapshot is not complete yet'
      using errcode = '55000',
        hint = 'It is in sync.snapshot, where completed_at is null. Wait for the rest of it, or end it with sync.end_snapshot.';
  end if;
  -- Central takes nothing of a third node from a store. What central itself decided it takes, to where nothing
  -- is missing.
  if not is_central and exists (
    select from wire.op o left join sync.contiguous() k on k.node_id = o.node_id
     where o.node_id = send_snapshot.to_node and o.seq > coalesce(k.seq, 0)) then
    raise exception 'operations of node % are here beyond a gap, and a store cannot pass them on', to_node
      using errcode = '55000', hint = 'Wait until the gap is filled. sync.contiguous() shows it.';
  end if;
  -- One statement sees one moment: the heads of all rows, and which operations went into them.
  with known as (
    select k.node_id, k.seq from sync.contiguous() k
  ), unread as (
    -- Operations that this version cannot read. They are in the journal and in no heads, so the
    -- snapshot does not cover them; the receiver may be able to read them.
    select o.* from sync.quarantine q join wire.op o on o.node_id = q.node_id and o.seq = q.seq
     where q.code like 'OPERATION%' and q.code <> 'OPERATION_KEY' and q.resolved_at is null
  ), beyond as (
    -- Operations beyond a gap. They are sent as operations as well, and first: they may name what
    -- is in the gap.
    select o.* from wire.op o left join known k on k.node_id = o.node_id where o.seq > coalesce(k.seq, 0)
     and not exists (select from unread u where u.node_id = o.node_id and u.seq = o.seq)
  ), every_range as (
    select b.what, b.node_id, min(b.seq) as from_seq, max(b.seq) as to_seq
      from (select o.what, o.node_id, o.seq, o.seq - row_number() over (partition by o.what, o.node_id order by o.seq) as place
              from (select 'beyond' as what, e.node_id, e.seq from beyond e
                    union all
                    select 'without', u.node_id, u.seq from unread u) o) b
     group by b.what, b.node_id, b.place
  ), range as (
    -- Every part names them. Of a node with very many gaps the rest is left out, and comes again by
    -- comparing; until then a value that was replaced there may stand beside the one that replaced it.
    select f.* from (select e.*, row_number() over (partition by e.what, e.node_id order by e.from_seq) as nth
                       from every_range e) f
     where f.what = 'without' or f.nth <= 1000
  ), knows as (
    select (select coalesce(json_object_agg(k.node_id, k.seq order by k.node_id), '{}') from known k) as vector,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r where r.what = 'beyond') as beyond,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r where r.what = 'without') as without
  ), snapshot as (
    select coalesce(send_snapshot.asked, tpv.uuid7()) as snapshot_id
  ), entity as (
    select json_build_array(h.table_name, h.key, h.heads::json) as item,
           -- Policies first: the rest is then chosen once. At most 500 rows or some megabytes: a peer
           -- refuses a part that is too large.
           array[(row_number() over sized - 1) / 500, sum(octet_length(h.heads)) over sized / 4000000] as part
      from sync.head h
     -- A row without heads has merged nothing.
     where h.heads <> '{}'
    window sized as (order by h.table_name <> 'sync.policy', h.table_name, h.key)
  ), part as materialized (
    select t.part, (select json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
                                             'without', w.without, 'rows', json_agg(t.item))::text
                      from snapshot l cross join knows w) as body
      from entity t group by t.part
  ), operation as (
    -- A node gets its own operations from nobody, and central those of a store from nobody but that store.
    select b.*, array[(row_number() over sized - 1) / 500, sum(octet_length(b.patch) + octet_length(b.base)) over sized / 4000000]
             as part
      from (select e.* from beyond e
             where exists (select from range r
                            where r.what = 'beyond' and r.node_id = e.node_id and e.seq between r.from_seq and r.to_seq)
            union all select * from unread) b
     where b.node_id <> send_snapshot.to_node and (is_central or b.node_id = here)
    window sized as (order by b.node_id, b.seq)
  ), message (step, nth, kind, body) as (
    select 1, o.part, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base) order by o.node_id, o.seq))::text
      from operation o group by o.part
    union all
    select 2, p.part, 'snapshot', p.body from part p
    union all
    select 3, array[0, 0]::bigint[], 'snapshot_end', json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
             'without', w.without,
             'parts', (select count(*) from part),
             'digest', (select coalesce(sum(hashtextextended(p.body, 0)::numeric), 0) from part p)::text)::text
      from snapshot l cross join knows w
  ), written as (
    insert into sync.outgoing (to_node, kind, body)
    select send_snapshot.to_node, m.kind, m.body from message m order by m.step, m.nth
    returning 1
  )
  select count(*) into sent from written;
  return sent;
end $$;
comment on function sync.send_snapshot(integer, uuid) is
  'Prepares a snapshot of all tracked rows for a peer, with the operations that it covers; the '
  'background worker sends it. Returns how many rows of sync.outgoing it made. asked is the name under '
  'which central asked a store for it.';
-- end functions/sync/snapshot.sql
-- begin functions/sync/request.sql
create or replace function sync.request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.send(request.peer, 'request', json_build_object('wants', request.wants)::text);
end;
comment on function sync.request(integer, json) is
  'Requests rows from a peer: [{"what": "hash_chain", "subject": "T01", "from": 12, "to": 20}, …].';

create or replace function sync.request_heads() returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with free as (
    -- A row that somebody has is left for the next time: the background worker waits for nobody.
    select p.node_id from sync.peer p
     where p.beat_hlc is distinct from p.whole_hlc
       and coalesce(p.heads_requested_at < clock_timestamp() - interval '50 seconds', true)
       for update skip locked
  ), missed as (
    update sync.peer p set heads_requested_at = clock_timestamp() from free f where p.node_id = f.node_id
    returning p.node_id
  ), requested as (
    select sync.request(m.node_id, json_build_array(json_build_object('what', 'heads'))) from missed m
  )
  select count(*)::integer from requested
$$;
comment on function sync.request_heads() is
  'Asks each peer of which a heartbeat is missing here to name all its hash chains in its next one; '
  'again after 50 seconds. Returns how many were asked. The background worker calls it.';
grant execute on function sync.request_heads() to tpv_worker;

create or replace function sync.request_all(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.request(request_all.peer, json_build_array(
    json_build_object('what', 'operations', 'subject', request_all.peer::text,
                      'from', coalesce((select k.seq from sync.contiguous() k where k.node_id = request_all.peer), 0) + 1),
    json_build_object('what', 'hash_chain', 'subject', '*'),
    json_build_object('what', 'documents')));
end;
comment on function sync.request_all(integer) is
  'Requests from a peer everything of its own that may be missing here.';

-- Both go from chain to chain along an index. Reading sync.hash_chain would be quicker, but
-- documents must be found even if the head of their chain is lost.
create or replace function sync.own_hash_chains() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive own (chain) as (
    select min(d.chain) from wire.doc d where d.node_id = org.this_node()
    union all
    select (select min(d.chain) from wire.doc d where d.node_id = org.this_node() and d.chain > own.chain)
      from own where own.chain is not null
  )
  select own.chain from own where own.chain is not null;
end;
comment on function sync.own_hash_chains() is 'The hash chains of the documents that this node wrote.';

create or replace function sync.addressed_hash_chains(to_node integer) returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive first (node_id, chain) as (
    select d.node_id, d.chain from wire.doc d where d.to_node = addressed_hash_chains.to_node order by 1, 2 limit 1
  ), addressed (node_id, chain) as (
    select f.node_id, f.chain from first f
    union all
    select n.node_id, n.chain
      from addressed a
     cross join lateral (
       select d.node_id, d.chain from wire.doc d
        where d.to_node = addressed_hash_chains.to_node and (d.node_id, d.chain) > (a.node_id, a.chain)
        order by 1, 2 limit 1) n
  )
  select case when a.node_id = org.this_node() then a.chain else a.node_id || a.chain end from addressed a;
end;
comment on function sync.addressed_hash_chains(integer) is
  'The hash chains of the documents here that are addressed to a node, as this node calls them.';

create or replace function sync.receive_request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.request as r (node_id, what, subject, from_seq, to_seq)
  select receive_request.peer, w.what, w.subject, min(w.from_seq),
         nullif(max(coalesce(w.to_seq, 9223372036854775807)), 9223372036854775807)
    from (
      select w.what,
             case when w.what not in ('snapshot', 'heads') then w.subject
                  -- Central names the snapshot that it asks a store for.
                  when w.what = 'snapshot' and c.asks and w.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then w.subject
                  else '' end as subject,
             coalesce(w."from", 1) as from_seq, w."to" as to_seq
        from json_to_recordset(receive_request.wants) as w (what text, subject text, "from" bigint, "to" bigint)
       cross join (select exists (select from org.node n
                                   where n.node_id = receive_request.peer and n.kind = 'central') as asks,
                           exists (select from org.node n
                                    where n.node_id = org.this_node() and n.kind = 'central') as is_central) c
       -- Only what is here, so that a peer cannot fill the table.
       where w.what in ('snapshot', 'heads')
          or (w.what = 'own_documents' and c.is_central
              and exists (select from wire.doc d where d.node_id = receive_request.peer and d.chain = w.subject))
          or (w.what = 'hash_chain' and w.subject is distinct from '*'
              and exists (select from tpv.hash_chain_called(w.subject, org.this_node()) c
                          join wire.doc d on d.node_id = c.writer_id and d.chain = c.chain))
          or (w.what = 'operations' and w.subject in (select k.node_id::text from sync.contiguous() k))
      union all
      -- Chain by chain, so that each is sent in parts.
      select 'hash_chain', c.chain, 1, null
        from json_to_recordset(receive_request.wants) as w (what text, subject text)
       cross join lateral (
         select o.chain from sync.own_hash_chains() o (chain) where w.what = 'hash_chain' and w.subject = '*'
         union all
         select a.chain from sync.addressed_hash_chains(receive_request.peer) a (chain) where w.what = 'documents') c
    ) w
   group by 2, 3
  on conflict (node_id, what, subject) do update
    set from_seq = least(r.from_seq, excluded.from_seq),
        to_seq = case when r.to_seq is null or excluded.to_seq is null then null else greatest(r.to_seq, excluded.to_seq) end;
end;
comment on function sync.receive_request(integer, json) is
  'Puts the requests of a peer into sync.request. Hash chain * is each chain that this node writes; '
  'documents are those that are addressed to the peer.';
grant execute on function sync.receive_request(integer, json) to tpv_apply;
-- end functions/sync/request.sql
-- begin functions/sync/serve.sql
create or replace function sync.snapshot_was_sent(to_node integer, writer text, seq bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with sent as materialized (
    select s.body from wire.resend s
     where s.node_id = org.this_node() and s.to_node = snapshot_was_sent.to_node and s.kind = 'snapshot_end'
       and tpv.hlc_time(s.hlc) > clock_timestamp() - interval '5 minutes'
  )
  select exists (
    select from sent s
     where (s.body::json -> 'vector' ->> snapshot_was_sent.writer)::bigint >= snapshot_was_sent.seq);
end;
comment on function sync.snapshot_was_sent(integer, text, bigint) is
  'Whether a snapshot that covers this operation went to a peer in the last five minutes, so that it '
  'may still be on its way. A peer that asks after that gets another one.';

create or replace function sync.serve_request(wanted sync.request, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  last_seq bigint;
  writer integer;
  name text;
  sent integer := 0;
begin
  if not exists (select from sync.peer p where p.node_id = wanted.node_id) then
    delete from sync.request r where r.node_id = wanted.node_id;
    return 0;
  end if;
  -- Central believes no snapshot of a store that it has not asked for, so a store sends what it has.
  if wanted.what = 'operations' and is_central
     and wanted.from_seq <= (select h.seq from sync.horizon h where h.node_id::text = wanted.subject)
     and (wanted.from_seq <= (select p.seq from sync.pruned p where p.node_id::text = wanted.subject)
          or not exists (select from wire.op o where o.node_id = wanted.subject::integer and o.seq = wanted.from_seq)) then
    -- It came here in a snapshot, or left the journal, and can only be passed on in a snapshot.
    if sync.snapshot_was_sent(wanted.node_id, wanted.subject, wanted.from_seq) then
      -- It is on its way. The peer asks again if it lacks them all the same.
      delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
      return 1;
    end if;
    -- One snapshot has the operations of all writers.
    delete from sync.request r where r.node_id = wanted.node_id and r.what in ('operations', 'snapshot');
    wanted.what := 'snapshot';
  end if;
  if wanted.what = 'snapshot' then
    if is_central and sync.is_restored() then
      -- What it decided a second time, under numbers that were given, must not go to a store as its state.
      insert into sync.request as r (node_id, what, subject, requested_at)
      values (wanted.node_id, 'snapshot', wanted.subject, clock_timestamp() + interval '5 seconds')
      on conflict (node_id, what, subject) do update set requested_at = excluded.requested_at;
      return 1;
    end if;
    if is_central and exists (
         select from sync.served s
                where s.node_id = wanted.node_id and s.snapshot_at > clock_timestamp() - interval '5 minutes') then
      -- It had one a moment ago, of all rows. What it lacks all the same it asks for again.
      insert into sync.request as r (node_id, what, subject, requested_at)
      select wanted.node_id, 'snapshot', wanted.subject, s.snapshot_at + interval '5 minutes' from sync.served s where s.node_id = wanted.node_id
      on conflict (node_id, what, subject) do update set requested_at = excluded.requested_at;
      return 1;
    end if;
    -- Central names the one that it asks for.
    sent := sync.send_snapshot(wanted.node_id,
                               case when wanted.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then wanted.subject::uuid end);
    update sync.served s set snapshot_at = clock_timestamp() where s.node_id = wanted.node_id;
  elsif wanted.what = 'operations' and (is_central or wanted.subject = here::text) then
    with part as (
      -- At most 500 operations or some megabytes.
      select o.*, array[(row_number() over sized - 1) / 500,
                        sum(octet_length(o.patch) + octet_length(o.base)) over sized / 4000000] as part from (
        select * from wire.op o
         where o.node_id = wanted.subject::integer and o.seq >= wanted.from_seq
           and (wanted.to_seq is null or o.seq <= wanted.to_seq)
         order by o.seq limit most) o
      window sized as (order by o.seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'operations',
             json_build_object('operations', json_agg(json_build_array(
               p.node_id, p.seq, p.hlc, p.table_name, p.key, p.patch, p.base) order by p.seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.seq) into sent, last_seq from part p;
  elsif wanted.what = 'own' then
    -- It is small, and one row.
    perform sync.send(wanted.node_id, 'own', sync.what_it_has(wanted.node_id, wanted.from_seq)::text);
  elsif wanted.what in ('hash_chain', 'own_documents') then
    -- Beforehand: only values that the planner takes for constants lead it along the index.
    if wanted.what = 'hash_chain' then
      select c.writer_id, c.chain into writer, name from tpv.hash_chain_called(wanted.subject, here) c;
    else
      writer := wanted.node_id;
      name := wanted.subject;
    end if;
    with part as (
      -- At most 100 documents or a megabyte; one that is larger goes alone.
      select d.*, (row_number() over chain - 1) / 100 as hundred,
             (sum(octet_length(d.body)) over chain - octet_length(d.body)) / 1000000 as megabyte
        from (
        select d.*, false as is_second from wire.doc d
         where d.node_id = writer and d.chain = name and d.chain_seq >= wanted.from_seq and (wanted.to_seq is null or d.chain_seq <= wanted.to_seq)
           and (wanted.what = 'hash_chain' or is_central)
           -- A store gives central all that it writes. Central gives a store what is addressed to
           -- it.
           and (not is_central or d.to_node = wanted.node_id or wanted.what = 'own_documents')
           and (is_central or d.node_id = here)
        union all
        -- The same document in another place: see sync.second_place.
        select d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, s.hlc, d.schema_version, s.chain, s.chain_seq, s.prev_hash,
               d.body, s.content_hash, true
          from sync.second_place s
          join wire.doc d on d.node_id = s.node_id and d.doc_id = s.doc_id and d.business_date = s.business_date
         where s.node_id = writer and s.chain = name and s.chain_seq >= wanted.from_seq
           and (wanted.to_seq is null or s.chain_seq <= wanted.to_seq) and (wanted.what = 'own_documents') = is_central
         order by chain_seq limit most) d
      window chain as (order by d.chain_seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), case wanted.what when 'hash_chain' then 'documents' else 'own_documents' end,
             json_build_object('documents', json_agg(json_build_object(
               'node_id', p.node_id, 'doc_id', p.doc_id, 'business_date', p.business_date, 'kind', p.kind,
               'to_node', p.to_node, 'hlc', p.hlc, 'schema_version', p.schema_version, 'chain', p.chain,
               'chain_seq', p.chain_seq, 'prev_hash', p.prev_hash, 'body', p.body, 'content_hash', p.content_hash,
               'second', case when p.is_second then true end) order by p.chain_seq))::text
        from part p group by p.hundred, p.megabyte order by p.hundred, p.megabyte
    )
    select count(*), max(p.chain_seq) into sent, last_seq from part p;
  end if;
  if wanted.what in ('operations', 'hash_chain', 'own_documents') and sent = most then
    update sync.request r set from_seq = last_seq + 1
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  else
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  end if;
  return greatest(sent, 1);
end $$;
comment on function sync.serve_request(sync.request, integer) is
  'Sends the next part of what a peer requested.';

create or replace function sync.serve_requests(most integer default 2000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- Central sends a store no more than this in five minutes. What somebody needs after months comes
  -- in a snapshot. A store sends central all that it has.
  most_bytes bigint := case when exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central')
                            then 256000000 else 9000000000000000000 end;
  turn integer;
  wanted sync.request;
  sent integer;
  began pg_lsn := pg_current_wal_insert_lsn();
begin
  update sync.served s set bytes = 0, bytes_since = clock_timestamp()
   where s.bytes > 0 and s.bytes_since < clock_timestamp() - interval '5 minutes';
  -- The peers take turns: whoever asks for more and more waits for the others.
  select p.node_id into turn
    from sync.peer p left join sync.served s on s.node_id = p.node_id
   where exists (select from sync.outgoing o where o.to_node = p.node_id)
      or exists (select from sync.request r
                  where r.node_id = p.node_id and r.requested_at <= clock_timestamp() and r.what <> 'heads'
                    and coalesce(s.bytes, 0) < most_bytes)
   order by s.served_at nulls first, p.node_id limit 1;
  if not found then
    delete from sync.outgoing o where not exists (select from sync.peer p where p.node_id = o.to_node);
    return 0;
  end if;
  insert into sync.served as s (node_id, served_at) values (turn, clock_timestamp())
  on conflict (node_id) do update set served_at = excluded.served_at;
  with part as (
    delete from sync.outgoing o where o.nth = (select min(f.nth) from sync.outgoing f where f.to_node = turn)
    returning o.to_node, o.kind, o.body
  )
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  select org.this_node(), p.to_node, tpv.hlc_now(), p.kind, p.body from part p;
  if found then
    return 1;
  end if;
  -- Operations before documents: a receipt waits in quarantine until the operation that tells of
  -- its store is here.
  select * into wanted from sync.request r
   where r.node_id = turn and r.requested_at <= clock_timestamp() and r.what <> 'heads'
     and exists (select from sync.served s where s.node_id = turn and s.bytes < most_bytes)
   order by r.what = 'own' desc, r.what = 'snapshot' desc, r.what = 'operations' desc, r.requested_at limit 1 for update skip locked;
  if not found then
    -- It is just being repeated, or the peer has had enough.
    return 1;
  end if;
  begin
    sent := sync.serve_request(wanted, serve_requests.most);
    update sync.served s set bytes = s.bytes + pg_wal_lsn_diff(pg_current_wal_insert_lsn(), began)::bigint where s.node_id = turn;
    return sent;
  exception when others then
    -- A request that cannot be served must not keep the background worker from the others, nor from
    -- heartbeats.
    raise warning 'the request of node % could not be served: %', wanted.node_id, sqlerrm;
    update sync.request r set requested_at = clock_timestamp() + interval '1 minute'
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    return 1;
  end;
end $$;
comment on function sync.serve_requests(integer) is
  'Sends the next part of what peers requested, to each in turn. Returns 0 if there was nothing to '
  'send. The background worker calls it.';
grant execute on function sync.serve_requests(integer) to tpv_worker;
-- end functions/sync/serve.sql
-- begin functions/sync/drift.sql
create or replace function sync.accept_drift(drift_id bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  accepted sync.drift;
begin
  update sync.drift d
     set resolved_at = clock_timestamp(), detail = d.detail || format(' (accepted by %s: %s)', sec.actor(), accept_drift.why)
   where d.drift_id = accept_drift.drift_id and d.resolved_at is null
  returning * into accepted;
  if not found then
    raise exception 'there is no open difference with that number'
      using errcode = 'P0002', hint = 'Open differences are in sync.drift, where resolved_at is null.';
  end if;
  insert into sync.accepted_drift (node_id, what, subject, from_seq, to_seq, why)
  values (accepted.node_id, accepted.what, accepted.subject, accepted.from_seq, accepted.to_seq, accept_drift.why);
  -- Operations that are missing stay missing: if they come after all, they are taken.
  if accepted.what in ('hash_chain', 'broken') then
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select c.writer_id, c.chain, c.chain_seq, c.hash
      from sync.peer_chain c
     where c.node_id = accepted.node_id and c.name = accepted.subject
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = clock_timestamp();
  end if;
  insert into sec.audit (event, subject, detail)
  values ('DRIFT_ACCEPTED', format('node %s, %s %s', accepted.node_id, accepted.what, accepted.subject), accept_drift.why);
end $$;
comment on function sync.accept_drift(bigint, text) is
  'Accepts a difference that somebody has looked at: comparing continues after it, and '
  'verified_until moves on. Nothing is forgotten: what comes of it later is taken.';
grant execute on function sync.accept_drift(bigint, text) to tpv_operator;

create or replace function sync.compared_until() returns table (node_id integer, seq bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  passed bigint;
begin
  for node_id, seq in select k.node_id, k.seq from sync.contiguous() k loop
    -- Over what was accepted, and on along what is here.
    loop
      select max(a.to_seq) into passed from sync.accepted_drift a
       where a.what = 'operations' and a.subject = compared_until.node_id::text
         and a.from_seq <= compared_until.seq + 1 and a.to_seq > compared_until.seq;
      exit when passed is null;
      seq := passed + (
        select count(*) from (
          select o.seq, row_number() over (order by o.seq) as place from wire.op o
           where o.node_id = compared_until.node_id and o.seq > passed) beyond
         where beyond.seq = passed + beyond.place);
    end loop;
    return next;
  end loop;
  -- Of a node of which nothing is here.
  for node_id, seq in
    select a.subject::integer, max(a.to_seq) from sync.accepted_drift a
     where a.what = 'operations' and a.from_seq = 1
       and not exists (select from sync.contiguous() k where k.node_id::text = a.subject)
     group by a.subject
  loop
    return next;
  end loop;
end $$;
comment on function sync.compared_until() is
  'For each node the number up to which its operations are here, or were accepted as missing '
  '(sync.accept_drift).';
-- end functions/sync/drift.sql
-- begin functions/sync/arrival.sql
create or replace function sync.note_arrivals(node integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.arrival (node_id, what, subject, seq)
  select note_arrivals.node, h.what, h.subject, h.seq
    from (select 'operations' as what, '' as subject, k.seq, interval '0' as pause
            from sync.contiguous() k where k.node_id = note_arrivals.node
          union all
          select 'hash_chain', v.chain, v.chain_seq, interval '1 day'
            from sync.verified v where v.node_id = note_arrivals.node) h
    left join lateral (
      select a.seq, a.at from sync.arrival a
       where a.node_id = note_arrivals.node and a.what = h.what and a.subject = h.subject
       order by a.at desc limit 1) last on true
   where last.at is null or (last.seq <> h.seq and last.at <= clock_timestamp() - h.pause)
  on conflict do nothing;
end;
comment on function sync.note_arrivals(integer) is
  'Notes up to which number operations and documents of a store are here now, where that has changed. '
  'Central does so each minute when it compares itself with the store.';

create or replace function sync.written_from(node integer, since timestamptz) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(
    (select a.seq + 1 from sync.arrival a
      where a.node_id = written_from.node and a.what = 'operations' and a.at <= written_from.since
      order by a.at desc limit 1),
    1);
end;
comment on function sync.written_from(integer, timestamptz) is
  'The first operation of a store that was not here at a moment, by central''s clock (sync.arrival): all '
  'from it on may have been written after that moment, whatever their stamps say. Where nothing of that '
  'moment or before was noted, all may be: from 1 on.';

create or replace function sync.documents_written(node integer, since timestamptz)
returns table (doc_id uuid, kind text, chain text, chain_seq bigint, hlc bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with chain as (
    select distinct d.chain from wire.doc d where d.node_id = documents_written.node
  ), start as (
    select c.chain, coalesce(
             (select a.seq + 1 from sync.arrival a
               where a.node_id = documents_written.node and a.what = 'hash_chain' and a.subject = c.chain
                 and a.at <= documents_written.since
               order by a.at desc limit 1),
             -- A hash chain of which nothing was noted by then is new, or may be.
             1) as from_seq
      from chain c
  )
  select d.doc_id, d.kind, d.chain, d.chain_seq, d.hlc
    from start s
    join wire.doc d on d.node_id = documents_written.node and d.chain = s.chain
     -- One before the beginning of its hash chain is in no place that was compared.
     and (d.chain_seq >= s.from_seq or d.chain_seq < 1)
   order by d.chain, d.chain_seq;
end;
comment on function sync.documents_written(integer, timestamptz) is
  'The documents of a store that were not here at a moment, as for sync.written_from. What was here of '
  'a hash chain is noted once a day, so there may be some of the day before.';
-- end functions/sync/arrival.sql
-- begin functions/sync/reconcile.sql
create or replace function sync.follow_hash_chains(of_peer sync.peer) returns jsonb
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  with head as (
    select c.name, c.writer_id, c.chain, c.chain_seq as head_seq, c.hash as head_hash,
           coalesce(v.chain_seq, 0) as from_seq, coalesce(v.hash, decode(repeat('00', 32), 'hex')) as from_hash
      from sync.peer_chain c
      left join sync.verified v on v.node_id = c.writer_id and v.chain = c.chain
     where c.node_id = of_peer.node_id
       -- Most chains were followed to their heads before.
       and (c.chain_seq, c.hash) is distinct from (v.chain_seq, v.hash)
     -- Of a peer that names very many, some at a time, in no order: each has its turn.
     order by case when (select count(*) from sync.peer_chain o where o.node_id = of_peer.node_id) > 5000 then random() end
     limit 5000
  ), followed as materialized (
    select h.name, h.writer_id, h.chain, h.head_seq, h.head_hash, h.from_seq, f.seq, f.hash, f.broken
      from head h
      left join lateral tpv.follow_hash_chain(h.writer_id, h.chain, h.from_seq, h.from_hash, h.head_seq) f
        on h.head_seq >= h.from_seq
  ), stored as (
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select f.writer_id, f.chain, f.seq, f.hash from followed f where f.seq > f.from_seq
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at
  )
  select coalesce(jsonb_agg(jsonb_build_object(
           'chain', f.name, 'head_seq', f.head_seq, 'head_hash', encode(f.head_hash, 'hex'), 'from_seq', f.from_seq,
           'followed', case when f.seq is not null then
                         jsonb_build_object('seq', f.seq, 'hash', encode(f.hash, 'hex'), 'broken', f.broken) end,
           'next_seq', (select min(d.chain_seq) from wire.doc d
                         where d.node_id = f.writer_id and d.chain = f.chain
                           and d.chain_seq > f.seq and d.chain_seq <= f.head_seq)) order by f.name), '[]')
    from followed f;
end;
comment on function sync.follow_hash_chains(sync.peer) is
  'Follows the hash chains that a peer sends from where they were followed before to the heads that '
  'it named, link by link. Stores in sync.verified how far it came, and returns it.';

create or replace function sync.compare_with(of_peer sync.peer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  began timestamptz := clock_timestamp();
  is_central boolean;
  facts jsonb;
  differences integer;
  wants json;
  -- More hash chains than are followed at once.
  is_partly boolean := (
    select count(*) > 5000 from sync.peer_chain c left join sync.verified v on v.node_id = c.writer_id and v.chain = c.chain
     where c.node_id = of_peer.node_id and (c.chain_seq, c.hash) is distinct from (v.chain_seq, v.hash));
begin
  select n.kind = 'central' into is_central from org.node n where n.node_id = of_peer.node_id;
  facts := jsonb_build_object(
    'this_node', org.this_node(),
    'peer', of_peer.node_id,
    'peer_is_central', is_central,
    'reported', (select coalesce(jsonb_object_agg(v.writer_id, v.seq), '{}') from sync.peer_vector v where v.node_id = of_peer.node_id),
    'here', (select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') from sync.compared_until() k),
    'chains', sync.follow_hash_chains(of_peer),
    'open', (select coalesce(jsonb_agg(jsonb_build_object(
                      'what', d.what, 'subject', d.subject, 'from_seq', d.from_seq,
                      'waited_ms', (extract(epoch from began - d.requested_at) * 1000)::bigint)), '[]')
               from sync.drift d where d.node_id = of_peer.node_id and d.resolved_at is null));

  with found as materialized (
    select f.what, f.subject, f.from_seq, f.to_seq, f.detail, f.request from tpv.peer_differences(facts) f
     -- Operations that were accepted as missing are none, see sync.compared_until.
     where not exists (select from sync.accepted_drift a
                        where a.node_id = of_peer.node_id and a.what = f.what and a.what = 'restored' and a.subject = f.subject
                          and a.from_seq <= f.from_seq and a.to_seq >= f.to_seq)
  ), noted as (
    insert into sync.drift as d (node_id, what, subject, from_seq, to_seq, detail, requested_at)
    select of_peer.node_id, f.what, f.subject, f.from_seq, f.to_seq, f.detail,
           case when f.request in ('rows', 'snapshot', 'coming') then clock_timestamp() end
      from found f
    on conflict (node_id, what, subject) where resolved_at is null do update
      set from_seq = excluded.from_seq, to_seq = excluded.to_seq, detail = excluded.detail,
          requested_at = coalesce(excluded.requested_at, d.requested_at)
  ), gone as (
    update sync.drift d set resolved_at = clock_timestamp()
     where d.node_id = of_peer.node_id and d.resolved_at is null
       and not exists (select from found f where f.what = d.what and f.subject = d.subject)
       and not (is_partly and d.what in ('hash_chain', 'broken'))
  )
  select count(*),
         json_agg(case f.request
                    when 'rows'
                    then json_build_object('what', f.what, 'subject', f.subject, 'from', f.from_seq, 'to', f.to_seq)
                    else json_build_object('what', 'snapshot')
                  end) filter (where f.request in ('rows', 'snapshot'))
    into differences, wants
    from found f;
  if wants is not null then
    perform sync.request(of_peer.node_id, wants);
  end if;

  -- What is here without a gap need not be counted again.
  insert into sync.horizon as h (node_id, seq)
  select k.node_id, k.seq from sync.contiguous() k left join sync.horizon o on o.node_id = k.node_id
   where k.seq > coalesce(o.seq, 0)
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;

  if not is_central then
    perform sync.note_arrivals(of_peer.node_id);
  end if;

  if of_peer.whole_hlc is distinct from of_peer.beat_hlc then
    -- A heartbeat is missing, so what the peer wrote last in a hash chain may not be known. It is
    -- asked (sync.request_heads).
    differences := differences + 1;
  end if;
  if is_partly then
    differences := differences + 1;
  end if;
  return differences;
end $$;
comment on function sync.compare_with(sync.peer) is
  'Compares what a peer reported in its heartbeats with what is here (tpv.peer_differences '
  'decides), records the differences in sync.drift and requests what is missing. Returns how many '
  'differences there are; a missing heartbeat counts as one.';

create or replace function sync.note_verified(as_compared sync.peer) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with free as (
    select p.node_id from sync.peer p where p.node_id = as_compared.node_id for update skip locked
  )
  update sync.peer p
     set verified_until = as_compared.low_water, verified_at = clock_timestamp(),
         received_until = greatest(p.received_until, as_compared.low_water),
         -- What a store said of before it joined holds as far as it is here.
         joined_seq = case when p.verified_at is null and exists (
                             select from org.node n where n.node_id = p.node_id and n.kind = 'store')
                           then least(p.joined_seq, coalesce((select k.seq from sync.contiguous() k where k.node_id = p.node_id), 0))
                           else p.joined_seq end,
         gap_beat = case when p.gap_beat > as_compared.beat then p.gap_beat end
    from free f where p.node_id = f.node_id
$$;
comment on function sync.note_verified(sync.peer) is
  'Notes that all is here that a peer had reported when it was compared. Waits for nobody: a peer '
  'whose heartbeat is being received is noted the next time.';

create or replace function sync.forget_the_future() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Nothing is put off for longer than a quarter of an hour.
  update sync.request r set requested_at = clock_timestamp() where r.requested_at > clock_timestamp() + interval '20 minutes';
  update sync.served s
     set served_at = least(s.served_at, clock_timestamp()), snapshot_at = least(s.snapshot_at, clock_timestamp()),
         bytes_since = least(s.bytes_since, clock_timestamp())
   where greatest(s.served_at, s.snapshot_at, s.bytes_since) > clock_timestamp() + interval '20 minutes';
  update sync.drift d set requested_at = null
   where d.resolved_at is null and d.requested_at > clock_timestamp() + interval '20 minutes';
  update sync.peer p set heads_requested_at = null where p.heads_requested_at > clock_timestamp() + interval '20 minutes';
  update sync.quarantine q set try_at = clock_timestamp()
   where q.resolved_at is null and q.refused is null and q.try_at > clock_timestamp() + interval '20 minutes';
end $$;
comment on function sync.forget_the_future() is
  'Corrects times that this server noted while its clock was ahead. What was asked for then would be due when the '
  'right clock comes there. sync.reconcile calls it.';

create or replace function sync.reconcile() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  peer sync.peer;
  alike sync.peer[] := '{}';
  differences integer;
  open integer := 0;
begin
  begin
    lock table tpv_lock.reconcile in exclusive mode nowait;
  exception when lock_not_available then
    return null;
  end;
  perform sync.forget_the_future();
  perform sync.end_overdue_snapshots();
  perform sync.note_slots();
  -- Nobody joins for ever. What a store says of before it joined is otherwise cut when it is verified.
  with late as (
    select p.node_id, coalesce((select k.seq from sync.contiguous() k where k.node_id = p.node_id), 0) as seq
      from sync.peer p join org.node n on n.node_id = p.node_id and n.kind = 'store'
     where p.verified_at is null and p.added_at < clock_timestamp() - interval '7 days'
       for update of p skip locked
  )
  update sync.peer p set joined_seq = l.seq from late l
   where p.node_id = l.node_id and coalesce(p.joined_seq, l.seq + 1) > l.seq;
  for peer in select * from sync.peer p where p.beat is not null order by p.node_id loop
    begin
      differences := sync.compare_with(peer);
      if differences = 0 then
        alike := alike || peer;
      end if;
      open := open + differences;
    exception when others then
      -- What one peer says must not keep this node from comparing itself with the others.
      raise warning 'node % could not be compared with: %', peer.node_id, sqlerrm;
      open := open + 1;
    end;
  end loop;
  -- Last, and at once: the heartbeats of a peer wait for whoever has its row.
  foreach peer in array alike loop
    perform sync.note_verified(peer);
  end loop;
  return open;
end $$;
comment on function sync.reconcile() is
  'Compares this node with each of its peers. Returns how many differences there are; null while '
  'another session is doing it. pg_cron calls it each minute.';
grant execute on function sync.reconcile() to tpv_cron, tpv_operator;
-- end functions/sync/reconcile.sql
-- begin functions/sync/prune.sql
create or replace function sync.kept_since(setting text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select case current_setting(kept_since.setting)
           when '-1' then '-infinity'
           else now() - current_setting(kept_since.setting)::interval
         end;
end;
comment on function sync.kept_since(text) is
  'What is older than this is not kept any more, by a setting such as pg_tpv.keep_audit.';
grant execute on function sync.kept_since(text) to tpv_cron;

create or replace function sync.note_pruning(what text, gone bigint) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into sync.pruning (what, gone) select note_pruning.what, note_pruning.gone where note_pruning.gone > 0;
  select note_pruning.gone;
$$;
comment on function sync.note_pruning(text, bigint) is 'Notes in sync.pruning how many rows were removed, if any were.';

create or replace function sync.prune_resends() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  -- What is still to be sent is in the WAL. The rows are kept only for people who want to look.
  with gone as (delete from wire.resend r where tpv.hlc_time(r.hlc) < now() - interval '1 day' returning 1),
       arrived as (
         delete from sync.awaited a
          where exists (select from wire.op o where o.node_id = a.node_id and o.seq = a.seq)
             or exists (select from sync.horizon h where h.node_id = a.node_id and h.seq >= a.seq))
  select sync.note_pruning('wire.resend', count(*)) from gone
$$;
comment on function sync.prune_resends() is
  'Removes rows of wire.resend after a day, and rows of sync.awaited whose operation has arrived. '
  'pg_cron calls it each hour.';
grant execute on function sync.prune_resends() to tpv_cron;

create or replace function sync.prune_beats() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select sync.note_pruning('wire.beat', count(*)) from gone
$$;
comment on function sync.prune_beats() is
  'Removes old heartbeats: all but the last thousand. pg_cron calls it each hour.';
grant execute on function sync.prune_beats() to tpv_cron;

create or replace function sync.prune_records() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
  total bigint := 0;
begin
  delete from sync.quarantine q where q.resolved_at < sync.kept_since('pg_tpv.keep_resolved');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.quarantine', gone);
  delete from sync.drift d where d.resolved_at < sync.kept_since('pg_tpv.keep_resolved');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.drift', gone);
  delete from sync.snapshot l
   where l.completed_at < sync.kept_since('pg_tpv.keep_resolved')
     -- sync.status says by the last one that the peer's rows are here.
     and exists (select from sync.snapshot n where n.node_id = l.node_id and n.completed_at > l.completed_at);
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.snapshot', gone);
  -- Of what is older than the journal the last row stays: it says what was here when that begins.
  delete from sync.arrival a
   where a.at < sync.kept_since('pg_tpv.keep_operations')
     and exists (select from sync.arrival n
                  where n.node_id = a.node_id and n.what = a.what and n.subject = a.subject
                    and n.at > a.at and n.at < sync.kept_since('pg_tpv.keep_operations'));
  delete from sync.refusal r where r.day < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.pruning p where p.at < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.clone c where c.last_at < sync.kept_since('pg_tpv.keep_resolved');
  delete from sec.audit a where a.at < sync.kept_since('pg_tpv.keep_audit');
  get diagnostics gone = row_count;
  return total + sync.note_pruning('sec.audit', gone);
end $$;
comment on function sync.prune_records() is
  'Removes what is done and old: rows of sync.quarantine, sync.drift, sync.snapshot, sync.clone and '
  'sync.pruning (pg_tpv.keep_resolved), and of sec.audit (pg_tpv.keep_audit). pg_cron calls it each day.';
grant execute on function sync.prune_records() to tpv_cron;

-- Runs as its caller: row security of pg_cron shows each role the runs of its own jobs only.
create or replace function sync.prune_runs() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
begin
  delete from cron.job_run_details r
   where r.username = current_user and coalesce(r.end_time, r.start_time) < sync.kept_since('pg_tpv.keep_runs');
  get diagnostics gone = row_count;
  if gone > 0 then
    raise log 'removed % old rows of cron.job_run_details', gone;
  end if;
  return gone;
end $$;
comment on function sync.prune_runs() is
  'Removes old runs of the jobs of its caller from cron.job_run_details (pg_tpv.keep_runs). pg_cron '
  'calls it each day as tpv_cron, whose jobs are those of tpv.';
grant execute on function sync.prune_runs() to tpv_cron;

create or replace function sync.known_to_all() returns table (node_id integer, seq bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select h.node_id, least(h.seq, (
           select min(coalesce(v.seq, 0))
             from sync.peer p left join sync.peer_vector v on v.node_id = p.node_id and v.writer_id = h.node_id
            where coalesce(p.beat_at, p.added_at) >= sync.kept_since('pg_tpv.wait_for_peer')))
    from sync.horizon h;
end;
comment on function sync.known_to_all() is
  'For each node the number up to which its operations are here and at each peer. A peer that was '
  'not heard for pg_tpv.wait_for_peer does not count.';

create or replace function sync.prune_operations(most integer default 20000) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set pg_tpv.maintenance = on as $$
declare
  oldest timestamptz := sync.kept_since('pg_tpv.keep_operations');
  known text;
  before_hlc bigint;
  place sync.pruned;
  done record;
  remaining integer := most;
  total bigint := 0;
begin
  if oldest = '-infinity' then
    return 0;
  end if;
  -- Stamps may be ahead of the wall clock, by ten seconds after a start.
  before_hlc := case current_setting('pg_tpv.keep_operations') when '0' then 9223372036854775807
                     else floor(extract(epoch from oldest) * 1000)::bigint << 16 end;
  select json_object_agg(k.node_id, k.seq)::text into known from sync.known_to_all() k;
  if known is null then
    return 0;
  end if;
  insert into sync.pruned (node_id) select k.node_id from sync.known_to_all() k on conflict do nothing;
  -- Whose turn was longest ago. Another session that prunes is left alone.
  for place in select p.* from sync.pruned p order by p.looked_at, p.node_id for update skip locked loop
    exit when remaining <= 0;
    select p.* into done from tpv.prune_operations(place.node_id, place.next_seq, known, before_hlc, remaining) p;
    remaining := remaining - done.looked_at::integer;
    total := total + done.gone;
    -- From the end it goes on at the beginning: what was a head may have been replaced.
    update sync.pruned p
       set next_seq = case when remaining <= 0 then done.last_seq + 1 else 1 end,
           seq = case when done.gone > 0 then greatest(p.seq, done.last_seq) else p.seq end,
           gone = p.gone + done.gone, looked_at = clock_timestamp()
     where p.node_id = place.node_id;
  end loop;
  return sync.note_pruning('wire.op', total);
end $$;
comment on function sync.prune_operations(integer) is
  'Takes operations out of wire.op that are older than pg_tpv.keep_operations, that all peers have, '
  'and that nothing needs any more (tpv.prune_operations decides). Looks at so many at most. Returns '
  'how many left. pg_cron calls it each hour.';
grant execute on function sync.prune_operations(integer) to tpv_cron;
-- end functions/sync/prune.sql

grant select on sync.verified, sync.request, sync.snapshot, sync.accepted_snapshot, sync.pruned, sync.pruning
  to tpv_operator, tpv_analyst;
grant select on sync.drift, sync.accepted_drift to tpv_operator;
-- Without the reason that somebody gave who accepted it.
grant select (drift_id, node_id, what, subject, from_seq, to_seq, found_at, requested_at, resolved_at)
  on sync.drift to tpv_analyst;
grant select, insert, update, delete on sync.snapshot to tpv_apply;
grant select, insert, delete on sync.snapshot_row to tpv_apply;
grant select, update on sync.accepted_snapshot to tpv_apply;
-- Which numbers of a peer may stay missing.
grant select (what, subject, from_seq, to_seq) on sync.accepted_drift to tpv_apply;
grant select on sync.verified to tpv_worker;
-- Whether somebody has asked for all of a heartbeat. To leave a row that somebody has locked takes the right
-- to change one column of it.
grant select, delete, update (requested_at) on sync.request to tpv_worker;
