-- A layout, a terminal, a department or a rule that was deleted is not used any more, and what was
-- recorded with it stays as it was.

\ir prelude/store.sql

-- Layouts: the version before, else the store's, else none.
set client_min_messages = error;
select dat.save_profile('{"fields": [{"name": "barcode", "length": 14}]}'),
    dat.save_profile('{"fields": [{"name": "description", "length": 5}]}', '01') \g /dev/null
reset client_min_messages;

create function test.dat(number text) returns text language sql as
$$ select convert_from(dat, 'UTF8') from test.take(test.receipt(number)) $$;

do $$
declare
    legacy integer;
begin
    perform test.equal(test.dat('1'), 'PAN  ', 'the department''s layout');
    update dat.profile set deleted = true where department_code = '01';
    perform test.equal(test.dat('2'), '8436006836053 ', 'it was deleted: the store''s newest');
    update dat.profile set deleted = true where version = 2;
    select length(test.dat('3')) into legacy;
    assert legacy > 50, 'that was deleted: the one before';
    set local client_min_messages = error;
    perform test.equal(dat.save_profile('{"fields": [{"name": "barcode", "length": 14}]}'), 3,
        'the number of a deleted version is not given again');
    update dat.profile set deleted = true;
    perform test.refused($q$ select test.dat('4') $q$, '55000', 'the store has no layout of .dat files',
        hint_like => '%dat.save_profile%');
    perform org.register_store(1, 'S01', 'Store 1', 'Europe/Madrid', 4, 'EUR');
    perform test.equal((select array_agg(version order by version) from dat.profile where not deleted), '{4}',
        'registering the store gives it the legacy layout again');
    perform test.equal(length(test.dat('4')), legacy, 'and that is used');
end
$$;

-- Rules.
insert into catalog.barcode_rule (name, prefix, length, kind, item_start, item_length, value_start, value_length, decimals)
values ('label', '21', 13, 'price', 3, 5, 8, 5, 2);

do $$
declare
    labelled jsonb := jsonb_build_array(test.item(5.40, barcode => '211234500450' || tpv.gtin_check_digit('211234500450')));
begin
    perform test.equal((select flags from test.take(test.receipt('11', labelled))), '{LABEL_MISMATCH}', 'the rule is read');
    update catalog.barcode_rule set deleted = true;
    perform test.equal((select flags from test.take(test.receipt('12', labelled))), '{}', 'it was deleted');
    perform test.equal(catalog.barcode_rules(1), '[]'::jsonb, 'and is in no list');
end
$$;

-- Terminals and departments, and a till, which issues no tickets.
do $$
declare
    held uuid := (select receipt_id from test.take(test.receipt('21', total => 9)));
begin
    update org.terminal set deleted = true where code = 'T02';
    perform test.equal((select code from test.take(test.receipt('1', terminal => 'T02', department => '02'), 'T02')),
        'UNKNOWN_TERMINAL', 'a terminal that was deleted');
    perform org.register_terminal('T02', '02');
    perform test.equal((select outcome from test.take(test.receipt('2', terminal => 'T02', department => '02'), 'T02')),
        'accepted', 'until it is registered again');

    perform org.register_terminal('C1', null, kind => 'till');
    perform test.equal((select code from test.take(test.receipt('1', terminal => 'C1', department => '01'), 'C1')),
        'UNKNOWN_TERMINAL', 'a till issues no tickets');

    -- As the merge would leave it, a department away and its terminals still there.
    set local session_replication_role = replica;
    update org.department set deleted = true where code = '01';
    set local session_replication_role = origin;
    perform test.equal((select code from test.take(test.receipt('22', department => '01'))),
        'UNKNOWN_TERMINAL', 'the terminal of a department that was deleted');
    perform test.refused(format('select sales.release(%L, ''counted'')', held), '22023',
        'the terminal of the receipt is no longer registered');
    perform sales.void(held, 'the department is gone');
end
$$;

-- A store that was deleted takes nothing, and what it recorded keeps its dates.
set session_replication_role = replica;
update org.store set deleted = true;
reset session_replication_role;
-- Nothing is remembered from before.
\connect -

do $$
begin
    perform test.refused($q$ select test.take(test.receipt('1', terminal => 'T03', department => '03'), 'T03') $q$,
        '55000', 'this database is no store, or its store was deleted');
    perform sales.void((select receipt_id from sales.receipt where receipt_number = '1' and terminal = 'T01'), 'not paid');
    perform test.equal((select concat_ws(' ', state, printed_local = test.at() at time zone 'Europe/Madrid')
        from sales.receipt where receipt_number = '1' and terminal = 'T01'), 'voided t', 'a receipt keeps its time');
    perform sales.close_day(test.day() - 1, 'counted');
end
$$;
