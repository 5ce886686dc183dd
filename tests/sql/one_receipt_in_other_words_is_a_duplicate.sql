-- The same receipt is the same document, in whatever words a terminal says it: one instant in other
-- words, zeros that mean nothing, keys that it declares to be ignored.

\ir prelude/store.sql

set client_min_messages = error;
select org.register_terminal('T02', '02', '{"ignore_keys": ["attempt", "sentAt"]}') \g /dev/null
reset client_min_messages;

do $$
declare
    first record;
    again record;
    words text;
    file bytea;
begin
    select * into first from test.take(test.receipt('1', printed => test.stored(test.at())));
    perform test.equal(first.outcome, 'accepted', 'a receipt with the offset of its store');
    foreach words in array array[test.stamp(test.at()), to_char(test.local(), 'YYYY-MM-DD HH24:MI:SS'),
        to_char(test.local(), 'YYYY-MM-DD"T"HH24:MI:SS'), to_char(test.local(), 'YYYY-MM-DD"T"HH24:MI:SS".000"'),
        replace(test.stamp(test.at()), 'Z', '-00:00'),
        to_char(test.at() at time zone 'Asia/Kolkata', 'YYYY-MM-DD"T"HH24:MI:SS"+05:30"')] loop
        select * into again from test.take(test.receipt('1', printed => words));
        assert (again.outcome, again.receipt_id) = ('duplicate', first.receipt_id), 'the same instant: ' || words;
    end loop;
    select * into again from test.take(test.receipt('1',
        printed => to_char(test.local(), 'YYYY-MM-DD"T"HH24:MI:SS".5"')));
    perform test.equal(again.code, 'DUP_CONFLICT', 'another instant is another content');
    perform test.equal((select array_agg(distinct printed_text) from sales.receipt where receipt_number = '1'
        and hold_code is null), array[test.stored(test.at())], 'the body has the one form');
    perform test.equal((select count(distinct convert_from(bytes, 'UTF8')::jsonb ->> 'timestamp')
        from sales.raw where receipt_id = first.receipt_id), 7, 'and the files have what was printed');

    select * into first from test.take(test.receipt('2'));
    foreach words in array array['1.0000000000000000000000000000000', '1E0', '100e-2', '0.1E+1'] loop
        file := convert_to(replace(test.tree('2')::text, '"quantity": 1', '"quantity": ' || words), 'UTF8');
        select * into again from test.take(file);
        assert (again.outcome, again.receipt_id) = ('duplicate', first.receipt_id), 'the same number: ' || words;
    end loop;
    select * into again from test.take(convert_to(replace(test.tree('3')::text, '1.00', '0E-8'), 'UTF8'));
    assert again.outcome = 'accepted' and again.flags = '{EXPONENT,ZERO_PRICE}', 'an exact zero: ' || again::text;

    select * into first from test.take(test.file(test.tree('4', terminal => 'T02') || '{"attempt": 1}'), 'T02');
    select * into again from test.take(test.file(test.tree('4', terminal => 'T02')
        || '{"attempt": 2, "sentAt": "now"}'), 'T02');
    assert first.outcome = 'accepted' and first.flags = '{}' and again.outcome = 'duplicate'
        and again.receipt_id = first.receipt_id, 'what is declared to be ignored is no content';
    assert (select body from wire.doc where doc_id = first.receipt_id) not like '%attempt%'
        and (select count(*) from sales.raw where receipt_id = first.receipt_id
            and convert_from(bytes, 'UTF8') like '%attempt%') = 2, 'the raw bytes have it';
    perform test.take(test.file(test.tree('5') || '{"attempt": 1}'));
    select * into again from test.take(test.file(test.tree('5') || '{"attempt": 2}'));
    perform test.equal(again.code, 'DUP_CONFLICT', 'what is not declared is content');
    perform test.refused($sql$select org.register_terminal('T03', '03', '{"ignore_keys": ["total"]}')$sql$, '22023',
        what => 'what makes a receipt cannot be ignored');
end
$$;

-- What receipt_parse shows is what is stored, for whoever asks.
create temp table shown as
select d.body, convert_from(r.bytes, 'UTF8') as file, t.declares
from wire.doc d
join sales.raw r on r.receipt_id = d.doc_id
join org.terminal t on t.code = d.chain
where d.kind = 'receipt';
grant select on shown to tpv_analyst;
grant usage on schema tpv to tpv_analyst;
grant execute on function tpv.receipt_parse(bytea, jsonb) to tpv_analyst;

do $$
begin
    assert (select count(*) = 18 and bool_and(tpv.receipt_parse(convert_to(file, 'UTF8'), declares) ->> 'body' = body)
        from shown), 'to the superuser';
    set local role tpv_analyst;
    assert (select bool_and(tpv.receipt_parse(convert_to(file, 'UTF8'), declares) ->> 'body' = body) from shown),
        'and to whoever else may call it';
end
$$;
