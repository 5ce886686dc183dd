create or replace function sec.central_url() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select k.url from sec.issuer_key k where not k.deleted and k.retired_at is null and k.url is not null
   order by k.issuer_key_id desc limit 1;
end;
comment on function sec.central_url() is
  'Where central''s gateway answers, as its signing key says; null when it does not say.';

create or replace function sec.this_gateway()
returns table (node_id integer, node_code text, kind text, central_url text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select n.node_id, n.node_code, n.kind, sec.central_url()
    from sync.this_node t join org.node n on n.node_id = t.node_id;
end;
comment on function sec.this_gateway() is
  'Which node this is, for its gateway, and where central''s gateway answers. No row before the node is registered.';
grant execute on function sec.this_gateway() to tpv_gateway_auth;

create or replace function sec.refuse_conflict(message text, code text, gateway_url text default null) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using message = refuse_conflict.message, errcode = 'TP409',
    detail = jsonb_strip_nulls(jsonb_build_object('code', refuse_conflict.code, 'gateway_url', refuse_conflict.gateway_url))::text;
end $$;
comment on function sec.refuse_conflict(text, text, text) is
  'Refuses what the present state does not allow. The detail is JSON: a code, and where to ask instead.';

create or replace function sec.decided_by_central() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if sync.is_joined_store() then
    perform sec.refuse_conflict('that is decided by central', 'decided-by-central', sec.central_url());
  end if;
end $$;
comment on function sec.decided_by_central() is 'Refuses a store that has joined a chain what central decides.';

create or replace function sec.today(node integer default null) returns date
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Of no setting of the session: TimeZone is anybody's.
  return (
    select (now() at time zone coalesce((
             select s.timezone from org.store s
              where s.node_id = coalesce(today.node, (select t.node_id from sync.this_node t)) and not s.deleted), 'UTC'))::date);
end $$;
comment on function sec.today(integer) is
  'The date on the wall of a store, of this one if none is given; in UTC where there is no store. It says '
  'which grants hold.';

create or replace function sec.record(event text, subject text, detail text default '') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if record.event is null or record.event !~ '^[A-Z][A-Z0-9_]{2,39}$' then
    raise exception 'an event is a code of capitals' using errcode = '22023';
  end if;
  insert into sec.audit (event, subject, detail) values (record.event, record.subject, coalesce(record.detail, ''));
end $$;
comment on function sec.record(text, text, text) is 'Writes a security event that the gateway saw.';
grant execute on function sec.record(text, text, text) to tpv_gateway_auth;
