-- What receipt_parse answers about a file: the outcome, the flags, the exact numbers, and a hash
-- that SQL can check.

\ir prelude/test.sql

create temp view file (name, raw) as
select name, convert_to(text, 'UTF8')
from (values
    ('plain', '{"receiptId":"716962","terminalId":"T03","departmentCode":"03","items":[{"barcode":"8436006836053",'
        '"description":"JAMÓN","price":0.10,"quantity":1}],"total":0.1,"timestamp":"2026-04-15T18:58:37Z"}'),
    ('plain, written otherwise', ' {"total": 0.10, "timestamp": "2026-04-15T18:58:37Z", "terminalId": "T03",'
        '"receiptId":"716962","departmentCode":"03","items":[{"quantity":1.000,"price":0.1,"description":"JAMO\u0301N",'
        '"barcode":"8436006836053"}]} '),
    ('extra', '{"receiptId":"716962","terminalId":"T03","departmentCode":"03","items":[{"barcode":"8436006836053",'
        '"description":"A\u0000B","price":1,"quantity":1}],"total":1,"timestamp":"2026-04-15T18:58:37Z",'
        '"odd\u0000key":[9007199254740993.01,{"deep":null}]}'),
    ('total', '{"receiptId":"716962","terminalId":"T03","departmentCode":"03","items":[{"barcode":"8436006836053",'
        '"description":"A","price":1,"quantity":1}],"total":9,"timestamp":"2026-04-15T18:58:37Z"}'),
    ('twice', '{"total":1,"total":1}'),
    ('empty', '')
) as t (name, text);

create temp view answer as
select name, tpv.receipt_parse(raw) as a from file;

do $$
declare
    a jsonb;
    keys text[] := array['body', 'content_hash', 'flags', 'outcome', 'problems', 'receipt'];
begin
    assert (select bool_and(array(select jsonb_object_keys(answer.a) order by 1) = keys) from answer),
        'every answer has the same six keys';

    select answer.a into a from answer where name = 'plain';
    assert a ->> 'outcome' = 'accepted'
        and a -> 'flags' = '[]'
        and a -> 'problems' = '[]', 'a plain receipt is accepted without flags';
    perform test.equal(a #>> '{receipt,items,0,price}', '0.1', 'a price of 0.10 is 0.1');
    perform test.equal((a ->> 'body')::jsonb, a -> 'receipt', 'the body is the text of the receipt');
    perform test.equal(a ->> 'content_hash',
        encode(sha256(convert_to(a ->> 'body', 'UTF8')), 'hex'), 'the hash is that of the body');
    perform test.equal(a,
        (select answer.a from answer where name = 'plain, written otherwise'),
        'the order of keys, idle zeros, spaces and decomposed letters make no other receipt');

    select answer.a into a from answer where name = 'extra';
    assert a ->> 'outcome' = 'accepted'
        and a -> 'flags' = '["CONTROL_CHARS", "EXTRA_FIELDS"]', 'members that nobody knows and controls are flagged';
    perform test.equal(a #>> '{receipt,oddkey,0}',
        '9007199254740993.01', 'a number that no float holds keeps its digits');
    perform test.equal(a #>> '{receipt,items,0,description}', 'AB', 'the tree is without NUL');
    assert position('A\u0000B' in a ->> 'body') > 0, 'the body has the NUL as an escape';
    perform test.equal(a ->> 'content_hash',
        encode(sha256(convert_to(a ->> 'body', 'UTF8')), 'hex'), 'the hash is that of the body, NUL and all');

    select answer.a into a from answer where name = 'total';
    assert a ->> 'outcome' = 'held'
        and a #>> '{problems,0,code}' = 'TOTAL_MISMATCH'
        and a -> 'receipt' <> 'null', 'a wrong total holds the receipt, which is there';

    select answer.a into a from answer where name = 'twice';
    assert a ->> 'outcome' = 'quarantined' and a #>> '{problems,0,code}' = 'DUP_KEY'
        and a #>> '{problems,0,pointer}' = '/total', 'a repeated key quarantines and is pointed at';
    assert a -> 'receipt' = 'null'
        and a -> 'body' = 'null'
        and a -> 'content_hash' = 'null', 'what is quarantined has no receipt, body or hash';

    select answer.a into a from answer where name = 'empty';
    perform test.equal(a #>> '{problems,0,code}', 'EMPTY_FILE', 'an empty file is found');
end
$$;

-- What a terminal declares, and what is set, decides.
do $$
declare
    comma bytea := '{"receiptId":"1","terminalId":"T03","departmentCode":"03","items":[{"barcode":"8436006836053",'
        '"description":"A","price":"12,50","quantity":1}],"total":"12,50","timestamp":"2026-04-15T18:58:37Z"}';
begin
    perform test.equal(tpv.receipt_parse(comma) #>> '{problems,0,code}', 'TYPE', 'a number in text is refused');
    perform test.equal(tpv.receipt_parse(comma, '{"decimal_comma": true}') #>> '{receipt,total}',
        '12.5', 'a number in text is read when the terminal declares decimal commas');
    assert tpv.receipt_parse(comma, null) is null and tpv.receipt_parse(null) is null, 'null in, null out';

    set local pg_tpv.max_receipt_bytes = '1kB';
    perform test.equal(tpv.receipt_parse(convert_to(repeat(' ', 1025), 'UTF8')) #>> '{problems,0,code}',
        'TOO_LARGE', 'the limit in bytes is a setting');
    set local pg_tpv.max_receipt_depth = 3;
    perform test.equal(tpv.receipt_parse('{"a":[[[]]]}') #>> '{problems,0,code}',
        'TOO_DEEP', 'the depth is a setting');
end
$$;
