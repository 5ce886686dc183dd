-- Runs of jobs, rows that are done, security events: each by its own setting, by the role that
-- pg_cron uses.

\ir prelude/central.sql

insert into sync.quarantine (node_id, kind, code, detail, refused, resolved_at)
values (1, 'x', 'OLD', 'd', '{}', now() - interval '100 days'), (1, 'x', 'NEW', 'd', '{}', now()),
    (1, 'x', 'WAITS', 'd', '{}', null);
update sync.quarantine set at = now() - interval '1000 days';
insert into sync.drift (node_id, what, subject, from_seq, to_seq, detail, resolved_at)
values (1, 'operations', 'old', 1, 2, 'd', now() - interval '100 days'), (1, 'operations', 'open', 1, 2, 'd', null);
insert into sync.snapshot (snapshot_id, node_id, completed_at)
values (gen_random_uuid(), 1, now() - interval '200 days'), (gen_random_uuid(), 1, now() - interval '100 days');
insert into sec.audit (at, event, subject)
values (now() - interval '800 days', 'OLD', 's'), (now() - interval '700 days', 'NEW', 's');
insert into cron.job_run_details (jobid, runid, username, status, start_time, end_time)
values (1, -1, 'tpv_cron', 'succeeded', now() - interval '20 days', now() - interval '20 days'),
    (1, -2, 'tpv_cron', 'failed', now() - interval '20 days', null), (1, -3, 'tpv_cron', 'succeeded', now(), now()),
    (1, -4, 'postgres', 'succeeded', now() - interval '20 days', now() - interval '20 days');

set role tpv_cron;
select test.equal(sync.prune_records(), 4::bigint, 'what is old goes') \g /dev/null
select test.equal(sync.prune_runs(), 2::bigint, 'runs too') \g /dev/null
select test.equal(sync.prune_records() + sync.prune_runs(), 0::bigint, 'once') \g /dev/null
reset role;

do $$
begin
    perform test.equal((select array_agg(code order by code) from sync.quarantine), '{NEW,WAITS}',
        'what waits stays, however old');
    perform test.equal((select array_agg(subject) from sync.drift), '{open}', 'so does what is open');
    perform test.equal((select count(*) from sync.snapshot), 1, 'the last snapshot says that a peer''s rows are here');
    perform test.equal((select array_agg(event) from sec.audit where subject = 's'), '{NEW}', 'the audit has its own time');
    perform test.equal((select array_agg(runid order by runid) from cron.job_run_details where runid < 0), '{-4,-3}',
        'the runs of others stay');
    perform test.equal((select array_agg(what || ' ' || gone order by what) from sync.pruning),
        array['sec.audit 1', 'sync.drift 1', 'sync.quarantine 1', 'sync.snapshot 1'], 'and it is noted');
end
$$;

-- For ever, and for no time.
set pg_tpv.keep_audit = -1;
set pg_tpv.keep_resolved = 0;
update sec.audit set at = now() - interval '90 years';
select test.equal(sync.prune_records(), 1::bigint, 'what is done goes at once, the audit stays') \g /dev/null
select test.refused('set pg_tpv.keep_audit = -2', '22023') \g /dev/null
select test.refused('set role tpv_cron; set pg_tpv.keep_audit = 0', '42501') \g /dev/null
