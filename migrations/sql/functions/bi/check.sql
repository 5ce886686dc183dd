create or replace view bi.price_check as
  select r.node_id, s.store, r.business_date, r.department, r.terminal, r.receipt_id, r.receipt_number, r.printed_at, l.line_number, l.barcode,
         l.description, p.product_id, l.quantity, l.price, c.price as catalog_price, l.price - c.price as price_difference,
         round((l.price - c.price) * l.quantity, 2) as amount_difference, s.currency
    from sales.receipt r
    join sales.receipt_line l on l.node_id = r.node_id and l.receipt_id = r.receipt_id and l.business_date = r.business_date
    join bi.store s on s.node_id = r.node_id
    left join catalog.barcode b on b.gtin14 = l.gtin14 and not b.deleted
    left join catalog.product bp on bp.product_id = b.product_id and not bp.deleted
   -- As catalog.find_product answers, without a call for each line: the barcode, else the item digits of a restricted number,
   -- else a local code.
   cross join lateral (
     select coalesce(bp.product_id, (
       select lp.product_id
         from (select (select substr(btrim(l.barcode), u.item_start, u.item_length)
                         from catalog.barcode_rule u
                        where u.length = length(btrim(l.barcode)) and starts_with(btrim(l.barcode), u.prefix)
                          and btrim(l.barcode) ~ '^[0-9]+$' and not u.deleted
                          and (u.node_id is null or u.node_id = l.node_id)
                          and (u.department_code is null or u.department_code = r.department)
                          and (u.valid_from is null or u.valid_from <= l.business_date)
                          and (u.valid_to is null or l.business_date <= u.valid_to)
                        order by u.priority, u.name limit 1) as digits) d
        cross join lateral (values (1, d.digits), (2, ltrim(d.digits, '0')), (3, btrim(l.barcode))) as w (step, code)
         join catalog.local_code c on c.code = w.code and not c.deleted
          and (c.node_id is null or c.node_id = l.node_id)
          and (c.department_code is null or c.department_code = r.department)
         join catalog.product lp on lp.product_id = c.product_id and not lp.deleted
        order by w.step = 3, c.department_code is null, c.node_id is null, w.step
        limit 1)) as product_id
     offset 0) p
   -- As catalog.price_at answers, without a call for each line.
   cross join lateral (
     select coalesce(
       (select q.price from catalog.price q
         where q.product_id = p.product_id and q.node_id = l.node_id and q.valid_from <= r.printed_at and not q.deleted
         order by q.valid_from desc, q.price_id desc limit 1),
       (select q.price from catalog.price q
         where q.product_id = p.product_id and q.node_id is null and q.valid_from <= r.printed_at and not q.deleted
         order by q.valid_from desc, q.price_id desc limit 1)) as price) c
   where r.state in ('accepted', 'released') and l.price <> c.price;
comment on view bi.price_check is
  'Lines that were sold at another price than the catalog''s. Grain: a line of a receipt that counts. Ask for a store and a few '
  'days: each line is compared when somebody reads. Lines whose product or price the catalog does not know are not here.';
comment on column bi.price_check.quantity is 'Pieces or kilograms; below zero when taken back.';
comment on column bi.price_check.price is 'Unit price with tax, as on the receipt.';
comment on column bi.price_check.catalog_price is
  'Unit price with tax that held in the store when the receipt was printed, as the catalog says now.';
comment on column bi.price_check.price_difference is 'price - catalog_price.';
comment on column bi.price_check.amount_difference is
  'price_difference × quantity, rounded to cents: above zero when the customer paid more than the catalog says.';

create or replace view bi.total_check as
  select r.node_id, s.store, r.business_date, r.department, r.terminal, r.receipt_id, r.receipt_number, r.printed_at, r.state,
         r.total, r.lines_total, r.total_difference, 'ROUNDING' = any (r.flags) as is_rounding, s.currency
    from sales.receipt r
    join bi.store s on s.node_id = r.node_id
   where r.state in ('accepted', 'released') and r.total_difference <> 0;
comment on view bi.total_check is
  'Receipts that the checkout charges otherwise than the slip says: it charges the lines. Grain: a receipt that counts. Filter '
  'by business_date.';
comment on column bi.total_check.total is 'Printed total with tax: what the customer saw.';
comment on column bi.total_check.lines_total is 'Sum of the lines with tax: what the checkout charges, and what sales count.';
comment on column bi.total_check.is_rounding is
  'Whether weighed lines or the tolerance of the terminal explain it. Else a person released the receipt as it is.';

create or replace view bi.number_gap as
  select g.node_id, s.store, g.business_date, g.terminal, g.series, g.after_number, g.before_number,
         g.before_number - g.after_number - 1 as missing, u.complete_until
    from (
      -- A number that stands twice follows itself.
      select r.node_id, r.business_date, r.terminal, r.series, r.receipt_number::bigint as before_number,
             lag(r.receipt_number::bigint) over (partition by r.node_id, r.business_date, r.terminal, r.series
                                                 order by r.receipt_number::bigint) as after_number
        from (select n.node_id, n.business_date, n.terminal, n.series,
                     case when n.receipt_number ~ '^[0-9]{1,18}$' then n.receipt_number end as receipt_number
                from sales.receipt n) r
       where r.receipt_number is not null) g
    join bi.store s on s.node_id = g.node_id
    left join rollup.until u on u.node_id = g.node_id
   where g.before_number > g.after_number + 1;
comment on view bi.number_gap is
  'Numbers that a terminal left out within a business day. Grain: a gap in the numbers of a store, a business day, a terminal and a '
  'series. Filter by business_date. Receipts in all states have a number, voided and held ones too. Numbers that are not '
  'made of digits, and gaps between one day and the next, are not looked at. Once complete_until is past '
  'the end of the day, a gap stays until a late file fills it; before that its receipt may be on its way. Terminals number '
  'themselves, and a number may never have been printed; a refused file leaves a gap, too.';
comment on column bi.number_gap.after_number is 'The last number before the gap.';
comment on column bi.number_gap.before_number is 'The first number behind it.';
comment on column bi.number_gap.missing is 'How many numbers are missing between them.';

-- A barrier, so that no condition of a reader sees a value that is not shown.
create or replace view bi.conflict with (security_barrier = true) as
  select c.table_name, c.key, c.column_name, c.node_id, n.node_code as node, to_timestamp((c.hlc >> 16) / 1000.0) as written_at,
         case when c.table_name ~ '^catalog\.' or c.table_name in ('org.department', 'org.legal_entity', 'org.store', 'org.terminal')
              then c.value end as value,
         c.chosen as is_shown, c.review as needs_review, c.found_at
    from sync.sibling c
    left join org.node n on n.node_id = c.node_id
   where c.table_name !~ '^sec\.';
comment on view bi.conflict is
  'Open conflicts: values of one column of one row that were written at the same time. Grain: a value. All values of a conflict '
  'have the same table_name, key and column_name. Values of customers and employees are not shown, and rows about who may what '
  'are not here.';
comment on column bi.conflict.table_name is 'The table.';
comment on column bi.conflict.key is 'The key of the row.';
comment on column bi.conflict.column_name is 'The column, or the group of columns.';
comment on column bi.conflict.node_id is 'Number of the node that wrote the value.';
comment on column bi.conflict.node is 'Code of that node; null when it is not known here.';
comment on column bi.conflict.written_at is 'When it was written, by that node''s clock.';
comment on column bi.conflict.value is 'The value, of tables of the catalog and of places; else null.';
comment on column bi.conflict.is_shown is 'Whether the row has this value for now.';
comment on column bi.conflict.needs_review is 'Whether a person should look at it.';
comment on column bi.conflict.found_at is 'When this database noticed.';
