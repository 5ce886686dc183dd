create or replace function sec.prune() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
  total bigint := 0;
begin
  delete from sec.session s
   where coalesce(s.ended_at, least(s.expires_at, s.rotated_at + interval '12 hours')) < now() - interval '7 days';
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sec.session', gone);
  -- Answers may hold values of customers.
  delete from sec.idempotency i where i.made_at < now() - interval '1 day';
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sec.idempotency', gone);
  delete from sec.throttle t where t.last_failed_at < now() - interval '1 day';
  delete from sec.password_link l where least(l.used_at, l.expires_at) < now() - interval '7 days';
  get diagnostics gone = row_count;
  return total + sync.note_pruning('sec.password_link', gone);
end $$;
comment on function sec.prune() is
  'Removes sessions and password links a week after their end, and answers to repeated requests and '
  'failed attempts to log in after a day. pg_cron calls it each hour.';
grant execute on function sec.prune() to tpv_cron;
