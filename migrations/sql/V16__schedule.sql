-- Purpose: what pg_cron does.
-- Limits:  runs as tpv_cron, which may call the scheduled functions and nothing else; every run is
--          a row of cron.job_run_details.
-- Undo:    select cron.unschedule(jobname) from cron.job where username = 'tpv_cron'.

grant tpv_cron to tpv_owner;
grant usage on schema cron to tpv_cron;

set local role tpv_cron;
select cron.schedule('tpv: partitions of wire.doc', '17 3 * * *', 'select wire.maintain_partitions()');
select cron.schedule('tpv: compare with the peers', '* * * * *', 'select sync.reconcile()');
select cron.schedule('tpv: what was sent again', '29 * * * *', 'select sync.prune_resends()');
select cron.schedule('tpv: what waits in quarantine', '* * * * *', 'select sync.replay_waiting(only_due => true)');
select cron.schedule('tpv: old beats', '23 * * * *', 'select sync.prune_beats()');
select cron.schedule('tpv: old operations', '37 * * * *', 'select sync.prune_operations()');
select cron.schedule('tpv: old records', '41 3 * * *', 'select sync.prune_records()');
select cron.schedule('tpv: old sessions', '47 * * * *', 'select sec.prune()');
select cron.schedule('tpv: old runs', '43 3 * * *', 'select sync.prune_runs()');
set local role tpv_owner;
