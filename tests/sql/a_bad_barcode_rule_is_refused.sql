-- A barcode rule with faults is refused when it is saved, so that it never meets a receipt.

\ir prelude/store.sql

do $$
declare
    try record;
begin
    for try in select * from (values
        ('a prefix of letters', 'length, kind', $q$'2A', 13, 'ticket'$q$),
        ('a length of nothing', 'length, kind', $q$'21', 0, 'ticket'$q$),
        ('a kind of its own', 'length, kind', $q$'21', 13, 'gift'$q$),
        ('a price that is nowhere', 'length, kind', $q$'21', 13, 'price'$q$),
        ('a value beyond the end', 'length, kind, value_start, value_length', $q$'21', 13, 'price', 10, 5$q$),
        ('a value without a length', 'length, kind, value_start', $q$'21', 13, 'price', 8$q$),
        ('days in reverse', 'length, kind, valid_from, valid_to', $q$'21', 13, 'ticket', '2026-02-01', '2026-01-01'$q$),
        ('a check over too few digits', 'length, kind, value_start, value_length, inner_check',
            $q$'21', 13, 'price', 8, 5, 'price4'$q$)
    ) as t (what, columns, given) loop
        perform test.refused(format($q$insert into catalog.barcode_rule (name, prefix, %s) values ('x', %s)$q$,
            try.columns, try.given), '22023', what => try.what);
    end loop;
    insert into catalog.barcode_rule (name, prefix, length, kind, value_start, value_length, decimals)
    values ('good', '21', 13, 'price', 8, 5, 2);
    perform test.refused('update catalog.barcode_rule set value_length = 9',
        '22023', what => 'an update is checked, too');
    perform test.refused(
        $q$ insert into catalog.barcode_rule (name, prefix, length, kind) values ('good', '22', 13, 'ticket') $q$,
        '23505', what => 'a name is one rule''s');
    perform test.equal((select count(*) from catalog.barcode_rule), 1, 'only the good one is there');
    perform test.equal((select outcome from test.take(test.receipt('1'))), 'accepted', 'receipts go on');
end
$$;
