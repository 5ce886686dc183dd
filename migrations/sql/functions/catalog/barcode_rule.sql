create or replace function catalog.rule_as_json(r catalog.barcode_rule) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'name', r.name, 'priority', r.priority, 'prefix', r.prefix, 'length', r.length, 'kind', r.kind,
    'item', case when r.item_start is not null then jsonb_build_object('start', r.item_start, 'length', r.item_length) end,
    'value', case when r.value_start is not null then jsonb_build_object('start', r.value_start, 'length', r.value_length) end,
    'decimals', r.decimals, 'inner_check', r.inner_check, 'inner_check_position', r.inner_check_position,
    'department', r.department_code, 'valid_from', r.valid_from, 'valid_to', r.valid_to));
end $$;
comment on function catalog.rule_as_json(catalog.barcode_rule) is
  'The rule as tpv.barcode_decode reads it.';

create or replace function catalog.check_rule() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Raises 22023 with every fault: a bad rule must not get as far as a receipt.
  perform tpv.barcode_decode('0', jsonb_build_array(catalog.rule_as_json(new)));
  return new;
end $$;
comment on function catalog.check_rule() is 'Refuses a barcode rule with faults.';

create or replace function catalog.barcode_rules(node_id integer) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(catalog.rule_as_json(r) order by r.priority, r.name), '[]')
      from catalog.barcode_rule r
     where (r.node_id is null or r.node_id = barcode_rules.node_id) and not r.deleted);
end $$;
comment on function catalog.barcode_rules(integer) is
  'The rules that hold in a store, as tpv.barcode_decode reads them.';
