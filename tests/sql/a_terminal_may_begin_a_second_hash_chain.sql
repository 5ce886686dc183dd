-- T01~2 is the second life of the hash chain of terminal T01. Its receipts are T01's, wherever
-- somebody asks which terminal they are of.

\ir prelude/store.sql

select test.take(test.receipt('1')) \g /dev/null

-- The same receipt under another number, as the first document of the second life.
insert into wire.doc
select d.node_id, '00000000-0000-8000-8000-000000000002', d.business_date, d.kind, null, tpv.hlc_now(), d.schema_version,
    'T01~2', 1, decode(repeat('00', 32), 'hex'), b.body, sha256(convert_to(b.body, 'UTF8'))
from wire.doc d cross join lateral (select replace(d.body, '"receiptId":"1"', '"receiptId":"2"')) as b (body)
where d.kind = 'receipt' and d.chain = 'T01';

do $$
declare
    expected text := '1 T01, 2 T01';
    shown text := 'select string_agg(receipt_number || '' '' || terminal, '', '' order by receipt_number) from ';
    answer text;
begin
    execute shown || 'sales.receipt' into answer;
    perform test.equal(answer, expected, 'the projection');
    set local role tpv_owner;
    perform from sales.rebuild_projections();
    reset role;
    execute shown || 'sales.receipt' into answer;
    perform test.equal(answer, expected, 'the projection, made anew');
    execute shown || 'sales.receipt_key' into answer;
    perform test.equal(answer, expected, 'the arbiter, made anew');
    perform test.equal((select outcome from test.take(test.receipt('2'))), 'duplicate', 'and ingest knows it');
    perform test.equal((select array_agg(chain order by chain) from wire.verify_chains() where intact),
        '{T01,T01~2}', 'both are hash chains of their own');

    set local role tpv_operator;
    perform sales.void('00000000-0000-8000-8000-000000000002', 'it was a mistake');
    reset role;
    perform test.equal((select string_agg(receipt_number || ' ' || state, ', ' order by receipt_number) from sales.receipt),
        '1 accepted, 2 voided', 'an operator decides about it');
end
$$;

-- No terminal's code can be taken for another hash chain.
do $$
declare
    code text;
begin
    set local role tpv_owner;
    foreach code in array array['T01~2', '~2', '>2', '1>2', 'T>1', ''] loop
        perform test.refused(format('insert into org.terminal (node_id, code, department_code) values (1, %L, ''01'')', code),
            '23514', what => format('terminal %L', code));
        assert (select state from test.refusal(format('select org.register_terminal(%L, ''01'')', code))) <> '00000',
            format('terminal %L is registered', code);
    end loop;
end
$$;
