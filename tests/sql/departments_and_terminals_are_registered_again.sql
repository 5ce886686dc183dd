-- Registering a department or a terminal again corrects it; a faulty declaration is refused with
-- all its faults.

\ir prelude/store.sql

do $$
declare
    refusal record;
begin
    perform org.register_department('01', 'Bakery', 'Panadería Ortega SL');
    perform org.register_department('02', 'Deli', 'Panadería Ortega SL');
    assert (select count(*) from org.legal_entity) = 1
        and (select count(distinct legal_entity_id) from org.department where code in ('01', '02')) = 1,
        'one concessionaire may lease two';
    perform org.register_department('01', 'Bread');
    perform test.equal((select name from org.department where code = '01' and legal_entity_id is not null),
        'Bread', 'it is renamed, and still leased');
    perform test.refused($q$ select org.register_department('0/1', 'x') $q$,
        '23514', what => 'a code that is no name of a folder');

    select * into refusal from test.refusal(
        $q$ select org.register_terminal('T01', '01', '{"encoding": "ebcdic", "price_decimals": 9, "colour": 1}') $q$);
    assert refusal.state = '22023' and refusal.detail like '%/encoding%' and refusal.detail like '%/price_decimals%'
        and refusal.detail like '%/colour%', 'a faulty declaration, with all its faults: ' || refusal.detail;
    perform test.refused($q$ select org.register_terminal('T01', '01', '[]') $q$,
        '22023', what => 'a list declares nothing');
    perform test.refused($q$ select org.register_terminal('T01', '77') $q$,
        '23503', what => 'a department that is not there');
    perform test.refused($q$ select org.register_terminal('../T01', '01') $q$,
        '23514', what => 'a code that leaves its folder');
    perform test.refused($q$ select org.register_terminal(null, '01') $q$, '23502', what => 'no code');
    perform test.refused($q$ select org.register_terminal('T01', null) $q$, '23514',
        what => 'a department''s terminal without one');
    perform test.refused($q$ select org.register_terminal('T01', '01', kind => 'scale') $q$, '23514', what => 'another kind');
    perform test.refused($q$ select org.register_terminal('C/1', null, kind => 'till') $q$, '23514', what => 'a till''s code');
    perform test.equal((select concat_ws(' ', department_code, declares) from org.terminal where code = 'T01'),
        '01 {}', 'nothing of it was kept');

    perform org.register_terminal('T01', '02', '{"price_decimals": 4}');
    perform test.equal((select concat_ws(' ', department_code, declares) from org.terminal where code = 'T01'),
        '02 {"price_decimals": 4}', 'it is corrected');
    perform test.equal((select outcome from test.take(test.receipt('1', jsonb_build_array(test.item(1.0001)), 1))),
        'accepted', 'and read so from then on');
    perform org.register_terminal('C1', null, kind => 'till'), org.register_terminal('C2', '01', kind => 'till');
    perform org.register_terminal('C2', '02');
    perform test.equal((select array_agg(concat_ws(' ', code, kind, department_code) order by code)
        from org.terminal where code in ('C1', 'C2', 'T02')), array['C1 till', 'C2 till 02', 'T02 department 02'],
        'a till is one until it is said otherwise, and may belong to no department');

    perform org.register_terminal('T01', '01');
    perform test.equal((select code from test.take(test.receipt('2', jsonb_build_array(test.item(1.0001)), 1))),
        'PRICE_SCALE', 'what is no longer declared holds no longer');
end
$$;
