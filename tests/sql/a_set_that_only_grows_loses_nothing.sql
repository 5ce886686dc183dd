-- grow_only: no session takes an element away, and no operation can say that one is gone.
\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
create table party.pet (pet_id uuid primary key, allergens jsonb not null default '[]');
select sync.track('party.pet', sets => '{"allergens": "grow_only"}') \g /dev/null
insert into party.pet (pet_id, allergens) values ('00000000-0000-7000-8000-00000000000d', '["nuts"]');
do $$
declare
    rex text := '00000000-0000-7000-8000-00000000000d';
begin
    perform test.refused($q$update party.pet set allergens = '[]'$q$, '23514', 'allergens of party.pet only gains elements');
    perform test.refused($q$update party.pet set allergens = '["milk"]'$q$, '23514');
    update party.pet set allergens = '["milk", "nuts"]';
    perform test.equal((select allergens::text from party.pet), '["milk", "nuts"]', 'it gains elements');
end
$$;
reset role;
do $$
declare
    rex text := '00000000-0000-7000-8000-00000000000d';
begin
    perform test.equal((select string_agg(patch, ' ' order by seq) from wire.op where table_name = 'party.pet'),
        '{"@exists":true,"allergens+nuts":true} {"allergens+milk":true}', 'a patch can only add');
    perform test.arrives(1, 1, 10, 'party.pet', rex, '{"allergens+nuts": false}', waits => 'OPERATION_PATCH');
    perform test.arrives(1, 2, 10, 'party.pet', rex, '{"allergens/nuts": false}', waits => 'UNKNOWN_COLUMN');
    perform test.arrives(1, 3, 10, 'party.pet', rex, '{"allergens+soy": true}');
    perform test.equal((select allergens::text from party.pet), '["milk", "nuts", "soy"]', 'a merge takes nothing away');
    perform test.equal((select count(*) from sync.sibling), 0, 'and there is no conflict');
end
$$;
