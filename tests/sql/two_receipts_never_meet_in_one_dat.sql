-- The second receipt whose .dat would have the name of another one is held NAME_COLLISION, also
-- where only the case differs.

\ir prelude/store.sql

do $$
declare
    first record;
    second record;
begin
    -- Across the terminals of a department.
    select * into first from test.take(test.receipt('1'));
    select * into second from test.take(test.receipt('1', jsonb_build_array(test.item(2)), terminal => 'T05'), 'T05');
    perform test.equal(first.dat_name, 'scon011.dat', 'the first has the name');
    assert second.outcome = 'held' and second.code = 'NAME_COLLISION' and second.pointer = '/receiptId'
        and second.dat is null and second.dat_name is null and second.dat_folder is null
        and second.first_outcome = 'held', 'the second is held';
    assert (select bytes from dat.file where name = 'scon011.dat') = first.dat
        and (select count(*) from dat.file) = 1, 'nothing is overwritten';
    assert (select hold_code from sales.held) = 'NAME_COLLISION' and (select first_outcome from sales.receipt_key
        where terminal = 'T05') = 'held', 'it is stored as held';

    -- a1 and A1 are two numbers and one file of a share that knows no case.
    perform test.equal((select array_agg(coalesce(a.code, a.outcome) order by a."position")
        from sales.ingest_files('T01', array[test.receipt('a1'), test.receipt('A1')], null) as a),
        '{accepted,NAME_COLLISION}', 'the case alone tells no files apart');

    -- Department 0 and number 11 read like department 01 and number 1.
    set local client_min_messages = error;
    perform org.register_department('0', 'Zero');
    perform org.register_terminal('T9', '0');
    perform test.equal((select code from test.take(test.receipt('11', terminal => 'T9'), 'T9')),
        'NAME_COLLISION', 'department 0, number 11');

    -- Within one batch: two series with one number.
    perform test.equal((select array_agg(coalesce(a.code, a.outcome) order by a."position")
        from sales.ingest_files('T01', array[
        test.file(test.tree('7') || '{"series": "A"}'), test.file(test.tree('7') || '{"series": "B"}'),
        test.receipt('8')], null) as a),
        '{accepted,NAME_COLLISION,accepted}', 'in one batch, the first has the name and the third is unharmed');

    -- Another folder is another file.
    perform dat.save_profile('{"fields": [{"name": "barcode", "length": 13}], "file_name": "{receiptId}.dat",
        "folder": "{terminalId}"}', '02');
    perform test.equal((select dat_folder || '/' || dat_name
        from test.take(test.receipt('1', terminal => 'T02'), 'T02')), 'T02/1.dat', 'a folder of its own');
end
$$;
