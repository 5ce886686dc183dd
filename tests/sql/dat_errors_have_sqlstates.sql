-- What can not be written as a .dat is an error with its own SQLSTATE, and a detail that says where.

create function pg_temp.refusal(statement text, out state text, out message text, out detail text)
language plpgsql as $$
declare
    ignored text;
begin
    execute statement into ignored;
exception when others then
    get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail;
end
$$;

do $$
declare
    told record;
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
        told := pg_temp.refusal(format('select tpv.dat_render(%L, %L)',
            format('{"fields": [{"name": "x", %s}]}', expected.field), format('{"items": [{"x": %s}]}', expected.value)));
        assert told.state = expected.state, format('%s is raised with %s, not %s', expected.code, expected.state, told);
        assert told.message = 'the receipt cannot be written as a .dat: ' || expected.code,
            format('the message names the code and no value: %s', told.message);
        assert starts_with(told.detail, expected.code || ' at ' || expected.pointer || ': '),
            format('the detail says where: %s', told.detail);
    end loop;

    told := pg_temp.refusal($q$select tpv.dat_render('{"fields": [{"length": 6}], "color": 1}', '{"items": []}')$q$);
    assert told.state = '22023' and told.message = 'the .dat profile cannot be used',
        format('a bad profile is 22023: %s', told);
    assert told.detail like '%/color: %' and told.detail like '%/fields/0%', 'the detail lists all faults';

    told := pg_temp.refusal($q$select tpv.dat_path('[]', '{}', '2026-07-01')$q$);
    assert told.state = '22023' and told.detail like '% at the whole: %', 'a profile that is no object is a fault';

    told := pg_temp.refusal(format('select tpv.dat_render(%L, %L)', '{"fields": [{"name": "x", "length": 6}]}',
        repeat('[', 1000) || repeat(']', 1000)));
    assert told.state = '22023' and told.detail like 'TOO_DEEP at /0/0/%', 'a bottomless receipt is a fault';

    told := pg_temp.refusal($q$select tpv.barcode_decode('1', '{}')$q$);
    assert told.state = '22023' and told.message = 'the barcode rules cannot be used', 'bad rules are 22023';
end
$$;
