-- Heads are state and rows are projections: what a table can not hold yet is among the heads, and written when it can.
\ir prelude/store.sql
\ir prelude/arrivals.sql

do $$
declare
    ana text := '00000000-0000-7000-8000-0000000000aa';
begin
    -- A writer of a later version: the known columns are written, the rest waits.
    assert not test.arrives(2, 1, 10, 'party.customer', ana, '{"@exists": true, "name": "Ana", "shoe": 38}');
    assert test.waits(2, 1) = 'UNKNOWN_COLUMN';
    assert test.customer(ana) ->> 'name' = 'Ana', 'what is known is written';
    assert test.customer(ana) -> 'tags' = '[]', 'a column that its writer did not know has its default';
    assert test.heads('party.customer', ana, 'shoe') = '2.1';

    -- An edit of the unknown column replaces it among the heads although neither was written.
    assert not test.arrives(3, 1, 20, 'party.customer', ana, '{"shoe": 39, "phone": "1"}', '{"shoe": [[2, 1]]}');
    assert test.heads('party.customer', ana, 'shoe') = '3.1';
    assert test.customer(ana) ->> 'phone' = '1';

    -- A value that the table refuses waits; what comes after it is merged, and replaces it.
    assert not test.arrives(2, 2, 30, 'party.customer', ana, '{"consent": "fax"}');
    assert test.waits(2, 2) = '23514' and test.heads('party.customer', ana, 'consent') = '2.2';
    assert test.arrives(2, 3, 40, 'party.customer', ana, '{"consent": "email"}', '{"consent": [[2, 2]]}');
    assert test.customer(ana) ->> 'consent' = 'email';

    -- What nobody wrote by its own name: a key, a tombstone, a column of a group. It neither stops anything nor is taken.
    assert not test.arrives(3, 2, 50, 'party.customer', ana,
        '{"customer_id": "x", "deleted": true, "city": "Porto", "email": "a@b"}');
    assert test.customer(ana) ->> 'email' = 'a@b' and test.customer(ana) ->> 'city' is null;
    assert not (test.customer(ana) ->> 'deleted')::boolean;
    assert not test.arrives(3, 3, 50, 'party.customer', ana, '{"address": {"street": "Mayor 1", "planet": "Mars"}}');
    assert test.customer(ana) ->> 'street' = 'Mayor 1' and test.waits(3, 3) = 'UNKNOWN_COLUMN';
    -- A group is one value: what its writer did not know of is not what was there before.
    assert test.arrives(2, 4, 55, 'party.customer', ana, '{"address": {"city": "León"}}', '{"address": [[3, 3]]}');
    assert test.customer(ana) ->> 'street' is null and test.customer(ana) ->> 'city' = 'León';

    -- A thing whose key is none, and one of a table that is not there.
    assert not test.arrives(3, 4, 60, 'party.customer', 'nobody', '{"@exists": true, "name": "N"}');
    assert test.waits(3, 4) = '22P02';
    assert not test.arrives(3, 5, 60, 'party.pet', ana, '{"@exists": true, "name": "Rex"}');
    assert not test.arrives(3, 6, 70, 'party.pet', ana, '{"name": "Tom"}', '{"name": [[3, 5]]}');
    assert test.waits(3, 5) = 'UNKNOWN_TABLE' and test.heads('party.pet', ana, 'name') = '3.6';

    -- One that can not be read leaves the heads alone.
    assert not test.arrives(3, 7, 80, 'party.customer', ana, '{"@later": 1, "name": "Eve"}', '{"name": [[2, 1]]}');
    assert test.waits(3, 7) = 'OPERATION_PATCH' and test.heads('party.customer', ana, 'name') = '2.1';
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
    assert (test.customer(ana) ->> 'shoe') = '39';
    assert test.waits(2, 1) is null and test.waits(3, 1) is null and test.waits(2, 2) is null;
    assert test.waits(3, 5) is null and test.waits(3, 6) is null;
    assert (select array_agg(name) from party.pet) = '{Tom}';
    -- A writer of the version before does not know the new columns.
    assert test.arrives(2, 9, 90, 'party.customer', '00000000-0000-7000-8000-0000000000bb', '{"@exists": true, "name": "Bob"}');
    assert test.customer('00000000-0000-7000-8000-0000000000bb') ->> 'size' = 'M';
end
$$;

-- A node that was given its heads as a state has no old operations, and needs none.
insert into sync.head (table_name, key, heads, waits)
values ('party.customer', '00000000-0000-7000-8000-0000000000cc',
    '{"@exists":[[2,50,1,true]],"name":[[2,51,5,"Carl"],[3,50,6,"Karl"]]}', false);
do $$
declare
    carl text := '00000000-0000-7000-8000-0000000000cc';
begin
    -- Its writer knew one of the two names.
    assert test.arrives(3, 51, 7, 'party.customer', carl, '{"name": "Charles"}', '{"name": [[3, 50]]}');
    assert test.heads('party.customer', carl, 'name') = '2.51 3.51';
    assert test.customer(carl) ->> 'name' = 'Charles';
    -- What replaces an operation may come before it.
    assert test.arrives(3, 53, 9, 'party.customer', carl, '{"name": "Chas"}', '{"name": [[3, 52]]}');
    assert test.arrives(3, 52, 8, 'party.customer', carl, '{"name": "Charlie"}', '{"name": [[2, 51], [3, 51]]}');
    assert test.heads('party.customer', carl, 'name') = '3.53';
    assert test.customer(carl) ->> 'name' = 'Chas';
    assert (select count(*) from sync.sibling where key = carl) = 0;
end
$$;
