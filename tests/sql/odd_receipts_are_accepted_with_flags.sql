-- What is odd but clear is accepted at once: a flag says what it was, and the .dat has the right bytes.

\ir prelude/store.sql

create temp table file (name text primary key, raw bytea not null, flags text[] not null, dat bytea);
insert into file
select name, convert_to(text, 'UTF8'), flags, dat from (values
    ('a float''s trace', replace(test.tree('n1')::text, '1.00', '0.30000000000000004'), '{FLOAT_ARTEFACT}'::text[],
        test.line(cents => 30)),
    ('rounded down by the terminal', test.tree('n2', jsonb_build_array(test.item(12.90, 0.455)), 5.86)::text,
        '{ROUNDING}',
        test.line(cents => 1290, thousandths => 455)),
    ('for nothing', test.tree('n3', jsonb_build_array(test.item(0.00)))::text, '{ZERO_PRICE}', test.line(cents => 0)),
    ('typography', test.tree('n4',
        jsonb_build_array(test.item(description => '“ΜUY” LARGO… ' || repeat('X', 105))))::text,
        '{SUBSTITUTED}', test.line('"?UY" LARGO... XXXXX')),
    ('curly quotes', test.tree('n5', jsonb_build_array(test.item(description => '‘A’ – “B”…')))::text, '{}',
        test.line('''A'' - "B"...')),
    ('controls', replace(test.tree('n6')::text, 'PAN', 'A\r\n\tB\u001aC'), '{CONTROL_CHARS}', test.line('A   B C')),
    ('a NUL', replace(test.tree('n7')::text, 'PAN', 'A\u0000B'), '{CONTROL_CHARS}', test.line('A B')),
    ('two code points for one letter', replace(test.tree('n8')::text, 'PAN', 'JAMO\u0301N'), '{}', test.line('JAMÓN')),
    ('a euro, which the page has', test.tree('n9', jsonb_build_array(test.item(description => '5 €')))::text, '{}',
        test.line('5 €')),
    ('an emoji', test.tree('n10', jsonb_build_array(test.item(description => 'PAN 🍞 X')))::text, '{SUBSTITUTED}',
        test.line('PAN ? X')),
    ('Chinese', test.tree('n11', jsonb_build_array(test.item(description => '茶')))::text, '{SUBSTITUTED}',
        test.line('?')),
    ('12 digits', test.tree('n12', jsonb_build_array(test.item(barcode => '843600683605')))::text, '{CHECK_DIGIT}',
        test.line(barcode => '843600683605')),
    ('12 digits with a right check digit',
        test.tree('n13', jsonb_build_array(test.item(barcode => '036000291452')))::text, '{}',
        test.line(barcode => '036000291452')),
    ('a wrong check digit', test.tree('n14', jsonb_build_array(test.item(barcode => '8436006836054')))::text,
        '{CHECK_DIGIT}',
        test.line(barcode => '8436006836054')),
    ('a PLU', test.tree('n15', jsonb_build_array(test.item(barcode => '123456')))::text, '{PLU}',
        test.line(barcode => '123456')),
    ('the same barcode twice', test.tree('n16', jsonb_build_array(test.item(), test.item()))::text, '{}',
        test.line() || E'\r\n'::bytea || test.line()),
    ('more than we know', (test.tree('n17') || '{"cashier": {"name": "Eva", "pi": 3.14159265358979323846}}')::text,
        '{EXTRA_FIELDS}',
        test.line())
) as f (name, text, flags, dat);

create temp table answer as
select f.name, f.flags as wanted, f.dat as bytes, a.* from file f, test.take(f.raw, name => f.name) as a;

do $$
declare
    wrong text;
begin
    select string_agg(format('%s: %s %s %s %s', name, outcome, code, flags, encode(dat, 'escape')), '; ') into wrong
    from answer where outcome <> 'accepted' or flags <> wanted or dat is distinct from bytes or code is not null;
    assert wrong is null, wrong;

    select string_agg(a.name, '; ') into wrong
    from answer a left join sales.receipt r on r.receipt_id = a.receipt_id and r.flags = a.wanted
        and r.state = 'accepted'
        left join sales.receipt_key k on k.receipt_id = a.receipt_id and k.flags = a.wanted
            and k.first_outcome = 'accepted'
        left join dat.file f on f.receipt_id = a.receipt_id and f.bytes = a.bytes and f.sha256 = sha256(a.bytes)
    where num_nulls(r.receipt_id, k.receipt_id, f.receipt_id) > 0;
    assert wrong is null, 'answer, projection, arbiter and .dat agree, not so: ' || wrong;

    perform test.equal((select (total, lines_total, total_difference)::text from sales.receipt
        where receipt_number = 'n2'), '(5.86,5.87,-0.01)', 'the printed total stands, and the difference is stored');
    perform test.equal((select price from sales.receipt_line join answer using (receipt_id)
        where name = 'a float''s trace'), 0.30, 'as it was meant');
    perform test.equal((select length(description) from sales.receipt_line join answer using (receipt_id)
        where name = 'typography'), 118, 'the database keeps the full text');
    assert (select body from wire.doc join answer on doc_id = receipt_id where name = 'a NUL') like '%A\\u0000B%'
        and (select description from sales.receipt_line join answer using (receipt_id) where name = 'a NUL') = 'AB',
        'the body keeps a NUL, a column cannot';
    assert (select gtin14 from sales.receipt_line join answer using (receipt_id)
        where name = '12 digits with a right check digit')
        = '00036000291452' and (select gtin14 is null and barcode = '8436006836054' from sales.receipt_line
        join answer using (receipt_id) where name = 'a wrong check digit'), 'a GTIN has 14 digits beside the raw one';
    perform test.equal((select array_agg(line_number order by line_number) from sales.receipt_line
        join answer using (receipt_id)
        where name = 'the same barcode twice'), '{1,2}', 'two lines are two lines');
    perform test.equal((select body::jsonb #>> '{cashier,pi}' from wire.doc join answer on doc_id = receipt_id
        where name = 'more than we know'), '3.14159265358979323846', 'what nobody knows is kept');
end
$$;
