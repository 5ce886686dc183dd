-- The same receipt again, under another name or written otherwise, changes nothing and is recorded
-- as a delivery.

\ir prelude/store.sql

do $$
declare
    tree jsonb := test.tree('1', jsonb_build_array(test.item(0.5, 2)));
    first record;
    again record;
    written text;
begin
    select * into first from test.take(test.file(tree), name => 'a.json');
    assert first.outcome = 'accepted'
        and first.first_outcome = 'accepted'
        and first.flags = '{}'
        and first.code is null, 'a plain receipt is accepted';
    assert (first.dat_folder, first.dat_name, first.dat, first.trigger_name) is not distinct from
        (test.folder(), 'scon011.dat', test.line(cents => 50, thousandths => 2000), null::text),
        'its .dat is the legacy one';

    foreach written in array array[
        tree::text,
        format('{"total":1,"timestamp":"%s","items":[{"quantity":2.000,"price":0.50,"description":"PAN",'
            '"barcode":"8436006836053"}],"departmentCode":"01","terminalId":"T01","receiptId":"1","series":null}',
            tree ->> 'timestamp'),
        E'\n\t ' || replace(tree::text, ' ', '   ') || E' \r\n',
        replace(tree::text, 'PAN', 'P\u0041N')
    ] loop
        select * into again from test.take(convert_to(written, 'UTF8'), name => 'b.json');
        assert again.outcome = 'duplicate' and again.receipt_id = first.receipt_id, 'it is known: ' || written;
        assert (again.dat_folder, again.dat_name, again.dat, again.first_outcome)
            = (first.dat_folder, first.dat_name, first.dat, 'accepted'), 'it is answered as the first delivery';
    end loop;

    assert (select count(*) from sales.receipt) = 1 and (select count(*) from wire.doc) = 1
        and (select count(*) from dat.file) = 1 and (select count(*) from sales.receipt_key) = 1,
        'there is one receipt';
    assert (select array_agg(concat_ws(' ', outcome, file_name) order by raw_id) from sales.raw)
        = '{accepted a.json,duplicate b.json,duplicate b.json,duplicate b.json,duplicate b.json}'
        and (select bool_and(receipt_id = first.receipt_id) from sales.raw), 'each delivery is kept';
    perform test.equal((select bytes from sales.raw where outcome = 'accepted'),
        test.file(tree), 'as it came, byte for byte');
    assert not exists (select from sales.rejected)
        and not exists (select from dat.pending), 'nothing else is written';
end
$$;
