-- A store's machine was stolen. What it wrote since a moment is listed, and taken back by one call: what it
-- had replaced stands again, what it made is deleted, and what somebody wrote who had seen it stays. The
-- stamps of a thief say what he likes.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into org.node values (1, 'S01', 'store'), (2, 'S02', 'store');

create function test.key(who text) returns text language sql as $$
    select '00000000-0000-7000-8000-0000000000' || case who when 'ana' then 'a1' when 'bea' then 'b1' when 'carla' then 'c1' when 'dora' then 'd1'
        when 'eva' then 'e1' when 'fay' then 'f1' when 'ghost' then '0a' when 'guest' then '0b' end
$$;
-- A base: the versions of these registers that stand now, as whoever has seen all writes them.
create function test.saw(who text, variadic registers text[]) returns text language sql as $$
    select coalesce(jsonb_object_agg(r, (select jsonb_agg(jsonb_build_array(h -> 0, h -> 1)) from jsonb_array_elements(s.heads::jsonb -> r) h)), '{}')::text
    from sync.head s cross join unnest(registers) r where s.table_name = 'party.customer' and s.key = test.key(who) and s.heads::jsonb ? r
$$;
create function test.lies(seq bigint, who text, patch jsonb, base text, hlc bigint default 1) returns void language sql as
$$ select test.arrives(2, seq, hlc, 'party.customer', test.key(who), patch, base) $$;
create function test.row_of(who text) returns text language sql as $$
    select concat_ws(' ', name, phone, email, city, tags, consent, alias_of, case when deleted then 'deleted' end)
    from party.customer where customer_id = test.key(who)::uuid
$$;
create function test.rows() returns jsonb language sql as $$
    select jsonb_object_agg(who, test.row_of(who)) from unnest(array['ana', 'bea', 'carla', 'dora', 'eva', 'fay']) who
$$;

insert into party.customer (customer_id, name, phone, street, city, tags, consent)
select test.key(who)::uuid, initcap(who), '600', 'Calle 1', 'Madrid', '["old"]', 'all'
from unnest(array['ana', 'bea', 'carla', 'dora', 'eva', 'fay']) who;
-- What the store wrote while it was honest.
do $$ begin perform test.lies(1, 'ana', '{"email": "ana@x"}', test.saw('ana', 'email')); end $$;
insert into sync.horizon values (2, 1);
select sync.note_arrivals(2) \g /dev/null
create temp table before as select clock_timestamp() as since, test.rows() as rows;

do $$ begin
    perform test.lies(2, 'ana', '{"phone": "666"}', test.saw('ana', 'phone'));
    perform test.lies(3, 'ana', '{"phone": "667", "consent": "none"}', test.saw('ana', 'phone', 'consent'));
    perform test.lies(4, 'ana', '{"tags/old": false, "tags/evil": true}', test.saw('ana', 'tags/old'));
    perform test.lies(5, 'ana', '{"address": {"street": "x", "postcode": null, "city": "Nowhere", "country": null}}', test.saw('ana', 'address'));
    -- It says that it has seen nothing, and what comes later.
    perform test.lies(6, 'ana', '{"email": "evil@x"}', '{"email": [[1, 999]]}', 9e17::bigint);
    perform test.lies(7, 'ghost', '{"@exists": true, "name": "Ghost", "phone": "000"}', '{}');
    perform test.lies(8, 'bea', '{"phone": "666", "name": "Beelzebub"}', test.saw('bea', 'phone', 'name'));
    perform test.lies(9, 'carla', '{"@exists": false}', test.saw('carla', '@exists'));
    perform test.lies(10, 'dora', '{"@erased": true, "@exists": false}', test.saw('dora', '@exists'));
    perform test.lies(11, 'eva', format('{"@alias": "%s"}', test.key('ana'))::jsonb, test.saw('eva', '@alias'));
    perform test.lies(12, 'fay', '{"phone": "666"}', test.saw('fay', 'phone'));
    perform test.lies(13, 'guest', '{"@exists": true, "name": "Guest", "phone": "001"}', '{}');
end $$;
-- Somebody saw what it wrote, and wrote.
update party.customer set phone = '700' where customer_id = test.key('bea')::uuid;
update party.customer set email = 'guest@x' where customer_id = test.key('guest')::uuid;
-- What it replaced has left the journal.
begin;
set local pg_tpv.maintenance = on;
delete from wire.op where key = test.key('fay') and node_id = 100;
commit;

do $$
declare
    since timestamptz := (select b.since from before b);
    listed text[];
begin
    perform test.equal(test.row_of('ana'), 'Ana 667 evil@x Nowhere ["evil"] none', 'the lies stand');
    select array_agg(concat_ws(' ', seq, column_name, value_before, value_written, value_now, state, undo) order by seq, column_name collate "C")
        into listed from sync.written_by('S02', since);
    perform test.equal(listed, array[
        '2 phone "600" "666" "667" replaced',
        '3 consent "all" "none" "none" stands restored',
        '3 phone "600" "667" "667" stands restored',
        '4 tags/evil false true true stands restored',
        '4 tags/old true false false stands restored',
        '5 address {"city": "Madrid", "street": "Calle 1", "country": null, "postcode": null} {"city": "Nowhere", "street": "x", "country": null, "postcode": null} '
            '{"city": "Nowhere", "street": "x", "country": null, "postcode": null} stands restored',
        '6 email "ana@x" "evil@x" "evil@x" stands restored',
        '7 @exists true true stands deleted',
        '7 name "Ghost" "Ghost" stands deleted',
        '7 phone "000" "000" stands deleted',
        '8 name "Bea" "Beelzebub" "Beelzebub" stands restored',
        '8 phone "600" "666" "700" replaced',
        '9 @exists true false false stands restored',
        '10 @erased true true stands erased',
        '10 @exists true false false stands erased',
        '11 @alias null "' || test.key('ana') || '" "' || test.key('ana') || '" stands restored',
        '12 phone "666" "666" stands unknown',
        '13 @exists true true stands left',
        '13 name "Guest" "Guest" stands left',
        '13 phone "001" "001" stands left'], 'all that it wrote, and what it was before');
    perform test.equal((select count(*) from sync.written_by('S02', since, 12)), 4, 'from a number on');
    perform test.equal((select count(*) from sync.written_by('S02', clock_timestamp()) w where w.what = 'operation'), (select count(*) from sync.written_by('S02', since)),
        'what was not noted to be here by then may be of after it');
    perform test.equal((select count(*) from sync.written_by('S01', since)), 0, 'nothing of another store');
    perform test.refused($q$select sync.written_by('S09', now())$q$, 'P0002');
    perform test.refused($q$select sync.written_by('S02', null)$q$, '22004');
    perform test.refused($q$select sync.undo_written('S02', null, 'x')$q$, '22004');
    perform test.refused($q$select sync.undo_written('S02', now(), '')$q$, '22023');
    set local role tpv_operator;
    perform test.refused($q$select sync.undo_written('S02', now(), 'x')$q$, '42501');
    perform test.refused($q$select sync.written_by('S02', now())$q$, '42501');
end
$$;

create temp table done as select u.* from before b cross join sync.undo_written('S02', b.since, 'report 4711') u;
do $$
declare
    since timestamptz := (select b.since from before b);
    last bigint := (select max(seq) from wire.op where node_id = 100);
begin
    perform test.equal((select array_agg(concat_ws(' ', seq, column_name, value, outcome) order by seq, column_name collate "C") from done),
        array['3 consent "all" restored', '3 phone "600" restored', '4 tags/evil false restored', '4 tags/old true restored',
            '5 address {"city": "Madrid", "street": "Calle 1", "country": null, "postcode": null} restored', '6 email "ana@x" restored',
            '7 @exists false deleted', '7 name deleted', '7 phone deleted', '8 name "Bea" restored', '9 @exists true restored',
            '10 @erased erased', '10 @exists erased', '11 @alias null restored', '12 phone unknown',
            '13 @exists left', '13 name left', '13 phone left'], 'what became of each');
    perform test.equal(test.row_of('ana'), (select rows ->> 'ana' from before), 'as it was');
    perform test.equal(test.row_of('bea'), 'Bea 700 Madrid ["old"] all', 'but what somebody wrote who had seen it');
    perform test.equal(test.row_of('carla'), (select rows ->> 'carla' from before), 'what was deleted is back');
    perform test.equal(test.row_of('eva'), (select rows ->> 'eva' from before), 'an alias');
    perform test.equal(test.row_of('fay'), 'Fay 666 Madrid ["old"] all', 'what nobody knows any more stays');
    perform test.equal(test.row_of('dora'), (select ' [] none deleted'), 'what was erased is gone');
    perform test.equal(test.row_of('ghost'), 'Ghost 000 [] none deleted', 'what it made is deleted');
    perform test.equal(test.row_of('guest'), 'Guest 001 guest@x [] none', 'unless somebody else has worked with it');
    perform test.equal((select count(*) from sync.sibling), 0, 'no conflict is left');
    assert test.heads('party.customer', test.key('ana'), 'phone') ~ '^100\.\d+$', 'central decided';
    perform test.equal((select array_agg(concat_ws(' ', node_id, seq, column_name, value_written, value, why) order by seq, column_name collate "C")
            from sync.undone where key = test.key('ana') and column_name in ('phone', 'email')),
        array['2 3 phone "667" "600" report 4711', '2 6 email "evil@x" "ana@x" report 4711'], 'on record');
    perform test.equal((select array_agg(concat_ws('|', subject, detail)) from sec.audit where event = 'WRITTEN_UNDONE'),
        '{"node 2, from its operation 2 on|report 4711"}'::text[], 'and a security event');

    perform test.equal((select array_agg(distinct u.outcome order by u.outcome) from sync.undo_written('S02', since, 'again') u), '{erased,left,unknown}'::text[],
        'a second call undoes nothing more');
    perform test.equal((select max(seq) from wire.op where node_id = 100), last, 'and writes nothing');
    perform test.equal((select count(*) from sync.written_by('S02', since) w where w.undo in ('restored', 'deleted')), 0, 'nothing is left to undo');
end
$$;

-- Who knows its number needs no moment. What central decides is not touched.
do $$ begin
    perform test.lies(14, 'ana', '{"name": "later"}', test.saw('ana', 'name'));
    update sync.tracked_table set writer = 'central' where table_name = 'party.customer';
    perform test.equal((select array_agg(concat_ws(' ', u.column_name, u.outcome, u.detail)) from sync.undo_written('S02', null, 'its last', 14) u),
        '{"name left central decides about that row: change it"}'::text[], 'a table of central''s');
    update sync.tracked_table set writer = 'any' where table_name = 'party.customer';
    perform test.equal((select array_agg(concat_ws(' ', u.column_name, u.outcome)) from sync.undo_written('S02', null, 'its last', 14) u),
        '{"name restored"}'::text[], 'by a number alone');
end $$;
select test.equal(test.row_of('ana'), (select rows ->> 'ana' from before), 'and its last is undone') \g /dev/null

-- Its documents are facts: they are listed, by what was here then and not by what they say of themselves.
alter table wire.doc disable trigger _100_receive;
create function test.document(chain text, place bigint, hlc bigint) returns void language sql as $$
    insert into wire.doc values (2, gen_random_uuid(), current_date, 'receipt', null, hlc, 1, chain, place, '\x00', '{}', sha256('{}'))
$$;
select test.document('T01', 1, 1), test.document('T01', 2, 1) \g /dev/null
insert into sync.verified values (2, 'T01', 2, '\x00');
select sync.note_arrivals(2) \g /dev/null
create temp table documents as select clock_timestamp() as since;
select test.document('T01', 3, 1), test.document('T09', 1, 1) \g /dev/null
alter table wire.doc enable always trigger _100_receive;
select test.equal((select array_agg(concat_ws(' ', w.column_name, w.state, w.detail, w.seq) order by w.detail)
    from documents d cross join sync.written_by('S02', d.since) w where w.what = 'document'),
    array['receipt fact in hash chain T01 3', 'receipt fact in hash chain T09 1'], 'documents') \g /dev/null

-- Whoever is erased later is taken out of what was undone, too.
select party.erase(test.key('ana')::uuid, 'request 7') \g /dev/null
select test.equal((select count(*) from sync.undone u where u.key = test.key('ana') and u.column_name not like '@%'
    and (u.value <> 'null' or u.value_written is not null or u.column_name ~ '/')), 0, 'no value is left') \g /dev/null

-- What was noted goes when it is older than the journal.
insert into sync.arrival values (2, 'operations', '', now() - interval '90 days', 1), (2, 'operations', '', now() - interval '80 days', 1);
select sync.prune_records() \g /dev/null
select test.equal((select count(*) from sync.arrival where at < now() - interval '60 days'), 1, 'but the last of before it') \g /dev/null
