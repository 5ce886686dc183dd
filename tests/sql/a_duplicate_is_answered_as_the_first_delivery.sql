-- A repeat gets what the first delivery got: receipt, folder, name, trigger, bytes, outcome and
-- flags; no .dat once it is withdrawn.

\ir prelude/store.sql

do $$
declare
    odd bytea := test.receipt('1', jsonb_build_array(test.item(0, 1, barcode => '12345')));
    held bytea := test.receipt('2', total => 9);
    first record;
    again record;
begin
    set local client_min_messages = error;
    perform dat.save_profile(tpv.dat_legacy_profile() || '{"trigger_file": true}');
    select * into first from test.take(odd);
    assert first.flags = '{PLU,ZERO_PRICE}'
        and first.trigger_name = 'scon011.dat.ok', 'an odd one, with a trigger file';
    -- What is rendered now is not what was published then.
    perform dat.save_profile('{"fields": [{"name": "barcode", "length": 20}], "file_name": "other{receiptId}.txt"}');
    perform org.register_terminal('T01', '02', '{"price_decimals": 3}');
    select * into again from test.take(odd);
    assert again.outcome = 'duplicate' and again.first_outcome = 'accepted' and again.code is null, 'it is known';
    assert (again.receipt_id, again.dat_folder, again.dat_name, again.dat, again.trigger_name, again.flags)
        = (first.receipt_id, first.dat_folder, first.dat_name, first.dat, first.trigger_name, first.flags),
        'and answered as before';
    perform org.register_terminal('T01', '01');

    perform dat.withdraw(first.receipt_id, 'test');
    select * into again from test.take(odd);
    assert again.outcome = 'duplicate' and again.first_outcome = 'accepted' and again.flags = first.flags
        and num_nulls(again.dat, again.dat_folder, again.dat_name, again.trigger_name) = 4,
        'a withdrawn .dat is not given out again';

    select * into first from test.take(held);
    select * into again from test.take(held);
    assert first.outcome = 'held' and again.outcome = 'duplicate' and again.first_outcome = 'held'
        and again.dat is null
        and again.receipt_id = first.receipt_id, 'a held one is still held';
    perform dat.save_profile(tpv.dat_legacy_profile());
    perform sales.release(first.receipt_id, 'counted');
    select * into again from test.take(held);
    assert again.outcome = 'duplicate'
        and again.first_outcome = 'held'
        and again.dat_name = 'scon012.dat'
        and again.dat = test.line(), 'a released one has its .dat';
    perform sales.void(first.receipt_id, 'wrong');
    select * into again from test.take(held);
    assert again.outcome = 'duplicate' and again.dat is null, 'a voided one has none';
end
$$;
