-- A .dat lies in the folder of the day it is published, under a name made of its department and number.

\ir prelude/test.sql

do $$
declare
    legacy jsonb := '{"fields": [{"name": "barcode", "length": 13}]}';
    receipt jsonb := '{"receiptId": "716962", "departmentCode": "03",
        "timestamp": "2026-04-15T18:58:37Z", "items": []}';
begin
    perform test.equal(tpv.dat_path(legacy, receipt, '2026-07-01'), '20260701/scon03716962.dat', 'the legacy name');
    perform test.equal(tpv.dat_path(
            legacy || '{"file_name": "{terminalId}_{receiptId}.txt", "folder": "{published:yyMMdd}"}',
            receipt || '{"terminalId": "T03"}', '2026-07-01'),
        '260701/T03_716962.txt', 'a name of the profile');
    perform test.refused(format('select tpv.dat_path(%L, %L, %L)',
        legacy, receipt || '{"receiptId": "../../x"}', '2026-07-01'),
        '22023', what => 'a number that leaves the folder makes no path');
    perform test.refused(format('select tpv.dat_path(%L, %L, %L)', legacy, receipt, 'infinity'),
        '22008', what => 'infinity is no day');
    perform test.refused(format('select tpv.dat_path(%L, %L, %L)', legacy, receipt, '10000-01-01'),
        '22008', what => 'a year of five digits is no day');
    perform test.equal(tpv.dat_path(legacy, receipt, '0001-01-01'),
        '00010101/scon03716962.dat', 'the calendar begins');
    perform test.equal(tpv.dat_path(legacy, receipt, '9999-12-31'),
        '99991231/scon03716962.dat', 'and ends');
end
$$;
