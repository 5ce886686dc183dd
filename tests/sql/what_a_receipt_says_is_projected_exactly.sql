-- A receipt's row, lines and totals by tax rate say what the document says, to the cent, and its
-- document can be checked in SQL.

\ir prelude/store.sql

do $$
declare
    tree jsonb := test.tree('A-1',
        jsonb_build_array(test.item(1.10, 3) || '{"taxRate": 10}',
        test.item(2.10, 0.5, 'Queso', '8436006836053') || '{"taxRate": 4.0}',
        test.item(0.99, 1) || '{"taxRate": 10.00}', test.item(5, 1) || '{"taxRate": null}',
            test.item(7, 2))) || '{"series": "B"}';
    answer record;
    r sales.receipt;
    d wire.doc;
begin
    select * into answer from test.take(test.file(tree));
    select * into r from sales.receipt;
    assert answer.outcome = 'accepted' and r.receipt_id = answer.receipt_id, 'it is accepted';
    assert (r.node_id, r.business_date, r.terminal, r.department, r.series, r.receipt_number, r.printed_text,
        r.printed_local, r.printed_at, r.line_count)
        = (1, test.day(), 'T01', '01', 'B', 'A-1', test.stored(test.at()), test.local(), test.at(), 5), 'its header';
    assert (r.total, r.lines_total, r.total_difference, r.state, r.first_outcome, r.flags)
        = (24.34, 24.34, 0, 'accepted', 'accepted', '{}'::text[])
        and num_nulls(r.hold_code, r.hold_pointer, r.hold_detail) = 3, 'its money and its state';
    assert r.recorded_at between now() - interval '1 minute' and clock_timestamp() + interval '1 minute',
        'when it came';
    perform test.equal((select array_agg((line_number, price, quantity, tax_rate, total)::text order by line_number)
        from sales.receipt_line where receipt_id = r.receipt_id),
        array['(1,1.1000,3.000,10.00,3.30)', '(2,2.1000,0.500,4.00,1.05)', '(3,0.9900,1.000,10.00,0.99)',
            '(4,5.0000,1.000,,5.00)', '(5,7.0000,2.000,,14.00)'],
        'its lines');
    perform test.equal((select array_agg((tax_rate, total, net, tax)::text order by tax_rate) from sales.receipt_tax
        where receipt_id = r.receipt_id),
        '{"(4.00,1.05,1.01,0.04)","(10.00,4.29,3.90,0.39)","(,19.00,,)"}',
        'its totals by rate, which are known where the rate is');
    perform test.equal((select sum(total) from sales.receipt_tax), r.lines_total, 'and add up');

    select * into d from wire.doc;
    assert d.content_hash = sha256(convert_to(d.body, 'UTF8')) and d.content_hash
        = (select content_hash from sales.receipt_key)
        and (d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, d.schema_version, d.chain, d.chain_seq,
        d.prev_hash)
        is not distinct from (1, r.receipt_id, test.day(), 'receipt', null::integer, 1, 'T01', 1::bigint,
        decode(repeat('00', 32), 'hex')), 'its document';
    assert d.body::jsonb = (tree #- '{items,3,taxRate}') || jsonb_build_object('timestamp', test.stored(test.at()))
        and d.body not like '%: %', 'holds what the terminal wrote, in one form';
    perform test.equal((select (head_seq, head_hash, head_hlc)::text from sync.hash_chain),
        (1, tpv.document_link(1, 'T01', 1, d.doc_id, 'receipt', d.business_date, d.prev_hash, d.content_hash),
        d.hlc)::text, 'and is the head of its hash chain');
    perform test.equal(left(d.doc_id::text, 15), to_char(test.local(), 'YYYYMMDD-HH24MI-8'),
        'under an id that begins with the printed minute and follows from what it is');
    perform test.equal(tpv.receipt_parse(test.file(tree)) ->> 'body', d.body, 'and receipt_parse says the same');
end
$$;

-- The same file at the same store is the same document, whatever happened to the database in between.
create temp table first as select doc_id, business_date, content_hash from wire.doc;
set pg_tpv.maintenance = on;
truncate wire.doc, sync.hash_chain, sales.receipt, sales.receipt_line, sales.receipt_key, sales.terminal_tail,
    dat.file, dat.pending;
set pg_tpv.maintenance = off;

do $$
declare
    raw bytea := (select bytes from sales.raw);
begin
    perform test.equal((select outcome from test.take(raw)), 'accepted', 'it is ingested anew');
    assert not exists (select doc_id, business_date, content_hash from wire.doc except table first),
        'as the document it was';
end
$$;
