-- The check of a profile lists every fault with its place, and tells what is only unwise.

create temp table legacy as select '{"fields": [
    {"name": "barcode",        "length": 13, "align": "right", "pad": "0"},
    {"name": "description",    "length": 20, "align": "left",  "pad": " "},
    {"name": "price", "type": "price", "length": 8, "align": "right", "pad": "0"},
    {"name": "quantity", "type": "quantity", "decimals": 3, "length": 7, "align": "right", "pad": "0"},
    {"name": "departmentCode", "length": 3,  "align": "right", "pad": "0"},
    {"name": "timestamp", "format": "ddMMyy", "length": 6}]}'::jsonb as profile;

do $$
begin
    assert not exists (select from legacy, tpv.dat_profile_check(profile) where detail not like 'warning: %'),
        'the legacy profile has no fault';
    assert (select array_agg(distinct code) from legacy, tpv.dat_profile_check(profile)) = array['FILE_NAME_COLLIDES'],
        'it is warned that the legacy name can collide';
    assert not exists (select from legacy, tpv.dat_profile_check(
        profile || '{"file_name": "scon{departmentCode}_{terminalId}_{receiptId}.dat"}')),
        'a name with its parts told apart is sound, and gives no row';
    assert (select array_agg(pointer order by pointer) from tpv.dat_profile_check(
        '{"fields": [{"name": "x"}, {"name": "y", "length": 2, "align": "middle"}], "encoding": "ebcdic", "color": 1}')
        where detail not like 'warning: %') = array['/color', '/encoding', '/fields/0/length', '/fields/1/align'],
        'all faults come at once, each with its place';
    assert (select array_agg(code) from tpv.dat_profile_check((repeat('[', 1000) || repeat(']', 1000))::jsonb))
        = array['TOO_DEEP'], 'a bottomless profile is a fault, not an error';
    assert (select count(*) from tpv.dat_profile_check(null)) = 0, 'null has no faults';
end
$$;
