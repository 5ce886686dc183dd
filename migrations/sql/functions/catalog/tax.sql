create or replace function catalog.tax_rate_at(tax_id uuid, on_date date) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select r.rate from catalog.tax_rate r join catalog.tax t on t.tax_id = r.tax_id and not t.deleted
     where r.tax_id = tax_rate_at.tax_id and r.valid_from <= tax_rate_at.on_date and not r.deleted
     order by r.valid_from desc, r.tax_rate_id desc limit 1);
end $$;
comment on function catalog.tax_rate_at(uuid, date) is
  'The rate of a tax on a business day, in percent; null when it had none yet. A rate holds until the '
  'next valid_from; of two with one valid_from the greater key.';

create or replace function catalog.line_taxes(node_id integer, department text, codes text[], on_date date)
returns table (code text, rate numeric, source text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  rules jsonb := catalog.barcode_rules(line_taxes.node_id);
begin
  return query
  with c as materialized (
    select u.code, btrim(u.code) as printed, tpv.gtin14(btrim(u.code)) as gtin14,
           tpv.item_digits(u.code, line_taxes.department, line_taxes.on_date, rules) as digits
      from (select distinct u.code from unnest(line_taxes.codes) u (code)) u
  ), found as materialized (
    -- As catalog.find_product finds it.
    select c.code, coalesce(b.tax_id, l.tax_id) as tax_id
      from c
      left join lateral (
        select p.product_id, p.tax_id from catalog.barcode b join catalog.product p on p.product_id = b.product_id and not p.deleted
         where b.gtin14 = c.gtin14 and not b.deleted) b on true
      left join lateral (
        select p.tax_id
          from (values (1, c.digits), (2, ltrim(c.digits, '0')), (3, c.printed)) as w (step, code)
          join catalog.local_code o on o.code = w.code and not o.deleted
           and (o.node_id is null or o.node_id = line_taxes.node_id)
           and (o.department_code is null or o.department_code = line_taxes.department)
          join catalog.product p on p.product_id = o.product_id and not p.deleted
         order by w.step = 3, o.department_code is null, o.node_id is null, w.step
         limit 1) l on b.product_id is null
  ), taxed as materialized (
    select t.tax_id, catalog.tax_rate_at(t.tax_id, line_taxes.on_date) as rate
      from (select distinct f.tax_id from found f where f.tax_id is not null) t
  ), department as materialized (
    select catalog.tax_rate_at(d.tax_id, line_taxes.on_date) as rate
      from org.department d
     where d.node_id = line_taxes.node_id and d.code = line_taxes.department and not d.deleted
  )
  select f.code, coalesce(t.rate, d.rate),
         case when t.rate is not null then 'product' when d.rate is not null then 'department' else 'unknown' end
    from found f left join taxed t on t.tax_id = f.tax_id left join department d on true;
end $$;
comment on function catalog.line_taxes(integer, text, text[], date) is
  'The tax rates of codes that receipts of a department say no rate of, and who says them: product, else department, at their '
  'rate on that business day; else unknown, with no rate. Each code once. They are those of catalog.line_tax, which is for one line.';

create or replace function catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date)
returns table (rate numeric, source text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select t.rate, t.source
    from (
      select 1, line_tax.said, 'receipt'
      union all
      select 2, catalog.tax_rate_at(p.tax_id, line_tax.on_date), 'product'
        from catalog.product p
       where line_tax.said is null
         and p.product_id = catalog.find_product(line_tax.node_id, line_tax.department, line_tax.code, line_tax.on_date)
      union all
      select 3, catalog.tax_rate_at(d.tax_id, line_tax.on_date), 'department'
        from org.department d
       where line_tax.said is null and d.node_id = line_tax.node_id and d.code = line_tax.department and not d.deleted
      union all
      select 4, null, 'unknown'
    ) as t (step, rate, source)
   where t.rate is not null or t.source = 'unknown'
   order by t.step limit 1;
end $$;
comment on function catalog.line_tax(integer, text, text, numeric, date) is
  'The tax rate of a line, and who says so: receipt (said, what was printed), else product, else '
  'department, at their rate on that business day; else unknown, with no rate.';
grant execute on function catalog.tax_rate_at(uuid, date), catalog.line_tax(integer, text, text, numeric, date),
                          catalog.line_taxes(integer, text, text[], date)
  to tpv_operator, tpv_analyst;
