-- A local session may neither write documents in the name of another node, nor such as do not agree with themselves.

\ir prelude/store.sql

create function test.document(node integer, body text, hash bytea) returns text language sql as $$
    select format('insert into wire.doc values (%s, %L, %L, %L, null, 1, 1, %L, 1, %L, %L, %L)', node, gen_random_uuid(), test.day(), 'day_close',
        'X', decode(repeat('00', 32), 'hex'), body, hash)
$$;

do $$
declare
    refusal record;
begin
    select * into refusal from test.refusal(test.document(2, '{}', sha256('{}')));
    assert refusal.state = '42501' and refusal.message like '%another node%', 'another node''s document';
    select * into refusal from test.refusal(test.document(1, '{}', sha256('{ }')));
    assert refusal.state = '22023' and refusal.detail like '%SHA-256%', 'a hash of something else';
    assert (select state from test.refusal(test.document(1, '{}', ''))) = '22023', 'no hash';
    assert (select state from test.refusal(replace(test.document(1, '{}', sha256('{}')), '''{}''', 'null'))) = '23502', 'no body';
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
        begin
            execute format('set local role %I', name);
            execute statement;
            assert false, name || ' can not write documents';
        exception when insufficient_privilege then null;
        end;
    end loop;
    set local role tpv_owner;
    execute statement;
    assert (select count(*) from wire.doc) = 2, 'tpv_owner can';
end
$$;
