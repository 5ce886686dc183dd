-- A terminal's receipt that names another department than its own is held WRONG_DEPARTMENT, beside
-- what else is wrong with it.

\ir prelude/store.sql

do $$
declare
    answer record;
begin
    select * into answer from test.take(test.receipt('1', department => '02'));
    assert answer.outcome = 'held'
        and answer.code = 'WRONG_DEPARTMENT'
        and answer.pointer = '/departmentCode'
        and answer.dat is null, 'it is held';
    perform test.equal((select concat_ws(' ', department, hold_code) from sales.held),
        '02 WRONG_DEPARTMENT', 'as it was printed');

    select * into answer from test.take(test.receipt('2', jsonb_build_array(test.item(1, -1), test.item(1, 1)), 7,
        department => '99'));
    perform test.equal(answer.code, 'TOTAL_MISMATCH', 'of several reasons the first is answered');
    perform test.equal((select array_agg(e.hold ->> 'code' order by n) from wire.doc,
        jsonb_array_elements(body::jsonb -> 'holds') with ordinality as e (hold, n)
        where kind = 'intake' and (body::jsonb ->> 'about')::uuid = answer.receipt_id),
        '{TOTAL_MISMATCH,WRONG_DEPARTMENT,SIGN_UNDEFINED}', 'and all are recorded');
end
$$;
