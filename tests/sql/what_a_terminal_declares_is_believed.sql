-- A code page, decimal commas, more decimals and barcodes as numbers are read where the terminal
-- declares them.

\ir prelude/store.sql

set client_min_messages = error;
set role tpv_owner;
select org.register_terminal('T01', '01', '{"encoding": "windows-1252"}'),
    org.register_terminal('T02', '02', '{"decimal_comma": true}'),
    org.register_terminal('T03', '03', '{"price_decimals": 3}'),
        org.register_terminal('T04', '04', '{"numeric_barcode": true}'),
    org.register_terminal('T05', '01', '{"encoding": "cp850"}') \g /dev/null
reset role;

do $$
declare
    answer record;
begin
    select * into answer from test.take(convert_to(replace(convert_from(test.receipt('1'), 'UTF8'), 'PAN', 'JAMÓN'),
        'WIN1252'));
    assert answer.outcome = 'accepted' and answer.dat = test.line('JAMÓN'), 'code page 1252';
    perform test.equal((select description from sales.receipt_line where receipt_id = answer.receipt_id),
        'JAMÓN', 'it is stored as text');

    select * into answer from test.take(convert_to(split_part(convert_from(test.receipt('2', terminal => 'T05'),
        'UTF8'), 'PAN', 1), 'UTF8')
        || 'JAM'::bytea || '\xe0'::bytea || 'N'::bytea
        || convert_to(split_part(convert_from(test.receipt('2', terminal => 'T05'), 'UTF8'), 'PAN', 2), 'UTF8'), 'T05');
    assert answer.outcome = 'accepted' and answer.dat = test.line('JAMÓN'), 'code page 850, in which Ó is E0';

    select * into answer from test.take(test.file(test.tree('3', terminal => 'T02')
        || '{"items": [{"barcode": "8436006836053", "description": "PAN", "price": "12,50", "quantity": "2"}],
             "total": "25,00"}'), 'T02');
    perform test.equal(answer.outcome, 'accepted', 'decimal commas');
    perform test.equal((select total from sales.receipt where receipt_id = answer.receipt_id),
        25.00, 'they are numbers');
    select * into answer from test.take(test.file(test.tree('4', terminal => 'T02')
        || '{"items": [{"barcode": "8436006836053", "description": "PAN", "price": "1.234", "quantity": "2"}],
             "total": "25,00"}'), 'T02');
    assert answer.code = 'TYPE' and answer.pointer = '/items/0/price', 'thousands are not guessed at';

    select * into answer from test.take(test.receipt('5', jsonb_build_array(test.item(1.005)), 1.01, 'T03'), 'T03');
    assert answer.outcome = 'accepted' and answer.flags = '{}', 'three decimals';
    perform test.equal(substring(answer.dat from 34 for 8),
        '00000101', 'round(1.005 × 100) is 101; a float says 100');
    perform test.equal((select price from sales.receipt_line where receipt_id = answer.receipt_id),
        1.005, 'the price keeps its decimals');

    select * into answer from test.take(convert_to(replace(convert_from(test.receipt('6', terminal => 'T04'), 'UTF8'),
        '"8436006836053"', '8436006836053'), 'UTF8'), 'T04');
    perform test.equal(answer.outcome, 'accepted', 'barcodes as numbers');
    perform test.equal((select concat_ws(' ', barcode, gtin14) from sales.receipt_line
        where receipt_id = answer.receipt_id),
        '8436006836053 08436006836053', 'they are text from then on');
end
$$;
