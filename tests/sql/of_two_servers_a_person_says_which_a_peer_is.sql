-- A server that was copied and its copy cannot both be the peer. What was refused is noted once, and a person decides.

\ir prelude/central.sql

select sync.add_peer(2, 'S02', 'store'), sync.add_peer(3, 'S03', 'store') \g /dev/null

do $$
declare
    advice text;
begin
    perform test.equal(sync.peer_of_slot('tpv_to_s02'), 2, 'a slot is for one peer');
    assert sync.peer_of_slot('tpv_to_s09') is null, 'or for none';
    insert into sync.life (node_id, life, state) values
        (2, '0000000000a1', 'replaced'), (2, '0000000000a2', 'current'), (2, '0000000000b1', 'refused');
    perform test.refused($q$insert into sync.life (node_id, life, state) values (2, '0000000000a3', 'current')$q$, '23505',
        what => 'one may stream');

    -- Again and again it is one event, until somebody has decided.
    for n in 1 .. 3 loop
        perform sync.note_clone(2, '0000000000b1', 100, false);
    end loop;
    perform test.equal((select count(*) from sec.audit where event = 'CLONE'), 1, 'it alarms once');
    select s.advice into advice from sync.status s where s.peer = 'S02' and s.direction = 'sends';
    assert advice like '%no slot here%', advice;
    -- What a peer says, of a server that is not this one and of this one.
    perform sync.note_clone(100, '0000000000c1', 3, false);
    perform sync.note_clone(100, '0000000000c2', 3, true);
    perform test.equal((select count(*) from sync.clone), 3, 'each is on record');
    -- A peer may say what it likes: no more than this is kept of a day.
    for n in 1 .. 40 loop
        perform sync.note_clone(100, to_char(n, 'FM000000000000'), 2, false);
    end loop;
    perform test.equal((select count(*) from sync.clone where from_node = 2), 20, 'of a day');

    perform test.refused($q$select sync.accept_life(2, '')$q$, '22023', what => 'a decision has a reason');
    perform test.refused($q$select sync.accept_life(2, 'x', '0000000000ff')$q$, 'P0002', what => 'of what nobody has heard of');
    perform sync.accept_life(2, 'the one in the shop', '0000000000b1');
    perform test.equal((select string_agg(life || ' ' || state || ' ' || coalesce(replacement, '-'), ', ' order by life)
        from sync.life), '0000000000a1 replaced -, 0000000000a2 replaced 0000000000b1, 0000000000b1 current -', 'the place is its own');
    perform test.equal((select count(*) from sync.clone where settled_at is null), 2, 'that of other peers is open');
    -- The other one comes all the same.
    perform sync.note_clone(2, '0000000000a2', 100, false);
    perform test.equal((select count(*) from sec.audit where event = 'CLONE' and subject like 'node 2,%'), 2, 'it alarms again');
    -- Without a name it is whichever comes next.
    perform sync.accept_life(2, 'it joins again');
    perform test.equal((select count(*) from sync.life where state = 'current'), 0, 'nobody is');
    perform test.equal((select string_agg(subject || ': ' || detail, '; ' order by audit_id) from sec.audit where event = 'LIFE_ACCEPTED'),
        'node 2, life 0000000000b1: the one in the shop; node 2: it joins again', 'both are on record');
    perform sync.accept_life(2, 'it joins again');
    perform test.equal((select count(*) from sec.audit where event = 'LIFE_ACCEPTED'), 2, 'a repeat changes nothing');
    -- What a peer was goes with it.
    perform sync.remove_peer(2);
    perform test.equal((select count(*) from sync.life), 0, 'its lives are gone');
end
$$;
