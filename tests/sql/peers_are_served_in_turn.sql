-- What happened: a store that asked for a snapshot again and again filled the WAL, and nobody else
-- was served.
\ir prelude/central.sql

set role tpv_owner;
select sync.add_peer(2, 'S02', 'store'), sync.add_peer(3, 'S03', 'store') \g /dev/null
insert into party.customer (name) select 'c' || n from generate_series(1, 1200) n;
reset role;

do $$
begin
    -- What nobody has is not noted, so that the list cannot be filled.
    perform sync.receive_request(2, '[{"what": "operations", "subject": "77"}, {"what": "hash_chain", "subject": "T99"},
        {"what": "hash_chain"}, {"what": "operations"}, {"what": "other", "subject": "x"},
        {"what": "snapshot", "subject": "a"}, {"what": "snapshot", "subject": "b"}]');
    perform test.equal((select array_agg(concat_ws(' ', node_id, what, '"' || subject || '"')) from sync.request),
        array['2 snapshot ""'], 'one snapshot is noted');
    assert sync.serve_requests() > 0, 'it is prepared';
    perform sync.receive_request(2, '[{"what": "snapshot"}]');
    perform sync.receive_request(3, '[{"what": "operations", "subject": "100"}]');
    for n in 1 .. 12 loop
        perform sync.serve_requests(500);
        perform sync.receive_request(2, '[{"what": "snapshot"}]');
    end loop;
    perform test.equal((select array_agg(t order by t) from (select format('%s %s %s', to_node, kind, count(*)) as t
        from wire.resend group by to_node, kind) r),
        array['2 snapshot 3', '2 snapshot_end 1', '3 operations 3'], 'each got what it asked for, and one snapshot');
    perform test.equal((select array_agg(to_node order by resend_id) from (
        select * from wire.resend order by resend_id limit 4) r), array[3, 2, 3, 2], 'in turn');
    perform test.equal(sync.serve_requests(), 0, 'nothing is due');
    perform test.equal((select requested_at > now() + interval '4 minutes' from sync.request), true, 'the next one waits');
    update sync.served set snapshot_at = now() - interval '6 minutes';
    update sync.request set requested_at = now();
    assert sync.serve_requests() > 0, 'and is prepared five minutes later';
    assert exists (select from sync.outgoing where to_node = 2), 'for the peer that asked';
    delete from sync.outgoing;
    delete from sync.request;
    -- What happened: 540 bytes, sent again and again, made 41 MB of WAL.
    truncate wire.resend;
    assert (select bytes from sync.served where node_id = 3) > 10000, 'what is sent is counted';
    update sync.served set bytes = 300000000, bytes_since = now() - interval '4 minutes' where node_id = 3;
    perform sync.receive_request(3, '[{"what": "operations", "subject": "100"}]');
    perform sync.receive_request(2, '[{"what": "operations", "subject": "100"}]');
    while sync.serve_requests() > 0 loop end loop;
    perform test.equal((select array_agg(distinct to_node) from wire.resend), array[2], 'who has had enough waits');
    update sync.served set bytes_since = now() - interval '6 minutes' where node_id = 3;
    while sync.serve_requests() > 0 loop end loop;
    perform test.equal((select array_agg(distinct to_node order by to_node) from wire.resend), array[2, 3], 'for five minutes');
end
$$;
