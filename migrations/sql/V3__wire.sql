-- Purpose: wire.doc, the facts of the chain, written once; its chains and its quarantine.
-- Limits:  the columns of wire.doc are frozen: they replicate by name, and stores and central upgrade at different
--          times. Business dates outside the partitions go to the default partition, which ought to stay empty.
-- Undo:    none that keeps receipts.

create table wire.doc (
  node_id        integer not null,
  doc_id         uuid not null,
  business_date  date not null,
  kind           text not null,
  to_node        integer,
  hlc            bigint not null,
  schema_version integer not null,
  chain          text not null,
  chain_seq      bigint not null,
  prev_hash      bytea not null,
  body           text not null,
  content_hash   bytea not null,
  primary key (node_id, doc_id, business_date)
) partition by range (business_date);
comment on table wire.doc is
  'Facts as documents: receipts, voids, releases, closings. Each is written once by one node and never changed.';
comment on column wire.doc.node_id is 'The node that recorded it.';
comment on column wire.doc.doc_id is 'Identity, a uuid v8 derived from what the document is about.';
comment on column wire.doc.business_date is 'The business day it belongs to, fixed at first acceptance.';
comment on column wire.doc.kind is 'receipt, intake, release, void, withdraw, render or day_close.';
comment on column wire.doc.to_node is 'The node it is addressed to; null for everybody who subscribes.';
comment on column wire.doc.hlc is 'When it was recorded: Unix milliseconds in the upper 48 bits, a counter below.';
comment on column wire.doc.schema_version is 'Version of the body''s shape.';
comment on column wire.doc.chain is 'Terminal whose chain it continues; empty for the node''s own.';
comment on column wire.doc.chain_seq is 'Place in that chain, from 1, without gaps.';
comment on column wire.doc.prev_hash is 'Link hash of the document before; 32 zero bytes at the start.';
comment on column wire.doc.body is 'Canonical JSON text: sorted keys, plain numbers, NFC.';
comment on column wire.doc.content_hash is 'sha256(convert_to(body, ''UTF8'')).';

create trigger _100_receive before insert on wire.doc
  for each row execute function tpv.receive_document();
alter table wire.doc enable always trigger _100_receive;
create trigger _900_refuse before update or delete on wire.doc
  for each row execute function tpv.refuse_change();
alter table wire.doc enable always trigger _900_refuse;
create trigger _900_refuse_truncate before truncate on wire.doc
  for each statement execute function tpv.refuse_change();
alter table wire.doc enable always trigger _900_refuse_truncate;

create function wire.add_partition(month date) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  first_day date := date_trunc('month', month)::date;
  next_month date := (date_trunc('month', month) + interval '1 month')::date;
  leaf text := 'doc_' || to_char(first_day, 'YYYY_MM');
begin
  if to_regclass('wire.' || leaf) is not null then
    return false;
  end if;
  execute format('create table wire.%I (like wire.doc including defaults including comments)', leaf);
  -- Rows that came before their month: moved with no trigger, since they were taken in when they came.
  if exists (select from wire.doc_default where business_date >= first_day and business_date < next_month) then
    alter table wire.doc_default disable trigger user;
    execute format('with moved as (delete from wire.doc_default where business_date >= %L and business_date < %L returning *) '
                   'insert into wire.%I select * from moved', first_day, next_month, leaf);
    alter table wire.doc_default enable trigger user;
    alter table wire.doc_default enable always trigger _100_receive;
    alter table wire.doc_default enable always trigger _900_refuse;
    alter table wire.doc_default enable always trigger _900_refuse_truncate;
  end if;
  execute format('comment on table wire.%I is %L', leaf, 'Documents of ' || to_char(first_day, 'YYYY-MM') || '.');
  execute format('alter table wire.doc attach partition wire.%I for values from (%L) to (%L)', leaf, first_day, next_month);
  -- Statement triggers are not inherited.
  execute format('create trigger _900_refuse_truncate before truncate on wire.%I '
                 'for each statement execute function tpv.refuse_change()', leaf);
  execute format('alter table wire.%I enable always trigger _900_refuse_truncate', leaf);
  return true;
end $$;
comment on function wire.add_partition(date) is
  'Makes the partition of wire.doc for the month of that day, and moves there what waited in the default partition. False when it was there.';

create table wire.doc_default partition of wire.doc default;
comment on table wire.doc_default is 'Documents whose month has no partition yet. It ought to be empty.';
create trigger _900_refuse_truncate before truncate on wire.doc_default
  for each statement execute function tpv.refuse_change();
alter table wire.doc_default enable always trigger _900_refuse_truncate;

create function wire.maintain_partitions() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  month date;
  made integer := 0;
begin
  -- An array, not a query: a loop over a query would keep the default partition open, and nothing could be moved from it.
  foreach month in array array(
    select m::date from generate_series(-13, 3) as k (n), date_trunc('month', now() + make_interval(months => n)) as m
    union
    select date_trunc('month', business_date)::date from wire.doc_default
    order by 1)
  loop
    made := made + wire.add_partition(month)::integer;
  end loop;
  return made;
end $$;
comment on function wire.maintain_partitions() is
  'Keeps partitions of wire.doc from 13 months back to 3 months ahead, and empties the default partition. Answers how many were made. pg_cron calls it each night.';
grant execute on function wire.maintain_partitions() to tpv_cron, tpv_operator;

select wire.maintain_partitions();

create table sync.hash_chain (
  node_id   integer not null,
  chain     text not null,
  head_seq  bigint not null default 0,
  head_hash bytea not null default decode(repeat('00', 32), 'hex'),
  head_hlc  bigint not null default 0,
  primary key (node_id, chain)
);
comment on table sync.hash_chain is 'Head of each chain that this node writes. Locking a row is the right to continue that chain.';
comment on column sync.hash_chain.node_id is 'This node.';
comment on column sync.hash_chain.chain is 'The terminal; empty for the node''s own chain.';
comment on column sync.hash_chain.head_seq is 'chain_seq of the last document; 0 when there is none.';
comment on column sync.hash_chain.head_hash is 'Link hash of the last document.';
comment on column sync.hash_chain.head_hlc is 'hlc of the last document.';

create table sync.quarantine (
  quarantine_id bigint generated always as identity primary key,
  at            timestamptz not null default clock_timestamp(),
  node_id       integer not null,
  doc_id        uuid not null,
  business_date date not null,
  kind          text not null,
  code          text not null,
  detail        text not null,
  resolved_at   timestamptz,
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

create function wire.verify_chains()
returns table (node_id integer, chain text, documents bigint, head_seq bigint, intact boolean, broken_seq bigint, broken_doc uuid, reason text)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select * from tpv.verify_chains() $$;
comment on function wire.verify_chains() is
  'Checks every document and every chain: one row for each chain, with the first broken link and why, if there is one.';
grant execute on function wire.verify_chains() to tpv_operator, tpv_analyst;

-- Who reads documents; nobody but the owner writes them.
grant select on wire.doc, sync.quarantine, sync.hash_chain to tpv_operator, tpv_analyst;
grant select on sec.audit to tpv_operator;
grant usage on schema sec to tpv_operator;
