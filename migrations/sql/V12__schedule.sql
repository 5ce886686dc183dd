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
select cron.schedule('tpv: what waits in quarantine', '* * * * *', 'select sync.replay_waiting()');
select cron.schedule('tpv: old beats', '23 * * * *', 'select sync.prune_beats()');
set local role tpv_owner;
