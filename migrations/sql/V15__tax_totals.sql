-- Purpose: totals by tax rate are worked out from the lines when somebody asks. As a table they cost a
--          twentieth of the time to take a receipt in, and held nothing that the lines do not.
-- Limits:  who reads a year by rate reads its lines.
-- Undo:    a table of these columns, filled from this view, for an extension that writes it.

drop table sales.receipt_tax;
create view sales.receipt_tax with (security_invoker = true) as
  select t.node_id, t.receipt_id, t.business_date, t.tax_rate, t.total, t.net, t.total - t.net as tax
    from (
      select l.node_id, l.receipt_id, l.business_date, l.tax_rate, sum(l.total) as total,
             round(sum(l.total) * 100 / (100 + l.tax_rate), 2) as net
        from sales.receipt_line l
       group by l.node_id, l.receipt_id, l.business_date, l.tax_rate
    ) t;
comment on view sales.receipt_tax is
  'Receipts by tax rate. Prices hold the tax, so the net amount is what is rounded, once for each rate: the totals of a receipt''s rows add up to its lines_total.';
comment on column sales.receipt_tax.node_id is 'The store''s node.';
comment on column sales.receipt_tax.receipt_id is 'The receipt.';
comment on column sales.receipt_tax.business_date is 'Business date of the receipt.';
comment on column sales.receipt_tax.tax_rate is 'Percent; null when the terminal did not say.';
comment on column sales.receipt_tax.total is 'Sum of the lines at that rate, with tax.';
comment on column sales.receipt_tax.net is 'total without tax, rounded half away from zero; null when the rate is not known.';
comment on column sales.receipt_tax.tax is 'total - net.';
grant select on sales.receipt_tax to tpv_operator, tpv_analyst;
