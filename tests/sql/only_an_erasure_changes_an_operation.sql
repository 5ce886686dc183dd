-- The journal is never changed, but by the extension while it erases a row; nobody can turn that on.
\ir prelude/central.sql
\ir prelude/arrivals.sql

insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000aa', 'Ana');
select party.erase('00000000-0000-7000-8000-0000000000aa', 'request 7') \g /dev/null
insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000bb', 'Bob');
do $$
declare
    bob text := '00000000-0000-7000-8000-0000000000bb';
    own bigint := (select seq from wire.op where key = bob and node_id = 100);
    try text;
begin
    foreach try in array array[
        'update wire.op set patch = patch',
        format('update wire.op set patch = %L where key = %L', '{"@blank":true,"@exists":true}', bob),
        format('update wire.op_1 set patch = %L where key = %L', '{"@blank":true,"@exists":true}', bob),
        format('update wire.op set hlc = 0 where key = %L', bob),
        format('delete from wire.op where key = %L', bob),
        format('select sync.blank_operation(100, %s, %L, %L)', own, '{"@blank":true,"@exists":true}', '{}')
    ] loop
        perform test.refused(try, '42501', 'operations are never changed%');
    end loop;
    perform sync.blank_records('party.customer', bob, true);
    perform test.equal((select count(*) from sec.audit where subject like '%' || bob), 0, 'what was not erased is not touched');
end
$$;
-- Nor whoever merges.
set role tpv_apply;
do $$
declare
    bob text := '00000000-0000-7000-8000-0000000000bb';
begin
    perform test.refused('update wire.op set patch = patch', '42501');
    perform test.refused($q$select sync.blank_operation(100, 3, '{"@blank":true}', '{}')$q$, '42501', 'operations are never changed%');
    perform test.refused(format('select tpv.erase(%L, %L)', 'party.customer', bob), '42501');
end
$$;
reset role;
do $$
declare
    role text;
begin
    foreach role in array array['tpv_operator', 'tpv_watcher', 'tpv_analyst', 'tpv_cron', 'tpv_peer'] loop
        assert not has_function_privilege(role, 'sync.blank_operation(integer,bigint,text,text)', 'execute'), role;
    end loop;
end
$$;
