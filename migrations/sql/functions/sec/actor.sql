create or replace function sec.actor() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select tpv.actor();
end;
comment on function sec.actor() is
  'Who acts: employee:<uuid>, the person whom the gateway vouches for in this transaction; else '
  'login:<name>, the login of the session. An id and no name of a person: it stays for ever.';
grant execute on function sec.actor() to tpv_apply, tpv_operator;
