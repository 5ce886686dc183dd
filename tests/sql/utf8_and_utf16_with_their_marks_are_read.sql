-- A byte order mark tells how a file is written, and makes no other receipt.

\ir prelude/store.sql

do $$
declare
    text text := replace(test.tree('1')::text, 'PAN', 'JAMÓN');
    little bytea := '\xfffe';
    big bytea := '\xfeff';
    answer record;
begin
    for i in 1..length(text) loop
        little := little || decode(lpad(to_hex(ascii(substr(text, i, 1)) % 256), 2,
            '0') || lpad(to_hex(ascii(substr(text, i, 1)) / 256), 2, '0'), 'hex');
        big := big || decode(lpad(to_hex(ascii(substr(text, i, 1))), 4, '0'), 'hex');
    end loop;
    select * into answer from test.take('\xefbbbf'::bytea || convert_to(text, 'UTF8'));
    assert answer.outcome = 'accepted'
        and answer.flags = '{}'
        and answer.dat = test.line('JAMÓN'), 'UTF-8 with its mark';
    perform test.equal((select outcome from test.take(convert_to(text, 'UTF8'))),
        'duplicate', 'without it, it is the same');
    perform test.equal((select outcome from test.take(little)), 'duplicate', 'so it is in UTF-16, little end first');
    perform test.equal((select outcome from test.take(big)), 'duplicate', 'and big end first');
end
$$;
