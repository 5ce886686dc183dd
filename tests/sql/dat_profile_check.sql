-- The check of a profile lists every fault with its place, and tells what is only unwise.

\ir prelude/test.sql
\ir prelude/legacy_layout.sql

do $$
begin
    assert not exists (select from legacy, tpv.dat_profile_check(profile) where detail not like 'warning: %'),
        'the legacy profile has no fault';
    perform test.equal((select array_agg(distinct code) from legacy, tpv.dat_profile_check(profile)),
        array['FILE_NAME_COLLIDES'], 'it is warned that the legacy name can collide');
    assert not exists (select from legacy, tpv.dat_profile_check(
        profile || '{"file_name": "scon{departmentCode}_{terminalId}_{receiptId}.dat"}')),
        'a name with its parts told apart is sound, and gives no row';
    perform test.equal((select array_agg(pointer order by pointer) from tpv.dat_profile_check(
        '{"fields": [{"name": "x"}, {"name": "y", "length": 2, "align": "middle"}], "encoding": "ebcdic", "color": 1}')
        where detail not like 'warning: %'),
        array['/color', '/encoding', '/fields/0/length', '/fields/1/align'],
        'all faults come at once, each with its place');
    perform test.equal((select array_agg(code)
        from tpv.dat_profile_check((repeat('[', 1000) || repeat(']', 1000))::jsonb)),
        array['TOO_DEEP'], 'a bottomless profile is a fault, not an error');
    perform test.equal((select count(*) from tpv.dat_profile_check(null)), 0, 'null has no faults');
end
$$;
