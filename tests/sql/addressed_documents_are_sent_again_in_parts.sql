-- Documents that are addressed to a node have a hash chain of their own there. A node gets those
-- again that are addressed to it, and no others, in parts of limited size.

\ir prelude/central.sql

set role tpv_owner;
select sync.add_peer(2, 'S02', 'store'), sync.add_peer(3, 'S03', 'store') \g /dev/null
reset role;

create function test.document(chain text, seq bigint, addressee integer, body text default '{}', writer integer default 100)
returns text language sql as $$
    select format('insert into wire.doc values (%s, %L, current_date, ''day_close'', %L, tpv.hlc_now(), 1, %L, %s, %L, %L, %L)',
        writer, gen_random_uuid(), addressee, chain, seq, decode(repeat('00', 32), 'hex'), body, sha256(convert_to(body, 'UTF8')))
$$;

do $$
declare
    wrong record;
begin
    for wrong in values ('', 2), ('T01', 2), ('>2', null), ('>2', 3), ('>2~2', 3) loop
        perform test.refused(test.document(wrong.column1, 1, wrong.column2), '22023', '%another addressee%',
            format('%s for %s', wrong.column1, wrong.column2));
    end loop;
    assert not exists (select from wire.doc), 'none of them was stored';
end
$$;

-- 250 small documents for S02, with two large ones among them; some for S03; central's own.
select test.document('>2', n, 2, case when n in (120, 121) then format('{"x":"%s"}', repeat('x', 900000)) else '{}' end)
from generate_series(1, 250) as n \gexec
select test.document('>2~2', 1, 2), test.document('>3', 1, 3), test.document('', 1, null) \gexec
-- What store 1 addressed to S02 has passed through here.
alter table wire.doc disable trigger _100_receive;
select test.document('>2', n, 2, writer => 1) from generate_series(1, 3) as n \gexec
alter table wire.doc enable always trigger _100_receive;

-- What is sent while requests are served, as to_node, chains, first and last number.
create function test.served(most integer) returns table (part text, bytes integer) language plpgsql as $$
begin
    truncate wire.resend;
    while sync.serve_requests(most) > 0 loop end loop;
    return query
        select concat_ws(' ', r.to_node, d.chains, d.first, d.last), octet_length(r.body)
        from wire.resend r cross join lateral (
            select string_agg(distinct (j ->> 'node_id') || ':' || (j ->> 'chain'), ',') as chains,
                min((j ->> 'chain_seq')::bigint) as first, max((j ->> 'chain_seq')::bigint) as last
            from json_array_elements(r.body::json -> 'documents') j) as d
        where r.kind = 'documents' order by r.resend_id;
end
$$;

do $$
begin
    perform sync.receive_request(2, '[{"what": "documents"}]');
    perform test.equal((select array_agg(concat_ws(' ', node_id, what, subject, from_seq, to_seq) order by subject) from sync.request),
        array['2 hash_chain 1>2 1', '2 hash_chain >2 1', '2 hash_chain >2~2 1'], 'hash chain by hash chain');
    perform test.equal((select array_agg(part order by part collate "C") from test.served(2000)),
        array['2 100:>2 1 100', '2 100:>2 101 121', '2 100:>2 122 200', '2 100:>2 201 250', '2 100:>2~2 1 1',
            '2 1:>2 1 3'],
        'a hundred at most, and no more than a megabyte before the last');
    assert not exists (select from sync.request), 'it is served';

    perform sync.receive_request(2, '[{"what": "hash_chain", "subject": ">2", "from": 90, "to": 230}]');
    perform test.equal((select array_agg(part) from test.served(60)),
        array['2 100:>2 90 121', '2 100:>2 122 149', '2 100:>2 150 209', '2 100:>2 210 230'],
        'page by page, each committed on its own by the background worker');

    perform sync.receive_request(2, '[{"what": "hash_chain", "subject": ">3"}, {"what": "hash_chain", "subject": ""},
        {"what": "hash_chain", "subject": "*"}, {"what": "hash_chain", "subject": "1>3"}, {"what": "newer", "subject": ">2"}]');
    perform test.equal((select array_agg(distinct split_part(part, ' ', 2)) from test.served(2000)), '{100:>2,100:>2~2}',
        'nobody gets what is addressed to others');
end
$$;

-- A node that has missed a heartbeat is answered by the next heartbeat.
do $$
declare
    beats text[];
begin
    perform tpv.beat(), tpv.beat();
    perform sync.receive_request(2, '[{"what": "heads"}]');
    perform test.equal(sync.serve_requests(), 0, 'nothing is sent for it');
    perform tpv.beat(), tpv.beat();
    select array_agg(case when more::jsonb ? 'since' then 'moved' else 'all' end order by beat) into beats from wire.beat;
    perform test.equal(beats, array['all', 'moved', 'all', 'moved'], 'it names all hash chains');
    assert not exists (select from sync.request), 'once';
end
$$;
