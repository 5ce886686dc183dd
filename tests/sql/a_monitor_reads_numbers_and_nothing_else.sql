-- What watches a node from outside reads how it is, in numbers, and nothing of what it holds.

\ir prelude/store.sql

select receipt_id from test.take(test.receipt('1', total => 9)) \g /dev/null
select count(*) from test.take('garbage', 'T99') \g /dev/null
create role gauges_of_this_test in role tpv_monitor;
grant usage on schema test to gauges_of_this_test;

set session authorization gauges_of_this_test;
do $$
declare
    node record;
begin
    select * into node from sync.node_gauges();
    perform test.equal(concat_ws(' ', node.node, node.kind, node.is_restored, node.quarantined, node.held_receipts), 'S01 store 0 0 1', 'the node');
    assert node.held_oldest_seconds between 0 and 60 and node.last_document_seconds between 0 and 60, 'ages are seconds';
    perform test.equal(node.months_ahead, 3, 'months that have a partition');
    perform test.equal((select recent from sync.event_gauges() where event = 'UNKNOWN_TERMINAL'), 1::bigint, 'events are counted');
    perform test.equal((select recent from sync.event_gauges() where event = 'NOT_ENTITLED'), 0::bigint, 'those that alarm also while there are none');
    perform test.equal((select count(*) from sync.peer_gauges()), 0::bigint, 'it has no peers');
    perform test.refused('select from sales.receipt', '42501', what => 'no receipts');
    perform test.refused('select from sec.audit', '42501', what => 'no subjects of events');
    perform test.refused('select from sync.status', '42501', what => 'nothing but the functions');
end
$$;
reset session authorization;
revoke usage on schema test from gauges_of_this_test;
drop role gauges_of_this_test;
