-- A .dat lies in the folder of the day it is published, under a name made of its department and number.

do $$
declare
    legacy jsonb := '{"fields": [{"name": "barcode", "length": 13}]}';
    receipt jsonb := '{"receiptId": "716962", "departmentCode": "03", "timestamp": "2026-04-15T18:58:37Z", "items": []}';
begin
    assert tpv.dat_path(legacy, receipt, '2026-07-01') = '20260701/scon03716962.dat', 'the legacy name';
    assert tpv.dat_path(legacy || '{"file_name": "{terminalId}_{receiptId}.txt", "folder": "{published:yyMMdd}"}',
        receipt || '{"terminalId": "T03"}', '2026-07-01') = '260701/T03_716962.txt', 'a name of the profile';
    begin
        perform tpv.dat_path(legacy, receipt || '{"receiptId": "../../x"}', '2026-07-01');
        assert false, 'a number that leaves the folder makes no path';
    exception when invalid_parameter_value then null;
    end;
    begin
        perform tpv.dat_path(legacy, receipt, 'infinity');
        assert false, 'infinity is no day';
    exception when datetime_field_overflow then null;
    end;
    begin
        perform tpv.dat_path(legacy, receipt, '10000-01-01');
        assert false, 'a year of five digits is no day';
    exception when datetime_field_overflow then null;
    end;
    assert tpv.dat_path(legacy, receipt, '0001-01-01') = '00010101/scon03716962.dat'
        and tpv.dat_path(legacy, receipt, '9999-12-31') = '99991231/scon03716962.dat', 'the ends of the calendar';
end
$$;
