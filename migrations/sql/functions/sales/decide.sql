create or replace function sales.release(receipt_id uuid, why text, file_name text default null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.release_receipt(receipt_id, why, file_name) $$;
comment on function sales.release(uuid, text, text) is
  'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that '
  'is taken. The reason stays for ever and names no person.';

create or replace function sales.void(receipt_id uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.void_receipt(receipt_id, why) $$;
comment on function sales.void(uuid, text) is
  'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it; a void beats '
  'a release. The reason stays for ever and names no person.';

create or replace function sales.close_day(business_date date, why text default '') returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.close_day(business_date, why) $$;
comment on function sales.close_day(date, text) is
  'Closes a business day of this store. A receipt of that day that arrives later counts, has the '
  'flag LATE, and gets no .dat by itself.';

grant execute on function sales.release(uuid, text, text), sales.void(uuid, text), sales.close_day(date, text) to tpv_operator;
