-- A layout is saved as the next version, for the store or for one department, whose own goes first;
-- faults are refused all at once.

\ir prelude/store.sql

do $$
declare
    refusal record;
begin
    select * into refusal from test.refusal($q$ select dat.save_profile(
        '{"fields": [{"name": "x"}, {"name": "y", "length": 2, "align": "middle"}], "colour": 1}') $q$);
    assert refusal.state = '22023' and refusal.message = 'the profile has faults'
        and refusal.detail like '%/fields/0/length%' and refusal.detail like '%/fields/1/align%'
        and refusal.detail like '%/colour%', 'all faults at once: ' || refusal.detail;
    perform test.refused('select dat.save_profile(''[]'')', '22023', what => 'a list is no layout');
    perform test.refused('select dat.save_profile(''{}'')', '22023', what => 'nor is nothing');
    assert (select state from test.refusal('select dat.save_profile(null)')) in ('22004', '22023', '23502'),
        'null is none, either';
    perform test.refused($q$ select dat.save_profile(tpv.dat_legacy_profile(), '77') $q$,
        '23503', what => 'for a department that is not there');
    perform test.equal((select count(*) from dat.profile), 1, 'nothing of it was kept');

    set local client_min_messages = error;
    assert dat.save_profile('{"fields": [{"name": "barcode", "length": 13}]}') = 2
        and dat.save_profile('{"fields": [{"name": "barcode", "length": 14}]}') = 3, 'versions count up';
    assert dat.save_profile('{"fields": [{"name": "description", "length": 9}]}', '02') = 1
        and dat.save_profile('{"fields": [{"name": "description", "length": 8}]}', '02') = 2,
        'for each department by itself';
    perform test.equal((select array_agg(concat_ws(' ', coalesce(department_code, '-'), version, saved_by)
            order by department_code nulls first, version) from dat.profile),
        array['- 1 login:postgres', '- 2 login:postgres', '- 3 login:postgres', '02 1 login:postgres',
            '02 2 login:postgres'], 'and all are kept');

    perform test.equal((select convert_from(dat, 'UTF8') from test.take(test.receipt('1', terminal => 'T02'), 'T02')),
        'PAN     ', 'a department''s own goes first');
    perform test.equal((select convert_from(dat, 'UTF8') from test.take(test.receipt('1'))),
        '8436006836053 ', 'else the store''s newest');
    perform test.equal((select array_agg(concat_ws(' ', f.terminal, f.profile_version, p.version) order by f.terminal)
        from dat.file f join dat.profile p using (profile_id)), '{T01 3 3,T02 2 2}', 'each .dat knows its layout');
end
$$;

-- What is merely unwise is said, and saved.
\set VERBOSITY terse
set client_min_messages = warning;
select dat.save_profile(tpv.dat_legacy_profile()) as saved \gset

do $$
begin
    perform test.equal((select max(version) from dat.profile where department_code is null),
        4, 'a name that can collide is a warning');
end
$$;
