create or replace function catalog.price_at(product_id uuid, node_id integer, at timestamptz default now()) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  -- The store's own, then the chain's: of each the last that has begun. A null of the store's
  -- leaves it to the chain's.
  return (
    select coalesce(
      (select p.price from catalog.price p
        where p.product_id = price_at.product_id and p.node_id = price_at.node_id and p.valid_from <= price_at.at and not p.deleted
        order by p.valid_from desc, p.price_id desc limit 1),
      (select p.price from catalog.price p
        where p.product_id = price_at.product_id and p.node_id is null and p.valid_from <= price_at.at and not p.deleted
        order by p.valid_from desc, p.price_id desc limit 1))
     where exists (select from catalog.product t where t.product_id = price_at.product_id and not t.deleted));
end $$;
comment on function catalog.price_at(uuid, integer, timestamptz) is
  'The price of a product in a store at a moment: the store''s own, else the chain''s; null when there '
  'is none. A price holds until the next valid_from; of two with one valid_from the greater key.';
grant execute on function catalog.price_at(uuid, integer, timestamptz) to tpv_operator, tpv_analyst;
