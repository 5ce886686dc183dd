-- origin came with 16, and so did apply workers that become the owner of each table: tpv_apply may not.

\ir prelude/store.sql

do $$
declare
    common text := 'create_slot = false, enabled = false, copy_data = false, binary = true, streaming = off, '
        'disable_on_error = false';
begin
    perform test.equal(sync.subscription_options(150004, 'none'), common, 'what 15 knows');
    perform test.equal(sync.subscription_options(160000, 'none'),
        common || ', origin = none, password_required = false, run_as_owner = true', 'at central');
    perform test.equal(sync.subscription_options(180001, 'any'),
        common || ', origin = any, password_required = false, run_as_owner = true', 'in a store');
    perform test.equal((select count(*) from sync.join_steps('S07', 7, 'CENTRAL', 100, 'host=s', 'host=c')
            where sql like '%create subscription%' and sql like '%alter role tpv_apply nosuperuser%'),
        2, 'a superuser for no longer than it takes');
    -- Each server logs in as what the plan makes for it, and as nobody else.
    perform test.equal((select array_agg(step order by step) from sync.join_steps('S07', 7, 'CENTRAL', 100, 'host=s', 'host=c')
            where sql like '%create role tpv_peer_s07%tpv_to_s07%' or sql like '%create role tpv_peer_central%tpv_up_s07%'
                or sql like '%host=s user=tpv_peer_central%' or sql like '%host=c user=tpv_peer_s07%'),
        array[13, 23, 24, 30], 'logins');
    perform test.refused($q$select * from sync.join_steps('S07', 7, 'CENTRAL', 100, 'host=s user=x', 'host=c')$q$, '22023');
    perform test.refused($q$select * from sync.join_steps('S07', 7, 'CENTRAL', 100, 'host=s', 'postgresql://c/tpv')$q$, '22023');
    perform test.refused($q$select * from sync.join_steps('S07', 7, 'CENTRAL', 100, 'host=s', 'host=c application_name=x')$q$, '22023');
end
$$;
