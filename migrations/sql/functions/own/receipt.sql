create or replace function sec.receipt_body(node integer, receipt uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  return (
    select to_jsonb(r) || jsonb_build_object('total', r.total::text, 'lines_total', r.lines_total::text,
                                             'total_difference', r.total_difference::text)
      from own.receipt r where r.node_id = receipt_body.node and r.receipt_id = receipt_body.receipt);
end $$;
comment on function sec.receipt_body(integer, uuid) is 'A receipt as an answer shows it: amounts are texts.';

create or replace function sec.decide_receipt(args jsonb, permission text, members text, decision text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  here integer := org.this_node();
  receipt uuid;
  elsewhere integer;
  why text := args ->> 'why';
begin
  perform sec.require(permission);
  perform sec.refuse_faults(tpv.form_faults(args, members));
  receipt := args ->> 'receipt_id';
  if not exists (select from own.receipt r where r.node_id = here and r.receipt_id = receipt) then
    select r.node_id into elsewhere from own.receipt r
     where r.node_id = any (array(select s.node_id from org.store s)) and r.receipt_id = receipt;
    if elsewhere is null then
      perform sec.refuse_hidden();
    end if;
    perform sec.refuse_conflict('that is decided at the store of the receipt', 'decided-by-store',
                                (select s.gateway_url from org.store s where s.node_id = elsewhere and not s.deleted));
  end if;
  begin
    case decision
      when 'release' then perform sales.release(receipt, why, args ->> 'file_name');
      when 'void' then perform sales.void(receipt, why);
      when 'withdraw' then perform dat.withdraw(receipt, why);
      when 'render_again' then perform dat.render_again(receipt, why);
    end case;
  exception
    when data_exception then perform sec.refuse_conflict(sqlerrm, 'state');
    when unique_violation then perform sec.refuse_conflict(sqlerrm, 'name-taken');
  end;
  return sec.receipt_body(here, receipt);
end $$;
comment on function sec.decide_receipt(jsonb, text, text, text) is
  'What the functions about a receipt have in common: it must be one of this store that the caller sees.';

create or replace function own.release(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'receipt.release', 'receipt_id uuid!; why why!; file_name file', 'release');
end;
comment on function own.release(jsonb) is
  'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that is taken.';

create or replace function own.void(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'receipt.void', 'receipt_id uuid!; why why!', 'void');
end;
comment on function own.void(jsonb) is 'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it.';

create or replace function own.withdraw(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'dat.decide', 'receipt_id uuid!; why why!', 'withdraw');
end;
comment on function own.withdraw(jsonb) is 'Takes the .dat of a receipt away from the checkout. The receipt stays as it is.';

create or replace function own.render_again(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'dat.decide', 'receipt_id uuid!; why why!', 'render_again');
end;
comment on function own.render_again(jsonb) is 'Renders the .dat of a receipt with the present layout, and publishes it in place of the old one.';

create or replace function own.close_day(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  here integer := org.this_node();
  day date;
begin
  perform sec.require('day.close');
  perform sec.refuse_faults(tpv.form_faults(args, 'business_date date!; why why'));
  if not exists (select from org.store s where s.node_id = here and not s.deleted) then
    perform sec.refuse_conflict('a day is closed at its store', 'decided-by-store');
  end if;
  perform sec.require('day.close', here);
  day := args ->> 'business_date';
  begin
    perform sales.close_day(day, coalesce(args ->> 'why', ''));
  exception when data_exception then
    perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return (select to_jsonb(c) from sales.day_close c where c.node_id = here and c.business_date = day);
end $$;
comment on function own.close_day(jsonb) is
  'Closes a business day of this store: what comes later counts, is marked LATE, and gets no .dat by itself.';
