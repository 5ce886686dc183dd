create or replace view bi.receipt as
  select r.node_id, s.store, r.business_date, r.department, r.terminal, r.receipt_id, r.series, r.receipt_number, r.printed_at,
         r.printed_local, r.recorded_at,
         greatest(floor(extract(epoch from r.recorded_at - r.printed_at)), 0)::bigint as waited_seconds,
         r.state, r.state in ('accepted', 'released') as counts, r.first_outcome = 'held' as was_held, r.hold_code,
         'LATE' = any (r.flags) as is_late, r.flags, r.line_count::bigint as lines, r.total, r.lines_total, r.total_difference
    from sales.receipt r
    join bi.store s on s.node_id = r.node_id;
comment on view bi.receipt is
  'Fact: receipts of departments in all states. Grain: a receipt. Filter by business_date, or by receipt_id with node_id. '
  'Sums of sales take those where counts is true; the answers bi.sales_by_… do it already.';
comment on column bi.receipt.lines is 'Number of its lines.';
comment on column bi.receipt.total is 'Printed total with tax: what the customer saw.';

create or replace view bi.sale_line as
  select l.node_id, s.store, l.business_date, r.department, r.terminal, l.receipt_id, r.receipt_number, r.printed_at, l.line_number,
         catalog.item_key(l.node_id, r.department, l.barcode, l.business_date) as item, l.barcode, l.gtin14, l.description, l.price,
         l.quantity, l.total as gross,
         case when l.tax_rate is not null then l.tax_rate
              else (select t.rate from catalog.line_tax(l.node_id, r.department, l.barcode, l.tax_rate, l.business_date) t)
         end::numeric(5,2) as tax_rate,
         case when l.tax_rate is not null then 'receipt'
              else (select t.source from catalog.line_tax(l.node_id, r.department, l.barcode, l.tax_rate, l.business_date) t)
         end as tax_source,
         r.state, r.state in ('accepted', 'released') as counts
    from sales.receipt r
    join sales.receipt_line l on l.node_id = r.node_id and l.receipt_id = r.receipt_id and l.business_date = r.business_date
    join bi.store s on s.node_id = r.node_id;
comment on view bi.sale_line is
  'Fact: lines of receipts in all states. Grain: a line. Ask for a receipt, or for a store and a few days: item and guessed tax '
  'rates are looked up line by line. Sums over longer times are in bi.sales_by_item. Without tax there is no amount of a line: '
  'it is rounded for a receipt and rate (bi.tax_by_day).';
comment on column bi.sale_line.price is 'Unit price with tax, as on the receipt.';
comment on column bi.sale_line.quantity is 'Pieces or kilograms; below zero when taken back.';
comment on column bi.sale_line.gross is 'Amount of the line with tax: price × quantity, rounded half away from zero to cents.';
comment on column bi.sale_line.state is 'State of its receipt: accepted, held, released or voided.';
