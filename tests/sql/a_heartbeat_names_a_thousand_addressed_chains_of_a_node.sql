-- Central says how far it has what stores address to one another. A store that makes up hash chains
-- without number does not make the heartbeat larger than its peers take.

\ir prelude/central.sql

insert into sync.verified (node_id, chain, chain_seq, hash)
select 2, '>3' || case when n > 1 then '~' || n else '' end, 1, decode(repeat('ab', 32), 'hex') from generate_series(1, 3000) as n;
insert into sync.verified (node_id, chain, chain_seq, hash)
select 1, '>' || n, 1, decode(repeat('ab', 32), 'hex') from generate_series(2, 99) as n;

do $$
begin
    perform tpv.beat();
    perform test.equal((select array_agg(distinct split_part(c, '>', 1) || ' ' || n order by split_part(c, '>', 1) || ' ' || n) from (
        select c, count(*) over (partition by split_part(c, '>', 1)) as n from wire.beat b cross join json_object_keys(b.chains::json) c) s),
        array['1 98', '2 1000'], 'of one store a thousand, of others all');
    assert (select chains::jsonb ?& array['2>3', '2>3~2', '2>3~1000'] from wire.beat), 'the first ones';
end
$$;
