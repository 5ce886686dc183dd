-- Purpose: people: customers and employees.
-- Limits:  every node may write a customer, so the table has no key but its primary key. Two
--          customers with one e-mail address are duplicates. Central writes employees.
-- Undo:    drop the tables and functions of schema party.

create table party.customer (
  customer_id  uuid primary key default tpv.uuid7(),
  name         text not null,
  email        text,
  phone        text,
  street       text,
  postcode     text,
  city         text,
  country      text,
  tags         jsonb not null default '[]' check (jsonb_typeof(tags) = 'array'),
  consent      text not null default 'none' check (consent in ('none', 'email', 'all')),
  credit_limit numeric(14,2),
  home_node_id integer,
  deleted      boolean not null default false
);
comment on table party.customer is 'Customers. Every node may write them.';
comment on column party.customer.customer_id is 'Key, generated where the customer was first registered.';
comment on column party.customer.name is 'Name.';
comment on column party.customer.email is 'E-mail address; two customers with one are duplicates.';
comment on column party.customer.phone is 'Telephone.';
comment on column party.customer.street is 'Street and number; the address is one group.';
comment on column party.customer.postcode is 'Postal code.';
comment on column party.customer.city is 'City.';
comment on column party.customer.country is 'ISO 3166 code.';
comment on column party.customer.tags is
  'A set of words, as a sorted JSON array. Each word is added and removed by itself.';
comment on column party.customer.consent is
  'What the customer allows: none, email, all. Of two the stricter holds, and only sync.loosen '
  'makes it looser.';
comment on column party.customer.credit_limit is 'How much may be owed.';
comment on column party.customer.home_node_id is
  'The node that owns the row: the one that inserted it, unless the insert named another. It does '
  'not change.';
comment on column party.customer.deleted is 'Whether it was deleted. Rows are never removed.';

-- People are looked for in upper and lower case. Names in the order of letters by their code points:
-- so a search by the beginning of a name finds its rows and their order in the index. Only what an
-- entry of an index has room for is in it: a peer may send values of any length.
create index customer_name on party.customer (left(lower(name), 100) collate "C", customer_id) where not deleted;
create index customer_email_key on party.customer (left(lower(email), 300)) where not deleted;
create index customer_phone on party.customer (left(phone, 40)) where not deleted;

grant select, insert, update on party.customer to tpv_operator;

create table party.employee (
  employee_id uuid primary key default tpv.uuid7(),
  code        text not null,
  name        text not null,
  active      boolean not null default true,
  authz       integer not null default 1,
  deleted     boolean not null default false,
  -- An erased row has neither.
  check (deleted or code ~ '^[a-z0-9][a-z0-9._-]{1,63}$'),
  check (deleted or name <> '')
);
create unique index employee_code on party.employee (code) where not deleted;
comment on table party.employee is 'Employees, and others who log in: concessionaires, auditors.';
comment on column party.employee.employee_id is
  'Key. It is what records and documents say of whoever acted, as employee:<uuid>.';
comment on column party.employee.code is 'What she logs in with.';
comment on column party.employee.name is 'Name.';
comment on column party.employee.active is 'Whether she may log in.';
comment on column party.employee.authz is
  'Grows with each change of what she may (active, deleted, her rows of sec.role_grant) and of her '
  'password. A session is of the number that it began with, and is over when there is another.';
comment on column party.employee.deleted is
  'Whether it was deleted. The code can be given again. Rows are never removed.';

-- begin functions/party/employee.sql
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
-- end functions/party/employee.sql
create trigger _150_authz before update of active, deleted on party.employee
  for each row when (tpv.is_capturing()) execute function party.count_authz();

-- begin functions/party/erase.sql
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
-- end functions/party/erase.sql
