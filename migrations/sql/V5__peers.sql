-- Purpose: the nodes that this one exchanges rows with: their heartbeats, what of theirs waits or is missing, what is sent again,
--          and the plans by which a store joins, catches up and leaves.
-- Limits:  a node asks its peers only; central serves every node's operations, a store its own. A plan answers statements and runs
--          none; a superuser runs them, each on its own.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

-- Peers and their heartbeats -------------------------------------------------------------------------------------------

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

create table sync.beat_counter (
  node_id integer primary key,
  beat    bigint not null
);
comment on table sync.beat_counter is 'Numbers this node''s beats, without gaps.';
comment on column sync.beat_counter.node_id is 'This node.';
comment on column sync.beat_counter.beat is 'The last number given.';

-- What waits or was refused ----------------------------------------------------------------------------------------------

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
  unique (node_id, doc_id, business_date)
);
comment on table sync.quarantine is
  'Documents that are stored and could not be projected, with the reason. They count in no report until they are.';
comment on column sync.quarantine.quarantine_id is 'Key.';
comment on column sync.quarantine.at is 'When it was last tried.';
comment on column sync.quarantine.node_id is 'Node of the document.';
comment on column sync.quarantine.doc_id is 'The document.';
comment on column sync.quarantine.business_date is 'Its business date.';
comment on column sync.quarantine.kind is 'Its kind.';
comment on column sync.quarantine.code is 'UNKNOWN_KIND, NEWER_SCHEMA, BAD_BODY, BAD_HASH, FORGED_SENDER, or the SQLSTATE that stopped it.';
comment on column sync.quarantine.detail is 'A sentence.';
comment on column sync.quarantine.resolved_at is 'When it was projected after all; null while it waits.';
comment on column sync.quarantine.seq is 'The operation, where it is one and no document.';
comment on column sync.quarantine.key is 'Key of the thing that the operation is about; kind is its table.';
comment on column sync.quarantine.entire is 'Whether all of the thing waits under the name of that operation, and not only what the operation wrote.';
comment on column sync.quarantine.refused is 'The row itself, where its sender was not entitled to it and it was not stored.';
create unique index quarantine_op on sync.quarantine (node_id, seq) where seq is not null;

create table sec.audit (
  audit_id bigint generated always as identity primary key,
  at       timestamptz not null default clock_timestamp(),
  event    text not null,
  subject  text not null,
  actor    text not null default session_user,
  detail   text not null default ''
);
comment on table sec.audit is 'Security events: files of unknown terminals, documents of senders that may not send them.';
comment on column sec.audit.audit_id is 'Key.';
comment on column sec.audit.at is 'When.';
comment on column sec.audit.event is 'What, as a stable code: UNKNOWN_TERMINAL, WRONG_TERMINAL, FORGED_SENDER.';
comment on column sec.audit.subject is 'About whom or what: a terminal, a document.';
comment on column sec.audit.actor is 'The login that was used.';
comment on column sec.audit.detail is 'A sentence.';

create or replace function sync.replay(quarantine_id bigint) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.replay(quarantine_id) $$;
comment on function sync.replay(bigint) is 'Tries an item of sync.quarantine again: true when it is done, false when it still waits.';
grant execute on function sync.replay(bigint) to tpv_operator;

create or replace function sync.replay_waiting(most integer default 1000) returns integer
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
grant execute on function sync.replay_waiting(integer) to tpv_cron, tpv_operator;

create or replace function sync.dismiss(quarantine_id bigint, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', session_user, why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
$$;
comment on function sync.dismiss(bigint, text) is 'Takes an item off the list although it was not taken in. What it holds stays in the wire tables.';
grant execute on function sync.dismiss(bigint, text) to tpv_operator;


-- Comparing with peers ---------------------------------------------------------------------------------------------------

create table sync.verified (
  node_id     integer not null,
  chain       text not null,
  chain_seq   bigint not null,
  hash        bytea not null,
  verified_at timestamptz not null default clock_timestamp(),
  primary key (node_id, chain)
);
comment on table sync.verified is 'Up to where the chains of peers were followed here, link by link.';
comment on column sync.verified.node_id is 'The peer.';
comment on column sync.verified.chain is 'Its chain.';
comment on column sync.verified.chain_seq is 'The last document that was followed.';
comment on column sync.verified.hash is 'Its link hash.';
comment on column sync.verified.verified_at is 'When.';

create table sync.drift (
  drift_id  bigint generated always as identity primary key,
  node_id   integer not null,
  what      text not null check (what in ('operations', 'hash_chain', 'broken', 'restored')),
  subject   text not null,
  from_seq  bigint not null,
  to_seq    bigint not null,
  detail    text not null,
  found_at  timestamptz not null default clock_timestamp(),
  requested_at  timestamptz,
  resolved_at timestamptz
);
create unique index drift_open on sync.drift (node_id, what, subject) where resolved_at is null;
comment on table sync.drift is 'Differences between what a peer has and what is here, and what became of them.';
comment on column sync.drift.drift_id is 'Key.';
comment on column sync.drift.node_id is 'The peer.';
comment on column sync.drift.what is 'operations or chain: some are missing and are asked for. broken: a chain does not link; a person has to look. restored: this node has forgotten operations of its own that the peer has; the peer is asked for its state.';
comment on column sync.drift.subject is 'The node whose operations they are, or the chain.';
comment on column sync.drift.from_seq is 'The first that is missing.';
comment on column sync.drift.to_seq is 'The last that is missing.';
comment on column sync.drift.detail is 'A sentence.';
comment on column sync.drift.found_at is 'When it was found.';
comment on column sync.drift.requested_at is 'When the peer was asked last.';
comment on column sync.drift.resolved_at is 'When it was gone; null while it is there.';

-- Sending again ----------------------------------------------------------------------------------------------------------

create table sync.request (
  node_id      integer not null,
  what         text not null check (what in ('operations', 'hash_chain', 'documents', 'snapshot')),
  subject      text not null default '',
  from_seq     bigint not null default 1,
  to_seq       bigint,
  requested_at timestamptz not null default clock_timestamp(),
  primary key (node_id, what, subject)
);
comment on table sync.request is 'What peers asked for and was not sent yet. The background worker sends it.';
comment on column sync.request.node_id is 'The peer that asked.';
comment on column sync.request.what is 'operations of a node, a chain, documents addressed to the peer, or a snapshot.';
comment on column sync.request.subject is 'The node whose operations, or the chain; * for all chains.';
comment on column sync.request.from_seq is 'The next to send.';
comment on column sync.request.to_seq is 'The last to send; null for all there are.';
comment on column sync.request.requested_at is 'When it was asked for first.';

create table sync.outgoing (
  nth     bigint generated always as identity primary key,
  to_node integer not null,
  kind    text not null,
  body    text not null
);
comment on table sync.outgoing is 'Parts of snapshots that were taken in one moment and are sent one by one, so that the receiver locks little at a time.';
comment on column sync.outgoing.nth is 'Their order.';
comment on column sync.outgoing.to_node is 'The receiver.';
comment on column sync.outgoing.kind is 'As in wire.resend.';
comment on column sync.outgoing.body is 'As in wire.resend.';

create table sync.snapshot (
  snapshot_id  uuid primary key,
  node_id  integer not null,
  covers   text not null default '{"vector":{}}',
  parts    integer not null default 0,
  digest   numeric(40,0) not null default 0,
  expected_parts integer,
  expected_digest numeric(40,0),
  started_at timestamptz not null default clock_timestamp(),
  completed_at timestamptz
);
comment on table sync.snapshot is 'Loads of state that came here, and whether they are complete.';
comment on column sync.snapshot.snapshot_id is 'The snapshot.';
comment on column sync.snapshot.node_id is 'Who sent it.';
comment on column sync.snapshot.covers is 'The operations that it stands for: {"vector": {"node": seq}, "beyond": [[node, from, to]]}.';
comment on column sync.snapshot.parts is 'How many parts of it are here.';
comment on column sync.snapshot.digest is 'Sum of the hashes of these.';
comment on column sync.snapshot.expected_parts is 'How many there are, once its end is here.';
comment on column sync.snapshot.expected_digest is 'And the sum of their hashes.';
comment on column sync.snapshot.started_at is 'When the first part arrived.';
comment on column sync.snapshot.completed_at is 'When it was complete, and the sums agreed.';

create table sync.snapshot_row (
  snapshot_id uuid not null references sync.snapshot,
  table_name  text not null,
  key     text not null,
  primary key (table_name, key, snapshot_id)
);
create index snapshot_row_snapshot on sync.snapshot_row (snapshot_id);
comment on table sync.snapshot_row is 'Rows of snapshots that are not complete: an operation on one that the snapshot stands for may still arrive, and is late.';
comment on column sync.snapshot_row.snapshot_id is 'The snapshot.';
comment on column sync.snapshot_row.table_name is 'The table.';
comment on column sync.snapshot_row.key is 'The key.';

create or replace function sync.send(to_node integer, kind text, body text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into wire.resend (node_id, to_node, hlc, kind, body) values (org.this_node(), send.to_node, tpv.hlc_now(), send.kind, send.body);
end;
comment on function sync.send(integer, text, text) is 'Sends something to one peer.';

create or replace function sync.send_snapshot(to_node integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  sent bigint;
begin
  -- One after the other, so that their parts do not mix.
  perform pg_advisory_xact_lock(hashtextextended('sync.send_snapshot', 0));
  if exists (select from sync.quarantine q where q.code like 'OPERATION%' and q.resolved_at is null) then
    raise exception 'operations wait here that this version can not read, so there is no state of them to send'
      using errcode = '55000', hint = 'upgrade pg_tpv here first; select * from sync.quarantine where code like ''OPERATION%'' shows them';
  end if;
  if exists (select from sync.snapshot l where l.completed_at is null) then
    raise exception 'an incoming snapshot is not complete yet'
      using errcode = '55000', hint = 'select * from sync.snapshot where completed_at is null; sync.request(…) lets the peer send another one';
  end if;
  if exists (
    select from wire.op o left join sync.contiguous() k on k.node_id = o.node_id
     where o.seq > coalesce(k.seq, 0) and o.node_id <> org.this_node()
       and not exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central')) then
    raise exception 'operations of others are here beyond a gap, and a store can not pass them on'
      using errcode = '55000', hint = 'wait until the gap is filled: select * from sync.contiguous()';
  end if;
  -- One statement, and so one snapshot: the heads of all things, and which operations went into them.
  with known as (
    select k.node_id, k.seq from sync.contiguous() k
  ), beyond as (
    -- What is here beyond a gap. It goes as what it is as well, and first: it may name what is in the gap.
    select o.* from wire.op o left join known k on k.node_id = o.node_id where o.seq > coalesce(k.seq, 0)
  ), range as (
    select b.node_id, min(b.seq) as from_seq, max(b.seq) as to_seq
      from (select o.node_id, o.seq, o.seq - row_number() over (partition by o.node_id order by o.seq) as place from beyond o) b
     group by b.node_id, b.place
  ), knows as (
    select (select coalesce(json_object_agg(k.node_id, k.seq order by k.node_id), '{}') from known k) as vector,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]') from range r) as beyond
  ), snapshot as (
    select tpv.uuid7() as snapshot_id
  ), entity as (
    select json_build_array(h.table_name, h.key, h.heads::json) as item,
           -- Policies first: the rest is then chosen once.
           (row_number() over (order by h.table_name <> 'sync.policy', h.table_name, h.key) - 1) / 500 as part
      from sync.head h
  ), part as materialized (
    select t.part, (select json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond, 'rows', json_agg(t.item))::text
                      from snapshot l cross join knows w) as body
      from entity t group by t.part
  ), operation as (
    -- A node is not told by others what it decided itself.
    select b.*, (row_number() over (order by b.node_id, b.seq) - 1) / 500 as part from beyond b where b.node_id <> send_snapshot.to_node
  ), message (step, nth, kind, body) as (
    select 1, o.part, 'operations',
           json_build_object('operations', json_agg(json_build_array(o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base) order by o.node_id, o.seq))::text
      from operation o group by o.part
    union all
    select 2, p.part, 'snapshot', p.body from part p
    union all
    select 3, 0, 'snapshot_end', json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
             'parts', (select count(*) from part), 'digest', (select coalesce(sum(hashtextextended(p.body, 0)::numeric), 0) from part p)::text)::text
      from snapshot l cross join knows w
  ), written as (
    insert into sync.outgoing (to_node, kind, body)
    select send_snapshot.to_node, m.kind, m.body from message m order by m.step, m.nth
    returning 1
  )
  select count(*) into sent from written;
  return sent;
end $$;
comment on function sync.send_snapshot(integer) is
  'Prepares the state of all things, as of one moment, with the operations that it stands for; the background worker sends it. Answers how many parts it has.';

create or replace function sync.request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.send(request.peer, 'request', json_build_object('wants', request.wants)::text);
end;
comment on function sync.request(integer, json) is 'Asks a peer for rows: [{"what": "chain", "subject": "T01", "from": 12, "to": 20}, …].';

create or replace function sync.request_all(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.request(request_all.peer, json_build_array(
    json_build_object('what', 'operations', 'subject', request_all.peer::text,
                      'from', coalesce((select k.seq from sync.contiguous() k where k.node_id = request_all.peer), 0) + 1),
    json_build_object('what', 'hash_chain', 'subject', '*'),
    json_build_object('what', 'documents')));
end;
comment on function sync.request_all(integer) is 'Asks a peer for everything of its own that may be missing here.';

-- From chain to chain along the index: the heads in sync.hash_chain are bookkeeping, the documents are what must not be lost.
create or replace function sync.own_hash_chains() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive own (chain) as (
    select min(d.chain) from wire.doc d where d.node_id = org.this_node()
    union all
    select (select min(d.chain) from wire.doc d where d.node_id = org.this_node() and d.chain > own.chain) from own where own.chain is not null
  )
  select own.chain from own where own.chain is not null;
end;
comment on function sync.own_hash_chains() is 'The chains of the documents that this node wrote.';

create or replace function sync.receive_request(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.request as r (node_id, what, subject, from_seq, to_seq)
  select receive_request.peer, w.what, w.subject, min(w.from_seq), nullif(max(coalesce(w.to_seq, 9223372036854775807)), 9223372036854775807)
    from (
      select w.what, coalesce(c.chain, w.subject, '') as subject, coalesce(w."from", 1) as from_seq, w."to" as to_seq
        from json_to_recordset(receive_request.wants) as w (what text, subject text, "from" bigint, "to" bigint)
        left join sync.own_hash_chains() c (chain) on w.what = 'hash_chain' and w.subject = '*'
       where (w.what in ('documents', 'snapshot') or (w.what = 'hash_chain' and (w.subject is distinct from '*' or c.chain is not null))
              or (w.what = 'operations' and w.subject ~ '^[0-9]{1,9}$'))
    ) w
   group by 2, 3
  on conflict (node_id, what, subject) do update
    set from_seq = least(r.from_seq, excluded.from_seq),
        to_seq = case when r.to_seq is null or excluded.to_seq is null then null else greatest(r.to_seq, excluded.to_seq) end;
end;
comment on function sync.receive_request(integer, json) is 'Takes note of what a peer asked for.';
grant execute on function sync.receive_request(integer, json) to tpv_apply;

create or replace function sync.serve_request(wanted sync.request, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  last_seq bigint;
  sent integer := 0;
begin
  if not exists (select from sync.peer p where p.node_id = wanted.node_id) then
    delete from sync.request r where r.node_id = wanted.node_id;
    return 0;
  end if;
  if wanted.what = 'operations' and (is_central or wanted.subject = here::text)
     and wanted.from_seq <= (select h.seq from sync.horizon h where h.node_id::text = wanted.subject)
     and not exists (select from wire.op o where o.node_id = wanted.subject::integer and o.seq = wanted.from_seq) then
    -- It came here as state, and can only go on as state.
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    wanted.what := 'snapshot';
  end if;
  if wanted.what = 'snapshot' then
    sent := sync.send_snapshot(wanted.node_id);
  elsif wanted.what = 'operations' and (is_central or wanted.subject = here::text) then
    with part as (
      select o.*, (row_number() over (order by o.seq) - 1) / 500 as part from (
        select * from wire.op o
         where o.node_id = wanted.subject::integer and o.seq >= wanted.from_seq and (wanted.to_seq is null or o.seq <= wanted.to_seq)
         order by o.seq limit most) o
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'operations',
             json_build_object('operations', json_agg(json_build_array(p.node_id, p.seq, p.hlc, p.table_name, p.key, p.patch, p.base) order by p.seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.seq) into sent, last_seq from part p;
  elsif wanted.what in ('hash_chain', 'documents') then
    with part as (
      select d.*, (row_number() over (order by d.chain, d.chain_seq) - 1) / 100 as part from (
        select * from wire.doc d
         where wanted.what = 'hash_chain' and d.node_id = here and d.chain = wanted.subject and d.chain_seq >= wanted.from_seq
           and (wanted.to_seq is null or d.chain_seq <= wanted.to_seq)
        union all
        select * from wire.doc d where wanted.what = 'documents' and d.to_node = wanted.node_id
         order by chain, chain_seq limit case wanted.what when 'hash_chain' then most end) d
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'documents',
             json_build_object('documents', json_agg(json_build_object(
               'node_id', p.node_id, 'doc_id', p.doc_id, 'business_date', p.business_date, 'kind', p.kind, 'to_node', p.to_node, 'hlc', p.hlc,
               'schema_version', p.schema_version, 'chain', p.chain, 'chain_seq', p.chain_seq, 'prev_hash', p.prev_hash, 'body', p.body,
               'content_hash', p.content_hash) order by p.chain, p.chain_seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.chain_seq) into sent, last_seq from part p;
  end if;
  if wanted.what in ('operations', 'hash_chain') and sent = most then
    update sync.request r set from_seq = last_seq + 1
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  else
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  end if;
  return greatest(sent, 1);
end $$;
comment on function sync.serve_request(sync.request, integer) is 'Sends the next part of what a peer asked for.';

create or replace function sync.serve_requests(most integer default 2000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted sync.request;
  sent integer;
begin
  with next as (
    delete from sync.outgoing o where o.nth = (select min(f.nth) from sync.outgoing f) returning o.to_node, o.kind, o.body
  )
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  select org.this_node(), n.to_node, tpv.hlc_now(), n.kind, n.body from next n join sync.peer p on p.node_id = n.to_node;
  get diagnostics sent = row_count;
  if sent > 0 or exists (select from sync.outgoing) then
    return 1;
  end if;
  -- Operations before documents: a receipt waits in quarantine until its store is known.
  select * into wanted from sync.request r where r.requested_at <= clock_timestamp()
   order by r.what = 'snapshot' desc, r.what = 'operations' desc, r.requested_at limit 1 for update skip locked;
  if not found then
    return 0;
  end if;
  begin
    return sync.serve_request(wanted, serve_requests.most);
  exception when others then
    -- One that can not be served must not keep the background worker from the others, nor from beats.
    raise warning 'what node % asked for could not be sent: %', wanted.node_id, sqlerrm;
    update sync.request r set requested_at = clock_timestamp() + interval '1 minute'
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    return 1;
  end;
end $$;
comment on function sync.serve_requests(integer) is
  'Sends the next part of what peers asked for. Answers how many rows, 0 when nothing is asked for. The background worker calls it.';

create or replace function sync.note_drift(peer integer, what text, subject text, from_seq bigint, to_seq bigint, detail text) returns text
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.drift as d (node_id, what, subject, from_seq, to_seq, detail)
  values (note_drift.peer, note_drift.what, note_drift.subject, note_drift.from_seq, note_drift.to_seq, note_drift.detail)
  on conflict (node_id, what, subject) where resolved_at is null do update
    -- What begins elsewhere than before is being mended: it is not asked for again yet.
    set requested_at = case when d.from_seq <> excluded.from_seq then clock_timestamp() else d.requested_at end,
        from_seq = excluded.from_seq, to_seq = excluded.to_seq, detail = excluded.detail
  returning d.what || ' ' || d.subject;
end;
comment on function sync.note_drift(integer, text, text, bigint, bigint, text) is
  'Puts a difference on record, or what has become of it. Answers what and subject in one.';

create or replace function sync.accept_drift(drift_id bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  accepted sync.drift;
begin
  update sync.drift d
     set resolved_at = clock_timestamp(), detail = d.detail || format(' (accepted by %s: %s)', session_user, accept_drift.why)
   where d.drift_id = accept_drift.drift_id and d.resolved_at is null
  returning * into accepted;
  if not found then
    raise exception 'there is no open difference of that number'
      using errcode = 'P0002', hint = 'select * from sync.drift where resolved_at is null';
  end if;
  if accepted.what = 'operations' then
    insert into sync.horizon as h (node_id, seq) values (accepted.subject::integer, accepted.to_seq)
    on conflict (node_id) do update set seq = greatest(h.seq, excluded.seq);
  else
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select p.node_id, c.key, (c.value ->> 0)::bigint, decode(c.value ->> 1, 'hex')
      from sync.peer p cross join json_each(p.chains::json) c
     where p.node_id = accepted.node_id and c.key = accepted.subject
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = clock_timestamp();
  end if;
  insert into sec.audit (event, subject, detail)
  values ('DRIFT_ACCEPTED', format('node %s, %s %s', accepted.node_id, accepted.what, accepted.subject), accept_drift.why);
end $$;
comment on function sync.accept_drift(bigint, text) is
  'Lets a difference stand, for somebody who has looked: comparing goes on behind it, and verified_until with it.';
grant execute on function sync.accept_drift(bigint, text) to tpv_operator;

create or replace function sync.reconcile_with(peer integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  began timestamptz := clock_timestamp();
  of_peer sync.peer;
  is_central boolean;
  missing record;
  head record;
  followed record;
  before_next bigint;
  seen text[] := '{}';
  wants json;
begin
  select * into of_peer from sync.peer p where p.node_id = reconcile_with.peer and p.beat is not null;
  if not found then
    return 0;
  end if;
  select n.kind = 'central' into is_central from org.node n where n.node_id = reconcile_with.peer;

  -- A store answers for its own operations, central for those of all.
  for missing in
    select v.node_id, coalesce(k.seq, 0) + 1 as from_seq, v.seq as to_seq
      from (select key::integer as node_id, value::bigint as seq from json_each_text(of_peer.ops::json)) v
      left join sync.contiguous() k on k.node_id = v.node_id
     where (is_central or v.node_id in (reconcile_with.peer, org.this_node())) and v.seq > coalesce(k.seq, 0)
  loop
    if missing.node_id = org.this_node() then
      seen := seen || sync.note_drift(reconcile_with.peer, 'restored', missing.node_id::text, missing.from_seq, missing.to_seq,
        format('this node does not know its own operations %s to %s any more: it was restored from a backup, and gets them back as state', missing.from_seq, missing.to_seq));
    else
      seen := seen || sync.note_drift(reconcile_with.peer, 'operations', missing.node_id::text, missing.from_seq, missing.to_seq,
        format('operations %s to %s of node %s are missing here', missing.from_seq, missing.to_seq, missing.node_id));
    end if;
  end loop;

  -- Documents come from the store that wrote them.
  for head in
    select c.key as chain, (c.value ->> 0)::bigint as seq, decode(c.value ->> 1, 'hex') as hash,
           coalesce(v.chain_seq, 0) as from_seq, coalesce(v.hash, decode(repeat('00', 32), 'hex')) as from_hash
      from json_each(of_peer.chains::json) c
      left join sync.verified v on v.node_id = reconcile_with.peer and v.chain = c.key
     where not is_central
     order by 1
  loop
    if head.seq < head.from_seq then
      seen := seen || sync.note_drift(reconcile_with.peer, 'broken', head.chain, head.seq + 1, head.from_seq,
        'the chain at the peer is shorter than it was: was the peer restored from a backup?');
      continue;
    end if;
    select * into followed from tpv.follow_hash_chain(reconcile_with.peer, head.chain, head.from_seq, head.from_hash, head.seq);
    if followed.seq > head.from_seq then
      insert into sync.verified as v (node_id, chain, chain_seq, hash)
      values (reconcile_with.peer, head.chain, followed.seq, followed.hash)
      on conflict (node_id, chain) do update
        set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at;
    end if;
    if followed.broken is not null or (followed.seq = head.seq and followed.hash <> head.hash) then
      seen := seen || sync.note_drift(reconcile_with.peer, 'broken', head.chain, followed.seq + 1, head.seq,
        coalesce(followed.broken, 'the peer names another document as its last'));
    elsif followed.seq < head.seq then
      select min(d.chain_seq) - 1 into before_next from wire.doc d
       where d.node_id = reconcile_with.peer and d.chain = head.chain and d.chain_seq > followed.seq and d.chain_seq <= head.seq;
      before_next := coalesce(before_next, head.seq);
      seen := seen || sync.note_drift(reconcile_with.peer, 'hash_chain', head.chain, followed.seq + 1, before_next,
        format('documents %s to %s of chain %L are missing here', followed.seq + 1, before_next, head.chain));
    end if;
  end loop;

  update sync.drift d set resolved_at = clock_timestamp()
   where d.node_id = reconcile_with.peer and d.resolved_at is null and d.what || ' ' || d.subject <> all (seen);
  with asked as (
    update sync.drift d set requested_at = clock_timestamp()
     where d.node_id = reconcile_with.peer and d.resolved_at is null and d.what in ('operations', 'hash_chain', 'restored')
       and (d.requested_at is null or d.requested_at < began - interval '50 seconds')
    returning d.what, d.subject, d.from_seq, d.to_seq
  )
  select json_agg(case a.what when 'restored' then json_build_object('what', 'snapshot')
                       else json_build_object('what', a.what, 'subject', a.subject, 'from', a.from_seq, 'to', a.to_seq) end) into wants
    from asked a;
  if wants is not null then
    perform sync.request(reconcile_with.peer, wants);
  end if;

  -- What is known without a gap need not be counted again.
  insert into sync.horizon as h (node_id, seq) select k.node_id, k.seq from sync.contiguous() k where k.seq > 0
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;

  if cardinality(seen) = 0 then
    update sync.peer p
       set verified_until = of_peer.low_water, verified_at = clock_timestamp(),
           received_until = greatest(p.received_until, of_peer.low_water),
           gap_beat = case when p.gap_beat > of_peer.beat then p.gap_beat end
     where p.node_id = reconcile_with.peer;
  end if;
  return cardinality(seen);
end $$;
comment on function sync.reconcile_with(integer) is
  'Compares what a peer said in its last beat with what is here, puts differences into sync.drift and asks for what is missing. Answers how many differences there are.';

create or replace function sync.reconcile() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  peer integer;
  open integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('sync.reconcile', 0)) then
    return null;
  end if;
  for peer in select p.node_id from sync.peer p order by 1 loop
    begin
      open := open + sync.reconcile_with(peer);
    exception when others then
      -- What one peer says must not keep this node from comparing itself with the others.
      raise warning 'node % could not be compared with: %', peer, sqlerrm;
      open := open + 1;
    end;
  end loop;
  return open;
end $$;
comment on function sync.reconcile() is
  'Compares this node with each of its peers. Answers how many differences there are; null when another session is at it. pg_cron calls it each minute.';
grant execute on function sync.reconcile() to tpv_cron, tpv_operator;

create or replace function sync.prune_resends() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  -- What is sent is in the WAL; the rows are for whoever looks.
  with gone as (delete from wire.resend r where tpv.hlc_time(r.hlc) < now() - interval '1 day' returning 1),
       old_snapshot as (delete from sync.snapshot l where l.completed_at < now() - interval '90 days'),
       arrived as (
         delete from sync.awaited a
          where exists (select from wire.op o where o.node_id = a.node_id and o.seq = a.seq)
             or exists (select from sync.horizon h where h.node_id = a.node_id and h.seq >= a.seq)),
       old_drift as (delete from sync.drift d where d.resolved_at < now() - interval '90 days')
  select count(*) from gone
$$;
comment on function sync.prune_resends() is 'Removes what was sent again a day ago, and what was noted for it. pg_cron calls it each hour.';
grant execute on function sync.prune_resends() to tpv_cron;

create or replace function sync.prune_beats() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select count(*) from gone
$$;
comment on function sync.prune_beats() is 'Removes beats that nobody needs any more. pg_cron calls it each hour.';
grant execute on function sync.prune_beats() to tpv_cron;


-- Joining ----------------------------------------------------------------------------------------------------------------

create or replace function sync.name_part(node_code text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select replace(lower(node_code), '-', '_');
end;
comment on function sync.name_part(text) is 'A node''s code as it stands in names of slots, which take no hyphen.';
grant execute on function sync.name_part(text) to tpv_operator, tpv_analyst;

create or replace function sync.schema_version() returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select max(h.version) from tpv_migration.history h;
end;
comment on function sync.schema_version() is 'The last migration of this database.';

create or replace function sync.add_peer(node_id integer, node_code text, kind text, extension text default null, schema integer default null) returns void
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

create or replace function sync.remove_peer(node_id integer) returns void
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

create or replace function sync.mark_gap(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- received_until stays where it is until what was missed has been compared.
  update sync.peer p set gap_beat = coalesce(p.beat, 0) + 1 where p.node_id = mark_gap.peer;
end;
comment on function sync.mark_gap(integer) is 'Says that rows of a peer may have been missed. Which ones is found by comparing.';

create or replace function sync.publish_statement(publication text, docs text, ops text, beats text, resends text) returns text
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

create or replace function sync.slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format('select pg_create_logical_replication_slot(%1$L, ''pgoutput'') '
                'where not exists (select from pg_replication_slots where slot_name = %1$L)', slot)
$$;
comment on function sync.slot_statement(text) is 'The statement of a plan that makes a slot, if it is not there.';

create or replace function sync.drop_slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin '
    'perform pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = %1$L and active_pid is not null; '
    'perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %1$L; end $do$', slot)
$$;
comment on function sync.drop_slot_statement(text) is 'The statement of a plan that drops a slot, if it is there.';

create or replace function sync.subscription_options(version integer, origin text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- What arrives is written as tpv_apply and not as the owner of each table, whose role it can not take; no password is asked
  -- for in conninfo, since it may come from a passfile.
  select 'create_slot = false, enabled = false, copy_data = false, binary = true, streaming = off, disable_on_error = false'
    || case when version >= 160000 then format(', origin = %s, password_required = false, run_as_owner = true', origin) else '' end;
end;
comment on function sync.subscription_options(integer, text) is 'The options of a subscription on a version of PostgreSQL.';

create or replace function sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) returns text
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

create or replace function sync.unsubscribe_statement(subscription text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if exists (select from pg_subscription where subname = %1$L) then '
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I; end if; end $do$', subscription)
$$;
comment on function sync.unsubscribe_statement(text) is 'The statement of a plan that drops a subscription and leaves its slot alone, which may be gone.';

create or replace function sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
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

create or replace function sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
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

create or replace function sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text)
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

create or replace function sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer)
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

create or replace view sync.status with (security_invoker = true) as
  with peer as (
    select p.*, n.node_code, n.kind,
           (select count(*) from sync.quarantine q where q.node_id = p.node_id and q.resolved_at is null) as quarantined,
           (select count(*) from sync.drift d where d.node_id = p.node_id and d.resolved_at is null) as drift,
           exists (select from sync.drift d where d.node_id = p.node_id and d.resolved_at is null and d.what = 'broken') as broken,
           exists (select from sync.drift d where d.node_id = p.node_id and d.resolved_at is null and d.what = 'restored') as restored,
           exists (select from sync.snapshot l where l.node_id = p.node_id and l.completed_at is not null) as copied
      from sync.peer p join org.node n on n.node_id = p.node_id
  ), own as (
    select n.node_id, n.node_code from sync.this_node t join org.node n on n.node_id = t.node_id
  ), known as (
    select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') as ops from sync.contiguous() k
  ), rows as (
    select p.node_code as peer, 'receives' as direction,
           case when s.oid is null then 'no subscription' when not s.subenabled then 'disabled'
                when w.pid is null then 'not running' when b.pid is not null then 'waiting for a lock' when p.kind = 'central' and not p.copied then 'copying'
                when p.received_until is null then 'comparing' else 'running' end as state,
           null::bigint as lag_bytes,
           -- A store answers for its own operations, central for those of all.
           (select coalesce(sum(greatest(v.value::bigint - coalesce((k.ops ->> v.key)::bigint, 0), 0)), 0)::bigint
              from json_each_text(p.ops::json) v
             where p.kind = 'central' or v.key = p.node_id::text) as lag_operations,
           null::text as slot, null::bigint as slot_safe_bytes,
           now() - p.beat_at as silent_for, p.received_until, p.verified_until, p.drift, p.quarantined, p.ahead_ms, p.version, p.broken, p.restored,
           b.pid as blocker
      from peer p
      cross join known k
      left join pg_catalog.pg_subscription s on s.subname = p.subscription_name
       and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.relid is null
      -- Only who may read the activity of others sees this.
      left join lateral (
        select (pg_blocking_pids(a.pid))[1] as pid from pg_catalog.pg_stat_activity a
         where a.pid = w.pid and a.wait_event_type = 'Lock' and a.wait_event <> 'advisory'
           and a.xact_start < clock_timestamp() - interval '5 seconds') b on true
    union all
    select p.node_code, 'sends',
           case when r.slot_name is null then 'no slot' when r.wal_status = 'lost' then 'slot lost'
                when r.confirmed_flush_lsn > pg_current_wal_lsn() then 'restored'
                when not r.active then 'not connected' else 'running' end,
           pg_wal_lsn_diff(pg_current_wal_lsn(), r.confirmed_flush_lsn)::bigint,
           -- What the peer says it has, beside what is here.
           (select coalesce(sum(greatest(v.value::bigint - coalesce((p.ops::jsonb ->> v.key)::bigint, 0), 0)), 0)::bigint
              from jsonb_each_text(k.ops) v
             where (p.kind = 'central' and v.key = own.node_id::text) or (p.kind = 'store' and v.key <> p.node_id::text)),
           r.wal_status, r.safe_wal_size, now() - p.beat_at, null, null, p.drift, p.quarantined, p.ahead_ms, p.version, p.broken, p.restored, null
      from peer p cross join own cross join known k
      left join pg_catalog.pg_replication_slots r
        on r.slot_name = case p.kind when 'central' then 'tpv_up_' || sync.name_part(own.node_code) else 'tpv_to_' || sync.name_part(p.node_code) end
  )
  select r.peer, r.direction, r.state, r.lag_bytes, r.lag_operations, r.slot, r.slot_safe_bytes, r.silent_for, r.received_until, r.verified_until,
         r.drift, r.quarantined, r.ahead_ms, r.version,
         case
           when r.state = 'no subscription' then 'the peer is known and not joined: run the rest of sync.join_plan'
           when r.state = 'disabled' then 'somebody disabled it: alter subscription ... enable, when the reason is gone'
           when r.state = 'not running' then 'its worker does not stay up: the server log says why; is the peer down, or the line?'
           when r.state = 'waiting for a lock'
             then format('session %1$s keeps a row that what arrives is to write: let it end, or select pg_terminate_backend(%1$s)', r.blocker)
           when r.state = 'no slot' then 'the peer has no slot here, so it receives nothing: sync.rejoin_plan, or sync.join_plan if it never joined'
           when r.state = 'slot lost' then 'the peer was away for too long: run sync.rejoin_plan'
           when r.state = 'restored' then 'the peer has more WAL of this server than there is: one was restored from a backup. Run sync.rejoin_plan'
           when r.state = 'not connected' then 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'
           when r.slot in ('extended', 'unreserved') then 'its slot will soon be lost: get the peer to fetch, or raise max_slot_wal_keep_size'
           when r.restored then 'this node has forgotten operations of its own and is getting them back: let nobody change what the chain shares until then'
           when r.broken then 'a chain does not link: select * from sync.drift where resolved_at is null'
           when r.drift > 0 then 'rows are missing and were asked for: sync.drift tells which; look again in a few minutes'
           when r.silent_for > interval '1 minute' then 'no beat for over a minute: is the peer''s background worker running?'
           when r.ahead_ms > 0 then 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'
           when r.direction = 'receives' and r.quarantined > 0 then 'rows wait: select * from sync.quarantine where resolved_at is null'
           when r.state = 'copying' then 'it has just joined: the state of all things is on its way'
           when r.state = 'comparing' then 'it has just joined: both are compared within a minute, or by select sync.reconcile()'
           when r.version <> (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv')
             then 'the peer has another version of pg_tpv: upgrade the older one when it suits'
           else 'nothing to do'
         end as advice
    from rows r
   order by 1, 2;
comment on view sync.status is 'One row for each peer and direction: its state, how far behind, and in words what to do.';
comment on column sync.status.peer is 'The other node.';
comment on column sync.status.direction is 'receives: its rows come here. sends: ours go there.';
comment on column sync.status.state is 'running, or what is not.';
comment on column sync.status.lag_bytes is 'WAL that the peer has not confirmed.';
comment on column sync.status.lag_operations is 'Operations that one of the two had, when the peer last said, and that are not at the other.';
comment on column sync.status.slot is 'wal_status of the peer''s slot here: reserved is well, extended and unreserved are a warning, lost is lost.';
comment on column sync.status.slot_safe_bytes is 'How much WAL can be written before the slot is in danger; null without max_slot_wal_keep_size.';
comment on column sync.status.silent_for is 'Since its last beat.';
comment on column sync.status.received_until is 'Everything it recorded before is here; stands still while rows may be missing.';
comment on column sync.status.verified_until is 'Everything it recorded before is here and was compared with what it says.';
comment on column sync.status.drift is 'Differences from it that are not mended: see sync.drift.';
comment on column sync.status.quarantined is 'Its rows that wait in quarantine.';
comment on column sync.status.ahead_ms is 'By how much its clock is too far ahead; 0 when it is not.';
comment on column sync.status.version is 'Version of its extension.';
comment on column sync.status.advice is 'What to do, in words.';
grant select on sync.status to tpv_operator, tpv_analyst;


grant select on sync.peer, sync.verified, sync.drift, sync.request, sync.snapshot to tpv_operator, tpv_analyst;
grant select on sync.quarantine, sec.audit to tpv_operator;
-- What was refused may tell of customers, and so may a sentence about a value. Analysts count.
grant select (quarantine_id, at, node_id, doc_id, business_date, kind, seq, entire, code, resolved_at) on sync.quarantine to tpv_analyst;
grant select, update on sync.peer to tpv_apply;
grant select, insert, update, delete on sync.quarantine, sync.snapshot to tpv_apply;
grant select, insert, delete on sync.snapshot_row to tpv_apply;
grant insert on sec.audit to tpv_apply;
