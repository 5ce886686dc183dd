-- Each pure function of the extension is declared as what it is, since the planner believes the declaration.

\ir prelude/test.sql

do $$
declare
    wrong text;
begin
    select string_agg(format('%s is %s', expected.name, actual), ', ') into wrong
    from (values
        ('receipt_parse', 's', 'jsonb'), ('dat_render', 'i', 'bytea'), ('dat_path', 'i', 'text'),
        ('dat_profile_check', 'i', 'record'), ('gtin_check_digit', 'i', 'text'), ('gtin14', 'i', 'text'),
        ('barcode_decode', 'i', 'jsonb'), ('document_link', 'i', 'bytea'), ('uuid7', 'v', 'uuid')
    ) as expected (name, volatility, result)
    left join pg_proc on pronamespace = 'tpv'::regnamespace and proname = expected.name
    cross join lateral (select (provolatile, proisstrict, proparallel, prorettype::regtype,
        prosecdef)::text) as is_now (actual)
    where (provolatile, proisstrict, proparallel, prorettype::regtype::text, prosecdef)
        is distinct from (expected.volatility::"char", true, 's'::"char", expected.result, false);
    assert wrong is null, wrong;

    select string_agg(oid::regprocedure::text, ', ') into wrong
    from pg_proc
    where pronamespace = 'tpv'::regnamespace and obj_description(oid, 'pg_proc') is null;
    assert wrong is null, format('these functions have no comment: %s', wrong);
end
$$;

-- The settings are the DBA's, and a name that does not exist is refused.
do $$
begin
    -- A session that does not find the library preloaded loads it with the first call.
    perform tpv.uuid7();
    assert (select array_agg(format('%s %s %s', name, setting, coalesce(unit, '-')) order by name) from pg_settings
        where name like 'pg\_tpv.%') @> array['pg_tpv.maintenance off -', 'pg_tpv.max_receipt_age 10080 min',
        'pg_tpv.max_receipt_ahead 90 min', 'pg_tpv.max_receipt_bytes 2097152 B', 'pg_tpv.max_receipt_depth 16 -',
        'pg_tpv.max_receipt_lines 2000 -'], 'the defaults are these';
    assert not exists (select from pg_settings where name like 'pg\_tpv.%' and context not in ('superuser', 'sighup',
        'postmaster')), 'no setting is anybody''s';
    perform test.refused('set pg_tpv.max_reciept_age = 1', '42602', what => 'a misspelt setting is refused');
end
$$;
