create or replace function dat.withdraw(receipt_id uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.withdraw_dat(receipt_id, why) $$;
comment on function dat.withdraw(uuid, text) is
  'Takes the .dat of a receipt away from the checkout. The receipt stays as it is. A withdrawal '
  'that came too late is listed in dat.withdraw_failed. The reason stays for ever and names no person.';

create or replace function dat.render_again(receipt_id uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.render_again(receipt_id, why) $$;
comment on function dat.render_again(uuid, text) is
  'Renders the .dat of a receipt again, with the present layout, and publishes it in place of the '
  'old one. The reason stays for ever and names no person.';
grant execute on function dat.withdraw(uuid, text), dat.render_again(uuid, text) to tpv_operator;
