-- What an inbox without a terminal gets, or one with another terminal's name inside, is quarantined
-- and told to security, once.

\ir prelude/store.sql

do $$
declare
    answer record;
begin
    select * into answer from test.take(test.receipt('1'), 'T99', 'a.json');
    assert answer.outcome = 'quarantined'
        and answer.code = 'UNKNOWN_TERMINAL'
        and answer.receipt_id is null
        and answer.detail <> '', 'a terminal that nobody registered';
    assert (select concat_ws(' ', terminal, file_name, code) from sales.rejected) = 'T99 a.json UNKNOWN_TERMINAL'
        and (select raw from sales.rejected) = test.receipt('1'), 'the file is kept';
    perform test.equal((select concat_ws(' ', event, subject, actor) from sec.audit),
        'UNKNOWN_TERMINAL T99 login:postgres', 'security hears of it');
    perform test.take(test.receipt('1'), 'T99', 'a.json');
    assert (select count(*) from sec.audit) = 1 and (select count(*) from sales.rejected) = 1, 'once for each file';
    perform test.take(test.receipt('1'), 't01', 'a.json');
    perform test.equal((select count(*) from sec.audit where subject = 't01'), 1, 'T01 is not t01');

    update org.terminal set active = false where code = 'T04';
    select * into answer from test.take(test.receipt('1', terminal => 'T04'), 'T04');
    perform test.equal(answer.code, 'UNKNOWN_TERMINAL', 'a terminal that was put out of use');
    set local client_min_messages = error;
    perform org.register_terminal('T04', '04');
    perform test.equal((select outcome from test.take(test.receipt('1', terminal => 'T04'), 'T04')),
        'accepted', 'until it is registered again');

    select * into answer from test.take(test.receipt('2', terminal => 'T02'), 'T01', 'b.json');
    assert answer.outcome = 'quarantined'
        and answer.code = 'WRONG_TERMINAL'
        and answer.pointer = '/terminalId', 'the receipt of another terminal';
    perform test.equal((select count(*) from sec.audit where event = 'WRONG_TERMINAL' and subject = 'T01'),
        1, 'security hears of it');

    select * into answer from test.take('garbage', 'T99');
    perform test.equal(answer.code, 'UNKNOWN_TERMINAL', 'a stranger''s garbage is not even read');
    assert (select count(*) from sales.receipt) = 1
        and (select count(*) from sales.raw) = 1, 'nothing of it is a receipt';
end
$$;
