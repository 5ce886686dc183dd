-- Purpose: what crosses between nodes: documents, operations, heartbeats, and what is sent again.
-- Limits:  the columns of these tables are frozen: they replicate by name, and stores and central
--          upgrade at different times. Business dates outside the partitions go to the default
--          partition, and stay there if nobody sells on such a day.
-- Undo:    none that keeps receipts.

-- Documents

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
  'Facts as documents: receipts, voids, releases, closings. Each is written once by one node and '
  'never changed.';
comment on column wire.doc.node_id is 'The node that recorded it.';
comment on column wire.doc.doc_id is
  'Identity, a uuid v8 derived from what the document is about; it begins with the minute of that.';
comment on column wire.doc.business_date is 'The business day it belongs to, fixed at first acceptance.';
comment on column wire.doc.kind is 'receipt, intake, release, void, withdraw, render or day_close.';
comment on column wire.doc.to_node is
  'The node it is addressed to; null for everybody who subscribes. A chain such as >2 has the '
  'documents that are addressed to node 2, and no others.';
comment on column wire.doc.hlc is
  'When it was recorded: Unix milliseconds in the upper 48 bits, a counter below.';
comment on column wire.doc.schema_version is 'Version of the bodies of its kind.';
comment on column wire.doc.chain is
  'The hash chain that it continues: T04 for a terminal''s, empty for the node''s own, >2 for what is '
  'addressed to node 2; T04~2 is the second life of T04, after a restore. Which terminal a receipt is '
  'of stands in its body.';
comment on column wire.doc.chain_seq is 'Place in that hash chain, from 1, without gaps.';
comment on column wire.doc.prev_hash is 'Link hash of the document before; 32 zero bytes at the start.';
comment on column wire.doc.body is 'Canonical JSON text: sorted keys, plain numbers, NFC.';
comment on column wire.doc.content_hash is 'sha256(convert_to(body, ''UTF8'')).';
create index doc_chain on wire.doc (node_id, chain, chain_seq);
create index doc_to_node on wire.doc (to_node, node_id, chain, chain_seq) where to_node is not null;

create trigger _100_receive before insert on wire.doc
  for each row execute function tpv.receive_document();
alter table wire.doc enable always trigger _100_receive;
create trigger _900_refuse before update or delete on wire.doc
  for each row execute function tpv.refuse_change();
alter table wire.doc enable always trigger _900_refuse;
create trigger _900_refuse_truncate before truncate on wire.doc
  for each statement execute function tpv.refuse_change();
alter table wire.doc enable always trigger _900_refuse_truncate;

create table wire.doc_default partition of wire.doc default;
comment on table wire.doc_default is
  'Documents whose month has no partition: those of months that no store sells in, which stay here, and '
  'those whose partition is not made yet.';
create trigger _900_refuse_truncate before truncate on wire.doc_default
  for each statement execute function tpv.refuse_change();
alter table wire.doc_default enable always trigger _900_refuse_truncate;

-- begin functions/wire/partition.sql
create or replace function wire.add_partition(month date) returns boolean
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
  -- Rows that arrived before their partition was made. They move without triggers: they were
  -- received when they arrived.
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
  'Makes the partition of wire.doc for the month of that day, and moves the rows of that month '
  'there from the default partition. Returns false if the partition exists already.';

create or replace function wire.maintain_partitions() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  month date;
  made integer := 0;
begin
  -- Not the months of what is in the default partition: a store may write any business date.
  foreach month in array array(
    select m::date from generate_series(-13, 3) as k (n), date_trunc('month', now() + make_interval(months => n)) as m
    order by 1)
  loop
    made := made + wire.add_partition(month)::integer;
  end loop;
  return made;
end $$;
comment on function wire.maintain_partitions() is
  'Keeps partitions of wire.doc from 13 months back to 3 months ahead, and moves what is of one of '
  'these months there from the default partition. Returns how many it made. pg_cron calls it each night.';
grant execute on function wire.maintain_partitions() to tpv_cron, tpv_operator;
-- end functions/wire/partition.sql
-- begin functions/wire/verify.sql
create or replace function wire.verify_chains()
returns table (node_id integer, chain text, documents bigint, head_seq bigint, intact boolean, broken_seq bigint,
               broken_doc uuid, reason text)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select * from tpv.verify_chains() $$;
comment on function wire.verify_chains() is
  'Checks every document and every hash chain: one row for each chain, with the first broken link '
  'and why, if there is one.';
grant execute on function wire.verify_chains() to tpv_operator, tpv_analyst;
-- end functions/wire/verify.sql
select wire.maintain_partitions();

create table sync.hash_chain (
  node_id   integer not null,
  chain     text not null,
  head_seq  bigint not null default 0,
  head_hash bytea not null default decode(repeat('00', 32), 'hex'),
  head_hlc  bigint not null default 0,
  primary key (node_id, chain)
);
comment on table sync.hash_chain is
  'The head of each hash chain that this node writes. Whoever locks a row may continue that chain.';
comment on column sync.hash_chain.node_id is 'This node.';
comment on column sync.hash_chain.chain is 'Its name, as in wire.doc.';
comment on column sync.hash_chain.head_seq is 'chain_seq of the last document; 0 when there is none.';
comment on column sync.hash_chain.head_hash is 'Link hash of the last document.';
comment on column sync.hash_chain.head_hlc is 'hlc of the last document.';

-- Operations

create table wire.op (
  node_id    integer not null,
  seq        bigint not null,
  hlc        bigint not null,
  table_name text not null,
  key        text not null,
  patch      text not null,
  base       text not null,
  primary key (node_id, seq)
) partition by range (seq);
comment on table wire.op is
  'Decisions as operations: which node changed which columns of which row, and which versions it '
  'had seen.';
comment on column wire.op.node_id is 'The node that decided.';
comment on column wire.op.seq is 'Counts that node''s operations in commit order, without gaps.';
comment on column wire.op.hlc is 'When, as in wire.doc. It orders only operations that were concurrent.';
comment on column wire.op.table_name is 'The table, such as party.customer.';
comment on column wire.op.key is 'The key of the row, as text.';
comment on column wire.op.patch is
  'Canonical JSON: the columns and groups that changed, with their values. @exists says whether '
  'the row exists.';
comment on column wire.op.base is
  'Canonical JSON: for each of them the versions [node, seq] that the writer saw.';
create index op_key on wire.op (table_name, key);

-- Attached, and not made as partitions: only LIKE copies the comments of columns.
create table wire.op_1 (like wire.op including defaults including comments);
alter table wire.op attach partition wire.op_1 for values from (minvalue) to (100000000);
comment on table wire.op_1 is 'The first hundred million operations of each node.';
create table wire.op_default (like wire.op including defaults including comments);
alter table wire.op attach partition wire.op_default default;
comment on table wire.op_default is 'Operations beyond the other partitions. It should be empty.';

create trigger _100_receive before insert on wire.op
  for each row execute function tpv.receive_operation();
alter table wire.op enable always trigger _100_receive;
create trigger _900_refuse before update or delete on wire.op
  for each row execute function tpv.refuse_change();
alter table wire.op enable always trigger _900_refuse;
-- Statement triggers are not inherited.
create trigger _900_refuse_truncate before truncate on wire.op
  for each statement execute function tpv.refuse_change();
alter table wire.op enable always trigger _900_refuse_truncate;
create trigger _900_refuse_truncate before truncate on wire.op_1
  for each statement execute function tpv.refuse_change();
alter table wire.op_1 enable always trigger _900_refuse_truncate;
create trigger _900_refuse_truncate before truncate on wire.op_default
  for each statement execute function tpv.refuse_change();
alter table wire.op_default enable always trigger _900_refuse_truncate;

-- Heartbeats

create table wire.beat (
  node_id   integer not null,
  beat      bigint not null,
  hlc       bigint not null,
  low_water timestamptz not null,
  ops       text not null,
  chains    text not null,
  version   text not null,
  more      text not null default '{}',
  primary key (node_id, beat)
);
comment on table wire.beat is
  'Heartbeats of this node. At the receiver they are folded into sync.peer and not stored.';
comment on column wire.beat.node_id is 'The node.';
comment on column wire.beat.beat is 'Number of the heartbeat, without gaps.';
comment on column wire.beat.hlc is 'When it was written, as in wire.doc.';
comment on column wire.beat.low_water is
  'Nothing that was recorded before this moment can still commit.';
comment on column wire.beat.ops is
  'JSON: for each node the number up to which its operations are here without a gap.';
comment on column wire.beat.chains is
  'JSON: heads of hash chains, as [chain_seq, hash, hlc]: those that moved since another heartbeat, '
  'or all; more.since says which. 1>2 is chain >2 of node 1, which central passes on.';
comment on column wire.beat.version is 'Version of the extension.';
comment on column wire.beat.more is
  'JSON, for what heartbeats learn to say; unknown keys are ignored. since: chains has what moved '
  'since the heartbeat with this hlc; without it chains has all.';

create trigger _100_receive before insert on wire.beat
  for each row execute function tpv.receive_beat();
alter table wire.beat enable always trigger _100_receive;

-- What is sent again

create table wire.resend (
  node_id   integer not null,
  resend_id bigint generated by default as identity,
  to_node   integer not null,
  hlc       bigint not null,
  kind      text not null,
  body      text not null,
  primary key (node_id, resend_id)
);
comment on table wire.resend is
  'What one node sends to one other: snapshots, documents and operations again, and requests for '
  'them. The receiver applies a row and does not store it.';
comment on column wire.resend.node_id is 'The sender.';
comment on column wire.resend.resend_id is 'Key at the sender.';
comment on column wire.resend.to_node is 'The receiver.';
comment on column wire.resend.hlc is 'When it was sent, as in wire.doc.';
comment on column wire.resend.kind is 'snapshot and snapshot_end, operations, documents, request.';
comment on column wire.resend.body is 'JSON.';

create trigger _100_receive before insert on wire.resend
  for each row execute function tpv.receive_resend();
alter table wire.resend enable always trigger _100_receive;

-- The owner of the tables writes the rows of this node; tpv_apply writes those that arrive.
grant select on wire.beat, sync.hash_chain to tpv_operator, tpv_analyst;
grant select on wire.doc to tpv_operator;
-- Bodies hold reasons that people wrote, and whatever a terminal put into its file. Operations hold
-- data of customers. Analysts may count them, but not read them.
grant select (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, content_hash)
  on wire.doc to tpv_analyst;
-- Operators read operations in journal.operation.
grant select (node_id, seq, hlc, table_name) on wire.op to tpv_operator, tpv_analyst;
grant select on sync.hash_chain to tpv_apply;
-- The background worker writes heartbeats.
grant select on sync.hash_chain to tpv_worker;
grant select, insert on wire.beat to tpv_worker;
