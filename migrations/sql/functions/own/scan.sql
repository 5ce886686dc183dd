create or replace function own.scan(args jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  node integer;
  place text := coalesce(args ->> 'department', '');
  code text := btrim(args ->> 'code');
  today date;
  rules jsonb;
  decoded jsonb;
  found_id uuid;
  product catalog.product;
begin
  perform sec.require('catalog.read');
  perform sec.refuse_faults(tpv.form_faults(args, 'code key!; department key; node integer'));
  node := coalesce((args ->> 'node')::integer, org.this_node());
  -- A place that is not there is not seen either.
  if not tpv.may_see_node(node) or not exists (select from org.node n where n.node_id = node)
     or place <> '' and not tpv.may_see(node, place, null) then
    perform sec.refuse_hidden();
  end if;
  today := sec.today(node);
  found_id := catalog.find_product(node, place, code, today);
  select * into product from catalog.product p where p.product_id = found_id;
  if product.product_id is null then
    perform sec.refuse_hidden();
  end if;
  -- What the label says, by the rules that hold for whoever scans.
  select coalesce(jsonb_agg(r), '[]') into rules
    from jsonb_array_elements(catalog.barcode_rules(node)) r
   where coalesce(r ->> 'department', place) = place
     and today between coalesce((r ->> 'valid_from')::date, '-infinity') and coalesce((r ->> 'valid_to')::date, 'infinity');
  decoded := tpv.barcode_decode(code, rules);
  return jsonb_build_object(
    'product_id', product.product_id, 'sku', product.sku, 'description', product.description, 'unit', product.unit,
    'how', case when exists (select from catalog.barcode b
                              where b.gtin14 = tpv.gtin14(code) and b.product_id = product.product_id and not b.deleted) then 'gtin'
                when tpv.item_digits(code, place, today, rules) is not null then 'rule'
                else 'local' end,
    'gtin14', tpv.gtin14(code),
    'price', catalog.price_at(product.product_id, node, now())::text,
    'tax_rate', catalog.tax_rate_at(coalesce(product.tax_id, (
      select d.tax_id from org.department d where d.node_id = node and d.code = place and not d.deleted)), today)::text,
    'label_kind', decoded ->> 'value_kind',
    'label_value', decoded ->> 'value');
end $$;
comment on function own.scan(jsonb) is
  'What a code means that was scanned or keyed in at a department of a store, what that costs there now, '
  'and what the label itself says: a price, a weight or a count.';
