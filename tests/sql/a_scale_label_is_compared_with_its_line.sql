-- A label of the scale that says another price or weight than its line is flagged LABEL_MISMATCH;
-- the line's price is charged.

\ir prelude/store.sql

insert into catalog.barcode_rule (name, priority, prefix, length, kind, item_start, item_length, value_start,
    value_length, decimals,
    department_code, inner_check)
values ('price label', 10, '21', 13, 'price', 3, 5, 8, 5, 2, null, 'none'),
    ('weight label', 10, '22', 13, 'weight', 3, 5, 8, 5, 3, '02', 'none'),
    ('price label with a digit', 10, '23', 13, 'price', 3, 4, 8, 5, 2, null, 'price5');

create function test.label(body text) returns text language sql as $$ select body || tpv.gtin_check_digit(body) $$;

do $$
declare
    answer record;
begin
    select * into answer from test.take(test.receipt('1',
        jsonb_build_array(test.item(5.40, 1, barcode => test.label('211234500450')))));
    assert answer.outcome = 'accepted'
        and answer.flags = '{LABEL_MISMATCH}'
        and answer.code is null, 'a label of 4.50 on a line of 5.40';
    assert (select total from sales.receipt where receipt_id = answer.receipt_id) = 5.40
        and substring(answer.dat from 34 for 8) = '00000540', 'the line''s price is charged';
    select * into answer from test.take(test.receipt('2',
        jsonb_build_array(test.item(9.00, 0.5, barcode => test.label('211234500450')))));
    assert answer.outcome = 'accepted' and answer.flags = '{}', 'a label of 4.50 on half a kilo at 9.00 is right';

    select * into answer from test.take(test.receipt('3',
        jsonb_build_array(test.item(9.00, 0.5, barcode => test.label('221234500450'))),
        terminal => 'T02'), 'T02');
    perform test.equal(answer.flags, '{LABEL_MISMATCH}', 'a label of 450 g on a line of 500 g');
    select * into answer from test.take(test.receipt('4',
        jsonb_build_array(test.item(9.00, 0.5, barcode => test.label('221234500450')))));
    perform test.equal(answer.flags, '{}', 'the rule holds in its department only');

    select * into answer from test.take(test.receipt('5',
        jsonb_build_array(test.item(146.85, 1, barcode => test.label('231234614685')))));
    perform test.equal(answer.flags, '{}', '14685 has the inner digit 6');
    select * into answer from test.take(test.receipt('6',
        jsonb_build_array(test.item(146.85, 1, barcode => test.label('231234514685')))));
    perform test.equal(answer.flags, '{CHECK_DIGIT}', 'and not 5');
end
$$;
