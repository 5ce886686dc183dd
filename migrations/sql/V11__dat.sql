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

-- begin functions/dat/profile.sql
create or replace function dat.check_profile() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  faults text;
begin
  if tg_op = 'INSERT' and tpv.is_capturing() then
    -- No defaults: rows of other nodes would get them too.
    new.saved_at := coalesce(new.saved_at, now());
    new.saved_by := coalesce(new.saved_by, sec.actor());
  end if;
  select string_agg(format('%s at "%s": %s', c.code, c.pointer, c.detail), '; ') into faults
    from tpv.dat_profile_check(new.profile) c where c.detail not like 'warning: %';
  if faults is not null and not new.deleted then
    raise exception 'the profile has faults' using errcode = '22023', detail = faults;
  end if;
  return new;
end $$;
comment on function dat.check_profile() is
  'Refuses a layout with faults, also where it arrives: one of a newer version waits, and the one '
  'before it is used.';

create or replace function dat.save_profile(profile jsonb, department_code text default null,
                                            node_id integer default null)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  problem record;
  saved integer;
begin
  for problem in select * from tpv.dat_profile_check(save_profile.profile) c where c.detail like 'warning: %' loop
    raise warning '% at "%": %', problem.code, problem.pointer, substr(problem.detail, 10);
  end loop;
  -- One saver at a time, so that versions count without gaps.
  lock table dat.profile in share row exclusive mode;
  insert into dat.profile (node_id, department_code, version, profile)
  select coalesce(save_profile.node_id, org.this_node()), save_profile.department_code,
         coalesce(max(p.version), 0) + 1, save_profile.profile
    -- Deleted ones count: a version is given once.
    from dat.profile p
   where p.node_id = coalesce(save_profile.node_id, org.this_node())
     and p.department_code is not distinct from save_profile.department_code
  returning version into saved;
  return saved;
end $$;
comment on function dat.save_profile(jsonb, text, integer) is
  'Saves a layout for one department, or for the whole store (node_id; this one if it is not '
  'given), and returns its version. Faults are refused with 22023, all at once; what is merely '
  'unwise is a warning.';
grant execute on function dat.save_profile(jsonb, text, integer) to tpv_operator;
-- end functions/dat/profile.sql
create trigger _150_check before insert or update on dat.profile
  for each row execute function dat.check_profile();
alter table dat.profile enable always trigger _150_check;
-- begin functions/dat/decide.sql
create or replace function dat.withdraw(receipt_id uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.withdraw_dat(receipt_id, why) $$;
comment on function dat.withdraw(uuid, text) is
  'Takes the .dat of a receipt away from the checkout. The receipt stays as it is. A withdrawal '
  'that came too late is listed in dat.withdraw_failed. The reason stays for ever and names no person.';

create or replace function dat.render_again(receipt_id uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.render_again(receipt_id, why) $$;
comment on function dat.render_again(uuid, text) is
  'Renders the .dat of a receipt again, with the present layout, and publishes it in place of the '
  'old one. The reason stays for ever and names no person.';
grant execute on function dat.withdraw(uuid, text), dat.render_again(uuid, text) to tpv_operator;
-- end functions/dat/decide.sql
-- begin functions/dat/pending.sql
create or replace function dat.pending_list(max_rows integer)
returns table (pending_id bigint, terminal text, action text, dat_folder text, dat_name text, trigger_name text,
               sha256 bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select p.pending_id, p.terminal, p.action, p.folder, p.name, p.trigger_name, p.sha256
    from dat.pending p
   where p.done_at is null
   order by p.pending_id
   limit max_rows
$$;
comment on function dat.pending_list(integer) is 'What is to be done on the disk, oldest first.';

create or replace function dat.pending_take(pending_id bigint)
returns table (dat_folder text, dat_name text, dat bytea, trigger_name text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with taken as (
    update dat.pending p set done_at = clock_timestamp(), result = 'done'
     where p.pending_id = pending_take.pending_id and p.done_at is null and p.action = 'publish'
    returning p.node_id, p.receipt_id, p.sha256
  )
  select f.folder, f.name, f.bytes, f.trigger_name
    from taken t
    join dat.file f on f.node_id = t.node_id and f.receipt_id = t.receipt_id and f.sha256 = t.sha256
$$;
comment on function dat.pending_take(bigint) is
  'Claims a publication, which is done when the caller''s transaction commits. Returns no row if it '
  'was claimed before or cancelled.';

create or replace function dat.pending_ack(pending_id bigint, result text, detail text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update dat.pending p
     set done_at = clock_timestamp(), result = pending_ack.result, detail = pending_ack.detail
   where p.pending_id = pending_ack.pending_id and p.done_at is null and p.action = 'withdraw'
$$;
comment on function dat.pending_ack(bigint, text, text) is
  'Records how a withdrawal ended: done, or failed when the file was gone already.';

create or replace function dat.staged(dat_folder text, dat_name text, sha256 bytea) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select case
    when f.receipt_id is not null and f.sha256 = staged.sha256 and f.withdrawn_at is null then 'publish'
    when f.sha256 = staged.sha256
      or exists (select from dat.superseded s
                  where s.folder = dat_folder and s.name = dat_name and s.sha256 = staged.sha256) then 'withdrawn'
    else 'unknown'
  end
  from (select) one
  left join dat.file f on f.node_id = org.this_node() and f.folder = dat_folder and f.name = dat_name
$$;
comment on function dat.staged(text, text, bytea) is
  'What a staged file is: publish (belongs on the disk), withdrawn, or unknown (its transaction '
  'never committed).';

grant execute on function dat.pending_list(integer), dat.pending_take(bigint), dat.pending_ack(bigint, text, text),
  dat.staged(text, text, bytea) to tpv_watcher;
-- end functions/dat/pending.sql

revoke all on dat.profile, dat.file, dat.superseded, dat.pending, dat.withdraw_failed from public;
grant select on dat.profile, dat.file, dat.superseded, dat.pending, dat.withdraw_failed to tpv_operator;
grant select (profile_id, node_id, department_code, version, profile, saved_at) on dat.profile to tpv_analyst;
