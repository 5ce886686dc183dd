create or replace function own.change_grant(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before sec.role_grant;
  after sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'role_grant_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'valid_from date; valid_to date');
  if changes -> 'valid_from' = 'null' then
    faults := faults || sec.fault('/valid_from', 'missing', 'it cannot be taken away');
  end if;
  perform sec.refuse_faults(faults);
  select * into before from sec.role_grant g where g.role_grant_id = (args ->> 'role_grant_id')::uuid and not g.deleted for update;
  if before.role_grant_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select g.etag from own.role_grant g where g.role_grant_id = before.role_grant_id));
  after := jsonb_populate_record(before, changes);
  if after.valid_to < after.valid_from then
    perform sec.refuse_faults(sec.fault('/valid_to', 'order', 'it is before the first day'));
  end if;
  perform sec.require_no_other(after);
  update sec.role_grant g set valid_from = after.valid_from, valid_to = after.valid_to where g.role_grant_id = before.role_grant_id;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_CHANGED', format('employee %s', before.employee_id),
          concat_ws(' ', before.role, 'of node ' || before.node_id, 'department ' || before.department_code,
                    'from', after.valid_from, 'to ' || after.valid_to));
  set constraints all immediate;
  return (select to_jsonb(g) from own.role_grant g where g.role_grant_id = before.role_grant_id);
end $$;
comment on function own.change_grant(jsonb) is
  'Changes the days of a grant; a valid_to of null takes its end away. Where and as what it holds stays: '
  'that is another grant.';
