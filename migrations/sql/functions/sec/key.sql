create or replace function sec.publish_issuer_key(kid text, public_key text, url text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform sec.decided_by_central();
  insert into sec.issuer_key as k (kid, public_key, url)
  values (publish_issuer_key.kid, publish_issuer_key.public_key, publish_issuer_key.url)
  on conflict (kid) where not deleted do update
    set public_key = excluded.public_key, url = excluded.url
    where (k.public_key, k.url) is distinct from (excluded.public_key, excluded.url);
end $$;
comment on function sec.publish_issuer_key(text, text, text) is
  'Tells every node a key that this gateway signs tokens with, and where the gateway answers. Can be repeated.';
grant execute on function sec.publish_issuer_key(text, text, text) to tpv_gateway_auth;

create or replace function sec.retire_issuer_key(kid text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.decided_by_central();
  update sec.issuer_key k set retired_at = clock_timestamp()
   where k.kid = retire_issuer_key.kid and not k.deleted and k.retired_at is null;
end $$;
comment on function sec.retire_issuer_key(text) is
  'Says that a key signs no more tokens. Those that it has signed are good for an hour, or until they end.';
grant execute on function sec.retire_issuer_key(text) to tpv_gateway_auth;

create or replace function sec.issuer_keys() returns table (kid text, public_key text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.kid, k.public_key from sec.issuer_key k
   where not k.deleted and (k.retired_at is null or k.retired_at > now() - interval '1 hour')
   order by k.kid;
end;
comment on function sec.issuer_keys() is 'The keys of central''s gateway whose tokens are good.';
grant execute on function sec.issuer_keys() to tpv_gateway_auth;

create or replace function sec.register_gateway_key(node_code text, public_key text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  node integer := (select n.node_id from org.node n where n.node_code = register_gateway_key.node_code and n.kind = 'store');
begin
  perform sec.decided_by_central();
  if node is null then
    raise exception 'there is no store of that name' using errcode = 'TP404';
  end if;
  perform sync.refuse_banned(node);
  insert into sec.gateway_key as k (node_id, public_key) values (node, register_gateway_key.public_key)
  on conflict (node_id) where not deleted do update
    set public_key = excluded.public_key where k.public_key <> excluded.public_key;
  if found then
    -- What was sealed for the key before cannot be opened any more.
    delete from sec.sealing s where s.node_id = node;
    insert into sec.audit (event, subject, detail)
    values ('GATEWAY_KEY', format('node %s', node), 'passwords are sealed for this key of a store''s gateway from now on');
  end if;
end $$;
comment on function sec.register_gateway_key(text, text) is
  'Registers the public key of a store''s gateway, in place of the one before. Passwords of those who '
  'work there are sealed for it.';

create or replace function sec.withdraw_gateway(node integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  people uuid[];
begin
  update sec.gateway_key k set deleted = true where k.node_id = node and not k.deleted;
  delete from sec.sealing s where s.node_id = node;
  with gone as (
    update sec.verifier v set deleted = true, sealed = '' where v.node_id = node and not v.deleted returning v.employee_id)
  select array_agg(distinct g.employee_id) into people from gone g;
  -- Whoever has the machine may have seen their tokens.
  update party.employee e set authz = e.authz + 1 where e.employee_id = any (people) and not e.deleted;
  return coalesce(cardinality(people), 0);
end $$;
comment on function sec.withdraw_gateway(integer) is
  'Seals nothing any more for the gateway of a store, takes back what was sealed for it, and ends the sessions '
  'of those who had a password there, at every node. Returns how many they are: their passwords can be guessed '
  'at on that machine. What its gateway signed nobody else believes.';

create or replace function sec.verifiers_due(most integer)
returns table (employee_id uuid, node_id integer, gateway_key_id uuid, gateway_key text, phc text, changed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select e.employee_id, k.node_id, k.gateway_key_id, k.public_key, p.phc, p.changed_at
    from sec.gateway_key k
    join (select distinct g.employee_id, g.node_id from sec.role_grant g
           where g.node_id is not null and not g.deleted and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)) w
      on w.node_id = k.node_id
    join party.employee e on e.employee_id = w.employee_id and e.active and not e.deleted
    join sec.password p on p.employee_id = e.employee_id
   where not k.deleted and not sync.is_joined_store()
     and not exists (
       select from sec.verifier v
         join sec.sealing s on s.employee_id = v.employee_id and s.node_id = v.node_id
        where v.employee_id = e.employee_id and v.node_id = k.node_id and not v.deleted
          and s.gateway_key_id = k.gateway_key_id and s.changed_at = p.changed_at)
   order by p.changed_at limit verifiers_due.most;
end;
comment on function sec.verifiers_due(integer) is
  'Passwords that are to be sealed for the gateway of a store where their employee works.';
grant execute on function sec.verifiers_due(integer) to tpv_gateway_auth;

create or replace function sec.save_verifier(employee uuid, node integer, key uuid, sealed text, changed_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.decided_by_central();
  -- One that was changed meanwhile is sealed next.
  perform from sec.password p where p.employee_id = employee and p.changed_at = save_verifier.changed_at for share;
  if not found then
    return;
  end if;
  insert into sec.verifier as v (employee_id, node_id, gateway_key_id, sealed)
  values (employee, node, key, save_verifier.sealed)
  on conflict (employee_id, node_id) where not deleted do update
    set gateway_key_id = excluded.gateway_key_id, sealed = excluded.sealed;
  insert into sec.sealing as s (employee_id, node_id, gateway_key_id, changed_at)
  values (employee, node, key, save_verifier.changed_at)
  on conflict on constraint sealing_pkey do update set gateway_key_id = excluded.gateway_key_id, changed_at = excluded.changed_at;
end $$;
comment on function sec.save_verifier(uuid, integer, uuid, text, timestamptz) is
  'Saves a sealed password for a store, unless it was changed since sec.verifiers_due said it and its '
  'changed_at.';
grant execute on function sec.save_verifier(uuid, integer, uuid, text, timestamptz) to tpv_gateway_auth;
