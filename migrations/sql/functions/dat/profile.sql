create or replace function dat.save_profile(profile jsonb, department_code text default null,
                                            node_id integer default null)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  problem record;
  faults text;
  saved integer;
begin
  for problem in select * from tpv.dat_profile_check(save_profile.profile) loop
    if problem.detail like 'warning: %' then
      raise warning '% at "%": %', problem.code, problem.pointer, substr(problem.detail, 10);
    else
      faults := concat_ws('; ', faults, format('%s at "%s": %s', problem.code, problem.pointer, problem.detail));
    end if;
  end loop;
  if faults is not null then
    raise exception 'the profile has faults' using errcode = '22023', detail = faults;
  end if;
  -- One saver at a time, so that versions count without gaps.
  lock table dat.profile in share row exclusive mode;
  insert into dat.profile (node_id, department_code, version, profile)
  select coalesce(save_profile.node_id, org.this_node()), save_profile.department_code,
         coalesce(max(p.version), 0) + 1, save_profile.profile
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
