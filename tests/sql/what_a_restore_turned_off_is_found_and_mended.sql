-- What happened: `pg_restore --disable-triggers` left 66 triggers as plain ones, and nobody was told.
\ir prelude/store.sql

do $$
declare
    of_table regclass;
begin
    perform test.equal((select count(*) from sync.setup_faults() f where f.what !~ '^pg_tpv.database'), 0,
        'all is as the migrations made it');
    assert (select count(*) > 60 from sync.our_triggers() where expected = 'A'), 'partitions count too';
    for of_table in select distinct relation from sync.our_triggers() loop
        execute format('alter table only %s disable trigger all', of_table);
        execute format('alter table only %s enable trigger all', of_table);
    end loop;
    alter table party.customer disable trigger _900_capture;
    perform test.equal((select count(*) from sync.setup_faults() f
        where f.what ~ '^[0-9]+ triggers are not' and f.remedy like '%select sync.mend_triggers()'), 1, 'it is found');
    set local role tpv_owner;
    assert sync.mend_triggers() > 60, 'one call mends it';
    perform test.equal(sync.mend_triggers(), 0, 'once');
    drop trigger _900_capture on party.customer;
    perform test.equal((select f.remedy from sync.setup_faults() f where f.what like '%lacks its trigger _900_capture'),
        'run: select sync.track(''party.customer'')', 'one that is missing');
    perform sync.track('party.customer');
    reset role;
    alter table party.employee owner to postgres;
    perform test.equal((select f.remedy from sync.setup_faults() f where f.what = 'party.employee belongs to postgres'),
        'run: alter table party.employee owner to tpv_owner', 'an owner');
    alter table party.employee owner to tpv_owner;
    execute format('alter database %I set session_replication_role = replica', current_database());
    assert exists (select from sync.setup_faults() f where f.what like '%session_replication_role=replica'), 'a setting';
    execute format('alter database %I reset session_replication_role', current_database());
    perform test.equal((select count(*) from sync.setup_faults() f where f.what !~ '^pg_tpv.database'), 0, 'all is well again');
end
$$;
