-- A line taken back is accepted where the layout has a place for its sign, and held SIGN_UNDEFINED
-- where it has none.

\ir prelude/store.sql

do $$
declare
    items jsonb := jsonb_build_array(test.item(3, 2), test.item(3, -1));
    answer record;
begin
    select * into answer from test.take(test.receipt('1', items));
    assert answer.outcome = 'held'
        and answer.code = 'SIGN_UNDEFINED'
        and answer.pointer = '/items/1/quantity'
        and answer.dat is null, 'the legacy layout has no sign';
    assert (select total from sales.receipt where receipt_id = answer.receipt_id) = 3.00
        and (select array_agg(quantity order by line_number) from sales.receipt_line
        where receipt_id = answer.receipt_id) = '{2,-1}', 'the receipt itself is stored as it is';

    set local client_min_messages = error;
    perform dat.save_profile('{"fields": [{"name": "quantity", "type": "quantity", "decimals": 3, "length": 8,
        "align": "right", "pad": "0", "sign": "leading"}]}');
    select * into answer from test.take(test.receipt('2', items));
    assert answer.outcome = 'accepted'
        and convert_from(answer.dat, 'UTF8') = E'00002000\r\n-0001000', 'the profile decides the sign';
end
$$;
