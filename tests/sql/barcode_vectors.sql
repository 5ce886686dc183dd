-- Barcodes are read as GS1 reads them, and in-store numbers as the rules declare.

\ir prelude/test.sql

do $$
declare
    vector record;
    scale jsonb := '[{"name": "scale price", "prefix": "21", "length": 13, "item": {"start": 3, "length": 5},
        "value": {"start": 8, "length": 5}, "kind": "price", "decimals": 2}]';
    price4 jsonb := '[{"prefix": "20", "length": 13, "item": {"start": 3, "length": 5},
        "value": {"start": 9, "length": 4}, "kind": "price", "decimals": 2,
        "inner_check": "price4", "inner_check_position": 8}]';
    price5 jsonb := '[{"prefix": "20", "length": 13, "item": {"start": 3, "length": 4},
        "value": {"start": 8, "length": 5}, "kind": "price", "decimals": 2,
        "inner_check": "price5", "inner_check_position": 7}]';
    code text;
    a jsonb;
begin
    for vector in
        select * from (values ('950110153100', '0'), ('9501234', '6'), ('400638133393', '1'), ('843600683605', '3'),
            ('211234501500', '2')) as t (digits, digit)
    loop
        perform test.equal(tpv.gtin_check_digit(vector.digits),
            vector.digit, format('%s has %s', vector.digits, vector.digit));
        perform test.equal(tpv.gtin14(vector.digits || vector.digit),
            lpad(vector.digits || vector.digit, 14, '0'), 'the canonical form has fourteen digits');
    end loop;
    assert tpv.gtin_check_digit('') is null and tpv.gtin_check_digit('12a') is null, 'no digits, no check digit';
    assert tpv.gtin14('9501101531001') is null
        and tpv.gtin14('4011') is null
        and tpv.gtin14('١٢٣٤٥٦٧٨') is null, 'a wrong check digit, a PLU and foreign digits are no GTIN';

    perform test.equal(tpv.barcode_decode('8436006836053', '[]'),
        '{"code": "8436006836053", "kind": "gtin", "gtin14": "08436006836053", "check_digit_ok": true}', 'a GTIN-13');
    perform test.equal(tpv.barcode_decode('4011', '[]'),
        '{"code": "4011", "kind": "plu", "gtin14": null, "check_digit_ok": null}', 'a PLU');
    perform test.equal(tpv.barcode_decode('8436006836054', '[]') ->> 'check_digit_ok',
        'false', 'a wrong check digit is found');

    a := tpv.barcode_decode('2112345015002', scale);
    assert a ->> 'rule' = 'scale price' and a ->> 'item' = '12345' and a ->> 'value' = '15.00' and
        a ->> 'kind' = 'restricted' and a ->> 'value_kind' = 'price', format('the rule reads item and price: %s', a);

    -- Inner check digits: 2875 has 9, 14685 has 6.
    code := '20' || '12345' || '9' || '2875';
    a := tpv.barcode_decode(code || tpv.gtin_check_digit(code), price4);
    assert a ->> 'value' = '28.75' and a ->> 'inner_check_ok' = 'true', format('four digits of price: %s', a);
    code := '20' || '1234' || '6' || '14685';
    a := tpv.barcode_decode(code || tpv.gtin_check_digit(code), price5);
    assert a ->> 'value' = '146.85' and a ->> 'inner_check_ok' = 'true', format('five digits of price: %s', a);
    code := '20' || '1234' || '7' || '14685';
    a := tpv.barcode_decode(code || tpv.gtin_check_digit(code), price5);
    assert a -> 'value' is null and a ->> 'inner_check_ok' = 'false', 'a wrong inner check digit gives no price';
end
$$;
