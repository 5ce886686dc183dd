-- A local session may neither write documents in the name of another node, nor such as do not agree
-- with themselves.

\ir prelude/store.sql

create function test.document(node integer, body text, hash bytea) returns text language sql as $$
    select format('insert into wire.doc values (%s, %L, %L, %L, null, 1, 1, %L, 1, %L, %L, %L)', node,
        gen_random_uuid(), test.day(), 'day_close',
        'X', decode(repeat('00', 32), 'hex'), body, hash)
$$;

do $$
begin
    perform test.refused(test.document(2, '{}', sha256('{}')), '42501', '%another node%', 'another node''s document');
    perform test.refused(test.document(1, '{}', sha256('{ }')),
        '22023', what => 'a hash of something else', detail_like => '%SHA-256%');
    perform test.refused(test.document(1, '{}', ''), '22023', what => 'no hash');
    perform test.refused(replace(test.document(1, '{}', sha256('{}')), '''{}''', 'null'), '23502', what => 'no body');
    assert not exists (select from wire.doc) and not exists (select from sync.quarantine), 'none of them was stored';

    assert (select state from test.refusal(test.document(1, '{}', sha256('{}')))) = '00000', 'a right one is';
    assert (select count(*) from wire.doc) = 1 and (select count(*) from sales.day_close) = 1, 'and projected';
end
$$;

-- Only the owner, and nobody else's role.
do $$
declare
    statement text := test.document(1, '{}', sha256('{}'));
    name text;
begin
    foreach name in array array['tpv_watcher', 'tpv_operator', 'tpv_analyst', 'tpv_cron'] loop
        execute format('set local role %I', name);
        perform test.refused(statement, '42501', what => name || ' cannot write documents');
        reset role;
    end loop;
    set local role tpv_owner;
    execute statement;
    perform test.equal((select count(*) from wire.doc), 2, 'tpv_owner can');
end
$$;
