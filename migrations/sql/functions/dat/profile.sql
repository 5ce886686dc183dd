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
