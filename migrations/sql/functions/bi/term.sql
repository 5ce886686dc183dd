-- What a word means in every view. A comment that is already there stands: it says what is different in that view.
do $$
declare
  col record;
begin
  for col in
    select a.attrelid::regclass as view_name, a.attname, t.meaning
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid and c.relnamespace = 'bi'::regnamespace and c.relkind = 'v'
      left join (values
        ('node_id', 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.'),
        ('store', 'Code of the store, such as S01.'),
        ('business_date', 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.'),
        ('department', 'Code of the department.'),
        ('terminal', 'Code of the terminal.'),
        ('concessionaire_id', 'Key of the concessionaire; null for a department that the store runs itself.'),
        ('concessionaire', 'Registered name of the concessionaire; null for a department that the store runs itself.'),
        ('timezone', 'IANA time zone of the store''s clocks.'),
        ('cutoff_hour', 'Sales before this hour of the store''s wall clock belong to the business day before.'),
        ('currency', 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.'),
        ('tax_code', 'Short name of the tax.'),
        ('product_id', 'The product in the catalog now; null where it does not know the item.'),
        ('sku', 'The chain''s own number of the product now.'),
        ('item', 'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number (scale labels of all weights are one item); '
                 'else L:<department>:<code>. A GTIN is the same everywhere; what R: and L: mean is a matter of the store, so group them by node_id too.'),
        ('barcode', 'The code on the line, as it was given.'),
        ('gtin14', 'Its 14-digit form when it is a GTIN with a right check digit; else null.'),
        ('description', 'As the receipt says.'),
        ('receipt_id', 'Key of the receipt, together with node_id.'),
        ('series', 'Series of the ticket; empty when there is none.'),
        ('receipt_number', 'Number as printed. It is unique for a terminal and day only.'),
        ('line_number', 'Place on the receipt, from 1.'),
        ('printed_at', 'The instant it was printed.'),
        ('printed_local', 'The time it was printed on the store''s wall clock.'),
        ('recorded_at', 'When the store''s database received it.'),
        ('waited_seconds', 'Whole seconds from print to the store''s database; 0 where the terminal''s clock is ahead.'),
        ('state', 'accepted; held: waits for a person; released: was held, and a person let it count; voided, also the ticket that undid '
                  'another.'),
        ('counts', 'Whether it is a sale: accepted or released.'),
        ('was_held', 'Whether it was held when it came.'),
        ('hold_code', 'Why it was held, a stable code (docs/codes.md); null when it was not.'),
        ('is_late', 'Whether its day was closed when it came. It counts all the same.'),
        ('flags', 'Codes of what was odd and no reason to hold it: LATE, ROUNDING, CHECK_DIGIT … (docs/codes.md).'),
        ('lines_total', 'Sum of the lines with tax. Sales are made of it.'),
        ('total_difference', 'total - lines_total: what the slip says beyond its lines.'),
        ('hour', 'Hour of the store''s wall clock when it was printed, 0 to 23.'),
        ('tickets', 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. '
                    'Whether they were paid at a till is not known.'),
        ('accepted', 'Receipts that count and never waited.'),
        ('released', 'Receipts that count, after a person released them.'),
        ('held', 'Receipts that wait for a person. They are in no amount.'),
        ('voided', 'Receipts that are voided, with the tickets that undid others. They are in no amount.'),
        ('late', 'Receipts that came after their day was closed, in whatever state.'),
        ('held_total', 'Sum of the printed totals of those that are held, with tax.'),
        ('voided_total', 'Sum of the printed totals of those that are voided, with tax.'),
        ('lines', 'Lines of receipts that count.'),
        ('units', 'Pieces; a weighed line is one. What was taken back counts below zero.'),
        ('sold', 'Sum of the quantities above zero, in the unit of the item: pieces, kilograms or litres (bi.product.unit).'),
        ('returned', 'Sum of the quantities below zero, as a number above it.'),
        ('quantity', 'sold - returned, in the unit of the item: pieces, kilograms or litres (bi.product.unit).'),
        ('gross', 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.'),
        ('net', 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each '
                'receipt and rate, half away from zero to cents.'),
        ('tax', 'Tax in the amount.'),
        ('guessed_tax', 'The part of tax that is guessed: the receipts do not say its rate, and the catalog does (tax_source product or department).'),
        ('without_rate', 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.'),
        ('tax_rate', 'Percent; null when nobody says it.'),
        ('tax_source', 'Who says the rate. receipt: it was printed. product, department: guessed by the catalog, at the business day. unknown: nobody.'),
        ('average_ticket', 'gross / tickets, rounded to cents; null without tickets. Over several rows divide the sums instead.'),
        ('units_per_ticket', 'units / tickets, rounded to two decimals; null without tickets. Over several rows divide the sums instead.'),
        ('is_closed', 'Whether the store has closed the day. Receipts that come later still count, and are late.'),
        ('is_complete', 'Whether complete_until is past the end of the day: no receipt is missing that reached the store''s database in time. false '
                        'also when complete_until is not known.'),
        ('complete_until', 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not '
                           'come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.')
      ) as t (column_name, meaning) on t.column_name = a.attname
     where a.attnum > 0 and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is null
     order by c.relname, a.attnum
  loop
    if col.meaning is null then
      raise exception 'column % of % has no comment', col.attname, col.view_name;
    end if;
    execute format('comment on column %s.%I is %L', col.view_name, col.attname, col.meaning);
  end loop;
end $$;
grant select on all tables in schema bi to tpv_analyst;
