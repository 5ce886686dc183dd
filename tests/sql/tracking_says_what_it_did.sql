-- One call shares a table; it says what it did, can be repeated, and refuses what cannot be shared.
\ir prelude/central.sql

set role tpv_owner;
create table party.pet (pet_id uuid primary key, name text, chip text, kind text, owner_id integer, leash text,
    low int, high int);
insert into party.pet (pet_id, name) values (gen_random_uuid(), 'Rex');
do $$
begin
    perform test.equal(sync.track('PARTY.pet', 'any', '{"size": ["low", "high"]}'),
        'added column deleted; added its triggers; party.pet is tracked by pet_id, written by any; 1 rows were there',
        'what was done');
    perform test.equal(sync.track('party.pet', 'any', '{"size": ["low", "high"]}'),
        'party.pet was tracked like this already', 'it can be repeated');
    perform test.equal(sync.track('party.pet', 'any', '{"size": ["low", "high"]}', owner_column => 'owner_id',
        duplicates => '{"chip": ["chip", "kind"]}', only_stricter => '{"leash": ["short", "long"]}'),
        'added column alias_of; added an index that finds the same chip; '
        'party.pet is tracked by pet_id, written by any; 0 rows were there', 'more can be asked for later');
    perform test.equal(sync.track('party.pet', 'any', '{"size": ["low", "high"]}', owner_column => 'owner_id',
        duplicates => '{"chip": ["chip", "kind"]}', only_stricter => '{"leash": ["short", "long"]}'),
        'party.pet was tracked like this already', 'also with more arguments it can be repeated');
    perform test.equal(sync.track('party.pet'),
        'party.pet was tracked like this already', 'what is left out is as it was');
    insert into party.pet (pet_id, name, chip, kind, leash) values (gen_random_uuid(), 'Tom', '1', 'cat', 'short');
    perform test.equal((select owner_id from party.pet where name = 'Tom'), 100, 'who makes a row owns it');
    perform test.refused('insert into party.pet (pet_id, chip, kind) values (gen_random_uuid(), 1, ''CAT'')',
        '23505', what => 'a duplicate');
    insert into party.pet (pet_id, chip, kind) values (gen_random_uuid(), '1', 'dog');
    perform test.refused('update party.pet set leash = ''long'' where name = ''Tom''', '23514',
        what => 'a looser value');
    perform test.refused('delete from party.pet', '42501', what => 'a removal');
end
$$;
create view party.view as select gen_random_uuid() as id;
create table party.no_key (id integer primary key);
create table party.unique_one (id uuid primary key, code text unique);
create table party.unique_index (id uuid primary key, code text);
create unique index on party.unique_index (lower(code));
create table party.checked (id uuid primary key, low int, high int, check (low < high));
create table party."Odd" (id uuid primary key);
create table party.flag (id uuid primary key, deleted text, price numeric(14,2), node integer not null);
create table party.other (id uuid primary key, a text, b text, node integer, price numeric(14,2));
do $$
declare
    try record;
begin
    for try in select * from (values
        ('''party.nothing''', '42P01', 'no table'), ('''party.view''', '22023', 'ordinary table'),
        ('''party.no_key''', '22023', 'one uuid'), ('''party.unique_one''', '22023', 'no UNIQUE'),
        ('''party.unique_index''', '22023', 'no UNIQUE'), ('''party.checked''', '22023', 'one group'),
        ('''party."Odd"''', '22023', 'a-z'), ('''party.flag''', '22023', 'a column name is reserved'),
        ('''party.other'', ''all''', '22023', 'writer must be'),
        ('''wire.op''', '22023', 'only an ordinary'), ('''sync.peer''', '22023', 'schema sync'),
        ('''party.other'', groups => ''{"g": ["a", "c"]}''', '22023', 'no such column'),
        ('''party.other'', groups => ''{"g": ["a"], "h": ["a", "b"]}''', '22023', 'one group'),
        ('''party.other'', groups => ''{"a": ["a", "b"]}''', '22023', 'a name of its own'),
        ('''party.other'', groups => ''{"g": ["id", "b"]}''', '22023', 'no such column'),
        ('''party.other'', groups => ''{"g": ["node", "b"]}'', owner_column => ''node''', '22023', 'in no group'),
        ('''party.other'', owner_column => ''a''', '22023', 'is an integer'),
        ('''party.other'', duplicates => ''{"p": ["price"]}''', '22023', 'are text, integer or uuid'),
        ('''party.other'', only_stricter => ''{"a": "none"}''', '22023', 'has a scale')
    ) as t (arguments, state, message) loop
        perform test.refused('select sync.track(' || try.arguments || ')', try.state, '%' || try.message || '%');
    end loop;
end
$$;
do $$
begin
    perform test.refused('select sync.track(''party.flag'', owner_column => ''node'', duplicates => ''{"p": ["price"]}'')',
        '22023', 'a column name is reserved; the column of an owner is an integer that may be null and has no default; '
        'columns of duplicates are text, integer or uuid', what => 'all that is wrong is said at once',
        detail_like => e'RESERVED_NAME: deleted\nOWNER_COLUMN: node\nDUPLICATE_TYPE: price numeric',
        hint_like => '%the node that makes the row becomes its owner%');
end
$$;
reset role;
create table party.foreign_one (id uuid primary key);
do $$
begin
    perform test.refused('select sync.track(''party.foreign_one'')', '22023', '%belongs to tpv_owner%');
end
$$;
