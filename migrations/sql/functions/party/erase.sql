create or replace function party.erase(customer uuid, why text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  same uuid;
  erased bigint := 0;
begin
  lock table tpv_lock.merge in exclusive mode;
  if not exists (select from party.customer c where c.customer_id = erase.customer) then
    raise exception 'there is no customer with that key' using errcode = 'P0002';
  end if;
  -- A person who was registered twice is in several rows.
  for same in
    with recursive person (customer_id) as (
      select erase.customer
      union
      select other.customer_id from person p
       cross join lateral (
         select c.alias_of from party.customer c where c.customer_id = p.customer_id and c.alias_of is not null
         union all
         select c.customer_id from party.customer c where c.alias_of = p.customer_id) other (customer_id)
    )
    select c.customer_id from party.customer c join person p on p.customer_id = c.customer_id
     where c.customer_id = erase.customer or not sync.is_erased('party.customer', c.customer_id::text)
     order by 1
  loop
    perform sync.erase('party.customer', same, why);
    erased := erased + 1;
  end loop;
  return erased;
end $$;
comment on function party.erase(uuid, text) is
  'Erases a customer, with all rows that are aliases of the same one, at every node and for ever. '
  'Needs a reason that names nobody. Answers how many rows were erased.';
grant execute on function party.erase(uuid, text) to tpv_operator;
