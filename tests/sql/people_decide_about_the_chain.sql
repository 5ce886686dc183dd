-- What waits in quarantine, and differences that were looked at, are decided by managers and
-- administrators, and only where they may look.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01'), test.node(2, 'S02', '01') \g /dev/null
select test.hire('mar', 'admin'), test.hire('boss', 'manager', 1) \g /dev/null
insert into sync.peer (node_id, subscription_name, beat_at) values (1, 'tpv_from_s01', now());
insert into sync.quarantine (node_id, kind, code, detail, refused) values (1, 'party.customer', 'FORGED_SENDER', 'x', '{}'), (2, 'party.customer', 'FORGED_SENDER', 'x', '{}');
insert into sync.drift (node_id, what, subject, from_seq, to_seq, detail) values (1, 'operations', '1', 1, 9, 'x');

set session authorization tpv_gateway_user;
do $$
declare
    theirs bigint;
begin
    perform test.enter('mar', 'admin');
    perform test.equal((select array_agg(concat_ws(' ', node, direction, quarantined) order by node, direction) from own.node),
        '{CENTRAL here 2,S01 receives 1,S01 sends 1}'::text[], 'this node and its peers');
    select quarantine_id into theirs from own.quarantine where node_id = 2;
    perform test.equal(test.faults('select own.dismiss(''{"quarantine_id": "1"}'')'), 'TP422 /quarantine_id format, /why missing', 'all faults at once');
    perform test.equal(test.faults('select own.dismiss(''{"quarantine_id": 99, "why": "x"}'')'), 'TP404', 'nothing of that number');
    perform test.equal(own.dismiss(jsonb_build_object('quarantine_id', theirs, 'why', 'looked at')), jsonb_build_object('quarantine_id', theirs, 'resolved', true), 'done');
    perform test.equal(test.faults(format('select own.dismiss(%L)', jsonb_build_object('quarantine_id', theirs, 'why', 'x'))), 'TP409 state', 'once');
    perform test.equal(test.faults('select own.replay(''{"quarantine_id": 99}'')'), 'TP404', 'nothing of that number');
    perform test.equal(own.accept_drift(jsonb_build_object('drift_id', (select drift_id from own.drift), 'why', 'looked at')) -> 'resolved', 'true', 'accepted');
    perform test.equal(test.faults(format('select own.accept_drift(%L)', jsonb_build_object('drift_id', (select drift_id from own.drift), 'why', 'x'))), 'TP409 state', 'once');
    perform test.equal((select array_agg(concat_ws(' ', event, actor) order by audit_id) from own.audit),
        array['DISMISSED employee:' || test.employee('mar'), 'DRIFT_ACCEPTED employee:' || test.employee('mar')]::text[], 'and on record');
end
$$;
do $$
begin
    perform test.enter('boss', 'manager');
    perform test.equal((select array_agg(node_id) from own.quarantine), '{1}'::integer[], 'what is about her store');
    perform test.equal(test.faults('select own.dismiss(''{"quarantine_id": 2, "why": "x"}'')'), 'TP404', 'another store''s row is hidden');
    perform test.equal((select array_agg(node order by direction) from own.node), '{S01,S01}'::text[], 'her store');
end
$$;
