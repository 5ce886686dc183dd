create or replace function own.end_session(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known sec.session;
begin
  perform sec.refuse_faults(tpv.form_faults(args, 'session_id uuid!'));
  select * into known from sec.session s where s.session_id = (args ->> 'session_id')::uuid and s.ended_at is null;
  if known.session_id is null
     or known.employee_id is distinct from tpv.acting_employee()
        and not (sec.may('employee.block') and exists (select from own.employee e where e.employee_id = known.employee_id)) then
    perform sec.refuse_hidden();
  end if;
  if known.employee_id is distinct from tpv.acting_employee() then
    perform sec.require_all_of(known.employee_id);
  end if;
  perform sec.end_session(known.session_id, case when known.employee_id = tpv.acting_employee() then 'LOGOUT' else 'REVOKED' end);
  return jsonb_build_object('session_id', known.session_id, 'ended', true);
end $$;
comment on function own.end_session(jsonb) is
  'Ends a session: one of her own, or of somebody whom she may block.';
