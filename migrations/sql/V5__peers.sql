-- Purpose: the nodes that this one exchanges rows with: their heartbeats, and which of their rows wait
--          or were refused.
-- Limits:  all of it is local to a node.
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
  joined_seq        bigint,
  own_token         bigint,
  own_at            timestamptz,
  conninfo          text
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
comment on column sync.peer.own_token is
  'With which token its heartbeats asked last what this node has of its rows.';
comment on column sync.peer.own_at is 'When it told last what it has of this node''s rows.';
comment on column sync.peer.conninfo is
  'How its server is reached, without user and password, as a plan said last.';

create table sync.peer_password (
  node_id integer primary key references sync.peer on delete cascade,
  word    text not null
);
comment on table sync.peer_password is
  'The password by which this server logs in at a peer, between the step of a plan that drops a subscription '
  'and the one that makes it anew. Only superusers read it.';
comment on column sync.peer_password.node_id is 'The peer.';
comment on column sync.peer_password.word is 'As it stands in a connection.';

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
  node_id   integer not null,
  day       date not null,
  refused   bigint not null,
  dropped   bigint not null default 0,
  erased    bigint not null default 0,
  of_before bigint not null default 0,
  last_at   timestamptz not null default clock_timestamp(),
  primary key (node_id, day)
) with (fillfactor = 50);
comment on table sync.refusal is
  'How many rows of a peer were refused on a day. The first 200 are kept in sync.quarantine, and one '
  'row more that says that there are others.';
comment on column sync.refusal.node_id is 'The peer that sent them; 0 for a subscription that belongs to none.';
comment on column sync.refusal.day is 'The day.';
comment on column sync.refusal.refused is 'How many.';
comment on column sync.refusal.dropped is
  'How many operations of the peer were not taken at the time, and come again by comparing: they were '
  'far beyond a gap in its numbers, or too much of it waits. Counted by the thousand.';
comment on column sync.refusal.erased is
  'How many rows the peer has erased. At central a thousand of a store are taken on a day; what it erases '
  'beyond that waits in sync.quarantine.';
comment on column sync.refusal.of_before is
  'How many operations of before the peer joined are kept in sync.quarantine, since central decides about '
  'their rows: 200 at most. The store has all of them in sync.set_aside.';
comment on column sync.refusal.last_at is 'When the last one came.';

create table sec.audit (
  audit_id bigint generated always as identity primary key,
  at       timestamptz not null default clock_timestamp(),
  event    text not null,
  subject  text not null,
  actor    text not null default sec.actor(),
  detail   text not null default ''
);
create index audit_at on sec.audit (at);
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

-- begin functions/sync/quarantine.sql
create or replace function sync.replay(quarantine_id bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held sync.quarantine;
begin
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = replay.quarantine_id;
  select * into held from sync.quarantine q
   where q.quarantine_id = replay.quarantine_id and q.code = 'ERASURE_LIMIT' and q.resolved_at is null;
  if found then
    -- Its number stands for an operation that writes nothing, at every node. So this node erases.
    if not sync.is_erased(held.kind, held.key) then
      perform sync.erase(held.kind, held.key::uuid, format('released: row %s of the quarantine', held.quarantine_id));
    end if;
    update sync.quarantine q set resolved_at = clock_timestamp() where q.quarantine_id = held.quarantine_id;
    return true;
  end if;
  return tpv.replay(quarantine_id);
end $$;
comment on function sync.replay(bigint) is
  'Tries a row of sync.quarantine again: true when it is done, false when it still waits. An erasure that '
  'waits (ERASURE_LIMIT) is released: this node erases the row.';
grant execute on function sync.replay(bigint) to tpv_operator;

create or replace function sync.waiting(most integer, only_due boolean) returns setof bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- From node to node along the index, and of each its share: one that has filled the list keeps no
  -- other from it.
  with recursive node (node_id) as (
    select min(q.node_id) from sync.quarantine q where q.resolved_at is null and q.refused is null
    union all
    select (select min(q.node_id) from sync.quarantine q
             where q.resolved_at is null and q.refused is null and q.node_id > n.node_id)
      from node n where n.node_id is not null
  ), share as (
    select n.node_id, t.quarantine_id, t.nth
      from node n
     cross join lateral (
       select q.quarantine_id, row_number() over (order by q.try_at, q.quarantine_id) as nth
         from sync.quarantine q
        where q.node_id = n.node_id and q.resolved_at is null and q.refused is null
          and (not waiting.only_due or q.try_at <= clock_timestamp())
        order by q.try_at, q.quarantine_id limit waiting.most) t
     where n.node_id is not null
  )
  select s.quarantine_id from share s order by s.nth, s.node_id limit waiting.most;
end;
comment on function sync.waiting(integer, boolean) is
  'Rows of sync.quarantine that are tried next: of each node those that have waited longest, in turn.';

create or replace function sync.replay_waiting(most integer default 1000, only_due boolean default false) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
  done integer := 0;
  is_done boolean;
begin
  for item in select w from sync.waiting(most, only_due) w loop
    -- A rebuild of projections may be at it, or have done it.
    perform from sync.quarantine q where q.quarantine_id = item and q.resolved_at is null for update skip locked;
    continue when not found;
    begin
      -- Not sync.replay, which refuses what is of schema sec. This tries everything alike, and
      -- shows nobody what it was.
      is_done := tpv.replay(item);
    exception when others then
      -- One that cannot even be tried must not keep the others from it.
      raise warning 'row % of sync.quarantine could not be tried: %', item, sqlerrm;
      update sync.quarantine q set at = clock_timestamp() where q.quarantine_id = item;
      is_done := false;
    end;
    if is_done then
      done := done + 1;
    else
      -- Pauses grow to 15 minutes, so that what waits for ever costs next to nothing.
      update sync.quarantine q
         set tries = least(q.tries + 1, 1000),
             try_at = clock_timestamp() + least(interval '1 minute' * (2 ^ least(q.tries, 6)), interval '15 minutes')
       where q.quarantine_id = item;
    end if;
  end loop;
  return done;
end $$;
comment on function sync.replay_waiting(integer, boolean) is
  'Tries again what waits in quarantine, and returns how many rows are done: of each node its share, '
  'those first that have waited longest. With only_due those whose pause is over; pauses grow from a '
  'minute to a quarter of an hour. pg_cron calls it so each minute.';
grant execute on function sync.replay_waiting(integer, boolean) to tpv_cron, tpv_operator;

create or replace function sync.dismiss(quarantine_id bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dismissed sync.quarantine;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = dismiss.quarantine_id;
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', sec.actor(), dismiss.why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
  returning * into dismissed;
  if found then
    insert into sec.audit (event, subject, detail)
    values ('DISMISSED', format('%s of node %s, %s', dismissed.code, dismissed.node_id, dismissed.kind), dismiss.why);
  end if;
end $$;
comment on function sync.dismiss(bigint, text) is
  'Takes a row off the list although it was not applied, with a reason. What it holds stays in the '
  'wire tables. It is a security event.';
grant execute on function sync.dismiss(bigint, text) to tpv_operator;
-- end functions/sync/quarantine.sql

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

grant select on sync.peer, sync.peer_chain, sync.peer_vector, sync.refusal to tpv_operator, tpv_analyst;
grant select on sec.audit to tpv_operator;
-- Refused rows and details may hold data of customers. Analysts may count them, but not read them;
-- operators read journal.quarantine.
grant select (quarantine_id, at, node_id, doc_id, business_date, kind, seq, entire, code, resolved_at, tries, try_at)
  on sync.quarantine to tpv_operator, tpv_analyst;
grant select, update on sync.peer to tpv_apply;
grant select, insert, update on sync.peer_chain, sync.refusal to tpv_apply;
grant select, insert, update, delete on sync.peer_vector, sync.quarantine to tpv_apply;
grant insert on sec.audit to tpv_apply;
-- What a heartbeat says.
grant select, insert, update on sync.beat_counter to tpv_worker;
