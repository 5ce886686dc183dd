-- Whatever was done to a document behind the triggers, verify_chains names the hash chain, the document
-- and the reason.

\ir prelude/store.sql
\ir prelude/projections.sql

select test.mixed_work() \g /dev/null

create view test.broken as select chain, broken_seq, broken_doc, reason, documents, head_seq from wire.verify_chains()
    where not intact;

-- Tampers, answers what verify_chains says, and undoes it.
create function test.tampered(how text) returns table (chain text, broken_seq bigint, broken_doc uuid, reason text)
    language plpgsql as $$
begin
    begin
        set local pg_tpv.maintenance = on;
        execute how;
        create temp table found on commit drop as select * from test.broken;
        raise exception using errcode = 'P0099', message = (select coalesce(json_agg(f), '[]')::text from found as f);
    exception when sqlstate 'P0099' then
        return query select f.chain, f.broken_seq, f.broken_doc, f.reason from json_to_recordset(sqlerrm::json)
            as f (chain text, broken_seq bigint, broken_doc uuid, reason text);
    end;
end
$$;

do $$
declare
    documents bigint := (select count(*) from wire.doc where chain = 'T01');
    third uuid := (select doc_id from wire.doc where chain = 'T01' and chain_seq = 3);
    fourth uuid := (select doc_id from wire.doc where chain = 'T01' and chain_seq = 4);
    last uuid := (select doc_id from wire.doc where chain = 'T01' and chain_seq = documents);
    found record;
begin
    assert not exists (select from test.broken), 'honest work is intact';
    perform test.equal((select array_agg(concat_ws(' ', v.chain, v.documents, v.head_seq) order by v.chain)
        from wire.verify_chains() as v),
        (select array_agg(concat_ws(' ', c.chain, c.count, c.count) order by c.chain)
            from (select chain, count(*) from wire.doc group by chain) as c),
        'each chain is counted, the node''s own among them');
    perform test.equal((select array_agg(chain order by chain) from wire.verify_chains()),
        '{"",T01,T02,T03,T05}', 'one row for each chain');

    for found in
        select c.*, coalesce(t.number, 0) as number, t.chain, t.broken_seq, t.broken_doc, t.reason from (values
            ('a body', format('update wire.doc set body = body || '' '' where doc_id = %L', third),
                3, third, '%body%'),
            ('a body and its hash',
                format('update wire.doc set body = ''{}'', content_hash = sha256(''{}'') where doc_id = %L', third),
                4, fourth, '%document before%'),
            ('a document', format('delete from wire.doc where doc_id = %L', third), 4, fourth, '%missing%'),
            ('the last document', format('delete from wire.doc where doc_id = %L', last), documents, null, '%end%'),
            ('a link', format('update wire.doc set prev_hash = sha256(''x'') where doc_id = %L', third),
                3, third, '%document before%'),
            ('the last body and its hash',
                format('update wire.doc set body = ''{}'', content_hash = sha256(''{}'') where doc_id = %L', last),
                documents + 1, null, '%end%'),
            ('a kind', format('update wire.doc set kind = ''void'' where doc_id = %L', third),
                4, fourth, '%document before%'),
            ('a business date', format('update wire.doc set business_date = business_date
                    + case when extract(day from business_date) < 15 then 1 else -1 end where doc_id = %L', third),
                4, fourth, '%document before%'),
            ('two numbers',
                format('update wire.doc set chain_seq = 7 - chain_seq where doc_id in (%L, %L)', third, fourth),
                3, fourth, '%document before%'),
            ('a number twice', format('update wire.doc set chain_seq = 3 where doc_id = %L', fourth), 3, fourth, '%'),
            ('all documents', 'delete from wire.doc where chain = ''T01''', 1, null, '%end%'),
            ('a head', 'update sync.hash_chain set head_seq = head_seq + 1 where chain = ''T01''',
                documents + 1, null, '%end%')
        ) as c (what, how, seq, doc, why)
        left join lateral (select t.*, count(*) over () as number from test.tampered(c.how) as t) as t on true
    loop
        assert found.number = 1 and found.chain = 'T01', format('%s: %s broken hash chains', found.what, found.number);
        assert found.broken_seq = found.seq or found.what = 'a number twice',
            format('%s: at %s', found.what, found.broken_seq);
        assert found.broken_doc is not distinct from found.doc or found.what = 'a number twice',
            format('%s: document %s', found.what, found.broken_doc);
        assert found.reason like found.why, format('%s: %s', found.what, found.reason);
    end loop;
    assert not exists (select from test.broken), 'each was undone again';

    -- A forged document behind the last one, as a session of the owner could write it.
    insert into wire.doc values (1, gen_random_uuid(), test.day(), 'day_close', null, 1, 1, 'T05', 99, '', '{}',
        sha256('{}'));
    perform test.equal((select array_agg(chain) from test.broken), '{T05}', 'what was added is found as well');
    -- The link can be checked without us.
    assert not exists (
        select from (
            select lead(prev_hash) over (partition by chain order by chain_seq) as next,
                sha256(prev_hash || content_hash || convert_to(concat_ws('/', node_id, chain, chain_seq, doc_id, kind,
                    business_date), 'UTF8')) as link
            from wire.doc where chain <> 'T05') as d
        where next <> link), 'an auditor calculates the same';
end
$$;
