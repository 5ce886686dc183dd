-- A second receipt with a number of that terminal and day is held DUP_CONFLICT; the first stands,
-- and a third conflicts too.

\ir prelude/store.sql

do $$
declare
    first record;
    second record;
    third record;
    again record;
begin
    select * into first from test.take(test.receipt('1'));
    select * into second from test.take(test.receipt('1', jsonb_build_array(test.item(2))));
    select * into third from test.take(test.receipt('1', jsonb_build_array(test.item(3))));
    assert second.outcome = 'held' and second.code = 'DUP_CONFLICT' and second.pointer = '/receiptId'
        and second.detail <> '' and second.first_outcome = 'held', 'the second is held';
    assert third.outcome = 'held' and third.code = 'DUP_CONFLICT', 'so is the third';
    assert second.dat is null and second.dat_name is null and second.dat_folder is null, 'a held receipt has no .dat';
    assert first.receipt_id <> second.receipt_id
        and second.receipt_id <> third.receipt_id, 'each has an id of its own';

    perform test.equal((select array_agg(concat_ws(' ', state, total) order by total) from sales.receipt),
        '{accepted 1.00,held 2.00,held 3.00}', 'all three are stored');
    assert (select count(*) from dat.file where receipt_id = first.receipt_id and bytes = first.dat) = 1
        and (select count(*) from dat.file) = 1, 'the .dat of the first is untouched';
    assert (select count(*) from sales.receipt_key where variant = '') = 1
        and (select count(*) from sales.receipt_key where variant = content_hash) = 2, 'the arbiter tells them apart';
    perform test.equal((select array_agg(hold_code order by total) from sales.held),
        '{DUP_CONFLICT,DUP_CONFLICT}', 'an operator sees both');

    select * into again from test.take(test.receipt('1', jsonb_build_array(test.item(2))));
    assert again.outcome = 'duplicate' and again.receipt_id = second.receipt_id and again.first_outcome = 'held'
        and again.dat is null, 'each is known when it comes again';

    -- Another terminal, another series and another day are other receipts.
    assert (select bool_and(outcome = 'accepted') from (values
        (test.receipt('2', terminal => 'T05'), 'T05'), (test.receipt('2', terminal => 'T02'), 'T02'),
        (test.receipt('2', printed => test.stamp(test.at() - interval '1 day'), terminal => 'T04'), 'T04'),
        (test.receipt('2', terminal => 'T04') , 'T04')) as f (file, terminal), test.take(f.file, f.terminal)
        where f.terminal <> 'T04'), 'terminals number for themselves';
    perform test.equal((select concat_ws(' ', outcome, code)
        from test.take(test.file(test.tree('1', jsonb_build_array(test.item(2))) || '{"series": "B"}'))),
        'held NAME_COLLISION', 'a series numbers for itself, though the legacy name does not show it');
end
$$;
