-- receipt_parse answers about any bytes and any declaration; none of them is an error of SQL.

\ir prelude/test.sql

do $$ begin perform setseed(0.20260701); end $$;

create temp table good as
select convert_to('{"receiptId":"716962","terminalId":"T03","departmentCode":"03","series":"A","items":[{"barcode":'
    '"8436006836053","description":"JAMÓN \u0000 \ud83d\ude00","price":4.99,"quantity":0.455,"taxRate":10},{"barcode":'
    '"4011","description":"x","price":1.005,"quantity":-1}],"total":1.27,"timestamp":"2026-04-15T18:58:37Z",'
    '"extra":{"a":[1,2.50,true,null,""]}}', 'UTF8') as raw;

create temp table hostile as
-- Noise of any length.
select decode(repeat(md5(random()::text), n % 9), 'hex') as raw from generate_series(1, 1000) as n
union all
-- One byte of a good receipt is another one.
select set_byte(raw, n % length(raw), (random() * 255)::int) from good, generate_series(0, 2999) as n
union all
-- A good receipt ends too early, or goes on.
select substring(raw for n) from good, generate_series(0, 400) as n
union all
select raw || decode(lpad(to_hex(n), 2, '0'), 'hex') from good, generate_series(0, 255) as n
union all
-- A part of a good receipt stands twice, or is missing.
select substring(raw for a) || substring(raw from b)
from good, generate_series(1, 2000), lateral (select (random() * 400)::int as a, (random() * 400)::int as b) as cut
union all
-- Trees and texts without end, numbers without measure, half characters, other encodings.
select convert_to(text, 'UTF8') from (values
    (repeat('[', 100000)), (repeat('{"a":', 100000)), (repeat('[1,', 100000)), ('"' || repeat('x', 100000)),
    ('{"total":1e1000000}'), ('{"total":-0}'), ('{"total":' || repeat('9', 100000) || '}'), ('{"total":1e400}'),
    ('{"a":"\ud800"}'), ('{"a":"\udc00\ud800"}'), ('{"\u0000":"\u0000"}'), ('{"a":NaN}'), ('null'), ('[]'), ('{}'),
    ('0'), ('""'), ('{"items":{}}'), ('{"items":[[],{},null,1,""]}'), ('{"receiptId":"../../x"}'),
    ('{' || (select string_agg(format('"%s":1', n), ',') from generate_series(1, 50000) as n) || '}'),
    ('{"items":[' || (select string_agg('{}', ',') from generate_series(1, 5000)) || ']}')
) as t (text)
union all
select decode(hex, 'hex')
from (values ('00'), ('ff'), ('fffe'), ('feff'), ('efbbbf'), ('fffe7b00'), ('feff007b007d'), ('c0af'), ('eda080'),
    ('f8888080'), ('7b22'), (repeat('00', 4096))) as t (hex)
union all
-- Beyond the limit in bytes.
select convert_to(repeat('[1],', 600000), 'UTF8');

do $$
declare
    counted record;
begin
    select count(*) as files,
        count(*) filter (where a ->> 'outcome' in ('accepted', 'held')) as usable,
        count(*) filter (where a ->> 'outcome' = 'quarantined' and jsonb_array_length(a -> 'problems') > 0) as refused,
        count(*) filter (where a ->> 'outcome' <> 'quarantined'
            and a ->> 'content_hash' is distinct from encode(sha256(convert_to(a ->> 'body', 'UTF8')), 'hex')) as wrong
    into counted
    from (select tpv.receipt_parse(raw) as a from hostile) as answered;
    assert counted.files > 6000 and counted.usable > 0, 'the files are thousands, and some are receipts still';
    perform test.equal(counted.files,
        counted.usable + counted.refused, 'each file is usable, or has a problem that says why not');
    perform test.equal(counted.wrong, 0, 'what is usable has the hash of its body');
end
$$;

-- Terminals that declare nonsense.
do $$
declare
    terminal jsonb;
    a jsonb;
begin
    foreach terminal in array array[
        'null', '[]', '1', '"x"', '{"color": 1}', '{"encoding": "ebcdic"}', '{"price_decimals": 1e30}',
        '{"price_decimals": 9007199254740993.01}', '{"timezone": {}}', '{"barcode_rules": [[]]}',
        '{"barcode_rules": [{"prefix": "", "length": -1}]}', '{"terminal": ""}',
        (repeat('[', 1000) || repeat(']', 1000))::jsonb,
        (select jsonb_object_agg('key ' || n, n) from generate_series(1, 1000) as n)
    ]::jsonb[] loop
        a := tpv.receipt_parse((select raw from good), terminal);
        assert a ->> 'outcome' = 'quarantined' and a #>> '{problems,0,code}' = 'TERMINAL_CONFIG'
            and jsonb_array_length(a -> 'problems') <= 20, format('%s is a fault', left(terminal::text, 60));
    end loop;
end
$$;
