-- Heads are state and rows are projections: what a table cannot hold yet is among the heads, and
-- written when it can.
\ir prelude/store.sql
\ir prelude/arrivals.sql

do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    -- A writer of a later version: the known columns are written, the rest waits.
    perform test.arrives(2, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "shoe": 38}',
        waits => 'UNKNOWN_COLUMN');
    perform test.equal(test.customer(ana) ->> 'name', 'Ana', 'what is known is written');
    perform test.equal(test.customer(ana) -> 'tags', '[]', 'a column that its writer did not know has its default');
    perform test.equal(test.heads('party.customer', ana, 'shoe'), '2.1', 'what is not known is a head');

    -- An edit of the unknown column replaces it among the heads although neither was written.
    perform test.arrives(3, 1, 20, 'party.customer', ana, '{"shoe": 39, "phone": "1"}', '{"shoe": [[2, 1]]}',
        waits => 'UNKNOWN_COLUMN');
    perform test.equal(test.heads('party.customer', ana, 'shoe'), '3.1', 'it is replaced among the heads');
    perform test.equal(test.customer(ana) ->> 'phone', '1', 'what is known of the edit is written');

    -- A value that the table refuses waits; what comes after it is merged, and replaces it.
    perform test.arrives(2, 2, 30, 'party.customer', ana, '{"consent": "fax"}', waits => '23514');
    perform test.equal(test.heads('party.customer', ana, 'consent'), '2.2', 'a value that the table refuses is a head');
    perform test.arrives(2, 3, 40, 'party.customer', ana, '{"consent": "email"}', '{"consent": [[2, 2]]}');
    perform test.equal(test.customer(ana) ->> 'consent', 'email', 'what replaces it is written');

    -- What nobody wrote by its own name: a key, a tombstone, a column of a group. It neither stops
    -- anything nor is taken.
    perform test.arrives(3, 2, 50, 'party.customer', ana,
        '{"customer_id": "x", "deleted": true, "city": "Porto", "email": "a@b"}', waits => 'UNKNOWN_COLUMN');
    perform test.equal(test.customer(ana) ->> 'email', 'a@b', 'the rest of it is written');
    assert test.customer(ana) ->> 'city' is null, 'a column of a group is not written by its own name';
    assert not (test.customer(ana) ->> 'deleted')::boolean, 'nor is a tombstone';
    perform test.arrives(3, 3, 50, 'party.customer', ana, '{"address": {"street": "Mayor 1", "planet": "Mars"}}',
        waits => 'UNKNOWN_COLUMN');
    perform test.equal(test.customer(ana) ->> 'street', 'Mayor 1', 'what is known of a group is written');
    -- A group is one value: what its writer did not know of is not what was there before.
    perform test.arrives(2, 4, 55, 'party.customer', ana, '{"address": {"city": "León"}}', '{"address": [[3, 3]]}');
    assert test.customer(ana) ->> 'street' is null, 'nothing of the old group is left';
    perform test.equal(test.customer(ana) ->> 'city', 'León', 'the new one is written');

    -- An entity whose key is none, and one of a table that is not there.
    perform test.arrives(3, 4, 60, 'party.customer', 'nobody', '{"@exists": true, "name": "N"}', waits => 'OPERATION_KEY');
    perform test.arrives(3, 5, 60, 'party.pet', ana, '{"@exists": true, "name": "Rex"}', waits => 'UNKNOWN_TABLE');
    perform test.arrives(3, 6, 70, 'party.pet', ana, '{"name": "Tom"}', '{"name": [[3, 5]]}', waits => 'UNKNOWN_TABLE');
    perform test.equal(test.heads('party.pet', ana, 'name'), '3.6', 'a table that is not there has heads');

    -- One that cannot be read leaves the heads alone.
    perform test.arrives(3, 7, 80, 'party.customer', ana, '{"@later": 1, "name": "Eve"}', '{"name": [[2, 1]]}',
        waits => 'OPERATION_PATCH');
    perform test.equal(test.heads('party.customer', ana, 'name'), '2.1', 'the heads are as they were');
end
$$;

-- The upgrade.
alter table party.customer add column shoe integer not null default 0, add column size text not null default 'M';
set role tpv_owner;
create table party.pet (pet_id uuid primary key, name text);
select sync.track('party.pet') \g /dev/null
reset role;
select sync.replay_waiting() \g /dev/null

do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.equal(test.customer(ana) ->> 'shoe', '39', 'the column that is known now is written');
    assert test.waits(2, 1) is null and test.waits(3, 1) is null and test.waits(2, 2) is null,
        'nothing of the customer waits';
    assert test.waits(3, 5) is null and test.waits(3, 6) is null, 'nothing of the pet waits';
    perform test.equal((select array_agg(name) from party.pet), '{Tom}', 'the table that is there now has its row');
    -- A writer of the version before does not know the new columns.
    perform test.arrives(2, 9, 90, 'party.customer', '00000000-0000-7000-8000-0000000000bb',
        '{"@exists": true, "name": "Bob"}');
    perform test.equal(test.customer('00000000-0000-7000-8000-0000000000bb') ->> 'size', 'M',
        'a column that its writer did not know has its default');
end
$$;

-- A node that was given its heads as a state has no old operations, and needs none.
set pg_tpv.maintenance = on;
insert into sync.head (table_name, key, heads, waits)
values ('party.customer', '00000000-0000-7000-8000-0000000000cc',
    '{"@exists":[[2,50,1,true]],"name":[[2,51,5,"Carl"],[3,50,6,"Karl"]]}', false);
reset pg_tpv.maintenance;
do $$
declare
    carl text := '00000000-0000-7000-8000-0000000000cc';
begin
    -- Its writer knew one of the two names.
    perform test.arrives(3, 51, 7, 'party.customer', carl, '{"name": "Charles"}', '{"name": [[3, 50]]}');
    perform test.equal(test.heads('party.customer', carl, 'name'), '2.51 3.51', 'the name that it knew is replaced');
    perform test.equal(test.customer(carl) ->> 'name', 'Charles', 'the last of both is shown');
    -- What replaces an operation may come before it.
    perform test.arrives(3, 53, 9, 'party.customer', carl, '{"name": "Chas"}', '{"name": [[3, 52]]}');
    perform test.arrives(3, 52, 8, 'party.customer', carl, '{"name": "Charlie"}', '{"name": [[2, 51], [3, 51]]}');
    perform test.equal(test.heads('party.customer', carl, 'name'), '3.53',
        'what was replaced before it came is no head');
    perform test.equal(test.customer(carl) ->> 'name', 'Chas', 'what replaced it is shown');
    perform test.equal((select count(*) from sync.sibling where key = carl), 0, 'no conflict is left');
end
$$;
