create or replace function rollup.note_guess() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before record;
begin
  before := case when tg_op = 'UPDATE' then old else new end;
  case tg_table_name
    when 'product' then
      insert into rollup.guess_due (what, code)
      select 'code', b.gtin14 from catalog.barcode b where b.product_id = new.product_id
      union
      select 'code', l.code from catalog.local_code l where l.product_id = new.product_id;
    when 'barcode' then
      insert into rollup.guess_due (what, code) select distinct 'code', c from unnest(array[before.gtin14, new.gtin14]) c;
    when 'local_code' then
      insert into rollup.guess_due (what, code) select distinct 'code', c from unnest(array[before.code, new.code]) c;
    when 'department' then
      insert into rollup.guess_due (what, node_id, department)
      values ('department', before.node_id, before.code), ('department', new.node_id, new.code);
    when 'barcode_rule' then
      insert into rollup.guess_due (what, node_id) values ('rules', before.node_id), ('rules', new.node_id);
    when 'tax_rate' then
      -- No business day is of the future.
      if least(before.valid_from, new.valid_from) <= current_date + 1 then
        insert into rollup.guess_due (what) values ('all');
      end if;
    else
      insert into rollup.guess_due (what) values ('all');
  end case;
  return null;
end $$;
comment on function rollup.note_guess() is
  'Trigger of what guesses of tax rates follow from: notes for the fold what is concerned.';
