-- What happened: a customer got another key, and no operation told of it; a column was added with a
-- default that each node evaluated for itself.
\ir prelude/central.sql

set role tpv_owner;
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000aa', 'Ana');
create table party.pet (pet_id uuid primary key default gen_random_uuid(), name text default lower('REX'),
    born timestamptz default '2020-01-01', tags jsonb not null default '[]', size numeric default 1 + 1);
do $$
declare
    bad text;
begin
    set constraints all immediate;
    perform test.refused($q$update party.customer set customer_id = gen_random_uuid()$q$,
        '22023', 'the key of a row of party.customer cannot change: KEY_CHANGED', 'a key is for ever');
    update party.customer set customer_id = customer_id, name = 'Ana R';
    perform test.equal((select count(*) from wire.op where table_name = 'party.customer'), 2, 'others may change');
    perform sync.track('party.pet');
    foreach bad in array array['clock_timestamp()', 'now()', 'current_date', 'random()', 'gen_random_uuid()',
        'current_user', 'nextval(''party.numbers'')', '''now''::text::timestamptz', 'sec.actor()'] loop
        execute 'create sequence if not exists party.numbers';
        execute format('alter table party.pet add column odd %s default %s',
            case when bad like '%next%' or bad like 'rand%' then 'numeric' when bad like '%uuid%' then 'uuid'
                 when bad like '%user%' or bad like '%actor%' then 'text' else 'timestamptz' end, bad);
        perform test.refused('select sync.track(''party.pet'')', '22023', '%must be a constant%', bad,
            detail_like => 'NOT_CONSTANT: odd');
        alter table party.pet drop column odd;
    end loop;
    alter table party.pet add column kind text default 'cat';
    perform test.equal(sync.track('party.pet'), 'party.pet was tracked like this already', 'a constant is no fault');
end
$$;
reset role;

-- What happened: a tenth of a second became 0, which turns heartbeats off.
\set ON_ERROR_STOP off
alter system set pg_tpv.beat_interval = '100ms';
\set refused :SQLSTATE
\set ON_ERROR_STOP on
select test.equal(:'refused', '22023', 'less than a second is refused') \g /dev/null
