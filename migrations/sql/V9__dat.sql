-- Purpose: .dat files: versioned layouts, the bytes that were published, and what the watcher still
--          has to do on the disk.
-- Limits:  what was published is local to the store; only the decisions behind it are documents.
-- Undo:    drop the tables and functions of schema dat; the files on disk stay.

create table dat.profile (
  profile_id      uuid primary key default tpv.uuid7(),
  node_id         integer not null,
  department_code text,
  version         integer not null,
  profile         jsonb not null,
  saved_at        timestamptz not null,
  saved_by        text not null,
  deleted         boolean not null default false
);
create unique index profile_version on dat.profile (node_id, department_code, version) nulls not distinct
  where not deleted;
create trigger _300_place after insert or update of node_id, department_code, deleted on dat.profile
  for each row when (tpv.is_capturing()) execute function org.check_place();
comment on table dat.profile is
  'Layouts of .dat files. The newest version of a department''s own, else of the store''s, is '
  'used.';
comment on column dat.profile.profile_id is 'Key.';
comment on column dat.profile.node_id is 'The store.';
comment on column dat.profile.department_code is 'The only department it is for; null for the whole store.';
comment on column dat.profile.version is 'Counts up from 1 for each store and department.';
comment on column dat.profile.profile is 'The layout, as tpv.dat_render reads it.';
comment on column dat.profile.saved_at is 'When it was saved.';
comment on column dat.profile.saved_by is 'Who saved it, by sec.actor().';
comment on column dat.profile.deleted is
  'Whether it was deleted. Then the version before is used, or the store''s. Rows are never removed.';

create table dat.file (
  node_id         integer not null,
  receipt_id      uuid not null,
  terminal        text not null,
  folder          text not null,
  name            text not null,
  trigger_name    text,
  bytes           bytea not null,
  sha256          bytea not null,
  profile_id      uuid not null,
  profile_version integer not null,
  made_at         timestamptz not null default clock_timestamp(),
  withdrawn_at    timestamptz,
  primary key (node_id, receipt_id)
);
-- In lower case, as some file systems compare names, so that two receipts never share a file.
create unique index file_name on dat.file (node_id, folder, lower(name));
comment on table dat.file is
  'The .dat file of each receipt that has one, with the very bytes that were published.';
comment on column dat.file.node_id is 'The store.';
comment on column dat.file.receipt_id is 'The receipt, wire.doc.doc_id.';
comment on column dat.file.terminal is 'The terminal in whose queue the watcher handles it.';
comment on column dat.file.folder is 'Folder below out/.';
comment on column dat.file.name is 'Name of the file.';
comment on column dat.file.trigger_name is 'Empty file that follows it, if the layout wants one.';
comment on column dat.file.bytes is 'Its content.';
comment on column dat.file.sha256 is 'SHA-256 of its content.';
comment on column dat.file.profile_id is 'The layout it was made with.';
comment on column dat.file.profile_version is 'The version of that layout.';
comment on column dat.file.made_at is 'When it was made.';
comment on column dat.file.withdrawn_at is 'When it was withdrawn; null while it belongs on the disk.';

create table dat.superseded (
  superseded_id bigint generated always as identity primary key,
  superseded_at timestamptz not null default clock_timestamp(),
  node_id       integer not null,
  receipt_id    uuid not null,
  folder        text not null,
  name          text not null,
  bytes         bytea not null,
  sha256        bytea not null,
  profile_id    uuid not null,
  made_at       timestamptz not null
);
create index superseded_receipt on dat.superseded (node_id, receipt_id);
comment on table dat.superseded is 'Earlier .dat files of receipts whose .dat was rendered again.';
comment on column dat.superseded.superseded_id is 'Key.';
comment on column dat.superseded.superseded_at is 'When it was replaced.';
comment on column dat.superseded.node_id is 'The store.';
comment on column dat.superseded.receipt_id is 'The receipt.';
comment on column dat.superseded.folder is 'Folder it was published in.';
comment on column dat.superseded.name is 'Name it was published under.';
comment on column dat.superseded.bytes is 'Its content.';
comment on column dat.superseded.sha256 is 'SHA-256 of its content.';
comment on column dat.superseded.profile_id is 'The layout it was made with.';
comment on column dat.superseded.made_at is 'When it was made.';

create table dat.pending (
  pending_id   bigint generated always as identity primary key,
  node_id      integer not null,
  receipt_id   uuid not null,
  terminal     text not null,
  action       text not null check (action in ('publish', 'withdraw')),
  folder       text not null,
  name         text not null,
  trigger_name text,
  sha256       bytea not null,
  why          text not null,
  asked_at     timestamptz not null default clock_timestamp(),
  asked_by     text not null default sec.actor(),
  done_at      timestamptz,
  result       text check (result in ('done', 'failed', 'cancelled')),
  detail       text,
  check ((done_at is null) = (result is null))
);
create index pending_open on dat.pending (pending_id) where done_at is null;
create index pending_receipt on dat.pending (receipt_id);
comment on table dat.pending is
  'What operators decided and the watcher has still to do on the disk, oldest first.';
comment on column dat.pending.pending_id is 'Key; also the order.';
comment on column dat.pending.node_id is 'The store.';
comment on column dat.pending.receipt_id is 'The receipt.';
comment on column dat.pending.terminal is 'The terminal in whose queue it is done.';
comment on column dat.pending.action is 'publish or withdraw.';
comment on column dat.pending.folder is 'Folder below out/.';
comment on column dat.pending.name is 'Name of the file.';
comment on column dat.pending.trigger_name is 'Empty file that follows it, if any.';
comment on column dat.pending.sha256 is 'SHA-256 of the file that is meant.';
comment on column dat.pending.why is 'The reason that the operator gave. It names no customer.';
comment on column dat.pending.asked_at is 'When it was decided.';
comment on column dat.pending.asked_by is 'Who decided, by sec.actor().';
comment on column dat.pending.done_at is 'When it was finished; null while it waits.';
comment on column dat.pending.result is
  'done, failed (a withdrawal found no file: the checkout has it), or cancelled by a later '
  'decision.';
comment on column dat.pending.detail is 'What the watcher reported.';

create view dat.withdraw_failed with (security_invoker = true) as
  select pending_id, receipt_id, terminal, folder, name, why, asked_at, asked_by, done_at, detail
    from dat.pending
   where action = 'withdraw' and result = 'failed';
comment on view dat.withdraw_failed is
  'Alarm: withdrawals that came too late. The checkout has read the file, so the customer may have '
  'paid.';

-- include functions/dat/profile.sql
create trigger _150_check before insert or update on dat.profile
  for each row execute function dat.check_profile();
alter table dat.profile enable always trigger _150_check;
-- include functions/dat/decide.sql
-- include functions/dat/pending.sql

revoke all on dat.profile, dat.file, dat.superseded, dat.pending, dat.withdraw_failed from public;
grant select on dat.profile, dat.file, dat.superseded, dat.pending, dat.withdraw_failed to tpv_operator;
grant select (profile_id, node_id, department_code, version, profile, saved_at) on dat.profile to tpv_analyst;
