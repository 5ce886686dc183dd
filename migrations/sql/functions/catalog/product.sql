create or replace function catalog.item_key(node_id integer, department text, code text, on_date date) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return tpv.item_key(code, department, on_date, catalog.barcode_rules(node_id));
end $$;
comment on function catalog.item_key(integer, text, text, date) is
  'What was sold, as documents say it: a GTIN of 14 digits; R: with prefix and item digits of a '
  'restricted number, by the rule that held in that store on that day; else L:<department>:<code>.';

create or replace function catalog.find_product(node_id integer, department text, code text, on_date date) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  printed text := btrim(find_product.code);
  digits text;
  product uuid;
begin
  select p.product_id into product
    from catalog.barcode b join catalog.product p on p.product_id = b.product_id and not p.deleted
   where b.gtin14 = tpv.gtin14(printed) and not b.deleted;
  if product is not null then
    return product;
  end if;
  digits := tpv.item_digits(find_product.code, find_product.department, find_product.on_date,
                            catalog.barcode_rules(find_product.node_id));
  -- A scale pads the number of an item with zeros. What is in the catalog as it is printed goes
  -- first.
  select p.product_id into product
    from (values (1, digits), (2, ltrim(digits, '0')), (3, printed)) as w (step, code)
    join catalog.local_code c on c.code = w.code and not c.deleted
     and (c.node_id is null or c.node_id = find_product.node_id)
     and (c.department_code is null or c.department_code = find_product.department)
    join catalog.product p on p.product_id = c.product_id and not p.deleted
   order by w.step = 3, c.department_code is null, c.node_id is null, w.step
   limit 1;
  return product;
end $$;
comment on function catalog.find_product(integer, text, text, date) is
  'The product that a code means at a department of a store on a day; null when nobody knows. First as '
  'a GTIN; then by the item digits of a restricted number; then as a local code, of the department, '
  'else of the store, else of the chain.';
grant execute on function catalog.item_key(integer, text, text, date), catalog.find_product(integer, text, text, date)
  to tpv_operator, tpv_analyst;
