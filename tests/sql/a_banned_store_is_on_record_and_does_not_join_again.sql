-- A store's machine was stolen: one call at central ends what it has there, tells every node, and takes back
-- what its gateway could open. Its number joins again only when somebody lifts the ban.
\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01'), test.node(2, 'S02', '01') \g /dev/null
insert into sync.peer (node_id, subscription_name, joined_seq) values (1, 'tpv_from_s01', 3), (2, 'tpv_from_s02', 5);
insert into sync.peer_vector values (2, 100, 1);
insert into sync.request (node_id, what) values (2, 'snapshot');
insert into sync.horizon values (2, 7);
select test.hire('ana', 'cashier', 1), test.hire('eva', 'cashier', 2), test.hire('mar', 'manager') \g /dev/null
select sec.set_password(test.employee(code), '$argon2id$1', null) from unnest(array['ana', 'eva', 'mar']) code \g /dev/null
select sec.register_gateway_key('S01', repeat('A', 43) || '='), sec.register_gateway_key('S02', repeat('B', 43) || '=') \g /dev/null
select sec.save_verifier(d.employee_id, d.node_id, d.gateway_key_id, 'SEALED', d.changed_at) from sec.verifiers_due(10) d \g /dev/null
create temp table authz as select e.code, e.authz from party.employee e;

do $$
declare
    plan text := $q$select * from sync.%s('S02', 2, 'CENTRAL', 100, 'host=s02', 'host=central')$q$;
begin
    perform test.refused($q$call sync.ban('S02', '')$q$, '22023', 'a reason is required');
    perform test.refused($q$call sync.ban('S09', 'stolen')$q$, 'P0002', 'there is no store of that name');
    perform test.refused($q$call sync.ban('CENTRAL', 'stolen')$q$, 'P0002');
    perform test.refused($q$call sync.ban('S02', 'stolen')$q$, '2D000', what => 'not within a transaction');
    perform test.refused($q$select sync.unban('S02', 'found')$q$, 'P0002', 'that store is not banned');
    execute format(plan, 'join_plan');
    set local role tpv_owner;
    perform test.refused($q$call sync.ban('S02', 'stolen')$q$, '42501', 'a superuser bans a store');
    set local role tpv_operator;
    perform test.refused($q$call sync.ban('S02', 'stolen')$q$, '42501');
    perform test.refused($q$select sync.unban('S02', 'stolen')$q$, '42501');
    perform test.refused($q$select sync.record_ban('S02', 'stolen')$q$, '42501');
end
$$;
begin isolation level repeatable read;
select test.refused($q$call sync.ban('S01', 'stolen')$q$, '25001') \g /dev/null
rollback;
-- What it answers.
create table test.told (told text);
create procedure test.ban(store text, why text) language plpgsql as $$
declare
    told text;
begin
    call sync.ban(store, why, told);
    delete from test.told;
    insert into test.told values (told);
end $$;
create role tpv_peer_s02 login replication in role tpv_peer;
call test.ban('S02', 'stolen, report 4711');
select test.equal((select told from test.told), 'S02 is banned: nothing after its operation 7 is believed; '
    'employees whose passwords are on that machine, and should be changed: 1', 'what is said') \g /dev/null
do $$
declare
    before org.ban;
begin
    select * into before from org.ban;
    perform test.equal((before.node_id, before.last_seq, before.joined_seq, before.why)::text, '(2,7,5,"stolen, report 4711")', 'on record');
    assert before.banned_by = sec.actor() and before.lifted_at is null, 'who, and that it holds';
    perform test.equal((select count(*) from pg_roles where rolname = 'tpv_peer_s02'), 0, 'its login is gone');
    perform test.equal((select array_agg(p.node_id) from sync.peer p), '{1}'::integer[], 'it is no peer');
    perform test.equal((select count(*) from sync.request), 0, 'nothing is sent to it');
    perform test.equal((select array_agg(s.node_id order by s.node_id) from org.store s where s.gateway_url is not null), '{1}'::integer[], 'nobody is sent there');
    perform test.equal((select array_agg(node_id) from sec.gateway_key where not deleted), '{1}'::integer[], 'nothing is sealed for its gateway');
    perform test.equal((select array_agg(node_id) from sec.verifier where not deleted), '{1}'::integer[], 'and what was is withdrawn');
    perform test.equal((select count(*) from sec.verifiers_due(10)), 0, 'nor will be');
    perform test.equal((select array_agg(e.code) from party.employee e join authz a using (code) where e.authz <> a.authz), '{eva}'::text[],
        'sessions of who worked there are over, everywhere');
    perform test.equal((select array_agg(concat_ws('|', event, subject, detail)) from sec.audit where event like '%BAN%'),
        '{"STORE_BANNED|node 2|stolen, report 4711"}'::text[], 'it is a security event');

end
$$;
call test.ban('S02', 'another reason');
do $$
begin
    assert (select told from test.told) like 'S02 was banned already, at %: nothing after its operation 7 is believed', (select told from test.told);
    perform test.equal((select count(*) from org.ban), 1, 'twice is once');

    perform test.refused($q$select sync.join_plan('S02', 2, 'CENTRAL', 100, 'host=s02', 'host=central')$q$, '55000', 'node 2 is banned',
        detail_like => '%stolen, report 4711%', hint_like => 'A new machine joins under a number and a name of its own%');
    perform test.refused($q$select sync.rejoin_plan('S02', 2, 'CENTRAL', 100, 'host=s02', 'host=central')$q$, '55000', 'node 2 is banned');
    perform test.refused($q$select sync.add_peer(2, 'S02', 'store')$q$, '55000', 'node 2 is banned');
    perform test.refused($q$select sec.register_gateway_key('S02', repeat('C', 43) || '=')$q$, '55000', 'node 2 is banned');
    perform test.refused($q$select sync.unban('S02', '')$q$, '22023');

    perform sync.unban('S02', 'it was in the other van');
    perform test.equal((select (b.lifted_by = sec.actor(), b.lifted_why)::text from org.ban b), '(t,"it was in the other van")', 'lifted, on record');
    perform sync.add_peer(2, 'S02', 'store');
    perform test.equal((select p.joined_seq from sync.peer p where p.node_id = 2), 5, 'what it wrote meanwhile is not of before it joined');
end
$$;
call test.ban('S02', 'stolen again');
select test.equal((select count(*) from org.ban where lifted_at is null), 1, 'a second ban is another row') \g /dev/null
-- Every node hears of it.
select test.equal((select count(*) from wire.op where table_name = 'org.ban'), 3, 'as operations of central') \g /dev/null

-- Banned and lifted twice before it joins again: what it wrote meanwhile would count as of before it joined,
-- if the second ban had forgotten up to where that goes.
do $$ begin
    perform sync.unban('S02', 'found again');
    perform sync.add_peer(2, 'S02', 'store');
    perform test.equal((select p.joined_seq from sync.peer p where p.node_id = 2), 5, 'also after two bans');
    perform sync.remove_peer(2);
end $$;
call test.ban('S02', 'a third time');
do $$ begin
    perform sync.unban('S02', 'and found');
    perform sync.add_peer(2, 'S02', 'store');
    perform test.equal((select p.joined_seq from sync.peer p where p.node_id = 2), 5, 'and when it was no peer');
end $$;

-- Restored from a backup of before the ban, it has taken more of the store until it heard of that. All nodes are to
-- have the same.
call test.ban('S02', 'a fourth time');
update sync.horizon set seq = 9 where node_id = 2;
call test.ban('S02', 'again');
select test.equal((select told like 'S02 was banned already, at %, and more of it has come here since: nothing after its operation 9 is believed now, and not 7 as before'
    from test.told), true, 'that is said') \g /dev/null
select test.equal((select last_seq from org.ban where lifted_at is null), 9::bigint, 'and on record') \g /dev/null

-- A server that was restored cannot put it on record. All that flows ends nevertheless.
create role tpv_peer_s02 login replication in role tpv_peer;
update sync.op_counter set held = true;
do $$ begin
    perform sync.shut_login('S02', 'stolen'), sync.end_subscription('S02');
    perform test.equal((select r.rolcanlogin from pg_roles r where r.rolname = 'tpv_peer_s02'), false, 'its login is shut at once');
    assert sync.end_stream('S02') is null, 'and gone when its stream has ended';
    perform test.equal((select count(*) from pg_roles where rolname = 'tpv_peer_s02'), 0, 'its login');
    perform test.refused($q$select sync.record_ban('S02', 'stolen')$q$, '55000', '%RESTORED', hint_like => '%sync.restored_plan%');
end $$;
