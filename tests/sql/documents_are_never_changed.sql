-- UPDATE, DELETE and TRUNCATE of documents are refused to everybody, the superuser included,
-- wherever the documents lie.

\ir prelude/store.sql

select test.take(test.receipt('1')) \g /dev/null
-- One in the default partition, too.
insert into wire.doc
select 1, gen_random_uuid(), date '2150-01-01', 'day_close', null, 1, 1, 'X', 1, decode(repeat('00', 32), 'hex'),
    '{}', sha256('{}');

do $$
declare
    leaf text := (select tableoid::regclass::text from wire.doc where kind = 'receipt');
    relation text;
    refusal record;
begin
    assert leaf ~ '^wire\.doc_\d{4}_\d\d$'
        and exists (select from only wire.doc_default), 'documents lie in a leaf and in the default partition';
    foreach relation in array array['wire.doc', leaf, 'wire.doc_default'] loop
        for refusal in
            select s.statement, r.* from (values (format('update %s set body = ''{}''', relation)),
                (format('update %s set doc_id = doc_id', relation)),
                (format('delete from %s', relation)), (format('truncate %s', relation)),
                (format('update %s set business_date = %L', relation, '2150-01-02')),
                (format('merge into %s d using (select 1) as s (one) on true when matched then delete',
                    relation))) as s (statement),
                test.refusal(s.statement) as r
        loop
            assert refusal.state = '42501'
                and refusal.hint like '%pg_tpv.maintenance%', format('%s: %s', refusal.statement, refusal.message);
        end loop;
    end loop;
    assert (select state from test.refusal($q$insert into wire.doc select * from wire.doc
        on conflict (node_id, doc_id, business_date) do update set body = 'x'$q$))
        in ('00000', '42501'), 'an upsert is dropped or refused';
    set local session_replication_role = replica;
    perform test.refused('delete from wire.doc', '42501', what => 'nor does a replica''s session get past it');
    set local session_replication_role = origin;
    perform test.equal((select array_agg(kind order by kind) from wire.doc where body <> 'x'),
        '{day_close,receipt}', 'they are as they were');
end
$$;

-- Maintenance is a setting of the owner's.
do $$
begin
    set local role tpv_owner;
    set local pg_tpv.maintenance = on;
    update wire.doc set hlc = 2 where kind = 'day_close';
    perform test.equal((select hlc from wire.doc where kind = 'day_close'), 2, 'an update goes through');
    delete from wire.doc where kind = 'day_close';
    assert not exists (select from wire.doc where kind = 'day_close'), 'so does a delete';
    truncate wire.doc;
    assert not exists (select from wire.doc), 'and a truncate';
    reset role;
    set local role tpv_operator;
    perform test.refused('set local pg_tpv.maintenance = on', '42501', what => 'an operator cannot set it');
end
$$;
