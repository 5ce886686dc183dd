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
grant execute on function catalog.tax_rate_at(uuid, date), catalog.line_tax(integer, text, text, numeric, date)
  to tpv_operator, tpv_analyst;
