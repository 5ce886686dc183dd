-- What is no usable receipt is answered with a stable code and a place, kept in sales.rejected, and
-- leaves nothing else.

\ir prelude/store.sql

create function test.text(number text) returns text language sql stable as $$ select test.tree(number)::text $$;

create temp table file (name text primary key, raw bytea not null, code text not null, pointer text);
insert into file
select name, convert_to(text, 'UTF8'), code, pointer from (values
    ('cut off', left(test.text('1'), 60), 'TRUNCATED', null),
    ('empty', '', 'EMPTY_FILE', ''),
    ('blanks', E' \r\n\t ', 'EMPTY_FILE', ''),
    ('something behind', test.text('1') || ' x', 'TRAILING_DATA', null),
    ('two receipts', test.text('1') || test.text('2'), 'TRAILING_DATA', null),
    ('key twice', replace(test.text('1'), '"total": 1.00', '"total": 1.00, "total": 1.00'), 'DUP_KEY', '/total'),
    ('key twice inside', replace(test.text('1'), '"price": 1.00', '"price": 1.00, "price": 1.00'), 'DUP_KEY',
        '/items/0/price'),
    ('key twice in what nobody knows', replace(test.text('1'), '"total"', '"x": {"y": [{"z": 1, "z": 2}]}, "total"'),
        'DUP_KEY', '/x/y/0/z'),
    ('comma in a number', replace(test.text('1'), '"price": 1.00', '"price": "12,50"'), 'TYPE', '/items/0/price'),
    ('thousands', replace(test.text('1'), '"price": 1.00', '"price": "1.234"'), 'TYPE', '/items/0/price'),
    ('three decimals', replace(test.text('1'), '"price": 1.00', '"price": 1.005'), 'PRICE_SCALE', '/items/0/price'),
    ('no items', test.tree('1', '[]', 0)::text, 'NO_ITEMS', '/items'),
    ('no quantity', test.tree('1', jsonb_build_array(test.item(1, 0)))::text, 'ZERO_QUANTITY', '/items/0/quantity'),
    ('barcode as a number', replace(test.text('1'), '"8436006836053"', '8436006836053'), 'TYPE', '/items/0/barcode'),
    ('an exponent beyond all digits', replace(test.text('1'), '"total": 1.00', '"total": 1e28'), 'NUMBER_FORMAT',
        '/total'),
    ('a huge exponent', replace(test.text('1'), '"total": 1.00', '"total": 1e1000000'), 'NUMBER_FORMAT', '/total'),
    ('forty digits', replace(test.text('1'), '"total": 1.00', '"total": ' || repeat('9', 40)), 'NUMBER_FORMAT',
        '/total'),
    ('NaN', replace(test.text('1'), '"total": 1.00', '"total": NaN'), 'BAD_JSON', null),
    ('too much money', replace(test.text('1'), '"total": 1.00', '"total": 1000000000000'), 'NUMBER_RANGE', '/total'),
    ('no date', replace(test.text('1'), test.stamp(test.at()), '30/06/2026'), 'TIMESTAMP', '/timestamp'),
    ('no total', (test.tree('1') - 'total')::text, 'MISSING', '/total'),
    ('an array', '[' || test.text('1') || ']', 'TYPE', ''),
    ('too deep', replace(test.text('1'), '"total"', '"x": ' || repeat('[', 40) || repeat(']', 40) || ', "total"'),
        'TOO_DEEP', null),
    ('id: a path', test.text('../../x'), 'BAD_ID', '/receiptId'),
    ('id: a slash', test.text('A/1'), 'BAD_ID', '/receiptId'),
    ('id: a device', test.text('CON'), 'BAD_ID', '/receiptId'),
    ('id: long', test.text(repeat('9', 200)), 'BAD_ID', '/receiptId'),
    ('id: a dot at the end', test.text('1.'), 'BAD_ID', '/receiptId'),
    ('id: empty', test.text(''), 'BAD_ID', '/receiptId'),
    ('id: of a department', test.tree('1', department => '..')::text, 'BAD_ID', '/departmentCode'),
    ('id: of a series', (test.tree('1') || '{"series": "a/b"}')::text, 'BAD_ID', '/series')
) as f (name, text, code, pointer);
insert into file values
    ('code page 1252', convert_to(replace(test.text('1'), 'PAN', 'JAMÓN'), 'WIN1252'), 'ENCODING', ''),
    ('code page 850', convert_to(replace(test.text('1'), 'PAN', 'JAM'), 'UTF8') || '\xe04e'::bytea, 'ENCODING', ''),
    ('UTF-16 without its mark', '\x7b00220072002200'::bytea, 'ENCODING', ''),
    ('NULs', decode(repeat('00', 4096), 'hex'), 'TRUNCATED', ''),
    ('not UTF-8 at all', '\x8081feff'::bytea, 'ENCODING', ''),
    ('too many lines', test.file(test.tree('1', (select jsonb_agg(test.item()) from generate_series(1, 2001)), 2001)),
        'TOO_MANY_LINES', '/items'),
    ('too large', convert_to(repeat(' ', 3 * 1024 * 1024), 'UTF8'), 'TOO_LARGE', '');

create temp table answer as
select f.name, f.code as wanted, f.pointer as place, a.* from file f, test.take(f.raw, name => f.name) as a;

do $$
declare
    wrong text;
begin
    select string_agg(format('%s: %s %s at %s', name, outcome, code, pointer), '; ') into wrong
    from answer where outcome <> 'quarantined' or code is distinct from wanted
        or pointer is distinct from coalesce(place, pointer)
        or detail = '' or num_nonnulls(receipt_id, dat_folder, dat_name, dat, first_outcome) > 0 or flags <> '{}';
    assert wrong is null, wrong;

    select string_agg(file.name, '; ') into wrong
    from file left join sales.rejected r on r.file_name = file.name
    where (r.terminal, r.size_bytes, r.sha256, r.code, r.raw)
        is distinct from ('T01', length(file.raw), sha256(file.raw), file.code, file.raw);
    assert wrong is null, 'each is kept as it came: ' || wrong;
    perform test.equal((select count(*) from sales.rejected), (select count(*) from file), 'each once');
    assert not exists (select from wire.doc) and not exists (select from sales.raw)
        and not exists (select from dat.file)
        and not exists (select from sales.receipt_key) and not exists (select from sec.audit),
        'and nothing else is written';

    perform test.take(raw, name => name) from file;
    perform test.equal((select count(*) from sales.rejected),
        (select count(*) from file), 'the same file again adds no row');
end
$$;
