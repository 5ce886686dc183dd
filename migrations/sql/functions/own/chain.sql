create or replace function own.replay(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'quarantine_id integer!'));
  item := args ->> 'quarantine_id';
  if not exists (select from own.quarantine q where q.quarantine_id = item) then
    perform sec.refuse_hidden();
  end if;
  begin
    return jsonb_build_object('quarantine_id', item, 'resolved', sync.replay(item));
  exception
    when no_data_found then perform sec.refuse_hidden();
    when data_exception or object_not_in_prerequisite_state then perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return null;
end $$;
comment on function own.replay(jsonb) is 'Tries again what waits in quarantine.';

create or replace function own.dismiss(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'quarantine_id integer!; why why!'));
  item := args ->> 'quarantine_id';
  if not exists (select from own.quarantine q where q.quarantine_id = item) then
    perform sec.refuse_hidden();
  elsif not exists (select from own.quarantine q where q.quarantine_id = item and q.resolved_at is null) then
    perform sec.refuse_conflict('it waits no longer', 'state');
  end if;
  perform sync.dismiss(item, args ->> 'why');
  return jsonb_build_object('quarantine_id', item, 'resolved', true);
end $$;
comment on function own.dismiss(jsonb) is 'Takes a row off the quarantine although it was not applied.';

create or replace function own.accept_drift(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'drift_id integer!; why why!'));
  item := args ->> 'drift_id';
  if not exists (select from own.drift d where d.drift_id = item) then
    perform sec.refuse_hidden();
  elsif not exists (select from own.drift d where d.drift_id = item and d.resolved_at is null) then
    perform sec.refuse_conflict('it is no longer open', 'state');
  end if;
  perform sync.accept_drift(item, args ->> 'why');
  return jsonb_build_object('drift_id', item, 'resolved', true);
end $$;
comment on function own.accept_drift(jsonb) is 'Accepts a difference that somebody has looked at, so that comparing goes on after it.';

create or replace function sec.check_writer(table_name text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  writer text := (select t.writer from sync.tracked_table t where t.table_name = check_writer.table_name);
begin
  if writer is null or not sec.may_read_table(check_writer.table_name) then
    perform sec.refuse_hidden();
  elsif writer = 'central' then
    perform sec.decided_by_central();
  end if;
end $$;
comment on function sec.check_writer(text) is
  'Refuses a table that nobody shares or may see, and in a store one that central decides.';

create or replace function own.settle(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.require('conflict.settle');
  perform sec.refuse_faults(tpv.form_faults(args, 'table_name key!; key uuid!; column_name key!; node_id integer!; seq integer!'));
  perform sec.check_writer(args ->> 'table_name');
  if not exists (select from own.sibling s
                  where s.table_name = args ->> 'table_name' and s.key = args ->> 'key' and s.column_name = args ->> 'column_name'
                    and s.node_id = (args ->> 'node_id')::bigint and s.seq = (args ->> 'seq')::bigint) then
    perform sec.refuse_hidden();
  end if;
  begin
    perform sync.resolve_conflict(args ->> 'table_name', args ->> 'key', args ->> 'column_name', (args ->> 'node_id')::integer,
                                  (args ->> 'seq')::bigint);
  exception when data_exception or check_violation then
    perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return args - 'node_id' - 'seq' || '{"settled": true}';
end $$;
comment on function own.settle(jsonb) is 'Settles a conflict: one of its values wins.';

create or replace function own.make_alias(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.require('conflict.settle');
  perform sec.refuse_faults(tpv.form_faults(args, 'table_name key!; key uuid!; of_key uuid'));
  perform sec.check_writer(args ->> 'table_name');
  begin
    perform sync.make_alias(args ->> 'table_name', (args ->> 'key')::uuid, (args ->> 'of_key')::uuid);
  exception
    when no_data_found then perform sec.refuse_hidden();
    when data_exception or object_not_in_prerequisite_state then perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return args;
end $$;
comment on function own.make_alias(jsonb) is
  'Makes a row an alias of the one that it duplicates; without of_key a row of its own again.';
