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
