-- What happened: a server whose clock was two years ahead for some minutes noted what peers asked for with
-- times of then. With the right clock nothing of it was due for two years.
\ir prelude/central.sql

set role tpv_owner;
select sync.add_peer(2, 'S02', 'store') \g /dev/null
reset role;

do $$
declare
    ahead timestamptz := clock_timestamp() + interval '2 years';
begin
    perform sync.receive_request(2, '[{"what": "snapshot"}]');
    update sync.request set requested_at = ahead;
    insert into sync.served (node_id, served_at, snapshot_at, bytes, bytes_since) values (2, ahead, ahead, 1000000000000, ahead)
        on conflict (node_id) do update set served_at = ahead, snapshot_at = ahead, bytes = 1000000000000, bytes_since = ahead;
    insert into sync.drift (node_id, what, subject, from_seq, to_seq, detail, requested_at) values (2, 'operations', '2', 1, 1, 'x', ahead);
    update sync.peer set heads_requested_at = ahead;
    perform test.equal(sync.serve_requests(), 0, 'nothing is due');
    perform sync.reconcile();
    assert (select requested_at from sync.request where what = 'snapshot') <= clock_timestamp(), 'what was asked for is due';
    assert (select greatest(served_at, snapshot_at, bytes_since) from sync.served) <= clock_timestamp(), 'nobody is put off';
    assert not exists (select from sync.drift where requested_at > clock_timestamp()), 'rows are requested again';
    assert not exists (select from sync.peer where heads_requested_at > clock_timestamp()), 'so are heads';
end
$$;
