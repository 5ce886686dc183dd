-- A barcode rule with faults is refused when it is saved, so that it never meets a receipt.

\ir prelude/store.sql

do $$
declare
    refusal record;
begin
    for refusal in select s.what, r.* from (values
        ('a prefix of letters', $q$ insert into catalog.barcode_rule (name, prefix, length, kind) values ('x', '2A', 13, 'ticket') $q$),
        ('a length of nothing', $q$ insert into catalog.barcode_rule (name, prefix, length, kind) values ('x', '21', 0, 'ticket') $q$),
        ('a kind of its own', $q$ insert into catalog.barcode_rule (name, prefix, length, kind) values ('x', '21', 13, 'gift') $q$),
        ('a price that is nowhere', $q$ insert into catalog.barcode_rule (name, prefix, length, kind) values ('x', '21', 13, 'price') $q$),
        ('a value beyond the end', $q$ insert into catalog.barcode_rule (name, prefix, length, kind, value_start, value_length) values ('x', '21', 13, 'price', 10, 5) $q$),
        ('a value without a length', $q$ insert into catalog.barcode_rule (name, prefix, length, kind, value_start) values ('x', '21', 13, 'price', 8) $q$),
        ('days in reverse', $q$ insert into catalog.barcode_rule (name, prefix, length, kind, valid_from, valid_to) values ('x', '21', 13, 'ticket', '2026-02-01', '2026-01-01') $q$),
        ('a check over too few digits', $q$ insert into catalog.barcode_rule (name, prefix, length, kind, value_start, value_length, inner_check) values ('x', '21', 13, 'price', 8, 5, 'price4') $q$)
    ) as s (what, statement), test.refusal(s.statement) as r
    loop
        assert refusal.state = '22023', format('%s: %s %s', refusal.what, refusal.state, refusal.message);
    end loop;
    insert into catalog.barcode_rule (name, prefix, length, kind, value_start, value_length, decimals) values ('good', '21', 13, 'price', 8, 5, 2);
    assert (select state from test.refusal('update catalog.barcode_rule set value_length = 9')) = '22023', 'an update is checked, too';
    assert (select state from test.refusal($q$ insert into catalog.barcode_rule (name, prefix, length, kind) values ('good', '22', 13, 'ticket') $q$)) = '23505', 'a name is one rule''s';
    assert (select count(*) from catalog.barcode_rule) = 1 and (select outcome from test.take(test.receipt('1'))) = 'accepted', 'receipts go on';
end
$$;
