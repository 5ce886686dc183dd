-- 22:15 UTC on the 30th of June is the 1st of July in Madrid, and still June in the Canaries.

\ir prelude/test.sql

set client_min_messages = error;
set role tpv_owner;
select org.register_store(2, 'S02', 'Store 2', 'Atlantic/Canary', 4, 'EUR') \g /dev/null
select org.register_department('01', 'Bakery') \g /dev/null
select org.register_terminal('T01', '01') \g /dev/null
reset role;
set pg_tpv.max_receipt_age = '366d';

do $$
declare
    june date := (select max(d)::date
        from generate_series(current_date - 366, current_date - 1, interval '1 day') as d
        where to_char(d, 'MMDD') = '0630');
    answer record;
begin
    select * into answer from sales.ingest_files('T01',
        array[convert_to(format('{"receiptId": "1", "terminalId": "T01", "departmentCode": "01",
        "items": [{"barcode": "8436006836053", "description": "PAN", "price": 1, "quantity": 1}], "total": 1,
            "timestamp": "%sT22:15:00Z"}', june),
        'UTF8')], null);
    perform test.equal(answer.outcome, 'accepted', 'it is accepted');
    perform test.equal((select (printed_local, business_date)::text from sales.receipt),
        ((june + time '23:15')::timestamp, june)::text, 'it is June there');
    perform test.equal((select printed_date from sales.receipt_key), june, 'and the number is one of June');
    perform test.equal(right(convert_from(answer.dat, 'UTF8'), 6), to_char(june, 'DDMMYY'), 'so says the .dat');
end
$$;
