-- Purpose: people: customers.
-- Limits:  every node may write a customer, so the table has no key but its primary key. Two
--          customers with one e-mail address are duplicates.
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
  home_node_id integer
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

grant select, insert, update on party.customer to tpv_operator;

-- include functions/party/erase.sql
