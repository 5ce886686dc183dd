-- What is larger or deeper than peers take is refused where it is written, with nothing half done.
\ir prelude/central.sql

set role tpv_owner;
create table party.note (note_id uuid primary key, said text, data jsonb);
select sync.track('party.note') \g /dev/null
insert into party.note (note_id, said) values ('00000000-0000-7000-8000-0000000000aa', 'short');
do $$
declare
    aa text := '00000000-0000-7000-8000-0000000000aa';
    written bigint := (select count(*) from wire.op);
begin
    set constraints all immediate;
    update party.note set said = repeat('x', 262144 - length('{"said":""}'));
    perform test.equal((select max(octet_length(patch)) from wire.op), 262144, 'the longest patch is made');
    perform test.refused(format('update party.note set said = repeat(''y'', 262145) where note_id = %L', aa),
        '22023', '%ROW_TOO_LARGE', 'one octet more', detail_like => '%patch%may have 262144.');
    perform test.refused(format('insert into party.note (note_id, data) values (gen_random_uuid(), %L)',
        repeat('[', 64) || repeat(']', 64)), '22023', '%ROW_TOO_LARGE', 'a level too many', detail_like => '%levels%64.');
    insert into party.note (note_id, data) values (gen_random_uuid(), (repeat('[', 63) || repeat(']', 63))::jsonb);
    perform test.equal((select count(*) from wire.op) - written, 2, 'what was refused is no operation');
    perform test.equal((select last_seq from sync.op_counter), (select max(seq) from wire.op), 'and has no number');
    perform test.equal((select count(*) from party.note where said like 'y%'), 0, 'and changed no row');

    -- An element that was once in a set stays a register of its row.
    insert into party.customer (name, tags) select 'x', jsonb_agg('0.' || n) from generate_series(1, 500) as n;
    for nth in 1..3 loop
        update party.customer set tags = (select jsonb_agg(nth || '.' || n) from generate_series(1, 500) as n);
    end loop;
    perform test.refused($s$update party.customer set tags = (select jsonb_agg('4.' || n) from generate_series(1, 500) as n)$s$,
        '22023', '%ENTITY_TOO_LARGE', 'elements that are and that were there', detail_like => '%registers%may have 2500.');
    perform test.equal((select count(*) from party.customer where tags ? '3.1'), 1, 'nothing of it is done');
    update party.customer set tags = (select jsonb_agg('3.' || n) from generate_series(1, 400) as n);
end
$$;
reset role;
