-- What cannot be written as a .dat is an error with its own SQLSTATE, and a detail that says where.

\ir prelude/test.sql

do $$
declare
    expected record;
begin
    for expected in
        select * from (values
            ('22001', 'FIELD_OVERFLOW', '/items/0/x', '"type": "price", "length": 6', '12345.67'),
            ('22001', 'QUANTITY_SCALE', '/items/0/x', '"type": "quantity", "decimals": 3, "length": 7', '0.4555'),
            ('22023', 'SIGN_UNDEFINED', '/items/0/x', '"type": "quantity", "decimals": 3, "length": 7', '-1'),
            ('22023', 'WRONG_TYPE', '/items/0/x', '"type": "price", "length": 6', '"four"'),
            ('22004', 'MISSING_FIELD', '/items/0/x', '"length": 6', 'null'),
            ('22007', 'BAD_DATE', '/items/0/x', '"format": "ddMMyy", "length": 6', '"31/12/2026"')
        ) as t (state, code, pointer, field, value)
    loop
        -- The message names the code and no value; the detail says where.
        perform test.refused(format('select tpv.dat_render(%L, %L)',
            format('{"fields": [{"name": "x", %s}]}', expected.field),
                format('{"items": [{"x": %s}]}', expected.value)),
            expected.state, 'the receipt cannot be written as a .dat: ' || replace(expected.code, '_', '\_'),
            detail_like => replace(expected.code, '_', '\_') || ' at ' || expected.pointer || ': %');
    end loop;

    perform test.refused($q$select tpv.dat_render('{"fields": [{"length": 6}], "color": 1}', '{"items": []}')$q$,
        '22023', 'the .dat profile cannot be used', 'a bad profile lists all its faults', detail_like => '%/color: %');
    perform test.refused($q$select tpv.dat_render('{"fields": [{"length": 6}], "color": 1}', '{"items": []}')$q$,
        '22023', 'the .dat profile cannot be used', 'a bad profile lists all its faults',
        detail_like => '%/fields/0%');

    perform test.refused($q$select tpv.dat_path('[]', '{}', '2026-07-01')$q$,
        '22023', what => 'a profile that is no object is a fault', detail_like => '% at the whole: %');

    perform test.refused(format('select tpv.dat_render(%L, %L)', '{"fields": [{"name": "x", "length": 6}]}',
        repeat('[', 1000) || repeat(']', 1000)),
        '22023', what => 'a bottomless receipt is a fault', detail_like => 'TOO\_DEEP at /0/0/%');

    perform test.refused($q$select tpv.barcode_decode('1', '{}')$q$, '22023', 'the barcode rules cannot be used');
end
$$;
