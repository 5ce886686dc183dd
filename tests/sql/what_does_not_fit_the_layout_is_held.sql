-- A value too wide or too fine for its field is held; it is never cut, and the line never gets wider.

\ir prelude/store.sql

do $$
declare
    answer record;
begin
    set local client_min_messages = error;
    perform dat.save_profile('{"fields": [{"name": "price", "type": "price", "length": 6, "align": "right",
        "pad": "0"}]}', '01');
    select * into answer from test.take(test.receipt('1', jsonb_build_array(test.item(1), test.item(12345.67))));
    assert answer.outcome = 'held'
        and answer.code = 'FIELD_OVERFLOW'
        and answer.pointer = '/items/1/price'
        and answer.dat is null, '12,345.67 in six digits';
    perform test.equal((select dat from test.take(test.receipt('2', jsonb_build_array(test.item(1234.56))))),
        '123456'::bytea, 'what fits is published');

    select * into answer from test.take(test.receipt('3', jsonb_build_array(test.item(2, 0.4555)), 0.91, 'T02'), 'T02');
    assert answer.outcome = 'held'
        and answer.code = 'QUANTITY_SCALE'
        and answer.pointer = '/items/0/quantity', 'a quantity of four decimals';
    assert (select quantity is null and total = 0.91 from sales.receipt_line where receipt_id = answer.receipt_id),
        'a column of three decimals does not pretend';
    perform test.equal((select body::jsonb #>> '{items,0,quantity}' from wire.doc where doc_id = answer.receipt_id
        and kind = 'receipt'), '0.4555', 'the document keeps it');
    perform test.equal((select array_agg(e ->> 'code') from wire.doc,
        jsonb_array_elements(body::jsonb -> 'holds') as e
        where kind = 'intake' and (body::jsonb ->> 'about')::uuid = answer.receipt_id),
        '{QUANTITY_SCALE}', 'one place is reported once');

    select * into answer from test.take(test.receipt('4', jsonb_build_array(test.item(0.01, 15000)),
        terminal => 'T02'), 'T02');
    assert answer.outcome = 'held'
        and answer.code = 'FIELD_OVERFLOW'
        and answer.pointer = '/items/0/quantity', '15,000 kg in seven digits';
    assert not exists (select from dat.file where terminal = 'T02'), 'nothing of it is published';
end
$$;
