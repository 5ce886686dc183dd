-- Whoever opens schema bi finds the right view by its comments alone: each view says its grain, each column what it means. The
-- roll-ups below are commented as well.

\ir prelude/test.sql

create temp view relation as
select c.oid, c.relkind, c.oid::regclass::text as name, c.relowner, c.reloptions, c.relnamespace::regnamespace::text as schema
from pg_class c where c.relnamespace::regnamespace::text in ('bi', 'rollup') and c.relkind in ('r', 'p', 'v', 'm');

do $$
declare
    wrong text;
begin
    assert (select count(*) from relation where schema = 'bi') > 30 and (select count(*) from relation where schema = 'rollup') >= 9,
        'there is something to look at';
    select string_agg(name, ', ') into wrong from relation where obj_description(oid, 'pg_class') is null;
    assert wrong is null, 'without a comment: ' || wrong;
    select string_agg(r.name || '.' || a.attname, ', ') into wrong from relation r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    where col_description(r.oid, a.attnum) is null;
    assert wrong is null, 'columns without a comment: ' || wrong;
    select string_agg(name, ', ') into wrong from relation where schema = 'bi' and obj_description(oid, 'pg_class') !~ '\mGrain: ';
    assert wrong is null, 'views that do not say what a row is: ' || wrong;
    select string_agg(name, ', ') into wrong from relation where schema = 'bi' and relkind <> 'v';
    assert wrong is null, 'bi has views and nothing else: ' || wrong;
    assert not exists (select from pg_proc where pronamespace = 'bi'::regnamespace), 'nor functions';
    select string_agg(name, ', ') into wrong from relation where relowner <> 'tpv_owner'::regrole;
    assert wrong is null, 'not tpv_owner''s: ' || wrong;
    -- What a word means is said once, so a word has one type.
    select string_agg(attname, ', ') into wrong from (
        select a.attname from pg_attribute a join relation r on r.oid = a.attrelid
        where r.schema = 'bi' and a.attnum > 0 and a.attname not in ('currency')
        group by a.attname having count(distinct a.atttypid) > 1) t;
    assert wrong is null, 'words with two types: ' || wrong;
    select string_agg(r.name, ', ') into wrong from relation r
    where r.name ~ '^bi\.(chain_)?sales_by_' and not exists (
        select from pg_attribute a where a.attrelid = r.oid and a.attname = 'complete_until');
    assert wrong is null, 'answers that do not say up to when they are complete: ' || wrong;
    select string_agg(r.name || '.' || a.attname, ', ') into wrong from relation r
    join pg_attribute a on a.attrelid = r.oid and a.atttypid in ('real'::regtype, 'double precision'::regtype, 'money'::regtype);
    assert wrong is null, 'columns that cannot hold money: ' || wrong;
end
$$;
