create or replace function party.count_authz() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if (new.active, new.deleted) is distinct from (old.active, old.deleted) then
    new.authz := old.authz + 1;
  end if;
  return new;
end $$;
comment on function party.count_authz() is
  'Counts a change of whether an employee may log in, so that what she holds of before is refused.';
