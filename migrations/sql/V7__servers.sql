-- Purpose: which servers the nodes are: how a store joins, catches up, leaves and is banned; lives of
--          servers, and copies of them; a server that was restored from a backup.
-- Limits:  a plan returns statements and runs none; a superuser runs them, each on its own. A server
--          without a line cannot notice that it was restored; what it writes until then is found
--          afterwards. The tables are local to a node.
-- Undo:    leave the chain first (sync.leave_plan); then drop what is created here.

-- Lives of servers

create table sync.life (
  node_id     integer not null references sync.peer on delete cascade,
  life        text not null,
  predecessor text,
  state       text not null check (state in ('current', 'replaced', 'waiting', 'refused')),
  is_known    boolean not null default true,
  first_at    timestamptz not null default clock_timestamp(),
  last_at     timestamptz not null default clock_timestamp(),
  replaced_at timestamptz,
  replacement text,
  refusals    integer not null default 0,
  pid         integer,
  primary key (node_id, life)
) with (fillfactor = 70);
create unique index life_current on sync.life (node_id) where state = 'current';
comment on table sync.life is
  'The lives of peers'' servers that came to stream from here, each from a start of that server to the '
  'next, and which one may. The last 500 of each peer.';
comment on column sync.life.node_id is 'The peer.';
comment on column sync.life.life is 'Its name, which the server has drawn: there, select tpv.life().';
comment on column sync.life.predecessor is 'The life before, as the server says.';
comment on column sync.life.state is
  'current: it may stream, and no other may. replaced: another has its place. waiting: it came while the '
  'slot was another''s, and was put off. refused: there are two servers, or one was restored; a person '
  'decides with sync.accept_life. Without a current one whoever comes next may stream.';
comment on column sync.life.is_known is
  'Whether it followed the one of before. False when nothing of its past was on record here.';
comment on column sync.life.first_at is 'When it came first.';
comment on column sync.life.last_at is 'When it came last.';
comment on column sync.life.replaced_at is 'When another took its place.';
comment on column sync.life.replacement is 'Which; null when somebody left it to whoever comes next.';
comment on column sync.life.refusals is 'How often it was refused; once that has alarmed, not every time is counted.';
comment on column sync.life.pid is 'The process that let it in last.';

create table sync.clone (
  node_id    integer not null,
  life       text not null,
  from_node    integer not null,
  is_here    boolean not null,
  first_at   timestamptz not null,
  last_at    timestamptz not null,
  settled_at timestamptz,
  primary key (node_id, life, from_node)
) with (fillfactor = 70);
comment on table sync.clone is
  'Servers that were refused since another one is that node: copies, or servers that were restored from '
  'one.';
comment on column sync.clone.node_id is 'The node that the server says it is: a peer, or this node.';
comment on column sync.clone.life is 'Its life.';
comment on column sync.clone.from_node is 'Who has refused it: this node; or a peer, for a server that says that it is this node.';
comment on column sync.clone.is_here is 'Whether it is this very server that the peer has refused.';
comment on column sync.clone.first_at is 'When that was noted first.';
comment on column sync.clone.last_at is 'When it was refused last, within some seconds.';
comment on column sync.clone.settled_at is
  'When somebody decided which server it is, with sync.accept_life; null while nobody has, and when it '
  'was refused again since.';

-- A server that was restored

create table sync.restored (
  restored_id bigint generated always as identity primary key,
  noticed_at  timestamptz not null default clock_timestamp(),
  how         text not null,
  life        integer not null check (life > 1),
  stamps      integer not null default 100,
  snapshot_requested_at timestamptz,
  ended_at    timestamptz,
  ended_why   text
);
create unique index restored_open on sync.restored ((true)) where ended_at is null;
comment on table sync.restored is
  'When this server noticed that it was restored from a backup. While a row is open, nobody changes '
  'here what the chain shares; selling goes on.';
comment on column sync.restored.restored_id is 'Key.';
comment on column sync.restored.noticed_at is 'When.';
comment on column sync.restored.how is 'What showed it, in a sentence.';
comment on column sync.restored.life is
  'The life in which hash chains go on since then: T04~2 is the second of T04.';
comment on column sync.restored.stamps is
  'Of how many of this node''s operations peers name the stamps, while the row is open.';
comment on column sync.restored.snapshot_requested_at is
  'When a store asked central for a snapshot with what it had decided and forgotten.';
comment on column sync.restored.ended_at is
  'When what it had forgotten was here again, or somebody ended it; null while it is open.';
comment on column sync.restored.ended_why is 'Which of these.';

create table sync.server (
  node_id    integer primary key,
  timeline   integer not null,
  slots      text[] not null,
  started_at timestamptz not null,
  token      bigint not null,
  token_at   timestamptz not null
);
comment on table sync.server is
  'This server since its last start: what it asks its peers about itself.';
comment on column sync.server.node_id is 'This node.';
comment on column sync.server.timeline is 'The timeline of its WAL when the background worker looked last.';
comment on column sync.server.slots is 'The slots of its peers at the same time. A base backup has none.';
comment on column sync.server.started_at is 'When the postmaster started.';
comment on column sync.server.token is
  'Heartbeats carry it while this node asks what others have of its rows; another one asks anew.';
comment on column sync.server.token_at is 'Since when it is this one.';

create table sync.own_said (
  node_id  integer primary key references sync.peer on delete cascade,
  at       timestamptz not null,
  last_seq bigint not null,
  reused   bigint[] not null,
  detail   text not null
);
comment on table sync.own_said is
  'Peers that have operations of this node that are not here, or are others here. A row goes when '
  'the peer says so no longer.';
comment on column sync.own_said.node_id is 'The peer.';
comment on column sync.own_said.at is 'When it said so last.';
comment on column sync.own_said.last_seq is 'The last number of this node''s operations there.';
comment on column sync.own_said.reused is 'Numbers that have other stamps there than here.';
comment on column sync.own_said.detail is 'A sentence.';

create table sync.own_chain (
  chain        text primary key,
  chain_seq    bigint not null,
  hash         bytea not null,
  depth        bigint not null default 100,
  is_deeper    boolean not null default false,
  requested_at timestamptz
);
comment on table sync.own_chain is
  'Hash chains of this node that go on at central otherwise than here, since this server was '
  'restored. Central sends their documents; a row goes when the chain is whole.';
comment on column sync.own_chain.chain is 'Its name, as in wire.doc.';
comment on column sync.own_chain.chain_seq is 'The last document that links at central.';
comment on column sync.own_chain.hash is 'Its link hash.';
comment on column sync.own_chain.depth is
  'From how many documents before the end of the chain here central is asked to send.';
comment on column sync.own_chain.is_deeper is
  'Whether the first document that came does not link to what is here, so that the two part before it.';
comment on column sync.own_chain.requested_at is 'When central was asked last.';

create table sync.second_place (
  node_id       integer not null,
  chain         text not null,
  chain_seq     bigint not null,
  doc_id        uuid not null,
  business_date date not null,
  kind          text not null,
  hlc           bigint not null,
  prev_hash     bytea not null,
  content_hash  bytea not null,
  primary key (node_id, chain, chain_seq)
);
comment on table sync.second_place is
  'Places in hash chains of documents that have another place in wire.doc: a receipt that a server '
  'recorded, forgot with a restore, and recorded again. The place with the earlier stamp is in '
  'wire.doc. Hash chains link through both.';
comment on column sync.second_place.node_id is 'As in wire.doc.';
comment on column sync.second_place.chain is 'As in wire.doc.';
comment on column sync.second_place.chain_seq is 'As in wire.doc.';
comment on column sync.second_place.doc_id is 'The document.';
comment on column sync.second_place.business_date is 'Its business date.';
comment on column sync.second_place.kind is 'Its kind.';
comment on column sync.second_place.hlc is 'The stamp with which it was recorded in this place.';
comment on column sync.second_place.prev_hash is 'As in wire.doc.';
comment on column sync.second_place.content_hash is 'As in wire.doc, of the body that it had in this place.';

-- begin functions/sync/notice.sql
create or replace function sync.notice_restored(how text, life integer default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  last_life integer := (select max(r.life) from sync.restored r);
begin
  -- Whoever records waits, and sees the new life then.
  perform from sync.hash_chain c where c.node_id = here order by c.chain for update;
  insert into sync.op_counter as c (node_id, last_seq, held) values (here, 0, true)
  on conflict (node_id) do update set held = true;
  if exists (select from sync.restored r where r.ended_at is null) then
    update sync.restored r set life = notice_restored.life
     where r.ended_at is null and r.life < notice_restored.life;
    return;
  end if;
  life := greatest(coalesce(life, 0), coalesce(last_life, 1) + 1,
                   (select max(substring(c.chain from '~([0-9]{1,9})$')::integer) + 1
                      from sync.hash_chain c where c.node_id = here));
  insert into sync.restored (how, life) values (notice_restored.how, notice_restored.life);
  insert into sec.audit (event, subject, detail) values ('RESTORED', format('node %s', here), notice_restored.how);
  raise log 'pg_tpv: this server was restored from a backup: %', notice_restored.how
    using hint = 'Changes of what the chain shares are refused until it has got back what it forgot. See sync.restored.';
end $$;
comment on function sync.notice_restored(text, integer) is
  'Notes that this server was restored from a backup. From then on hash chains go on in a new life, '
  'and changes of tracked tables are refused until all that was forgotten is here.';

create or replace function sync.end_restored(why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  update sync.restored r set ended_at = clock_timestamp(), ended_why = end_restored.why where r.ended_at is null;
  if not found then
    raise exception 'this server has not noticed that it was restored, or it is over'
      using errcode = 'P0002', hint = 'sync.restored has when it was.';
  end if;
  update sync.op_counter c set held = false where c.node_id = org.this_node();
  delete from sync.own_chain;
  insert into sec.audit (event, subject, detail)
  values ('RESTORED_ENDED', format('node %s', org.this_node()), end_restored.why);
end $$;
comment on function sync.end_restored(text) is
  'Ends by hand what sync.notice_restored began: what this server has forgotten and not got back stays '
  'forgotten. Needed only when a peer never comes back that would have said that nothing is missing.';
grant execute on function sync.end_restored(text) to tpv_operator;

create or replace function sync.next_life(said jsonb, here jsonb) returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tpv.next_life(said, here, coalesce((select max(r.life) from sync.restored r), 1))
$$;
comment on function sync.next_life(jsonb, jsonb) is
  'The life in which hash chains go on, given what a peer has of this node''s rows and what is here.';

create or replace function sync.look_at_server() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
  was sync.server := (select s from sync.server s where s.node_id = org.this_node());
  now_on integer := ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer;
  now_there text[] := (select coalesce(array_agg(s.slot_name::text order by s.slot_name), '{}') from pg_replication_slots s
                    where s.database = current_database() and starts_with(s.slot_name, 'tpv_'));
  ahead integer := (select count(*) from pg_replication_slots s
                     where s.database = current_database() and starts_with(s.slot_name, 'tpv_')
                       and s.confirmed_flush_lsn > pg_current_wal_insert_lsn());
begin
  if here is null then
    return;
  end if;
  if was.started_at is distinct from pg_postmaster_start_time() or was.timeline <> now_on then
    insert into sync.server as s (node_id, timeline, slots, started_at, token, token_at)
    values (here.node_id, now_on, now_there, pg_postmaster_start_time(), tpv.hlc_now(), clock_timestamp())
    on conflict (node_id) do update
      set timeline = excluded.timeline, slots = excluded.slots, started_at = excluded.started_at,
          token = excluded.token, token_at = excluded.token_at;
    if here.kind = 'central' and was.timeline <> now_on then
      perform sync.notice_restored(format('its timeline was %s and is %s: a standby was promoted, or a base backup was restored',
                                          was.timeline, now_on));
    elsif here.kind = 'central' and now_there = '{}' and was.slots <> '{}' then
      perform sync.notice_restored('the slots that it had are gone: it was made of a base backup');
    end if;
  elsif now_there <> was.slots then
    update sync.server s set slots = now_there where s.node_id = here.node_id;
  end if;
  -- A subscriber can say anything, so central believes two.
  if not exists (select from sync.restored r where r.ended_at is null) then
    if ahead > (case here.kind when 'central' then 1 else 0 end) then
      perform sync.notice_restored('peers have confirmed WAL of this server that it has not written');
    elsif (select count(distinct c.from_node) from sync.clone c
            where c.node_id = here.node_id and c.is_here and c.settled_at is null
              and c.last_at > coalesce((select max(r.ended_at) from sync.restored r), '-infinity'))
          > (case here.kind when 'central' then 1 else 0 end) then
      perform sync.notice_restored('peers refuse this server: they have seen a later start of it');
    end if;
  end if;
end $$;
comment on function sync.look_at_server() is
  'Looks whether this server was restored from a backup, as far as it can see that by itself. The '
  'background worker calls it.';
grant execute on function sync.look_at_server() to tpv_worker;

create or replace function sync.own_token(out token bigint, out stamps integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asks sync.server;
  open sync.restored;
  pause interval;
begin
  select * into asks from sync.server s where s.node_id = org.this_node();
  select * into open from sync.restored r where r.ended_at is null;
  if asks.node_id is null
     or (open.restored_id is null
         and not exists (select from sync.peer p where coalesce(p.own_at < asks.started_at, true))) then
    return;
  end if;
  -- Whoever does not answer is asked more and more seldom.
  pause := case when open.restored_id is not null then interval '5 seconds'
                else least(greatest(interval '10 seconds', (clock_timestamp() - asks.started_at) / 5), interval '1 hour') end;
  if asks.token_at < clock_timestamp() - pause then
    update sync.server s set token = tpv.hlc_now(), token_at = clock_timestamp() where s.node_id = asks.node_id
    returning * into asks;
  end if;
  token := asks.token;
  stamps := coalesce(open.stamps, 100);
end $$;
comment on function sync.own_token() is
  'What the next heartbeat carries to ask peers what they have of this node''s rows; nulls when it '
  'does not ask.';
grant execute on function sync.own_token() to tpv_worker;
-- end functions/sync/notice.sql
-- begin functions/sync/own.sql
create or replace function sync.hear_question(peer integer, token bigint, stamps bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update sync.peer p set own_token = hear_question.token
   where p.node_id = hear_question.peer and p.own_token is distinct from hear_question.token;
  if found then
    insert into sync.request as r (node_id, what, from_seq)
    values (hear_question.peer, 'own', least(greatest(hear_question.stamps, 1), 100000))
    on conflict (node_id, what, subject) do update set from_seq = excluded.from_seq;
  end if;
end $$;
comment on function sync.hear_question(integer, bigint, bigint) is
  'A peer asks in its heartbeat what this node has of its rows.';
grant execute on function sync.hear_question(integer, bigint, bigint) to tpv_apply;

create or replace function sync.chains_of(node_id integer) returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with recursive own (chain) as (
    select min(d.chain) from wire.doc d where d.node_id = chains_of.node_id
    union all
    select (select min(d.chain) from wire.doc d where d.node_id = chains_of.node_id and d.chain > own.chain)
      from own where own.chain is not null
  )
  select own.chain from own where own.chain is not null;
end;
comment on function sync.chains_of(integer) is 'The hash chains of a node of which documents are here.';

create or replace function sync.mark(operation wire.op) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select (operation.hlc # hashtextextended(concat_ws(' ', operation.table_name, operation.key, operation.patch), 0)) & 9223372036854775807
$$;
comment on function sync.mark(wire.op) is
  'By what two operations of one number are told apart: the stamp, and what it says. A server that was put '
  'back soon may give the same stamps again.';

create or replace function sync.what_it_has(peer integer, stamps bigint) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  name text;
  followed record;
  verified sync.verified;
  chains jsonb := '{}';
begin
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central') then
    for name in select c.chain from sync.chains_of(what_it_has.peer) c (chain) loop
      select * into verified from sync.verified v where v.node_id = what_it_has.peer and v.chain = name;
      select f.seq, f.hash into followed
        from tpv.follow_hash_chain(what_it_has.peer, name, coalesce(verified.chain_seq, 0),
                                   coalesce(verified.hash, decode(repeat('00', 32), 'hex')), 9223372036854775807) f;
      chains := chains || jsonb_build_object(name, jsonb_build_array(followed.seq, encode(followed.hash, 'hex') || coalesce(
        (select ' ' || d.hlc from wire.doc d where d.node_id = what_it_has.peer and d.chain = name and d.chain_seq = followed.seq), '')));
    end loop;
  end if;
  return json_build_object(
    'last', greatest((select max(o.seq) from wire.op o where o.node_id = what_it_has.peer),
                     (select h.seq from sync.horizon h where h.node_id = what_it_has.peer), 0),
    'stamps', (select coalesce(json_agg(json_build_array(s.seq, sync.mark(s)) order by s.seq), '[]')
                 from (select o.* from wire.op o where o.node_id = what_it_has.peer order by o.seq desc limit what_it_has.stamps) s
                -- One without its values, which was erased or is not believed, says nothing of them.
                where strpos(s.patch, '"@blank":true') = 0),
    'chains', chains);
end $$;
comment on function sync.what_it_has(integer, bigint) is
  'What this node has of a peer''s own rows: the last number of its operations, the stamps of the last '
  'ones, and how far its hash chains link here.';

create or replace function sync.link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date,
    prev_hash bytea, content_hash bytea) returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
  select sha256(prev_hash || content_hash || convert_to(
    concat_ws('/', node_id, chain, chain_seq, doc_id, kind, to_char(business_date, 'YYYY-MM-DD')), 'UTF8'))
$$;
comment on function sync.link(integer, text, bigint, uuid, text, date, bytea, bytea) is
  'The link hash of a document: what the next of its hash chain names.';

create or replace function sync.link_of(chain text, chain_seq bigint) returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select sync.link(p.node_id, p.chain, p.chain_seq, p.doc_id, p.kind, p.business_date, p.prev_hash, p.content_hash)
    from (select d.node_id, d.chain, d.chain_seq, d.doc_id, d.kind, d.business_date, d.prev_hash, d.content_hash
            from wire.doc d
           where d.node_id = org.this_node() and d.chain = link_of.chain and d.chain_seq = link_of.chain_seq
          union all
          select s.node_id, s.chain, s.chain_seq, s.doc_id, s.kind, s.business_date, s.prev_hash, s.content_hash
            from sync.second_place s
           where s.node_id = org.this_node() and s.chain = link_of.chain and s.chain_seq = link_of.chain_seq) p limit 1
$$;
comment on function sync.link_of(text, bigint) is
  'The link hash of a document of this node, by its place; null when it is not here.';

create or replace function sync.set_aside_reused(seqs bigint[], peer integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  gone integer;
begin
  perform set_config('pg_tpv.maintenance', 'on', true);
  with aside as (
    delete from wire.op o where o.node_id = here and o.seq = any (seqs) returning o.*
  ), noted as (
    insert into sync.quarantine (node_id, kind, code, detail, key, refused)
    select here, a.table_name, 'NUMBER_REUSED',
           format('its number was given before this server was restored; node %s has that operation, and it stands', peer), a.key,
           jsonb_build_object('seq', a.seq, 'hlc', a.hlc, 'key', a.key, 'patch', a.patch, 'base', a.base)
      from aside a
  ), lost as (
    update sync.head h set heads = '{}', waits = true, contested = false, lost_at = clock_timestamp()
      from (select distinct a.table_name, a.key from aside a) k
     where (h.table_name, h.key) = (k.table_name, k.key)
  ), told as (
    -- The peer refuses them and keeps them, so that both sides have both values.
    insert into sync.outgoing (to_node, kind, body)
    select set_aside_reused.peer, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             a.node_id, a.seq, a.hlc, a.table_name, a.key, a.patch, a.base) order by a.seq))::text
      from (select a.*, (row_number() over (order by a.seq)) / 50 as part from aside a) a group by a.part
  ), conflicts as (
    delete from sync.sibling s using (select distinct a.table_name, a.key from aside a) k
     where (s.table_name, s.key) = (k.table_name, k.key)
  )
  select count(*) into gone from aside;
  -- An operation that waited under one of these numbers waits no longer.
  delete from sync.quarantine q where q.node_id = here and q.seq = any (seqs) and q.refused is null;
  update sync.horizon h set seq = least(h.seq, (select min(s) from unnest(seqs) s) - 1) where h.node_id = here;
  perform set_config('pg_tpv.maintenance', 'off', true);
  if gone > 0 then
    insert into sec.audit (event, subject, detail)
    values ('NUMBER_REUSED', format('node %s', here),
            format('%s operations had numbers that were given before a restore; sync.quarantine keeps them', gone));
  end if;
  return gone;
end $$;
comment on function sync.set_aside_reused(bigint[], integer) is
  'Sets aside operations of this node whose numbers were given before it was restored: what they wrote '
  'is on record in sync.quarantine, and what stands comes with a snapshot.';

create or replace function sync.remove_row(table_name text, key text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tracked sync.tracked_table;
begin
  select * into strict tracked from sync.tracked_table t where t.table_name = remove_row.table_name;
  if exists (select from sync.head h where h.table_name = remove_row.table_name and h.key = remove_row.key) then
    raise exception 'that row has heads' using errcode = '55000';
  end if;
  execute format('delete from %s where %I::text = $1', tracked.table_name::regclass, tracked.key_column) using key;
end $$;
comment on function sync.remove_row(text, text) is
  'Removes a row that was made under numbers that had been given before a restore: no other node has it. '
  'Only apply workers can; anybody else is refused by the table''s guard.';
grant execute on function sync.remove_row(text, text) to tpv_apply;

create or replace function sync.request_later(peer integer, wants json) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into sync.outgoing (to_node, kind, body)
  values (request_later.peer, 'request', json_build_object('wants', request_later.wants)::text);
end;
comment on function sync.request_later(integer, json) is
  'Has the background worker request rows from a peer: what an apply worker writes into wire.resend came '
  'from a peer.';

create or replace function sync.request_lost(peer integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Once in a while: central answers when it can.
  update sync.restored r set snapshot_requested_at = clock_timestamp()
   where r.ended_at is null and coalesce(r.snapshot_requested_at < clock_timestamp() - interval '5 minutes', true);
  if found then
    perform sync.request_later(peer, '[{"what": "snapshot"}]');
  end if;
end $$;
comment on function sync.request_lost(integer) is
  'Requests a snapshot with what this server has forgotten. Callers use sync.receive_own.';

create or replace function sync.receive_own(peer integer, said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
  own jsonb;
  reused bigint[];
  found record;
  detail text;
  is_deeper boolean := false;
  operations_differ boolean;
  depth bigint;
begin
  update sync.peer p set own_at = clock_timestamp() where p.node_id = receive_own.peer;
  -- Nothing is written here meanwhile.
  perform from sync.op_counter c where c.node_id = here.node_id for update;
  own := jsonb_build_object(
    'last', coalesce((select c.last_seq from sync.op_counter c where c.node_id = here.node_id), 0),
    'stamps', (select coalesce(jsonb_agg(jsonb_build_array(o.seq, sync.mark(o))), '[]')
                 from jsonb_array_elements(said -> 'stamps') s
                 join wire.op o on o.node_id = here.node_id and o.seq = (s ->> 0)::bigint
                where strpos(o.patch, '"@blank":true') = 0),
    'chains', (select coalesce(jsonb_object_agg(c.key, jsonb_build_array(
                        coalesce((select h.head_seq from sync.hash_chain h where h.node_id = here.node_id and h.chain = c.key), 0),
                        encode(sync.link_of(c.key, (c.value ->> 0)::bigint), 'hex') || coalesce(
                          (select ' ' || d.hlc from wire.doc d
                            where d.node_id = here.node_id and d.chain = c.key and d.chain_seq = (c.value ->> 0)::bigint), ''))), '{}')
                 from jsonb_each(said -> 'chains') c));
  select array_agg(f.from_seq) filter (where f.what = 'reused'), max(f.detail), coalesce(bool_or(f.what = 'deeper'), false),
         coalesce(bool_or(f.what <> 'hash_chain'), false)
    into reused, detail, is_deeper, operations_differ
    from tpv.own_differences(said, own) f;

  if here.kind = 'central' then
    perform sync.weigh_own(peer, said, reused, detail, is_deeper);
    return;
  end if;
  if exists (select from sync.head h where h.lost_at is not null) then
    perform sync.request_lost(peer);
  end if;
  if detail is null then
    -- Chains of which central names none are none of its business any more.
    delete from sync.own_chain;
    if exists (select from sync.restored r where r.ended_at is null)
       and not exists (select from sync.head h where h.lost_at is not null)
       and not exists (select from sync.snapshot s where s.completed_at is null and s.ended_at is null)
       and (select coalesce(v.seq, 0) <= k.seq from sync.contiguous() k
              left join sync.peer_vector v on v.node_id = receive_own.peer and v.writer_id = here.node_id
             where k.node_id = here.node_id) is not false then
      perform sync.end_restored('central has nothing of this node that is not here');
    end if;
    return;
  end if;

  perform sync.notice_restored(detail, sync.next_life(said, own));
  if is_deeper then
    update sync.restored r set stamps = least(r.stamps * 10, 100000) where r.ended_at is null;
  elsif reused is not null then
    perform sync.set_aside_reused(reused, peer);
  end if;
  if operations_differ then
    perform sync.request_lost(peer);
  end if;

  delete from sync.own_chain c where not exists (
    select from tpv.own_differences(said, own) f where f.what = 'hash_chain' and f.subject = c.chain);
  for found in select * from tpv.own_differences(said, own) f where f.what = 'hash_chain' loop
    insert into sync.own_chain as c (chain, chain_seq, hash) values (found.subject, found.to_seq, found.hash)
    on conflict (chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash,
          depth = case when c.is_deeper then least(c.depth * 10, 1000000000) else c.depth end,
          requested_at = case when not c.is_deeper then c.requested_at end, is_deeper = false;
    with asked as (
      update sync.own_chain c set requested_at = clock_timestamp()
       where c.chain = found.subject and coalesce(c.requested_at < clock_timestamp() - interval '30 seconds', true)
      returning c.depth
    )
    select a.depth into depth from asked a;
    if depth is not null then
      perform sync.request_later(peer, json_build_array(json_build_object(
        'what', 'own_documents', 'subject', found.subject, 'from', greatest(found.from_seq - depth, 1), 'to', found.to_seq)));
    end if;
  end loop;
end $$;
comment on function sync.receive_own(integer, jsonb) is
  'A peer says what it has of this node''s own rows. If that is more than is here, or something else, '
  'this server was restored: a store sets aside what it wrote under numbers that were taken, and requests '
  'what it has forgotten. Central only notes what one peer says, and believes two.';
grant execute on function sync.receive_own(integer, jsonb) to tpv_apply;

create or replace function sync.weigh_own(peer integer, said jsonb, reused bigint[], detail text, is_deeper boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if detail is null then
    delete from sync.own_said s where s.node_id = weigh_own.peer;
    -- All that are peers have been heard since it was noticed.
    if exists (select from sync.restored r where r.ended_at is null
                  and not exists (select from sync.own_said)
                  and not exists (select from sync.head h where h.lost_at is not null)
                  and not exists (select from sync.accepted_snapshot a where a.ended_at is null)
                  and not exists (select from sync.peer p where coalesce(p.own_at < r.noticed_at, true))) then
      perform sync.end_restored('no store has anything of this node that is not here');
    end if;
    return;
  end if;
  insert into sync.own_said as s (node_id, at, last_seq, reused, detail)
  values (weigh_own.peer, clock_timestamp(), (said ->> 'last')::bigint, coalesce(weigh_own.reused, '{}'), weigh_own.detail)
  on conflict (node_id) do update
    set at = excluded.at, last_seq = excluded.last_seq, reused = excluded.reused, detail = excluded.detail;
  if is_deeper then
    update sync.restored r set stamps = least(r.stamps * 10, 100000) where r.ended_at is null;
  end if;
  if (select count(*) from sync.own_said) > 1 then
    perform sync.notice_restored(format('nodes %s say so, such as: %s',
      (select string_agg(s.node_id::text, ', ' order by s.node_id) from sync.own_said s), weigh_own.detail));
  elsif not exists (select from sec.audit a where a.event = 'RESTORED_SAID' and a.subject = format('node %s', weigh_own.peer)
                       and a.at > clock_timestamp() - interval '1 day') then
    -- One alone may lie. It alarms, and nothing changes.
    insert into sec.audit (event, subject, detail) values ('RESTORED_SAID', format('node %s', weigh_own.peer), weigh_own.detail);
  end if;
end $$;
comment on function sync.weigh_own(integer, jsonb, bigint[], text, boolean) is
  'At central: what one store says of central''s own rows. Two that say the same kind of thing are believed. '
  'Callers use sync.receive_own.';
-- end functions/sync/own.sql
-- begin functions/sync/own_documents.sql
create or replace function sync.link(document wire.doc) returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
  select sync.link(document.node_id, document.chain, document.chain_seq, document.doc_id, document.kind, document.business_date,
                   document.prev_hash, document.content_hash)
$$;
comment on function sync.link(wire.doc) is 'The same of a row of wire.doc.';

create or replace function sync.this_life(chain text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select split_part(chain, '~', 1) || coalesce((select '~' || max(r.life) from sync.restored r having max(r.life) > 1), '')
$$;
comment on function sync.this_life(text) is 'The hash chain in which one goes on now.';

create or replace function sync.move_to_this_life(chain text, from_seq bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  target text := sync.this_life(chain);
  head sync.hash_chain;
  document wire.doc;
  place sync.second_place;
  before bytea;
  moved integer := 0;
begin
  insert into sync.hash_chain (node_id, chain) values (here, target) on conflict do nothing;
  perform from sync.hash_chain c where c.node_id = here and c.chain in (move_to_this_life.chain, target) order by c.chain for update;
  before := coalesce(case when from_seq > 1 then sync.link_of(chain, from_seq - 1) end, decode(repeat('00', 32), 'hex'));
  select * into head from sync.hash_chain c where c.node_id = here and c.chain = target;
  for document in
    select d.* from wire.doc d
     where d.node_id = here and d.chain = move_to_this_life.chain and d.chain_seq >= from_seq order by d.chain_seq
  loop
    update wire.doc d set chain = target, chain_seq = head.head_seq + 1, prev_hash = head.head_hash
     where d.node_id = here and d.doc_id = document.doc_id and d.business_date = document.business_date
    returning d.* into document;
    head.head_seq := document.chain_seq;
    head.head_hash := sync.link(document);
    head.head_hlc := greatest(head.head_hlc, document.hlc);
    moved := moved + 1;
  end loop;
  update sync.hash_chain c set head_seq = head.head_seq, head_hash = head.head_hash, head_hlc = head.head_hlc
   where c.node_id = here and c.chain = target;
  -- Places that only this life knew. Their documents have another.
  delete from sync.second_place s where s.node_id = here and s.chain = move_to_this_life.chain and s.chain_seq >= from_seq;
  update sync.hash_chain c
     set head_seq = from_seq - 1, head_hash = before,
         head_hlc = coalesce((select max(d.hlc) from wire.doc d
                               where d.node_id = here and d.chain = move_to_this_life.chain and d.chain_seq = from_seq - 1), 0)
   where c.node_id = here and c.chain = move_to_this_life.chain and c.head_seq >= from_seq;
  return moved;
end $$;
comment on function sync.move_to_this_life(text, bigint) is
  'Moves documents of a hash chain of this node to its chain of this life: they have places there that '
  'belong to others. What they say and when they were recorded stays. Callers use sync.receive_own_documents.';

create or replace function sync.take_own_document(came wire.doc, is_second boolean) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before bytea;
  there wire.doc;
  stands wire.doc;
begin
  before := case when came.chain_seq = 1 then decode(repeat('00', 32), 'hex') else sync.link_of(came.chain, came.chain_seq - 1) end;
  if before is distinct from came.prev_hash then
    return 'deeper';
  end if;
  if sync.link_of(came.chain, came.chain_seq) = sync.link(came) then
    return 'known';
  end if;
  if exists (select from wire.doc d
              where d.node_id = came.node_id and d.chain = came.chain and d.chain_seq = came.chain_seq and d.doc_id <> came.doc_id) then
    perform sync.move_to_this_life(came.chain, came.chain_seq);
  end if;
  select * into stands from wire.doc d
   where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
  if found and is_second then
    -- Another place of it at central too.
    insert into sync.second_place (node_id, chain, chain_seq, doc_id, business_date, kind, hlc, prev_hash, content_hash)
    values (came.node_id, came.chain, came.chain_seq, came.doc_id, came.business_date, came.kind, came.hlc, came.prev_hash,
            came.content_hash)
    on conflict do nothing;
  elsif found then
    -- Recorded again since. What came first stands.
    insert into sync.second_place (node_id, chain, chain_seq, doc_id, business_date, kind, hlc, prev_hash, content_hash)
    values (stands.node_id, stands.chain, stands.chain_seq, stands.doc_id, stands.business_date, stands.kind, stands.hlc,
            stands.prev_hash, stands.content_hash);
    if stands.content_hash <> came.content_hash then
      insert into sync.quarantine (node_id, kind, code, detail, refused)
      values (stands.node_id, stands.kind, 'NUMBER_REUSED',
              'the document was recorded before this server was restored, with another body, which stands',
              jsonb_build_object('doc_id', stands.doc_id, 'business_date', stands.business_date, 'chain', stands.chain, 'body', stands.body));
    end if;
    update wire.doc d
       set chain = came.chain, chain_seq = came.chain_seq, prev_hash = came.prev_hash, hlc = came.hlc,
           schema_version = came.schema_version, body = came.body, content_hash = came.content_hash
     where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
  else
    insert into wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, body,
                          content_hash)
    values (came.node_id, came.doc_id, came.business_date, came.kind, came.to_node, came.hlc, came.schema_version, came.chain,
            came.chain_seq, came.prev_hash, came.body, came.content_hash);
  end if;
  insert into sync.hash_chain as c (node_id, chain, head_seq, head_hash, head_hlc)
  values (came.node_id, came.chain, came.chain_seq, sync.link(came), came.hlc)
  on conflict (node_id, chain) do update
    set head_seq = excluded.head_seq, head_hash = excluded.head_hash, head_hlc = greatest(c.head_hlc, excluded.head_hlc)
    where c.head_seq < excluded.head_seq;
  return case when stands.node_id is null or is_second then 'taken' else 'replaced' end;
end $$;
comment on function sync.take_own_document(wire.doc, boolean) is
  'Takes back one document of this node, as an exact continuation of its hash chain here. Callers use '
  'sync.receive_own_documents.';

create or replace function sync.take_stamps(documents json) returns table (business_date date, taken bigint)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with taken as (
    update wire.doc d set hlc = c.hlc
      from json_to_recordset(documents) as c (
             node_id integer, doc_id uuid, business_date date, hlc bigint, chain text, chain_seq bigint, prev_hash bytea,
             content_hash bytea, second boolean)
     where c.node_id = org.this_node() and not coalesce(c.second, false)
       and (d.node_id, d.doc_id, d.business_date) = (c.node_id, c.doc_id, c.business_date)
       and (d.chain, d.chain_seq, d.prev_hash, d.content_hash) = (c.chain, c.chain_seq, c.prev_hash, c.content_hash)
       and d.hlc <> c.hlc
    returning d.business_date
  )
  select t.business_date, count(*) from taken t group by t.business_date
$$;
comment on function sync.take_stamps(json) is
  'Takes back when documents of this node were recorded: they were handed in again after it was restored, in '
  'the same order, and nothing but their stamps is another. Returns how many of which day. Callers use '
  'sync.receive_own_documents.';

create or replace function sync.receive_own_documents(documents json) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  is_open boolean := exists (select from sync.restored r where r.ended_at is null);
  one record;
  came wire.doc;
  outcome text;
  days date[];
  stamps bigint;
begin
  perform set_config('pg_tpv.maintenance', 'on', true);
  select array_agg(t.business_date), sum(t.taken) into days, stamps from sync.take_stamps(documents) t;
  if not is_open and stamps > 0 then
    insert into sec.audit (event, subject, detail)
    values ('STAMPS_TAKEN', format('node %s', org.this_node()),
            format('central had recorded %s documents of this node before they were handed in here again', stamps));
  end if;
  for one in
    select row(d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, d.hlc, d.schema_version, d.chain, d.chain_seq, d.prev_hash,
               d.body, d.content_hash)::wire.doc as document, coalesce(d.second, false) as is_second
      from json_to_recordset(documents) as d (
             node_id integer, doc_id uuid, business_date date, kind text, to_node integer, hlc bigint, schema_version integer,
             chain text, chain_seq bigint, prev_hash bytea, body text, content_hash bytea, second boolean)
     where is_open and d.node_id = org.this_node() and exists (select from sync.own_chain c where c.chain = d.chain)
     order by d.chain, d.chain_seq
  loop
    came := one.document;
    outcome := sync.take_own_document(came, one.is_second);
    if outcome = 'deeper' then
      update sync.own_chain c set is_deeper = true where c.chain = came.chain;
      exit;
    elsif outcome <> 'known' then
      days := days || came.business_date;
    end if;
  end loop;
  perform set_config('pg_tpv.maintenance', 'off', true);
  perform sales.rebuild_projections(org.this_node(), d.day, d.day) from (select distinct unnest(days) as day) d;
end $$;
comment on function sync.receive_own_documents(json) is
  'Takes back documents of this node that central has and this server has forgotten. What it has recorded '
  'since under the same numbers moves to the hash chain of this life. When nothing is missing it takes back '
  'only when they were recorded.';
grant execute on function sync.receive_own_documents(json) to tpv_apply;

create or replace function sync.note_place(node_id integer, doc_id uuid, business_date date, kind text, hlc bigint, chain text,
    chain_seq bigint, prev_hash bytea, content_hash bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  came sync.second_place := row(note_place.node_id, note_place.chain, note_place.chain_seq, note_place.doc_id, note_place.business_date,
                                note_place.kind, note_place.hlc, note_place.prev_hash, note_place.content_hash);
  stands wire.doc;
begin
  select * into stands from wire.doc d
   where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
  if not found or (stands.chain, stands.chain_seq) = (came.chain, came.chain_seq) then
    return;
  end if;
  if stands.hlc = came.hlc and stands.content_hash = came.content_hash
     and split_part(stands.chain, '~', 1) = split_part(came.chain, '~', 1)
     and coalesce(nullif(split_part(came.chain, '~', 2), ''), '1')::integer
         > coalesce(nullif(split_part(stands.chain, '~', 2), ''), '1')::integer then
    -- Recorded once. Its writer was restored, and found that the place belongs to another.
    perform set_config('pg_tpv.maintenance', 'on', true);
    update wire.doc d set chain = came.chain, chain_seq = came.chain_seq, prev_hash = came.prev_hash
     where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
    perform set_config('pg_tpv.maintenance', 'off', true);
    return;
  end if;
  -- Not in a place that is another document's.
  insert into sync.second_place
  select came.* where not exists (
    select from wire.doc d where d.node_id = came.node_id and d.chain = came.chain and d.chain_seq = came.chain_seq)
  on conflict do nothing;
end $$;
comment on function sync.note_place(integer, uuid, date, text, bigint, text, bigint, bytea, bytea) is
  'Notes that a document that is here came again in another place of a hash chain: its writer was '
  'restored, and recorded it again.';
grant execute on function sync.note_place(integer, uuid, date, text, bigint, text, bigint, bytea, bytea) to tpv_apply;

create or replace function sync.note_recorded_before(node_id integer, chain text, seq bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- They are gathered for a moment, and sent together.
  insert into sync.request as r (node_id, what, subject, from_seq, to_seq, requested_at)
  select note_recorded_before.node_id, 'own_documents', note_recorded_before.chain, note_recorded_before.seq,
         note_recorded_before.seq, clock_timestamp() + interval '1 second'
    from org.node n where n.node_id = org.this_node() and n.kind = 'central'
  on conflict (node_id, what, subject) do update
    set from_seq = least(r.from_seq, excluded.from_seq), to_seq = case when r.to_seq is not null then greatest(r.to_seq, excluded.to_seq) end;
end;
comment on function sync.note_recorded_before(integer, text, bigint) is
  'At central: a store has sent a document with another stamp than the one that is here. It was restored, and '
  'the document was handed in again. The store is told when it was recorded first.';
grant execute on function sync.note_recorded_before(integer, text, bigint) to tpv_apply;
-- end functions/sync/own_documents.sql

-- Joining

-- begin functions/sync/peer.sql
create or replace function sync.name_part(node_code text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select replace(lower(node_code), '-', '_');
end;
comment on function sync.name_part(text) is
  'A node''s code as it is written in names of slots, which have no hyphen.';
grant execute on function sync.name_part(text) to tpv_operator, tpv_analyst;

create or replace function sync.login_name(node_code text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select 'tpv_peer_' || sync.name_part(node_code);
end;
comment on function sync.login_name(text) is
  'What the server of a node logs in as at its peer.';

create or replace function sync.schema_version() returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select max(h.version) from tpv_migration.history h;
end;
comment on function sync.schema_version() is 'The last migration of this database.';

create or replace function sync.add_peer(node_id integer, node_code text, kind text, extension text default null,
                                         schema integer default null)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known org.node;
  extension_here text := (select e.extversion from pg_extension e where e.extname = 'pg_tpv');
  schema_here integer := sync.schema_version();
begin
  if org.this_node() is null then
    raise exception 'this database is no node yet'
      using errcode = '55000', hint = 'Register it with org.register_store or org.register_central.';
  end if;
  if (add_peer.extension <> extension_here or add_peer.schema <> schema_here)
     and not exists (select from sync.peer p where p.node_id = add_peer.node_id) then
    raise exception 'the two nodes are of different versions' using errcode = '55000',
      detail = format('Here are pg_tpv %s and schema %s, there pg_tpv %s and schema %s.',
                      extension_here, schema_here, add_peer.extension, add_peer.schema),
      hint = 'A store joins with the versions that central has (alter extension pg_tpv update, then tpv-migrate run). '
             'Later they may differ by one release, also when it joins again.';
  end if;
  if add_peer.kind = 'store' then
    perform sync.refuse_banned(add_peer.node_id);
  end if;
  select * into known from org.node n where n.node_id = add_peer.node_id;
  if known.node_code <> add_peer.node_code or known.kind <> add_peer.kind then
    raise exception 'node % is taken', add_peer.node_id using errcode = '22023',
      detail = format('It is %s, %s.', known.node_code, known.kind), hint = 'Each node has a number of its own.';
  end if;
  if exists (select from org.node n where n.node_code = add_peer.node_code and n.node_id <> add_peer.node_id) then
    raise exception 'the name % belongs to another node', add_peer.node_code
      using errcode = '22023', hint = 'Each node has a name of its own.';
  end if;
  if add_peer.kind = 'central' and exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id
     where n.kind = 'central' and n.node_id <> add_peer.node_id) then
    raise exception 'this store belongs to another chain'
      using errcode = '22023', hint = 'Leave that chain first, with sync.leave_plan.';
  end if;
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = add_peer.kind) then
    raise exception 'two nodes of the kind % do not exchange rows', add_peer.kind using errcode = '22023',
      hint = 'A chain has one central, and stores that are its peers.';
  end if;
  insert into org.node (node_id, node_code, kind) values (add_peer.node_id, add_peer.node_code, add_peer.kind)
  on conflict do nothing;
  -- From here on central decides: a store notes its last operation of before, and central waits for
  -- its first heartbeat, which says it. Of a store that was banned it knows: what that wrote meanwhile
  -- is not of before.
  insert into sync.peer (node_id, subscription_name, joined_seq)
  values (add_peer.node_id,
          case kind when 'central' then 'tpv_from_central' else 'tpv_from_' || sync.name_part(add_peer.node_code) end,
          case kind when 'central' then coalesce((select max(c.last_seq) from sync.op_counter c where c.node_id = org.this_node()), 0)
                    else sync.joined_before_ban(add_peer.node_id) end)
  on conflict on constraint peer_pkey do nothing;
end $$;
comment on function sync.add_peer(integer, text, text, text, integer) is
  'Makes a node known as a peer, or refuses it: another version, a taken number or name, another '
  'chain, a ban.';

create or replace function sync.remove_peer(node_id integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from sync.request r where r.node_id = remove_peer.node_id;
  delete from sync.outgoing o where o.to_node = remove_peer.node_id;
  update sync.drift d set resolved_at = clock_timestamp(), detail = d.detail || ' (the peer left)'
   where d.node_id = remove_peer.node_id and d.resolved_at is null;
  -- A snapshot that it began to send and will not complete. What that covers comes from the nodes
  -- that decided it.
  delete from sync.snapshot_row t using sync.snapshot l
   where l.snapshot_id = t.snapshot_id and l.node_id = remove_peer.node_id and l.completed_at is null;
  delete from sync.snapshot l where l.node_id = remove_peer.node_id and l.completed_at is null;
  update sync.accepted_snapshot a set ended_at = clock_timestamp(), ended_why = 'the peer left'
   where a.node_id = remove_peer.node_id and a.ended_at is null;
  delete from sync.peer p where p.node_id = remove_peer.node_id;
end;
comment on function sync.remove_peer(integer) is 'Removes a peer. What came from it stays.';

create or replace function sync.mark_gap(peer integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- received_until stays where it is until what was missed has been compared.
  update sync.peer p set gap_beat = coalesce(p.beat, 0) + 1 where p.node_id = mark_gap.peer;
  -- What it asks for now it needs, although it may have had a snapshot a moment ago.
  update sync.served s set snapshot_at = null where s.node_id = mark_gap.peer;
end;
comment on function sync.mark_gap(integer) is
  'Notes that rows of a peer may have been missed. Comparing finds which.';
-- end functions/sync/peer.sql
-- begin functions/sync/life.sql
create or replace function sync.peer_of_slot(slot text) returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.node_id
    from sync.peer p
    join org.node n on n.node_id = p.node_id
   where peer_of_slot.slot = case n.kind
           when 'central' then 'tpv_up_' || sync.name_part((select h.node_code from org.node h where h.node_id = org.this_node()))
           else 'tpv_to_' || sync.name_part(n.node_code) end;
end;
comment on function sync.peer_of_slot(text) is 'The peer that a slot here is for; null when it is for none.';

create or replace function sync.note_clone(node_id integer, life text, from_node integer, is_here boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_at timestamptz := clock_timestamp();
  known sync.clone;
  -- A peer can name as many as it likes.
  most_a_day constant integer := 20;
begin
  select * into known from sync.clone c
   where c.node_id = note_clone.node_id and c.life = note_clone.life and c.from_node = note_clone.from_node;
  if known.settled_at is null and known.last_at > found_at - interval '10 seconds' then
    return;
  end if;
  if known.life is null and most_a_day <= (
    select count(*) from sync.clone c
     where c.node_id = note_clone.node_id and c.from_node = note_clone.from_node and c.first_at > found_at - interval '1 day') then
    return;
  end if;
  insert into sync.clone as c (node_id, life, from_node, is_here, first_at, last_at)
  values (note_clone.node_id, note_clone.life, note_clone.from_node, note_clone.is_here, found_at, found_at)
  on conflict on constraint clone_pkey do update set last_at = excluded.last_at, settled_at = null;
  if known.life is null or known.settled_at is not null then
    insert into sec.audit (event, subject, detail)
    values ('CLONE', format('node %s, life %s', note_clone.node_id, note_clone.life),
            format(case when note_clone.is_here then 'node %s refuses this server: another one has its place'
                        when note_clone.from_node = org.this_node()
                          then 'a second server says that it is that node, and was refused'
                        else 'node %s has refused a copy of this server' end, note_clone.from_node));
  end if;
end $$;
comment on function sync.note_clone(integer, text, integer, boolean) is
  'Notes that a server was refused, since another one is that node (sync.clone), and raises the alarm '
  'once. Of one node it notes 20 a day.';
grant execute on function sync.note_clone(integer, text, integer, boolean) to tpv_apply;

create or replace function sync.note_refusal(subscription oid, life text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sync.note_clone(org.this_node(), note_refusal.life, p.node_id, true)
    from pg_subscription s join sync.peer p on p.subscription_name = s.subname
   where s.oid = note_refusal.subscription;
end;
comment on function sync.note_refusal(oid, text) is
  'Notes that the peer of a subscription has refused this server. The background worker calls it.';
grant execute on function sync.note_refusal(oid, text) to tpv_worker;

create or replace function sync.accept_life(peer integer, why text, life text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changed bigint;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  if accept_life.life is not null
     and not exists (select from sync.life l where l.node_id = accept_life.peer and l.life = accept_life.life) then
    raise exception 'no server of node % has come under that name', accept_life.peer using errcode = 'P0002',
      hint = 'There, select tpv.life() says it. What has come is in sync.life.';
  end if;
  -- Who streams goes on until its connection ends, and is refused then.
  update sync.life l
     set state = 'replaced', replaced_at = clock_timestamp(), replacement = accept_life.life, pid = null
   where l.node_id = accept_life.peer and l.state = 'current' and l.life is distinct from accept_life.life;
  get diagnostics changed = row_count;
  update sync.life l
     set state = 'current', replaced_at = null, replacement = null, refusals = 0
   where l.node_id = accept_life.peer and l.life = accept_life.life and l.state <> 'current';
  if found or changed > 0 then
    insert into sec.audit (event, subject, detail)
    values ('LIFE_ACCEPTED', concat_ws(', ', format('node %s', accept_life.peer), 'life ' || accept_life.life), accept_life.why);
  end if;
  update sync.clone c set settled_at = clock_timestamp()
   where c.settled_at is null
     and ((c.node_id = accept_life.peer and c.from_node = org.this_node())
          or (c.node_id = org.this_node() and c.from_node = accept_life.peer));
end $$;
comment on function sync.accept_life(integer, text, text) is
  'Decides which server a peer is: the one of that life, or without one whichever comes next. All others '
  'of before are refused. A step of sync.rejoin_plan.';
-- end functions/sync/life.sql
-- begin functions/sync/statement.sql
create or replace function sync.publish_statement(publication text, docs text, ops text, beats text, resends text)
returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if not exists (select from pg_publication where pubname = %1$L) then '
    'create publication %1$I for table '
    'wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) where (%2$s), '
    'wire.op (node_id, seq, hlc, table_name, key, patch, base) where (%3$s), '
    'wire.beat (node_id, beat, hlc, low_water, ops, chains, version, more) where (%4$s), '
    'wire.resend (node_id, resend_id, to_node, hlc, kind, body) where (%5$s) '
    'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', publication, docs, ops, beats, resends)
$$;
comment on function sync.publish_statement(text, text, text, text, text) is
  'The statement of a plan that makes a publication, if it is not there.';

create or replace function sync.slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format('select pg_create_logical_replication_slot(%1$L, ''pgoutput'') '
                'where not exists (select from pg_replication_slots where slot_name = %1$L)', slot)
$$;
comment on function sync.slot_statement(text) is
  'The statement of a plan that makes a slot, if it is not there.';

create or replace function sync.drop_slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  -- A peer that is still subscribed connects again at once, and may be quicker than the drop.
  select format(
    'do $do$ begin '
    'for attempt in 1 .. 20 loop '
    'perform pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = %1$L and active_pid is not null; '
    'begin '
    'perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %1$L; '
    'return; '
    'exception when object_in_use then if attempt = 20 then raise; end if; '
    'end; end loop; end $do$', slot)
$$;
comment on function sync.drop_slot_statement(text) is
  'The statement of a plan that drops a slot, if it is there.';

create or replace function sync.subscription_options(version integer, origin text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- Rows that arrive are written as tpv_apply and not as the owner of each table, whose role
  -- tpv_apply cannot take. A password in conninfo is not required: it may come from a passfile.
  select 'create_slot = false, enabled = false, copy_data = false, binary = true, streaming = off, disable_on_error = false'
    || case when version >= 160000 then format(', origin = %s, password_required = false, run_as_owner = true', origin) else '' end;
end;
comment on function sync.subscription_options(integer, text) is
  'The options of a subscription on a version of PostgreSQL.';

create or replace function sync.subscribe_statement(subscription text, conninfo text, publication text, slot text,
    origin text)
returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ declare version integer := current_setting(''server_version_num'')::integer; begin '
    'if exists (select from pg_subscription where subname = %1$L) then '
    'execute format(''alter subscription %1$I connection %%L'', sync.with_password(%1$L, %2$L)); '
    'else execute format(''create subscription %1$I connection %%L publication %3$I with (slot_name = %4$I, %%s)'', '
    'sync.with_password(%1$L, %2$L), sync.subscription_options(version, %5$L)); '
    -- Before 16 only a superuser can own a subscription: tpv_apply is a superuser within this
    -- transaction, and never after it. Two that do so at once would fail: one after the other.
    'if version < 160000 then perform pg_advisory_xact_lock(7631990, 0); alter role tpv_apply superuser; end if; '
    'alter subscription %1$I owner to tpv_apply; '
    'if version < 160000 then alter role tpv_apply nosuperuser; end if; '
    'end if; perform sync.note_conninfo(%1$L, %2$L); end $do$', subscription, conninfo, publication, slot, origin)
$$;
comment on function sync.subscribe_statement(text, text, text, text, text) is
  'The statement of a plan that subscribes without copying. Where the subscription exists, it '
  'changes only the connection.';

-- Of a subscription only superusers may read the connection, and these run with the rights of whoever
-- runs a plan. Nobody else reads sync.peer_password.
create or replace function sync.password_in(conninfo text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select (regexp_match(password_in.conninfo, $$\m(password\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S+))$$))[1];
end;
comment on function sync.password_in(text) is 'The word of a connection that has the password.';

create or replace function sync.keep_password(subscription text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  insert into sync.peer_password as w (node_id, word)
  select p.node_id, sync.password_in(s.subconninfo)
    from sync.peer p
    join pg_subscription s on s.subname = p.subscription_name
     and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
   where p.subscription_name = keep_password.subscription and sync.password_in(s.subconninfo) is not null
  on conflict (node_id) do update set word = excluded.word
$$;
comment on function sync.keep_password(text) is
  'Keeps the password of a subscription that a plan is about to drop, for the one that it makes then.';

create or replace function sync.with_password(subscription text, conninfo text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when conninfo ~* '\m(password|passfile|sslcert)\s*=' then conninfo
              else concat_ws(' ', conninfo, coalesce(
                (select sync.password_in(s.subconninfo) from pg_subscription s
                  where s.subname = subscription and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())),
                (select w.word from sync.peer_password w join sync.peer p on p.node_id = w.node_id
                  where p.subscription_name = subscription))) end
$$;
comment on function sync.with_password(text, text) is
  'A connection, with the password that the subscription has or had, unless it says itself how it logs in.';

create or replace function sync.note_conninfo(subscription text, conninfo text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- From now on the subscription has it.
  delete from sync.peer_password w using sync.peer p
   where p.node_id = w.node_id and p.subscription_name = note_conninfo.subscription;
  update sync.peer p
     set conninfo = btrim(regexp_replace(note_conninfo.conninfo, $$\s*\m(user|password)\s*=\s*('([^'\\]|\\.)*'|\S+)$$, '', 'g'))
   where p.subscription_name = note_conninfo.subscription;
end;
comment on function sync.note_conninfo(text, text) is
  'Notes how the server of a peer is reached, without user and password, for when it joins again.';

create or replace function sync.unsubscribe_statement(subscription text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if exists (select from pg_subscription where subname = %1$L) then '
    'perform sync.keep_password(%1$L); '
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I; end if; end $do$', subscription)
$$;
comment on function sync.unsubscribe_statement(text) is
  'The statement of a plan that drops a subscription. It does not touch the slot, which may be gone.';

create or replace function sync.login_statement(login text, slot text, publication text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  -- The settings say what the extension lets it stream.
  select format(
    'do $do$ begin '
    'if not exists (select from pg_roles where rolname = %1$L) then create role %1$I; end if; '
    'alter role %1$I login replication nosuperuser nocreatedb nocreaterole nobypassrls; '
    'alter role %1$I set pg_tpv.peer_slot = %2$L; '
    'alter role %1$I set pg_tpv.peer_publication = %3$L; '
    'grant tpv_peer to %1$I; end $do$', login, slot, publication)
$$;
comment on function sync.login_statement(text, text, text) is
  'The statement of a plan that makes the login of a peer, if it is not there, and says what it may '
  'stream. It gives no password.';

create or replace function sync.drop_login_statement(login text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin '
    'perform pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %1$L; '
    'drop role if exists %1$I; end $do$', login)
$$;
comment on function sync.drop_login_statement(text) is
  'The statement of a plan that drops the login of a peer, and ends what it does.';

create or replace function sync.conninfo_as(conninfo text, login text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if conninfo ~* '^postgres(ql)?://' or conninfo ~* '\muser\s*=' then
    raise exception 'a connection is given as words without a user, such as host=central.example dbname=tpv'
      using errcode = '22023', hint = 'The plan makes the login and names it.';
  end if;
  if conninfo ~* '\mapplication_name\s*=' then
    raise exception 'a connection of the chain has no application_name'
      using errcode = '22023', hint = 'The server names its life there.';
  end if;
  return format('%s user=%s', conninfo, login);
end $$;
comment on function sync.conninfo_as(text, text) is
  'How a node is reached, with the login that a plan makes there.';
-- end functions/sync/statement.sql
-- begin functions/sync/plan.sql
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
-- end functions/sync/plan.sql
-- begin functions/sync/restored.sql
create or replace function sync.restored_plan(central_conninfo text, reason text default 'this server was restored')
returns table (step integer, run_on text, sql text, why text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
begin
  if here.kind is distinct from 'central' then
    raise exception 'this node is not central' using errcode = '22023',
      hint = 'A store that was restored is brought back by sync.rejoin_plan.';
  end if;
  return query
    select 0, here.node_code, format('select sync.notice_restored(%L)', restored_plan.reason),
           'nobody changes here what the chain shares, until it is back'
    union all (
    select s.step, s.run_on, s.sql, s.why
      from sync.peer p
      join org.node n on n.node_id = p.node_id
      join pg_subscription u on u.subname = p.subscription_name
       and u.subdbid = (select d.oid from pg_database d where d.datname = current_database())
       and not exists (select from org.ban b where b.node_id = n.node_id and b.lifted_at is null and not b.deleted)
     cross join lateral (
       -- The plan names the login anew, and passwords stay.
       select r.* from sync.rejoin_plan(n.node_code, n.node_id, here.node_code, here.node_id,
                                        p.conninfo,
                                        restored_plan.central_conninfo) r
        -- What this server decided a second time must not go to a store as its state.
        where r.step <> 32
       union all
       -- When every store has said in a heartbeat what it has.
       select 40, here.node_code, format('select sync.ask_when_heard(%s, %L)', n.node_id, restored_plan.reason),
              'what the store decided, and what central had decided and forgot, comes back in a snapshot'
       union all
       select 50, here.node_code, format('select sync.send_when_whole(%s)', n.node_id),
              'the store gets a snapshot of all tracked rows') s
     order by s.step, n.node_id);
end $$;
comment on function sync.restored_plan(text, text) is
  'The statements that bring back a central that was restored, for all its stores at once: run those of each '
  'node there, in the order of steps, each on its own. How the stores are reached is taken from the '
  'subscriptions here; central_conninfo is how they reach this server. Stores that are banned are left out.';

create or replace function sync.send_when_whole(store integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  while exists (select from sync.own_said) or exists (select from sync.head h where h.lost_at is not null)
        or exists (select from sync.accepted_snapshot a where a.ended_at is null) loop
    if clock_timestamp() > until then
      raise exception 'this server has not got back yet what it forgot' using errcode = '55000',
        hint = 'sync.own_said and sync.accepted_snapshot show what is missing. When that is over, run this step again.';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.send_snapshot(store);
end $$;
comment on function sync.send_when_whole(integer) is
  'Waits until this server has got back what it forgot, then sends a store a snapshot. A step of '
  'sync.restored_plan.';

create or replace function sync.ask_when_heard(store integer, why text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  -- A heartbeat of after the plan says which operations of this node the store has, and its answer
  -- which numbers were given twice.
  while not exists (select from sync.peer p
                     where p.node_id = ask_when_heard.store and p.beat >= coalesce(p.gap_beat, 0)
                       and p.own_at > (select max(r.noticed_at) from sync.restored r))
        -- One store alone is not believed about numbers that were given twice.
        or (select count(*) from sync.peer p where p.own_at > (select max(r.noticed_at) from sync.restored r))
           < least(2, (select count(*) from sync.peer p
                        -- One whose stream was ended by sync.ban says nothing any more.
                        where exists (select from pg_subscription u where u.subname = p.subscription_name))) loop
    if clock_timestamp() > until then
      raise exception 'no answer of node % has come, or of no other store', store using errcode = '55000',
        hint = 'Is the store connected, and one more? When they are, run this step again. If there is no other: '
               'sync.accept_snapshot(…, alone => true).';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.accept_snapshot(store, why);
end $$;
comment on function sync.ask_when_heard(integer, text) is
  'Waits until a heartbeat of a store says what it has, then asks it for a snapshot. A step of '
  'sync.restored_plan.';
-- end functions/sync/restored.sql
-- begin functions/sync/ban.sql
create or replace function sync.store_number(store text) returns integer
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  number integer := (select n.node_id from org.node n where n.node_code = store_number.store and n.kind = 'store');
begin
  if number is null then
    raise exception 'there is no store of that name' using errcode = 'P0002', hint = 'Give it as org.node.node_code has it, such as S02.';
  end if;
  return number;
end $$;
comment on function sync.store_number(text) is 'The number of a store''s node, by its name; refuses a name that no store has.';

create or replace function sync.require_central() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central') then
    raise exception 'this node is not central' using errcode = '22023', hint = 'Central decides that. Run it there.';
  end if;
end $$;
comment on function sync.require_central() is 'Refuses what central alone does.';

create or replace function sync.refuse_banned(node integer) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  known org.ban;
begin
  select * into known from org.ban b where b.node_id = refuse_banned.node and b.lifted_at is null and not b.deleted;
  if found then
    raise exception 'node % is banned', node using errcode = '55000',
      detail = format('It was banned at %s. The reason was: %s.', known.banned_at, known.why),
      hint = 'A new machine joins under a number and a name of its own. If this machine was found and is to be '
             'trusted again: sync.unban(store, why), then sync.rejoin_plan.';
  end if;
end $$;
comment on function sync.refuse_banned(integer) is 'Refuses a node that is banned, and says what to do instead.';

create or replace function sync.joined_before_ban(node integer) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select b.joined_seq from org.ban b
   where b.node_id = joined_before_ban.node and b.joined_seq is not null and not b.deleted
   order by b.banned_at desc limit 1;
end;
comment on function sync.joined_before_ban(integer) is
  'Up to which operation a store was alone when it joined, as its latest ban that knew it says. What a store '
  'that was banned wrote meanwhile is not of before.';

-- What follows are the steps of sync.ban, each a transaction of its own. Those that end a subscription, a
-- slot or a login run with the rights of their caller, as the statements of a plan do: the owner of the
-- tables may do none of it.
create or replace function sync.shut_login(store text, why text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  login text := sync.login_name(store);
begin
  if current_setting('is_superuser') <> 'on' then
    raise exception 'a superuser bans a store' using errcode = '42501',
      hint = 'It ends a subscription, a slot and a login. If you have become another role: reset role.';
  end if;
  perform sync.require_central(), sync.store_number(store);
  if coalesce(shut_login.why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  -- An older snapshot would not see the store's last operation.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a store is banned in a transaction of isolation level read committed' using errcode = '25001';
  end if;
  if exists (select from pg_roles r where r.rolname = login) then
    execute format('alter role %I nologin', login);
  end if;
end $$;
comment on function sync.shut_login(text, text) is
  'The first step of sync.ban: refuses what is no ban, and lets nobody log in any more as the store.';

create or replace function sync.end_subscription(store text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- Its worker has ended then: nothing of the store is on its way into a table here.
  execute sync.unsubscribe_statement('tpv_from_' || sync.name_part(store));
end $$;
comment on function sync.end_subscription(text) is 'A step of sync.ban: nothing of the store is taken any more.';

create or replace function sync.end_stream(store text) returns text
language plpgsql set search_path = pg_catalog, pg_temp set client_min_messages = 'warning' set lock_timeout = '10s' as $$
declare
  login text := sync.login_name(store);
  stream text := 'tpv_to_' || sync.name_part(store);
begin
  -- Whoever was logging in when the login was shut may still come through, and take the slot.
  for attempt in 1 .. 50 loop
    perform pg_stat_clear_snapshot();
    perform pg_terminate_backend(a.pid) from pg_stat_activity a where a.usename = login;
    perform pg_terminate_backend(s.active_pid, 1000) from pg_replication_slots s where s.slot_name = stream and s.active_pid is not null;
    begin
      perform pg_drop_replication_slot(s.slot_name) from pg_replication_slots s where s.slot_name = stream;
      exit;
    exception when object_in_use then
      perform pg_sleep(0.1);
    end;
  end loop;
  if exists (select from pg_replication_slots s where s.slot_name = stream) then
    return format('its slot %s, which is in use', stream);
  end if;
  begin
    execute format('drop publication if exists %I', stream);
    execute sync.drop_login_statement(login);
  exception when dependent_objects_still_exist or lock_not_available then
    return format('its login %s, which is shut, or its publication (%s)', login, sqlerrm);
  end;
  return null;
end $$;
comment on function sync.end_stream(text) is
  'A step of sync.ban: nothing is sent to the store any more. Returns what could not be ended.';

create or replace function sync.record_ban(store text, why text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  node integer := sync.store_number(store);
  known org.ban;
  last bigint;
begin
  perform sync.require_central();
  if exists (select from sync.op_counter c where c.node_id = org.this_node() and c.held) then
    raise exception 'this server was restored from a backup, and has not got back yet what it forgot: RESTORED' using errcode = '55000',
      detail = 'The store''s stream and its login here have ended. The ban is not on record, and no other node knows of it.',
      hint = 'Bring this server back with sync.restored_plan, which leaves that store out. Then ban it again.';
  end if;
  select * into known from org.ban b where b.node_id = node and b.lifted_at is null and not b.deleted for update;
  last := greatest((select max(o.seq) from wire.op o where o.node_id = node),
                   (select h.seq from sync.horizon h where h.node_id = node), 0);
  if known.last_seq >= last then
    return format('%s was banned already, at %s: nothing after its operation %s is believed', store, known.banned_at, known.last_seq);
  end if;
  if known.ban_id is not null then
    -- This server was restored from a backup of before the ban, and took more of the store until it heard of
    -- it. The others take that now: all nodes have the same.
    update org.ban b set last_seq = last where b.ban_id = known.ban_id;
    set constraints all immediate;
    return format('%s was banned already, at %s, and more of it has come here since: nothing after its operation %s is believed now, '
                  'and not %s as before', store, known.banned_at, last, known.last_seq);
  end if;
  insert into org.ban (node_id, last_seq, joined_seq, banned_at, banned_by, why)
  values (node, last, coalesce((select p.joined_seq from sync.peer p where p.node_id = node), sync.joined_before_ban(node)),
          clock_timestamp(), sec.actor(), record_ban.why);
  insert into sec.audit (event, subject, detail) values ('STORE_BANNED', format('node %s', node), record_ban.why);
  -- The number of the operation is given at the end: what else waits then waits here.
  set constraints all immediate;
  return format('%s is banned: nothing after its operation %s is believed', store, last);
exception when lock_not_available then
  raise exception 'the ban is not on record: a row that it needs is locked' using errcode = '55P03',
    detail = 'The store''s stream and its login here have ended.',
    hint = 'See pg_stat_activity and pg_blocking_pids for who locks it. End that session, and call sync.ban again.';
end $$;
comment on function sync.record_ban(text, text) is
  'A step of sync.ban: notes that a store is banned, for every node. Its stream has ended before.';

create or replace function sync.forget_banned(store text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  node integer := sync.store_number(store);
begin
  perform sync.remove_peer(node);
  return null;
exception when lock_not_available then
  return 'what is kept for it as a peer';
end $$;
comment on function sync.forget_banned(text) is
  'A step of sync.ban: the store is no peer any more. Returns what is left to do, because somebody locks it.';

create or replace function sync.withdraw_banned(store text, out people integer, out left_over text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  node integer := sync.store_number(store);
begin
  -- Nobody is sent there any more, and what its gateway could open is worth nothing. When the ban is
  -- repeated, too: this server may have been restored from a backup of before it.
  update org.store s set gateway_url = null where s.node_id = node and not s.deleted and s.gateway_url is not null;
  people := sec.withdraw_gateway(node);
  set constraints all immediate;
exception when lock_not_available then
  left_over := 'its gateway''s key, what was sealed for it, its gateway_url, and the sessions of who has a password there';
end $$;
comment on function sync.withdraw_banned(text) is
  'A step of sync.ban: withdraws what the store''s gateway could open. Returns how many people had a password '
  'there, and what is left to do, because somebody locks a row of it.';

create or replace function sync.tell_ban(recorded text, people integer, variadic left_over text[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select concat_ws('; ', recorded,
    case when people > 0 then format('employees whose passwords are on that machine, and should be changed: %s', people) end,
    case when cardinality(array_remove(left_over, null)) > 0
      then format('NOT DONE YET: %s: call sync.ban again', array_to_string(left_over, '; ')) end);
end;
comment on function sync.tell_ban(text, integer, text[]) is 'What sync.ban answers.';

-- It commits after each step, so that a thief who is quick, or a row that somebody locks, undoes none that
-- is done. Such a procedure can have no settings: all names are written in full, and the steps do the rest.
create or replace procedure sync.ban(store text, why text, inout told text default null)
language plpgsql as $$
declare
  stream_left text;
  peer_left text;
  gateway_left text;
  people integer;
begin
  perform sync.shut_login(store, why);
  commit;
  perform sync.end_subscription(store);
  commit;
  stream_left := sync.end_stream(store);
  commit;
  told := sync.record_ban(store, why);
  commit;
  peer_left := sync.forget_banned(store);
  commit;
  select w.people, w.left_over into people, gateway_left from sync.withdraw_banned(store) w;
  commit;
  told := sync.tell_ban(told, people, stream_left, peer_left, gateway_left);
end $$;
comment on procedure sync.ban(text, text, text) is
  'For a store whose machine was stolen, at central, by a superuser, and not within a transaction: its login, '
  'subscription, slot and publication end, what it wrote after that is refused at every node, and its number '
  'cannot join again (org.ban). Answers what is done, and what is left to do because somebody locks it. Can be '
  'repeated. sync.written_by shows what it may have written, sync.undo_written takes it back.';

create or replace function sync.unban(store text, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  node integer := sync.store_number(store);
begin
  perform sync.require_central();
  if coalesce(unban.why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  update org.ban b set lifted_at = clock_timestamp(), lifted_by = sec.actor(), lifted_why = unban.why
   where b.node_id = node and b.lifted_at is null and not b.deleted;
  if not found then
    raise exception 'that store is not banned' using errcode = 'P0002', hint = 'Those that are banned are in org.ban, where lifted_at is null.';
  end if;
  insert into sec.audit (event, subject, detail) values ('BAN_LIFTED', format('node %s', node), unban.why);
end $$;
comment on function sync.unban(text, text) is
  'Lifts the ban of a store whose machine was found and is to be trusted again. sync.rejoin_plan brings it '
  'back, with all that it wrote meanwhile.';
-- end functions/sync/ban.sql
-- begin functions/sync/status.sql
create or replace function sync.is_restored() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from sync.restored r where r.ended_at is null);
end $$;
comment on function sync.is_restored() is
  'Whether this server was restored from a backup and has not got back yet what it forgot.';
grant execute on function sync.is_restored() to tpv_operator, tpv_analyst;

create or replace view sync.status with (security_invoker = true) as
  with peer as (
    select p.*, n.node_code, n.kind, p.whole_hlc is not distinct from p.beat_hlc as whole,
           (select count(*) from sync.quarantine q where q.node_id = p.node_id and q.resolved_at is null) as quarantined,
           (select count(*) from sync.drift d where d.node_id = p.node_id and d.resolved_at is null) as drift,
           exists (select from sync.drift d
                    where d.node_id = p.node_id and d.resolved_at is null and d.what = 'broken') as broken,
           exists (select from sync.drift d
                    where d.node_id = p.node_id and d.resolved_at is null and d.what = 'restored') as restored,
           -- At a store central has passed it on, which it should have refused.
           exists (select from sync.quarantine q
                    where q.code = 'NOT_ENTITLED' and q.resolved_at is null
                      and (q.node_id = p.node_id or n.kind = 'central')) as unentitled,
           exists (select from org.ban b where b.node_id = p.node_id and b.lifted_at is null and not b.deleted) as banned,
           exists (select from sync.snapshot l where l.node_id = p.node_id and l.completed_at is not null) as copied,
           c.cloned, c.copy_of_this, c.this_refused
      from sync.peer p join org.node n on n.node_id = p.node_id
     -- What was refused within the hour. A peer that has refused this server sends no heartbeat.
     cross join lateral (
       select coalesce(bool_or(c.node_id = p.node_id), false) as cloned,
              coalesce(bool_or(c.from_node = p.node_id and not c.is_here), false) as copy_of_this,
              coalesce(bool_or(c.from_node = p.node_id and c.is_here and c.last_at > now() - interval '1 minute'
                               and c.last_at > coalesce(p.beat_at, '-infinity')), false) as this_refused
         from sync.clone c cross join sync.this_node t
        where c.settled_at is null and c.last_at > now() - interval '1 hour'
          and ((c.node_id = p.node_id and c.from_node = t.node_id) or (c.node_id = t.node_id and c.from_node = p.node_id))) c
  ), own as (
    select n.node_id, n.node_code from sync.this_node t join org.node n on n.node_id = t.node_id
  ), known as (
    select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') as ops from sync.contiguous() k
  ), rows as (
    select p.node_code as peer, 'receives' as direction,
           case when s.oid is null then 'no subscription' when not s.subenabled then 'disabled'
                when p.this_refused then 'refused' when w.pid is null then 'not running' when b.pid is not null then 'waiting for a lock'
                when h.pid is not null then 'keeps others waiting'
                when p.kind = 'central' and not p.copied then 'copying'
                when p.received_until is null then 'comparing' else 'running' end as state,
           null::bigint as lag_bytes,
           -- A store answers for its own operations, central for those of all.
           -- Numbers that a peer names are any: no sum of them may be too large.
           (select least(coalesce(sum(greatest(v.seq - coalesce((k.ops ->> v.writer_id::text)::bigint, 0), 0)), 0),
                         9223372036854775807)::bigint
              from sync.peer_vector v
             where v.node_id = p.node_id and (p.kind = 'central' or v.writer_id = p.node_id)) as lag_operations,
           null::text as slot, null::bigint as slot_safe_bytes,
           now() - p.beat_at as silent_for, p.received_until, p.verified_until, p.drift, p.quarantined, p.ahead_ms,
           p.version, p.broken, p.restored, p.whole, p.unentitled, p.banned, p.kind as peer_kind, p.cloned, p.copy_of_this,
           b.pid as blocker, b.is_worker as behind_worker, h.pid as holder, p.subscription_name
      from peer p
      cross join known k
      left join pg_catalog.pg_subscription s on s.subname = p.subscription_name
       and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.relid is null
      -- Only who may read the activity of others sees this. A worker that waits for another one is
      -- named by who that waits for, if it is a session.
      left join lateral (
        -- Its name has more words from PostgreSQL 17 on.
        select t.pid, o.backend_type like 'logical replication%worker' as is_worker
          from pg_catalog.pg_stat_activity a
          cross join lateral (select (pg_blocking_pids(a.pid))[1] as pid) f
          left join pg_catalog.pg_stat_activity m
            on m.pid = f.pid and m.backend_type like 'logical replication%worker' and m.wait_event_type = 'Lock'
          cross join lateral (select coalesce((pg_blocking_pids(m.pid))[1], f.pid) as pid) t
          left join pg_catalog.pg_stat_activity o on o.pid = t.pid
         where a.pid = w.pid and a.wait_event_type = 'Lock'
           and a.xact_start < clock_timestamp() - interval '5 seconds') b on true
      -- A peer may send a transaction that does not end, and whose locks stay.
      left join lateral (
        select a.pid from pg_catalog.pg_stat_activity a
         where a.pid = w.pid and a.xact_start < clock_timestamp() - interval '1 minute'
           and exists (select from pg_catalog.pg_stat_activity o
                        where o.wait_event_type = 'Lock' and a.pid = any (pg_blocking_pids(o.pid)))) h on true
    union all
    select p.node_code, 'sends',
           case when r.slot_name is null then 'no slot' when r.wal_status = 'lost' then 'slot lost'
                when r.xmin is not null then 'holds back vacuum'
                when r.confirmed_flush_lsn > pg_current_wal_lsn() then 'restored'
                when not r.active then 'not connected' else 'running' end,
           greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), r.confirmed_flush_lsn), -9223372036854775807)::bigint,
           -- What the peer says it has, beside what is here.
           (select coalesce(sum(greatest(v.value::bigint - coalesce(h.seq, 0), 0)), 0)::bigint
              from jsonb_each_text(k.ops) v
              left join sync.peer_vector h on h.node_id = p.node_id and h.writer_id = v.key::integer
             where (p.kind = 'central' and v.key = own.node_id::text) or (p.kind = 'store' and v.key <> p.node_id::text)),
           r.wal_status, r.safe_wal_size, now() - p.beat_at, null, null, p.drift, p.quarantined, p.ahead_ms,
           p.version, p.broken, p.restored, p.whole, p.unentitled, p.banned, p.kind, p.cloned, p.copy_of_this, null, null, null, null
      from peer p cross join own cross join known k
      left join pg_catalog.pg_replication_slots r
        on r.slot_name = case p.kind when 'central' then 'tpv_up_' || sync.name_part(own.node_code)
                                     else 'tpv_to_' || sync.name_part(p.node_code) end
  )
  select r.peer, r.direction, r.state, r.lag_bytes, r.lag_operations, r.slot, r.slot_safe_bytes, r.silent_for,
         r.received_until, r.verified_until, r.drift, r.quarantined, r.ahead_ms, r.version,
         case
           when r.banned
             then 'it is banned and still a peer: was this server restored from a backup of before? call sync.ban(…) once more'
           when r.state = 'no subscription' then 'the peer is known and not joined: run the rest of sync.join_plan'
           when r.state = 'disabled' then 'somebody disabled it: alter subscription ... enable, when the reason is gone'
           when r.state = 'refused'
             then 'the peer refuses this server, since another one has its place: which is it? docs/dba.md, "Two servers say '
                  'that they are one node"'
           when r.state = 'not running' then 'its worker does not stay up: the server log says why; is the peer down, or the line?'
           when r.state = 'waiting for a lock' and r.behind_worker
             then format('it waits for the worker of another peer (%s), which is at work: look again in a minute', r.blocker)
           when r.state = 'waiting for a lock'
             then format('session %1$s keeps a row locked that is to be written here: let it end, or '
                         'select pg_terminate_backend(%1$s)', r.blocker)
           when r.state = 'keeps others waiting'
             then format('its worker is in one transaction for over a minute, and others wait for it. If that stays: '
                         'alter subscription %I disable; select pg_terminate_backend(%s)', r.subscription_name, r.holder)
           when r.state = 'holds back vacuum'
             then 'whoever fetches by this slot keeps all tables here from being vacuumed, which no subscription does: was the '
                  'peer tampered with? sync.leave_plan ends its slot and its login'
           when r.state = 'no slot'
             then 'the peer has no slot here, so it receives nothing: sync.rejoin_plan, or sync.join_plan if it never joined'
           when r.state = 'slot lost' then 'the peer was away for too long: run sync.rejoin_plan'
           when r.state = 'restored'
             then 'the peer has more WAL of this server than there is: one was restored from a backup. Run sync.rejoin_plan'
           when r.cloned and r.direction = 'sends'
             then format('two servers say that they are %s, and one is refused here: a copy, or one that was restored. '
                         'docs/dba.md, "Two servers say that they are one node"', r.peer)
           when r.copy_of_this and r.direction = 'receives'
             then format('%s refuses a copy of this server: find it. docs/dba.md, "Two servers say that they are one node"', r.peer)
           when r.state = 'not connected' then 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'
           when r.slot in ('extended', 'unreserved')
             then 'its slot will soon be lost: get the peer to fetch, or raise max_slot_wal_keep_size'
           when sync.is_restored() and r.peer_kind = 'store'
             then 'this server was restored from a backup, and changes of what the chain shares are refused until it has what it '
                  'forgot: run sync.restored_plan, and see sync.restored and sync.own_said'
           when sync.is_restored()
             then 'this server was restored from a backup, and changes of what the chain shares are refused until it has what it '
                  'forgot; selling goes on. If no rows arrive, run sync.rejoin_plan; sync.restored has more'
           when r.restored and r.peer_kind = 'store'
             then 'the store has operations of this node that are not here: was this server restored from a backup? Then '
                  'sync.restored_plan. If not, that store was tampered with'
           when r.restored
             then 'this node has lost operations of its own and is getting them back: let nobody change what the chain shares '
                  'until then'
           when r.unentitled and r.direction = 'receives'
             then 'a store wrote what central decides, which was refused: was it tampered with? '
                  'select * from journal.quarantine where code = ''NOT_ENTITLED'' and resolved_at is null'
           when r.broken then 'a hash chain does not link: select * from sync.drift where resolved_at is null'
           when r.drift > 0 then 'rows are missing and were requested: sync.drift tells which; look again in a few minutes'
           when r.silent_for > interval '1 minute' then 'no heartbeat for over a minute: is the peer''s background worker running?'
           when r.ahead_ms > 0 then 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'
           when r.direction = 'receives' and r.quarantined > 0
             then 'rows wait: select * from journal.quarantine where resolved_at is null'
           when r.direction = 'receives' and not r.whole
             then 'a heartbeat is missing: the peer was asked to name all its hash chains; look again in a minute'
           when r.state = 'copying' then 'it has just joined: the snapshot of all tracked rows is on its way'
           when r.state = 'comparing' then 'it has just joined: both are compared within a minute, or by select sync.reconcile()'
           when r.version <> (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv')
             then 'the peer has another version of pg_tpv: upgrade the older one when it suits'
           else 'nothing to do'
         end as advice
    from rows r
   order by 1, 2;
comment on view sync.status is
  'One row for each peer and direction: its state, how far behind, and in words what to do.';
comment on column sync.status.peer is 'The other node.';
comment on column sync.status.direction is 'receives: its rows come here. sends: ours go there.';
comment on column sync.status.state is
  'running, or what it is instead: disabled, slot lost, copying …';
comment on column sync.status.lag_bytes is 'WAL that the peer has not confirmed.';
comment on column sync.status.lag_operations is
  'Operations that the sender had and the receiver lacked at the peer''s last heartbeat.';
comment on column sync.status.slot is
  'wal_status of the peer''s slot here: reserved is good, extended and unreserved are a warning, '
  'lost is lost.';
comment on column sync.status.slot_safe_bytes is
  'How much WAL can be written before the slot is in danger; null without max_slot_wal_keep_size.';
comment on column sync.status.silent_for is 'Time since its last heartbeat.';
comment on column sync.status.received_until is
  'Everything that the peer recorded before this moment is here. Does not move while rows may be '
  'missing.';
comment on column sync.status.verified_until is
  'Everything that the peer recorded before this moment is here, and was compared with what it '
  'reports.';
comment on column sync.status.drift is 'Differences from it that are not resolved: see sync.drift.';
comment on column sync.status.quarantined is 'Its rows that wait in quarantine.';
comment on column sync.status.ahead_ms is 'By how much its clock is too far ahead; 0 when it is not.';
comment on column sync.status.version is 'Version of its extension.';
comment on column sync.status.advice is 'What to do, in words.';
grant select on sync.status to tpv_operator, tpv_analyst;
-- end functions/sync/status.sql
-- begin functions/sync/setup.sql
create or replace function sync.our_triggers()
returns table (relation regclass, trigger_name name, enabled "char", expected "char")
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  -- Those fire for what arrives too, and in a session that plays the part of a replica. Of the
  -- tables that have partitions so do those of each partition.
  with always (of_table, trigger_name) as (
    values ('catalog.barcode_rule', '_150_check'), ('dat.profile', '_150_check'), ('org.node', '_000_forget'), ('org.ban', '_000_forget'),
           ('org.terminal', '_150_check'), ('sync.head', '_100_guard'), ('sync.head', '_100_guard_truncate'), ('sync.policy', '_000_forget'), ('sync.policy', '_910_choose'),
           ('sync.tracked_table', '_000_forget'), ('wire.beat', '_100_receive'), ('wire.doc', '_100_receive'),
           ('wire.doc', '_900_refuse'), ('wire.doc', '_900_refuse_truncate'), ('wire.op', '_100_receive'),
           ('wire.op', '_900_refuse'), ('wire.op', '_900_refuse_truncate'), ('wire.resend', '_100_receive')
  )
  select c.oid::regclass, t.tgname, t.tgenabled, case when a.of_table is null then 'O' else 'A' end::"char"
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid
    left join always a on a.trigger_name = t.tgname and to_regclass(a.of_table) = coalesce(i.inhparent, c.oid)
   where not t.tgisinternal and t.tgname ~ '^_[0-9]{3}_'
     and n.nspname in ('catalog', 'dat', 'org', 'party', 'sales', 'sec', 'sync', 'wire');
end;
comment on function sync.our_triggers() is
  'The triggers of this database that tpv made, and how each should be enabled: O in sessions, A always.';

create or replace function sync.setup_faults() returns table (what text, remedy text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select format('%s triggers are not enabled as they should be (%s)', count(*),
                (array_agg(format('%s on %s', t.trigger_name, t.relation) order by t.relation::text, t.trigger_name))[1]
                || case when count(*) > 1 then ' and others' else '' end),
         'after a restore with --disable-triggers they are not; run: select sync.mend_triggers()'
    from sync.our_triggers() t where t.enabled <> t.expected having count(*) > 0
  union all
  select format('table %s lacks its trigger %s', e.table_name, g.name), format('run: select sync.track(%L)', e.table_name)
    from sync.tracked_table e
   cross join (values ('_100_guard_delete'), ('_100_guard_key'), ('_100_guard_truncate'), ('_900_capture')) as g (name)
   where to_regclass(e.table_name) is not null
     and not exists (select from pg_trigger t where t.tgrelid = to_regclass(e.table_name) and t.tgname = g.name)
  union all
  select format('%s belongs to %s', c.oid::regclass, pg_get_userbyid(c.relowner)),
         format('run: alter %s %s owner to tpv_owner',
                case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, c.oid::regclass)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('catalog', 'dat', 'journal', 'org', 'own', 'party', 'sales', 'sec', 'sync', 'tpv_lock', 'wire')
     and c.relkind in ('r', 'p', 'v', 'S') and pg_get_userbyid(c.relowner) <> 'tpv_owner'
  union all
  select format('function %s belongs to %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)),
         format('run: alter routine %s owner to tpv_owner', p.oid::regprocedure)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname in ('catalog', 'dat', 'org', 'own', 'party', 'sales', 'sec', 'sync', 'wire')
     and pg_get_userbyid(p.proowner) <> 'tpv_owner'
  union all
  select format('subscription %s belongs to %s', s.subname, pg_get_userbyid(s.subowner)),
         'a dump does not say it: run sync.rejoin_plan for that peer'
    from sync.peer p join pg_subscription s on s.subname = p.subscription_name
   where s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
     and pg_get_userbyid(s.subowner) <> 'tpv_apply'
  union all
  select format('slot %s holds back vacuum', r.slot_name),
         'no subscription does that: was the peer tampered with? sync.leave_plan ends its slot and its login'
    from pg_replication_slots r
   where r.database = current_database() and r.slot_type = 'logical' and starts_with(r.slot_name, 'tpv_') and r.xmin is not null
  union all
  select format('%s is %s', s.setting_name, s.value), s.remedy
    from (values
      ('wal_level', current_setting('wal_level') <> 'logical' and exists (select from sync.peer), current_setting('wal_level'),
       'set it to logical in postgresql.conf and restart the server'),
      ('pg_tpv.database', current_setting('pg_tpv.database', true) is distinct from current_database(),
       current_setting('pg_tpv.database', true),
       format('set it to %s in postgresql.conf and restart the server: the background worker works there', current_database())),
      ('pg_tpv.beat_interval', current_setting('pg_tpv.beat_interval', true) = '0' and exists (select from sync.peer), '0',
       'peers hear nothing of this node: set it to 5s')) as s (setting_name, is_wrong, value, remedy)
   where s.is_wrong
  union all
  select 'subscriptions do not name the life of this server', 'a superuser runs what tpv-migrate bootstrap-sql prints'
   where exists (select from sync.peer)
     and not exists (select from pg_db_role_setting r join pg_roles o on o.oid = r.setrole
                      where o.rolname = 'tpv_apply' and r.setdatabase = 0 and 'pg_tpv.names_life=on' = any (r.setconfig))
  union all
  select format('a setting of the database or a role is %s', c.setting),
         case when c.setting like 'pg_tpv.%' then 'documents could be changed: take it back with alter … reset pg_tpv.maintenance'
              else 'its sessions would change rows behind the triggers: take it back with alter … reset session_replication_role' end
    from pg_db_role_setting r cross join unnest(r.setconfig) as c (setting)
   where r.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
     and (c.setting like 'session\_replication\_role=%' and c.setting <> 'session_replication_role=origin'
          or c.setting in ('pg_tpv.maintenance=on', 'pg_tpv.maintenance=true'));
end;
comment on function sync.setup_faults() is
  'What is not as the migrations made it: triggers, owners, settings; and how to mend it. tpv-migrate '
  'status shows it, and the server''s log has it at each start.';
grant execute on function sync.setup_faults() to tpv_operator, tpv_worker;

create or replace function sync.note_slots() returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with noted as (
    insert into sec.audit (event, subject, detail)
    select 'SLOT_HOLDS_VACUUM', r.slot_name, 'whoever fetches by this slot keeps all tables here from being vacuumed'
      from pg_replication_slots r
     where r.database = current_database() and r.slot_type = 'logical' and starts_with(r.slot_name, 'tpv_') and r.xmin is not null
       and not exists (select from sec.audit a
                        where a.event = 'SLOT_HOLDS_VACUUM' and a.subject = r.slot_name and a.at > clock_timestamp() - interval '1 day')
    returning 1
  )
  select count(*)::integer from noted
$$;
comment on function sync.note_slots() is
  'Notes in sec.audit which slots of peers hold back vacuum, each once a day: a login that asks for that '
  '(feedback of a standby) is used for more than a subscription.';

create or replace function sync.mend_triggers() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set client_min_messages = 'warning' as $$
declare
  wrong record;
  mended integer := 0;
begin
  for wrong in select * from sync.our_triggers() t where t.enabled <> t.expected loop
    execute format('alter table only %s enable %s trigger %I', wrong.relation,
                   case wrong.expected when 'A' then 'always' else '' end, wrong.trigger_name);
    mended := mended + 1;
  end loop;
  return mended;
end $$;
comment on function sync.mend_triggers() is
  'Enables each trigger as the migrations did, and returns how many were not. Its owner or a superuser calls it.';
-- end functions/sync/setup.sql

grant select on sync.restored, sync.own_chain, sync.own_said, sync.second_place to tpv_operator, tpv_analyst;
grant select on sync.clone to tpv_operator, tpv_analyst, tpv_worker;
grant select on sync.life to tpv_operator;
