create or replace function sec.customer_members() returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select 'email email; phone phone; street text; postcode text; city text; country country; tags tags; consent consent; credit_limit money; ';
end;
comment on function sec.customer_members() is 'What a request may say of a customer, but for the name.';

create or replace function sec.customer_body(customer uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  -- The version of a row is its operation, which is otherwise written with the commit.
  set constraints all immediate;
  return (select to_jsonb(c) - '{name_key,email_key,phone_key}'::text[] || jsonb_build_object('credit_limit', c.credit_limit::text)
            from own.customer c where c.customer_id = customer_body.customer);
end $$;
comment on function sec.customer_body(uuid) is 'A customer as an answer shows it: amounts are texts. Its version is that after this request.';

create or replace function sec.lock_customer(args jsonb) returns party.customer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  customer party.customer;
begin
  select * into customer from party.customer c where c.customer_id = (args ->> 'customer_id')::uuid and not c.deleted for update;
  if customer.customer_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select c.etag from own.customer c where c.customer_id = customer.customer_id));
  return customer;
end $$;
comment on function sec.lock_customer(jsonb) is 'Locks the customer of a request, which must name its present version.';

create or replace function own.create_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'name line!; ' || sec.customer_members()));
  insert into party.customer (name, email, phone, street, postcode, city, country, tags, consent, credit_limit)
  select n.name, n.email, n.phone, n.street, n.postcode, n.city, n.country, coalesce(n.tags, '[]'), coalesce(n.consent, 'none'),
         n.credit_limit
    from jsonb_populate_record(null::party.customer, args) n
  returning customer_id into made;
  return sec.customer_body(made);
end $$;
comment on function own.create_customer(jsonb) is 'Makes a customer. Two with one e-mail address are refused.';

create or replace function own.change_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before party.customer;
  steps jsonb := (select t.only_stricter -> 'consent' from sync.tracked_table t where t.table_name = 'party.customer');
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'name line; ' || sec.customer_members());
  select faults || coalesce(jsonb_agg(sec.fault('/' || m, 'missing', 'it cannot be taken away') -> 0), '[]') into faults
    from unnest(array['name', 'tags', 'consent']) m where changes -> m = 'null';
  perform sec.refuse_faults(faults);
  before := sec.lock_customer(args);
  -- What is not named stays.
  if changes ? 'consent' and sync.is_looser(steps, to_jsonb(before.consent), changes -> 'consent') then
    perform sec.refuse_faults(sec.fault('/consent', 'looser', 'consent is given with a reason: loosen_consent'));
  end if;
  update party.customer c
     set name = n.name, email = n.email, phone = n.phone, street = n.street, postcode = n.postcode, city = n.city,
         country = n.country, tags = n.tags, consent = n.consent, credit_limit = n.credit_limit
    from jsonb_populate_record(before, changes) n
   where c.customer_id = before.customer_id;
  return sec.customer_body(before.customer_id);
end $$;
comment on function own.change_customer(jsonb) is
  'Changes what is named of a customer; null takes it away. Consent only grows stricter here.';

create or replace function own.delete_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before party.customer;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; version text'));
  before := sec.lock_customer(args);
  update party.customer c set deleted = true where c.customer_id = before.customer_id;
  return jsonb_build_object('customer_id', before.customer_id, 'deleted', true);
end $$;
comment on function own.delete_customer(jsonb) is 'Deletes a customer: nobody finds it any more. Its values stay; to take them out is erase_customer.';

create or replace function own.loosen_consent(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  customer uuid;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; consent consent!; why why!'));
  customer := args ->> 'customer_id';
  perform from party.customer c where c.customer_id = customer and not c.deleted for update;
  if not found then
    perform sec.refuse_hidden();
  end if;
  perform sync.loosen('party.customer', customer, 'consent', args ->> 'consent', args ->> 'why');
  return sec.customer_body(customer);
end $$;
comment on function own.loosen_consent(jsonb) is 'Sets a looser consent of a customer on her word; the reason says where it is.';

create or replace function own.erase_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  customer uuid;
begin
  perform sec.require('customer.erase');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; why why!'));
  customer := args ->> 'customer_id';
  if sync.is_erased('party.customer', customer::text) then
    return jsonb_build_object('customer_id', customer, 'erased', 0);
  end if;
  begin
    return jsonb_build_object('customer_id', customer, 'erased', party.erase(customer, args ->> 'why'));
  exception
    when no_data_found then perform sec.refuse_hidden();
    when invalid_parameter_value then
      perform sec.refuse_faults(sec.fault('/why', 'repeats', 'it repeats a value that is to be erased; name the request'));
  end;
  return null;
end $$;
comment on function own.erase_customer(jsonb) is
  'Takes every value of a customer out of all nodes, for ever, and of those that are aliases of the same one.';
