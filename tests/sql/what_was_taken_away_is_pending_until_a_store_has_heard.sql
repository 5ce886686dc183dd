-- Somebody is disabled, or her password was stolen, while a store is cut off: there her sessions go on
-- until it has heard. That window cannot be closed, so it is shown, by what the store's heartbeats say
-- that it has.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01'), test.node(2, 'S02', '01') \g /dev/null
insert into sync.peer (node_id, subscription_name, beat_at) values (1, 'tpv_from_s01', '2026-03-01 10:00+00'), (2, 'tpv_from_s02', now());
select test.hire('ana', 'cashier', 1), test.hire('eva', 'cashier', 1), test.hire('eva', 'cashier', 2), test.hire('luz', 'manager'),
    test.hire('mar', 'cashier', 1), test.hire('new', 'cashier', 1, valid_to => current_date + 90) \g /dev/null
create function test.pending() returns text[] language sql as $$
    select coalesce(array_agg(concat_ws(' ', code, store) order by code, store), '{}') from sec.pending_revocation
$$;
create function test.heard(node_id integer) returns void language sql as $$
    insert into sync.peer_vector (node_id, writer_id, seq) select heard.node_id, 100, max(seq) from wire.op where node_id = 100
    on conflict (node_id, writer_id) do update set seq = excluded.seq
$$;
select test.equal(test.pending(), '{}', 'nothing was taken away: who is new is not listed') \g /dev/null
select test.heard(1), test.heard(2) \g /dev/null
select test.equal(test.pending(), '{}', 'and all have heard of them') \g /dev/null

update party.employee set active = false where code in ('ana', 'luz');
update sec.role_grant set deleted = true where employee_id = test.employee('eva') and node_id = 2;
update sec.role_grant set valid_to = current_date where employee_id = test.employee('mar');
select test.equal(test.pending(), '{ana S01,eva S01,eva S02,luz S01,luz S02,mar S01}', 'each store that she could log in at') \g /dev/null
select test.equal((select last_heard_at from sec.pending_revocation where code = 'ana'), '2026-03-01 10:00+00', 'when it was heard last'),
    test.equal((select since between now() - interval '1 minute' and now() + interval '20 seconds' from sec.pending_revocation where code = 'ana'), true,
        'since when') \g /dev/null
select test.heard(2) \g /dev/null
select test.equal(test.pending(), '{ana S01,eva S01,luz S01,mar S01}', 'one has heard') \g /dev/null
update party.employee set name = 'Eva E' where code = 'eva';
update party.employee set active = true where code = 'luz';
select test.equal(test.pending(), '{ana S01,eva S01,luz S01,luz S02,mar S01}', 'sessions of before go on, although she may log in again') \g /dev/null
select test.heard(1), test.heard(2) \g /dev/null
select sec.set_password(test.employee('new'), '$argon2id$1', null) \g /dev/null
select test.equal(test.pending(), '{}', 'a first password ends nothing') \g /dev/null
select sec.set_password(test.employee('new'), '$argon2id$2', null) \g /dev/null
select test.equal(test.pending(), '{new S01}', 'the next one does') \g /dev/null
update party.employee set deleted = true where code = 'ana';
select test.equal(test.pending(), '{ana S01,new S01}', 'so does this') \g /dev/null
select test.heard(1) \g /dev/null
select test.equal(test.pending(), '{}', 'all have heard') \g /dev/null
