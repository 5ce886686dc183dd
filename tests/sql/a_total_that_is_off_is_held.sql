-- A printed total that is further off than one cent for each weighed line is held TOTAL_MISMATCH;
-- what a terminal declares widens it.

\ir prelude/store.sql

do $$
declare
    answer record;
begin
    select * into answer from test.take(test.receipt('1', jsonb_build_array(test.item(1, 1)), 1.01));
    assert answer.outcome = 'held'
        and answer.code = 'TOTAL_MISMATCH'
        and answer.pointer = '/total'
        and answer.dat is null, 'one cent off without a weighed line';
    assert (select (state, first_outcome, hold_code, hold_pointer, total, lines_total, total_difference)
        = ('held', 'held', 'TOTAL_MISMATCH', '/total', 1.01, 1.00, 0.01) and hold_detail = answer.detail
        from sales.receipt where receipt_id = answer.receipt_id), 'it is stored with its reason';
    assert not exists (select from dat.file) and not exists (select from dat.pending), 'nothing is published';

    select * into answer from test.take(test.receipt('2',
        jsonb_build_array(test.item(12.90, 0.455), test.item(12.90, 0.455)), 11.72));
    assert answer.outcome = 'accepted' and answer.flags = '{ROUNDING}', 'two weighed lines may be two cents off';
    select * into answer from test.take(test.receipt('3',
        jsonb_build_array(test.item(12.90, 0.455), test.item(12.90, 0.455)), 11.71));
    perform test.equal(answer.code, 'TOTAL_MISMATCH', 'not three');

    set local client_min_messages = error;
    perform org.register_terminal('T02', '02', '{"total_tolerance_cents": 5}');
    perform test.equal((select outcome from test.take(test.receipt('4', total => 1.05, terminal => 'T02'), 'T02')),
        'accepted', 'five cents are declared');
    perform test.equal((select code from test.take(test.receipt('5', total => 1.06, terminal => 'T02'), 'T02')),
        'TOTAL_MISMATCH', 'not six');
end
$$;
