-- Each part of a snapshot names what is here beyond a gap. Of a node whose numbers have very many gaps
-- the first thousand ranges are named, and what is beyond them comes by comparing.

\ir prelude/central.sql

set role tpv_owner;
select sync.add_peer(2, 'S02', 'store'), sync.add_peer(3, 'S03', 'store') \g /dev/null
reset role;

-- Every second number of store 2, and two ranges of store 3.
alter table wire.op disable trigger _100_receive;
insert into wire.op select 2, 2 * n, n, 'party.customer', gen_random_uuid(), '{"phone":"1"}', '{}' from generate_series(1, 1200) as n;
insert into wire.op select 3, n, n, 'party.customer', gen_random_uuid(), '{"phone":"1"}', '{}'
from unnest(array[1, 2, 4, 5, 7]) as n;
alter table wire.op enable always trigger _100_receive;

do $$
declare
    told jsonb;
begin
    perform sync.send_snapshot(3);
    select body::jsonb into told from sync.outgoing where kind = 'snapshot_end';
    perform test.equal((select count(*) from jsonb_array_elements(told -> 'beyond') as r where r ->> 0 = '2'), 1000,
        'a thousand ranges of a node');
    perform test.equal((select max((r ->> 2)::integer) from jsonb_array_elements(told -> 'beyond') as r where r ->> 0 = '2'), 2000,
        'the first ones');
    perform test.equal((select string_agg(r::text, ' ' order by r) from jsonb_array_elements(told -> 'beyond') as r where r ->> 0 = '3'),
        '[3, 4, 5] [3, 7, 7]', 'of another node all');
    perform test.equal((select count(*) from sync.outgoing o, jsonb_array_elements(o.body::jsonb -> 'operations') as p
        where o.kind = 'operations'), 1000, 'and as many operations');
end
$$;
