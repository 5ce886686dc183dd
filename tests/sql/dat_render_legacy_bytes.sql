-- The legacy profile gives the legacy program's bytes, from a plain receipt and from its canonical
-- form alike.

\ir prelude/test.sql
\ir prelude/legacy_layout.sql

create temp table ticket as select '{"receiptId": "716962", "terminalId": "T03", "departmentCode": "03", "items": [
    {"barcode": "8400134171393", "description": "ARTÍCULO 13417139", "price": 4.99, "quantity": 1},
    {"barcode": "123", "description": "JAMÓN IBÉRICO DE BELLOTA", "price": 1.005, "quantity": 0.455}],
    "total": 8.89, "timestamp": "2026-04-15T18:58:37Z"}' as text;

do $$
declare
    expected bytea := convert_to('8400134171393ARTÍCULO 13417139   000004990001000003150426' || E'\r\n'
        '0000000000123JAMÓN IBÉRICO DE BEL000001010000455003150426', 'WIN1252');
begin
    perform test.equal((select tpv.dat_render(profile, text::jsonb) from legacy, ticket),
        expected, 'a line per item, CRLF between and none at the end, Windows-1252');
    perform test.equal((select tpv.dat_render(profile,
        tpv.receipt_parse(convert_to(text, 'UTF8'), '{"price_decimals": 3}')
        -> 'receipt') from legacy, ticket), expected, 'the canonical form gives the same bytes');
end
$$;

-- One profile after another in one session: the one that was used before does not show.
do $$
declare
    profile jsonb;
    made text[];
begin
    foreach profile in array array['{"fields": [{"name": "x", "length": 2}]}',
        '{"fields": [{"name": "x", "length": 3}]}',
        '{"fields": [{"name": "x", "length": 2}]}',
        '{"fields": [{"name": "x", "length": 2, "align": "right"}]}']::jsonb[]
    loop
        made := made || encode(tpv.dat_render(profile, '{"items": [{"x": "a"}]}'), 'escape');
    end loop;
    perform test.equal(made, array['a ', 'a  ', 'a ', ' a'], 'each profile gives its own bytes');
    perform test.equal(tpv.dat_render('{"fields": [{"name": "x", "length": 20}]}',
        '{"items": [{"x": 9007199254740993.01}]}'),
        '9007199254740993.01 ', 'a number that no float holds is written with all its digits');
    perform test.equal(tpv.dat_render('{"fields": [{"name": "timestamp", "format": "ddMMyy", "length": 6}]}',
        '{"items": [{}], "timestamp": "2026-06-30T22:15:00Z", "localTimestamp": "2026-07-01T00:15:00"}'),
        '010726', 'the store''s wall clock is shown where the receipt has it');
    assert tpv.dat_render(null, '{}') is null and tpv.dat_render('{}', null) is null, 'null in, null out';
end
$$;
